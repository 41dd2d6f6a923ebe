import IPLD
import MeshCore
import MeshTestSupport
import Testing

/// One encoding that is not the canonical one, with what it must be refused as.
struct Refusal: Sendable, CustomTestStringConvertible {
    let what: String
    let hex: String
    let code: IPLDFailure

    init(_ what: String, _ hex: String, _ code: IPLDFailure = .notCanonical) {
        self.what = what
        self.hex = hex
        self.code = code
    }

    var testDescription: String { what }
    var bytes: [UInt8] { Hexadecimal.decode(hex) ?? [] }
}

private let digest = String(repeating: "11", count: 32)

private let refusals: [Refusal] = [
    Refusal("0 in one more byte", "1800"),
    Refusal("23 in one more byte", "1817"),
    Refusal("255 in two more bytes", "1900ff"),
    Refusal("65535 in four more bytes", "1a0000ffff"),
    Refusal("2^32 - 1 in eight more bytes", "1b00000000ffffffff"),
    Refusal("-1 in one more byte", "3800"),
    Refusal("-256 in two more bytes", "3900ff"),
    Refusal("-65536 in four more bytes", "3a0000ffff"),
    Refusal("-2^32 in eight more bytes", "3b00000000ffffffff"),
    Refusal("a long byte string length", "580161"),
    Refusal("a long byte string length in two bytes", "59000161"),
    Refusal("a long text length", "780161"),
    Refusal("a long text length in four bytes", "7a0000000161"),
    Refusal("a long array length", "980101"),
    Refusal("a long map length", "b801616101"),
    Refusal("a long length of a key", "a178016101"),
    Refusal("reserved information 28", "1c"),
    Refusal("reserved information 29", "3d"),
    Refusal("reserved information 30", "5e"),
    Refusal("an integer of indefinite length", "1f"),
    Refusal("a byte string of indefinite length", "5f4101ff"),
    Refusal("text of indefinite length", "7f6161ff"),
    Refusal("an array of indefinite length", "9f01ff"),
    Refusal("a map of indefinite length", "bf616101ff"),
    Refusal("a tag of indefinite length", "df00"),
    Refusal("a lone break", "ff"),
    Refusal("a float of 16 bits", "f93c00"),
    Refusal("a float of 32 bits", "fa3f800000"),
    Refusal("NaN of 16 bits", "f97e00"),
    Refusal("NaN", "fb7ff8000000000000"),
    Refusal("a signalling NaN", "fb7ff0000000000001"),
    Refusal("infinity", "fb7ff0000000000000"),
    Refusal("minus infinity", "fbfff0000000000000"),
    Refusal("undefined", "f7"),
    Refusal("simple value 0", "e0"),
    Refusal("simple value 19", "f3"),
    Refusal("simple value 32", "f820"),
    Refusal("false in two bytes", "f814"),
    Refusal("a date, tag 0", "c06161"),
    Refusal("an integer beyond 2^64, tag 2", "c249010000000000000000"),
    Refusal("an integer below -2^64, tag 3", "c349010000000000000000"),
    Refusal("tag 41", "d829582500015512" + "20" + digest),
    Refusal("tag 42 in two more bytes", "d9002a582500015512" + "20" + digest),
    Refusal("a link that is text", "d82a6161", .schema),
    Refusal("a link that is a number", "d82a01", .schema),
    Refusal("a link without its zero byte", "d82a582401551220" + digest),
    Refusal("a link with another first byte", "d82a58250101551220" + digest),
    Refusal("a link that is empty", "d82a40"),
    Refusal("a link that is only its zero byte", "d82a4100"),
    Refusal("a link to version 2", "d82a58250002551220" + digest, .badCID),
    Refusal(
        "a link by another hash whose digest is shorter than it says", "d82a58250001551321" + digest, .badCID),
    Refusal(
        "a link by another hash whose digest is longer than it says", "d82a5825000155131f" + digest, .badCID),
    Refusal("a link with a short digest", "d82a5824000155121f" + String(digest.dropLast(2)), .badCID),
    Refusal("a link with a padded version", "d82a5826008100551220" + digest),
    Refusal("a link with a byte too many", "d82a58260001551220" + digest + "00"),
    Refusal("a link with a byte too few", "d82a58240001551220" + digest),
    Refusal("a number as key", "a10101", .schema),
    Refusal("bytes as key", "a1416101", .schema),
    Refusal("null as key", "a1f601", .schema),
    Refusal("a repeated key", "a2616101616102"),
    Refusal("the empty key repeated", "a260016002"),
    Refusal("the empty key second", "a26161016002"),
    Refusal("keys out of order bytewise", "a2616201616102"),
    Refusal("keys ordered bytewise but not by length", "a262616101616202"),
    Refusal("a repeated key that is not a neighbour", "a3616101616202616103"),
    Refusal("text that is not UTF-8", "61ff"),
    Refusal("overlong UTF-8", "62c080"),
    Refusal("a surrogate in UTF-8", "63eda080"),
    Refusal("UTF-8 cut off within the text", "62e282"),
    Refusal("a key that is not UTF-8", "a161ff01"),
    Refusal("a byte behind the item", "0000", .trailingBytes),
    Refusal("an item behind the item", "a0a0", .trailingBytes),
    Refusal("no bytes at all", "", .truncated),
]

