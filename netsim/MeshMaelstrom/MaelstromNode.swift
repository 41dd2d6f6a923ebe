internal import MeshDAG
internal import MeshAPI
internal import Foundation
internal import IPLD
public import MeshCore
internal import MeshCrypto
internal import MeshEngine
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage
internal import Synchronization

/// A node of the mesh as Maelstrom (github.com/jepsen-io/maelstrom) tests nodes: JSON lines in, JSON lines out.
///
/// The engine is the daemon's, on a store in memory. A value that a client broadcasts or adds is published
/// as an entry of the node's feed, and is acknowledged when it is anchored; a read gives every value whose
/// entry has been applied. Frames between nodes travel in messages of the type `mesh` (``MaelstromLinks``).
///
/// Not sendable: one thread feeds it lines and the time.
public final class MaelstromNode {
    /// How many nodes each is told of at first; the others it learns of.
    static let seedCount = 3
    static let valueByteCountMax = 60_000
    static let kind = "maelstrom.value"

    /// Everything that exists once the node has been told its name.
    private final class Running {
        let name: String
        var engine: NodeEngine
        let storage: MemoryStorage
        let blobs = NoBlobs()
        var links: MaelstromLinks
        var names: [DID: String] = [:]
        var inputs: [EngineInput] = []
        /// Those who wait for their value to be anchored.
        var asked: [RequestID: (source: String, number: Int?, answer: String)] = [:]
        var requestCount: UInt64 = 0
        /// JSON texts, in the order in which they became known.
        var values: [String] = []
        var known: Set<String> = []
        /// Whether the workload is `broadcast`, which reads `messages`; `g-set` reads `value`.
        var isBroadcast = false

        init(
            name: String, engine: NodeEngine, storage: MemoryStorage, links: MaelstromLinks
        ) {
            self.name = name
            self.engine = engine
            self.storage = storage
            self.links = links
        }
    }

    private let linger: Int64
    private var running: Running?
    private var output: [String] = []

    /// - Parameter lingerMilliseconds: How long frames may wait to share a message with others.
    public init(lingerMilliseconds: Int64) { linger = lingerMilliseconds }

    /// When ``receive(_:now:)`` must be called next, with or without lines.
    public var nextDeadline: Timestamp? {
        [running?.engine.nextDeadline, running?.links.nextDeadline].compactMap { $0 }.min()
    }

    /// Takes lines and gives those to write; never fails on what they say.
    ///
    /// `now` must not run backwards.
    public func receive(_ lines: [String], now: Timestamp) -> [String] {
        for line in lines where !line.isEmpty {
            guard let message = MaelstromMessage(line) else { continue }
            handle(message, now: now)
        }
        if let running { work(running, now: now) }
        defer { output = [] }
        return output
    }

    // MARK: Requests

    private func handle(_ message: MaelstromMessage, now: Timestamp) {
        guard let running else {
            if message.type == "init" {
                start(message, now: now)
            } else {
                refuse(message, .temporarilyUnavailable, "this node has not been told its name yet")
            }
            return
        }
        switch message.type {
        case "mesh": running.links.receive(message, now: now)
        case "init": refuse(message, .malformedRequest, "this node has its name already")
        case "echo": answer(message, [("echo", message.canonical("echo") ?? "null")])
        case "topology":
            // Whom to talk to is what the gossip finds out.
            running.isBroadcast = true
            answer(message)
        case "broadcast":
            running.isBroadcast = true
            publish(message, "message", running)
        case "add": publish(message, "element", running)
        case "read":
            answer(
                message,
                [(running.isBroadcast ? "messages" : "value", MaelstromMessage.list(running.values))])
        case "error": break
        default:
            if message.answered == nil {
                refuse(
                    message, .notSupported, "there is nothing here that answers \(message.type.prefix(64))")
            }
        }
    }

    private func publish(_ message: MaelstromMessage, _ field: String, _ running: Running) {
        guard let value = message.canonical(field), value.utf8.count <= Self.valueByteCountMax else {
            return refuse(
                message, .malformedRequest, "\(message.type) lacks its \(field), or it is too large")
        }
        // Known already means anchored by somebody, and so acknowledged before.
        if running.known.contains(value) { return answer(message) }
        running.requestCount += 1
        let request = RequestID(rawValue: running.requestCount)
        running.asked[request] = (message.source, message.number, message.type + "_ok")
        var entry = DAGCBOREncoder(capacity: value.utf8.count + 64)
        entry.map { map in
            map.field("kind") { $0.text(Self.kind) }
            map.field("value") { $0.text(value) }
        }
        running.inputs.append(.control(request, .publish(entry: entry.bytes)))
    }

    private func answer(_ message: MaelstromMessage, _ fields: [(String, String)] = []) {
        reply(to: message.source, message.number, message.type + "_ok", fields)
    }

    private func refuse(_ message: MaelstromMessage, _ error: MaelstromError, _ text: String) {
        reply(
            to: message.source, message.number, "error",
            [("code", "\(error.rawValue)"), ("text", MaelstromMessage.quoted(text))])
    }

    private func reply(to client: String, _ number: Int?, _ type: String, _ fields: [(String, String)]) {
        var fields = fields.map { (key: $0.0, json: $0.1) }
        if let number { fields.insert(("in_reply_to", "\(number)"), at: 0) }
        output.append(MaelstromMessage.line(from: running?.name ?? "", to: client, type, fields))
    }

