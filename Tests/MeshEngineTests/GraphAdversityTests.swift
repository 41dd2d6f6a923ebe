import IPLD
import MEW
import MeshAPI
import MeshCore
import MeshDAG
import MeshEngine
import MeshGossip
import MeshGraph
import MeshIdentity
import MeshStorage
import MeshTestSupport
import Testing

@Suite("The graph under adversity", .tags(.Size.small))
struct GraphAdversityTests {
    private func linked(_ count: Int = 3) throws -> Mesh {
        let mesh = try Mesh(count: count, threshold: count > 2 ? 2 : 1)
        mesh.connectAll()
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        return mesh
    }

    // MARK: Late pieces

    @Test func `a change whose chunks come late waits for them, and those behind it with it`() throws {
        let mesh = try linked()
        try mesh.mew(0, Mesh.people)
        #expect(try mesh.converge())
        // More than a frame carries: the last chunks are asked for block by block.
        var source = "BEGIN\n"
        var parameters: [String: GraphValue] = [:]
        for number in 0..<24 {
            source += "SPAWN #n\(number): Person { name = $n\(number) }\n"
            parameters["n\(number)"] = .string("\(number) " + String(repeating: "x", count: 60_000))
        }
        mesh.loses = { $0 == .block }
        try mesh.mew(0, source + "COMMIT", parameters: parameters)
        try mesh.mew(0, "SPAWN #after: Person { name = \"after\" }")
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        for node in 1...2 {
            #expect(
                try mesh.rows(node, "MATCH p: Person RETURN COUNT(*)") == [["0"]], "nothing of it is seen")
        }
        mesh.loses = { _ in false }
        #expect(try mesh.converge())
        for node in 0..<3 { #expect(try mesh.rows(node, "MATCH p: Person RETURN COUNT(*)") == [["25"]]) }
        try mesh.expectEqualGraphs([0, 1, 2])
    }

    @Test func `a change waits for the blocks of its ontology, wherever they come from`() throws {
        let mesh = try linked()
        let made = try change(
            of: "BEGIN ontology late { node Late { n: Int } } SPAWN x: Late { n = 1 } COMMIT", by: 0, mesh)
        try mesh.forge([made.entry.encoded], attachments: [], by: 0, to: 1)
        let before = mesh.frontier(1)
        #expect(try mesh.dump(1) == "")
        // Its author forged it and has the block nowhere: it comes with another change that names it.
        _ = try mesh.run(until: { _ in false }, milliseconds: 1_000)
        #expect(mesh.frontier(1) == before)
        try mesh.mew(2, "ontology late { node Late { n: Int } }")
        #expect(try mesh.run(until: { (try? $0.dump(1)) ?? "" != "" }, milliseconds: 60_000))
        #expect(try mesh.converge([1, 2]))
        #expect(try mesh.dump(1) == mesh.dump(2))
    }

    // MARK: Void changes

