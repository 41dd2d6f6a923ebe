extension Expression {
    /// To be replaced by the printer's.
    var sourceText: String {
        switch kind {
        case .string(let text): "\"\(text)\""
        case .integer(let number): String(number)
        case .decimal(_, let text): text
        case .boolean(let flag): flag ? "true" : "false"
        case .duration(let number, let unit): "\(number)\(unit.rawValue)"
        case .list(let items): "[" + items.map(\.sourceText).joined(separator: ", ") + "]"
        case .object: "{ … }"
        case .name(let parts): parts.map(\.text).joined(separator: ".")
        case .call(let call):
            call.name.text + "("
                + call.arguments.map { ($0.label.map { "\($0.text): " } ?? "") + $0.value.sourceText }
                .joined(separator: ", ") + ")"
        case .unary(let sign, let inner): sign.rawValue + inner.sourceText
        case .binary(let sign, let a, let b): "\(a.sourceText) \(sign.rawValue) \(b.sourceText)"
        case .parenthesized(let inner): "(\(inner.sourceText))"
        }
    }
}
