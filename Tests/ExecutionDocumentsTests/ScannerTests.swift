import ExecutionDocuments
import MeshCore
import MeshTestSupport
import Testing

@Suite("JSON as documents are read", .tags(.Size.small))
struct ScannerTests {
    @Test(
        "what RFC 8259 has is read",
        arguments: [
            "null", " true ", "false", "0", "-0", "-1.5e+10", "1E9", "\"\"", "\"\\u0041\\ud834\\udd1e\"",
            "[]",
            "[ ]", "[1,\n2]", "{}", "{\"a\":{\"b\":[]}}", "\"\u{7f}\"", "{\"\":1}",
            "{\"é\":1,\"e\u{301}\":2}",
        ])
    func accepted(_ json: String) throws {
        let read = try value(json)
        #expect(try DocumentValue(decoding: read.compact) == read)
        #expect(try DocumentValue(decoding: read.canonical).canonical == read.canonical)
    }

    @Test(
        "what it does not have is refused, and so is what readers disagree about",
        arguments: [
            "", " ", "nul", "nulll", "True", "01", "-", "1.", ".5", "+1", "1e", "0x1", "NaN", "Infinity",
            "\"",
            "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\ud834\"", "\"\\ud834\\u0041\"", "\"\\udd1e\"", "\"\t\"",
            "[",
            "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}",
            "{a:1}", "{'a':1}", "{\"a\" 1}", "{1:1}", "1 2", "{} {}", "// no\n1", "\u{FEFF}1",
            "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "[{\"b\":{\"c\":0,\"c\":0}}]",
            "{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1,\"10\":1,\"9\":1}",
        ])
    func refused(_ json: String) {
        #expect(failure { _ = try value(json) } == .badJSON)
    }

    @Test(
        "bytes that are not UTF-8 are refused within text",
        arguments: [
            [0x80], [0xC0, 0x80], [0xC2], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5], [0xFF], [0xE2, 0x82], [0x00], [0x1F],
        ] as [[UInt8]])
    func badBytes(_ bytes: [UInt8]) {
        #expect(failure { _ = try DocumentValue(decoding: [0x22] + bytes + [0x22]) } == .badJSON)
        #expect(failure { _ = try DocumentValue(decoding: [0x22] + bytes) } == .badJSON)
    }

    @Test("depth, length, number of values and length of a number end at their bounds and not before")
    func bounds() throws {
        let deep = { (levels: Int) in
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(failure { _ = try value(deep(64)) } == nil)
        #expect(failure { _ = try value(deep(65)) } == .tooLarge)
        #expect(failure { _ = try value(String(repeating: "{\"a\":", count: 100_000)) } == .tooLarge)
        let limits = DocumentLimits(byteCountMax: 10, valueCountMax: 4, numberLengthMax: 3)
        let read = { (json: String) in
            failure { _ = try DocumentValue(decoding: Array(json.utf8), limits: limits) }
        }
        #expect(read("[1, 2, 3]") == nil)
        #expect(read("[1, 2, 34 ]") == .tooLarge)
        #expect(read("[1,2,3,4]") == .tooLarge)
        #expect(read("123") == nil && read("1234") == .tooLarge)
    }

    @Test(
        "random documents come back byte for byte, and their canonical form is one",
        arguments: Seed.sample(300))
    func roundTrip(_ seed: Seed) throws {
        var random = RandomJSON(generator: seed.generator)
        let bytes = Array(random.document().utf8)
        let document = try ExecutionDocument(decoding: bytes)
        #expect(document.bytes == bytes)
        let canonical = try ExecutionDocument(decoding: document.canonical)
        #expect(canonical.canonical == document.canonical && canonical.uid == document.uid)
        #expect(ChangeRecord(from: document, to: canonical).changes.isEmpty)
    }

    @Test("writing and removing members leaves the bytes of all others alone", arguments: Seed.sample(300))
    func editing(_ seed: Seed) throws {
        var random = RandomJSON(generator: seed.generator)
        var document = try ExecutionDocument(decoding: Array(random.document().utf8))
        var expected = document.members
        for _ in 0..<8 {
            let key = DocumentText("k\(random.below(4))")
            if random.below(3) == 0 {
                document = try document.merging(.object([DocumentMember(key, .null)]))
                expected.removeAll { $0.key == key }
            } else {
                let new = try value(random.value(3))
                try document.set(key, to: new)
                if let place = expected.firstIndex(where: { $0.key == key }) {
                    expected[place].value = new
                } else {
                    expected.append(DocumentMember(key, new))
                }
            }
            #expect(document.members == expected)
            // What is kept as ranges is what a reader finds.
            #expect(try ExecutionDocument(decoding: document.bytes).members == expected)
        }
    }

    @Test(
        "documents that were spoilt never trap, and are read as themselves or refused",
        arguments: Seed.sample(300))
    func spoilt(_ seed: Seed) throws {
        var random = RandomJSON(generator: seed.generator)
        let bytes = Array(random.document().utf8)
        var read = 0
        for _ in 0..<20 {
            var wrong = bytes
            switch random.below(4) {
            case 0: wrong.removeLast(random.below(wrong.count))
            case 1: wrong[random.below(wrong.count)] = UInt8(random.below(256))
            case 2: wrong.insert(UInt8(random.below(256)), at: random.below(wrong.count))
            default: wrong.removeSubrange(random.below(wrong.count)...)
            }
            do {
                let document = try ExecutionDocument(decoding: wrong)
                #expect(document.bytes == wrong)
                read += 1
            } catch { #expect(!error.message.isEmpty) }
        }
        #expect(read <= 20)
    }
}
