import IPLD
import MEW
import MeshAPI
import MeshCore
import MeshCrypto
import MeshDAG
import MeshEngine
import MeshFederation
import MeshGossip
import MeshGraph
import MeshIdentity
import MeshStorage
import Testing

// The graph as a client of one of the nodes meets it.
extension Mesh {
    /// The ontology that most of these tests load.
    static let people = """
        ontology people {
          node Person { name: String [required, unique]  age: Int? }
          node Task { title: String [required]  points: Int = 1 }
          edge knows(a: Person, b: Person) [symmetric, no_self]
          edge assigned(task: Task, person: Person) [task -> 0..1]
          edge part_of(part: Task, whole: Task) [acyclic]
        }
        """

    /// A program as the daemon hands it over.
    static func script(
        _ source: String, parameters: [String: GraphValue] = [:], bindings: [String: String] = [:],
        isDryRun: Bool = false
    ) throws -> GraphScript {
        let parsed = Parser.script(source)
        if let fault = parsed.diagnostics.first(where: { $0.severity == .error }) { throw fault }
        return GraphScript(
            units: try ScriptUnit.units(of: parsed.statements), source: Array(source.utf8),
            parameters: parameters, bindings: bindings, isDryRun: isDryRun)
    }

    /// Runs a program at a node.
    ///
    /// - Throws: The diagnostic where it failed.
    @discardableResult
    func mew(
        _ node: Int, _ source: String, parameters: [String: GraphValue] = [:],
        bindings: [String: String] = [:]
    ) throws -> GraphRun {
        let run = try attempt(node, source, parameters: parameters, bindings: bindings)
        if let failure = run.failure { throw failure }
        return run
    }

    /// Runs a program at a node, whatever comes of it.
    func attempt(
        _ node: Int, _ source: String, parameters: [String: GraphValue] = [:],
        bindings: [String: String] = [:], isDryRun: Bool = false
    ) throws -> GraphRun {
        let script = try Self.script(
            source, parameters: parameters, bindings: bindings, isDryRun: isDryRun)
        switch try ask(node, .graph(script)) {
        case .graph(let run)?: return run
        case .failure(_, let error)?:
            throw Unexpected(description: "\(error.error.code): \(error.error.message)")
        default: throw Unexpected(description: "no answer")
        }
    }

    struct Unexpected: Error, CustomStringConvertible {
        let description: String
    }

    /// The rows of a reading program, taken from the node's store as the daemon takes them.
    func rows(_ node: Int, _ source: String) throws -> [[String]] {
        let script = try Self.script(source)
        let storage = nodes[node].storage
        let replica = try GraphReplica(restoring: storage)
        let environment = ScriptEnvironment(
            schema: replica.schema, authority: Authority(actor: "\(nodes[node].identity.did)"), now: now,
            virtual: ConflictRows(storage: storage, schema: replica.schema))
        var rows: [[String]] = []
        for unit in script.units {
            do {
                let outcome = try unit.read(environment, source: script.source, in: storage)
                rows += outcome.results.flatMap(\.rows).map { $0.map(\.text) }
            } catch let failure as UnitFailure {
                throw failure.diagnostic
            }
        }
        return rows
    }

    /// The canonical dump of a node's graph.
    func dump(_ node: Int) throws -> String { try GraphDump(GraphView(nodes[node].storage)).text() }

    /// Lets things happen until all these nodes hold the same feeds.
    func converge(_ wanted: [Int]? = nil, milliseconds: Int64 = 60_000) throws -> Bool {
        let wanted = wanted ?? Array(nodes.indices.filter { !nodes[$0].isDown })
        return try run(
            until: { mesh in
                wanted.allSatisfy { mesh.frontier($0) == mesh.frontier(wanted[0]) }
            }, milliseconds: milliseconds)
    }

