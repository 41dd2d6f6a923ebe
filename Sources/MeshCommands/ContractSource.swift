internal import CCL
internal import IPLD
internal import MeshAPI
internal import MeshCore
internal import MeshRuntime

/// A contract's file as the commands use it: read, checked and, where it has no errors, compiled.
struct ContractSource {
    /// Compute units that a contract's own run is given beside what it hands on to jobs.
    static let ownUnits = 10

    let path: String
    let text: String
    let compilation: Compilation

    init(
        _ path: String, _ context: CommandContext, options: EmissionOptions = EmissionOptions()
    ) throws {
        self.init(path, bytes: try context.contents(of: path), options: options)
    }

    init(_ path: String, bytes: [UInt8], options: EmissionOptions = EmissionOptions()) {
        self.path = path == "-" ? "standard input" : path
        text = String(decoding: bytes, as: UTF8.self)
        // The file's name is not part of it: the same text gives the same module, whatever the file is called.
        compilation = Contract.compile(bytes, options: options)
    }

    /// The last part of a path.
    static func fileName(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    var diagnostics: [Diagnostic] { compilation.diagnostics }
    var errorCount: Int { diagnostics.filter { $0.severity == .error }.count }
    var warningCount: Int { diagnostics.filter { $0.severity == .warning }.count }

    /// `3 errors, 1 warning`.
    var summary: String {
        func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
        return "\(count(errorCount, "error")), \(count(warningCount, "warning"))"
    }

    var views: [DiagnosticView] {
        diagnostics.map { one in
            let range = one.range
            return DiagnosticView(
                code: one.code.rawValue, message: one.message, line: range.start.line,
                column: range.start.column,
                endColumn: range.end.line == range.start.line ? range.end.column : range.start.column + 1,
                hint: one.hint, rendered: one.rendered(source: text, name: path))
        }
    }

    /// The diagnostics as JSON, with the severity that the API's view leaves to the code.
    var tree: JSONTree {
        .array(
            zip(views, diagnostics).map { view, one in
                guard case .object(let members) = JSONTree(view) else { return JSONTree(view) }
                return .object([.init(key: "severity", value: .text(one.severity.rawValue))] + members)
            })
    }

    /// Shows warnings, and what else was found, to people.
    func showDiagnostics(_ context: CommandContext) {
        for one in diagnostics { context.console.message(one.rendered(source: text, name: path)) }
    }

    /// The module.
    ///
    /// - Throws: All errors at once, each with its place.
    func module() throws -> EmittedModule {
        guard let module = compilation.module else {
            let first = diagnostics.first { $0.severity == .error } ?? diagnostics.first
            throw CommandFailure(
                APIErrorDetail(
                    code: first?.code.rawValue ?? "contract.invalid",
                    message: "\(path): \(first?.message ?? "the contract cannot be compiled")",
                    hint: first?.hint, details: views))
        }
        return module
    }

    /// How much of `resource` a job must be given to do what the contract does, or its handler of an event: the most
    /// that is known, else what it declares, else the least.
    func amount(of resource: String = "compute", event: String? = nil) -> Int {
        let spending = compilation.spending
        let uses = event.map { event in spending.events.filter { $0.event == event }.flatMap(\.uses) }
        let use = (uses ?? spending.uses).first { $0.resource == resource }
        let declared = compilation.program?.limits.first { $0.resource == resource }?.amount
        let known = use.map { use in use.needed ?? max(declared ?? 0, use.atLeast) } ?? 0
        return max(Self.ownUnits, Int(clamping: known))
    }

    /// What the contract calls itself, its `title` or its `description`; else its file's name.
    var name: String {
        for name in ["title", "description"] {
            guard let found = compilation.program?.declarations.first(where: { $0.name == name }),
                case .string(let text)? = found.values.first
            else { continue }
            return String(text.prefix(200))
        }
        return Self.fileName(path)
    }
}
