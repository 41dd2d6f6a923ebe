/// Everything that compiling a contract gives.
public struct Compilation: Sendable {
    /// What was found in reading, checking and emitting, in this order.
    public var diagnostics: [Diagnostic]
    public var tree: SyntaxTree
    /// `nil` when there are errors.
    public var program: Program?
    public var spending: Spending
    /// `nil` when there are errors.
    public var module: EmittedModule?

    public init(
        diagnostics: [Diagnostic], tree: SyntaxTree, program: Program?, spending: Spending,
        module: EmittedModule?
    ) {
        self.diagnostics = diagnostics
        self.tree = tree
        self.program = program
        self.spending = spending
        self.module = module
    }

    /// Whether something was found that keeps the contract from being compiled.
    public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

extension Contract {
    /// Reads a contract, checks it and makes a module of it.
    ///
    /// A text that cannot be read is not checked, so that one mistake is not reported twice.
    ///
    /// - Parameters:
    ///   - source: The text, whatever it is.
    ///   - name: What the text is called; failing code says it, so that it is part of the module.
    ///   - options: Whom the module is for, and what goes into it beside the code.
    /// - Returns: A module, or at least one error.
    public static func compile(
        _ source: [UInt8], name: String = "contract.ccl", options: EmissionOptions = EmissionOptions()
    ) -> Compilation {
        let (tree, findings) = read(source)
        var compilation = Compilation(
            diagnostics: findings, tree: tree, program: nil, spending: Spending(), module: nil)
        if compilation.hasErrors { return compilation }
        let (program, checked, spending) = check(tree, name: name)
        compilation.diagnostics += checked
        compilation.spending = spending
        guard let program, !compilation.hasErrors else { return compilation }
        switch emit(program, options: options) {
        case .success(let module):
            compilation.program = program
            compilation.module = module
        case .failure(let diagnostic):
            // Only warnings came before; they make room for the error.
            compilation.diagnostics =
                Array(compilation.diagnostics.prefix(Limits.diagnosticCountMax - 1)) + [diagnostic]
        }
        return compilation
    }
}
