import CCL
internal import MeshCore

/// A syntax tree as compact text, a statement to a line.
struct ReadingDump {
    /// Where each statement begins and ends, and which sign its properties have.
    var showsPlaces = true
    private(set) var lines: [String] = []

    static func text(_ tree: SyntaxTree, showsPlaces: Bool = true) -> String {
        var dump = ReadingDump(showsPlaces: showsPlaces)
        for statement in tree.statements { dump.add(statement, 0) }
        for comment in tree.comments {
            let place = showsPlaces ? " \(comment.range.start.line):\(comment.range.start.column)" : ""
            dump.lines.append("comment\(place) \(comment.text.debugDescription)")
        }
        return dump.lines.map { $0 + "\n" }.joined()
    }

    init(showsPlaces: Bool) { self.showsPlaces = showsPlaces }

    private mutating func add(_ text: String, _ depth: Int, _ range: SourceRange) {
        let place = "\(range.start.line):\(range.start.column)-\(range.end.line):\(range.end.column)"
        lines.append(String(repeating: "  ", count: depth) + text + (showsPlaces ? "  @\(place)" : ""))
    }

    private mutating func add(_ block: Block, _ depth: Int) {
        for statement in block.statements { add(statement, depth + 1) }
    }

    private mutating func add(_ statement: Statement, _ depth: Int) {
        let range = statement.range
        switch statement.kind {
        case .flag(let name): add("flag \(text(name))", depth, range)
        case .property(let name, let separator, let value):
            add("property\(sign(separator)) \(text(name)) \(text(value))", depth, range)
        case .section(let name, let arguments, let block):
            add("section \(text(name))\(arguments.map { " " + text($0) }.joined())", depth, range)
            add(block, depth)
        case .call(let call): add("call \(text(call))", depth, range)
        case .binding(let name, let type, let value):
            add("let \(text(name))\(text(type: type)) \(text(value))", depth, range)
        case .conditional(let conditional):
            add("if \(text(conditional.condition))", depth, range)
            add(conditional.then, depth)
            guard let otherwise = conditional.otherwise else { return }
            add(conditional.isChain ? "else if" : "else", depth, otherwise.range)
            add(otherwise, depth)
        case .loop(let name, let sequence, let block):
            add("for \(text(name)) \(text(sequence))", depth, range)
            add(block, depth)
        case .function(let function):
            let parameters = function.parameters.map { text($0.name) + text(type: $0.type) }
            add(
                "function \(text(function.name))(\(parameters.joined(separator: ", ")))\(text(type: function.result))",
                depth, range)
            add(function.body, depth)
        case .handler(let event, let block):
            add("on \(text(event))", depth, range)
            add(block, depth)
        case .result(let value): add("return\(value.map { " " + text($0) } ?? "")", depth, range)
        }
    }

    private func sign(_ separator: Statement.Separator) -> String {
        switch separator {
        case .none: showsPlaces ? "" : ":"
        case .colon: ":"
        case .equals: "="
        }
    }

    private func text(_ name: Name) -> String { name.isQuoted ? name.text.debugDescription : name.text }

    private func text(type: Name?) -> String { type.map { ": " + text($0) } ?? "" }

    private func text(_ call: Call) -> String {
        let arguments = call.arguments.map { ($0.label.map { text($0) + ": " } ?? "") + text($0.value) }
        return "\(text(call.name))(\(arguments.joined(separator: ", ")))"
    }

    func text(_ expression: Expression) -> String {
        switch expression.kind {
        case .string(let text): text.debugDescription
        case .integer(let value): "\(value)"
        case .decimal(let value, let text): showsPlaces ? "decimal(\(text) = \(value))" : "decimal(\(value))"
        case .boolean(let value): "boolean(\(value))"
        case .duration(let value, let unit): "duration(\(value)\(unit.rawValue))"
        case .list(let elements): "[\(elements.map { text($0) }.joined(separator: ", "))]"
        case .object(let block):
            "{\(block.statements.map { line($0) }.joined(separator: "; "))}"
        case .name(let parts): parts.map { text($0) }.joined(separator: ".")
        case .call(let call): text(call)
        case .unary(let sign, let operand): "(\(sign.rawValue) \(text(operand)))"
        case .binary(let sign, let left, let right): "(\(text(left)) \(sign.rawValue) \(text(right)))"
        case .parenthesized(let inner): "<\(text(inner))>"
        }
    }

    private func line(_ statement: Statement) -> String {
        var dump = ReadingDump(showsPlaces: false)
        dump.add(statement, 0)
        return dump.lines.joined(separator: " | ")
    }
}
