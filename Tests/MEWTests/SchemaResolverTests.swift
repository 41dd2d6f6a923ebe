import IPLD
import MEW
import MeshCore
import MeshGraph
import MeshTestSupport
import Testing

/// Blocks that a test has made.
private struct Shelf {
    var blocks: [CID: OntologyBlock] = [:]

    mutating func put(_ source: String, on bases: [CID] = []) throws -> CID {
        let block = try OntologyBlock(bases: bases, source: source)
        blocks[block.block.cid] = block
        return block.block.cid
    }

    func resolve(_ cid: CID) throws -> ResolvedOntology {
        guard case .resolved(let resolved) = OntologyResolver.resolve(cid, load: { blocks[$0] }) else {
            throw Diagnostic(.unknownReference, "\(cid) was not resolved")
        }
        return resolved
    }
}

@Suite("A schema follows from an ontology block alone", .tags(.Size.small))
struct SchemaResolverTests {
    @Test("a block builds on its bases, and knows what it is a schema of")
    func building() throws {
        var shelf = Shelf()
        let base = try shelf.put("ontology People { node Person { name: String [required] } }")
        let above = try shelf.put(
            "ontology Work : People { node Worker : Person {} edge boss(Person, Worker) }", on: [base])
        let resolved = try shelf.resolve(above)
        #expect(resolved.diagnostics == [])
        #expect(resolved.schema.ontology == above)
        #expect(resolved.schema.nodes["Worker"]?.attribute("name")?.declaredIn == "Person")
        #expect(resolved.schema.edges["boss"] != nil)
        #expect(resolved.schema.nodes["Job"]?.isVirtual == true)
    }

    @Test("a base that two others share counts once, and the same words twice are one declaration")
    func diamond() throws {
        var shelf = Shelf()
        let base = try shelf.put("node A { x: Int? }")
        let left = try shelf.put("node B : A {}\nnode Same { y: Int? [>= 1] }", on: [base])
        let right = try shelf.put(
            "node C : A {}\n--- Said in other lines.\nnode Same {\n  --- A number.\n  y: Int? [ >= 1 ]\n}",
            on: [base])
        let top = try shelf.put("node D : B, C {}", on: [left, right])
        let resolved = try shelf.resolve(top)
        #expect(resolved.diagnostics == [])
        #expect(resolved.schema.declarationConflicts.isEmpty)
        #expect(resolved.schema.nodes["D"]?.attributes.map(\.name) == ["x"])
        #expect(resolved.schema.nodes["Same"] != nil)
    }

    @Test("the base's declaration wins over the source's, which is listed")
    func baseWins() throws {
        var shelf = Shelf()
        let base = try shelf.put("node A { x: Int? }")
        let above = try shelf.put("node A { x: String? }\nconstraint c: a: A => true", on: [base])
        let resolved = try shelf.resolve(above)
        #expect(resolved.schema.nodes["A"]?.attribute("x")?.type.description == "Int?")
        let conflicts = resolved.ownConflicts
        #expect(conflicts.map(\.name.text) == ["A"])
        #expect(conflicts.first?.kept == base)
        #expect(conflicts.first?.lost == above)
        #expect(conflicts.first?.diagnostic.code == .duplicateName)
        #expect(conflicts.first?.diagnostic.range?.start.column == 6)
        #expect(resolved.schema.constraints.count == 1)
    }

    @Test("among several heads the lower CID's declaration wins, in whatever order they are named")
    func heads() throws {
        var shelf = Shelf()
        let one = try shelf.put("node A { x: Int? } node One {}")
        let other = try shelf.put("node A { x: String? } node Other {}")
        let merged = try shelf.put("", on: [one, other])
        #expect(try OntologyBlock(bases: [other, one], source: "").block.cid == merged)
        let schema = try shelf.resolve(merged).schema
        let expected = one < other ? "Int?" : "String?"
        #expect(schema.nodes["A"]?.attribute("x")?.type.description == expected)
        #expect(schema.nodes["One"] != nil && schema.nodes["Other"] != nil)
        #expect(schema.declarationConflicts.count == 1)
        #expect(schema.declarationConflicts.first?.kept == min(one, other))
        #expect(schema.declarationConflicts.first?.lost == max(one, other))
    }

