public import MeshCore

/// What a statement gave, in terms that hold outside of its transaction.
public struct StatementResult: Sendable, Hashable {
    /// A name and a value, in the order in which people read them.
    public struct Fact: Sendable, Hashable {
        public let name: String
        public let value: ResultValue

        public init(_ name: String, _ value: ResultValue) {
            self.name = name
            self.value = value
        }
    }

    /// The statement's keyword in lower case: `match` or `spawn`.
    public var statement: String
    public var columns: [String] = []
    public var rows: [[ResultValue]] = []
    /// What a mutation did, or how many rows there were: `success`, `id`, `killed_count`.
    public var summary: [Fact] = []
    public var warnings: [Diagnostic] = []

    public init(statement: String) {
        self.statement = statement
    }

    /// The fact of this name.
    public subscript(_ name: String) -> ResultValue? { summary.first { $0.name == name }?.value }
}

/// A value as it leaves a query.
public enum ResultValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case float(Double)
    case string(String)
    /// Milliseconds since 1970-01-01T00:00:00Z.
    case timestamp(Int64)
    /// Milliseconds.
    case duration(Int64)
    case hash(Bytes32)
    case bytes([UInt8])
    case list([ResultValue])
    case entity(ResultEntity)
}

/// A node or an edge as it leaves a query.
public struct ResultEntity: Sendable, Hashable {
    /// ``EntityID``'s text.
    public let id: String
    public let type: String
    /// The ids of an edge's targets; `nil` for a node.
    public let targets: [String]?
    /// In order of declaration; no nulls.
    public let attributes: [StatementResult.Fact]

    public init(id: String, type: String, targets: [String]?, attributes: [StatementResult.Fact]) {
        self.id = id
        self.type = type
        self.targets = targets
        self.attributes = attributes
    }
}
