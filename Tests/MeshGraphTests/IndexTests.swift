import MeshCore
import MeshDAG
import MeshStorage
import MeshTestSupport
import Testing

@testable import MeshGraph

@Suite("The order of an index", .tags(.Size.small))
struct IndexTests {
    /// Values of one kind, in order.
    private static let orders: [[GraphValue]] = [
        [.bool(false), .bool(true)],
        [.int(.min), .int(-256), .int(-1), .int(0), .int(1), .int(255), .int(.max)],
        [
            .float(-.greatestFiniteMagnitude), .float(-1.5), .float(-.leastNonzeroMagnitude), .float(0),
            .float(.leastNonzeroMagnitude), .float(1), .float(1.5), .float(.greatestFiniteMagnitude),
        ],
        [
            "", "\u{0}", "\u{0}\u{0}", "\u{0}\u{1}", "\u{1}", "a", "a\u{0}", "a\u{0}b", "a\u{1}", "ab", "b",
            "é",
        ].map {
            .string($0)
        },
        [.timestamp(-1), .timestamp(0), .timestamp(1)],
        [.duration(.min), .duration(0), .duration(.max)],
        [.hash(.zero), .hash(Bytes32([UInt8](repeating: 1, count: 32)))],
        [
            .bytes([]), .bytes([0]), .bytes([0, 0]), .bytes([0, 1]), .bytes([1]), .bytes([255]),
            .bytes([255, 0]),
        ],
    ]

    @Test("Values stand in their order, and no value's bytes begin those of another")
    func order() throws {
        var keys: [[UInt8]] = []
        for value in Self.orders.flatMap(\.self) { keys.append(try #require(IndexKey.encode(value))) }
        for (a, b) in zip(keys, keys.dropFirst()) { #expect(a.lexicographicallyPrecedes(b)) }
        for a in keys { for b in keys where a != b { #expect(!b.starts(with: a)) } }
        #expect(IndexKey.encode(.float(-0.0)) == IndexKey.encode(.float(0)))
        #expect(IndexKey.encode(.null) == nil && IndexKey.encode(.list([])) == nil)
    }

    @Test("A long value, even one of zero bytes, has a row and is found with what begins alike")
    func longValues() throws {
        let storage = MemoryStorage()
        let values = [
            String(repeating: "x", count: 60_000), String(repeating: "x", count: 384),
            String(repeating: "x", count: 383), String(repeating: "\u{0}", count: 5000),
            String(repeating: "\u{0}", count: 239),
        ]
        let operations = values.map { GraphOperation.node("Note", ["text": .string($0)]) }
        var writer = GraphWriter(storage)
        try writer.setIndexes([
            IndexDefinition(name: "Note.text", types: ["Note"], attribute: "text", isUnique: false),
            IndexDefinition(name: "Note.text", types: ["Other"], attribute: "text", isUnique: false),
            IndexDefinition(name: "no name", types: ["Note"], attribute: "text", isUnique: false),
        ])
        let ids = try writer.apply(GraphChange(operations: operations), at: position(0, 1))
        #expect(ids.count == values.count)
        let index = try #require(try writer.view.indexes().first)
        #expect(try writer.view.indexes().count == 1 && index.definition.types == ["Note"])
        #expect(try writer.view.rowCount(of: index) == 5)
        #expect(try writer.view.lookUp(.string(values[0]), in: index) == [ids[0], ids[1]])
        #expect(try writer.view.lookUp(.string(values[2]), in: index) == [ids[2]])
        #expect(try writer.view.lookUp(.string(values[3]), in: index) == [ids[3], ids[4]])
        #expect(try writer.view.lookUp(.string("y"), in: index).isEmpty)
    }

    @Test("The graph is empty after it was emptied, and takes the same changes again")
    func removal() throws {
        let storage = MemoryStorage()
        var writer = GraphWriter(storage)
        let change = GraphChange(operations: [.node("A", key: "k"), .edge("e", .added(0), .added(0))])
        _ = try writer.apply(change, at: position(0, 1))
        let before = try GraphDump(writer.view).text()
        try writer.removeAll()
        #expect(try GraphDump(writer.view).text().isEmpty && writer.view.nameID("A") == nil)
        _ = try writer.apply(change, at: position(0, 1))
        #expect(try GraphDump(writer.view).text() == before)
        #expect(before.split(separator: "\n").count == 2)
    }
}

@Suite("The targets of a large change", .tags(.Size.small))
struct TargetTableTests {
    @Test("Every target that has a place is found, and none that has not", arguments: Seed.sample(3))
    func numbers(_ seed: Seed) {
        var generator = seed.generator
        var table = TargetTable()
        var ids: [UInt64] = []
        for _ in 0..<5000 {
            let id = generator.next() >> UInt64.random(in: 2...50, using: &generator)
            if table.find(id) != nil { continue }
            let number = table.insert(id)
            #expect(number == ids.count)
            ids.append(id)
        }
        for (number, id) in ids.enumerated() { #expect(table.find(id) == number) }
        #expect(table.ids == ids && table.find(generator.next()) == nil)
    }

    @Test("Numbers that were chosen to collide find no place, and those that did are found still")
    func collisions() {
        // Times the table's factor each of these is a small number, so that all want the first slot.
        var inverse: UInt64 = 1
        for _ in 0..<6 { inverse = inverse &* (2 &- 0x9E37_79B9_7F4A_7C15 &* inverse) }
        var table = TargetTable()
        var placed: [UInt64] = []
        for factor in 1...1000 as ClosedRange<UInt64> {
            let id = inverse &* factor
            if table.insert(id) != nil { placed.append(id) }
        }
        #expect(!placed.isEmpty && placed.count < 100)
        for (number, id) in placed.enumerated() { #expect(table.find(id) == number) }
        #expect(table.find(inverse &* 1000) == nil)
    }
}
