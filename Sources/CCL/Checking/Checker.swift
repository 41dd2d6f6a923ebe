internal import MeshCore

/// Turns a syntax tree into a program, and says everything that is wrong with it on the way.
///
/// Declarations are collected first. Running code is checked from its entrances on: a function when it is first
/// called, because the types of its parameters may follow from that call.
struct Checker {
    static let executionName = "execution"
    /// How many names are compared with a misspelt one.
    static let candidateCountMax = 1_000
    /// How deep statements, expressions and the functions that they call may lie in each other, all together.
    ///
    /// An expression that can be read never reaches it; functions in a row do at 200.
    static let depthMax = 600
    /// What a call of a function that is not checked yet counts for.
    static let callDepth = 3
    /// Locals of one function: runtimes take no more than 50,000.
    static let localCountMax = 10_000

    let tree: SyntaxTree
    let name: String
    var index: DeclarationIndex

    private var errors: [Diagnostic] = []
    private var warnings: [Diagnostic] = []

    var declarations: [Declaration] = []
    var limits: [ResourceLimit] = []
    var requirements = JobRequirements()
    /// What runs on an event, in the order of the text.
    var handlerSources: [(event: Name, block: Block)] = []

    var handledEvents: Set<String> = []
    /// What `let` binds at the top level.
    var topBindings: Set<String> = []

    var sources: [FunctionSource] = []
    var sourceNumbers: [String: Int] = [:]
    /// The functions that are being checked, each called by the one before.
    var callPath: [Int] = []
    var functions: [Function] = []
    var frame = Frame(kind: .main)
    var depth = 0
    /// It was said once that things lie too deep; what was left out for it is not asked after.
    var isTooDeep = false

    var resources = ResourceTable()
    var modules: [String] = []
    var moduleSet: Set<String> = []
    var spending = Spending()
    /// Resources of which it was said already that nothing declares them.
    var undeclared: Set<String> = []
    /// Bytes that may still be made of constants: what a text of a given length unfolds to is bounded.
    var unfoldingLeft = Limits.moduleByteCountMax

    init(_ tree: SyntaxTree, name: String) {
        self.tree = tree
        self.name = name
        index = DeclarationIndex(tree.statements)
    }

    mutating func check() -> Program? {
        collectFunctions()
        declarations = declared(tree.statements, in: .top)
        checkLimitsAndJob()
        let main = checkMain()
        let handlers = handlerSources.map {
            (event: $0.event.text, function: checkHandler($0.event, $0.block))
        }
        let count = functions.count
        if !isTooDeep { checkUncalledFunctions() }
        functions.removeSubrange(count...)
        spending.modules = modules
        guard errors.isEmpty else { return nil }
        var program = Program(
            functions: functions, main: main, handlers: handlers, declarations: declarations, limits: limits,
            requirements: requirements)
        program.name = name
        program.tree = tree
        return program
    }

    // MARK: Diagnostics

    /// Whether a diagnostic of this severity is still listened to; ask before composing a costly message.
    func listens(to severity: Diagnostic.Severity) -> Bool {
        (severity == .error ? errors.count : warnings.count) < Limits.diagnosticCountMax
    }

    var hasErrors: Bool { !errors.isEmpty }

    mutating func report(
        _ code: DiagnosticCode, _ message: String, at range: SourceRange, hint: String? = nil
    ) {
        guard listens(to: code.severity) else { return }
        let diagnostic = Diagnostic(code, message, at: range, hint: hint)
        if code.severity == .error { errors.append(diagnostic) } else { warnings.append(diagnostic) }
    }

    /// In the order of the text; warnings give way to errors where there are too many.
    var reported: [Diagnostic] {
        let shown = errors + warnings.prefix(Limits.diagnosticCountMax - errors.count)
        return shown.enumerated().sorted {
            ($0.element.range.start, $0.offset) < ($1.element.range.start, $1.offset)
        }.map(\.element)
    }

    func nearest(_ name: String, among candidates: [String]) -> String? {
        guard listens(to: .error), candidates.count <= Self.candidateCountMax else { return nil }
        return NearestName.of(name, among: candidates)
    }

    /// “Did you mean …?”, where something is near.
    func suggestion(_ name: String, among candidates: [String]) -> String? {
        nearest(name, among: candidates).map { "did you mean `\($0)`?" }
    }

    /// Takes bytes from what constants may unfold to; `false`, with an error, when they are used up.
    mutating func unfold(_ byteCount: Int, at range: SourceRange) -> Bool {
        guard unfoldingLeft >= byteCount else {
            if unfoldingLeft >= 0 {
                report(
                    .moduleTooLarge,
                    "The constants of this contract unfold to more than \(Limits.moduleByteCountMax.grouped) bytes",
                    at: range, hint: "join long texts less often")
                unfoldingLeft = -1
            }
            return false
        }
        unfoldingLeft -= byteCount
        return true
    }
}
