internal import MeshCore
internal import MeshDAG

/// Who is asked for which missing anchors.
///
/// Each link has told what it holds beyond ours. What is missing is asked for in batches of spans, at most
/// two batches to a link at a time; long spans are cut into slices so that several links can fetch one feed
/// together, never further ahead of what is applied than anchors may wait. A link that stops answering loses
/// its slices to whoever asks next; one that answers without giving what it promised loses that promise
/// until the next comparison of frontiers.
struct FetchPlan: Sendable {
    /// How long a link may be silent while it owes an answer, in milliseconds.
    static let silenceMilliseconds: Int64 = 3_000
    /// How long the answer to one batch may take, however steadily it drips.
    static let batchMilliseconds: Int64 = 30_000
    static let batchesInFlightMax = 2
    static let batchAnchorCountMax: UInt64 = 2048
    /// A slice of a feed that several links hold, and one of a feed that a single link holds.
    static let sharedSlice: UInt64 = 256
    static let wholeSlice: UInt64 = 1024
    /// How far above what is applied is asked for: out of order anchors have to wait, in order they do not.
    static let sharedWindow: UInt64 = 1024
    static let orderedWindow: UInt64 = 4096
    /// The most anchors asked for in all: half of what may wait.
    static let anchorsInFlightMax: UInt64 = 8192
    /// The most feeds that one peer may be known to hold beyond ours.
    static let markCountMax = 100_000

    private struct Flight: Sendable {
        var range: ClosedRange<UInt64>
        var link: PeerLink
    }

    private struct Batch: Sendable {
        var spans: [FeedSpan]
        var began: Timestamp
    }

    private struct Source: Sendable {
        /// Where the peer holds more than we do, or another branch.
        var marks: [FeedID: FrontierMark] = [:]
        /// The feeds of ``marks`` in order, and some that are there no longer.
        var order: [FeedID] = []
        var isOrderStale = false
        /// Where the next turn through ``order`` begins.
        var cursor = 0
        var asked: [Batch] = []
        /// How often in a row it fell silent.
        var lapses = 0
    }

    private var sources: [PeerLink: Source] = [:]
    /// When the links that owe an answer count as silent: mostly none does, and looking is cheap.
    private var dues: [PeerLink: Timestamp] = [:]
    private var flights: [FeedID: [Flight]] = [:]
    /// How many anchors are asked for.
    private(set) var anchorsInFlight: UInt64 = 0

    /// When ``expire(_:)`` must be called next.
    var nextDeadline: Timestamp? { dues.values.min() }

    /// The links in the order in which they should be asked: those that answer before those that were
    /// silent, and those that owe little before those that owe much.
    var order: [PeerLink] {
        sources.keys.sorted {
            let a = (sources[$0]?.lapses ?? 0, sources[$0]?.asked.count ?? 0, $0)
            return a < (sources[$1]?.lapses ?? 0, sources[$1]?.asked.count ?? 0, $1)
        }
    }

    // MARK: What happens

    /// Notes that a peer holds a feed up to a mark, where that is more than we do.
    ///
    /// - Returns: Whether the peer's list is still within bounds.
    mutating func note(_ mark: FrontierMark, from link: PeerLink, graph: FeedGraph) -> Bool {
        guard Self.lacking(mark, graph) != nil else {
            sources[link]?.marks[mark.feed] = nil
            return true
        }
        if sources[link, default: Source()].marks.updateValue(mark, forKey: mark.feed) == nil {
            sources[link]?.isOrderStale = true
        }
        return (sources[link]?.marks.count ?? 0) <= Self.markCountMax
    }

    /// Notes a want that was sent outside of this plan, whose answer ends like any other.
    mutating func noteOther(_ link: PeerLink, now: Timestamp) {
        sources[link, default: Source()].asked.append(Batch(spans: [], began: now))
        if dues[link] == nil { dues[link] = now + Self.silenceMilliseconds }
    }