    /// What a program would publish, without publishing it.
    private func change(
        of source: String, by author: Int, _ mesh: Mesh
    ) throws -> GraphReplica.Publication {
        let script = try Mesh.script(source)
        let storage = try mesh.nodes[author].storage.copied()
        let replica = try GraphReplica(restoring: mesh.nodes[author].storage)
        let environment = ScriptEnvironment(
            schema: replica.schema, authority: Authority(actor: "\(mesh.nodes[author].identity.did)"),
            now: mesh.now)
        let position = EntryPosition(
            author: mesh.nodes[author].identity.did, scope: "default", seq: 1_000, index: 0, time: .last)
        return try #require(
            try replica.write(
                script.units[0], environment, source: script.source, at: position, in: storage
            ).publication)
    }

    @Test func `a change that ignores its schema is void everywhere and harms nothing`() throws {
        let mesh = try linked()
        try mesh.mew(0, Mesh.people)
        try mesh.mew(0, "SPAWN #ann: Person { name = \"Ann\" }")
        #expect(try mesh.converge())
        let good = try change(of: "SPAWN p: Person { name = \"x\" }", by: 1, mesh).entry
        let foreign = OntologyTexts.unknown
        func entry(_ operations: [GraphOperation], ontology: CID? = nil, bases: [CID]? = nil) throws
            -> [UInt8]
        {
            try GraphChangeEntry.split(
                GraphChange(operations: operations).encoded(), ontology: ontology ?? good.ontology,
                bases: bases ?? good.bases
            ).entry.encoded
        }
        func attribute(_ name: String, _ value: GraphValue) -> GraphAttribute {
            GraphAttribute(name: name, value: value)
        }
        let ann = GraphTarget.entity(.key(type: "Person", key: "ann"))
        var bad: [[UInt8]] = [
            try entry([.spawn(type: "Nothing", key: nil, attributes: [])]),
            try entry([.spawn(type: "Person", key: nil, attributes: [])]),
            try entry([.spawn(type: "Person", key: nil, attributes: [attribute("name", .int(3))])]),
            try entry([.spawn(type: "Job", key: "x", attributes: [])]),
            try entry([.spawn(type: "_Conflict", key: "x", attributes: [])]),
            try entry([.link(edge: "knows", targets: [ann], isUnique: false, attributes: [])]),
            try entry([.link(edge: "Person", targets: [ann, ann], isUnique: false, attributes: [])]),
            // One good operation does not save the other.
            try entry([
                .spawn(type: "Person", key: "half", attributes: [attribute("name", .string("half"))]),
                .set(.added(0), add: .added(0), attribute: "nme", value: .string("x")),
            ]),
            // An ontology that is no ontology, and one that names too few of its bases.
            try entry(
                [.spawn(type: "Person", key: nil, attributes: [attribute("name", .string("y"))])],
                ontology: foreign.cid),
        ]
        let stacked = try OntologyBlock(
            bases: [good.ontology], source: "ontology top { node Top { n: Int } }"
        ).block
        bad.append(
            try entry(
                [.spawn(type: "Person", key: "z", attributes: [attribute("name", .string("z"))])],
                ontology: stacked.cid, bases: []))
        let before = try mesh.dump(0)
        let heads = try GraphReplica(restoring: mesh.nodes[0].storage).heads
        try mesh.forge(bad, attachments: [foreign, stacked], by: 1, to: 0)
        #expect(try mesh.run(until: { $0.frontier(0) == $0.frontier(2) && $0.frontier(1) == $0.frontier(2) }))
        for node in 0..<3 {
            #expect(try mesh.dump(node) == before)
            #expect(try GraphReplica(restoring: mesh.nodes[node].storage).heads == heads)
        }
        // The author is no outcast: what it does well afterwards counts.
        try mesh.mew(1, "SPAWN #well: Person { name = \"well\" }")
        #expect(try mesh.converge())
        try mesh.expectEqualGraphs([0, 1, 2])
        #expect(try mesh.rows(2, "MATCH p: Person RETURN p.name ORDER BY p.name") == [["Ann"], ["well"]])
    }

    @Test func `a change that names too few bases is void whatever was judged before it`() throws {
        let mesh = try linked()
        try mesh.mew(0, "ontology low { node Low { n: Int } }")
        try mesh.mew(0, "ontology top { node Top { n: Int } }")
        #expect(try mesh.converge())
        let good = try change(of: "SPAWN t: Top { n = 1 }", by: 1, mesh).entry
        #expect(!good.bases.isEmpty)
        let bare = GraphChangeEntry(ontology: good.ontology, bases: [], operations: good.operations)
        // The engines have the ontology's checker ready; those that rebuild meet this change first or later.
        try mesh.mew(0, "SPAWN t: Top { n = 2 }")
        #expect(try mesh.converge())
        try mesh.forge([bare.encoded], attachments: [], by: 1, to: 0)
        #expect(try mesh.run(until: { $0.frontier(0) == $0.frontier(2) && $0.frontier(1) == $0.frontier(2) }))
        let count = [["1"]]
        for node in 0..<3 { #expect(try mesh.rows(node, "MATCH t: Top RETURN COUNT(*)") == count) }
        mesh.kill(2)
        try mesh.restart(2)
        try mesh.forge([bare.encoded], attachments: [], by: 1, to: 2)
        #expect(try mesh.run(until: { $0.frontier(0) == $0.frontier(2) && $0.frontier(1) == $0.frontier(2) }))
        for node in 0..<3 { #expect(try mesh.rows(node, "MATCH t: Top RETURN COUNT(*)") == count) }
        try mesh.expectEqualGraphs([0, 1, 2])
    }

    @Test(.tags(.Size.medium)) func `a schema stays in force however many large ontologies somebody adds`()
        throws
    {
        let mesh = try linked(2)
        try mesh.mew(0, Mesh.people)
        #expect(try mesh.converge())
        mesh.loses = { _ in true }
        // Together these are more text than one ontology may have.
        let filler = "ontology o { -- " + String(repeating: "x", count: 195_000) + "\n"
        for number in 0..<22 {
            let block = try OntologyBlock(
                bases: [], source: filler + "node Own\(number) { n: Int } }"
            ).block
            let entry = try GraphChangeEntry.split(
                GraphChange(operations: []).encoded(), ontology: block.cid, bases: []
            ).entry
            try mesh.forge([entry.encoded], attachments: [block], by: 1, to: 0)
        }
        let replica = try GraphReplica(restoring: mesh.nodes[0].storage)
        #expect(replica.heads.count == 23)
        #expect(replica.joined.count < 23)
        #expect(replica.schema.nodes["Person"] != nil)
        #expect(replica.schema.nodes["Own0"] != nil)
        try mesh.mew(0, "SPAWN #ann: Person { name = \"Ann\" }")
        #expect(try mesh.rows(0, "MATCH p: Person RETURN p.name") == [["Ann"]])
    }

    @Test
    func `an anchor that rests on more blocks than a frame carries spreads, and nobody is blamed for it`()
        throws
    {
        let mesh = try linked(4)
        try mesh.mew(0, Mesh.people)
        #expect(try mesh.converge())
        // Those two have it only from node 0.
        for other in [2, 3] { mesh.cut(1, other) }
        var entries: [[UInt8]] = []
        var blocks: [Block] = []
        for number in 0..<12 {
            let bases = try (0..<60).map { try OntologyBlock(bases: [], source: "-- \(number) \($0)").block }
            let top = try OntologyBlock(bases: [], source: "ontology o { node O\(number) { n: Int } }").block
            blocks += bases + [top]
            entries.append(
                try GraphChangeEntry.split(
                    GraphChange(operations: []).encoded(), ontology: top.cid, bases: bases.map(\.cid).sorted()
                ).entry.encoded)
        }
        // What the frame cannot carry is with the author, who is asked.
        try mesh.nodes[1].storage.write { writer throws(StorageError) in
            for block in blocks { try writer.putBlock(block.bytes, cid: block.cid) }
        }
        let before = mesh.frontier(0)
        try mesh.forge(entries, attachments: Array(blocks.prefix(400)), by: 1, to: 0)
        #expect(try mesh.run(until: { $0.frontier(0) != before }))
        #expect(try mesh.converge())
        #expect(mesh.closes.isEmpty, "\(mesh.closes)")
        try mesh.expectEqualGraphs([0, 1, 2, 3])
        #expect(try mesh.rows(3, "SHOW TYPES").contains { $0[0] == "O11" })
    }

    @Test func `more ontologies than one builds on leave those in force that were there first`() throws {
        let mesh = try linked(2)
        try mesh.mew(0, Mesh.people)
        #expect(try mesh.converge())
        var entries: [[UInt8]] = []
        var blocks: [Block] = []
        for number in 0..<40 {
            let block = try OntologyBlock(bases: [], source: "ontology o { node O\(number) { n: Int } }")
                .block
            blocks.append(block)
            entries.append(
                try GraphChangeEntry.split(
                    GraphChange(operations: []).encoded(), ontology: block.cid, bases: []
                ).entry.encoded)
        }
        try mesh.forge(entries, attachments: blocks, by: 1, to: 0)
        #expect(try mesh.converge())
        // Every change joins what it can, until all of them are one.
        for number in 0..<4 {
            try mesh.mew(number % 2, "SPAWN #p\(number): Person { name = \"\(number)\" }")
            #expect(try mesh.converge())
            try mesh.expectEqualGraphs([0, 1])
        }
        #expect(try mesh.rows(1, "SHOW TYPES").count { $0[0].hasPrefix("O") } == 40)
        #expect(try mesh.rows(1, "MATCH p: Person RETURN COUNT(*)") == [["4"]])
    }

    // MARK: Two histories

    @Test func `what an equivocator wrote from its fork on is taken back everywhere alike`() throws {
        let mesh = try Mesh(count: 5)
        mesh.connectAll()
        _ = try mesh.run(until: { _ in false }, milliseconds: 2_000)
        try mesh.mew(0, Mesh.people)
        #expect(try mesh.converge())
        try mesh.mew(
            4,
            "BEGIN SPAWN #early: Person { name = \"early\", age = 1 } SPAWN #t: Task { title = \"t\" } COMMIT"
        )
        try mesh.mew(0, "SPAWN #ann: Person { name = \"Ann\" }")
        #expect(try mesh.converge())
        let before = try mesh.dump(0)
        let heads = try GraphReplica(restoring: mesh.nodes[0].storage).heads
        let twin = try mesh.addTwin(of: 4)
        for a in [0, 1, 4] { for b in [2, 3] { mesh.cut(a, b) } }
        for b in [2, 3] { mesh.connect(twin, b) }
        _ = try mesh.run(until: { _ in false }, milliseconds: 3_000)
        // Each side says more: new things, writes to old ones, ends, and an ontology of its own.
        try mesh.mew(
            4,
            "BEGIN SPAWN #left: Person { name = \"left\" } LINK knows(#left, #ann) SET #early { age = 2 } SET #ann { age = 99 } COMMIT"
        )
        try mesh.mew(4, "ontology left { node Left { n: Int } }")
        try mesh.mew(4, "SPAWN #l: Left { n = 1 }")
        try mesh.mew(
            twin,
            "BEGIN KILL #early SPAWN #right: Person { name = \"right\" } LINK assigned(#t, #right) COMMIT")
        try mesh.mew(twin, "ontology right { node Right { n: Int } }")
        _ = try mesh.run(until: { _ in false }, milliseconds: 3_000)
        #expect(try mesh.rows(0, "MATCH l: Left RETURN l.n") == [["1"]])
        #expect(try mesh.rows(2, "MATCH p: Person RETURN p.name ORDER BY p.name") == [["Ann"], ["right"]])
        for a in [0, 1] { for b in [2, 3] { mesh.connect(a, b) } }
        let honest = Array(0...3)
        #expect(
            try mesh.run(
                until: { mesh in
                    honest.allSatisfy {
                        mesh.frontier($0) == mesh.frontier(0) && mesh.freezePoint($0, of: 4) != nil
                    }
                }, milliseconds: 60_000))
        for node in honest {
            #expect(try mesh.dump(node) == before, "node \(node)")
            #expect(try GraphReplica(restoring: mesh.nodes[node].storage).heads == heads)
            #expect(throws: Diagnostic.self) { try mesh.rows(node, "MATCH l: Left RETURN l.n") }
        }
        try mesh.expectEqualGraphs(honest)
        // The others go on; what the fork had taken is free again.
        try mesh.mew(2, "BEGIN SPAWN #again: Person { name = \"left\" } LINK assigned(#t, #again) COMMIT")
        #expect(try mesh.converge(honest))
        try mesh.expectEqualGraphs(honest)
        #expect(try mesh.conflicts(0) == [])
    }
}

private enum OntologyTexts {
    /// A block that is no ontology.
    static let unknown = Block(
        IPLDValue.map([.init(key: "kind", value: .text("other"))]).encoded, codec: .dagCBOR)
}
