import MeshCore
import MeshTestSupport
import MeshTransport
import Testing

@Suite("FrameReader", .tags(.Size.small))
struct FrameReaderTests {
    private struct Frame: Equatable {
        let type: UInt8
        let body: [UInt8]
    }

    private static func encode(_ frame: Frame) -> [UInt8] {
        let length = UInt32(frame.body.count + 1)
        return (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + [frame.type] + frame.body
    }

    private func makeReader() -> FrameReader {
        FrameReader { $0 == 7 ? nil : 1000 }
    }

    @Test("frames come out whole however the stream is cut", arguments: Seed.sample(100))
    func anyCut(_ seed: Seed) {
        var generator = seed.generator
        let sent = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
            Frame(
                type: UInt8.random(in: 0...6, using: &generator),
                body: (0..<Int.random(in: 0...1000, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                })
        }
        var rest = sent.flatMap(Self.encode)[...]
        var reader = makeReader()
        var received: [Frame] = []
        while !rest.isEmpty {
            let piece = Array(rest.prefix(Int.random(in: 1...700, using: &generator)))
            rest = rest.dropFirst(piece.count)
            let refusal = reader.consume(piece, count: piece.count) {
                received.append(Frame(type: $0, body: $1))
            }
            #expect(refusal == nil)
        }
        #expect(received == sent)
        #expect(!reader.isInsideFrame)
    }

    @Test("random bytes end in a refusal or in frames within their caps", arguments: Seed.sample(300))
    func randomBytes(_ seed: Seed) {
        var generator = seed.generator
        var reader = makeReader()
        var largest = 0
        var refused = false
        for _ in 0..<200 where !refused {
            // Small first bytes, so that some announced lengths are possible ones.
            let bytes = (0..<Int.random(in: 1...64, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator) & (Bool.random(using: &generator) ? 0xff : 0x03)
            }
            refused = reader.consume(bytes, count: bytes.count) { largest = max(largest, $1.count) } != nil
        }
        #expect(largest <= 1000)
        #expect(refused || reader.isInsideFrame || largest > 0)
    }

    @Test("an announced length over the cap is refused at the fifth byte")
    func oversized() {
        var reader = makeReader()
        let early = reader.consume([0xff, 0xff, 0xff, 0xff], count: 4) { _, _ in }
        #expect(early == nil)
        let refusal = reader.consume([3], count: 1) { _, _ in }
        #expect(refusal == .oversized(type: 3, announced: 0xffff_fffe, byteCountMax: 1000))
    }

    @Test("a length of the cap itself is taken, one more is not")
    func atTheCap() {
        var reader = makeReader()
        let full = Self.encode(Frame(type: 1, body: [UInt8](repeating: 9, count: 1000)))
        var count = 0
        #expect(reader.consume(full, count: full.count) { _, body in count = body.count } == nil)
        #expect(count == 1000)
        let over = Self.encode(Frame(type: 1, body: [UInt8](repeating: 9, count: 1001)))
        #expect(
            reader.consume(over, count: over.count) { _, _ in }
                == .oversized(type: 1, announced: 1001, byteCountMax: 1000))
    }

    @Test("an unknown type and a frame without a type are refused, frames before them are not lost")
    func unknownAndEmpty() {
        var reader = makeReader()
        let good = Self.encode(Frame(type: 2, body: [1, 2]))
        var received: [Frame] = []
        let unknown = good + Self.encode(Frame(type: 7, body: []))
        #expect(
            reader.consume(unknown, count: unknown.count) { received.append(Frame(type: $0, body: $1)) }
                == .unknownType(7))
        #expect(received == [Frame(type: 2, body: [1, 2])])
        var other = makeReader()
        #expect(other.consume([0, 0, 0, 0, 2], count: 5) { _, _ in } == .empty)
    }
}
