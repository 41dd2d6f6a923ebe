internal import MeshCore
internal import MeshGraph

/// Writes syntax trees as canonical text.
///
/// Whatever the parser can give is written so that reading it again and writing it once more gives the same text.
/// Keywords are in capitals, one space stands between words, and parentheses only where the tree needs them.
struct Printer {
    private(set) var text = ""
    private var indentation = 0

    /// What `body` writes into a printer of its own.
    static func text(_ body: (inout Printer) -> Void) -> String {
        var printer = Printer()
        body(&printer)
        return printer.text
    }

    mutating func write(_ part: String) { text += part }

    mutating func list<Element>(
        _ elements: [Element], separator: String = ", ", _ write: (inout Printer, Element) -> Void
    ) {
        for (index, element) in elements.enumerated() {
            if index > 0 { text += separator }
            write(&self, element)
        }
    }

    // MARK: - Lines

    mutating func newLine() {
        text += "\n"
        text += String(repeating: "    ", count: indentation)
    }

    mutating func indented(_ write: (inout Printer) -> Void) {
        indentation += 1
        write(&self)
        indentation -= 1
    }

    mutating func documentation(_ documentation: String?) {
        guard let documentation else { return }
        for line in documentation.split(separator: "\n", omittingEmptySubsequences: false) {
            text += line.isEmpty ? "---" : "--- \(line)"
            newLine()
        }
    }

    // MARK: - Small things

    /// `#name`, or `#"any characters"`.
    mutating func reference(_ name: String) {
        let bytes = Array(name.utf8)
        let isWord = bytes.first.map(Lexer.startsWord) == true && bytes.allSatisfy(Lexer.continuesWord)
        text += isWord ? "#\(name)" : "#\(Self.quoted(name))"
    }

    /// A string between double quotes, with what cannot stand there escaped.
    static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    let digits = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        return text + "\""
    }

    static func literal(_ value: GraphValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .float(let value): String(value)
        case .string(let value): quoted(value)
        case .timestamp(let value): "@\(Timestamp(milliseconds: value))"
        case .duration(let value): duration(value)
        case .hash(let digest): "0x\(Hexadecimal.encode(digest.bytes))"
        // The next two have no literal of their own; only values that were computed come here.
        case .bytes(let bytes): "0x\(Hexadecimal.encode(bytes))"
        case .entity(let id): "#\(quoted(String(describing: id)))"
        case .list(let values): "[\(values.map(literal).joined(separator: ", "))]"
        }
    }

    /// In the largest unit that divides it.
    private static func duration(_ milliseconds: Int64) -> String {
        let units: [(Int64, String)] = [(86_400_000, "days"), (3_600_000, "h"), (60_000, "min"), (1000, "s")]
        for (scale, unit) in units where milliseconds != 0 && milliseconds % scale == 0 {
            return "\(milliseconds / scale).\(unit)"
        }
        return "\(milliseconds).ms"
    }

    // MARK: - Types

    mutating func type(_ type: TypeExpression) {
        guard case .union(let members) = type.kind else { return suffixedType(type) }
        list(members, separator: " | ") { printer, member in printer.suffixedType(member) }
    }

    private mutating func suffixedType(_ type: TypeExpression) {
        switch type.kind {
        case .optional(let inner):
            suffixedType(inner)
            // What is optional twice is optional, and `??` is another sign.
            if case .optional = inner.kind { return }
            text += "?"
        case .list(let inner):
            suffixedType(inner)
            text += "[]"
        default: primaryType(type)
        }
    }

    mutating func primaryType(_ type: TypeExpression) {
        switch type.kind {
        case .named(let name): text += name
        case .any: text += "any"
        case .edge(let name): text += "edge<\(name ?? "any")>"
        case .optional, .list, .union:
            text += "("
            self.type(type)
            text += ")"
        }
    }
}

extension TypeExpression {
    /// The type as canonical text.
    public var canonicalText: String {
        Printer.text { $0.type(self) }
    }
}
