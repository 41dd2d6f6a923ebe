import IPLD
import MeshCore
import MeshStorage
import MeshTestSupport
import Testing

@Suite("Storage, in memory and on disk", .tags(.Size.medium))
struct StorageBehaviourTests {
    @Test(
        "what a transaction wrote is there afterwards, and inside it at once", arguments: StorageKind.allCases
    )
    func writesAreSeen(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        let inside = try storage.write { writer throws(StorageError) in
            try writer.put([1], forKey: [10], in: .jobs)
            try writer.put([2], forKey: [10], in: .own)
            try writer.put([], forKey: [11], in: .own)
            return try writer.value(forKey: [10], in: .jobs)
        }
        #expect(inside == [1])
        try storage.read { reader throws(StorageError) in
            #expect(try reader.value(forKey: [10], in: .jobs) == [1])
            #expect(try reader.value(forKey: [10], in: .own) == [2])
            #expect(try reader.value(forKey: [11], in: .own) == [])
            #expect(try reader.value(forKey: [11], in: .jobs) == nil)
        }
    }

    @Test("a transaction that throws leaves nothing behind", arguments: StorageKind.allCases)
    func failureLeavesNothing(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        let lasting = block(1)
        let lost = block(2)
        try storage.write { writer throws(StorageError) in
            try writer.put([1], forKey: [1], in: .jobs)
            try writer.put([2], forKey: [2], in: .jobs)
            try writer.put([3], forKey: [3], in: .registry)
            try writer.put(lasting)
        }
        #expect(throws: StorageError(.access, "changed my mind")) {
            try storage.write { writer throws(StorageError) in
                try writer.put([9], forKey: [1], in: .jobs)
                try writer.remove([2], in: .jobs)
                try writer.removeAll(in: .registry)
                try writer.put(lost)
                throw StorageError(.access, "changed my mind")
            }
        }
        try storage.read { reader throws(StorageError) in
            #expect(try reader.value(forKey: [1], in: .jobs) == [1])
            #expect(try reader.value(forKey: [2], in: .jobs) == [2])
            #expect(try reader.value(forKey: [3], in: .registry) == [3])
            #expect(try reader.block(lasting.cid) == lasting.bytes)
            #expect(try reader.block(lost.cid) == nil)
            #expect(try !reader.hasBlock(lost.cid))
        }
        try storage.write { writer throws(StorageError) in try writer.put(lost) }
        #expect(try storage.read { reader throws(StorageError) in try reader.block(lost.cid) } == lost.bytes)
    }

    @Test("a scan meets the keys of its prefix in order", arguments: StorageKind.allCases)
    func scans(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        let keys: [[UInt8]] = [
            [1], [1, 0], [1, 5], [1, 5, 5], [1, 255], [2], [2, 1], [255], [255, 255],
        ]
        try storage.write { writer throws(StorageError) in
            for key in keys.reversed() { try writer.put([UInt8(key.count)], forKey: key, in: .feeds) }
        }
        #expect(try storage.keys(.feeds) == keys)
        #expect(try storage.keys(.feeds, reversed: true) == keys.reversed())
        #expect(try storage.keys(.feeds, prefix: [1]) == Array(keys[0..<5]))
        #expect(try storage.keys(.feeds, prefix: [1], reversed: true) == keys[0..<5].reversed())
        #expect(try storage.keys(.feeds, prefix: [255]) == Array(keys[7...]))
        #expect(try storage.keys(.feeds, prefix: [255], reversed: true) == keys[7...].reversed())
        #expect(try storage.keys(.feeds, prefix: [3]) == [])
        #expect(try storage.keys(.feeds, prefix: [3], reversed: true) == [])
        #expect(try storage.keys(.frozen) == [])
        #expect(try storage.keys(.frozen, reversed: true) == [])
    }

    @Test("a scan begins at its start key, or beside it where it is missing", arguments: StorageKind.allCases)
    func scanStarts(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        let keys: [[UInt8]] = [[1, 1], [1, 3], [1, 5], [2, 1]]
        try storage.write { writer throws(StorageError) in
            for key in keys { try writer.put([0], forKey: key, in: .feeds) }
        }
        #expect(try storage.keys(.feeds, prefix: [1], from: [1, 3]) == [[1, 3], [1, 5]])
        #expect(try storage.keys(.feeds, prefix: [1], from: [1, 2]) == [[1, 3], [1, 5]])
        #expect(try storage.keys(.feeds, prefix: [1], from: [0]) == [[1, 1], [1, 3], [1, 5]])
        #expect(try storage.keys(.feeds, prefix: [1], from: [1, 6]) == [])
        #expect(try storage.keys(.feeds, prefix: [1], from: [9]) == [])
        #expect(try storage.keys(.feeds, prefix: [1], from: [1, 3], reversed: true) == [[1, 3], [1, 1]])
        #expect(try storage.keys(.feeds, prefix: [1], from: [1, 4], reversed: true) == [[1, 3], [1, 1]])
        #expect(
            try storage.keys(.feeds, prefix: [1], from: [9], reversed: true) == [[1, 5], [1, 3], [1, 1]])
        #expect(try storage.keys(.feeds, prefix: [1], from: [1], reversed: true) == [])
        #expect(try storage.keys(.feeds, prefix: [2], from: [1, 9], reversed: true) == [])
        #expect(try storage.keys(.feeds, from: [9], reversed: true) == keys.reversed())
    }

    @Test("a scan ends when its closure says so", arguments: StorageKind.allCases)
    func scanEnds(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        try storage.write { writer throws(StorageError) in
            for key in 0..<100 as Range<UInt8> { try writer.put([key], forKey: [key], in: .feeds) }
        }
        var met: [UInt8] = []
        try storage.read { reader throws(StorageError) in
            try reader.scan(.feeds, prefix: [], from: [90], reversed: true) { key, value in
                #expect(key == value)
                met += key
                return met.count < 7
            }
        }
        #expect(met == [90, 89, 88, 87, 86, 85, 84])
    }

    @Test("what a scan meets may be removed while it runs", arguments: StorageKind.allCases)
    func removalInsideScan(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        try storage.write { writer throws(StorageError) in
            for key in 0..<100 as Range<UInt8> { try writer.put([key], forKey: [key], in: .own) }
            var met = 0
            try writer.scan(.own, prefix: []) { key, _ throws(StorageError) in
                met += 1
                if key[0] % 3 != 0 { try writer.remove(key, in: .own) }
                return true
            }
            #expect(met == 100)
        }
        #expect(try storage.keys(.own).count == 34)
    }

    @Test("a table is emptied alone", arguments: StorageKind.allCases)
    func emptying(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        try storage.write { writer throws(StorageError) in
            try writer.put([1], forKey: [1], in: .projections)
            try writer.put([1], forKey: [1], in: .jobs)
        }
        try storage.write { writer throws(StorageError) in
            try writer.removeAll(in: .projections)
            try writer.put([2], forKey: [2], in: .projections)
            try writer.remove([77], in: .jobs)
        }
        #expect(try storage.keys(.projections) == [[2]])
        #expect(try storage.keys(.jobs) == [[1]])
    }

    @Test(
        "a key that is empty or too long is refused, and the transaction goes on",
        arguments: StorageKind.allCases)
    func keySizes(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        let longest = [UInt8](repeating: 7, count: StorageTable.keyByteCountMax)
        try storage.write { writer throws(StorageError) in
            try writer.put([1], forKey: longest, in: .own)
            #expect(throws: StorageError(.keySize, "")) { try writer.put([1], forKey: [], in: .own) }
            #expect(throws: StorageError(.keySize, "")) {
                try writer.put([1], forKey: longest + [7], in: .own)
            }
            try writer.remove(longest + [7], in: .own)
            #expect(try writer.value(forKey: longest + [7], in: .own) == nil)
            #expect(try writer.value(forKey: [], in: .own) == nil)
        }
        #expect(try storage.keys(.own) == [longest])
    }

    @Test(
        "blocks come back under their CIDs, and those of one digest and two codecs are two",
        arguments: StorageKind.allCases)
    func blocks(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        let record = block(5)
        let raw = Block(record.bytes, codec: .raw)
        let empty = Block([], codec: .raw)
        try storage.write { writer throws(StorageError) in
            try writer.put(record)
            try writer.put(record)
            #expect(try writer.block(record.cid) == record.bytes)
            #expect(try !writer.hasBlock(raw.cid))
            try writer.put(empty)
        }
        try storage.read { reader throws(StorageError) in
            #expect(try reader.hasBlock(record.cid))
            #expect(try !reader.hasBlock(raw.cid))
            #expect(try reader.block(raw.cid) == nil)
            #expect(try reader.block(empty.cid) == [])
        }
        try storage.write { writer throws(StorageError) in try writer.put(raw) }
        #expect(try storage.read { reader throws(StorageError) in try reader.block(raw.cid) } == raw.bytes)
    }

    @Test("a block of an old CID form comes back too", arguments: StorageKind.allCases)
    func foreignBlocks(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        let bytes: [UInt8] = [1, 2, 3]
        let modern = CID(of: bytes, codec: .dagPB)
        let old = try CID(bytes: [0x12, 0x20] + modern.digest.bytes)
        try storage.write { writer throws(StorageError) in try writer.putBlock(bytes, cid: old) }
        for number in 0..<10 {
            try storage.write { writer throws(StorageError) in
                for index in 0..<10 { try writer.put(block(number * 10 + index)) }
            }
        }
        #expect(try storage.read { reader throws(StorageError) in try reader.block(old) } == bytes)
        #expect(try storage.read { reader throws(StorageError) in try reader.block(modern) } == nil)
    }

    /// Random transactions, some of which fail, against a dictionary.
    @Test(
        "any sequence of transactions gives what a dictionary would", arguments: StorageKind.allCases,
        Seed.sample(12))
    func randomOperations(_ kind: StorageKind, _ seed: Seed) throws {
        var generator = seed.generator
        let storage = try StorageUnderTest(kind)
        var model: [StorageTable: [[UInt8]: [UInt8]]] = [:]
        var blocks: [CID: [UInt8]] = [:]
        for _ in 0..<60 {
            var nextModel = model
            var nextBlocks = blocks
            let fails = UInt8.random(in: 0..<5, using: &generator) == 0
            do throws(StorageError) {
                try storage.write { writer throws(StorageError) in
                    for _ in 0..<Int.random(in: 0..<30, using: &generator) {
                        let table: StorageTable = Bool.random(using: &generator) ? .jobs : .own
                        let key = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                            UInt8.random(in: 0..<4, using: &generator)
                        }
                        switch Int.random(in: 0..<20, using: &generator) {
                        case 0:
                            try writer.removeAll(in: table)
                            nextModel[table] = nil
                        case 1...4:
                            try writer.remove(key, in: table)
                            nextModel[table]?[key] = nil
                        case 5...9:
                            let added = block(
                                Int.random(in: 0..<2_000, using: &generator),
                                byteCount: Int.random(in: 8...3_000, using: &generator))
                            try writer.put(added)
                            nextBlocks[added.cid] = added.bytes
                        default:
                            let value = [UInt8](
                                repeating: .random(in: 0...255, using: &generator),
                                count: Int.random(in: 0...3_000, using: &generator))
                            try writer.put(value, forKey: key, in: table)
                            nextModel[table, default: [:]][key] = value
                            #expect(try writer.value(forKey: key, in: table) == value)
                        }
                    }
                    if fails { throw StorageError(.access, "on purpose") }
                }
                model = nextModel
                blocks = nextBlocks
            } catch {
                #expect(error == StorageError(.access, "on purpose"))
            }
            for table in [StorageTable.jobs, .own] {
                let prefix = [UInt8.random(in: 0..<4, using: &generator)]
                let reversed = Bool.random(using: &generator)
                let expected = (model[table] ?? [:]).keys.filter { $0.starts(with: prefix) }
                    .sorted { $0.lexicographicallyPrecedes($1) }
                #expect(
                    try storage.keys(table, prefix: prefix, reversed: reversed)
                        == (reversed ? expected.reversed() : expected))
            }
        }
        try storage.read { reader throws(StorageError) in
            for (cid, bytes) in blocks {
                let found = try reader.block(cid)
                #expect(found == bytes)
            }
            for (table, pairs) in model {
                for (key, value) in pairs {
                    let found = try reader.value(forKey: key, in: table)
                    #expect(found == value)
                }
            }
        }
    }
}
