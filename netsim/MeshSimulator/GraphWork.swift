internal import MEW
internal import MeshCore
internal import MeshCrypto
internal import MeshEngine
internal import MeshGraph
internal import MeshStorage

/// What clients of a run ask of the property graph: one small transaction each, over a few things that
/// everybody writes to.
///
/// Few names and keys, so that nodes which are apart break uniqueness, cardinality and the absence of circles
/// together; and a mark of its own with each, which nothing takes away, so that a confirmed change can be looked for.
enum GraphWork {
    private static let ontology = """
        ontology simulated {
          node Mark { by: Int }
          node Item { name: String [required, unique]  n: Int? }
          edge likes(a: Item, b: Item) [symmetric, no_self] { since: Int? }
          edge holds(whole: Item, part: Item) [acyclic, unique]
          edge owns(owner: Item, thing: Item) [thing -> 0..1]
          edge doubts(who: Item, what: edge<likes>)
        }
        """

    /// The key of what change `number` leaves behind.
    static func mark(_ number: Int) -> String { "Mark/m\(number)" }

    /// The program for change `number`; `nil` would be a mistake in this file.
    ///
    /// `takesAway`: Whether it ends what others have made: of those whose history will be taken back,
    ///   so that there is something to bring back.
    static func script(_ number: Int, _ chance: Chance, takesAway: Bool) -> GraphScript? {
        var generator = chance.generator(for: "graph \(number)")
        var source = ontology + "\n"
        // Now and then an ontology of one's own, which joins what the others have.
        if generator.happens(0.1) {
            source += "ontology own\(number % 4) { node Own\(number % 4) { n: Int } }\n"
        }
        source += "BEGIN;\nSPAWN #m\(number): Mark { by = \(number) };\n"
        // A semicolon ends a MATCH: what follows is not done for each of its rows.
        for _ in 0...generator.below(4) { source += statement(&generator) + ";\n" }
        if takesAway { source += "MATCH i: Item WHERE i.n >= \(generator.below(300)) KILL i;\n" }
        source += "COMMIT"
        let parsed = Parser.script(source)
        guard let units = try? ScriptUnit.units(of: parsed.statements),
            !parsed.diagnostics.contains(where: { $0.severity == .error })
        else { return nil }
        return GraphScript(units: units, source: Array(source.utf8))
    }

    /// One statement, mostly one that does nothing where what it is about is not there.
    private static func statement(_ generator: inout SeededGenerator) -> String {
        let (a, b) = (generator.below(6), generator.below(6))
        let (name, value) = ("x\(generator.below(4))", generator.below(1000))
        let pair = "MATCH a: Item, b: Item WHERE a.name = \"x\(a)\" AND b.name = \"x\(b)\" AND a != b"
        switch generator.below(13) {
        case 0, 1: return "SPAWN #i\(generator.below(1_000_000)): Item { name = \"x\(a)\", n = \(value) }"
        case 2: return "SPAWN #k\(a): Item { name = \"y\(a)\", n = \(value) }"
        case 3, 4, 5: return "MATCH i: Item WHERE i.name >= \"x\(a)\" SET i { n = \(value) }"
        case 6: return "MATCH i: Item WHERE i.n = \(value) SET i { name = \"\(name)\" }"
        case 7: return "\(pair) LINK likes(a, b) { since = \(value) }"
        case 8: return "\(pair) LINK IF NOT EXISTS holds(a, b)"
        case 9: return "\(pair) LINK owns(a, b)"
        case 10: return "MATCH a: Item, b: Item, likes(a, b) AS e WHERE a.n < \(value) UNLINK e"
        case 11:
            return
                "MATCH a: Item, b: Item, likes(a, b) AS e, w: Item WHERE w.name = \"x\(a)\" LINK doubts(w, e)"
        default: return "MATCH i: Item WHERE i.name = \"x\(b)\" KILL i"
        }
    }
}

/// A property graph as a checker compares it.
struct GraphReading: Equatable {
    /// Of the canonical dump, what is listed as broken, and the names of all types.
    var digest = Bytes32.zero
    /// The keyed marks that are there.
    var marks: Set<String> = []

    init() {}

    init(_ view: GraphView, _ schema: GraphSchema) throws(StorageError) {
        var bytes: [UInt8] = []
        var marks: Set<String> = []
        try GraphDump(view).forEachLine { line throws(StorageError) in
            bytes += Array(line.utf8) + [10]
            guard line.hasSuffix("\"type\":\"Mark\"}") else { return }
            let words = line.split(separator: "\"")
            if let id = words.last(where: { $0.hasPrefix("Mark/") }) { marks.insert(String(id)) }
        }
        let conflicts: [VirtualRow]
        do {
            conflicts = try Conflicts.rows(view, schema)
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.corrupt, "\(error)")
        }
        for row in conflicts { bytes += Array("\(row.key) \(row["detail"])\n".utf8) }
        for name in schema.nodes.keys.sorted() + schema.edges.keys.sorted() {
            bytes += Array("\(name)\n".utf8)
        }
        digest = SHA256.hash(bytes)
        self.marks = marks
    }
}

extension World {
    /// Makes one node's graph again from its feeds, compares, and takes everything back.
    func rebuildFindings() -> [Violation] {
        let well = nodes.filter { $0.isHonest && $0.isUp && $0.engine != nil && !$0.disk.isFull }
        guard scenario.workload.graph > 0, !well.isEmpty else { return [] }
        let node = well[Int(plan.seed % UInt64(well.count))]
        guard let engine = node.engine?.value else { return [] }
        let before = reader.graph(in: node.disk)
        var after = GraphReading()
        do throws(StorageError) {
            try node.disk.write { writer throws(StorageError) in
                var copy = engine
                try copy.rebuild(now: node.now(time), storage: writer, blobs: node.blobs)
                after = reader.graph(in: writer)
                // Whoever reads the disk afterwards finds it as it was.
                throw StorageError(.full, "taken back")
            }
        } catch {
            guard error.message == "taken back" else {
                return [
                    Violation(.sameGraph, time: time, "\(node.name) cannot be made again: \(error.message)")
                ]
            }
        }
        guard before != after else { return [] }
        return [Violation(.sameGraph, time: time, "\(node.name) made again from its feeds has another graph")]
    }
}
