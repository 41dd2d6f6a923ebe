import IPLD
import MeshCore
import MeshTestSupport
import Testing

/// A small record with one field that may be absent.
private struct Note: Equatable {
    var seq: UInt64
    var text: String?
    var scope: String

    var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 0)
        encoder.map { map in
            map.field("seq") { $0.unsigned(seq) }
            map.field("text", ifPresent: text) { $0.text($1) }
            map.field("scope") { $0.text(scope) }
        }
        return encoder.bytes
    }

    init(seq: UInt64, text: String?, scope: String) {
        (self.seq, self.text, self.scope) = (seq, text, scope)
    }

    init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                Note(
                    seq: try map.field("seq") { decoder throws(IPLDError) in
                        try decoder.unsigned(atMost: 1000)
                    },
                    text: try map.optional("text") { decoder throws(IPLDError) in try decoder.text(atMost: 10)
                    },
                    scope: try map.field("scope") { decoder throws(IPLDError) in try decoder.text(atMost: 10)
                    })
            }
        }
    }
}

private func map(_ entries: (String, IPLDValue)...) -> [UInt8] {
    IPLDValue.map(entries.map { IPLDValue.Entry(key: $0.0, value: $0.1) }).encoded
}

private let one = IPLDValue.integer(negative: false, magnitude: 1)
private let all = IPLDValue.text("all")

@Suite("Records are read by their schema", .tags(.Size.small))
struct RecordReaderTests {
    @Test("a record comes back, with and without its optional field", arguments: ["hello", nil])
    func roundTrip(_ text: String?) throws {
        let note = Note(seq: 7, text: text, scope: "all")
        #expect(try Note(decoding: note.encoded) == note)
        #expect(try IPLDValue(decoding: note.encoded).encoded == note.encoded)
    }

    @Test(
        "what the schema does not say is refused",
        arguments: [
            ("an unknown field in front", map(("a", one), ("seq", one), ("scope", all))),
            ("an unknown field in the middle", map(("seq", one), ("sort", one), ("scope", all))),
            ("an unknown field of the same length", map(("sea", one), ("seq", one), ("scope", all))),
            ("an unknown field at the end", map(("seq", one), ("scope", all), ("zzzzzz", one))),
            ("a missing first field", map(("scope", all))),
            ("a missing last field", map(("seq", one), ("text", all))),
            ("no field", [0xa0]),
            ("null for an absent field", map(("seq", one), ("text", .null), ("scope", all))),
            ("another type", map(("seq", all), ("scope", all))),
            ("a negative number", map(("seq", .integer(negative: true, magnitude: 0)), ("scope", all))),
            (
                "a number above its limit",
                map(("seq", .integer(negative: false, magnitude: 1001)), ("scope", all))
            ),
            ("a list", [0x80]),
        ])
    func refused(_ what: String, _ bytes: [UInt8]) {
        let error = #expect(throws: IPLDError.self) { try Note(decoding: bytes) }
        #expect(error?.code == .schema, "\(what): \(error?.message ?? "")")
    }

    @Test("a field that is announced but not there is refused")
    func announced() {
        // A map of three that ends after two: by its schema there is a field too many.
        let bytes = Hexadecimal.decode("a3637365710165" + "73636f706563616c6c") ?? []
        let byRecord = #expect(throws: IPLDError.self) { try Note(decoding: bytes) }
        #expect(byRecord?.code == .schema)
        let byTree = #expect(throws: IPLDError.self) { try IPLDValue(decoding: bytes) }
        #expect(byTree?.code == .truncated)
    }

    @Test("fields in the wrong order are refused as not canonical")
    func wrongOrder() {
        let bytes = Hexadecimal.decode("a2" + "6573636f7065" + "63616c6c" + "63736571" + "01") ?? []
        #expect(throws: IPLDError.self) { try Note(decoding: bytes) }
        let error = #expect(throws: IPLDError.self) { try IPLDValue(decoding: bytes) }
        #expect(error?.code == .notCanonical)
    }

