import IPLD
import MeshCore
import MeshTestSupport
import Testing

@Suite("Bytes from anyone", .tags(.Size.small))
struct HostileBytesTests {
    @Test(
        "random and mutated bytes never trap, and what is read is written the same",
        arguments: Seed.sample(40))
    func randomBytes(_ seed: Seed) throws {
        var generator = seed.generator
        var accepted = 0
        for _ in 0..<500 {
            let bytes = Bool.random(using: &generator) ? noise(&generator) : mutated(&generator)
            let value = try? IPLDValue(decoding: bytes)
            if let value {
                accepted += 1
                #expect(value.encoded == bytes, "\(seed.testDescription): \(Hexadecimal.encode(bytes))")
            }
            // The walk that builds nothing accepts exactly the same bytes.
            let walked = try? DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in try decoder.skip() }
            #expect(
                (walked != nil) == (value != nil), "\(seed.testDescription): \(Hexadecimal.encode(bytes))")
            _ = try? CAR(decoding: bytes)
            _ = try? CID(bytes: bytes)
            var offset = 0
            _ = try? Varint.read(bytes, at: &offset)
            _ = try? CID(String(decoding: bytes, as: UTF8.self))
            _ = Timestamp(String(decoding: bytes, as: UTF8.self))
        }
        #expect(accepted > 0)
    }

    @Test("random trees come back from their own bytes", arguments: Seed.sample(40))
    func randomTrees(_ seed: Seed) throws {
        var generator = seed.generator
        for _ in 0..<50 {
            let tree = tree(&generator, depth: 4)
            let bytes = tree.encoded
            let read = try IPLDValue(decoding: bytes)
            #expect(read.encoded == bytes)
            #expect(read.links.count == tree.links.count)
        }
    }

    private func noise(_ generator: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 0...24, using: &generator)).map { _ in
            UInt8.random(in: 0...255, using: &generator)
        }
    }

    private func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = tree(&generator, depth: 3).encoded
        for _ in 0..<Int.random(in: 0...2, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0...3, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
            default: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            }
        }
        return bytes
    }

    private func tree(_ generator: inout SeededGenerator, depth: Int) -> IPLDValue {
        let magnitude =
            UInt64.random(in: 0...UInt64.max, using: &generator)
            >> UInt64.random(in: 0...63, using: &generator)
        switch Int.random(in: 0...(depth > 0 ? 8 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .integer(negative: Bool.random(using: &generator), magnitude: magnitude)
        case 3: return .double(Double(bitPattern: magnitude & 0x7fef_ffff_ffff_ffff))
        case 4: return .text(word(&generator))
        case 5: return .bytes(noise(&generator))
        case 6: return .link(CID(of: noise(&generator), codec: .dagCBOR))
        case 7:
            return .list(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in tree(&generator, depth: depth - 1) }
            )
        default:
            let keys = Set((0..<Int.random(in: 0...4, using: &generator)).map { _ in word(&generator) })
                .sorted()
            return .map(keys.map { IPLDValue.Entry(key: $0, value: tree(&generator, depth: depth - 1)) })
        }
    }

    private func word(_ generator: inout SeededGenerator) -> String {
        let letters = Array("abc\u{e9}\u{4f60}\u{1f600}\n\u{0}")
        return String(
            (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                letters[Int.random(in: 0..<letters.count, using: &generator)]
            })
    }
}
