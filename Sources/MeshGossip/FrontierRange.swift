internal import IPLD
public import MeshCore
public import MeshDAG
internal import MeshIdentity

/// What one side says about all feeds from the end of the range before up to a bound.
public struct FrontierRange: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        /// Nothing: it is equal, or another frame speaks of it.
        case skip
        /// The fingerprint of the sender's marks in this range; the receiver answers where its own differs.
        case fingerprint(Bytes32)
        /// All of the sender's marks in this range; the receiver answers with ``differing(_:)``.
        case marks([FrontierMark])
        /// Of the sender's marks in this range, those that may be news to the receiver. Not answered.
        case differing([FrontierMark])
    }

    /// The first place that the range does not cover; `nil` when it reaches to the end.
    public var upper: FeedBound?
    public var content: Content

    public init(upTo upper: FeedBound?, _ content: Content) {
        self.upper = upper
        self.content = content
    }

    var marks: [FrontierMark] {
        switch content {
        case .skip, .fingerprint: []
        case .marks(let marks), .differing(let marks): marks
        }
    }
}

/// The anchors of one feed from one `seq` to another.
public struct FeedSpan: Hashable, Sendable {
    public var feed: FeedID
    public var range: ClosedRange<UInt64>

    public init(_ feed: FeedID, _ range: ClosedRange<UInt64>) {
        self.feed = feed
        self.range = range
    }
}

// Feeds of one scope mostly stand together: a scope that is the one before it is written as empty text, which
// no scope is.
extension DAGCBOREncoder {
    mutating func ranges(_ ranges: [FrontierRange]) {
        var scope = ""
        array(ranges) { encoder, range in
            let bound = range.upper?.bytes ?? []
            switch range.content {
            case .skip:
                encoder.arrayHead(1)
                encoder.byteString(bound)
            case .fingerprint(let fingerprint):
                encoder.arrayHead(2)
                encoder.byteString(bound)
                encoder.byteString(fingerprint.bytes)
            case .marks(let marks), .differing(let marks):
                encoder.arrayHead(3)
                encoder.byteString(bound)
                if case .marks = range.content { encoder.bool(true) } else { encoder.bool(false) }
                encoder.array(marks) { $0.mark($1, &scope) }
            }
        }
    }

    private mutating func mark(_ mark: FrontierMark, _ scope: inout String) {
        arrayHead(mark.frozenAt == nil ? 4 : 5)
        feed(mark.feed, &scope)
        unsigned(mark.seq)
        byteString(mark.cid.digest.bytes)
        if let frozenAt = mark.frozenAt { unsigned(frozenAt) }
    }

    mutating func spans(_ spans: [FeedSpan]) {
        var scope = ""
        array(spans) { encoder, span in
            encoder.arrayHead(4)
            encoder.feed(span.feed, &scope)
            encoder.unsigned(span.range.lowerBound)
            encoder.unsigned(span.range.upperBound)
        }
    }

    private mutating func feed(_ feed: FeedID, _ scope: inout String) {
        byteString(feed.author.publicKey.bytes)
        text(feed.scope == scope ? "" : feed.scope)
        scope = feed.scope
    }
}

extension DAGCBORDecoder {
    /// Reads ranges whose bounds ascend, with ascending marks inside their range.
    mutating func ranges() throws(IPLDError) -> [FrontierRange] {
        var scope = ""
        var lower = FeedBound([])
        var isEnded = false
        var room = Frame.markCountMax
        return try array(atMost: Frame.rangeCountMax) { d throws(IPLDError) in
            let count = try d.arrayHead(atMost: 3)
            guard count >= 1, !isEnded else { throw IPLDError(.schema, "a range has one to three items") }
            let bound = FeedBound(try d.byteString(atMost: FeedBound.byteCountMax))
            isEnded = bound.bytes.isEmpty
            guard isEnded || lower < bound else { throw IPLDError(.schema, "the bounds of ranges ascend") }
            let upper = isEnded ? nil : bound
            var range = FrontierRange(upTo: upper, .skip)
            if count == 2 { range.content = .fingerprint(try d.digest()) }
            if count == 3 {
                let isWhole = try d.bool()
                let marks = try d.array(atMost: room) { d throws(IPLDError) in try d.mark(&scope) }
                room -= marks.count
                for (index, mark) in marks.enumerated() {
                    guard index == 0 ? !lower.isAbove(mark.feed) : marks[index - 1].feed < mark.feed,
                        upper?.isAbove(mark.feed) ?? true
                    else { throw IPLDError(.schema, "a range's marks ascend and lie within it") }
                }
                range.content = isWhole ? .marks(marks) : .differing(marks)
            }
            lower = bound
            return range
        }
    }

    private mutating func mark(_ scope: inout String) throws(IPLDError) -> FrontierMark {
        let count = try arrayHead(atMost: 5)
        guard count >= 4 else { throw IPLDError(.schema, "a frontier mark has four or five items") }
        let feed = try feed(&scope)
        let seq = try unsigned(atMost: 1 << 53)
        let cid = CID(codec: .dagCBOR, digest: try digest())
        let frozenAt = count == 5 ? try unsigned(atMost: 1 << 53) : nil
        return FrontierMark(feed: feed, seq: seq, cid: cid, frozenAt: frozenAt)
    }

    mutating func spans() throws(IPLDError) -> [FeedSpan] {
        var scope = ""
        return try array(atMost: Frame.spanCountMax) { d throws(IPLDError) in
            guard try d.arrayHead(atMost: 4) == 4 else { throw IPLDError(.schema, "a span has four items") }
            let feed = try d.feed(&scope)
            let from = try d.unsigned(atMost: 1 << 53)
            let to = try d.unsigned(atMost: 1 << 53)
            guard from <= to else { throw IPLDError(.schema, "a span from \(from) to \(to)") }
            return FeedSpan(feed, from...to)
        }
    }

    private mutating func feed(_ scope: inout String) throws(IPLDError) -> FeedID {
        let author = DID(publicKey: try digest())
        let written = try text(atMost: Anchor.scopeByteCountMax)
        guard written != scope else { throw IPLDError(.schema, "a scope is written once, and never empty") }
        if !written.isEmpty { scope = written }
        return FeedID(author: author, scope: scope)
    }

    mutating func digest() throws(IPLDError) -> Bytes32 { Bytes32(try byteString(exactly: 32)) }
}
