internal import MeshCore

/// What an expression turned out to be.
struct Term: Sendable {
    enum Kind: Sendable {
        /// Something that has been complained about: nothing more is said of it.
        case poisoned
        /// Known when the contract runs; without a type where a call gives nothing.
        case value(Value)
        case constant(Constant)
        case list([Term])
        case object([(name: String, value: Term)])
    }

    let kind: Kind
    /// It comes from a declared property: others may change it there, so conditions on it are not idle.
    var isDeclared = false
    /// How deep lists and objects lie in each other; 0 for everything else.
    let height: Int
    /// Nothing in it waits for the run.
    let isConstant: Bool

    init(_ kind: Kind, isDeclared: Bool = false) {
        self.kind = kind
        self.isDeclared = isDeclared
        switch kind {
        case .poisoned, .value: (height, isConstant) = (0, false)
        case .constant: (height, isConstant) = (0, true)
        case .list(let items):
            height = 1 + (items.lazy.map(\.height).max() ?? 0)
            isConstant = items.allSatisfy(\.isConstant)
        case .object(let members):
            height = 1 + (members.lazy.map(\.value.height).max() ?? 0)
            isConstant = members.allSatisfy(\.value.isConstant)
        }
    }

    static let poisoned = Term(.poisoned)

    static func value(_ kind: Value.Kind, _ type: ValueType?) -> Term { Term(.value(Value(kind, type))) }

    static func constant(_ constant: Constant, isDeclared: Bool = false) -> Term {
        Term(.constant(constant), isDeclared: isDeclared)
    }

    var isPoisoned: Bool { if case .poisoned = kind { true } else { false } }

    var constant: Constant? { if case .constant(let constant) = kind { constant } else { nil } }

    var type: ValueType? {
        switch kind {
        case .constant(let constant): constant.type
        case .value(let value): value.type
        case .poisoned, .list, .object: nil
        }
    }

    /// What is computed; of no meaning where something has been complained about.
    var value: Value {
        switch kind {
        case .constant(let constant): Value(.constant(constant), constant.type)
        case .value(let value): value
        case .poisoned, .list, .object: .idle
        }
    }

    /// For messages.
    var typeName: String {
        switch kind {
        case .poisoned: "unknown"
        case .value(let value): value.type.map(\.withArticle) ?? "nothing"
        case .constant(let constant): constant.type.withArticle
        case .list: "a list"
        case .object: "an object"
        }
    }
}

extension Value {
    /// Stands where an error keeps the program from being emitted.
    static let idle = Value(.constant(.boolean(false)), .boolean)

    static func text(_ text: String) -> Value { Value(.constant(.string(text)), .string) }

    var constant: Constant? { if case .constant(let constant) = kind { constant } else { nil } }

    var isLocal: Bool { if case .local = kind { true } else { false } }
}

extension ValueType {
    var withArticle: String { self == .integer ? "an integer" : "a \(rawValue)" }

    /// The words by which a text may name the type.
    static let names: [(name: String, type: ValueType)] = [
        ("string", .string), ("integer", .integer), ("int", .integer), ("decimal", .decimal),
        ("float", .decimal), ("boolean", .boolean), ("bool", .boolean), ("duration", .duration),
    ]
}

extension Constant {
    /// As `text` gives it, and as it is joined to strings.
    var text: String {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .decimal(let number): number.description
        case .boolean(let flag): flag ? "true" : "false"
        case .duration(let milliseconds): DurationUnit.text(milliseconds)
        }
    }
}

extension Term {
    /// Appends the constant as JSON without spaces; `false` when part of it is no constant, or the text grows longer
    /// than `byteCountMax`.
    func appendJSON(to text: inout String, byteCountMax: Int) -> Bool {
        guard text.utf8.count <= byteCountMax else { return false }
        switch kind {
        case .poisoned, .value: return false
        case .constant(.string(let string)): text.appendJSONString(string)
        case .constant(.duration(let milliseconds)): text += "\"\(DurationUnit.text(milliseconds))\""
        case .constant(let constant): text += constant.text
        case .list(let items):
            text += "["
            for (index, item) in items.enumerated() {
                if index > 0 { text += "," }
                guard item.appendJSON(to: &text, byteCountMax: byteCountMax) else { return false }
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                text.appendJSONString(member.name)
                text += ":"
                guard member.value.appendJSON(to: &text, byteCountMax: byteCountMax) else { return false }
            }
            text += "}"
        }
        return text.utf8.count <= byteCountMax
    }
}

extension String {
    mutating func appendJSONString(_ string: String) {
        append("\"")
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": append("\\\"")
            case "\\": append("\\\\")
            case "\n": append("\\n")
            case "\r": append("\\r")
            case "\t": append("\\t")
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default: unicodeScalars.append(scalar)
            }
        }
        append("\"")
    }
}

extension FixedWidthInteger {
    /// In decimal digits, with a comma behind each thousand.
    var grouped: String {
        let digits = String(magnitude)
        var text = self < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return text
    }
}
