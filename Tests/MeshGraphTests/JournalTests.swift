import IPLD
import MeshCore
import MeshDAG
import MeshGraph
import MeshStorage
import MeshStore
import MeshTestSupport
import Testing

/// Every row of every table.
private func rows(_ storage: any StorageReader) throws -> [StorageTable: [[[UInt8]]]] {
    var all: [StorageTable: [[[UInt8]]]] = [:]
    for table in StorageTable.allCases {
        try storage.scan(table, prefix: []) { key, value in
            all[table, default: []].append([key, value])
            return true
        }
    }
    return all
}

@Suite("A journal of a transaction", .tags(.Size.small))
struct JournalTests {
    @Test("Going back restores every table byte for byte", arguments: Seed.sample(20))
    func graph(_ seed: Seed) throws {
        var random = RandomChanges(seed.generator)
        let changes = random.make(authorCount: 3, count: 6)
        let storage = MemoryStorage()
        try storage.write { storage throws(StorageError) in
            var writer = GraphWriter(storage)
            try writer.setIndexes([
                IndexDefinition(name: "i", types: ["Person", "Tag"], attribute: "name", isUnique: false)
            ])
            for placed in changes.prefix(6) { _ = try writer.apply(placed.change, at: placed.position) }
        }
        let before = try rows(storage)
        let journal = Journal(storage)
        var writer = GraphWriter(journal)
        for placed in changes.dropFirst(6).prefix(6) {
            _ = try writer.apply(placed.change, at: placed.position)
        }
        let savepoint = journal.mark
        let between = try rows(journal)
        for placed in changes.dropFirst(12) { _ = try writer.apply(placed.change, at: placed.position) }
        _ = try writer.undo(changes[3].change, at: changes[3].position)
        try writer.setIndexes([])
        try journal.removeAll(in: .graphNames)
        #expect(try rows(storage) != between)
        try journal.rollback(to: savepoint)
        #expect(try rows(storage) == between)
        try journal.rollback(to: 0)
        #expect(try rows(storage) == before)
        #expect(journal.mark == 0)
    }

    @Test("A transaction goes back to a savepoint and on from there, and is then what it says")
    func savepoints() throws {
        let storage = MemoryStorage()
        let place = position(0, 1)
        let journal = Journal(storage)
        var writer = GraphWriter(journal)
        let a = try writer.apply(.node("Person", key: "a"), index: 0, at: place)
        let mark = journal.mark
        let lost = try writer.apply(.node("Person", key: "lost"), index: 1, at: place)
        _ = try writer.apply(.edge("knows", .added(0), .added(1)), index: 2, at: place)
        #expect(try writer.view.edges(touching: a).count == 1)
        try journal.rollback(to: mark)
        #expect(try writer.view.edges(touching: a).isEmpty)
        #expect(try !writer.view.isVisible(lost))
        let kept = try writer.apply(.node("Person", key: "kept"), index: 1, at: place)
        let edge = try writer.apply(.edge("knows", .added(1), .added(0)), index: 2, at: place)
        #expect(try writer.view.entity(edge)?.targets == [kept, a])
        let operations: [GraphOperation] = [
            .node("Person", key: "a"), .node("Person", key: "kept"), .edge("knows", .added(1), .added(0)),
        ]
        let twin = GraphTwin([Placed(change: GraphChange(operations: operations), position: place)])
        try GraphAudit(storage: journal, twin: twin).run()
    }

    @Test("A block that was put stays")
    func blocks() throws {
        let storage = MemoryStorage()
        let journal = Journal(storage)
        let block = Block([1, 2, 3], codec: .raw)
        try journal.putBlock(block.bytes, cid: block.cid)
        try journal.rollback(to: 0)
        #expect(try journal.hasBlock(block.cid) && storage.block(block.cid) == [1, 2, 3])
    }

    @Test("A key that the store could not hold is refused and leaves the journal as it was")
    func keys() throws {
        let journal = Journal(MemoryStorage())
        #expect(throws: StorageError(.keySize, "")) { try journal.put([], forKey: [], in: .meta) }
        #expect(journal.mark == 0)
    }
}

@Suite("The graph in the store on disk", .tags(.Size.medium))
struct GraphStoreTests {
    @Test(
        "The graph is on the disk what it is in memory, and is still there afterwards",
        arguments: Seed.sample(4))
    func store(_ seed: Seed) throws {
        var generator = seed.generator
        var random = RandomChanges(SeededGenerator(seed: generator.next()))
        let changes = random.make(authorCount: 3, count: 8).shuffled(using: &generator)
        let directory = try TemporaryDirectory()
        let indexes = [
            IndexDefinition(
                name: "age", types: ["Person", "Task", "knows"], attribute: "age", isUnique: false)
        ]
        do {
            let store = try Store(directory: directory.path)
            try store.write { storage throws(StorageError) in
                var writer = GraphWriter(storage)
                try writer.setIndexes(indexes)
            }
            for placed in changes {
                try store.write { storage throws(StorageError) in
                    let journal = Journal(storage)
                    var writer = GraphWriter(journal)
                    _ = try writer.apply(placed.change, at: placed.position)
                    try journal.rollback(to: 0)
                    _ = try writer.apply(placed.change, at: placed.position)
                }
            }
            for placed in changes.prefix(5) {
                try store.write { storage throws(StorageError) in
                    var writer = GraphWriter(storage)
                    _ = try writer.undo(placed.change, at: placed.position)
                }
            }
        }
        let store = try Store(directory: directory.path)
        let twin = GraphTwin(Array(changes.dropFirst(5)))
        try store.snapshot { try GraphAudit(storage: $0, twin: twin).run() }
    }
}
