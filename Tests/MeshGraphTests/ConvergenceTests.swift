import MeshCore
import MeshDAG
import MeshIdentity
import MeshStorage
import MeshTestSupport
import Testing

@testable import MeshGraph

private let indexes = [
    IndexDefinition(name: "Person.name", types: ["Person"], attribute: "name", isUnique: true),
    IndexDefinition(name: "age", types: ["Person", "Task", "knows"], attribute: "age", isUnique: false),
]

/// The tables of a graph; a small replica.
private struct Replica {
    let storage = MemoryStorage()

    func apply(_ placed: Placed) throws {
        try storage.write { storage throws(StorageError) in
            var writer = GraphWriter(storage)
            _ = try writer.apply(placed.change, at: placed.position)
        }
    }

    func undo(_ placed: Placed) throws {
        try storage.write { storage throws(StorageError) in
            var writer = GraphWriter(storage)
            _ = try writer.undo(placed.change, at: placed.position)
        }
    }

    func setIndexes(_ definitions: [IndexDefinition]) throws {
        try storage.write { storage throws(StorageError) in
            var writer = GraphWriter(storage)
            try writer.setIndexes(definitions)
        }
    }

    func rowCount(_ table: StorageTable) throws -> Int {
        var count = 0
        try storage.scan(table, prefix: []) { _, _ in
            count += 1
            return true
        }
        return count
    }
}

@Suite("Replicas of the graph converge", .tags(.Size.small))
struct ConvergenceTests {
    @Test(
        "Changes in any order, with any suffixes undone, are what they are computed anew",
        arguments: Seed.sample(60))
    func convergence(_ seed: Seed) throws {
        var generator = seed.generator
        var random = RandomChanges(SeededGenerator(seed: generator.next()))
        let authorCount = 2 + Int(seed.rawValue % 3)
        let changes = random.make(authorCount: authorCount, count: 8)
        for round in 0..<2 {
            let replica = Replica()
            if round == 0 { try replica.setIndexes(indexes) }
            var applied: [Placed] = []
            for placed in changes.shuffled(using: &generator) {
                try replica.apply(placed)
                applied.append(placed)
                if applied.count % 13 == 0 {
                    try GraphAudit(storage: replica.storage, twin: GraphTwin(applied)).run()
                }
            }
            try replica.setIndexes(indexes)
            try GraphAudit(storage: replica.storage, twin: GraphTwin(changes)).run()

            // One author's feed forks: its suffix goes, and another takes its place.
            let author = Int.random(in: 0..<authorCount, using: &generator)
            let first = UInt64.random(in: 1...8, using: &generator)
            let isLost = { (placed: Placed) in
                placed.position.author == authors[author] && placed.position.seq >= first
            }
            for placed in changes.filter(isLost).shuffled(using: &generator) { try replica.undo(placed) }
            var rest = changes.filter { !isLost($0) }
            try GraphAudit(storage: replica.storage, twin: GraphTwin(rest)).run()
            for seq in first...8 {
                let others = random.make(author, seq)
                for placed in others { try replica.apply(placed) }
                rest += others
            }
            try GraphAudit(storage: replica.storage, twin: GraphTwin(rest)).run()

            try replica.setIndexes([])
            for placed in rest.shuffled(using: &generator) { try replica.undo(placed) }
            for table in [StorageTable.graphEntities, .graphLinks, .graphIndexes, .graphHistory] {
                #expect(try replica.rowCount(table) == 0, "\(table) keeps rows of nothing")
            }
        }
    }

    @Test(
        "One change of many operations is what its operations are one by one", arguments: Seed.sample(20))
    func oneByOne(_ seed: Seed) throws {
        var random = RandomChanges(seed.generator)
        let operations = random.make(authorCount: 1, count: 12).flatMap(\.change.operations)
        let placed = Placed(change: GraphChange(operations: operations), position: position(0, 40))
        let whole = Replica()
        try whole.setIndexes(indexes)
        try whole.apply(placed)
        try GraphAudit(storage: whole.storage, twin: GraphTwin([placed])).run()
        // With hardly any memory.
        let small = Replica()
        try small.setIndexes(indexes)
        for undoes in [false, true] {
            try small.storage.write { storage throws(StorageError) in
                let fold = GraphFold(storage, GraphCaches(storage), recordCountMax: 3, changeCountMax: 2)
                if undoes {
                    try fold.undo(operations, at: placed.position)
                } else {
                    try fold.apply(operations, at: placed.position)
                }
                _ = try fold.finish()
            }
            try GraphAudit(storage: small.storage, twin: GraphTwin(undoes ? [] : [placed])).run()
        }
        let parts = Replica()
        try parts.setIndexes(indexes)
        try parts.storage.write { storage throws(StorageError) in
            var writer = GraphWriter(storage)
            for (index, operation) in operations.enumerated() {
                _ = try writer.apply(operation, index: index, at: placed.position)
            }
        }
        try GraphAudit(storage: parts.storage, twin: GraphTwin([placed])).run()
        try whole.undo(placed)
        try GraphAudit(storage: whole.storage, twin: GraphTwin([])).run()
    }

