internal import MeshCore

extension Contract {
    /// Reads a contract's text.
    ///
    /// Takes time in proportion to the text and never fails: what cannot be read is left out of the tree, and a
    /// diagnostic says so. Several faults are found in one run, in the order of their places, and at most
    /// ``Limits/diagnosticCountMax``. A tree without diagnostics holds all of the text.
    ///
    /// - Parameter source: UTF-8. A text that is none, or longer than ``Limits/sourceByteCountMax``, is not read
    ///   at all.
    /// - Returns: The tree, empty for a text that was not read, and what was found.
    public static func read(_ source: [UInt8]) -> (tree: SyntaxTree, diagnostics: [Diagnostic]) {
        let nothing = SyntaxTree(statements: [], comments: [], end: .start)
        guard source.count <= Limits.sourceByteCountMax else {
            let message = "this contract is longer than \(Limits.sourceByteCountMax) bytes"
            return (nothing, [Diagnostic(.tooLong, message, at: .none, hint: "write several contracts")])
        }
        if let fault = encodingFault(source) { return (nothing, [fault]) }
        var lexer = Lexer(source)
        lexer.scan()
        let end = lexer.place
        let comments = lexer.comments
        var parser = Parser(lexer)
        let statements = parser.contract()
        // Two sorted lists; of two at one place the lexer's comes first.
        let diagnostics = (lexer.diagnostics + parser.diagnostics).enumerated().sorted {
            ($0.element.range.start.offset, $0.offset) < ($1.element.range.start.offset, $1.offset)
        }
        return (
            SyntaxTree(statements: statements, comments: comments, end: end),
            diagnostics.prefix(Limits.diagnosticCountMax).map(\.element)
        )
    }

    /// What says where a text stops being UTF-8.
    private static func encodingFault(_ source: [UInt8]) -> Diagnostic? {
        do {
            _ = try UTF8Span(validating: source.span)
            return nil
        } catch {
            let offset = error.byteOffsets.lowerBound
            let before = source[..<offset]
            let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            let start = SourcePosition(
                offset: offset, line: before.count { $0 == 0x0A } + 1,
                column: source[lineStart..<offset].count { $0 & 0xC0 != 0x80 } + 1)
            let end = SourcePosition(
                offset: error.byteOffsets.upperBound, line: start.line, column: start.column + 1)
            let hint =
                source.starts(with: [0xFF, 0xFE]) || source.starts(with: [0xFE, 0xFF])
                ? "this looks like UTF-16; save the text as UTF-8" : "save the text as UTF-8"
            return Diagnostic(
                .invalidUTF8, "the text is not UTF-8 from here on", at: SourceRange(start, end), hint: hint)
        }
    }
}
