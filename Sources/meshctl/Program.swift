import FoundationEssentials
import Glibc
import MeshCommands

/// `meshctl`: see `MeshCommands`.
@main
enum Program {
    static func main() {
        let console = Console.process(environment: ProcessInfo.processInfo.environment)
        exit(MeshCtl.run(Array(CommandLine.arguments.dropFirst()), console: console))
    }
}