    /// Notes that the anchor of `feed` at `seq` came over `link` and has been dealt with.
    ///
    /// - Returns: Whether it was asked for and ends its slice.
    mutating func arrived(
        _ feed: FeedID, _ seq: UInt64, from link: PeerLink, now: Timestamp, graph: FeedGraph
    )
        -> Bool
    {
        guard let flight = flights[feed]?.first(where: { $0.link == link && $0.range.contains(seq) }),
            let batch = sources[link]?.asked.first
        else { return false }
        sources[link]?.lapses = 0
        dues[link] = min(now + Self.silenceMilliseconds, batch.began + Self.batchMilliseconds)
        guard seq == flight.range.upperBound else { return false }
        land(FeedSpan(feed, flight.range), link)
        settle(FeedSpan(feed, flight.range), link, graph)
        return true
    }

    /// Notes that `link` has sent all that it will of the oldest batch.
    mutating func answerEnded(_ link: PeerLink, now: Timestamp, graph: FeedGraph) {
        // It may be late and yet say that the link is alive.
        sources[link]?.lapses = 0
        guard let batch = sources[link]?.asked.first else { return }
        sources[link]?.asked.removeFirst()
        let owesMore = sources[link]?.asked.isEmpty == false
        dues[link] = owesMore ? now + Self.silenceMilliseconds : nil
        for span in batch.spans where land(span, link) { settle(span, link, graph) }
    }

    /// Takes back what silent links were asked for.
    ///
    /// - Returns: Whether there is something to ask others for.
    mutating func expire(_ now: Timestamp) -> Bool {
        guard let earliest = nextDeadline, earliest <= now else { return false }
        var expired = false
        for (link, due) in dues.sorted(by: { $0.key < $1.key }) where due <= now {
            release(link)
            sources[link]?.lapses += 1
            expired = true
        }
        return expired
    }

    /// Forgets a link that is gone.
    mutating func remove(_ link: PeerLink) {
        release(link)
        sources[link] = nil
    }

    private mutating func release(_ link: PeerLink) {
        for batch in sources[link]?.asked ?? [] {
            for span in batch.spans { land(span, link) }
        }
        sources[link]?.asked = []
        dues[link] = nil
    }

    /// - Returns: Whether the span was still in flight.
    @discardableResult
    private mutating func land(_ span: FeedSpan, _ link: PeerLink) -> Bool {
        guard let place = flights[span.feed]?.firstIndex(where: { $0.link == link && $0.range == span.range })
        else { return false }
        flights[span.feed]?.remove(at: place)
        if flights[span.feed]?.isEmpty == true { flights[span.feed] = nil }
        anchorsInFlight -= Self.count(span.range)
        return true
    }

    /// Forgets the promise of a link whose answer has brought nothing of what it was asked for.
    private mutating func settle(_ span: FeedSpan, _ link: PeerLink, _ graph: FeedGraph) {
        guard let mark = sources[link]?.marks[span.feed] else { return }
        guard let lacking = Self.lacking(mark, graph) else {
            sources[link]?.marks[span.feed] = nil
            return
        }
        // A fork is asked for at the head itself, which nothing but the proof changes.
        if lacking.lowerBound == span.range.lowerBound,
            graph.firstLacking(span.feed, from: lacking.lowerBound) == lacking.lowerBound
                || lacking.upperBound == graph.head(span.feed)?.seq
        {
            sources[link]?.marks[span.feed] = nil
        }
    }

    // MARK: What to ask