    @Test("text and lists beyond their cap are refused as too large")
    func caps() {
        let long = Note(seq: 1, text: String(repeating: "x", count: 11), scope: "all").encoded
        let error = #expect(throws: IPLDError.self) { try Note(decoding: long) }
        #expect(error?.code == .tooLarge)
        let links = IPLDValue.list([CID](repeating: CID(of: [], codec: .raw), count: 3).map(IPLDValue.link))
        let second = #expect(throws: IPLDError.self) {
            try DAGCBORDecoder.decode(links.encoded) { decoder throws(IPLDError) in
                try decoder.links(atMost: 2)
            }
        }
        #expect(second?.code == .tooLarge)
    }

    @Test("a decoder whose record failed still knows its bytes")
    func afterFailure() throws {
        let bytes = map(("seq", all))
        var decoder = DAGCBORDecoder(bytes)
        var failed = false
        do throws(IPLDError) {
            _ = try decoder.map { map throws(IPLDError) in
                try map.field("seq") { decoder throws(IPLDError) in try decoder.unsigned() }
            }
        } catch {
            failed = true
        }
        #expect(failed)
        #expect(decoder.bytes == bytes)
        #expect(decoder.offset == 5)
    }

    @Test("a map of data gives its keys in order and its values with them")
    func dataMap() throws {
        let values = ["zz": "1", "a": "2", "": "3", "ß": "4"]
        var encoder = DAGCBOREncoder()
        encoder.textMap(values)
        let bytes = encoder.bytes
        #expect(
            try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in try decoder.textMap(atMost: 4) }
                == values)
        let keys = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                var keys: [String] = []
                while let key = try map.nextKey() {
                    keys.append(key)
                    _ = try map.value { decoder throws(IPLDError) in try decoder.text() }
                }
                return keys
            }
        }
        #expect(keys == ["", "a", "zz", "ß"])
        let error = #expect(throws: IPLDError.self) {
            try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in try decoder.textMap(atMost: 3) }
        }
        #expect(error?.code == .tooLarge)
    }

    @Test("maps of 23, 24 and 255 fields have the right head", arguments: [23, 24, 255])
    func manyFields(_ count: Int) throws {
        var encoder = DAGCBOREncoder(capacity: 0)
        encoder.arrayHead(2)
        encoder.map { map in
            for index in 0..<count { map.field(String(1000 + index)) { $0.unsigned(UInt64(index)) } }
        }
        encoder.null()
        guard case .list(let items) = try IPLDValue(decoding: encoder.bytes),
            case .map(let entries) = items[0]
        else {
            Issue.record("not a list with a map")
            return
        }
        #expect(entries.map(\.key) == (0..<count).map { String(1000 + $0) })
        #expect(items[1] == .null)
    }

    @Test("writing a field out of order stops the program")
    func orderIsChecked() async {
        await #expect(processExitsWith: .failure) {
            var encoder = DAGCBOREncoder()
            encoder.map { map in
                map.field("b") { $0.null() }
                map.field("a") { $0.null() }
            }
        }
        await #expect(processExitsWith: .failure) {
            var encoder = DAGCBOREncoder()
            encoder.map { map in
                map.field("same") { $0.null() }
                map.field("same") { $0.null() }
            }
        }
    }

    @Test("integers are read over the whole of Int64 and refused beyond")
    func integers() throws {
        for value in [Int64.min, -1, 0, 1, 23, 24, .max] {
            var encoder = DAGCBOREncoder()
            encoder.integer(value)
            let bytes = encoder.bytes
            #expect(
                try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in try decoder.integer() }
                    == value)
        }
        for hex in ["1b8000000000000000", "3b8000000000000000", "60"] {
            let bytes = try #require(Hexadecimal.decode(hex))
            let error = #expect(throws: IPLDError.self) {
                try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in try decoder.integer() }
            }
            #expect(error?.code == .schema)
        }
    }

    @Test("The kind of the next item is told before it is read, and what DAG-CBOR has not is refused")
    func kinds() throws {
        let kinds: [(String, DAGCBORDecoder.Kind)] = [
            ("00", .unsigned), ("1bffffffffffffffff", .unsigned), ("20", .negative), ("40", .byteString),
            ("60", .text), ("80", .array), ("a0", .map), ("d82a", .link), ("f4", .bool), ("f5", .bool),
            ("f6", .null), ("fb3ff8000000000000", .float),
        ]
        for (hex, kind) in kinds {
            let decoder = DAGCBORDecoder(try #require(Hexadecimal.decode(hex)))
            #expect(try decoder.nextKind() == kind, "\(hex)")
            #expect(decoder.offset == 0)
        }
        for hex in ["", "f7", "f93e00", "fa3fc00000", "ff"] {
            let bytes = try #require(Hexadecimal.decode(hex))
            #expect(throws: IPLDError.self) { try DAGCBORDecoder(bytes).nextKind() }
        }
    }
}
