public import MeshCore

/// A name as it was written, and where.
public struct Name: Sendable, CustomStringConvertible {
    /// A qualified name keeps its parts joined by `::`, whichever way it was written.
    public let text: String
    public let range: SourceRange

    public init(_ text: String, _ range: SourceRange = .none) {
        self.text = text
        self.range = range
    }

    public var description: String { text }
}

extension Name: Hashable {
    /// Names are equal when their texts are, wherever they stand.
    public static func == (a: Self, b: Self) -> Bool { a.text == b.text }
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
