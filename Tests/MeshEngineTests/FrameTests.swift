import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
import MeshEngine
import MeshGossip
import MeshIdentity
import MeshTestSupport
import Testing

@Suite("Frames", .tags(.Size.small))
struct FrameTests {
    static func digest(_ generator: inout SeededGenerator) -> Bytes32 {
        SHA256.hash((0..<8).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    static func bytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    static func wire(_ generator: inout SeededGenerator) -> WireAnchor {
        func items(_ generator: inout SeededGenerator) -> [[UInt8]] {
            (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                bytes(Int.random(in: 0...40, using: &generator), &generator)
            }
        }
        return WireAnchor(
            envelope: bytes(Int.random(in: 0...200, using: &generator), &generator),
            entries: items(&generator),
            attachments: items(&generator))
    }

    /// One frame of each type, with what a seed decides in it.
    static func samples(_ generator: inout SeededGenerator) -> [Frame] {
        let feed = FeedID(author: DID(publicKey: digest(&generator)), scope: "scope")
        let other = FeedID(author: feed.author, scope: "scope2")
        let cid = CID(codec: .dagCBOR, digest: digest(&generator))
        let seq = UInt64.random(in: 0...1 << 53, using: &generator)
        let marks = [
            FrontierMark(feed: feed, seq: seq, cid: cid, frozenAt: nil),
            FrontierMark(feed: other, seq: 0, cid: cid, frozenAt: seq),
        ]
        return [
            .hello(
                network: "net", features: ["a", "b"], fingerprint: digest(&generator),
                member: bytes(99, &generator)),
            .push(wire(&generator), hops: 255),
            .message(envelope: bytes(99, &generator), hops: 16),
            .message(envelope: bytes(9, &generator), hops: nil),
            .overlay(.join, hopsLeft: 0, origin: nil, members: [bytes(99, &generator)]),
            .overlay(.shuffleReply, hopsLeft: 6, origin: feed.author, members: []),
            .announce([BroadcastAnnouncement(id: cid, hops: 3, isLarge: true)]), .graft([cid]), .pull([cid]),
            .members([bytes(9, &generator)]), .prune, .probe(feed.author, token: 7),
            .probed(token: .max, isAlive: true),
            .frontier([FrontierRange(upTo: nil, .fingerprint(digest(&generator)))]),
            .frontier([FrontierRange(upTo: nil, .marks([]))]), .frontier([]),
            .frontier([
                FrontierRange(upTo: FeedBound([0]), .skip),
                FrontierRange(upTo: nil, .marks(marks)),
            ]),
            .frontier([
                FrontierRange(upTo: FeedBound([0, 0]), .fingerprint(digest(&generator))),
                FrontierRange(upTo: nil, .differing(Array(marks.prefix(1)))),
            ]),
            .want([FeedSpan(feed, seq / 2...seq), FeedSpan(other, 0...seq)]), .want([]),
            .have([]), .have([wire(&generator), wire(&generator)]),
            .wantBlocks([]), .wantBlocks([cid, CID(codec: .raw, digest: digest(&generator))]),
            .block(cid, nil), .block(cid, bytes(50, &generator)),
            .ping(.max), .pong(seq), .bye(code: "code", text: "text ✓"),
        ]
    }

    @Test(
        "every frame comes back as it was, and every truncation of it is refused", arguments: Seed.sample(20))
    func roundTrip(_ seed: Seed) throws {
        var generator = seed.generator
        for frame in Self.samples(&generator) {
            let body = frame.encoded
            #expect(try Frame(type: frame.type, body: body) == frame)
            for count in 0..<body.count {
                #expect(throws: IPLDError.self) { try Frame(type: frame.type, body: Array(body[..<count])) }
            }
            #expect(throws: IPLDError.self) { try Frame(type: frame.type, body: body + [0]) }
        }
    }

    @Test("no bytes trap, whatever frame they claim to be", arguments: Seed.sample(100))
    func hostile(_ seed: Seed) {
        var generator = seed.generator
        let samples = Self.samples(&generator)
        var refused = 0
        for type in FrameType.allCases {
            for sample in samples {
                // Bytes of this and of other types, with some of them changed, and bytes out of nothing.
                var body = sample.encoded
                for _ in 0..<Int.random(in: 1...4, using: &generator) where !body.isEmpty {
                    body[Int.random(in: body.indices, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                for bytes in [body, Self.bytes(Int.random(in: 0...64, using: &generator), &generator)] {
                    let prepared = PreparedFrame(
                        type: type, body: bytes, isKnown: { _ in false }, verifier: Ed25519Verifier())
                    if prepared.fault != nil { refused += 1 }
                }
            }
        }
        #expect(refused > 200)
    }

    @Test("counts and lengths beyond their caps are refused")
    func caps() throws {
        let cid = CID(of: [1], codec: .dagCBOR)
        let feed = FeedID(author: DID(publicKey: SHA256.hash([1])), scope: "s")
        func refused(_ frame: Frame) -> Bool { (try? Frame(type: frame.type, body: frame.encoded)) == nil }
        let marks = (0..<701).map { number in
            let key = [UInt8](repeating: 0, count: 30) + [UInt8(number / 256), UInt8(number % 256)]
            let feed = FeedID(author: DID(publicKey: Bytes32(key)), scope: String(repeating: "s", count: 64))
            return FrontierMark(feed: feed, seq: 1 << 53, cid: cid, frozenAt: 1 << 53)
        }
        func whole(_ marks: [FrontierMark]) -> Frame { .frontier([FrontierRange(upTo: nil, .marks(marks))]) }
        #expect(!refused(whole(Array(marks.prefix(700)))))
        #expect(refused(whole(marks)))
        #expect(refused(whole([marks[1], marks[0]])), "marks ascend")
        #expect(refused(whole([marks[0], marks[0]])), "and are said once")
        let bound = FeedBound(before: marks[1].feed)
        #expect(!refused(.frontier([FrontierRange(upTo: bound, .marks([marks[0]]))])))
        #expect(
            refused(.frontier([FrontierRange(upTo: bound, .marks([marks[1]]))])), "marks lie in their range")
        #expect(
            refused(
                .frontier([FrontierRange(upTo: bound, .skip), FrontierRange(upTo: nil, .marks([marks[0]]))])))
        #expect(refused(.frontier([FrontierRange(upTo: bound, .skip), FrontierRange(upTo: bound, .skip)])))
        #expect(refused(.frontier([FrontierRange(upTo: nil, .skip), FrontierRange(upTo: nil, .skip)])))
        let bounds = (1...67).map { FrontierRange(upTo: FeedBound([UInt8($0)]), .skip) }
        #expect(!refused(.frontier(Array(bounds.prefix(66)))))
        #expect(refused(.frontier(bounds)))
        #expect(!refused(.wantBlocks(Array(repeating: cid, count: 64))))
        #expect(refused(.wantBlocks(Array(repeating: cid, count: 65))))
        #expect(refused(.graft(Array(repeating: cid, count: 65))))
        #expect(
            refused(.overlay(.refused, hopsLeft: 0, origin: nil, members: Array(repeating: [], count: 18))))
        #expect(refused(.overlay(.shuffle, hopsLeft: 17, origin: nil, members: [])))
        #expect(!refused(.want(Array(repeating: FeedSpan(feed, 0...1), count: 128))))
        #expect(refused(.want(Array(repeating: FeedSpan(feed, 0...1), count: 129))))
        #expect(refused(.want([FeedSpan(feed, 0...1 << 54)])))
        let long = FeedID(author: feed.author, scope: String(repeating: "s", count: 65))
        #expect(refused(.want([FeedSpan(long, 0...1)])))
        #expect(
            refused(
                .push(
                    WireAnchor(envelope: [], entries: Array(repeating: [], count: 257), attachments: []),
                    hops: 0)))
        #expect(
            refused(
                .push(
                    WireAnchor(envelope: [], entries: [], attachments: Array(repeating: [], count: 513)),
                    hops: 0)))
        #expect(
            refused(
                .push(
                    WireAnchor(envelope: [UInt8](repeating: 0, count: 65_537), entries: [], attachments: []),
                    hops: 0))
        )
        // A want that runs backwards can only be written by hand.
        var encoder = DAGCBOREncoder()
        encoder.arrayHead(1)
        encoder.arrayHead(4)
        encoder.byteString(feed.author.publicKey.bytes)
        encoder.text("s")
        encoder.unsigned(2)
        encoder.unsigned(1)
        #expect(throws: IPLDError.self) { try Frame(type: .want, body: encoder.bytes) }
    }

    @Test("an anchor is pushed up to the cap of a push frame, and sent as a have above it")
    func largestPush() throws {
        var types: Set<FrameType> = []
        for size in (1 << 20) - 600...(1 << 20) where size % 3 == 0 {
            let anchor = WireAnchor(
                envelope: [UInt8](repeating: 0, count: 300), entries: [[UInt8](repeating: 0, count: size)],
                attachments: [])
            let frame = Frame.carrying(anchor, hops: 255)
            types.insert(frame.type)
            if frame.type == .push { #expect(frame.encoded.count <= FrameType.push.byteCountMax) }
        }
        #expect(types == [.push, .have])
        // The fullest body of a push that the codec itself can make is exactly the cap.
        let fixed = WireAnchor(
            envelope: [UInt8](repeating: 0, count: 300), entries: [[UInt8](repeating: 0, count: 261_000)],
            attachments: [
                [UInt8](repeating: 0, count: 200_000), [UInt8](repeating: 0, count: 200_000),
                [UInt8](repeating: 0, count: 200_000),
            ])
        let room = FrameType.push.byteCountMax - Frame.push(fixed, hops: 0).encoded.count
        let full = WireAnchor(
            envelope: fixed.envelope, entries: fixed.entries,
            attachments: fixed.attachments + [[UInt8](repeating: 0, count: room - 5)])
        #expect(Frame.push(full, hops: 0).encoded.count == FrameType.push.byteCountMax)
        #expect(try Frame(type: .push, body: Frame.push(full, hops: 0).encoded) == .push(full, hops: 0))
    }

    @Test("a block that does not hash to its name, and a message that nobody signed, are faults")
    func forged() {
        func fault(_ frame: Frame) -> PeerFault? {
            PreparedFrame(
                type: frame.type, body: frame.encoded, isKnown: { _ in false }, verifier: Ed25519Verifier()
            ).fault?.0
        }
        let cid = CID(of: [1], codec: .dagCBOR)
        #expect(fault(.block(cid, [1])) == nil)
        #expect(fault(.block(cid, [2])) == .malformedFrame)
        #expect(fault(.message(envelope: [1, 2, 3], hops: 1)) == .malformedFrame)
    }
}
