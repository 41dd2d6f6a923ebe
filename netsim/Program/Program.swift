internal import CommandLineArguments

import Foundation

/// *Start here.*
///
/// `netsim`: runs the mesh in virtual time, sweeps seeds, replays and draws traces. Each command is a
/// ``Tool``; adding one is a file and a line in ``Tool/all``.
@main
enum Program {
    static let version = "0.1.0"

    static func main() {
        exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    private static func run(_ words: [String]) -> Int32 {
        let program = Command(
            "netsim", "Run the mesh in virtual time, where one seed decides everything",
            examples: ["netsim run first-job", "netsim sweep --swarm --seeds 1000"],
            subcommands: Tool.all.map(\.command))
        do {
            switch try CommandLineParser(program: program).parse(words) {
            case .help(let text): print(text, terminator: "")
            case .version: print("netsim \(version)")
            case .run(let arguments):
                guard let tool = Tool.all.first(where: { [$0.command.name] == arguments.command }) else {
                    throw UsageError("netsim has no command “\(arguments.command.joined(separator: " "))”")
                }
                return try tool.run(arguments)
            }
            return ExitStatus.done
        } catch let error as UsageError {
            say("error: \(error)")
            return UsageError.exitStatus
        } catch {
            say("error: \(error)")
            return ExitStatus.failed
        }
    }

    /// Prints to standard error.
    static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}

/// How `netsim` ends.
enum ExitStatus {
    static let done: Int32 = 0
    static let failed: Int32 = 1
    /// An expectation was broken.
    static let broken: Int32 = 4
}

/// What keeps a command from being done, in words.
struct ToolError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
