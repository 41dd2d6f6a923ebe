import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
import MeshIdentity
import MeshStorage
import MeshStore
import MeshTestSupport
import Testing

/// The stores that feeds must behave alike on.
enum StorageKind: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case memory
    case disk

    var testDescription: String { rawValue }
}

/// A signer whose signatures are digests, so that one payload can be signed in several ways.
struct DigestSigner: Signer {
    let did: DID
    var salt: UInt8 = 0

    init(_ number: UInt8, salt: UInt8 = 0) {
        did = DID(publicKey: SHA256.hash([number]))
        self.salt = salt
    }

    func sign(_ message: [UInt8], in range: Range<Int>) -> [UInt8] {
        Self.digest(message[range], did, salt) + [UInt8](repeating: salt, count: 32)
    }

    static func digest(_ message: ArraySlice<UInt8>, _ did: DID, _ salt: UInt8) -> [UInt8] {
        SHA256.hash(did.bytes + message + [salt]).bytes
    }
}

/// Knows the signatures of ``DigestSigner``.
struct DigestVerifier: SignatureVerifier {
    func isSigned(_ envelope: Envelope, by author: DID) -> Bool {
        let digest = DigestSigner.digest(envelope.bytes[envelope.signed], author, envelope.signature[63])
        return Array(envelope.signature[..<32]) == digest
    }
}

/// The blocks that entries of tests rest on: an entry `["rests on", link, …]` names them.
func attachments(of entry: [UInt8]) -> [CID] { (try? IPLDValue(decoding: entry))?.links ?? [] }

/// An entry that differs for each text.
func entry(_ text: String, restingOn blocks: [CID] = []) -> [UInt8] {
    IPLDValue.list([.text(text)] + blocks.map(IPLDValue.link)).encoded
}

/// A replica: feeds over a store, and a fold that keeps the entries that count.
final class Replica {
    private enum Backend {
        case memory(MemoryStorage)
        case disk(Store, TemporaryDirectory)
    }

    private let backend: Backend
    var graph = FeedGraph()
    /// What counts, by place.
    private(set) var counted: [String: CID] = [:]
    private(set) var freezes: [Freeze] = []

    init(_ kind: StorageKind = .memory) throws {
        switch kind {
        case .memory: backend = .memory(MemoryStorage())
        case .disk:
            let directory = try TemporaryDirectory()
            backend = .disk(try Store(directory: directory.file("node")), directory)
        }
    }

    func write<Value>(_ body: (any StorageWriter) throws(StorageError) -> Value) throws(StorageError) -> Value
    {
        switch backend {
        case .memory(let storage): try storage.write(body)
        case .disk(let store, _): try store.write(body)
        }
    }

    // MARK: Doing

    @discardableResult
    func receive(_ anchor: ReceivedAnchor, now: Timestamp) throws -> FeedOutcome {
        try write { storage throws(StorageError) in
            let outcome = try graph.receive(anchor, now: now, in: storage)
            try fold(outcome, storage)
            return outcome
        }
    }

    @discardableResult
    func receive(block bytes: [UInt8], now: Timestamp) throws -> FeedOutcome {
        try write { storage throws(StorageError) in
            let cid = CID(of: bytes, codec: .dagCBOR)
            try storage.putBlock(bytes, cid: cid)
            let outcome = try graph.blocksArrived([cid], now: now, in: storage)
            try fold(outcome, storage)
            return outcome
        }
    }

    @discardableResult
    func deadlineReached(now: Timestamp) throws -> FeedOutcome {
        try write { storage throws(StorageError) in
            let outcome = try graph.deadlineReached(now: now, in: storage)
            try fold(outcome, storage)
            return outcome
        }
    }

    func publish(_ entries: [[UInt8]], by signer: some Signer, now: Timestamp) throws -> ReceivedAnchor? {
        try write { storage throws(StorageError) in
            let outcome = try graph.publish(
                entries, attachments: attachments(of:), by: signer, scope: "s", now: now, in: storage)
            try fold(outcome, storage)
            return outcome.applied.first?.received
        }
    }

    func judge(_ first: CID, _ second: CID) throws -> FeedOutcome {
        try write { storage throws(StorageError) in
            let outcome = try graph.judge(
                first: first, second: second, verifier: DigestVerifier(), in: storage)
            try fold(outcome, storage)
            return outcome
        }
    }

