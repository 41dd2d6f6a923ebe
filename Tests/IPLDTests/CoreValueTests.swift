import MeshCore
import MeshTestSupport
import Testing

@Suite("Instants and clock readings", .tags(.Size.small))
struct CoreValueTests {
    @Test("instants come back from their text", arguments: Seed.sample(200))
    func timestamps(_ seed: Seed) {
        var generator = seed.generator
        // From 0000-01-01 to 9999-12-31.
        let instant = Timestamp(
            milliseconds: Int64.random(in: -62_167_219_200_000...253_402_300_799_999, using: &generator))
        #expect(Timestamp(instant.description) == instant, "\(instant)")
        #expect(instant.description.utf8.count == 24)
    }

    @Test(
        "known instants have their known texts",
        arguments: [
            ("1970-01-01T00:00:00.000Z", 0), ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T12:00:00.000Z", 951_825_600_000),
            ("2026-11-21T12:00:00.000Z", 1_795_262_400_000),
            ("0000-01-01T00:00:00.000Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] as [(String, Int64)])
    func known(_ text: String, _ milliseconds: Int64) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
        #expect(Timestamp(text) == Timestamp(milliseconds: milliseconds))
    }

    @Test(
        "other ways to write an instant are read",
        arguments: [
            "2026-11-21T12:00:00Z", "2026-11-21t12:00:00z", "2026-11-21 12:00:00.0Z",
            "2026-11-21T13:30:00+01:30",
            "2026-11-21T11:00:00-01:00", "2026-11-21T12:00:00.0009999Z", "2026-11-21T11:59:60Z",
        ])
    func variants(_ text: String) {
        #expect(Timestamp(text) == Timestamp(milliseconds: 1_795_262_400_000))
    }

    @Test(
        "text that is no instant is refused",
        arguments: [
            "", "now", "2026-11-21", "2026-11-21T12:00:00", "2026-11-21T12:00Z", "2026-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-00-10T00:00:00Z", "2026-13-10T00:00:00Z",
            "2026-11-00T00:00:00Z", "2026-11-31T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T12:60:00Z",
            "2026-11-21T12:00:61Z", "2026-11-21T12:00:00.Z", "2026-11-21T12:00:00,5Z",
            "2026-11-21T12:00:00ZZ",
            "2026-11-21T12:00:00+1:00", "2026-11-21T12:00:00+01:60", "2026-11-21T12:00:00+24:00",
            "2026:11:21T12-00-00Z", "+026-11-21T12:00:00Z", "2026-11-21T12:00:00+-1:00",
            "2026-11-21T12:00:00.12\u{bd}Z",
            "\u{662}026-11-21T12:00:00Z", " 2026-11-21T12:00:00Z", "12026-11-21T12:00:00Z",
        ])
    func refused(_ text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("the first and last instants are printed and reckoned with, not trapped on")
    func extremes() {
        for milliseconds in [Int64.min, .min + 1, .max - 1, .max] {
            let text = Timestamp(milliseconds: milliseconds).description
            #expect(text.hasSuffix("Z"))
            let millisecond = ((milliseconds % 1000) + 1000) % 1000
            #expect(text.contains(String(1000 + millisecond).dropFirst()))
        }
        let first = Timestamp(milliseconds: .min)
        let last = Timestamp(milliseconds: .max)
        #expect(last + 1 == last && first + -1 == first)
        #expect(last - first == .max && first - last == .min)
    }

    @Test("the next reading is later than what was seen and not before now")
    func hybridTime() {
        let now = Timestamp(milliseconds: 100)
        #expect(HybridTime.next(now: now, after: nil) == HybridTime(milliseconds: 100, counter: 0))
        #expect(
            HybridTime.next(now: now, after: HybridTime(milliseconds: 99, counter: 9))
                == HybridTime(milliseconds: 100, counter: 0))
        for seen in [
            HybridTime(milliseconds: 100, counter: 0), HybridTime(milliseconds: 500, counter: 7),
            HybridTime(milliseconds: 100, counter: .max),
        ] {
            let next = HybridTime.next(now: now, after: seen)
            #expect(next > seen && next.timestamp >= now)
        }
        #expect(HybridTime.next(now: now, after: .last) == .last)
    }

    @Test("thirty-two bytes come back and are ordered bytewise", arguments: Seed.sample(50))
    func bytes32(_ seed: Seed) {
        var generator = seed.generator
        let a = (0..<40).map { _ in UInt8.random(in: 0...2, using: &generator) }
        let b = (0..<40).map { _ in UInt8.random(in: 0...2, using: &generator) }
        let offset = Int.random(in: 0...8, using: &generator)
        let left = Array(a[offset..<offset + 32])
        let right = Array(b[offset..<offset + 32])
        #expect(Bytes32(a, at: offset).bytes == left)
        #expect((Bytes32(left) < Bytes32(right)) == left.lexicographicallyPrecedes(right))
        #expect(Bytes32(exactly: a) == nil)
        #expect(Bytes32(exactly: left) == Bytes32(left))
    }

    @Test("hexadecimal text comes back, and odd or foreign text is refused")
    func hexadecimal() {
        let every = Array(UInt8.min...UInt8.max)
        #expect(Hexadecimal.decode(Hexadecimal.encode(every)) == every)
        #expect(Hexadecimal.decode("aBcD") == [0xab, 0xcd])
        for text in ["a", "0g", "+1", "\u{661}1"] { #expect(Hexadecimal.decode(text) == nil) }
    }

    @Test("the seeded generator gives SplitMix64's published sequence")
    func generator() {
        var generator = SeededGenerator(seed: 1_234_567)
        #expect(
            (0..<3).map { _ in generator.next() }
                == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }
}
