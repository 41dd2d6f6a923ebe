internal import CommandLineArguments
internal import ControlClient
internal import FoundationEssentials
internal import MeshAPI

/// What a command works with: its arguments, its console and, once it asks, the daemon.
struct CommandContext: Sendable {
    let arguments: ParsedArguments
    let console: Console
    /// What a session has chosen in the place of `--output`.
    var chosenFormat: OutputFormat?

    /// The format that `--output` names; commands whose `-o` is a path have none.
    var format: OutputFormat {
        chosenFormat ?? arguments.text("output").flatMap(OutputFormat.init(rawValue:)) ?? .table
    }

    /// A client of the daemon that `--socket`, the environment or the usual places name.
    func client() throws -> HTTPControlClient {
        try HTTPControlClient(socketPath: Self.socketPath(arguments.text("socket"), console.environment))
    }

    /// `--socket`, else `MESHCTL_SOCKET`, else `$XDG_RUNTIME_DIR/meshd.sock`, else `~/.mesh/meshd.sock`.
    ///
    /// The runtime directory counts only where a socket stands in it.
    static func socketPath(_ given: String?, _ environment: [String: String]) -> String {
        if let given { return given }
        if let path = environment["MESHCTL_SOCKET"], !path.isEmpty { return path }
        if let directory = environment["XDG_RUNTIME_DIR"], !directory.isEmpty,
            FileManager.default.fileExists(atPath: directory + "/meshd.sock")
        {
            return directory + "/meshd.sock"
        }
        return (environment["HOME"] ?? "") + "/.mesh/meshd.sock"
    }

    /// Prints records as a list.
    ///
    /// `id` is what `--id-only` prints; `columns` are headings and what stands under them.
    func show<Record: APIRecord>(
        _ records: [Record], id: (Record) -> String, columns: [(String, (Record) -> String)]
    ) {
        if arguments.has("id-only") {
            for record in records { console.line(id(record)) }
            return
        }
        show(.array(records.map { JSONTree($0) })) {
            Table(
                headings: columns.map(\.0), rows: records.map { record in columns.map { $0.1(record) } }
            ).lines(emphasised: console.isColourful)
        }
    }

    /// Prints one record; `lines` is what the table format shows.
    func show(_ record: some APIRecord, lines: () -> [String]) {
        show(JSONTree(record), lines: lines)
    }

    /// Prints a value; `lines` is what the table format shows.
    func show(_ tree: JSONTree, lines: () -> [String]) {
        switch format {
        case .table: for line in lines() { console.line(line) }
        case .json: console.line(tree.json())
        case .yaml: console.writeOutput(Array(tree.yaml().utf8))
        case .csv: console.writeOutput(Array(tree.csv().utf8))
        }
    }

    /// A next step for people; nothing for those who asked for data.
    func hint(_ text: String) {
        if format == .table, !arguments.has("id-only") { console.message("hint: \(text)") }
    }

    /// The bytes of a file, or of standard input for `-`.
    func contents(of path: String) throws -> [UInt8] {
        if path == "-" { return console.readInput() }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(code: "file.unreadable", "cannot read \(path)")
        }
        return Array(data)
    }

    /// Writes to a file, or to standard output for `-` or nil.
    func write(_ bytes: [UInt8], to path: String?) throws {
        guard let path, path != "-" else {
            console.writeOutput(bytes)
            return
        }
        do {
            try Data(bytes).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw CommandFailure(code: "file.unwritable", "cannot write \(path)")
        }
    }

    /// Makes a folder, and those above it, where they are missing.
    func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure(code: "file.unwritable", "cannot make the folder \(path)")
        }
    }

    /// A text block of `name value` lines, aligned.
    static func block(_ rows: [(String, String?)]) -> [String] {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, value in
            name + String(repeating: " ", count: width + 2 - name.count) + (value ?? "-").onOneLine
        }
    }
}

/// The path of a job's route.
func jobPath(_ id: String, _ rest: String = "") -> String {
    "/v1/jobs/" + HTTPControlClient.pathSegment(id) + rest
}
