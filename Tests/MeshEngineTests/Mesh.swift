import IPLD
import MeshAPI
import MeshCore
import MeshCrypto
import MeshDAG
import MeshEngine
import MeshFederation
import MeshGossip
import MeshIdentity
import MeshMarket
import MeshRuntime
import MeshStorage
import Synchronization
import Testing

/// Blobs in memory.
final class MemoryBlobs: BlobStorage {
    private let blobs = Mutex<[CID: [UInt8]]>([:])

    func blob(_ cid: CID) throws(StorageError) -> [UInt8]? { blobs.withLock { $0[cid] } }
    func hasBlob(_ cid: CID) throws(StorageError) -> Bool { blobs.withLock { $0[cid] != nil } }
    func putBlobs(_ list: [Block]) throws(StorageError) {
        blobs.withLock { known in for block in list { known[block.cid] = block.bytes } }
    }
}

/// Several engines with a network, clocks and runtimes made of arrays: every frame is delivered, in
/// order, through the same preparation as the daemon's.
final class Mesh {
    struct Node {
        var engine: NodeEngine
        let identity: Identity
        var settings: NodeSettings
        var storage: MemoryStorage
        var blobs: MemoryBlobs
        var replies: [RequestID: ControlReply] = [:]
        var isDown = false
        /// What a run gives; a liar gives something else.
        var run: (RunOrder) -> (stdout: [UInt8], fuel: UInt64, outcome: RunOutcome) = { order in
            (Array("ran \(order.manifest.description)".utf8), 1_000, RunOutcome(.ok))
        }
        /// The jobs that a run asks for.
        var submits: (RunOrder) -> [RunSubmission] = { _ in [] }
        /// Whether runs end at all.
        var isStuck = false
    }

    var nodes: [Node] = []
    var now = Timestamp(milliseconds: 1_800_000_000_000)
    private var queue: [(node: Int, input: EngineInput)] = []
    private var links: [(a: Int, b: Int)] = []
    /// Pairs that cannot reach each other.
    ///
    /// At first that is everyone: nodes are linked by hand.
    private var apart: [(Int, Int)] = []
    private var nextRequest: UInt64 = 1
    /// Whether a frame is lost on its way; hellos never are, because links are reliable until they close.
    var loses: (FrameType) -> Bool = { _ in false }
    /// Whether there is always more to do, so that entries wait for company before they are anchored.
    var isBusy = false
    /// Sees every frame as it leaves, with its sender.
    var watches: (FrameType, _ sender: Int) -> Void = { _, _ in }
    /// The entries of unknown kinds that were applied, by node.
    private(set) var foreign: [(node: Int, author: DID, cid: CID, bytes: [UInt8])] = []
    /// The links that engines closed, by the node that did it and the code it gave.
    private(set) var closes: [(node: Int, code: String)] = []
    let bundle: FederationBundle?
    static let engine = EngineDescription(
        name: "wasmtime", version: "48.0.0", profile: CID(of: [1], codec: .dagCBOR))

    init(count: Int, threshold: UInt64 = 2, configure: (Int, inout NodeSettings) -> Void = { _, _ in }) throws
    {
        let identities = try (0..<count).map {
            Identity(try Ed25519PrivateKey(seed: SHA256.hash([UInt8($0)])))
        }
        bundle =
            count > 1
            ? try FederationBundle.genesis(
                name: "test", members: identities.map { .init(did: $0.did, organisation: nil) },
                threshold: threshold)
            : nil
        for (index, identity) in identities.enumerated() {
            var settings = NodeSettings(name: "node-\(index + 1)")
            settings.federation = bundle
            settings.addresses = ["node-\(index):1"]
            settings.seed = UInt64(index)
            settings.engine = Self.engine
            settings.capacity = NodeProfile.Capacity(cpu: 4, memoryMiB: 1024, storageMiB: 1024)
            settings.computePrice = 800 + 100 * UInt64(index)
            configure(index, &settings)
            let storage = MemoryStorage()
            let engine = try storage.write { writer throws(StorageError) in
                try NodeEngine(
                    settings: settings, signer: identity, verifier: Ed25519Verifier(), now: now,
                    restoring: writer)
            }
            nodes.append(
                Node(
                    engine: engine, identity: identity, settings: settings, storage: storage,
                    blobs: MemoryBlobs()))
        }
        for a in nodes.indices { for b in nodes.indices where a < b { apart.append((a, b)) } }
    }

