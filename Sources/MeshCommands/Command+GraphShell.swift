internal import CommandLineArguments
internal import ControlClient
internal import FoundationEssentials
internal import Glibc
internal import MeshAPI

extension CommandEntry {
    static let graphShell = CommandEntry(
        Command(
            "shell", "Work with the graph statement by statement",
            discussion: """
                A statement ends with a semicolon or an empty line. BEGIN and COMMIT enclose a transaction, whose
                statements are tried out as they come and kept at COMMIT. \\help lists the shell's own commands.
                What was entered is kept in ~/.mesh/history. Without a terminal it reads lines and ends with 1
                when a statement failed.
                """,
            flags: [Flag("no-history", .toggle, "Neither read nor keep what was entered"), .format],
            examples: ["meshctl graph shell", "meshctl graph shell -o json < statements.mew"])
    ) { context in
        let shell = GraphShell(context, try context.client())
        if context.console.isInputTerminal {
            converse(shell, context)
            return .done
        }
        try read(shell, context)
        if shell.transaction != nil {
            throw CommandFailure(
                code: "graph.transaction", "the transaction was not committed", hint: "end it with COMMIT;")
        }
        return shell.faultCount == 0 ? .done : .error
    }

    /// Takes plain lines from standard input.
    private static func read(_ shell: GraphShell, _ context: CommandContext) throws {
        let input = try GraphScript.text(context.console.readInput(), of: "standard input")
        var text = ""
        for line in input.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            text += text.isEmpty ? String(line) : "\n" + line
            // Only these lines can end a statement: looking at each would take longer with every line.
            guard line.contains(";") || line.allSatisfy(\.isWhitespace) || text.first == "\\",
                GraphShell.isWhole(text)
            else { continue }
            let whole = text
            text = ""
            if !shell.enter(whole) { return }
        }
        // The end of the input ends a statement too.
        _ = shell.enter(text)
    }

    /// Talks with somebody at a terminal.
    private static func converse(_ shell: GraphShell, _ context: CommandContext) {
        let console = context.console
        let file = context.arguments.has("no-history") ? nil : HistoryFile(console.environment)
        var history = file?.load() ?? LineEditorHistory()
        let terminal = LineEditorTerminal(console)
        shell.refreshCatalog()
        if context.format == .table { console.message("\\help helps, \\quit or Ctrl+D leaves") }
        while true {
            let isOpen = shell.transaction != nil
            var editor = LineEditor(
                prompt: isOpen ? "mew*> " : "mew> ", continuation: isOpen ? "   *> " : "  -> ",
                history: history, isWhole: GraphShell.isWhole,
                complete: GraphCompleter(catalog: shell.catalog).complete)
            switch terminal.edit(&editor) {
            case .ended:
                if isOpen { console.message("the transaction was not committed") }
                return
            case .cleared: continue
            case .text(let text):
                history.add(text.last == "\n" ? String(text.dropLast()) : text)
                file?.save(history)
                if !shell.enter(text) { return }
            }
        }
    }
}

/// `~/.mesh/history`, for its owner alone: statements may hold secrets.
struct HistoryFile {
    private let path: String

    /// `nil` where there is no home directory.
    init?(_ environment: [String: String]) {
        guard let home = environment["HOME"], !home.isEmpty else { return nil }
        path = home + "/.mesh/history"
    }

    func load() -> LineEditorHistory {
        guard let data = FileManager.default.contents(atPath: path) else { return LineEditorHistory() }
        return LineEditorHistory(file: String(decoding: data, as: UTF8.self))
    }

    /// A history that cannot be kept is no reason to stop.
    func save(_ history: LineEditorHistory) {
        let directory = String(path.dropLast("/history".count))
        try? FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let fresh = path + ".new"
        let isWritten = FileManager.default.createFile(
            atPath: fresh, contents: Data(history.file.utf8), attributes: [.posixPermissions: 0o600])
        if isWritten { unsafe _ = rename(fresh, path) }
    }
}