/// Items whose announced size is far beyond what is there.
private let announcements: [Refusal] = ["5b", "7b", "9b", "bb", "da", "db"].flatMap { head in
    ["7fffffffffffffff", "ffffffffffffffff", "0000000100000000"].map {
        Refusal("\(head) announcing 0x\($0)", head + $0, .truncated)
    }
}

@Suite("What is not canonical is refused", .tags(.Size.small))
struct CanonicalFormTests {
    @Test("a form that is not the canonical one is refused by tree and by check", arguments: refusals)
    func refused(_ refusal: Refusal) {
        let error = #expect(throws: IPLDError.self) { try IPLDValue(decoding: refusal.bytes) }
        #expect(error?.code == refusal.code, "\(refusal.what): \(error?.message ?? "")")
        let again = #expect(throws: IPLDError.self) {
            try DAGCBORDecoder.decode(refusal.bytes) { decoder throws(IPLDError) in try decoder.skip() }
        }
        #expect(again?.code == refusal.code)
        // The same inside a list, where nothing is at the end of the bytes by chance.
        if refusal.code != .trailingBytes, !refusal.hex.isEmpty {
            #expect(throws: IPLDError.self) { try IPLDValue(decoding: [0x82] + refusal.bytes + [0x00]) }
        }
    }

    @Test("a length beyond the bytes is refused before anything is allocated", arguments: announcements)
    func announced(_ refusal: Refusal) {
        let bytes = refusal.bytes + [0, 0]
        #expect(throws: IPLDError.self) { try IPLDValue(decoding: bytes) }
        #expect(throws: IPLDError.self) {
            try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in try decoder.skip() }
        }
    }

    @Test("a link by another hash is kept by tools and refused by records", arguments: ["13", "1e", "00"])
    func foreignHash(_ hash: String) throws {
        let bytes = try #require(Hexadecimal.decode("d82a5825000155" + hash + "20" + digest))
        let value = try IPLDValue(decoding: bytes)
        #expect(value == .foreignLink(Array(bytes[5...])))
        #expect(value.encoded == bytes && value.links.isEmpty)
        #expect(
            try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in try decoder.skip() } == 0..<41)
        let error = #expect(throws: IPLDError.self) {
            try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in try decoder.link() }
        }
        #expect(error?.code == .badCID)
    }

    @Test("an item cut off at any byte is refused as cut off")
    func truncated() throws {
        let whole = sampleItem.encoded
        for length in 0..<whole.count {
            let error = #expect(throws: IPLDError.self) { try IPLDValue(decoding: Array(whole[..<length])) }
            #expect(error?.code == .truncated, "at \(length): \(error?.message ?? "")")
        }
        #expect(try IPLDValue(decoding: whole) == sampleItem)
    }

    @Test("nesting is read down to the bound and refused below it", arguments: ["81", "a16161"])
    func nesting(_ level: String) throws {
        let open = try #require(Hexadecimal.decode(level))
        func nested(_ levels: Int) -> [UInt8] {
            (0..<levels).flatMap { _ in open } + [0x00]
        }
        let deepest = nested(DAGCBORDecoder.depthMax)
        #expect(try IPLDValue(decoding: deepest).encoded == deepest)
        for levels in [DAGCBORDecoder.depthMax + 1, 100_000] {
            let error = #expect(throws: IPLDError.self) { try IPLDValue(decoding: nested(levels)) }
            #expect(error?.code == .tooLarge)
            let again = #expect(throws: IPLDError.self) {
                try DAGCBORDecoder.decode(nested(levels)) { decoder throws(IPLDError) in try decoder.skip() }
            }
            #expect(again?.code == .tooLarge)
        }
    }

    @Test(
        "the ends of every width are read and written in their shortest form",
        arguments: [
            "00", "17", "1818", "18ff", "190100", "19ffff", "1a00010000", "1affffffff", "1b0000000100000000",
            "1bffffffffffffffff", "20", "37", "3818", "3bffffffffffffffff", "f4", "f5", "f6", "40", "60",
            "80", "a0",
            "fb0000000000000000", "fb8000000000000000", "fb0000000000000001", "fb7fefffffffffffff",
            "a16001", "a26001616102",
        ])
    func shortest(_ hex: String) throws {
        let bytes = try #require(Hexadecimal.decode(hex))
        #expect(try IPLDValue(decoding: bytes).encoded == bytes)
    }
}

/// A value that holds every kind of item.
let sampleItem = IPLDValue.map([
    .init(key: "", value: .text("the empty key")),
    .init(key: "a", value: .integer(negative: false, magnitude: 70_000)),
    .init(key: "b", value: .integer(negative: true, magnitude: .max)),
    .init(key: "c", value: .list([.null, .bool(true), .bool(false), .double(-1.5)])),
    .init(key: "d", value: .bytes([UInt8](repeating: 7, count: 300))),
    .init(key: "e", value: .link(CID(of: [1, 2, 3], codec: .raw))),
    .init(key: "ä", value: .text("Grüße aus dem Süden, 你好")),
    .init(key: "longer", value: .map([.init(key: "deep", value: .list([]))])),
])
