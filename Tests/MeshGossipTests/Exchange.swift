import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
@testable import MeshGossip
import MeshIdentity
import MeshStorage
import Testing

/// Signs with zeros: nobody checks here.
struct SilentSigner: Signer {
    let did: DID

    init(_ number: Int) { did = DID(publicKey: SHA256.hash(Array("\(number)".utf8))) }
    func sign(_ message: [UInt8], in range: Range<Int>) -> [UInt8] { [UInt8](repeating: 0, count: 64) }
}

/// One feed's anchors, from the first on; made once and handed to whoever shall hold some of them.
func anchors(of author: Int, _ count: Int, scope: String = "default") throws -> [ReceivedAnchor] {
    let storage = MemoryStorage()
    var graph = FeedGraph()
    var made: [ReceivedAnchor] = []
    for number in 0..<count {
        try storage.write { writer throws(StorageError) in
            let outcome = try graph.publish(
                [IPLDValue.text("\(author) \(number)").encoded], attachments: { _ in [] },
                by: SilentSigner(author), scope: scope, now: Exchange.start, in: writer)
            made += outcome.applied.map(\.received)
        }
    }
    return made
}

/// A replica with its store.
final class Replica {
    var graph = FeedGraph()
    let storage = MemoryStorage()
    var machine: GossipMachine

    init(_ number: Int) {
        machine = GossipMachine(
            signer: SilentSigner(number), network: "n", scope: "default", addresses: [], incarnation: 0,
            seed: 1, now: Exchange.start)
    }

    func take(_ anchors: some Sequence<ReceivedAnchor>) throws {
        try storage.write { writer throws(StorageError) in
            for anchor in anchors { _ = try graph.receive(anchor, now: Exchange.start + 1_000, in: writer) }
        }
    }
}

/// Replicas that talk over links of the same number at both ends; frames pass through their codec.
final class Exchange {
    static let start = Timestamp(milliseconds: 1_000_000)

    let replicas: [Replica]
    var now = Exchange.start
    /// What every link's frames took, without the anchors.
    private(set) var byteCount = 0
    private(set) var rounds = 0
    private(set) var wanted: [Int: [FeedSpan]] = [:]
    /// The anchors that each replica was asked to serve.
    private(set) var served: [Int: Int] = [:]
    /// Replicas that answer no want.
    var silent: Set<Int> = []
    private var links: [(a: Int, b: Int)] = []
    private var queue: [(to: Int, link: PeerLink, frame: Frame)] = []

    init(_ replicas: [Replica]) { self.replicas = replicas }

    func connect(_ a: Int, _ b: Int) {
        links.append((a, b))
        let link = PeerLink(rawValue: UInt64(links.count))
        for (own, peer) in [(a, b), (b, a)] {
            take(
                replicas[own].machine.step(
                    .linkOpened(
                        link, peer: replicas[peer].machine.own, address: "\(peer):1", outbound: own == a),
                    now: now, graph: replicas[own].graph), of: own)
        }
    }

    private func take(_ effects: [GossipEffect], of sender: Int) {
        for effect in effects {
            switch effect {
            case .send(let link, let frame): send(frame, on: link, from: sender)
            case .serve(let link, let spans):
                if !silent.contains(sender) { serve(spans, on: link, from: sender) }
            default: break
            }
        }
    }

    private func send(_ frame: Frame, on link: PeerLink, from sender: Int) {
        let ends = links[Int(link.rawValue) - 1]
        // What keeps the views and the membership is not what is measured here.
        guard [.hello, .frontier, .want, .have].contains(frame.type) else { return }
        if case .want(let spans) = frame { wanted[sender, default: []] += spans }
        if !frame.carriesAnchors { byteCount += frame.encoded.count + 5 }
        queue.append((to: ends.a == sender ? ends.b : ends.a, link: link, frame: frame))
    }

    private func serve(_ spans: [FeedSpan], on link: PeerLink, from sender: Int) {
        for span in spans {
            guard let head = replicas[sender].graph.head(span.feed), head.seq >= span.range.lowerBound else {
                continue
            }
            var answer: [WireAnchor] = []
            for seq in span.range.lowerBound...min(head.seq, span.range.upperBound) {
                guard
                    let cid = try? replicas[sender].graph.anchorCID(
                        span.feed, seq: seq, in: replicas[sender].storage),
                    let stored = try? FeedGraph.stored(cid, in: replicas[sender].storage)
                else { break }
                answer.append(
                    WireAnchor(
                        envelope: stored.envelope.bytes, entries: stored.entries.map(\.bytes), attachments: []
                    ))
            }
            served[sender, default: 0] += answer.count
            send(.have(answer), on: link, from: sender)
        }
        send(.have([]), on: link, from: sender)
    }

    /// Delivers everything that is under way, round by round, until nothing is.
    func settle() throws {
        while !queue.isEmpty {
            let turn = queue
            queue = []
            rounds += 1
            for (receiver, link, sent) in turn {
                let body = sent.encoded
                try #require(body.count <= sent.type.byteCountMax)
                let frame = try Frame(type: sent.type, body: body)
                try #require(frame == sent)
                let replica = replicas[receiver]
                var members: [SignedMember] = []
                if case .hello(_, _, _, let record) = frame {
                    members = SignedMember(decoding: record, verifier: Trusting()).map { [$0] } ?? []
                }
                take(
                    replica.machine.step(
                        .frame(link, frame, members: members), now: now, graph: replica.graph), of: receiver)
                guard case .have(let list) = frame, !list.isEmpty else { continue }
                let received = try list.map { wire in
                    try ReceivedAnchor(
                        cid: CID(of: wire.envelope, codec: .dagCBOR), bytes: wire.envelope,
                        entries: wire.entries, attachments: { _ in [] }, verifier: Trusting())
                }
                try replica.take(received)
                let dealt = received.map { (feed: $0.anchor.feed, seq: $0.anchor.seq) }
                take(
                    replica.machine.delivered(dealt, from: link, now: now, graph: replica.graph), of: receiver
                )
            }
        }
    }

    /// Lets time pass and settles.
    func pass(_ milliseconds: Int64) throws {
        now = now + milliseconds
        for (index, replica) in replicas.enumerated() {
            take(replica.machine.step(.deadlineReached, now: now, graph: replica.graph), of: index)
        }
        try settle()
    }
}

struct Trusting: SignatureVerifier {
    func isSigned(_ envelope: Envelope, by author: DID) -> Bool { true }
}

extension Frame {
    fileprivate var carriesAnchors: Bool {
        if case .have(let anchors) = self { !anchors.isEmpty } else { false }
    }
}
