internal import MeshCore

extension Parser {
    /// What the string at `index` says, its escapes resolved; of a faulty one what can be made out.
    func text(ofString index: Int) -> String {
        let token = tokens[index]
        let end = Int(token.end)
        let isClosed = end - Int(token.offset) >= 2 && bytes[end - 1] == UInt8(ascii: "\"")
        let inner = bytes[Int(token.offset) + 1..<(isClosed ? end - 1 : end)]
        if token.isPlain || !inner.contains(UInt8(ascii: "\\")) {
            return String(decoding: inner, as: UTF8.self)
        }
        return Self.unescaped(inner)
    }

    private static func unescaped(_ escaped: ArraySlice<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(escaped.count)
        var rest = escaped
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                text.append(byte)
                continue
            }
            switch escape {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                var value: UInt32 = 0
                if rest.first == UInt8(ascii: "{") { rest = rest.dropFirst() }
                while let byte = rest.first, let digit = Lexer.hexadecimal(byte) {
                    value = value &* 16 &+ digit
                    rest = rest.dropFirst()
                }
                if rest.first == UInt8(ascii: "}") { rest = rest.dropFirst() }
                text += Array(String(Unicode.Scalar(value).map(Character.init) ?? "\u{FFFD}").utf8)
            default: text.append(escape)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The number at `index`; one that is out of range is reported, and zero.
    mutating func number(_ index: Int, isNegative: Bool) -> Expression.Kind {
        let token = tokens[index]
        switch token.kind {
        case .decimal:
            let text = (isNegative ? "-" : "") + spelling(index)
            let value = Double(text.utf8.contains(UInt8(ascii: "_")) ? text.filter { $0 != "_" } : text)
            guard let value, value.isFinite else {
                report(.invalidNumber, "this number is too large for a decimal", at: index)
                return .decimal(0, text: "0.0")
            }
            return .decimal(value, text: text)
        case .duration:
            let unit = spelling(index).drop { !$0.isLetter }
            guard let unit = DurationUnit(rawValue: String(unit)),
                let value = integer(token, isNegative: isNegative),
                !value.multipliedReportingOverflow(by: unit.milliseconds).overflow
            else {
                report(.invalidNumber, "this duration is longer than 64 bits of milliseconds", at: index)
                return .integer(0)
            }
            return .duration(value, unit: unit)
        default:
            guard let value = integer(token, isNegative: isNegative) else {
                let bound = isNegative ? "\(Int64.min)" : "\(Int64.max)"
                report(
                    .invalidNumber, "this number does not fit into 64 bits", at: index,
                    hint: isNegative ? "the least is \(bound)" : "the largest is \(bound)")
                return .integer(0)
            }
            return .integer(value)
        }
    }

    /// The digits of a token; `nil` when they are too many.
    private func integer(_ token: Token, isNegative: Bool) -> Int64? {
        var value: Int64 = 0
        for byte in bytes[Int(token.offset)..<Int(token.end)] where byte != UInt8(ascii: "_") {
            guard Lexer.isDigit(byte) else { break }
            let digit = Int64(byte) - 0x30
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) =
                isNegative
                ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !isTooLarge, !overflow else { return nil }
            value = sum
        }
        return value
    }
}
