/// Text of a document, compared by its code points.
///
/// Swift's `String` takes two spellings of one letter for the same, and a document does not.
public struct DocumentText: Hashable, Comparable, Sendable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    /// Always well-formed.
    public let utf8: [UInt8]

    public init(_ text: String) { utf8 = Array(text.utf8) }

    public init(stringLiteral text: String) { self.init(text) }

    /// Takes bytes that are known to be well-formed.
    init(wellFormed utf8: [UInt8]) { self.utf8 = utf8 }

    public var description: String { String(decoding: utf8, as: UTF8.self) }

    public static func < (a: Self, b: Self) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}

/// A number as it is spelled; nothing is lost to floating point.
public struct DocumentNumber: Hashable, Sendable, CustomStringConvertible {
    /// Always a number of RFC 8259.
    public let spelling: [UInt8]

    public init(_ number: Int64) { spelling = Array(String(number).utf8) }

    init(checked spelling: [UInt8]) { self.spelling = spelling }

    public var description: String { String(decoding: spelling, as: UTF8.self) }

    /// The number as an integer, where it is spelled as one that fits.
    public var integer: Int64? { Int64(description) }
}

/// One member of an object.
public struct DocumentMember: Hashable, Sendable {
    public var key: DocumentText
    public var value: DocumentValue

    public init(_ key: DocumentText, _ value: DocumentValue) {
        self.key = key
        self.value = value
    }
}

/// A JSON value: numbers as spelled, members in their order, no key twice.
public indirect enum DocumentValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    case number(DocumentNumber)
    case text(DocumentText)
    case list([DocumentValue])
    case object([DocumentMember])

    /// Text from a Swift string.
    public static func string(_ text: String) -> Self { .text(DocumentText(text)) }

    /// An integer.
    public static func integer(_ number: Int64) -> Self { .number(DocumentNumber(number)) }

    /// The member of that key, or `nil`.
    public subscript(key: DocumentText) -> DocumentValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// Reads exactly one value.
    ///
    /// - Throws: ``ExecutionFailure/badJSON`` or ``ExecutionFailure/tooLarge``, with the byte where it stands.
    public init(decoding bytes: [UInt8], limits: DocumentLimits = .standard) throws(ExecutionError) {
        var scanner = try DocumentScanner(bytes, limits: limits)
        scanner.skipSpace()
        self = try scanner.value(depth: 0)
        try scanner.expectEnd()
    }
}
