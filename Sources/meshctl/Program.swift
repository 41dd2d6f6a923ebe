import FoundationEssentials
import Glibc
import MeshCommands
import WasmRuntime

/// `meshctl`: see `MeshCommands`.
@main
enum Program {
    static func main() {
        WasmWorker.runIfRequested()
        let console = Console.process(environment: ProcessInfo.processInfo.environment)
        exit(MeshCtl.run(Array(CommandLine.arguments.dropFirst()), console: console))
    }
}
