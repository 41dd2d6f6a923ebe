import IPLD
import MeshCore
import MeshCrypto
import MeshTestSupport
import Testing

private let hello: [UInt8] = Hexadecimal.decode("a16568656c6c6f65776f726c64") ?? []

@Suite("Content-addressable archives", .tags(.Size.small))
struct CARTests {
    @Test("an archive of one block has the bytes computed elsewhere")
    func golden() throws {
        let block = Block(hello, codec: .dagCBOR)
        let car = CAR(roots: [block.cid], blocks: [block])
        let hex =
            "3aa265726f6f747381d82a58250001711220785197229dc8bb1152945da58e2348f7e279eeded06cc2ca736d0e879858b501"
            + "6776657273696f6e013101711220785197229dc8bb1152945da58e2348f7e279eeded06cc2ca736d0e879858b501"
            + "a16568656c6c6f65776f726c64"
        #expect(Hexadecimal.encode(car.encoded) == hex)
        #expect(
            Hexadecimal.encode(SHA256.hash(car.encoded).bytes)
                == "383443c4e7ee0437ffc74252ed90015c808533a95c433e55826ef4ffc486dd11")
        #expect(try CAR(decoding: car.encoded) == car)
    }

    @Test("archives come back, of any number of blocks and any codec", arguments: Seed.sample(20))
    func roundTrip(_ seed: Seed) throws {
        var generator = seed.generator
        let codecs: [CID.Codec] = [.raw, .dagCBOR, .dagPB, CID.Codec(rawValue: 0x0129)]
        let blocks = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
            Block(
                (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }, codec: codecs[Int.random(in: 0..<codecs.count, using: &generator)])
        }
        let car = CAR(roots: blocks.prefix(2).map(\.cid), blocks: blocks)
        #expect(try CAR(decoding: car.encoded) == car)
    }

    @Test("a flipped bit anywhere is refused")
    func flipped() throws {
        let block = Block(hello, codec: .dagCBOR)
        let bytes = CAR(roots: [block.cid], blocks: [block]).encoded
        for index in bytes.indices {
            for bit in 0..<8 {
                var wrong = bytes
                wrong[index] ^= 1 << UInt8(bit)
                // A root may be any CID, and the codec in front of a digest is not hashed.
                let read = try? CAR(decoding: wrong)
                if let read {
                    #expect(
                        read.roots != [block.cid] || read.blocks.map(\.cid) != [block.cid], "byte \(index)")
                    #expect(read.blocks.map(\.bytes) == [hello] && read.encoded == wrong)
                }
            }
        }
    }

    @Test("an archive cut off anywhere but between blocks is refused")
    func truncated() throws {
        let first = Block(hello, codec: .dagCBOR)
        let second = Block([1, 2, 3], codec: .raw)
        let bytes = CAR(roots: [first.cid], blocks: [first, second]).encoded
        let boundaries = [59, 59 + 50, bytes.count]
        for length in 0...bytes.count {
            let read = try? CAR(decoding: Array(bytes[..<length]))
            #expect((read != nil) == boundaries.contains(length), "at \(length)")
        }
    }

    @Test(
        "framing that is wrong is refused with its reason",
        arguments: [
            ("nothing", "", IPLDFailure.truncated), ("an empty header", "00", .badCAR),
            ("a header longer than the file", "ffffffff7f", .badCAR),
            ("version 2", "0aa16776657273696f6e02", .schema),
            ("a header of version 3", "11a265726f6f7473806776657273696f6e03", .badCAR),
            ("a section of no bytes", "11a265726f6f7473806776657273696f6e0100", .badCAR),
            ("a section shorter than its CID", "11a265726f6f7473806776657273696f6e010401711220", .truncated),
            ("an unknown header field", "14a36178f665726f6f7473806776657273696f6e01", .schema),
        ])
    func framing(_ what: String, _ hex: String, _ code: IPLDFailure) throws {
        let bytes = try #require(Hexadecimal.decode(hex))
        let error = #expect(throws: IPLDError.self) { try CAR(decoding: bytes) }
        #expect(error?.code == code, "\(what): \(error?.message ?? "")")
    }

    @Test("a block that is not what its CID names is refused as such")
    func hashMismatch() {
        let block = Block(cid: CID(of: [1], codec: .raw), bytes: [2])
        let error = #expect(throws: IPLDError.self) {
            try CAR(decoding: CAR(roots: [], blocks: [block]).encoded)
        }
        #expect(error?.code == .hashMismatch)
    }
}
