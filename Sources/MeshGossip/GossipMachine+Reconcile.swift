internal import IPLD
public import MeshCore
public import MeshDAG
internal import MeshIdentity

// Exact reconciliation: because feeds are linear, a replica is fully described by one mark for each
// feed. Where the fingerprints of all marks differ, ever narrower ranges of the sorted feeds are compared
// until lists of marks are short enough to be sent; what is missing is then a range of each feed.
extension GossipMachine {
    /// The most marks that are sent instead of narrower ranges: of everything, and of one range.
    static let wholeMarkCountMax = 256
    static let rangeMarkCountMax = 32

    /// The frame that asks whether both hold the same.
    func comparison(_ graph: FeedGraph) -> Frame {
        .frontier([FrontierRange(upTo: nil, .fingerprint(graph.fingerprint))])
    }

    /// Compares with a peer that has just said hello.
    ///
    /// Both have said it, so one side is enough to begin: the one that opened the link.
    mutating func greeted(
        _ fingerprint: Bytes32, on link: PeerLink, now: Timestamp, graph: FeedGraph
    ) -> [GossipEffect] {
        guard fingerprint == graph.fingerprint || links[link]?.outbound == true else { return [] }
        return compare(
            [FrontierRange(upTo: nil, .fingerprint(fingerprint))], on: link, now: now, graph: graph)
    }

    /// Takes what a peer says of its frontier, answers where the two differ, and asks for what is missing.
    mutating func compare(
        _ ranges: [FrontierRange], on link: PeerLink, now: Timestamp, graph: FeedGraph
    ) -> [GossipEffect] {
        let ownFeed = FeedID(author: own, scope: scope)
        var effects: [GossipEffect] = []
        var reply = FrontierReply()
        var lower: FeedBound?
        for range in ranges {
            defer { lower = range.upper }
            let places = graph.places(from: lower, upTo: range.upper)
            let coversOwn = !(lower?.isAbove(ownFeed) ?? false) && range.upper?.isAbove(ownFeed) ?? true
            switch range.content {
            case .skip: continue
            case .fingerprint(let theirs):
                guard theirs != graph.sum(of: places).fingerprint else {
                    if coversOwn { effects.append(.ownFrontier(link, seq: graph.head(ownFeed)?.seq)) }
                    continue
                }
                let isWhole = lower == nil && range.upper == nil
                if places.count <= (isWhole ? Self.wholeMarkCountMax : Self.rangeMarkCountMax) {
                    reply.add(.marks(graph.marks(at: places)), from: lower, upTo: range.upper)
                } else {
                    reply.split(places, of: graph, from: lower, upTo: range.upper)
                }
                continue
            case .marks(let theirs):
                reply.differ(theirs, places, of: graph, from: lower, upTo: range.upper)
            case .differing: break
            }
            if coversOwn {
                let mark = range.marks.first { $0.feed == ownFeed }
                effects.append(.ownFrontier(link, seq: mark?.seq))
            }
            for mark in range.marks where !fetch.note(mark, from: link, graph: graph) {
                return punish(
                    link, .malformedFrame, "a frontier of more than \(FetchPlan.markCountMax) feeds", now: now
                )
            }
        }
        effects += reply.frames.map { .send(link, $0) }
        return effects + requestMissing(from: link, now: now, graph: graph)
    }

    /// Asks `link` for what it has told that it holds and we do not, as much as may be under way.
    mutating func requestMissing(from link: PeerLink, now: Timestamp, graph: FeedGraph) -> [GossipEffect] {
        var effects: [GossipEffect] = []
        while true {
            let spans = fetch.next(for: link, now: now, graph: graph)
            guard !spans.isEmpty else { return effects }
            effects.append(.send(link, .want(spans)))
        }
    }

    /// Gives up on answers that did not come, and asks whoever else has the same.
    mutating func expireRequests(_ now: Timestamp, _ graph: FeedGraph) -> [GossipEffect] {
        fetch.expire(now) ? requestFromAll(now: now, graph: graph) : []
    }

    /// Asks everybody for what they have, a batch from each in turn.
    private mutating func requestFromAll(now: Timestamp, graph: FeedGraph) -> [GossipEffect] {
        var effects: [GossipEffect] = []
        for _ in 0..<FetchPlan.batchesInFlightMax {
            for link in fetch.order {
                let spans = fetch.next(for: link, now: now, graph: graph)
                if !spans.isEmpty { effects.append(.send(link, .want(spans))) }
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
                case .anchors(let feed, let range):
                    fetch.noteOther(link, now: now)
                    effects.append(.send(link, .want([FeedSpan(feed, range)])))
                case .blocks(let cids):
                    effects.append(.send(link, .wantBlocks(Array(cids.prefix(Frame.blockCountMax)))))
                }
            }
        }
        return effects
    }

    /// Tells that anchors from `link` have been dealt with, so that more may be asked for.
    public mutating func delivered(
        _ anchors: [(feed: FeedID, seq: UInt64)], from link: PeerLink, now: Timestamp, graph: FeedGraph
    ) -> [GossipEffect] {
        var ended = false
        for anchor in anchors
        where fetch.arrived(anchor.feed, anchor.seq, from: link, now: now, graph: graph) {
            ended = true
        }
        return ended ? requestMissing(from: link, now: now, graph: graph) : []
    }

    /// The peer has sent all that it will of what it was asked for.
    mutating func answerEnded(_ link: PeerLink, now: Timestamp, graph: FeedGraph) -> [GossipEffect] {
        fetch.answerEnded(link, now: now, graph: graph)
        return requestFromAll(now: now, graph: graph)
    }
}