    @Test("random ontologies come out alike whatever the loader was asked before", arguments: Seed.sample(20))
    func determinism(_ seed: Seed) throws {
        var generator = seed.generator
        var shelf = Shelf()
        var all: [CID] = []
        for number in 0..<12 {
            let bases = all.filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }
            let name = "N\(Int.random(in: 0..<6, using: &generator))"
            let type = ["Int?", "String?"][Int.random(in: 0..<2, using: &generator)]
            all.append(
                try shelf.put("node \(name) { x: \(type) } rule r\(number): a: \(name) => KILL a", on: bases))
        }
        let top = try shelf.put("", on: all)
        let first = try shelf.resolve(top).schema
        let second = try shelf.resolve(top).schema
        let tables = try [first, second].map { schema in
            try [ShowStatement.types, .edges, .rules].map { try schema.table(for: $0) }
        }
        #expect(tables[0] == tables[1])
        #expect(first.rules.map(\.name.text) == second.rules.map(\.name.text))
        #expect(first.rules.count == 12)
        // A base's declaration is never displaced by what builds on it.
        for cid in all {
            let own = try shelf.resolve(cid)
            for conflict in own.ownConflicts { #expect(conflict.kept != cid) }
        }
    }

    @Test("a ladder of bases with two ways at every rung is walked once")
    func ladder() throws {
        var shelf = Shelf()
        var rungs = [try shelf.put("node A { x: Int? }")]
        for number in 0..<40 {
            let left = try shelf.put("node L\(number) : A {}", on: rungs)
            let right = try shelf.put("node R\(number) : A {}", on: rungs)
            rungs = [left, right]
        }
        let top = try shelf.put("", on: rungs)
        let schema = try shelf.resolve(top).schema
        #expect(schema.concreteTypes(of: "A").count == 81)
    }

    @Test("only what no base has is added")
    func added() throws {
        var shelf = Shelf()
        let base = try shelf.put("node A {}\nrule r: a: A => KILL a")
        let repeated = try shelf.put("node A {} rule r: a: A => KILL a", on: [base])
        #expect(try shelf.resolve(repeated).added.isEmpty)
        let above = try shelf.put("node A {} node B {}", on: [base])
        #expect(try shelf.resolve(above).added.map(\.name.text) == ["B"])
    }

    @Test("faults of the own source are told with its places, those of bases are not")
    func faults() throws {
        var shelf = Shelf()
        let base = try shelf.put("node A { x: Nope }\nnode Fine {}")
        let above = try shelf.put("node B : Fine {}\nedge e(A, Fnie)", on: [base])
        let resolved = try shelf.resolve(above)
        #expect(resolved.diagnostics.map(\.code) == [.unknownType])
        #expect(resolved.diagnostics.first?.range?.start.line == 2)
        #expect(resolved.diagnostics.first?.hint == "did you mean Fine?")
        #expect(resolved.schema.nodes["B"] != nil)
        #expect(resolved.baseDiagnostics.map(\.code) == [.unknownType])
    }

    @Test("a source that cannot be read declares nothing, and says why")
    func unreadable() throws {
        var shelf = Shelf()
        let base = try shelf.put("node A {}")
        let above = try shelf.put("node B {} node {", on: [base])
        let resolved = try shelf.resolve(above)
        #expect(!resolved.diagnostics.isEmpty)
        #expect(resolved.schema.nodes["A"] != nil)
        #expect(resolved.schema.nodes["B"] == nil)
    }

    @Test("what has been read already keeps the places of its own text")
    func declared() throws {
        var shelf = Shelf()
        let base = try shelf.put("node A {}")
        let script = "SPAWN a: A {};\nLOAD ONTOLOGY { node B { x: Nope } }"
        let statement = try #require(Parser.script(script).statements.last)
        guard case .loadOntology(let declaration) = statement.kind else {
            Issue.record("the script loads nothing")
            return
        }
        let block = try OntologyBlock(bases: [base], source: "node B { x: Nope }")
        let resolution = OntologyResolver.resolve(block, named: block.block.cid, declared: declaration) {
            shelf.blocks[$0]
        }
        guard case .resolved(let resolved) = resolution else {
            Issue.record("nothing was resolved")
            return
        }
        #expect(resolved.diagnostics.map { $0.words(in: script) } == ["Nope"])
        #expect(resolved.schema.nodes["A"] != nil)
    }