    /// Lets every node dial every other; none is linked yet.
    func letAllDial() { apart = [] }

    func connectAll() {
        for a in nodes.indices { for b in nodes.indices where a < b { connect(a, b) } }
    }

    /// Links are numbered by their place in the list, at both ends.
    func connect(_ a: Int, _ b: Int) {
        apart.removeAll { $0 == (min(a, b), max(a, b)) }
        links.append((a, b))
        let link = PeerLink(rawValue: UInt64(links.count))
        queue.append(
            (a, .linkOpened(link, peer: nodes[b].identity.did, address: "node-\(b):1", outbound: true)))
        queue.append((b, .linkOpened(link, peer: nodes[a].identity.did, address: "a:\(a)", outbound: false)))
    }

    private func isApart(_ a: Int, _ b: Int) -> Bool {
        apart.contains { $0 == (min(a, b), max(a, b)) }
    }

    /// Cuts a link, which stays cut until somebody connects the two again.
    func cut(_ a: Int, _ b: Int) {
        apart.append((min(a, b), max(a, b)))
        unlink(a, b)
    }

    private func unlink(_ a: Int, _ b: Int, isOrderly: Bool = true) {
        for (index, link) in links.enumerated() where (link.a, link.b) == (a, b) || (link.a, link.b) == (b, a)
        {
            let id = PeerLink(rawValue: UInt64(index + 1))
            queue.append((a, .linkClosed(id, isOrderly: isOrderly)))
            queue.append((b, .linkClosed(id, isOrderly: isOrderly)))
            links[index] = (-1, -1)
        }
    }

    /// Stops a node at once: nothing reaches it, nothing leaves it.
    func kill(_ node: Int) {
        nodes[node].isDown = true
        for other in nodes.indices where other != node {
            apart.append((min(node, other), max(node, other)))
            unlink(node, other, isOrderly: false)
        }
    }

    /// Stops a node in order: it says goodbye, and then its links are closed.
    func leave(_ node: Int) throws {
        try step(node, .leaving)
        // What it has said arrives before the links end.
        for other in nodes.indices where other != node { cut(node, other) }
        nodes[node].isDown = true
    }

    /// Starts another node with the same key, from a copy of the same store.
    func addTwin(of node: Int) throws -> Int {
        var twin = nodes[node]
        twin.storage = try twin.storage.copied()
        twin.blobs = MemoryBlobs()
        twin.replies = [:]
        let now = now
        twin.engine = try twin.storage.write { writer throws(StorageError) in
            try NodeEngine(
                settings: twin.settings, signer: twin.identity, verifier: Ed25519Verifier(), now: now,
                restoring: writer)
        }
        for other in nodes.indices { apart.append((other, nodes.count)) }
        nodes.append(twin)
        return nodes.count - 1
    }

    /// Hands `to` a frame as if `from`, with which it is linked, had sent it.
    func inject(_ type: FrameType, _ body: [UInt8], from: Int, to: Int) throws {
        for (index, link) in links.enumerated()
        where (link.a, link.b) == (from, to) || (link.a, link.b) == (to, from) {
            let engine = nodes[to].engine
            let frame = PreparedFrame(
                type: type, body: body, isKnown: { engine.isKnown($0) }, verifier: Ed25519Verifier())
            try step(to, .frame(PeerLink(rawValue: UInt64(index + 1)), frame))
            return
        }
        Issue.record("\(from) and \(to) are not linked")
    }

