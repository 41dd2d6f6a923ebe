internal import IPLD
public import MeshCore
internal import MeshCrypto
public import MeshDAG
internal import MeshIdentity

// Exact reconciliation: because feeds are linear, a replica is fully described by one mark for each
// feed, and what is missing is a range.
extension GossipMachine {
    mutating func compare(
        _ fingerprint: Bytes32, marks: [FrontierMark]?, isAnswer: Bool, isLast: Bool, on link: PeerLink,
        now: Timestamp, graph: FeedGraph
    ) -> [GossipEffect] {
        let ours = graph.fingerprint
        let ownFeed = FeedID(author: own, scope: scope)
        guard let marks else {
            if fingerprint == ours { return [.ownFrontier(link, seq: graph.head(ownFeed)?.seq)] }
            return Self.frontier(graph, ours, isAnswer: false).map { .send(link, $0) }
        }
        guard links[link]?.take(marks, isLast: isLast) == true else {
            return punish(link, .malformedFrame, "a frontier of more than \(Link.markCountMax) feeds")
        }
        // Only the whole list says what the peer does not have.
        guard isLast else { return [] }
        var effects: [GossipEffect] = []
        effects.append(.ownFrontier(link, seq: links[link]?.marks[ownFeed]?.seq))
        if !isAnswer { effects += Self.frontier(graph, ours, isAnswer: true).map { .send(link, $0) } }
        effects += requestMissing(from: link, now: now, graph: graph)
        return effects
    }

    /// All our marks, in as many frames as they need.
    static func frontier(_ graph: FeedGraph, _ fingerprint: Bytes32, isAnswer: Bool) -> [Frame] {
        let marks = graph.frontier.map {
            FrontierMark(feed: $0.feed, seq: $0.head.seq, cid: $0.head.cid, frozenAt: $0.head.frozenAt)
        }
        let starts = marks.isEmpty ? [0] : Array(stride(from: 0, to: marks.count, by: Frame.markCountMax))
        return starts.map { start in
            let end = min(start + Frame.markCountMax, marks.count)
            return .frontier(
                fingerprint: fingerprint, marks: Array(marks[start..<end]), isAnswer: isAnswer,
                isLast: end == marks.count)
        }
    }

    /// Asks `link` for what it has told that it holds and we do not, one range of each feed at a time.
    mutating func requestMissing(from link: PeerLink, now: Timestamp, graph: FeedGraph) -> [GossipEffect] {
        guard let feeds = links[link]?.marks.keys.sorted() else { return [] }
        var effects: [GossipEffect] = []
        for feed in feeds where effects.count < 8 {
            if let effect = request(feed, from: link, now: now, graph: graph) { effects.append(effect) }
        }
        return effects
    }

    /// Asks `link` for the next range of one feed, unless somebody is being asked already or it has
    /// nothing that we lack.
    mutating func request(
        _ feed: FeedID, from link: PeerLink, now: Timestamp, graph: FeedGraph
    ) -> GossipEffect? {
        guard let mark = links[link]?.marks[feed], requests[feed] == nil else { return nil }
        let head = graph.head(feed)
        // From a freeze point on nothing counts, so nothing is asked for.
        let limit = [mark.frozenAt, graph.freezePoint(feed)].compactMap { $0 }.min()
        guard limit != 0 else { return nil }
        let last = limit.map { min(mark.seq, $0 - 1) } ?? mark.seq
        let first = head.map { $0.seq + 1 } ?? 0
        let range: ClosedRange<UInt64>
        if first <= last {
            range = first...min(last, first + Self.wantSpanMax - 1)
        } else if let head, head.seq == mark.seq, head.cid != mark.cid {
            // The same length and another end: a fork. Their anchor is the other half of the proof.
            range = mark.seq...mark.seq
        } else {
            return nil
        }
        requests[feed] = Request(link: link, deadline: now + Self.wantMilliseconds)
        return .send(link, .want(feed, range))
    }

    /// Gives up on answers that did not come, and asks whoever else has the same.
    mutating func expireRequests(_ now: Timestamp, _ graph: FeedGraph) -> [GossipEffect] {
        var effects: [GossipEffect] = []
        for (feed, expired) in requests.filter({ $0.value.deadline <= now }).sorted(by: { $0.key < $1.key }) {
            requests[feed] = nil
            let order = links.keys.sorted()
            let others = order.filter { $0 > expired.link } + order.filter { $0 < expired.link }
            for link in others where requests[feed] == nil {
                if let effect = request(feed, from: link, now: now, graph: graph) { effects.append(effect) }
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
                bytes.append(1)
                bytes.append(bigEndian: frozenAt)
            } else {
                bytes.append(0)
            }
            // The proof that stands in for the head of a feed that counts nowhere may be any of several.
            if head.frozenAt != 0 {
                bytes.append(bigEndian: head.seq)
                head.cid.append(to: &bytes)
            }
        }
        return SHA256.hash(bytes)
    }
}