    @Test("a block that is not here is named")
    func missing() throws {
        var shelf = Shelf()
        let base = try shelf.put("node A {}")
        let above = try shelf.put("node B {}", on: [base])
        shelf.blocks[base] = nil
        guard case .missing(let cid) = OntologyResolver.resolve(above, load: { shelf.blocks[$0] }) else {
            Issue.record("it was resolved without its base")
            return
        }
        #expect(cid == base)
    }

    /// A chain of blocks, each on the next, all with one source; their CIDs are numbers.
    private func chain(of count: Int, source: String) throws -> OntologyResolution {
        func cid(_ number: Int) -> CID { CID(of: Array("\(number)".utf8), codec: .dagCBOR) }
        var blocks: [CID: OntologyBlock] = [:]
        for number in 0..<count {
            let bases = number + 1 < count ? [cid(number + 1)] : []
            blocks[cid(number)] = try OntologyBlock(bases: bases, source: source)
        }
        return OntologyResolver.resolve(cid(0), load: { blocks[$0] })
    }

    @Test("as many blocks and as much source as may be are read, and more are refused")
    func bounds() throws {
        guard case .resolved = try chain(of: OntologyResolver.blockCountMax, source: "") else {
            Issue.record("\(OntologyResolver.blockCountMax) blocks were refused")
            return
        }
        guard case .refused(let many) = try chain(of: OntologyResolver.blockCountMax + 1, source: "") else {
            Issue.record("\(OntologyResolver.blockCountMax + 1) blocks were accepted")
            return
        }
        #expect(many.code == .invalidDeclaration)
        let large = "--" + String(repeating: "x", count: 190 << 10)
        guard case .refused = try chain(of: 22, source: large) else {
            Issue.record("more than \(OntologyResolver.sourceByteCountMax) bytes of source were accepted")
            return
        }
        guard case .resolved = try chain(of: 2, source: String(large.prefix(20_000))) else {
            Issue.record("less than \(OntologyResolver.sourceByteCountMax) bytes of source were refused")
            return
        }
    }

    @Test("what the loader throws comes through")
    func failing() throws {
        struct Broken: Error {}
        let cid = CID(of: [1], codec: .dagCBOR)
        #expect(throws: Broken.self) {
            _ = try OntologyResolver.resolve(cid) { _ throws(Broken) in throw Broken() }
        }
    }

    @Test("the canonical spelling of a declaration reads back as itself")
    func spelling() throws {
        let source = """
            type Email = String [format: email, match: "a\\\\.b"]
            node A [abstract] { x: Float? [>= 1, < 2.5] }
            node B : A { y: (Int | String)[]?, z: Timestamp [required, indexed: desc] = now() + 7.days }
            edge e(a: A, B | A, any) [unique, a -> 0..1] { w: Duration = -5.s }
            constraint c [soft, message: "say \\"no\\""]: a: A, b: B, e+(a, b) [depth: 3] WHERE a.x IS NOT NULL and (b.y = 1 or not b:A) => COUNT(q: A WHERE q.x > 1) < 3 ?? false
            rule r [priority: 5, manual]: a: A, e(a, _, #"odd key") AS k => SET k.w = 1.s, KILL a, SPAWN n: B { z = @2026-01-01 }, LINK e(n, #x, a) AS l { w = 2.s }, UNLINK k
            policy p [priority: -3]: ON SPAWN(t: A) | SET(t: B).y | META LOAD DENY IF EXISTS(x: A) MESSAGE "no"
            """.replacing(" | META LOAD", with: " | META KILL(t: A)")
        let first = Parser.ontology(source)
        try #require(first.diagnostics.isEmpty, "\(first.diagnostics)")
        let declarations = try #require(first.value).declarations
        let text = declarations.map(\.canonicalText).joined(separator: "\n")
        let second = Parser.ontology(text)
        try #require(second.diagnostics.isEmpty, "\(second.diagnostics)\n\(text)")
        #expect(try #require(second.value).declarations.map(\.canonicalText).joined(separator: "\n") == text)
    }
}
