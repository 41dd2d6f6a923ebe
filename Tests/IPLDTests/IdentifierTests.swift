import IPLD
import MeshCore
import MeshTestSupport
import Testing

@Suite("Identifiers and their texts", .tags(.Size.small))
struct IdentifierTests {
    @Test(
        "well-known blocks have their well-known CIDs",
        arguments: [
            ("a0", CID.Codec.dagCBOR, "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua"),
            (
                "a16568656c6c6f65776f726c64", .dagCBOR,
                "bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae"
            ),
            ("f6", .dagCBOR, "bafyreifqwkmiw256ojf2zws6tzjeonw6bpd5vza4i22ccpcq4hjv2ts7cm"),
            ("0061736d01000000", .raw, "bafkreieturf3xfwhkeqy4taa2r46jqkdlajcuoe2zsqwebnr4tinyx4uoy"),
        ])
    func golden(_ hex: String, _ codec: CID.Codec, _ text: String) throws {
        let cid = CID(of: try #require(Hexadecimal.decode(hex)), codec: codec)
        #expect(cid.description == text)
        #expect(try CID(text) == cid)
        #expect(try CID(bytes: cid.bytes) == cid)
        #expect(cid.bytes.count == 36 && cid.byteCount == 36)
    }

    @Test("the binary form of the empty map's CID is the one computed elsewhere")
    func binary() {
        #expect(
            Hexadecimal.encode(CID(of: [0xa0], codec: .dagCBOR).bytes)
                == "01711220c19a797fa1fd590cd2e5b42d1cf5f246e29b91684e2f87404b81dc345c7a56a0")
    }

    @Test("CIDs come back from bytes and from both texts, whatever their codec", arguments: Seed.sample(100))
    func roundTrip(_ seed: Seed) throws {
        var generator = seed.generator
        let digest = Bytes32((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
        let code =
            UInt32(truncatingIfNeeded: generator.next()) >> UInt32.random(in: 0...31, using: &generator)
        let cid = CID(codec: CID.Codec(rawValue: code), digest: digest)
        #expect(try CID(bytes: cid.bytes) == cid)
        #expect(cid.byteCount == cid.bytes.count)
        #expect(try CID(cid.description) == cid)
        #expect(try CID("z" + Multibase.base58(cid.bytes)) == cid)
        let zero = try CID(bytes: [0x12, 0x20] + digest.bytes)
        #expect(zero.version == 0 && zero.description.hasPrefix("Qm"))
        #expect(try CID(zero.description) == zero)
        var encoder = DAGCBOREncoder()
        encoder.links([cid, zero])
        let bytes = encoder.bytes
        #expect(
            try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in try decoder.links(atMost: 2) }
                == [cid, zero])
    }

    @Test(
        "text that is no CID is refused",
        arguments: [
            "", "b", "z", "Q", "bafy",
            "f01711220c19a797fa1fd590cd2e5b42d1cf5f246e29b91684e2f87404b81dc345c7a56a0",
            "BAFYREIGBTJ4X7IP5LEGNFZNUFUOPL4SG4KNZC2COF6DUAS4B3Q2FY6SWUA",
            "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swub",
            "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swu",
            "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swuaa",
            "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swu=",
            "b\u{e4}fyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua",
            "zQmNX6Tffavsya4xgBi2VJQnSuqy9GsxongxZZ9uZBqp16d",
            "QmNX6Tffavsya4xgBi2VJQnSuqy9GsxongxZZ9uZBqp16",
            "QmNX6Tffavsya4xgBi2VJQnSuqy9GsxongxZZ9uZBqp160", String(repeating: "b", count: 1_000_000),
        ])
    func refused(_ text: String) {
        let error = #expect(throws: IPLDError.self) { try CID(text) }
        #expect((error?.message.utf8.count ?? 0) < 300)
    }

    @Test("base32 and base58 come back, for every length up to 40", arguments: Seed.sample(20))
    func bases(_ seed: Seed) {
        var generator = seed.generator
        for count in 0...40 {
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if Bool.random(using: &generator) { bytes = [0, 0] + bytes }
            #expect(Multibase.decodeBase32(Multibase.base32(bytes).utf8) == bytes)
            #expect(Multibase.decodeBase58(Multibase.base58(bytes).utf8) == bytes)
        }
    }

    @Test("the RFC 4648 examples hold, in lower case and without padding")
    func base32Vectors() {
        let pairs = [
            ("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"),
            ("fooba", "mzxw6ytb"),
            ("foobar", "mzxw6ytboi"),
        ]
        for (plain, text) in pairs { #expect(Multibase.base32(Array(plain.utf8)) == text) }
    }

    @Test("the Base58 draft's examples hold")
    func base58Vectors() {
        #expect(Multibase.base58(Array("Hello World!".utf8)) == "2NEpo7TZRRrLZSi2U")
        #expect(Multibase.base58([0, 0, 0x28, 0x7f, 0xb4, 0xcd]) == "11233QC4")
    }

    @Test("every foreign character is refused")
    func foreign() {
        let alphabet32 = Set("abcdefghijklmnopqrstuvwxyz234567".utf8)
        let alphabet58 = Set("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)
        for character in UInt8.min...UInt8.max {
            #expect(
                (Multibase.decodeBase32([0x61, 0x61, character, 0x61, 0x61, 0x61, 0x61, 0x61]) != nil)
                    == alphabet32.contains(character))
            #expect((Multibase.decodeBase58([0x61, character]) != nil) == alphabet58.contains(character))
        }
        #expect(Multibase.decodeBase58([UInt8](repeating: 0x7a, count: 129)) == nil)
        // One character, and spare bits that are not zero.
        for text in ["a", "aaa", "aaaaaa", "mz1", "mb", "mzxr"] {
            #expect(Multibase.decodeBase32(text.utf8) == nil, "\(text)")
        }
    }

    @Test("varints are minimal and at most nine bytes")
    func varints() throws {
        for (value, hex) in [
            (UInt64(0), "00"), (1, "01"), (127, "7f"), (128, "8001"), (0xed, "ed01"), (0x1200, "8024"),
            (16_384, "808001"),
            (UInt64(Int64.max), "ffffffffffffffff7f"),
        ] {
            var bytes: [UInt8] = []
            Varint.append(value, to: &bytes)
            #expect(Hexadecimal.encode(bytes) == hex)
            var offset = 0
            #expect(try Varint.read(bytes, at: &offset) == value)
            #expect(offset == bytes.count)
        }
        for (hex, code) in [
            ("", IPLDFailure.truncated), ("80", .truncated), ("ffffff", .truncated), ("8000", .notCanonical),
            ("ff8000", .notCanonical), ("80808080808080808001", .notCanonical),
            ("ffffffffffffffffff01", .notCanonical),
        ] {
            var offset = 0
            let bytes = Hexadecimal.decode(hex) ?? []
            do throws(IPLDError) {
                _ = try Varint.read(bytes, at: &offset)
                Issue.record("\(hex) was read")
            } catch {
                #expect(error.code == code, "\(hex)")
            }
            #expect(offset == 0)
        }
    }
}