    func areLinked(_ a: Int, _ b: Int) -> Bool {
        links.contains { ($0.a, $0.b) == (a, b) || ($0.a, $0.b) == (b, a) }
    }

    /// Starts it again from its store.
    func restart(_ node: Int, linking: Bool = true) throws {
        let old = nodes[node]
        nodes[node].engine = try old.storage.write { writer throws(StorageError) in
            try NodeEngine(
                settings: old.settings, signer: old.identity, verifier: Ed25519Verifier(), now: now,
                restoring: writer)
        }
        nodes[node].isDown = false
        for other in nodes.indices where linking && other != node && !nodes[other].isDown {
            connect(node, other)
        }
    }

    // MARK: Running

    /// Delivers what is on its way, and lets time pass whenever nothing is.
    func run(until condition: (Mesh) -> Bool, milliseconds: Int64 = 30_000) throws -> Bool {
        let end = now + milliseconds
        var steps = 0
        while !condition(self) {
            steps += 1
            guard steps < 200_000 else { return false }
            if queue.isEmpty {
                let next =
                    nodes.filter { !$0.isDown }.compactMap { $0.engine.nextDeadline }.min() ?? now + 100
                now = max(next, now + 1)
                guard now <= end else { return condition(self) }
                for index in nodes.indices where nodes[index].engine.nextDeadline.map({ $0 <= now }) ?? false
                {
                    queue.append((index, .deadlineReached))
                }
                continue
            }
            let (node, input) = queue.removeFirst()
            try step(node, input)
        }
        return true
    }

    private func step(_ index: Int, _ input: EngineInput) throws {
        guard !nodes[index].isDown else { return }
        let node = nodes[index]
        let now = now
        var engine = node.engine
        let effects = try node.storage.write { writer throws(StorageError) in
            try engine.step([input], now: now, isIdle: !isBusy, storage: writer, blobs: node.blobs)
        }
        nodes[index].engine = engine
        for effect in effects { try perform(effect, of: index) }
    }

    private func perform(_ effect: EngineEffect, of index: Int) throws {
        switch effect {
        case .send(let receivers, let type, let body):
            for link in receivers {
                let ends = links[Int(link.rawValue) - 1]
                guard ends.a >= 0, type == .hello || !loses(type) else { continue }
                watches(type, index)
                let other = ends.a == index ? ends.b : ends.a
                let engine = nodes[other].engine
                let frame = PreparedFrame(
                    type: type, body: body, isKnown: { engine.isKnown($0) }, verifier: Ed25519Verifier())
                queue.append((other, .frame(link, frame)))
            }
        case .run(let order):
            guard !nodes[index].isStuck else { return }
            let result = nodes[index].run(order)
            let output = Block(result.stdout, codec: .raw)
            try nodes[index].blobs.putBlobs([output])
            let report = RunReport(
                outcome: result.outcome, metering: Metering(fuel: result.fuel),
                outputs: [NamedBlob(name: "stdout", cid: output.cid, size: UInt64(output.bytes.count))],
                logs: [], submissions: nodes[index].submits(order),
                started: now, finished: now)
            queue.append((index, .runFinished(order.ticket, report)))
        case .storeBlobs(let blocks):
            try nodes[index].blobs.putBlobs(blocks)
            queue.append((index, .blobsStored(blocks.map(\.cid))))
        case .reply(let request, let reply): nodes[index].replies[request] = reply
        case .close(let link, let code, _):
            closes.append((index, code))
            let ends = links[Int(link.rawValue) - 1]
            if ends.a >= 0 { unlink(ends.a, ends.b) }
        case .dial(let address, _):
            // Nodes that say where they are reached are reached there.
            guard let other = nodes.firstIndex(where: { $0.settings.addresses.contains(address) }) else {
                break
            }
            if nodes[other].isDown || isApart(index, other) || areLinked(index, other) {
                let isRefused = nodes[other].isDown
                queue.append((index, .dialFailed(address: address, isRefused: isRefused)))
            } else {
                connect(index, other)
            }
        case .graphChanged: break
        case .foreignEntry(let author, let cid, let bytes): foreign.append((index, author, cid, bytes))
        case .log, .event: break
        }
    }

