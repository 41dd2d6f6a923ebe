internal import IPLD
public import MeshCore
internal import MeshCrypto
public import MeshDAG
internal import MeshIdentity

// Exact reconciliation: because feeds are linear, a replica is fully described by one mark for each
// feed, and what is missing is a range.
extension GossipMachine {
    mutating func compare(
        _ fingerprint: Bytes32, marks: [FrontierMark]?, isAnswer: Bool, on link: PeerLink, now: Timestamp,
        graph: FeedGraph
    ) -> [GossipEffect] {
        let ours = graph.fingerprint
        let ownFeed = FeedID(author: own, scope: scope)
        guard let marks else {
            if fingerprint == ours { return [.ownFrontier(link, seq: graph.head(ownFeed)?.seq)] }
            return [.send(link, .frontier(fingerprint: ours, marks: Self.marks(graph), isAnswer: false))]
        }
        var effects: [GossipEffect] = []
        for mark in marks { links[link]?.marks[mark.feed] = mark }
        effects.append(.ownFrontier(link, seq: marks.first { $0.feed == ownFeed }?.seq))
        if !isAnswer {
            effects.append(.send(link, .frontier(fingerprint: ours, marks: Self.marks(graph), isAnswer: true)))
        }
        effects += requestMissing(from: link, now: now, graph: graph)
        return effects
    }

    static func marks(_ graph: FeedGraph) -> [FrontierMark] {
        graph.frontier.prefix(Frame.markCountMax).map {
            FrontierMark(feed: $0.feed, seq: $0.head.seq, cid: $0.head.cid, frozenAt: $0.head.frozenAt)
        }
    }

    /// Asks `link` for what it has told that it holds and we do not, one range of each feed at a time.
    mutating func requestMissing(from link: PeerLink, now: Timestamp, graph: FeedGraph) -> [GossipEffect] {
        guard let marks = links[link]?.marks else { return [] }
        var effects: [GossipEffect] = []
        for feed in marks.keys.sorted() {
            guard let mark = marks[feed], requests[feed] == nil, effects.count < 8 else { continue }
            let head = graph.head(feed)
            // Above a freeze point nothing counts, so nothing is asked for.
            let limit = [mark.frozenAt, head?.frozenAt].compactMap { $0 }.min()
            let last = limit.map { $0 == 0 ? nil : min(mark.seq, $0 - 1) } ?? mark.seq
            let first = head.map { $0.seq + 1 } ?? 0
            if let last, first <= last {
                let range = first...min(last, first + Self.wantSpanMax - 1)
                requests[feed] = Request(link: link, deadline: now + Self.wantMilliseconds)
                effects.append(.send(link, .want(feed, range)))
            } else if let head, head.seq == mark.seq, head.cid != mark.cid, head.frozenAt == nil {
                // The same length and another end: a fork. Their anchor is the other half of the proof.
                effects.append(.send(link, .want(feed, mark.seq...mark.seq)))
            }
        }
        return effects
    }

    /// What stopped applying: missing blocks and the other branch of a fork.
    mutating func ask(_ wants: [FeedWant], of source: PeerLink?, now: Timestamp) -> [GossipEffect] {
        let asked = source.flatMap { links[$0] == nil ? nil : [$0] } ?? links.keys.sorted()
        var effects: [GossipEffect] = []
        for want in wants {
            for link in asked {
                switch want {
                case .anchors(let feed, let range): effects.append(.send(link, .want(feed, range)))
                case .blocks(let cids):
                    effects.append(.send(link, .wantBlocks(Array(cids.prefix(Frame.blockCountMax)))))
                }
            }
        }
        return effects
    }

    /// Tells that a batch from `link` has been dealt with, so that the next range may be asked for.
    public mutating func delivered(
        _ feeds: [FeedID], from link: PeerLink, now: Timestamp, graph: FeedGraph
    ) -> [GossipEffect] {
        var progressed = false
        for feed in feeds where requests[feed]?.link == link {
            requests[feed] = nil
            progressed = true
        }
        return progressed ? requestMissing(from: link, now: now, graph: graph) : []
    }
}

extension FeedGraph {
    /// One digest of all marks: equal exactly when two replicas hold the same.
    public var fingerprint: Bytes32 {
        var bytes: [UInt8] = []
        for (feed, head) in frontier {
            bytes.append(contentsOf: feed.key)
            if let frozenAt = head.frozenAt {
                // Branches above the freeze point differ between replicas and count for nobody.
                bytes.append(1)
                bytes.append(bigEndian: frozenAt)
                bytes.append(bigEndian: min(frozenAt, head.seq + 1))
            } else {
                bytes.append(0)
                bytes.append(bigEndian: head.seq)
                head.cid.append(to: &bytes)
            }
        }
        return SHA256.hash(bytes)
    }
}
