/// A place in a source text.
public struct SourcePosition: Hashable, Sendable, Comparable {
    /// Bytes of UTF-8 from the start of the text.
    public let offset: Int
    /// From 1.
    public let line: Int
    /// In characters (Unicode scalars) from 1.
    public let column: Int

    public init(offset: Int, line: Int, column: Int) {
        self.offset = offset
        self.line = line
        self.column = column
    }

    /// Where every text starts.
    public static let start = SourcePosition(offset: 0, line: 1, column: 1)

    public static func < (a: Self, b: Self) -> Bool { a.offset < b.offset }
}

/// A stretch of a source text: `start` is in it, `end` is not.
public struct SourceRange: Hashable, Sendable {
    public let start: SourcePosition
    public let end: SourcePosition

    public init(_ start: SourcePosition, _ end: SourcePosition) {
        self.start = start
        self.end = end
    }

    /// A place of no text, for what has been made and not written.
    public static let none = SourceRange(.start, .start)

    /// From the start of this to the end of `other`.
    public func through(_ other: SourceRange) -> SourceRange { SourceRange(start, other.end) }
}