    /// Expects that these nodes have the same dump, schema and conflicts, and that a rebuild and a restart
    /// of each change nothing.
    func expectEqualGraphs(
        _ wanted: [Int], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let first = try dump(wanted[0])
        let conflicts = try self.conflicts(wanted[0])
        let schema = try rows(wanted[0], "SHOW TYPES SHOW EDGES")
        for node in wanted {
            #expect(try dump(node) == first, "node \(node)", sourceLocation: sourceLocation)
            #expect(try self.conflicts(node) == conflicts, "node \(node)", sourceLocation: sourceLocation)
            let own = try rows(node, "SHOW TYPES SHOW EDGES")
            #expect(own == schema, "node \(node)", sourceLocation: sourceLocation)
            #expect(
                try nodes[node].storage.projections() == nodes[wanted[0]].storage.projections(),
                "node \(node)", sourceLocation: sourceLocation)
            try rebuild(node)
            #expect(try dump(node) == first, "node \(node) rebuilt", sourceLocation: sourceLocation)
            #expect(
                try self.conflicts(node) == conflicts, "node \(node) rebuilt", sourceLocation: sourceLocation)
        }
    }

    func conflicts(_ node: Int) throws -> [VirtualRow] {
        let storage = nodes[node].storage
        return try Conflicts.rows(GraphView(storage), GraphReplica(restoring: storage).schema)
    }

    /// Makes a node's projections again; the node goes on with what came of it.
    func rebuild(_ node: Int) throws {
        var engine = nodes[node].engine
        let (now, blobs) = (now, nodes[node].blobs)
        try nodes[node].storage.write { writer throws(StorageError) in
            try engine.rebuild(now: now, storage: writer, blobs: blobs)
        }
        nodes[node].engine = engine
    }

    /// Signs an anchor with these entries as `author` and hands it to `to`, which is linked with `author`.
    ///
    /// The author's own engine learns of it later, from the others.
    func forge(
        _ entries: [[UInt8]], attachments: [Block], by author: Int, to receiver: Int
    ) throws {
        let identity = nodes[author].identity
        let feed = FeedID(author: identity.did, scope: nodes[author].settings.scope)
        let head = try #require(try nodes[receiver].storage.feedHead(feed))
        let previous = try #require(try FeedGraph.stored(head.cid, in: nodes[receiver].storage))
        let anchor = Anchor(
            author: identity.did, scope: feed.scope, seq: head.seq + 1, prev: head.cid, parents: [],
            time: HybridTime(
                milliseconds: max(now.milliseconds, previous.anchor.time.milliseconds) + 1, counter: 0),
            entries: entries.map { CID(of: $0, codec: .dagCBOR) })
        let envelope = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: identity)
        let wire = WireAnchor(
            envelope: envelope.bytes, entries: entries, attachments: attachments.map(\.bytes))
        try inject(.push, Frame.push(wire, hops: 0).encoded, from: author, to: receiver)
    }
}

/// The one system type that is read from the graph itself.
final class ConflictRows: VirtualTables {
    private let storage: MemoryStorage
    private let schema: GraphSchema

    init(storage: MemoryStorage, schema: GraphSchema) {
        self.storage = storage
        self.schema = schema
    }

    func rows(ofType type: String, where key: (attribute: String, value: GraphValue)?) throws -> [VirtualRow]
    {
        type == "_Conflict" ? try Conflicts.rows(GraphView(storage), schema) : []
    }
}

extension MemoryStorage {
    /// The end of a feed as the store has it.
    func feedHead(_ feed: FeedID) throws -> (seq: UInt64, cid: CID)? {
        var head: (seq: UInt64, cid: CID)?
        try scan(.feeds, prefix: feed.key) { key, value in
            guard let cid = try? CID(bytes: value) else { return true }
            head = (key.bigEndian(at: key.count - 8), cid)
            return true
        }
        return head
    }
}

extension ResultValue {
    /// For expectations.
    var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .float(let value): "\(value)"
        case .string(let value): value
        case .timestamp(let value): "@\(value)"
        case .duration(let value): "\(value)ms"
        case .hash(let value): Hexadecimal.encode(value.bytes)
        case .bytes(let value): Hexadecimal.encode(value)
        case .list(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
        case .entity(let entity): entity.id
        }
    }
}
