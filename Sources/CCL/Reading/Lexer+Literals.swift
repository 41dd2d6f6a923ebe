internal import MeshCore

extension Lexer {
    // MARK: - Strings

    /// `"…"` to the end of its line at most.
    mutating func scanString() {
        let start = place
        var isPlain = true
        offset += 1
        scanning: while true {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                break scanning
            case UInt8(ascii: "\\"):
                isPlain = false
                if !scanEscape() { continue }
            case 0x0A:
                reportUnterminated(from: start)
                break scanning
            case 0..<0x20 where byte != 0x09:
                if offset >= count {
                    reportUnterminated(from: start)
                    break scanning
                }
                let at = place
                offset += 1
                // A text from elsewhere ends its lines with two characters.
                if byte != 0x0D || bytes[offset] != 0x0A {
                    report(
                        .invalidCharacter, "this control character cannot stand in a string", from: at,
                        hint: "write \\u{\(String(byte, radix: 16))}")
                }
            default:
                offset += 1
                if byte >= 0x80 {
                    isPlain = false
                    if byte & 0xC0 == 0x80 { noteContinuation() }
                }
            }
        }
        if offset - start.offset - 2 > Limits.stringByteCountMax {
            report(
                .tooLong, "this string is longer than \(Limits.stringByteCountMax) bytes", from: start,
                hint: "store the text and name it by its CID")
        }
        add(.string, from: start.offset, column: start.column, isPlain: isPlain)
    }

    private mutating func reportUnterminated(from start: SourcePosition) {
        report(
            .unterminatedString, "this string has no end", from: start,
            hint: "write \" where the text ends; a string stands on one line")
        // What should have closed the lists and blocks of this line is part of the text.
        unterminatedLines.insert(UInt32(truncatingIfNeeded: start.line))
        if bytes[start.offset..<offset].contains(UInt8(ascii: "}")) { hasSwallowedBrace = true }
        forgetBrackets()
    }

    /// The escape at the backslash at hand, leaving the place behind it.
    ///
    /// - Returns: `false` where the backslash is the last of its line.
    private mutating func scanEscape() -> Bool {
        let start = place
        offset += 1
        switch byte() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            offset += 1
        case UInt8(ascii: "u"):
            offset += 1
            scanScalarEscape(from: start)
        case 0x0A, 0: return false
        default:
            offset += 1
            while byte() & 0xC0 == 0x80 {
                noteContinuation()
                offset += 1
            }
            let name = String(decoding: bytes[start.offset + 1..<offset], as: UTF8.self)
            let shown = name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } ? name : "…"
            report(
                .invalidEscape, "'\\\(shown)' is no escape", from: start,
                hint: "the escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u{…}; a backslash is \\\\")
        }
        return true
    }

    /// `{…}` behind `\u`.
    private mutating func scanScalarEscape(from start: SourcePosition) {
        let isBraced = byte() == UInt8(ascii: "{")
        if isBraced { offset += 1 }
        let first = offset
        var value: UInt32 = 0
        while let digit = Self.hexadecimal(byte()), offset - first < (isBraced ? 8 : 4) {
            value = value &* 16 &+ digit
            offset += 1
        }
        let digits = String(decoding: bytes[first..<offset], as: UTF8.self)
        guard isBraced else {
            return report(
                .invalidEscape, "the number behind '\\u' stands in braces", from: start,
                hint: "write \\u{\(digits.isEmpty ? "…" : digits)}")
        }
        guard byte() == UInt8(ascii: "}"), offset > first else {
            return report(
                .invalidEscape, "'\\u{' must be followed by a hexadecimal number and '}'", from: start,
                hint: "write for example \\u{e9}")
        }
        offset += 1
        if digits.utf8.count > 6 || Unicode.Scalar(value) == nil {
            report(.invalidEscape, "U+\(digits.uppercased()) is no character", from: start)
        }
    }

    static func hexadecimal(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte) - 0x61 + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte) - 0x41 + 10
        default: nil
        }
    }

    // MARK: - Numbers

    /// An integer, a decimal or a duration.
    mutating func scanNumber() {
        let (start, startColumn) = (offset, column)
        var kind = Token.Kind.integer
        var isWellFormed = takeDigits()
        if bytes[offset] == UInt8(ascii: "."), Self.isDigit(bytes[offset + 1]) {
            kind = .decimal
            offset += 1
            isWellFormed = takeDigits() && isWellFormed
        }
        guard Self.continuesWord(bytes[offset]) || !isWellFormed else {
            return add(kind, from: start, column: startColumn)
        }
        if bytes[offset] | 0x20 == UInt8(ascii: "e") {
            let signed = bytes[offset + 1] == UInt8(ascii: "+") || bytes[offset + 1] == UInt8(ascii: "-")
            if Self.isDigit(bytes[offset + (signed ? 2 : 1)]) {
                kind = .decimal
                offset += signed ? 2 : 1
                isWellFormed = takeDigits() && isWellFormed
            }
        }
        let unitStart = offset
        while Self.continuesWord(bytes[offset]) { offset += 1 }
        let startPlace = SourcePosition(offset: start, line: place.line, column: startColumn)
        if !isWellFormed {
            report(
                .invalidNumber, "'_' may only stand between two digits", from: startPlace,
                hint: "write for example 1_000_000")
        } else if unitStart < offset {
            scanUnit(unitStart, of: &kind, from: startPlace)
        }
        add(isWellFormed ? kind : .refused, from: start, column: startColumn)
    }

    /// Takes digits with `_` between them.
    ///
    /// - Returns: `false` if a `_` stood elsewhere.
    private mutating func takeDigits() -> Bool {
        var isWellFormed = true
        while true {
            if Self.isDigit(bytes[offset]) {
                offset += 1
            } else if bytes[offset] == UInt8(ascii: "_") {
                if !Self.isDigit(bytes[offset - 1]) || !Self.isDigit(bytes[offset + 1]) {
                    isWellFormed = false
                }
                offset += 1
            } else {
                return isWellFormed
            }
        }
    }

    /// Makes a duration of a number that letters follow, or refuses it.
    private mutating func scanUnit(_ unitStart: Int, of kind: inout Token.Kind, from start: SourcePosition) {
        let unit = String(decoding: bytes[unitStart..<offset], as: UTF8.self)
        if kind == .integer, DurationUnit(rawValue: unit) != nil {
            kind = .duration
            return
        }
        let number = String(decoding: bytes[start.offset..<unitStart], as: UTF8.self)
        var hint = "the units of durations are ms, s, m, h and d"
        if kind == .decimal, DurationUnit(rawValue: unit) != nil {
            hint = "write a whole number of a smaller unit"
        } else if number == "0", unit.hasPrefix("x") || unit.hasPrefix("b") {
            hint = "numbers are written in decimal digits"
        } else if unit.hasPrefix("w") {
            hint = "write 7d for a week"
        }
        kind = .refused
        report(
            .invalidNumber, "'\(number.prefix(40))\(unit.prefix(40))' is neither a number nor a duration",
            from: start, hint: hint)
    }
}
