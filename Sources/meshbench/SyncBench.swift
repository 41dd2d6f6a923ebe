import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
import MeshGossip
import MeshIdentity
import MeshStorage

/// Catching up over gossip: a replica that lacks 1,000 of a million anchors, 10 of each of 100 authors.
///
/// The 1,000 are real, signed, sent and applied. Below them both replicas hold only each feed's mark, at
/// 9,989: feeds are linear, so no byte of the exchange depends on what lies under a mark. Counted is every
/// frame both ways with its head of five bytes, except the anchors themselves with their entries.
struct SyncBench: Bench {
    let name = "gossip-sync"
    let summary = "bytes, round trips and time to find 1,000 missing of a million anchors by 100 authors"

    private static let authorCount = 100
    private static let anchorCount: UInt64 = 10_000
    private static let missingCount: UInt64 = 10
    private static let now = Timestamp(milliseconds: 1_800_000_000_000)
    private static let link = PeerLink(rawValue: 1)

    func run() throws -> [BenchRow] {
        let (ahead, behind) = try replicas()
        let figures = try exchange(ahead, behind)
        guard ahead.graph.fingerprint == behind.graph.fingerprint else {
            throw BenchFailure("the replicas are not equal after the exchange")
        }
        let published = "negentropy, by hash order (published)"
        return [
            BenchRow(
                what: "bytes beside 1,000 missing anchors", ours: Double(figures.bytes) / 1_000, unit: "KB",
                beside: published, besideValue: 1_373, gate: 30, higherIsBetter: false),
            BenchRow(
                what: "round trips from the first difference to the last anchor",
                ours: Double(figures.trips) / 2, unit: "rounds", beside: published, besideValue: 3, gate: 2,
                higherIsBetter: false),
            BenchRow(
                what: "gossip's time on the side that is behind",
                ours: figures.behind / .microseconds(1), unit: "µs", beside: nil, besideValue: nil, gate: nil,
                higherIsBetter: false),
            BenchRow(
                what: "gossip's time on the side that is ahead",
                ours: figures.ahead / .microseconds(1), unit: "µs", beside: nil, besideValue: nil, gate: nil,
                higherIsBetter: false),
        ]
    }

    private final class Replica {
        let storage = MemoryStorage()
        var graph = FeedGraph()
        var machine: GossipMachine
        var time = Duration.zero

        let did: DID

        init(_ identity: Identity, scope: String) {
            did = identity.did
            machine = GossipMachine(
                signer: identity, network: "bench", scope: scope, addresses: [], incarnation: 0, seed: 1,
                now: SyncBench.now)
        }

        /// One step of gossip, on the clock, with the codec's work for what comes and goes.
        func timed<Value>(_ work: (Replica) throws -> Value) rethrows -> Value {
            let clock = ContinuousClock()
            let start = clock.now
            defer { time += clock.now - start }
            return try work(self)
        }
    }

