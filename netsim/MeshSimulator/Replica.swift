internal import IPLD
internal import MeshCore
internal import MeshCrypto
internal import MeshDAG
internal import MeshFederation
internal import MeshEngine
internal import MEW
internal import MeshGraph
internal import MeshIdentity
internal import MeshStorage

/// An anchor as a checker reads it off a disk.
final class ReadAnchor {
    let cid: CID
    let author: DID
    let seq: UInt64
    let prev: CID?
    let entries: [(cid: CID, entry: Entry?)]

    init(cid: CID, author: DID, seq: UInt64, prev: CID?, entries: [(cid: CID, entry: Entry?)]) {
        self.cid = cid
        self.author = author
        self.seq = seq
        self.prev = prev
        self.entries = entries
    }
}

/// What one node's disk holds, read block by block: none of the engine's own views is asked.
struct Replica {
    var index: Int
    var did: DID
    var isHonest: Bool
    var isUp: Bool
    /// Each feed's anchors in the order of their places; a place that is empty or unreadable ends it.
    var feeds: [DID: [ReadAnchor]]
    /// How many rows a feed has in all.
    var rowCounts: [DID: Int]
    var frozen: [DID: UInt64]
    /// Of every row that folds have made.
    var projections: Bytes32
    /// The property graph, in a form that is the same for the same changes.
    var graph = GraphReading()
    /// Of all its marks, while it runs.
    var fingerprint: Bytes32?
    /// Whom it takes for gone.
    var gone: Set<DID> = []
    /// What is wrong with the executions that its own receipts link.
    var executionFaults: [String] = []

    var name: String { NodeName.text(index) }

    /// The anchors of a feed that count.
    func counting(_ author: DID) -> ArraySlice<ReadAnchor> {
        let anchors = feeds[author] ?? []
        guard let limit = frozen[author] else { return anchors[...] }
        return anchors.prefix { $0.seq < limit }
    }

    /// All authors, sorted.
    var authors: [DID] { feeds.map(\.key).sorted() }
}

/// Reads disks; anchors that several of them hold are decoded once.
final class ReplicaReader {
    private var known: [CID: ReadAnchor] = [:]
    /// Receipts whose executions were found whole on their executors' disks.
    var checkedReceipts: Set<CID> = []
    /// By what says which ontologies are in force.
    private var schemas: [[[UInt8]]: GraphSchema] = [:]

    func read(_ node: SimulatedNode) -> Replica {
        var replica = Replica(
            index: node.index, did: node.did, isHonest: node.isHonest, isUp: node.isUp, feeds: [:],
            rowCounts: [:], frozen: [:], projections: .zero)
        // A simulated disk fails no read.
        try? node.disk.scan(.feeds, prefix: []) { key, value in
            let author = DID(publicKey: Bytes32(key))
            replica.rowCounts[author, default: 0] += 1
            let seq = key.bigEndian(at: key.count - 8)
            guard let cid = try? CID(bytes: value), let anchor = anchor(cid, node.disk), anchor.seq == seq,
                anchor.author == author
            else { return true }
            if UInt64(replica.feeds[author]?.count ?? 0) == seq {
                replica.feeds[author, default: []].append(anchor)
            }
            return true
        }
        try? node.disk.scan(.frozen, prefix: []) { key, _ in
            let author = DID(publicKey: Bytes32(key))
            let seq = key.bigEndian(at: key.count - 8)
            replica.frozen[author] = min(seq, replica.frozen[author] ?? seq)
            return true
        }
        var digest = Bytes32.zero
        for table in [StorageTable.jobs, .jobEntries, .registry, .projections] {
            var bytes = digest.bytes + Array(table.rawValue.utf8)
            try? node.disk.scan(table, prefix: []) { key, value in
                bytes += key
                bytes += value
                return true
            }
            digest = SHA256.hash(bytes)
        }
        replica.projections = digest
        replica.graph = graph(in: node.disk)
        replica.fingerprint = node.engine?.value.frontierFingerprint
        replica.gone = node.gone
        // A disk that has lied may have lost what nobody else keeps.
        if !node.hasDiskLied {
            replica.executionFaults = executionFaults(replica.feeds[node.did] ?? [], on: node.disk)
        }
        return replica
    }

    /// Reads the graph off a disk.
    func graph(in disk: any StorageReader) -> GraphReading {
        do throws(StorageError) {
            let mark = try GraphReplica.schemaMark(in: disk)
            guard !mark.isEmpty else { return GraphReading() }
            let schema: GraphSchema
            if let known = schemas[mark] {
                schema = known
            } else {
                schema = try GraphReplica(restoring: disk).schema
                schemas[mark] = schema
            }
            return try GraphReading(GraphView(disk), schema)
        } catch {
            return GraphReading()
        }
    }

    private func anchor(_ cid: CID, _ disk: MemoryStorage) -> ReadAnchor? {
        if let anchor = known[cid] { return anchor }
        guard let bytes = try? disk.block(cid), let envelope = try? Envelope(decoding: bytes),
            let anchor = try? Anchor(envelope)
        else { return nil }
        var entries: [(cid: CID, entry: Entry?)] = []
        for cid in anchor.entries {
            guard let bytes = try? disk.block(cid) else { return nil }
            entries.append((cid, try? Entry(decoding: bytes)))
        }
        let read = ReadAnchor(
            cid: cid, author: anchor.author, seq: anchor.seq, prev: anchor.prev, entries: entries)
        known[cid] = read
        return read
    }
}
