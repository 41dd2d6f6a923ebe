import MeshCore
import MeshStorage
import MeshTestSupport
import Testing

@Suite("Rows that are put together", .tags(.Size.medium))
struct RowBatchTests {
    /// Rows of the given numbers; some values are long, some empty.
    private func batch(_ numbers: some Sequence<Int>, _ mark: UInt8) -> RowBatch {
        var rows = RowBatch()
        for number in numbers {
            rows.beginRow()
            rows.append(bigEndian: UInt64(number))
            rows.append(bigEndian: UInt32(7))
            rows.endKey()
            if number % 3 > 0 {
                rows.append(mark)
                rows.append(contentsOf: [UInt8](repeating: UInt8(number % 251), count: number % 700))
            }
            rows.endRow()
        }
        return rows
    }

    private func rows(_ storage: StorageUnderTest, _ table: StorageTable) throws -> [[[UInt8]]] {
        try storage.read { reader throws(StorageError) in
            var all: [[[UInt8]]] = []
            try reader.scan(table, prefix: []) { key, value in
                all.append([key, value])
                return true
            }
            return all
        }
    }

    @Test(
        "They are what they would be one by one: above what is there, below it, between and in its place",
        arguments: StorageKind.allCases)
    func sameAsSingly(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        let batches = [
            batch(stride(from: 1000, to: 3000, by: 2), 1), batch(3000..<5000, 2), batch(0..<10, 3),
            batch(1500..<1600, 4), batch(4990..<5010, 5), batch([], 6),
        ]
        for rows in batches {
            try storage.write { writer throws(StorageError) in
                try writer.put(rows, in: .graphEntities)
                try rows.forEach { key, value throws(StorageError) in
                    try writer.put(value, forKey: key, in: .projections)
                }
            }
            #expect(try self.rows(storage, .graphEntities) == self.rows(storage, .projections))
        }
        #expect(try rows(storage, .graphEntities).count == 3070)
    }

    @Test("They are seen within their transaction, and gone with it", arguments: StorageKind.allCases)
    func transactions(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        let rows = batch(1..<2000, 1)
        #expect(throws: StorageError(.access, "")) {
            try storage.write { writer throws(StorageError) in
                try writer.put(rows, in: .graphLinks)
                var count = 0
                try writer.scan(.graphLinks, prefix: []) { _, _ in
                    count += 1
                    return true
                }
                guard count == rows.count else { throw StorageError(.corrupt, "\(count) rows are seen") }
                throw StorageError(.access, "changed my mind")
            }
        }
        #expect(try self.rows(storage, .graphLinks).isEmpty)
    }

    @Test("A journal takes them back", arguments: StorageKind.allCases)
    func journal(_ kind: StorageKind) throws {
        let storage = try StorageUnderTest(kind)
        try storage.write { writer throws(StorageError) in try writer.put(batch(0..<50, 1), in: .graphLinks) }
        let before = try rows(storage, .graphLinks)
        try storage.write { writer throws(StorageError) in
            let outer = Journal(writer)
            let journal = Journal(outer)
            try journal.put(batch(25..<75, 2), in: .graphLinks)
            guard outer.mark == 50, journal.rollbackCount == 0 else { throw StorageError(.corrupt, "marks") }
            try outer.rollback(to: 0)
            guard journal.rollbackCount == 1 else { throw StorageError(.corrupt, "an unseen rollback") }
        }
        #expect(try rows(storage, .graphLinks) == before)
    }
}