    /// Two replicas with the same marks, one of which then takes ten anchors more of each author.
    private func replicas() throws -> (ahead: Replica, behind: Replica) {
        let signers = try (0..<Self.authorCount).map {
            Identity(try Ed25519PrivateKey(seed: SHA256.hash(Array("author \($0)".utf8))))
        }
        let replicas = (0..<2).map { Replica(signers[$0], scope: "default") }
        let last = Self.anchorCount - Self.missingCount - 1
        for replica in replicas {
            try replica.storage.write { writer throws(StorageError) in
                for signer in signers {
                    let feed = FeedID(author: signer.did, scope: "default")
                    var encoder = DAGCBOREncoder()
                    encoder.arrayHead(3)
                    encoder.unsigned(last)
                    encoder.link(CID(of: feed.key, codec: .dagCBOR))
                    encoder.hybridTime(HybridTime(milliseconds: 1_000, counter: 0))
                    try writer.put(encoder.bytes, forKey: feed.key, in: .frontier)
                }
            }
            replica.graph = try FeedGraph(restoring: replica.storage)
        }
        let ahead = replicas[0]
        for signer in signers {
            let feed = FeedID(author: signer.did, scope: "default")
            var prev = CID(of: feed.key, codec: .dagCBOR)
            for seq in last + 1..<Self.anchorCount {
                let entry = IPLDValue.text("entry \(seq) of \(signer.did)").encoded
                let anchor = Anchor(
                    author: signer.did, scope: "default", seq: seq, prev: prev, parents: [],
                    time: HybridTime(milliseconds: 1_000 + Int64(seq), counter: 0),
                    entries: [CID(of: entry, codec: .dagCBOR)])
                let envelope = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: signer)
                prev = envelope.cid
                try apply(
                    [WireAnchor(envelope: envelope.bytes, entries: [entry], attachments: [])], to: ahead)
            }
        }
        return (ahead, replicas[1])
    }

    /// - Returns: Which anchors were taken.
    @discardableResult
    private func apply(_ anchors: [WireAnchor], to replica: Replica) throws -> [(feed: FeedID, seq: UInt64)] {
        let received = try anchors.map {
            try ReceivedAnchor(
                cid: CID(of: $0.envelope, codec: .dagCBOR), bytes: $0.envelope, entries: $0.entries,
                attachments: { _ in [] }, verifier: Ed25519Verifier())
        }
        try replica.storage.write { writer throws(StorageError) in
            for anchor in received { _ = try replica.graph.receive(anchor, now: Self.now, in: writer) }
        }
        return received.map { (feed: $0.anchor.feed, seq: $0.anchor.seq) }
    }

    private func exchange(
        _ ahead: Replica, _ behind: Replica
    ) throws -> (bytes: Int, trips: Int, ahead: Duration, behind: Duration) {
        let both = [ahead, behind]
        var bytes = 0
        var trips = 0
        var queue: [(receiver: Int, type: FrameType, body: [UInt8])] = []
        func take(_ effects: [GossipEffect], of sender: Int) throws {
            for effect in effects {
                switch effect {
                case .send(_, let frame):
                    let body = both[sender].timed { _ in frame.encoded }
                    switch frame {
                    case .have(let anchors) where !anchors.isEmpty: break
                    case .hello, .frontier, .want, .have: bytes += body.count + 5
                    // What keeps the overlay would be sent in any case.
                    default: continue
                    }
                    queue.append((1 - sender, frame.type, body))
                case .serve(_, let spans):
                    // Reading the store is not gossip's time.
                    let anchors = try spans.flatMap { try stored($0, both[sender]) }
                    try take(
                        [.send(Self.link, .have(anchors)), .send(Self.link, .have([]))], of: sender)
                default: break
                }
            }
        }
        func deliver() throws {
            let turn = queue
            queue = []
            trips += 1
            for (receiver, type, body) in turn {
                let replica = both[receiver]
                let (frame, effects) = try replica.timed { replica in
                    let frame = try Frame(type: type, body: body)
                    var members: [SignedMember] = []
                    if case .hello(_, _, _, let record) = frame {
                        members =
                            SignedMember(decoding: record, verifier: Ed25519Verifier()).map { [$0] } ?? []
                    }
                    let effects = replica.machine.step(
                        .frame(Self.link, frame, members: members), now: Self.now, graph: replica.graph)
                    return (frame, effects)
                }
                try take(effects, of: receiver)
                guard case .have(let anchors) = frame, !anchors.isEmpty else { continue }
                let dealt = try apply(anchors, to: replica)
                let more = replica.timed {
                    $0.machine.delivered(dealt, from: Self.link, now: Self.now, graph: $0.graph)
                }
                try take(more, of: receiver)
            }
        }
        for sender in 0..<2 {
            let effects = both[sender].machine.step(
                .linkOpened(
                    Self.link, peer: both[1 - sender].did, address: "peer:1",
                    outbound: sender == 1), now: Self.now, graph: both[sender].graph)
            try take(effects, of: sender)
        }
        // The hellos are what every link begins with, and carry the fingerprint: they are counted as bytes,
        // not as a trip.
        try deliver()
        trips = 0
        while !queue.isEmpty { try deliver() }
        return (bytes, trips, ahead.time, behind.time)
    }

    private func stored(_ span: FeedSpan, _ replica: Replica) throws -> [WireAnchor] {
        try span.range.map { seq in
            guard let cid = try replica.graph.anchorCID(span.feed, seq: seq, in: replica.storage),
                let anchor = try FeedGraph.stored(cid, in: replica.storage)
            else { throw BenchFailure("anchor \(seq) of \(span.feed) was asked for and is not there") }
            return WireAnchor(
                envelope: anchor.envelope.bytes, entries: anchor.entries.map(\.bytes), attachments: [])
        }
    }
}
