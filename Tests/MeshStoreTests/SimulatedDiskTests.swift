import IPLD
import MeshCore
import MeshStorage
import MeshTestSupport
import Testing

@Suite("The store in memory as a simulated disk", .tags(.Size.small))
struct SimulatedDiskTests {
    /// Everything that a store holds, for comparison.
    private func contents(_ storage: MemoryStorage) throws -> [[UInt8]] {
        var rows: [[UInt8]] = []
        for table in StorageTable.allCases {
            try storage.scan(table, prefix: []) { key, value in
                rows.append(Array(table.rawValue.utf8) + key + value)
                return true
            }
        }
        return rows + [[UInt8(storage.blockCount)]]
    }

    @Test("a crash takes back exactly what came after the last sync", arguments: Seed.sample(20))
    func crash(_ seed: Seed) throws {
        var generator = seed.generator
        let storage = MemoryStorage(keepsUnsynced: true)
        var synced = try contents(storage)
        for _ in 0..<200 {
            let byte = UInt8.random(in: 0...20, using: &generator)
            let tables = StorageTable.allCases
            let table = tables[Int.random(in: 0..<tables.count, using: &generator)]
            switch Int.random(in: 0..<10, using: &generator) {
            case 0:
                storage.crash()
                #expect(try contents(storage) == synced)
            case 1:
                storage.sync()
                synced = try contents(storage)
                #expect(storage.unsyncedCount == 0)
            case 2: try storage.write { writer throws(StorageError) in try writer.removeAll(in: table) }
            case 3: try storage.write { writer throws(StorageError) in try writer.remove([byte], in: table) }
            case 4:
                // A transaction that throws leaves what the ones before it wrote.
                let before = try contents(storage)
                #expect(throws: StorageError.self) {
                    try storage.write { writer throws(StorageError) in
                        try writer.put([1], forKey: [byte], in: table)
                        try writer.putBlock([byte], cid: CID(of: [byte, 1], codec: .raw))
                        throw StorageError(.access, "no")
                    }
                }
                #expect(try contents(storage) == before)
            case 5:
                try storage.write { w throws(StorageError) in
                    try w.putBlock([byte], cid: CID(of: [byte], codec: .raw))
                }
            default:
                let value = [UInt8.random(in: 0...255, using: &generator)]
                try storage.write { w throws(StorageError) in try w.put(value, forKey: [byte], in: table) }
            }
        }
    }

    @Test("a full disk refuses to write, goes on reading and removing, and takes writes again")
    func full() throws {
        let storage = MemoryStorage(keepsUnsynced: true)
        try storage.write { w throws(StorageError) in try w.put([1], forKey: [1], in: .own) }
        storage.isFull = true
        let error = #expect(throws: StorageError.self) {
            try storage.write { w throws(StorageError) in try w.put([2], forKey: [2], in: .own) }
        }
        #expect(error?.code == .full)
        #expect(try storage.value(forKey: [1], in: .own) == [1])
        try storage.write { w throws(StorageError) in try w.remove([1], in: .own) }
        storage.isFull = false
        try storage.write { w throws(StorageError) in try w.put([2], forKey: [2], in: .own) }
        #expect(try storage.value(forKey: [2], in: .own) == [2])
    }

    @Test("stores with one pool keep a block's bytes once")
    func pool() throws {
        let pool = BlockPool()
        let cid = CID(of: [1, 2, 3], codec: .raw)
        let stores = [MemoryStorage(pool: pool), MemoryStorage(pool: pool)]
        for storage in stores {
            try storage.write { w throws(StorageError) in try w.putBlock([1, 2, 3], cid: cid) }
        }
        let addresses = try stores.map { storage in
            let block = try #require(try storage.block(cid))
            return unsafe block.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
        }
        #expect(addresses[0] == addresses[1])
    }
}
