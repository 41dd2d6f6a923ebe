internal import MeshCore

/// Numbers, durations, timestamps, hashes and strings.
extension Lexer {
    // MARK: - Numbers

    mutating func scanNumber(from start: SourcePosition) -> Token.Kind {
        if byte() == UInt8(ascii: "0"), byte(1) == UInt8(ascii: "x") || byte(1) == UInt8(ascii: "X") {
            return scanHash(from: start)
        }
        var text = Array(run(while: Self.isDigit))
        var isFloat = false
        if byte() == UInt8(ascii: "."), let next = byte(1), Self.isDigit(next) {
            isFloat = true
            take()
            text.append(UInt8(ascii: "."))
            text += run(while: Self.isDigit)
        }
        if let exponent = exponentLength {
            isFloat = true
            text += bytes[place.offset..<place.offset + exponent]
            take(exponent)
        }
        if let unit = takeUnit() { return duration(text, isFloat: isFloat, unit: unit, from: start) }
        if isFloat {
            guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
                report(.invalidNumber, "this number is beyond what 64 bits of a float hold", from: start)
                return .refused
            }
            return .float(value)
        }
        guard let value = Self.magnitude(text) else {
            report(
                .invalidNumber, "this number is beyond what 64 bits hold", from: start,
                hint: "the largest is 9223372036854775807; write 1.0e19 for a float")
            return .refused
        }
        return .integer(value)
    }

    /// The length of `e5`, `E-3`, `e+20` where one follows.
    private var exponentLength: Int? {
        guard byte() == UInt8(ascii: "e") || byte() == UInt8(ascii: "E") else { return nil }
        var length = 1
        if byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-") { length = 2 }
        guard let digit = byte(length), Self.isDigit(digit) else { return nil }
        while let digit = byte(length), Self.isDigit(digit) { length += 1 }
        return length
    }

    /// The number that `digits` spell, up to 2^63.
    private static func magnitude(_ digits: [UInt8]) -> UInt64? {
        guard let value = UInt64(String(decoding: digits, as: UTF8.self)), value <= 1 << 63 else {
            return nil
        }
        return value
    }

    // MARK: - Durations

    /// The word in `7.days` and in `30s`.
    private mutating func takeUnit() -> String? {
        if byte() == UInt8(ascii: "."), let next = byte(1), Self.startsWord(next) {
            take()
        } else if let next = byte(), Self.startsWord(next) {
            // Nothing stands between the number and its unit.
        } else {
            return nil
        }
        return takeWord()
    }

    private static func milliseconds(_ unit: String) -> UInt64? {
        switch unit.lowercased() {
        case "ms", "millisecond", "milliseconds": 1
        case "s", "second", "seconds": 1000
        case "m", "min", "minute", "minutes": 60_000
        case "h", "hour", "hours": 3_600_000
        case "d", "day", "days": 86_400_000
        case "w", "week", "weeks": 604_800_000
        default: nil
        }
    }

    private mutating func duration(
        _ digits: [UInt8], isFloat: Bool, unit: String, from start: SourcePosition
    ) -> Token.Kind {
        guard let scale = Self.milliseconds(unit) else {
            let units = ["milliseconds", "seconds", "minutes", "hours", "days", "weeks"]
            let hint = NearestName.of(unit, among: units).map { "did you mean \($0)?" }
            report(
                .invalidNumber, "'\(unit.prefix(40))' is no unit of time", from: start,
                hint: hint ?? "the units are ms, s, min, h, days and weeks")
            return .refused
        }
        guard !isFloat else {
            report(
                .invalidLiteral, "a duration takes a whole number", from: start,
                hint: "write it in a smaller unit: 1500.ms")
            return .refused
        }
        guard let count = Self.magnitude(digits) else {
            report(.invalidNumber, "this number is beyond what 64 bits hold", from: start)
            return .refused
        }
        let (value, overflow) = count.multipliedReportingOverflow(by: scale)
        guard !overflow, value <= 1 << 63 else {
            report(.invalidNumber, "this duration is beyond what 64 bits of milliseconds hold", from: start)
            return .refused
        }
        return .duration(value)
    }

    // MARK: - Hashes

    private mutating func scanHash(from start: SourcePosition) -> Token.Kind {
        take(2)
        let digits = Array(run(while: Self.continuesWord))
        var isElided = false
        while follows("..") || follows("…") {
            isElided = true
            if follows("…") {
                take(3)
            } else {
                _ = run { $0 == UInt8(ascii: ".") }
            }
        }
        if isElided {
            report(
                .invalidLiteral, "this hash is not written out", from: start,
                hint: "write all 64 hexadecimal digits: the dots stand for some that were left out")
            return .refused
        }
        guard let bytes = Hexadecimal.decode(String(decoding: digits, as: UTF8.self)), bytes.count == 32
        else {
            report(
                .invalidLiteral,
                "a hash is 0x and 64 hexadecimal digits; here are \(digits.count) characters",
                from: start)
            return .refused
        }
        return .hash(Bytes32(bytes))
    }

    // MARK: - Timestamps

    mutating func scanTimestamp(from start: SourcePosition) -> Token.Kind {
        take()
        var text = Array(run { Self.isDigit($0) || $0 == UInt8(ascii: "-") })
        // A minus behind the date is the reader's, unless an offset follows it, which only a time may have.
        if byte() == UInt8(ascii: "T") || byte() == UInt8(ascii: "t") {
            text.append(UInt8(ascii: "T"))
            take()
            text += scanTime()
        } else {
            text += Array("T00:00:00Z".utf8)
        }
        guard let instant = Timestamp(String(decoding: text, as: UTF8.self)), instant.hasFourDigitYear else {
            // What was meant to belong to it goes with it.
            _ = run { Self.continuesWord($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "-") }
            report(
                .invalidLiteral, "this is no date that the calendar has", from: start,
                hint: "write @2026-01-02, or @2026-01-02T03:04:05.678Z")
            return .refused
        }
        return .timestamp(instant.milliseconds)
    }

    /// Hours to offset, made whole: `HH:MM[:SS[.fff]][Z|±HH:MM]`.
    private mutating func scanTime() -> [UInt8] {
        var text = Array(run { Self.isDigit($0) || $0 == UInt8(ascii: ":") })
        // Hours and minutes alone.
        if text.count == 5 { text += Array(":00".utf8) }
        if byte() == UInt8(ascii: "."), let next = byte(1), Self.isDigit(next) {
            take()
            text.append(UInt8(ascii: "."))
            text += run(while: Self.isDigit)
        }
        if byte() == UInt8(ascii: "Z") || byte() == UInt8(ascii: "z") {
            take()
        } else if byte() == UInt8(ascii: "+") || byte() == UInt8(ascii: "-"), byte(3) == UInt8(ascii: ":") {
            text += bytes[place.offset..<place.offset + 1]
            take()
            return text + run { Self.isDigit($0) || $0 == UInt8(ascii: ":") }
        }
        return text + [UInt8(ascii: "Z")]
    }

    // MARK: - Strings

    /// A string in either kind of quotation marks; `nil` when it was refused.
    mutating func scanString(from start: SourcePosition) -> String? {
        guard let quote = byte() else { return nil }
        take()
        var text: [UInt8] = []
        var isValid = true
        while let next = byte(), next != 0x0A {
            if next == quote {
                take()
                return isValid ? String(decoding: text, as: UTF8.self) : nil
            }
            if next == UInt8(ascii: "\\") {
                if let scalar = scanEscape() {
                    text += Array(String(Character(scalar)).utf8)
                } else {
                    isValid = false
                }
            } else {
                text.append(next)
                take()
            }
        }
        report(
            .unterminatedString, "this string has no end", from: start,
            hint:
                "close it with \(quote == UInt8(ascii: "'") ? "'" : "\"") in the same line; a line break is written \\n"
        )
        return nil
    }

    private mutating func scanEscape() -> Unicode.Scalar? {
        let start = place
        take()
        guard let letter = byte(), letter != 0x0A else { return nil }
        take()
        switch letter {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "'"): return "'"
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            if let scalar = scanUnicodeEscape() { return scalar }
            report(
                .invalidLiteral, "this escape names no character", from: start,
                hint: "write \\u and four hexadecimal digits; beyond them, two such escapes that make a pair")
            return nil
        default:
            report(
                .invalidLiteral, "'\\\(String(decoding: [letter], as: UTF8.self))' is no escape", from: start,
                hint: "the escapes are \\\" \\' \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX")
            return nil
        }
    }

    private mutating func scanUnicodeEscape() -> Unicode.Scalar? {
        guard let first = fourDigits(at: 0) else { return nil }
        take(4)
        guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(first) }
        guard follows("\\u"), let second = fourDigits(at: 2), (0xDC00...0xDFFF).contains(second) else {
            return nil
        }
        take(6)
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private func fourDigits(at ahead: Int) -> UInt32? {
        var digits: [UInt8] = []
        for index in ahead..<ahead + 4 {
            guard let digit = byte(index), Self.continuesWord(digit) else { return nil }
            digits.append(digit)
        }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}

extension Timestamp {
    /// Whether a literal can name it.
    fileprivate var hasFourDigitYear: Bool {
        (-62_167_219_200_000...253_402_300_799_999).contains(milliseconds)
    }
}
