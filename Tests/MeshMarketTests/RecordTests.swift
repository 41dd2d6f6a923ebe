import IPLD
import MeshCore
import MeshFederation
import MeshIdentity
import MeshMarket
import MeshTestSupport
import Testing

@Suite("Records", .tags(.Size.small))
struct RecordTests {
    /// The fields that a record may do without.
    private static let optional: [String: Set<String>] = [
        "manifest": ["entry", "parent"], "receipt": ["award", "execution"], "profile": ["location"],
        "bundle": ["prev"],
        "attestation": ["close", "reason", "observed"],
    ]

    private func fields(_ bytes: [UInt8]) throws -> [IPLDValue.Entry] {
        guard case .map(let entries) = try IPLDValue(decoding: bytes) else {
            Issue.record("a record is a map")
            return []
        }
        return entries
    }

    /// A map with its fields in the order given, canonical or not.
    private func written(_ entries: [IPLDValue.Entry]) -> [UInt8] {
        var bytes: [UInt8] =
            entries.count < 24 ? [0xa0 + UInt8(entries.count)] : [0xb8, UInt8(entries.count)]
        for entry in entries { bytes += IPLDValue.text(entry.key).encoded + entry.value.encoded }
        return bytes
    }

    @Test("every record comes back as it was written", arguments: Seed.sample(100))
    func roundTrip(_ seed: Seed) throws {
        for record in SampleRecord.all(seed.generator) {
            #expect(try record.again(record.bytes) == record.bytes, "\(record.name)")
        }
        var samples = Samples(seed.generator)
        let manifest = samples.manifest()
        #expect(try JobManifest(decoding: manifest.encoded) == manifest)
        #expect(try Entry(decoding: manifest.encoded) == .manifest(manifest))
        let award = samples.award()
        #expect(try Entry(decoding: award.encoded) == .award(award))
        #expect(try Entry(decoding: award.encoded).attachments == [award.bids])
        let receipt = samples.receipt()
        #expect(try Entry(decoding: receipt.encoded) == .receipt(receipt))
        let close = samples.close()
        #expect(try Entry(decoding: close.encoded) == .close(close))
        let profile = samples.profile()
        #expect(try Entry(decoding: profile.encoded) == .profile(profile))
        let attestation = samples.attestation()
        #expect(try Entry(decoding: attestation.encoded) == .attestation(attestation))
        let bundle = samples.bundle()
        #expect(try FederationBundle(decoding: bundle.encoded) == bundle)
        let bids = samples.bids()
        #expect(try Bids(Envelope(signing: bids.encoded, tag: Bids.tag, by: NobodySigner())) == bids)
    }

