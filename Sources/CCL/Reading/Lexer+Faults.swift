internal import MeshCore

extension Lexer {
    /// `/* … */`, which is no comment here; it is passed over all the same.
    mutating func refuseBlockComment() {
        let start = place
        offset += 2
        report(
            .invalidCharacter, "'/*' begins nothing", from: start,
            hint: "write // before each line of a comment")
        guard !hasNoCommentEnd else { return }
        var ahead = offset
        while ahead + 1 < count, bytes[ahead] != UInt8(ascii: "*") || bytes[ahead + 1] != UInt8(ascii: "/") {
            ahead += 1
        }
        // One without an end is two signs that mean nothing.
        guard ahead + 1 < count else {
            hasNoCommentEnd = true
            return
        }
        skip(to: ahead + 2)
    }

    /// `${NAME}`: a template that was not filled in.
    mutating func refusePlaceholder() {
        let start = place
        guard byte(1) == UInt8(ascii: "{") else { return refuseCharacter() }
        offset += 2
        while offset < count, bytes[offset] != 0x0A, bytes[offset] != UInt8(ascii: "}") {
            if bytes[offset] & 0xC0 == 0x80 { noteContinuation() }
            offset += 1
        }
        if byte() == UInt8(ascii: "}") { offset += 1 }
        report(
            .placeholder, "this placeholder of a template was never filled in", from: start,
            hint: "write the value in its place")
        add(.refused, from: start.offset, column: start.column)
    }

    /// A character that has no meaning, with those of its kind behind it.
    mutating func refuseCharacter() {
        let start = place
        let first = bytes[offset]
        if first == UInt8(ascii: "'") { return refuseSingleQuotes() }
        takeCharacter()
        let scalar = character(from: start)
        if scalar == "\u{201C}" || scalar == "\u{201D}" { return refuseCurlyQuotes(from: start) }
        // Foreign letters in a row are one fault.
        while first >= 0x80, bytes[offset] >= 0x80, !isCurlyQuote() { takeCharacter() }
        let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
        let text = String(decoding: bytes[start.offset..<offset], as: UTF8.self)
        let hint: String? =
            switch scalar {
            case "\u{2018}", "\u{2019}": "write straight quotation marks: \"…\""
            case "\u{2026}": "write out what the dots stand for"
            case "`": "names are written without quotation marks"
            case "@": "write an address as a string"
            case "$": "write the name alone"
            default: scalar.value > 0x7F ? "names are made of the letters a to z, digits and _" : nil
            }
        report(
            .invalidCharacter,
            "\(isControl ? "this control character" : "'\(text.prefix(40))'") has no meaning here",
            from: start,
            hint: hint)
    }

    /// `'…'`, which is taken for the string that was meant when it ends in its line.
    private mutating func refuseSingleQuotes() {
        let start = place
        offset += 1
        var ahead = offset
        while ahead < count, bytes[ahead] != 0x0A, bytes[ahead] != UInt8(ascii: "'") { ahead += 1 }
        let isString = ahead < count && bytes[ahead] == UInt8(ascii: "'")
        if isString { skip(to: ahead + 1) }
        report(
            .invalidCharacter, "''' does not begin a string", from: start,
            hint: "write \" before and behind a string")
        if isString { add(.refused, from: start.offset, column: start.column) }
    }

    /// `“…”`, taken for the string that was meant when it ends in its line.
    private mutating func refuseCurlyQuotes(from start: SourcePosition) {
        var ahead = offset
        while ahead < count, bytes[ahead] != 0x0A, !isCurlyQuote(at: ahead) { ahead += 1 }
        let isString = isCurlyQuote(at: ahead)
        if isString { skip(to: ahead + 3) }
        report(
            .invalidCharacter, "'\u{201C}' and '\u{201D}' do not enclose a string", from: start,
            hint: "write straight quotation marks: \"…\"")
        if isString { add(.refused, from: start.offset, column: start.column) }
    }

    private func isCurlyQuote(at place: Int? = nil) -> Bool {
        let place = place ?? offset
        return place + 2 < count && bytes[place] == 0xE2 && bytes[place + 1] == 0x80
            && (bytes[place + 2] == 0x9C || bytes[place + 2] == 0x9D)
    }

    private mutating func takeCharacter() {
        offset += 1
        while bytes[offset] & 0xC0 == 0x80 {
            noteContinuation()
            offset += 1
        }
    }

    private func character(from start: SourcePosition) -> Unicode.Scalar {
        String(decoding: bytes[start.offset..<offset], as: UTF8.self).unicodeScalars.first ?? "\u{FFFD}"
    }
}
