internal import MeshCore

/// Writes syntax trees as text: on one line (``Expression/sourceText``), or in the canonical layout
/// (``Contract/formatted(_:)``).
///
/// With the source at hand, numbers and strings are copied as they were written and comments keep their places:
/// those on a line of their own stay on one, the others move to the end of the line that they stood in. A comment
/// within what is written on one line ends up behind it.
///
/// Trees are at most as high as ``Limits/chainMax`` and ``Limits/nestingMax`` allow; the printer walks them by
/// recursion.
struct Printer {
    static let columnMax = 100
    private static let indentationWidth = 4

    private(set) var text: [UInt8] = []
    /// Empty for trees without a text.
    private let source: [UInt8]
    private let comments: [Comment]
    private var nextComment = 0
    private var indentation = 0
    /// Where the line at hand begins in `text`.
    private var lineStart = 0
    /// The place in the source up to which everything has been written.
    private var written = SourcePosition.start
    /// The last line of the source of what has been written, comments included.
    private var writtenLine = 0
    /// Where writing on one line is given up.
    private var flatEnd: Int?
    private(set) var isOverfull = false

    init() {
        source = []
        comments = []
    }

    init(source: [UInt8], comments: [Comment]) {
        self.source = source
        self.comments = comments
        text.reserveCapacity(source.count + source.count / 4)
    }

    // MARK: - Text

    mutating func write(_ string: StaticString) {
        for step in 0..<string.utf8CodeUnitCount { unsafe text.append(string.utf8Start[step]) }
    }

    mutating func write(_ string: String) { text.append(contentsOf: string.utf8) }

    private func bytes(_ range: SourceRange) -> ArraySlice<UInt8>? {
        let (start, end) = (range.start.offset, range.end.offset)
        return start < end && end <= source.count ? source[start..<end] : nil
    }

    /// Copies a literal as it was written, if there is a source.
    mutating func copy(_ range: SourceRange, orWrite other: @autoclosure () -> String) {
        if let bytes = bytes(range) {
            text.append(contentsOf: bytes)
        } else {
            write(other())
        }
    }

    // MARK: - One line

    /// Writes with `body` on this line; takes it back, and returns `false`, if that does not fit or would lose a
    /// comment of `range`.
    mutating func fits(_ range: SourceRange, _ body: (inout Printer) -> Void) -> Bool {
        guard !source.isEmpty else {
            body(&self)
            return true
        }
        guard !holdsComment(range) else { return false }
        let start = text.count
        // As many bytes as fit if each is a character of its own; wide ones take more bytes than columns.
        let limit = lineStart + 4 * Self.columnMax
        let (outerEnd, wasOverfull) = (flatEnd, isOverfull)
        flatEnd = min(limit, flatEnd ?? limit)
        isOverfull = false
        body(&self)
        let isTooLong = isOverfull || columnsOfLine() >= Self.columnMax
        (flatEnd, isOverfull) = (outerEnd, wasOverfull)
        if isTooLong { text.removeSubrange(start...) }
        return !isTooLong
    }

    /// Says that this does not fit on one line.
    mutating func refuseFlat() { isOverfull = flatEnd != nil }

    /// Whether what is being written on one line has become too long to go on.
    mutating func givesUp() -> Bool {
        if let flatEnd, text.count > flatEnd { isOverfull = true }
        return isOverfull
    }

    private func columnsOfLine() -> Int {
        guard text.count - lineStart <= 4 * Self.columnMax else { return Int.max }
        return text[lineStart...].count { $0 & 0xC0 != 0x80 }
    }

    func holdsComment(_ range: SourceRange) -> Bool {
        // Comments are in order; those before what is being written have been written.
        var (low, high) = (nextComment, comments.count)
        while low < high {
            let middle = (low + high) / 2
            if comments[middle].range.start < range.start { low = middle + 1 } else { high = middle }
        }
        return low < comments.count && comments[low].range.start < range.end
    }

    // MARK: - Lines

    /// Notes that everything before `place` of the source has been written.
    mutating func pass(_ place: SourcePosition) {
        written = max(written, place)
        writtenLine = max(writtenLine, place.line)
    }

    mutating func indent() { indentation += 1 }

    /// Begins the line of the bracket that ends at `end`, one step to the left of the comments before it.
    mutating func outdent(before end: SourcePosition, isEmpty: Bool) {
        let place = SourcePosition(offset: end.offset, line: 0, column: 0)
        newLine(before: place, keepsBlank: !isEmpty, outdents: true)
    }

    /// Lines are laid out, and not written on one.
    var isLaidOut: Bool { !source.isEmpty && flatEnd == nil }

    /// Ends the line at hand, writes the comments before `next`, and begins the line of what stands there.
    ///
    /// - Parameters:
    ///   - next: The place in the source; its line is 0 where no blank line may stand before it.
    ///   - keepsBlank: One blank line stays where the source has some.
    ///   - outdents: The line, but not the comments, stands one step to the left.
    mutating func newLine(before next: SourcePosition, keepsBlank: Bool, outdents: Bool = false) {
        var keepsBlank = keepsBlank
        var isLineOpen = !text.isEmpty
        while nextComment < comments.count, comments[nextComment].range.start < next {
            let comment = comments[nextComment]
            nextComment += 1
            let place = comment.range.start
            if isLineOpen, place < written || place.line == written.line {
                text.append(0x20)
            } else {
                beginLine(isBlankBefore: keepsBlank && place.line > writtenLine + 1)
            }
            write(comment)
            writtenLine = max(writtenLine, comment.range.end.line)
            isLineOpen = false
            keepsBlank = true
        }
        if outdents { indentation -= 1 }
        beginLine(isBlankBefore: keepsBlank && next.line > writtenLine + 1)
    }

    /// Writes the comments behind everything, and the end of the last line.
    mutating func finish(at end: SourcePosition) {
        let isEmpty = text.isEmpty && nextComment == comments.count
        newLine(before: SourcePosition(offset: end.offset + 1, line: 0, column: 0), keepsBlank: !text.isEmpty)
        if isEmpty { text = [] }
    }

    private mutating func beginLine(isBlankBefore: Bool) {
        if !text.isEmpty {
            text.append(0x0A)
            if isBlankBefore { text.append(0x0A) }
        }
        lineStart = text.count
        for _ in 0..<indentation * Self.indentationWidth { text.append(0x20) }
    }

    private mutating func write(_ comment: Comment) {
        write("//")
        // A rule of slashes stays one.
        if !comment.text.isEmpty, comment.text.utf8.first != UInt8(ascii: "/") { text.append(0x20) }
        write(comment.text)
    }
}