    @Test(
        "fields that are unknown, missing, repeated or out of order are refused", arguments: Seed.sample(10))
    func fieldRules(_ seed: Seed) throws {
        for record in SampleRecord.all(seed.generator) {
            let entries = try fields(record.bytes)
            #expect(written(entries) == record.bytes)
            for name in ["a", "zz", "a-very-long-name-that-sorts-last"] {
                let more = IPLDValue.map(entries + [.init(key: name, value: .null)]).encoded
                #expect(throws: (any Error).self, "\(record.name) with \(name)") { try record.again(more) }
            }
            for index in entries.indices {
                var fewer = entries
                let missing = fewer.remove(at: index)
                if Self.optional[record.name]?.contains(missing.key) != true {
                    #expect(throws: (any Error).self, "\(record.name) without \(missing.key)") {
                        try record.again(written(fewer))
                    }
                }
                #expect(throws: (any Error).self) { try record.again(written(entries + [missing])) }
                guard index > 0 else { continue }
                var swapped = entries
                swapped.swapAt(index, index - 1)
                #expect(throws: (any Error).self) { try record.again(written(swapped)) }
            }
        }
    }

    @Test(
        "numbers, texts and lists beyond their bounds and fields of another type are refused",
        arguments: Seed.sample(10))
    func bounds(_ seed: Seed) throws {
        let long = String(repeating: "x", count: 256 * 1024)
        let many = IPLDValue.list([IPLDValue](repeating: .text("x"), count: 5_000))
        for record in SampleRecord.all(seed.generator) {
            let entries = try fields(record.bytes)
            for index in entries.indices {
                var wrong: [IPLDValue] = [.double(1), .null, .text(long), many]
                if case .integer = entries[index].value {
                    wrong += [
                        .integer(negative: false, magnitude: amountMax + 1),
                        .integer(negative: true, magnitude: 0),
                    ]
                }
                for value in wrong {
                    var changed = entries
                    changed[index] = .init(key: entries[index].key, value: value)
                    #expect(throws: (any Error).self, "\(record.name).\(entries[index].key)") {
                        try record.again(written(changed))
                    }
                }
            }
        }
    }

    @Test("changed bytes never trap, and what is still read has only one form", arguments: Seed.sample(100))
    func mutations(_ seed: Seed) throws {
        var generator = seed.generator
        for record in SampleRecord.all(seed.generator) {
            for count in 0..<min(64, record.bytes.count) {
                #expect(throws: (any Error).self) { try record.again(Array(record.bytes[..<count])) }
            }
            for _ in 0..<60 {
                var bytes = record.bytes
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let index = Int.random(in: bytes.indices, using: &generator)
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                    case 1: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                    case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
                    default: if bytes.count > 1 { bytes.remove(at: index) }
                    }
                }
                _ = try? Entry(decoding: bytes)
                // A profile drops the roles that it does not know, by intent.
                if let again = try? record.again(bytes), record.name != "profile" {
                    #expect(again == bytes, "\(record.name)")
                }
            }
        }
    }

    @Test("an entry of an unknown kind is kept, one without a kind or not canonical is refused")
    func unknownKinds() throws {
        let unknown = IPLDValue.map([.init(key: "kind", value: .text("x.y"))]).encoded
        #expect(try Entry(decoding: unknown) == .unknown(kind: "x.y"))
        #expect(throws: IPLDError.self) { try Entry(decoding: unknown + [0]) }
        #expect(throws: IPLDError.self) { try Entry(decoding: IPLDValue.map([]).encoded) }
        #expect(throws: IPLDError.self) { try Entry(decoding: []) }
        #expect(throws: IPLDError.self) {
            try Entry(
                decoding: IPLDValue.map([.init(key: "kind", value: .integer(negative: false, magnitude: 1))])
                    .encoded)
        }
        let (a, b) = (CID(of: [1], codec: .dagCBOR), CID(of: [2], codec: .dagCBOR))
        let right = Entry.encodedEquivocation(first: min(a, b), second: max(a, b))
        #expect(try Entry(decoding: right) == .equivocation(first: min(a, b), second: max(a, b)))
        #expect(throws: IPLDError.self) {
            try Entry(decoding: Entry.encodedEquivocation(first: max(a, b), second: min(a, b)))
        }
        #expect(throws: IPLDError.self) {
            try Entry(decoding: Entry.encodedEquivocation(first: a, second: a))
        }
    }

    @Test("a manifest needs a nonce and inputs of different names")
    func manifestRules() throws {
        var samples = Samples(SeededGenerator(seed: 1))
        var manifest = samples.manifest()
        manifest.nonce = []
        #expect(throws: IPLDError.self) { try JobManifest(decoding: manifest.encoded) }
        manifest.nonce = [UInt8](repeating: 0, count: 65)
        #expect(throws: IPLDError.self) { try JobManifest(decoding: manifest.encoded) }
        manifest.nonce = [1]
        manifest.inputs = [
            .init(name: "a", cid: manifest.code, size: 1), .init(name: "a", cid: manifest.code, size: 2),
        ]
        #expect(throws: IPLDError.self) { try JobManifest(decoding: manifest.encoded) }
    }
}
