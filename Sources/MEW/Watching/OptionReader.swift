internal import MeshCore
internal import MeshGraph

/// One option of a watch, read as what its name wants.
struct OptionReader {
    let option: WatchOption
    let parameters: [String: GraphValue]

    func wants(_ what: String) -> Diagnostic {
        WatchOptions.invalid("\(option.name.text) wants \(what)", option.name.range, nil)
    }

    /// One of a few words.
    func word<Value>(_ words: [String: Value]) throws(Diagnostic) -> Value {
        if case .word(let word, let inner) = option.value, inner.isEmpty,
            let value = words[word.lowercased()]
        {
            return value
        }
        throw wants("one of " + words.keys.sorted().joined(separator: ", "))
    }

    /// The one word that this mesh knows there.
    func only(_ word: String, instead reason: String) throws(Diagnostic) {
        if case .word(let written, let inner) = option.value, inner.isEmpty, written.lowercased() == word {
            return
        }
        throw WatchOptions.invalid(
            "\(option.name.text) is \(word): \(reason)", option.name.range, "leave the option out")
    }

    private var value: GraphValue? {
        guard case .expression(let expression, _) = option.value else { return nil }
        return Self.value(expression, parameters)
    }

    private static func value(_ expression: Expression, _ parameters: [String: GraphValue]) -> GraphValue? {
        switch expression.kind {
        case .literal(let value): value
        case .parameter(let name, _): parameters[name]
        default: nil
        }
    }

    func text() throws(Diagnostic) -> String {
        switch (option.value, value) {
        case (_, .string(let text)?): return text
        case (.word(let word, let inner), _) where inner.isEmpty: return word
        default: throw wants("a name in quotation marks")
        }
    }

    func number(_ range: ClosedRange<Int64>) throws(Diagnostic) -> Int64 {
        guard case .int(let number)? = value, range.contains(number) else {
            throw wants("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func duration(max: Int64) throws(Diagnostic) -> Int64 {
        guard case .duration(let milliseconds)? = value, (1...max).contains(milliseconds) else {
            throw wants("a duration such as 30s, of at most a year")
        }
        return milliseconds
    }

    /// What `#name`, `$name` or a name of the session stands for, as text.
    func reference() throws(Diagnostic) -> String {
        switch option.value {
        case .word(let word, let inner) where inner.isEmpty: return word
        case .expression(let expression, _):
            if case .reference(let text) = expression.kind { return text }
            if case .string(let text)? = value { return text }
        default: break
        }
        throw wants("a node: #name")
    }

    func overflow() throws(Diagnostic) -> WatchOptions.Overflow {
        if case .word(let word, let inner) = option.value, word.lowercased() == "drop", inner.count == 1,
            case .word(let which, let none) = inner[0], which.lowercased() == "oldest", none.isEmpty
        {
            return .drop
        }
        return try word(["drop": .drop, "block": .block, "error": .error])
    }

    func ordering() throws(Diagnostic) -> WatchOptions.Ordering {
        guard case .word(let word, let inner) = option.value, word.lowercased() == "attribute" else {
            return try self.word(["arrival": .arrival, "causal": .causal])
        }
        var keys: [(expression: Expression, isDescending: Bool)] = []
        for value in inner {
            switch value {
            case .expression(let expression, let isDescending): keys.append((expression, isDescending))
            case .word(let name, let arguments) where arguments.isEmpty:
                keys.append((Expression(.variable(name), option.name.range), false))
            case .word: throw wants("expressions: attribute(t.rank DESC)")
            }
        }
        guard !keys.isEmpty else { throw wants("something to order by: attribute(t.rank DESC)") }
        return .attribute(keys)
    }

    func window(max: Int64) throws(Diagnostic) -> WatchOptions.Window? {
        guard case .word(let word, let inner) = option.value, !inner.isEmpty else {
            return try self.word(["none": nil])
        }
        var lengths: [Int64] = []
        for value in inner {
            guard case .expression(let expression, _) = value,
                case .duration(let length)? = Self.value(expression, parameters), (1...max).contains(length)
            else { throw wants("durations: tumbling(5s), sliding(10s, 5s)") }
            lengths.append(length)
        }
        switch (word.lowercased(), lengths.count) {
        case ("tumbling", 1): return WatchOptions.Window(length: lengths[0], interval: lengths[0])
        case ("sliding", 2):
            guard lengths[1] <= lengths[0] else {
                throw wants("an interval no longer than the window, or events would be in none")
            }
            return WatchOptions.Window(length: lengths[0], interval: lengths[1])
        default: throw wants("none, tumbling(d) or sliding(d, interval)")
        }
    }
}