    // MARK: Starting

    private func start(_ message: MaelstromMessage, now: Timestamp) {
        guard let name = message.text("node_id"), let all = message.body["node_ids"] as? [String],
            all.contains(name)
        else { return refuse(message, .malformedRequest, "init lacks node_id or node_ids") }
        do {
            var settings = NodeSettings(name: name)
            settings.roles = [.submitter]
            settings.addresses = [Self.address(name)]
            settings.peers = all.sorted().prefix(Self.seedCount + 1).filter { $0 != name }
                .prefix(Self.seedCount).map { NodeSettings.Peer(address: Self.address($0), did: nil) }
            // Its store is empty, and its key is used by nobody else.
            settings.alone = true
            settings.seed = try Self.identity(name).did.publicKey.bytes.bigEndian(at: 0)
            let storage = MemoryStorage()
            let identity = try Self.identity(name)
            let engine = try storage.write { writer throws(StorageError) in
                try NodeEngine(
                    settings: settings, signer: identity, verifier: Ed25519Verifier(), now: now,
                    restoring: writer)
            }
            running = Running(
                name: name, engine: engine, storage: storage, links: MaelstromLinks(own: name, linger: linger)
            )
            running?.inputs.append(.deadlineReached)
            answer(message)
        } catch {
            refuse(message, .crash, "\(error)")
        }
    }

    /// Every node's key follows from its name, so that nobody need be told.
    private static func identity(_ name: String) throws -> Identity {
        Identity(try Ed25519PrivateKey(seed: SHA256.hash(Array("maelstrom node \(name)".utf8))))
    }

    /// Node names are no host names; the port makes them look like addresses.
    private static func address(_ name: String) -> String { "\(name):1" }

    // MARK: Working

    /// Steps the engine until nothing is left to do at this moment.
    private func work(_ running: Running, now: Timestamp) {
        running.links.tick(now)
        // Every round deals with what the one before has caused; a bound keeps the others served.
        for _ in 0..<64 {
            takeEvents(running)
            if let deadline = running.engine.nextDeadline, deadline <= now {
                running.inputs.append(.deadlineReached)
            }
            guard !running.inputs.isEmpty else { break }
            let inputs = running.inputs
            running.inputs = []
            do throws(StorageError) {
                let effects = try running.storage.write { writer throws(StorageError) in
                    try running.engine.step(
                        inputs, now: now, isIdle: true, storage: writer, blobs: running.blobs)
                }
                for effect in effects { perform(effect, running, now: now) }
            } catch {
                preconditionFailure("the store in memory failed: \(error)")
            }
        }
        running.links.tick(now)
        output += running.links.output
        running.links.output = []
    }

    private func takeEvents(_ running: Running) {
        let events = running.links.events
        running.links.events = []
        for event in events {
            switch event {
            case .opened(let link, let node, let outbound):
                guard let peer = try? Self.identity(node).did else { continue }
                running.inputs.append(
                    .linkOpened(link, peer: peer, address: Self.address(node), outbound: outbound))
            case .closed(let link): running.inputs.append(.linkClosed(link, isOrderly: false))
            case .dialFailed(let node):
                running.inputs.append(.dialFailed(address: Self.address(node), isRefused: false))
            case .frame(let link, let type, let body):
                let frame = PreparedFrame(
                    type: type, body: body, isKnown: { running.engine.isKnown($0) },
                    verifier: Ed25519Verifier())
                running.inputs.append(.frame(link, frame))
            }
        }
    }

    private func perform(_ effect: EngineEffect, _ running: Running, now: Timestamp) {
        switch effect {
        case .send(let links, let type, let body):
            for link in links { running.links.send(link, type, body, now: now) }
        case .dial(let address, _):
            running.links.dial(address.hasSuffix(":1") ? String(address.dropLast(2)) : address, now: now)
        case .close(let link, _, _): running.links.close(link)
        case .reply(let request, let reply):
            guard let asked = running.asked.removeValue(forKey: request) else { return }
            switch reply {
            case .failure(let status, let error):
                let code: MaelstromError = status == 503 ? .temporarilyUnavailable : .crash
                let text = MaelstromMessage.quoted(error.error.message)
                self.reply(
                    to: asked.source, asked.number, "error", [("code", "\(code.rawValue)"), ("text", text)])
            default: self.reply(to: asked.source, asked.number, asked.answer, [])
            }
        case .graphChanged: break
        case .foreignEntry(_, _, let bytes):
            guard let value = Self.value(bytes), running.known.insert(value).inserted else { return }
            running.values.append(value)
        // No node here runs jobs, and nobody publishes blobs.
        case .run, .storeBlobs, .log, .event: break
        }
    }

    /// The value of an entry of ours.
    private static func value(_ bytes: [UInt8]) -> String? {
        try? DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                try map.kind(kind)
                return try map.field("value") { d throws(IPLDError) in try d.text(atMost: valueByteCountMax) }
            }
        }
    }
}

/// Holds no blobs: nothing here has any.
private struct NoBlobs: BlobStorage {
    func blob(_ cid: CID) throws(StorageError) -> [UInt8]? { nil }
    func hasBlob(_ cid: CID) throws(StorageError) -> Bool { false }
    func putBlobs(_ blobs: [Block]) throws(StorageError) {}
}