    @Test(
        "A node with more links than a row holds keeps them in order, whatever comes and goes",
        arguments: Seed.sample(4))
    func longLists(_ seed: Seed) throws {
        var generator = seed.generator
        let replica = Replica()
        var changes: [Placed] = []
        for seq in 1...14 as ClosedRange<UInt64> {
            var operations: [GraphOperation] = [.node("Person", key: "hub")]
            for _ in 0..<Int.random(in: 1...60, using: &generator) {
                let place = UInt32(operations.count)
                operations.append(.node("Task"))
                operations.append(.edge("assigned", .added(0), .added(place)))
                if Bool.random(using: &generator) {
                    operations.append(.edge("likes", .added(0), .added(place), unique: true))
                }
            }
            changes.append(Placed(change: GraphChange(operations: operations), position: position(0, seq)))
        }
        var present: [Placed] = []
        for placed in changes.shuffled(using: &generator) {
            try replica.apply(placed)
            present.append(placed)
        }
        try GraphAudit(storage: replica.storage, twin: GraphTwin(present)).run()
        for placed in changes.shuffled(using: &generator).prefix(12) {
            try replica.undo(placed)
            present.removeAll { $0.position == placed.position }
            if present.count % 5 == 2 {
                try GraphAudit(storage: replica.storage, twin: GraphTwin(present)).run()
            }
        }
        let ends = (1...14 as ClosedRange<UInt64>).map { operationAdd(0, $0, 0) }
        let kill = Placed(
            change: GraphChange(operations: [.end(.entity(.key(type: "Person", key: "hub")), adds: ends)]),
            position: position(1, 1))
        for placed in changes where !present.contains(where: { $0.position == placed.position }) {
            try replica.apply(placed)
        }
        try replica.apply(kill)
        try GraphAudit(storage: replica.storage, twin: GraphTwin(changes + [kill])).run()
        try replica.undo(kill)
        try GraphAudit(storage: replica.storage, twin: GraphTwin(changes)).run()
    }

    @Test("An entity that comes and goes within one change ends as it should, and so do its links")
    func flickering() throws {
        let replica = Replica()
        try replica.setIndexes(indexes)
        var changes = [
            Placed(
                change: GraphChange(operations: [
                    .node("Person", key: "hub", ["name": .string("a")]), .node("Task"), .node("Task"),
                    .edge("assigned", .added(0), .added(1)),
                    .edge("likes", .added(2), .added(0), unique: true),
                    .edge("knows", .added(3), .added(4)),
                ]), position: position(0, 1))
        ]
        let hub = GraphTarget.entity(.key(type: "Person", key: "hub"))
        var operations: [GraphOperation] = [.end(hub, adds: [operationAdd(0, 1, 0)])]
        for round in 0..<5 {
            let place = UInt32(operations.count)
            operations.append(.node("Person", key: "hub", ["name": .int(Int64(round))]))
            operations.append(.set(hub, add: .added(place), attribute: "age", value: .int(Int64(round))))
            operations.append(.edge("knows", hub, .added(place)))
            operations.append(.end(hub, adds: [.added(place)]))
        }
        changes.append(Placed(change: GraphChange(operations: operations), position: position(1, 1)))
        for placed in changes { try replica.apply(placed) }
        try GraphAudit(storage: replica.storage, twin: GraphTwin(changes)).run()
        operations.append(.node("Person", key: "hub", ["name": .string("left")]))
        changes.append(Placed(change: GraphChange(operations: operations), position: position(2, 1)))
        try replica.apply(changes[2])
        try GraphAudit(storage: replica.storage, twin: GraphTwin(changes)).run()
        #expect(GraphTwin(changes).visible.count == 16)
        try replica.undo(changes[1])
        try GraphAudit(storage: replica.storage, twin: GraphTwin([changes[0], changes[2]])).run()
    }

    @Test("An edge that is written to while its target goes leaves no row in an index")
    func indexedEdges() throws {
        let replica = Replica()
        try replica.setIndexes(indexes)
        let age = { (value: Int64) in [GraphAttribute(name: "age", value: .int(value))] }
        var changes = [
            Placed(
                change: GraphChange(operations: [
                    .node("Person"), .node("Person"),
                    .link(
                        edge: "knows", targets: [.added(0), .added(1)], isUnique: false, attributes: age(1)),
                ]), position: position(0, 1))
        ]
        let edge = GraphTarget.entity(operationID(0, 1, 2))
        let set = GraphOperation.set(edge, add: operationAdd(0, 1, 2), attribute: "age", value: .int(2))
        let end = GraphOperation.end(.entity(operationID(0, 1, 0)), adds: [operationAdd(0, 1, 0)])
        changes.append(Placed(change: GraphChange(operations: [end, set]), position: position(1, 1)))
        changes.append(Placed(change: GraphChange(operations: [set, end]), position: position(1, 2)))
        try replica.apply(changes[0])
        for placed in changes.dropFirst() {
            try replica.apply(placed)
            try GraphAudit(storage: replica.storage, twin: GraphTwin([changes[0], placed])).run()
            try replica.undo(placed)
            try GraphAudit(storage: replica.storage, twin: GraphTwin([changes[0]])).run()
        }
    }
}
