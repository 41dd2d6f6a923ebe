internal import MeshCore

/// Looks in a handler for what no run provides: the context of a proposal or a vote, the clock, functions of hosts
/// that this mesh does not have.
struct UnprovidedSearch {
    /// Words that governance hosts put names under.
    static let roots: Set<String> = ["ctx", "federation", "proposal"]

    private(set) var found: (text: String, range: SourceRange)?
    private var locals: Set<String> = []

    /// Whether there is something of the kind.
    mutating func visit(_ block: Block, with index: inout DeclarationIndex) -> Bool {
        for statement in block.statements where visit(statement, with: &index) { return true }
        return false
    }

    private mutating func note(_ text: String, _ range: SourceRange) -> Bool {
        found = (text, range)
        return true
    }

    private mutating func visit(_ statement: Statement, with index: inout DeclarationIndex) -> Bool {
        switch statement.kind {
        case .flag, .function, .handler: return false
        case .property(_, _, let value): return visit(value, with: &index)
        case .section(let name, let arguments, let block):
            if !LanguageFunction.isBlockCall(name.text), !index.functionNames.contains(name.text) {
                return note(name.text, name.range)
            }
            for argument in arguments where visit(argument, with: &index) { return true }
            return visitArguments(block, with: &index)
        case .call(let call): return visit(call, with: &index)
        case .binding(let name, _, let value):
            if visit(value, with: &index) { return true }
            locals.insert(name.text)
            return false
        case .conditional(let conditional):
            return visit(conditional.condition, with: &index) || visit(conditional.then, with: &index)
                || (conditional.otherwise.map { visit($0, with: &index) } ?? false)
        case .loop(let name, let sequence, let block):
            if visit(sequence, with: &index) { return true }
            locals.insert(name.text)
            return visit(block, with: &index)
        case .result(let value): return value.map { visit($0, with: &index) } ?? false
        }
    }

    /// The names in the block of a call, and in objects, are labels.
    private mutating func visitArguments(_ block: Block, with index: inout DeclarationIndex) -> Bool {
        for statement in block.statements {
            if case .section(_, let arguments, let inner) = statement.kind, arguments.isEmpty {
                if visitArguments(inner, with: &index) { return true }
            } else if visit(statement, with: &index) {
                return true
            }
        }
        return false
    }

    private mutating func visit(_ call: Call, with index: inout DeclarationIndex) -> Bool {
        if LanguageFunction.notProvided.contains(call.name.text),
            !index.functionNames.contains(call.name.text)
        {
            return note(call.name.text, call.name.range)
        }
        for argument in call.arguments where visit(argument.value, with: &index) { return true }
        return false
    }

    private mutating func visit(_ expression: Expression, with index: inout DeclarationIndex) -> Bool {
        switch expression.kind {
        case .string, .integer, .decimal, .boolean, .duration: return false
        case .list(let items):
            for item in items where visit(item, with: &index) { return true }
            return false
        case .object(let block): return visitArguments(block, with: &index)
        case .name(let parts):
            let root = parts[0].text
            if locals.contains(root) || root == ResourceWord.root { return false }
            guard parts.count > 1 || Self.roots.contains(root) else { return false }
            return index.hasRoot(root) ? false : note(expression.sourceText, expression.range)
        case .call(let call): return visit(call, with: &index)
        case .unary(_, let inner), .parenthesized(let inner): return visit(inner, with: &index)
        case .binary(_, let left, let right):
            return visit(left, with: &index) || visit(right, with: &index)
        }
    }
}