    private func fold(_ outcome: FeedOutcome, _ storage: any StorageWriter) throws(StorageError) {
        for freeze in outcome.freezes {
            freezes.append(freeze)
            for anchor in try graph.suffix(
                of: freeze.proof.feed, from: freeze.proof.seq, below: freeze.previous, in: storage)
            {
                for index in anchor.entries.indices { counted[Self.place(anchor.anchor, index)] = nil }
            }
        }
        for applied in outcome.applied
        where graph.counts(applied.received.anchor.feed, applied.received.anchor.seq) {
            for (index, entry) in applied.received.entries.enumerated() {
                counted[Self.place(applied.received.anchor, index)] = entry.cid
            }
        }
    }

    private static func place(_ anchor: Anchor, _ index: Int) -> String {
        "\(anchor.author) \(anchor.seq) \(index)"
    }

    // MARK: Asking

    /// Every mark as text; the head of a feed that counts nowhere means nothing.
    var frontier: [String] {
        graph.frontier.map { feed, head in
            let end = head.frozenAt == 0 ? "nothing" : "\(head.seq) \(head.cid)"
            return "\(feed) \(end) \(head.frozenAt.map { "frozen at \($0)" } ?? "")"
        }
    }

    /// The anchors that were applied, whatever the order.
    func arrivals() throws -> Set<[UInt8]> {
        try write { storage throws(StorageError) in
            var found: Set<[UInt8]> = []
            try storage.scan(.arrival, prefix: []) { _, value in
                found.insert(value)
                return true
            }
            return found
        }
    }

    func restored() throws -> FeedGraph {
        try write { storage throws(StorageError) in try FeedGraph(restoring: storage) }
    }
}

/// Makes anchors by hand, right or wrong.
struct Forge {
    var signer: DigestSigner
    var start: Int64 = 1_000_000

    init(_ number: UInt8) { signer = DigestSigner(number) }

    var feed: FeedID { FeedID(author: signer.did, scope: "s") }

    func envelope(
        _ seq: UInt64, after previous: ReceivedAnchor?, parents: [CID] = [], time: Int64? = nil,
        entries: [[UInt8]], salt: UInt8 = 0
    ) -> Envelope {
        let anchor = Anchor(
            author: signer.did, scope: "s", seq: seq, prev: previous?.cid, parents: parents.sorted(),
            time: HybridTime(milliseconds: time ?? start + Int64(seq) * 10, counter: 0),
            entries: entries.map { CID(of: $0, codec: .dagCBOR) })
        var signer = signer
        signer.salt = salt
        return Envelope(signing: anchor.encoded, tag: Anchor.tag, by: signer)
    }

    /// The anchor at `seq` of the branch `name`.
    func make(
        _ seq: UInt64, after previous: ReceivedAnchor?, _ name: String = "", parents: [CID] = [],
        time: Int64? = nil, restingOn blocks: [CID] = [], salt: UInt8 = 0
    ) throws -> ReceivedAnchor {
        let entries = [entry("\(name) \(seq)", restingOn: blocks)]
        let envelope = envelope(
            seq, after: previous, parents: parents, time: time, entries: entries, salt: salt)
        return try ReceivedAnchor(
            cid: envelope.cid, bytes: envelope.bytes, entries: entries, attachments: attachments(of:),
            verifier: DigestVerifier())
    }

    /// A chain of anchors from `seq` on.
    func chain(_ range: Range<UInt64>, after previous: ReceivedAnchor?, _ name: String) throws
        -> [ReceivedAnchor]
    {
        var made: [ReceivedAnchor] = []
        for seq in range { made.append(try make(seq, after: made.last ?? previous, name)) }
        return made
    }
}

/// Every order of `items`.
func permutations<Item>(_ items: [Item]) -> [[Item]] {
    guard let first = items.first else { return [[]] }
    return permutations(Array(items.dropFirst())).flatMap { rest in
        (0...rest.count).map { index in
            var order = rest
            order.insert(first, at: index)
            return order
        }
    }
}

let noon = Timestamp(milliseconds: 1_000_000)
