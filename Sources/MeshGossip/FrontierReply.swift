internal import MeshCore
internal import MeshDAG

/// An answer to compared ranges, packed into as few frames as hold it.
///
/// Each frame stands alone: what it does not speak of it skips.
struct FrontierReply {
    /// Narrower ranges by which one range is compared further.
    static let splitMin = 16
    static let splitMax = 64

    private var packed: [[FrontierRange]] = []
    private var markCount = 0

    var frames: [Frame] { packed.map { .frontier($0) } }

    /// Says `content` of the range between two bounds; ranges are added in ascending order.
    mutating func add(_ content: FrontierRange.Content, from lower: FeedBound?, upTo upper: FeedBound?) {
        let range = FrontierRange(upTo: upper, content)
        // The range and the gap before it must both fit.
        let isFull =
            packed.last.map {
                $0.count + 2 > Frame.rangeCountMax || markCount + range.marks.count > Frame.markCountMax
            } ?? true
        if isFull {
            packed.append([])
            markCount = 0
        }
        let last = packed.count - 1
        if let lower, packed[last].last?.upper != lower {
            packed[last].append(FrontierRange(upTo: lower, .skip))
        }
        packed[last].append(range)
        markCount += range.marks.count
    }

    /// Compares a range by parts of about equal length.
    mutating func split(
        _ places: Range<Int>, of graph: FeedGraph, from lower: FeedBound?, upTo upper: FeedBound?
    ) {
        let needed = (places.count + GossipMachine.rangeMarkCountMax - 1) / GossipMachine.rangeMarkCountMax
        let parts = min(Self.splitMax, max(Self.splitMin, needed))
        var from = lower
        for part in 0..<parts {
            let start = places.lowerBound + places.count * part / parts
            let end = places.lowerBound + places.count * (part + 1) / parts
            guard start < end else { continue }
            let bound =
                part == parts - 1
                ? upper : FeedBound(before: graph.feed(at: end), after: graph.feed(at: end - 1))
            add(.fingerprint(graph.sum(of: start..<end).fingerprint), from: from, upTo: bound)
            from = bound
        }
    }

    /// Answers a whole list of a range's marks with those of ours that may be news to the peer.
    mutating func differ(
        _ theirs: [FrontierMark], _ places: Range<Int>, of graph: FeedGraph, from lower: FeedBound?,
        upTo upper: FeedBound?
    ) {
        var rest = theirs[...]
        var news: [FrontierMark] = []
        var from = lower
        for place in places {
            guard let mark = graph.mark(at: place) else { continue }
            while let first = rest.first, first.feed < mark.feed { rest.removeFirst() }
            if let known = rest.first, known.feed == mark.feed {
                // Who is behind has nothing to tell.
                guard known != mark, known.seq <= mark.seq else { continue }
            }
            if news.count == Frame.markCountMax {
                let bound = FeedBound(before: mark.feed)
                add(.differing(news), from: from, upTo: bound)
                from = bound
                news = []
            }
            news.append(mark)
        }
        add(.differing(news), from: from, upTo: upper)
    }
}

extension FeedGraph {
    func mark(at place: Int) -> FrontierMark? {
        let feed = feed(at: place)
        return head(feed).map { FrontierMark(feed: feed, seq: $0.seq, cid: $0.cid, frozenAt: $0.frozenAt) }
    }

    func marks(at places: Range<Int>) -> [FrontierMark] { places.compactMap { mark(at: $0) } }
}
