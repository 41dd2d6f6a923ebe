internal import CommandLineArguments
internal import ControlClient
internal import MeshAPI

/// What the shell does itself, behind a backslash.
enum ShellCommand: String, CaseIterable {
    case help, types, edges, quit, output, timing
}

/// A session with the graph: what is entered, one text after the other.
///
/// A transaction is kept here until COMMIT: each statement is tried out with all before it, undone, and the whole
/// is sent once at the end. So nothing is held at the daemon while somebody thinks.
final class GraphShell {
    private var context: CommandContext
    private let client: HTTPControlClient
    /// What `name` and `#name` mean from statements before.
    private(set) var bindings: [String: String] = [:]
    private(set) var catalog = GraphCatalog()
    private var isTiming = false
    /// The statements since BEGIN; nil outside of a transaction.
    private(set) var transaction: [String]?
    /// The statements that began the sessions that are open; the daemon ends them with each script.
    private(set) var sessions: [String] = []
    /// How many things went wrong.
    private(set) var faultCount = 0

    init(_ context: CommandContext, _ client: HTTPControlClient) {
        self.context = context
        self.client = client
    }

    /// Reads what the daemon's schema declares, for completion; a daemon that does not say leaves it as it is.
    func refreshCatalog() {
        if let read = try? GraphCatalog(context, client) { catalog = read }
    }

    /// Whether a text can be entered: ended by a semicolon or an empty line, with nothing open.
    static func isWhole(_ text: String) -> Bool {
        if text.allSatisfy(\.isWhitespace) || text.first == "\\" { return true }
        let script = ScriptText(text)
        return script.isTerminated || script.isBalanced && (text.last == "\n" || script.isEmpty)
    }

    /// Does what a whole text says.
    ///
    /// - Returns: Whether the session goes on.
    func enter(_ text: String) -> Bool {
        if text.first == "\\" { return command(text) }
        do {
            try run(ScriptText(text).statements)
        } catch {
            tell(error)
        }
        return true
    }

    private func tell(_ error: any Error) {
        faultCount += 1
        MeshCtl.report(
            CommandFailure(describing: error).detail, asJSON: context.format == .json, context.console)
    }

    // MARK: Statements

    private func run(_ statements: [String]) throws {
        var now: [String] = []
        // What of them was shown before, while its transaction was open.
        var shownCount = 0
        let before = transaction
        for statement in statements {
            let words = ScriptText(statement).keywords(2)
            let first = words.first ?? ""
            let second = words.dropFirst().first ?? ""
            if first == "WATCH" {
                throw CommandFailure(
                    code: "graph.shell.watch", "the shell does not follow watches",
                    hint: "meshctl graph watch '\(statement)'")
            }
            guard let kept = transaction else {
                if first == "BEGIN", second != "SESSION" {
                    transaction = [statement]
                } else {
                    now.append(statement)
                }
                continue
            }
            switch (first, second) {
            case ("COMMIT", _):
                if kept == before { shownCount = kept.count }
                now += kept + [statement]
                transaction = nil
            case ("ROLLBACK", let second) where second != "TO":
                transaction = nil
                if context.format == .table { context.console.line("Rolled back") }
            default: transaction = kept + [statement]
            }
        }
        if !now.isEmpty { try send(now, shownCount: shownCount) }
        guard let kept = transaction, kept != before else { return }
        do {
            try tryOut(kept)
        } catch {
            // The transaction goes on without what failed.
            transaction = before ?? [kept[0]]
            throw error
        }
    }

    private func script(_ statements: [String]) throws -> GraphScript {
        let text = statements.map { statement in
            let parsed = ScriptText(statement)
            guard let first = parsed.tokens.first, let last = parsed.tokens.last else { return statement }
            // What stands around it is left out: a comment at the end would swallow a semicolon.
            return parsed.text(first.range.lowerBound..<last.range.upperBound) + (last.isSemicolon ? "" : ";")
        }
        return try GraphScript((sessions + text).joined(separator: "\n"), name: "shell")
    }

    /// Runs statements for good.
    private func send(_ statements: [String], shownCount: Int) throws {
        let script = try script(statements)
        let start = JobWatcher.now()
        let response = try context.run(
            GraphRequest(source: script.source, bindings: bindings, name: script.name), client)
        bindings = response.bindings
        try context.show(Array(response.results.dropFirst(sessions.count + shownCount)))
        for statement in statements {
            let words = ScriptText(statement).keywords(2)
            if words == ["BEGIN", "SESSION"] { sessions.append(statement) }
            if words == ["END", "SESSION"] { _ = sessions.popLast() }
        }
        time(since: start)
        let changesSchema = response.results.contains { $0.statement.hasSuffix("ontology") }
        if changesSchema { refreshCatalog() }
    }

    /// Runs an open transaction, shows what came of its last statement and has all of it undone.
    private func tryOut(_ statements: [String]) throws {
        let script = try script(statements)
        let start = JobWatcher.now()
        let response = try context.run(
            GraphRequest(source: script.source, bindings: bindings, dryRun: true, name: script.name), client)
        try context.show(Array(response.results.suffix(1)))
        time(since: start)
    }

    private func time(since start: Int) {
        if isTiming { context.console.message("(\(JobWatcher.now() - start) ms)") }
    }

    // MARK: Commands

    private func command(_ text: String) -> Bool {
        let words = text.dropFirst().split(whereSeparator: \.isWhitespace).map(String.init)
        let name = words.first ?? ""
        switch ShellCommand(rawValue: name == "q" ? "quit" : name == "h" || name == "?" ? "help" : name) {
        case .quit?: return false
        case .help?: for line in Self.help { context.console.line(line) }
        case .types?: list("SHOW TYPES;")
        case .edges?: list("SHOW EDGES;")
        case .timing?:
            isTiming.toggle()
            context.console.message(isTiming ? "times are shown" : "times are not shown")
        case .output?:
            guard let format = words.dropFirst().first.flatMap(OutputFormat.init(rawValue:)) else {
                tell(
                    UsageError(
                        "\\output takes \(OutputFormat.allCases.map(\.rawValue).joined(separator: ", "))"))
                return true
            }
            context.chosenFormat = format
        case nil:
            let near = Suggestion.nearest(to: name, among: ShellCommand.allCases.map(\.rawValue))
            tell(
                UsageError(
                    "there is no \\\(name)", hint: near.map { "did you mean \\\($0)?" } ?? "see \\help"))
        }
        return true
    }

    private func list(_ statement: String) {
        do {
            try context.show(
                try context.run(GraphRequest(source: statement, name: "shell"), client).results)
        } catch {
            tell(error)
        }
    }

    private static let help = [
        "A statement ends with a semicolon or an empty line.",
        "Between BEGIN and COMMIT each statement is tried out and nothing is kept; COMMIT sends it all.",
        "Names that SPAWN gives stay for the session.", "",
        "\\types           what nodes there are", "\\edges           what edges there are",
        "\\output FORMAT   table, json, yaml or csv", "\\timing          show how long statements take",
        "\\quit            leave (or Ctrl+D)", "",
        "Tab completes, Up and Down go through the history, Ctrl+R searches it, Ctrl+C clears the line.",
    ]
}
