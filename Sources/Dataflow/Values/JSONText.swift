/// A JSON document that is being written: one canonical text, without blanks, members in the order given.
struct JSONText {
    private(set) var text = ""
    private var needsComma = false

    private mutating func separate() {
        if needsComma { text += "," }
        needsComma = true
    }

    mutating func object(_ body: (inout JSONText) -> Void) {
        separate()
        text += "{"
        needsComma = false
        body(&self)
        text += "}"
        needsComma = true
    }

    mutating func list<Element>(_ elements: some Sequence<Element>, _ body: (inout JSONText, Element) -> Void)
    {
        separate()
        text += "["
        needsComma = false
        for element in elements { body(&self, element) }
        text += "]"
        needsComma = true
    }

    /// Begins a member; its value is written next.
    mutating func key(_ name: String) {
        separate()
        quote(name)
        text += ":"
        needsComma = false
    }

    mutating func string(_ value: String) {
        separate()
        quote(value)
    }

    mutating func integer(_ value: some BinaryInteger) {
        separate()
        text += String(value)
    }

    mutating func bool(_ value: Bool) {
        separate()
        text += value ? "true" : "false"
    }

    mutating func null() {
        separate()
        text += "null"
    }

    /// The shortest digits that read back as the same number; text where JSON has no number for it.
    mutating func number(_ value: Double) {
        if value.isNaN {
            string("nan")
        } else if value.isInfinite {
            string(value < 0 ? "-inf" : "inf")
        } else {
            separate()
            text += value.description
        }
    }

    /// As ``number(_:)``, whole numbers without a fraction: many modules read no others.
    mutating func plainNumber(_ value: Double) {
        if let whole = Int(exactly: value) { integer(whole) } else { number(value) }
    }

    /// A list whose elements are written already, with commas between them.
    mutating func list(written elements: String) {
        separate()
        text += "["
        text += elements
        text += "]"
    }

    mutating func value(_ value: FlowValue) {
        object { json in
            json.key(value.type.rawValue)
            switch value {
            case .number(let number): json.number(number)
            case .series(let numbers): json.list(numbers) { $0.number($1) }
            case .bool(let flag): json.bool(flag)
            case .event(let event): json.string(event.name)
            case .string(let text): json.string(text)
            }
        }
    }

    private mutating func quote(_ value: String) {
        // Most texts are names and are written as they are.
        if value.utf8.allSatisfy({ (0x20..<0x7f).contains($0) && $0 != 0x22 && $0 != 0x5c }) {
            text += "\""
            text += value
            text += "\""
            return
        }
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7f}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

extension FlowValue {
    /// The value as JSON, such as `{"number":3.0}`; what JSON has no number for is text (`nan`, `inf`, `-inf`).
    public var json: String {
        var json = JSONText()
        json.value(self)
        return json.text
    }
}