    /// The next batch to ask `link` for, which is noted as asked; empty when it owes enough already or
    /// has nothing that is missing.
    mutating func next(for link: PeerLink, now: Timestamp, graph: FeedGraph) -> [FeedSpan] {
        guard var source = sources.removeValue(forKey: link) else { return [] }
        defer { sources[link] = source }
        guard source.asked.count < Self.batchesInFlightMax, !source.marks.isEmpty else { return [] }
        if source.isOrderStale || source.order.count > 2 * source.marks.count {
            source.order = source.marks.keys.sorted()
            source.isOrderStale = false
            source.cursor = 0
        }
        var spans: [FeedSpan] = []
        var room = min(
            Self.batchAnchorCountMax, Self.anchorsInFlightMax - min(anchorsInFlight, Self.anchorsInFlightMax))
        let start = source.cursor
        for turn in source.order.indices {
            guard spans.count < Frame.spanCountMax, room > 0 else { break }
            let place = (start + turn) % source.order.count
            let feed = source.order[place]
            guard let mark = source.marks[feed] else { continue }
            guard let lacking = Self.lacking(mark, graph) else {
                source.marks[feed] = nil
                continue
            }
            let isShared = sources.contains { $0.value.marks[feed] != nil }
            // Who was silent is asked for what nobody better has, until it answers something.
            let lapses = source.lapses
            if lapses > 0,
                sources.contains(where: { $0.value.lapses < lapses && $0.value.marks[feed] != nil })
            {
                continue
            }
            guard let range = slice(lacking, of: feed, for: link, isShared: isShared, room, graph) else {
                continue
            }
            flights[feed, default: []].append(Flight(range: range, link: link))
            anchorsInFlight += Self.count(range)
            room -= Self.count(range)
            spans.append(FeedSpan(feed, range))
            source.cursor = (place + 1) % source.order.count
        }
        guard !spans.isEmpty else { return [] }
        source.asked.append(Batch(spans: spans, began: now))
        if dues[link] == nil { dues[link] = now + Self.silenceMilliseconds }
        return spans
    }

    /// What of a mark's feed is missing here.
    static func lacking(_ mark: FrontierMark, _ graph: FeedGraph) -> ClosedRange<UInt64>? {
        let head = graph.head(mark.feed)
        // From a freeze point on nothing counts, so nothing is asked for.
        let limit = [mark.frozenAt, graph.freezePoint(mark.feed)].compactMap { $0 }.min()
        guard limit != 0 else { return nil }
        let known = mark.seq - (isPlanted(.fetchOneTooFew) ? min(1, mark.seq) : 0)
        let last = limit.map { min(known, $0 - 1) } ?? known
        let first = head.map { $0.seq + 1 } ?? 0
        if first <= last { return first...last }
        // The same length and another end: a fork. Their anchor is the other half of the proof.
        if let head, head.seq == mark.seq, head.cid != mark.cid { return mark.seq...mark.seq }
        return nil
    }

    /// The first part of `lacking` that neither waits nor is asked for, no longer than may be asked now.
    private func slice(
        _ lacking: ClosedRange<UInt64>, of feed: FeedID, for link: PeerLink, isShared: Bool, _ room: UInt64,
        _ graph: FeedGraph
    ) -> ClosedRange<UInt64>? {
        let asked = (flights[feed] ?? []).sorted { $0.range.lowerBound < $1.range.lowerBound }
        let isFork = lacking.lowerBound == graph.head(feed)?.seq
        if isFork { return asked.isEmpty ? lacking : nil }
        var first = graph.firstLacking(feed, from: lacking.lowerBound)
        var limit = lacking.upperBound
        for flight in asked {
            if flight.range.contains(first) {
                first = graph.firstLacking(feed, from: flight.range.upperBound + 1)
            } else if flight.range.lowerBound > first {
                limit = min(limit, flight.range.lowerBound - 1)
                break
            }
        }
        // Where others could help, nobody runs ahead of them.
        let isOrdered = !isShared && asked.allSatisfy { $0.link == link }
        let window = isOrdered ? Self.orderedWindow : Self.sharedWindow
        limit = min(limit, lacking.lowerBound + window - 1)
        guard first <= limit else { return nil }
        let length = min(isShared ? Self.sharedSlice : Self.wholeSlice, room)
        return first...min(limit, first + length - 1)
    }

    private static func count(_ range: ClosedRange<UInt64>) -> UInt64 {
        range.upperBound - range.lowerBound + 1
    }
}
