import ExecutionDocuments
import IPLD
import MeshCore
import MeshTestSupport
import Testing

@Suite("Nesting", .tags(.Size.small))
struct NestingTests {
    private static func drawn(_ log: ExecutionLog, _ tree: ExecutionTree) -> [String] {
        tree.rows.map { String(repeating: " ", count: $0.depth) + log[$0.position].uid.description }
    }

    @Test("a child carries its parent's uid, and has a document and snapshots of its own")
    func parentUID() throws {
        let parent = try sample("p")
        let child = try sample("c", parent: "p")
        #expect(child.parentUID == parent.uid && child.uid != parent.uid)
        #expect(child.block.cid != parent.block.cid)
    }

    @Test("the log records the tree, in the order in which executions started")
    func tree() throws {
        let log = try ExecutionLog(
            start("a") + start("b", parent: "a") + start("c") + start("d", parent: "b")
                + start("e", parent: "a") + start("f", parent: "c"))
        let tree = ExecutionTree(log)
        #expect(Self.drawn(log, tree) == ["a", " b", "  d", " e", "c", " f"])
        #expect(tree.orphans.isEmpty && tree.cycles.isEmpty)
        #expect(Self.drawn(log, ExecutionTree(log, below: try ExecutionUID("b"))) == ["b", " d"])
        #expect(ExecutionTree(log, below: try ExecutionUID("z")).rows.isEmpty)
    }

    @Test("orphans and circles of a hostile log are said, and nothing is followed for ever")
    func hostile() throws {
        let log = try ExecutionLog(
            start("a", parent: "c") + start("b", parent: "a") + start("c", parent: "b")
                + start("d", parent: "d") + start("e", parent: "gone") + start("f", parent: "c"))
        let tree = ExecutionTree(log)
        #expect(Self.drawn(log, tree) == ["a", " b", "  c", "   f", "d", "e"])
        #expect(tree.cycles == [0, 3] && tree.orphans == [4])
    }

    @Test("a chain of a hundred thousand parents is a tree like any other")
    func deep() throws {
        var bytes: [UInt8] = []
        for number in 0..<100_000 {
            bytes += try start("u\(number)", parent: number == 0 ? nil : "u\(number - 1)")
        }
        let tree = ExecutionTree(try ExecutionLog(bytes))
        #expect(tree.rows.count == 100_000 && tree.rows.last?.depth == 99_999)
    }

    @Test("every execution of a random log stands in the tree once", arguments: Seed.sample(100))
    func random(_ seed: Seed) throws {
        var generator = seed.generator
        var bytes: [UInt8] = []
        let count = Int.random(in: 1...30, using: &generator)
        for number in 0..<count {
            let parent = Int.random(in: -2..<(count + 2), using: &generator)
            bytes += try start("u\(number)", parent: parent < 0 ? nil : "u\(parent)")
        }
        let tree = ExecutionTree(try ExecutionLog(bytes))
        #expect(tree.rows.map(\.position).sorted() == Array(0..<count))
    }
}
