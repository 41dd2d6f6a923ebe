/// A scalar type of the language.
public enum ScalarType: String, Sendable, Hashable, CaseIterable {
    case string = "String"
    case int = "Int"
    case float = "Float"
    case bool = "Bool"
    case timestamp = "Timestamp"
    case duration = "Duration"
    case id = "ID"
    case hash = "Hash"
    case bytes = "Bytes"
}

/// What is known of a value before anything runs.
public indirect enum StaticType: Hashable, Sendable {
    /// The type of `null`; `T?` is the union of T and this.
    case null
    case scalar(ScalarType)
    /// A node of this type or one below it.
    case node(String)
    /// A node of any type.
    case anyNode
    /// An edge of this name; of any with `nil`.
    case edge(String?)
    case list(StaticType)
    /// Flat, without repetitions, two or more.
    case union([StaticType])
    /// Nothing is known: a parameter, or what is derived from one.
    case unknown
}
