internal import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshGraph
internal import MeshIdentity
internal import MeshStorage
internal import MeshStore

/// The people and the edges between them that ``GraphBench`` loads.
struct GraphLoad {
    static let personCount = 100_000
    static let edgeCount = 1_000_000

    static let author = DID(publicKey: Bytes32([UInt8](repeating: 42, count: 32)))

    static func position(_ seq: UInt64) -> EntryPosition {
        EntryPosition(
            author: author, scope: "graph", seq: seq, index: 0,
            time: HybridTime(milliseconds: 1_700_000_000_000 + Int64(seq), counter: 0))
    }

    static func person(_ number: Int, seq: UInt64 = 1) -> EntityID {
        .operation(
            author: author, seq: seq, index: OperationIndex.make(entry: 0, operation: number))
    }

    /// A hundred thousand people, each with a name and an address.
    static func people() -> GraphChange {
        GraphChange(
            operations: (0..<personCount).map { number in
                .spawn(
                    type: "Person", key: nil,
                    attributes: [
                        GraphAttribute(name: "email", value: .string("person-\(number)@example.org")),
                        GraphAttribute(name: "age", value: .int(Int64(number % 100))),
                    ])
            })
    }

    /// A million edges between two people each, drawn at random.
    static func edges() -> GraphChange {
        var generator = SeededGenerator(seed: 7)
        return GraphChange(
            operations: (0..<edgeCount).map { _ in
                let from = Int.random(in: 0..<personCount, using: &generator)
                let to = Int.random(in: 0..<personCount, using: &generator)
                return .link(
                    edge: "knows", targets: [.entity(person(from)), .entity(person(to))], isUnique: false,
                    attributes: [])
            })
    }

    /// One small change: a task, a link to somebody, a write to what came before.
    static func small(_ seq: UInt64, _ generator: inout SeededGenerator) -> GraphChange {
        let who = Int.random(in: 0..<personCount, using: &generator)
        let other = Int.random(in: 0..<personCount, using: &generator)
        return GraphChange(operations: [
            .spawn(
                type: "Task", key: nil,
                attributes: [GraphAttribute(name: "title", value: .string("task \(seq)"))]),
            .link(
                edge: "assigned", targets: [.added(0), .entity(person(who))], isUnique: false, attributes: []),
            .set(
                .entity(person(other)),
                add: .operation(
                    author: author, seq: 1, index: OperationIndex.make(entry: 0, operation: other)),
                attribute: "age", value: .int(Int64(seq % 100))),
            .link(
                edge: "knows", targets: [.entity(person(who)), .entity(person(other))], isUnique: false,
                attributes: []),
        ])
    }

    static let indexes = [
        IndexDefinition(name: "Person.email", types: ["Person"], attribute: "email", isUnique: true)
    ]
}

/// Passes everything on and keeps a copy of what is put, in the form that the C loop reads.
final class RowRecorder: StorageWriter {
    private let writer: any StorageWriter
    private var count: UInt32 = 0
    private var rows: [UInt8] = []

    init(_ writer: any StorageWriter) {
        self.writer = writer
    }

    /// The rows of this commit.
    var recorded: [UInt8] { unsafe withUnsafeBytes(of: count) { unsafe [UInt8]($0) } + rows }

    func put(_ value: [UInt8], forKey key: [UInt8], in table: StorageTable) throws(StorageError) {
        rows.append(UInt8(StorageTable.allCases.firstIndex(of: table) ?? 0))
        unsafe withUnsafeBytes(of: UInt16(key.count)) { unsafe rows.append(contentsOf: $0) }
        unsafe withUnsafeBytes(of: UInt32(value.count)) { unsafe rows.append(contentsOf: $0) }
        rows += key
        rows += value
        count += 1
        try writer.put(value, forKey: key, in: table)
    }

    func remove(_ key: [UInt8], in table: StorageTable) throws(StorageError) {
        try writer.remove(key, in: table)
    }

    func removeAll(in table: StorageTable) throws(StorageError) { try writer.removeAll(in: table) }

    func putBlock(_ bytes: [UInt8], cid: CID) throws(StorageError) {
        try writer.putBlock(bytes, cid: cid)
    }

    func value(forKey key: [UInt8], in table: StorageTable) throws(StorageError) -> [UInt8]? {
        try writer.value(forKey: key, in: table)
    }

    func scan(
        _ table: StorageTable, prefix: [UInt8], from start: [UInt8], reversed: Bool,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try writer.scan(table, prefix: prefix, from: start, reversed: reversed, body)
    }

    func block(_ cid: CID) throws(StorageError) -> [UInt8]? { try writer.block(cid) }
    func hasBlock(_ cid: CID) throws(StorageError) -> Bool { try writer.hasBlock(cid) }
}