    // MARK: Asking

    func ask(_ node: Int, _ command: ControlCommand, milliseconds: Int64 = 30_000) throws -> ControlReply? {
        let request = RequestID(rawValue: nextRequest)
        nextRequest += 1
        queue.append((node, .control(request, command)))
        _ = try run(until: { $0.nodes[node].replies[request] != nil }, milliseconds: milliseconds)
        return nodes[node].replies[request]
    }

    /// Stores a module and submits a job; gives its id.
    func submit(
        _ node: Int, description: String = "job", auto: Bool = true, window: Int = 0,
        milliseconds: Int64 = 30_000,
        change: (inout SubmitRequest) -> Void = { _ in }
    ) throws -> String? {
        let code = Block(Array("code of \(description)".utf8), codec: .raw)
        try nodes[node].blobs.putBlobs([code])
        var request = SubmitRequest(
            wasm: "\(code.cid)", description: description, auto: auto, bidWindowMs: window)
        change(&request)
        nextRequest += 1
        guard
            case .submitted(let response)? = try ask(
                node, .submit(request, nonce: SHA256.hash(Array("\(nextRequest)".utf8)).bytes),
                milliseconds: milliseconds)
        else { return nil }
        return response.jobID
    }

    func view(_ node: Int, _ job: String) throws -> JobStatusView? {
        guard case .job(let view)? = try ask(node, .job(job, waitMilliseconds: 0, after: nil)) else {
            return nil
        }
        return view
    }

    /// Waits until `job` has the status and verification, as `node` sees it.
    func wait(_ node: Int, _ job: String, _ status: String, _ verification: String? = nil) throws
        -> JobStatusView?
    {
        let end = now + 60_000
        while now < end {
            if let view = try view(node, job), view.status == status,
                verification == nil || view.verification.state == verification
            {
                return view
            }
            _ = try run(until: { _ in false }, milliseconds: 100)
        }
        return try view(node, job)
    }

    func frontier(_ node: Int) -> Bytes32 { nodes[node].engine.frontierFingerprint }
}

extension MemoryStorage {
    /// A copy, as a backup would be: all tables and every block of the applied anchors.
    func copied() throws -> MemoryStorage {
        let copy = MemoryStorage()
        var rows: [(table: StorageTable, key: [UInt8], value: [UInt8])] = []
        for table in StorageTable.allCases {
            try scan(table, prefix: []) { key, value in
                rows.append((table, key, value))
                return true
            }
        }
        try copy.write { writer throws(StorageError) in
            for row in rows {
                try writer.put(row.value, forKey: row.key, in: row.table)
                guard row.table == .arrival, let cid = try? CID(bytes: row.value),
                    let anchor = try FeedGraph.stored(cid, in: self)
                else { continue }
                try writer.putBlock(anchor.envelope.bytes, cid: cid)
                for entry in anchor.entries {
                    try writer.putBlock(entry.bytes, cid: entry.cid)
                    for attachment in (try? Entry(decoding: entry.bytes))?.attachments ?? [] {
                        if let bytes = try block(attachment) { try writer.putBlock(bytes, cid: attachment) }
                    }
                }
            }
        }
        return copy
    }

    /// Every row of the tables that a rebuild makes again.
    func projections() throws -> [[UInt8]] {
        var rows: [[UInt8]] = []
        for table in [StorageTable.jobs, .jobEntries, .registry, .projections] {
            try scan(table, prefix: []) { key, value in
                rows.append(Array(table.rawValue.utf8) + key + value)
                return true
            }
        }
        return rows
    }
}
