internal import CBaseline
internal import Foundation
internal import MeshCore
internal import MeshDAG
internal import MeshGraph
internal import MeshIdentity
internal import MeshStorage
internal import MeshStore

/// The graph's tables over the store on disk: loading, reading and small changes.
///
/// Durable transactions are held against a loop in C that puts the same rows; with `--peers`, Kuzu and Oxigraph run
/// the same load beside, from Python.
struct GraphBench: Bench {
    let name = "graph"
    let summary = "the graph: a million edges, reads, small changes; --peers sets Kuzu and Oxigraph beside"

    /// Whether other graph stores run beside.
    var hasPeers = false
    private static let smallCount = 30_000
    /// What a replica that catches up applies at once, and what it applies while it keeps up.
    private static let groupCounts = [10_000, 256]
    private static let commitCount = 400
    private static let hotCount = 1000

    func run() throws -> [BenchRow] {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("meshbench-graph-\(ProcessInfo.processInfo.processIdentifier)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let peers = hasPeers ? try GraphPeers.measure(directory) : GraphPeers.Figures()
        // A node's map has grown to its graph long before; growing it here would repeat the load.
        let store = try Store(directory: directory + "/ours", options: StoreOptions(mapBytes: 2 << 30))
        Self.say("graph: loading \(GraphLoad.personCount) nodes and \(GraphLoad.edgeCount) edges")
        try store.write { storage throws(StorageError) in
            var writer = GraphWriter(storage)
            try writer.setIndexes(GraphLoad.indexes)
        }
        let nodes = try apply(GraphLoad.people(), 1, store)
        let change = GraphLoad.edges()
        let bytes = try change.encoded()
        let decoding = try time { _ = try GraphChange(decoding: bytes) }
        let edges = try apply(change, 2, store)
        var rows = [
            row("nodes with two attributes and an index, one durable change", nodes, "nodes/s"),
            BenchRow(
                what: "edges, one durable change of \(GraphLoad.edgeCount)",
                ours: Double(GraphLoad.edgeCount) / edges, unit: "edges/s",
                beside: peers.kuzuLoad == nil ? nil : "Kuzu COPY", besideValue: peers.kuzuLoad,
                gate: 1_000_000, higherIsBetter: true),
            BenchRow(
                what: "the same change, decoded", ours: Double(GraphLoad.edgeCount) / decoding,
                unit: "edges/s", beside: peers.oxigraphLoad == nil ? nil : "Oxigraph bulk load",
                besideValue: peers.oxigraphLoad, gate: nil, higherIsBetter: true),
        ]
        rows += try reads(store, peers)
        rows += try queries(store, peers)
        var seq: UInt64 = 10
        for count in Self.groupCounts { rows.append(try smallChanges(store, by: count, from: &seq)) }
        rows.append(try transaction(store, at: seq))
        rows.append(try durable(directory, peers))
        return rows
    }

    private func row(_ what: String, _ seconds: Double, _ unit: String) -> BenchRow {
        BenchRow(
            what: what, ours: Double(GraphLoad.personCount) / seconds, unit: unit, beside: nil,
            besideValue: nil, gate: nil, higherIsBetter: true)
    }

    private func apply(_ change: GraphChange, _ seq: UInt64, _ store: Store) throws -> Double {
        try time {
            try store.write { storage throws(StorageError) in
                var writer = GraphWriter(storage)
                _ = try writer.apply(change, at: GraphLoad.position(seq))
            }
        }
    }

    private func time(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return start.duration(to: .now) / .seconds(1)
    }

    static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    // MARK: - Reading

    private func reads(_ store: Store, _ peers: GraphPeers.Figures) throws -> [BenchRow] {
        var generator = SeededGenerator(seed: 3)
        let count = 100_000
        let numbers = (0..<count).map { _ in Int.random(in: 0..<GraphLoad.personCount, using: &generator) }
        var lists = 0.0
        var hotLists = 0.0
        var hops: [Double] = []
        var lookUps = 0.0
        try store.read { storage throws(StorageError) in
            let view = GraphView(storage)
            guard let knows = try view.nameID("knows"), let index = try view.indexes().first else { return }
            var ids: [LocalID] = []
            for number in numbers {
                guard let id = try view.localID(GraphLoad.person(number)) else { continue }
                ids.append(id)
            }
            var found = 0
            var start = ContinuousClock.now
            // Once before, because the first time maps the pages; then few nodes, whose lists the processor's
            // caches hold, and then all.
            let hot = Array(ids.prefix(Self.hotCount))
            for list in [ids, hot] + Array(repeating: hot, count: 50) {
                start = .now
                for id in list {
                    var cursor = view.links(of: id, edge: knows, at: 0)
                    while try cursor.next() != nil { found += 1 }
                }
                hotLists = (start.duration(to: .now) / .microseconds(1)) / Double(list.count)
            }
            start = .now
            for id in ids {
                var cursor = view.links(of: id, edge: knows, at: 0)
                while try cursor.next() != nil { found += 1 }
            }
            lists = (start.duration(to: .now) / .microseconds(1)) / Double(count)
            for id in ids.prefix(5000) {
                start = .now
                var paths = 0
                var cursor = view.links(of: id, edge: knows, at: 0)
                while let (_, peer) = try cursor.next() {
                    var second = view.links(of: peer, edge: knows, at: 0)
                    while try second.next() != nil { paths += 1 }
                }
                hops.append(start.duration(to: .now) / .microseconds(1))
                found += paths
            }
            let values = numbers.map { GraphValue.string("person-\($0)@example.org") }
            start = .now
            for value in values { found += try view.lookUp(value, in: index).count }
            lookUps = (start.duration(to: .now) / .microseconds(1)) / Double(count)
            Self.say("graph: \(found) rows were read")
        }
        return [
            BenchRow(
                what: "a posting list of about ten edges read to its end, of \(Self.hotCount) nodes",
                ours: hotLists,
                unit: "µs", beside: nil, besideValue: nil, gate: 0.5, higherIsBetter: false),
            BenchRow(
                what: "the same, of all nodes", ours: lists, unit: "µs", beside: nil, besideValue: nil,
                gate: nil, higherIsBetter: false),
            BenchRow(
                what: "two hops from a node, about 100 paths, p50", ours: Samples(hops).median, unit: "µs",
                beside: peers.twoHops.map { _ in "best of Kuzu and Oxigraph" }, besideValue: peers.twoHops,
                gate: nil, higherIsBetter: false),
            BenchRow(
                what: "a look-up in a unique index", ours: lookUps, unit: "µs", beside: nil, besideValue: nil,
                gate: 2, higherIsBetter: false),
        ]
    }

    // MARK: - Writing

    private func smallChanges(
        _ store: Store, by groupCount: Int, from seq: inout UInt64
    ) throws -> BenchRow {
        var generator = SeededGenerator(seed: seq)
        let first = seq
        let changes = (0..<Self.smallCount).map { GraphLoad.small(first + UInt64($0), &generator) }
        seq += UInt64(changes.count)
        let seconds = try time {
            for start in stride(from: 0, to: changes.count, by: groupCount) {
                try store.write { storage throws(StorageError) in
                    var writer = GraphWriter(storage)
                    for number in start..<min(start + groupCount, changes.count) {
                        _ = try writer.apply(changes[number], at: GraphLoad.position(first + UInt64(number)))
                    }
                }
            }
        }
        return BenchRow(
            what: "changes of four operations applied, \(groupCount) per durable commit",
            ours: Double(4 * changes.count) / seconds, unit: "operations/s", beside: nil,
            besideValue: nil, gate: groupCount == Self.groupCounts[0] ? 100_000 : nil, higherIsBetter: true)
    }

    /// Operations that see each other's effects, as a transaction makes them, and all of them taken back.
    private func transaction(_ store: Store, at seq: UInt64) throws -> BenchRow {
        var generator = SeededGenerator(seed: 13)
        let rounds = 5000
        let operations = (0..<rounds).flatMap { GraphLoad.small(UInt64($0), &generator).operations[2...] }
        let seconds = try time {
            try store.write { storage throws(StorageError) in
                let journal = Journal(storage)
                var writer = GraphWriter(journal)
                for (index, operation) in operations.enumerated() {
                    _ = try writer.apply(operation, index: index, at: GraphLoad.position(seq))
                }
                try journal.rollback(to: 0)
            }
        }
        return BenchRow(
            what: "operations one by one through a journal, and back",
            ours: Double(operations.count) / seconds,
            unit: "operations/s", beside: nil, besideValue: nil, gate: nil, higherIsBetter: true)
    }

    /// Transactions of one small change each, beside the same rows put by C.
    private func durable(_ directory: String, _ peers: GraphPeers.Figures) throws -> BenchRow {
        var recorded: [UInt8] = []
        let path = directory + "/commits"
        try record(path) { recorded += $0 }
        try FileManager.default.removeItem(atPath: path)
        var ours: [Double] = []
        var raw: [Double] = []
        for round in 0..<2 {
            let rawPath = "\(directory)/raw-\(round)"
            try FileManager.default.createDirectory(atPath: rawPath, withIntermediateDirectories: true)
            var seconds = [Double](repeating: 0, count: Self.commitCount)
            let result = unsafe mesh_graph_write(rawPath, recorded, Self.commitCount + 1, 1, &seconds)
            guard result == 0 else { throw BenchFailure("the C loop failed with \(result)") }
            raw += seconds
            ours += try commits("\(directory)/ours-\(round)")
        }
        return BenchRow(
            what: "a durable transaction of four operations, p50", ours: Samples(ours).median * 1e6,
            unit: "µs",
            beside: "the same rows by raw LMDB in C", besideValue: Samples(raw).median * 1e6,
            gate: Samples(raw).median * 1e6 * 1.3, higherIsBetter: false)
    }

    private func record(_ path: String, _ body: ([UInt8]) -> Void) throws {
        let store = try Store(directory: path)
        try fill(store) { change, position in
            try store.write { storage throws(StorageError) in
                let recorder = RowRecorder(storage)
                var writer = GraphWriter(recorder)
                _ = try writer.apply(change, at: position)
                body(recorder.recorded)
            }
        }
    }

    private func commits(_ path: String) throws -> [Double] {
        let store = try Store(directory: path)
        var seconds: [Double] = []
        try fill(store) { change, position in
            seconds.append(
                try time {
                    try store.write { storage throws(StorageError) in
                        var writer = GraphWriter(storage)
                        _ = try writer.apply(change, at: position)
                    }
                })
        }
        return Array(seconds.dropFirst())
    }

    /// The people in one commit, and then small changes.
    private func fill(_ store: Store, _ apply: (GraphChange, EntryPosition) throws -> Void) throws {
        try apply(GraphLoad.people(), GraphLoad.position(1))
        var generator = SeededGenerator(seed: 11)
        for seq in 10..<UInt64(10 + Self.commitCount) {
            try apply(GraphLoad.small(seq, &generator), GraphLoad.position(seq))
        }
    }
}
