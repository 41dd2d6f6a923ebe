internal import CommandLineArguments
internal import MeshAPI

/// *Start here.*
///
/// The command line `meshctl`: every command of the mesh, over a daemon's control API.
///
/// ``run(_:console:)`` parses, runs one command and returns the exit status. Commands are
/// ``CommandEntry`` values; adding one is a file and a line in ``entries``.
public enum MeshCtl {
    /// The program's version; the daemon's is the same in one release.
    public static let version = "0.1.0"

    static let entries: [CommandEntry] = [
        .submitJob, .getBids, .acceptBid, .jobStatus, .listNodes, .list, .describe, .history, .explain, .logs,
        .output, .cancel, .rerun, .events, .execute, .anchorReceipt, .query, .doctor, .completion,
    ]

    static let groups: [CommandGroup] = [
        CommandGroup(
            name: "receipt", summary: "Receipts of runs",
            entries: [.receiptShow, .receiptExport, .receiptVerify]),
        CommandGroup(
            name: "dag", summary: "The shared DAG",
            entries: [.dagHeads, .dagGet, .dagLog, .dagExport, .dagImport, .dagVerify, .dagGraph]),
        CommandGroup(
            name: "graph", summary: "The shared graph",
            entries: [.graphLoad, .graphWatch, .graphImport, .graphExport, .graphDump, .graphShell]),
        CommandGroup(
            name: "ccl", summary: "Contracts",
            entries: [.cclCheck, .cclCompile, .cclRun, .cclExplain, .cclFormat]),
        CommandGroup(
            name: "dataflow", summary: "Passes over graphs of sources, computes, triggers and actions",
            entries: [
                .dataflowValidate, .dataflowRun, .dataflowReplay, .dataflowPrimitives, .dataflowGraph,
            ]),
        CommandGroup(
            name: "exec", summary: "Execution documents: what ran, from what, with what result",
            entries: [
                .execList, .execShow, .execTree, .execDiff, .execRecover, .execPrune, .execExport,
            ]),
        CommandGroup(
            name: "federation", summary: "Who verifies",
            entries: [.federationInit, .federationShow, .federationList, .federationSign]),
        CommandGroup(name: "invite", summary: "Letting nodes in", entries: [.inviteCreate]),
        CommandGroup(name: "identity", summary: "Keys", entries: [.identityCreate, .identityShow]),
        CommandGroup(
            name: "node", summary: "The daemon", entries: [.nodeStatus, .nodePeers, .nodeConnect, .nodeDrain]),
    ]

    /// The whole tree, from which help and completion are made.
    static let program = Command(
        "meshctl", "Submit jobs to the mesh, follow them and verify what came of them",
        flags: [
            Flag(
                "socket", .text("PATH"),
                "The daemon's control socket (default: $MESHCTL_SOCKET, ~/.mesh/meshd.sock)")
        ],
        examples: [
            "meshctl submit-job --wasm program.wasm --auto --wait",
            "meshctl get-bids --job-id 3f0c", "meshctl completion bash > /etc/bash_completion.d/meshctl",
        ],
        subcommands: entries.map(\.command)
            + groups.map { group in
                Command(
                    group.name, group.summary,
                    examples: group.entries.compactMap { $0.command.examples.first },
                    subcommands: group.entries.map(\.command))
            })

    /// Runs one command line, the words behind the program's name, and returns the exit status.
    public static func run(_ words: [String], console: Console) -> Int32 {
        let parser = CommandLineParser(program: program)
        var isJSON = isAskedForJSON(words)
        do {
            switch try parser.parse(words) {
            case .help(let text):
                console.writeOutput(Array(text.utf8))
                return ExitStatus.done.rawValue
            case .version:
                console.line("meshctl \(version)")
                return ExitStatus.done.rawValue
            case .run(let arguments):
                let context = CommandContext(arguments: arguments, console: console)
                isJSON = context.format == .json
                guard let entry = entry(for: arguments.command) else {
                    throw UsageError("meshctl has no command “\(arguments.command.joined(separator: " "))”")
                }
                return try entry.run(context).rawValue
            }
        } catch {
            let failure = CommandFailure(describing: error)
            report(failure.detail, asJSON: isJSON, console)
            return failure.status.rawValue
        }
    }

    private static func entry(for path: [String]) -> CommandEntry? {
        if path.count == 1 { return entries.first { $0.command.name == path[0] } }
        guard path.count == 2 else { return nil }
        return groups.first { $0.name == path[0] }?.entries.first { $0.command.name == path[1] }
    }

    /// Whether a line that could not be parsed asked for JSON all the same.
    private static func isAskedForJSON(_ words: [String]) -> Bool {
        words.contains("--output=json") || words.contains("-o=json") || words.contains("-ojson")
            || zip(words, words.dropFirst()).contains { ($0 == "-o" || $0 == "--output") && $1 == "json" }
    }

    static func report(_ error: APIErrorDetail, asJSON: Bool, _ console: Console) {
        if asJSON {
            console.message(JSONTree(APIError(error: error)).json(indent: nil))
            return
        }
        // A diagnostic of a script shows the place, and has its own hint.
        if let details = error.details, !details.isEmpty {
            for diagnostic in details { console.message(diagnostic.text) }
            return
        }
        let word = console.hasColourfulMessages ? "\u{1b}[31merror:\u{1b}[0m" : "error:"
        console.message("\(word) \(error.message)")
        if let hint = error.hint { console.message("hint: \(hint)") }
    }
}
