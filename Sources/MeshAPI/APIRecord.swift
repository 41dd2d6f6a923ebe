/// A JSON object of the control API.
///
/// Keys are in snake case. In what the daemon answers every key is always present, with null for
/// what is unknown; in what it is asked, absent means the default.
public protocol APIRecord: Codable, Sendable {
    /// The object's keys, in the order in which they are documented and printed.
    static var fields: [APIField] { get }
}

/// One key of an ``APIRecord``.
public struct APIField: Hashable, Sendable {
    /// The key, in snake case.
    public let name: String
    public let type: APIFieldType
    /// Whether the value may be null.
    public let nullable: Bool
    /// Whether the key may be absent; in answers only where it would be empty noise.
    public let optional: Bool

    init(_ name: String, _ type: APIFieldType, nullable: Bool = false, optional: Bool = false) {
        self.name = name
        self.type = type
        self.nullable = nullable
        self.optional = optional
    }
}

/// What stands under a key.
public indirect enum APIFieldType: Hashable, Sendable {
    case string
    /// At most 2^53 in magnitude.
    case integer
    case number
    case boolean
    /// A ``JSONValue``.
    case any
    case array(APIFieldType)
    /// An object with free keys.
    case map(APIFieldType)
    /// Another ``APIRecord``, by its type's name.
    case record(String)
}
