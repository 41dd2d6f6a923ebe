import MeshCore
import MeshGraph

@testable import MEW

/// A small graph from a seed, kept twice: by a replica, and as plain lists.
struct TwinWorld {
    static let ontology = """
        ontology twins {
          abstract node Thing { label: String?  rank: Int? [indexed] }
          node Person : Thing { name: String? [unique]  score: Float? [indexed]  active: Bool? }
          node Worker : Person { wage: Int? }
          node Task : Thing { title: String? [indexed]  points: Int? }
          node Bug : Task { severity: Int? }
          node Tag { label: String? }
          edge knows(a: Person, b: Person) [symmetric] { weight: Int? }
          edge assigned(task: Task, person: Person) { since: Int? [indexed] }
          edge part_of(part: Task, whole: Task)
          edge owns(owner: Person | Task, thing: any) { weight: Int? }
          edge meets(a: Person, b: Person, at: Task) { weight: Int? }
          edge notes(subject: edge<any>, tag: Tag)
          edge vouches(who: Person, what: edge<assigned>)
          edge mentions(who: Person, what: any | edge<any>)
        }
        """

    static let types = NaiveGraph.Types(
        ancestors: [
            "Person": ["Person", "Thing"], "Worker": ["Worker", "Person", "Thing"],
            "Task": ["Task", "Thing"], "Bug": ["Bug", "Task", "Thing"], "Tag": ["Tag"],
        ],
        parameters: [
            "knows": ["Person", "Person"], "assigned": ["Task", "Person"], "part_of": ["Task", "Task"],
            "owns": ["Person|Task", "any"], "meets": ["Person", "Person", "Task"],
            "notes": ["edge<any>", "Tag"], "vouches": ["Person", "edge<assigned>"],
            "mentions": ["Person", "any|edge<any>"],
        ], symmetric: ["knows"])

    static let edges = types.parameters.keys.sorted()
    static let nodes = types.ancestors.keys.sorted()

    enum Kind { case int, string, float, bool }

    /// The attributes of each type, abstract ones too.
    static let attributes: [String: [(name: String, kind: Kind)]] = {
        let thing: [(String, Kind)] = [("label", .string), ("rank", .int)]
        let person = thing + [("name", .string), ("score", .float), ("active", .bool)]
        let task = thing + [("title", .string), ("points", .int)]
        return [
            "Thing": thing, "Person": person, "Worker": person + [("wage", .int)], "Task": task,
            "Bug": task + [("severity", .int)], "Tag": [("label", .string)], "knows": [("weight", .int)],
            "assigned": [("since", .int)], "owns": [("weight", .int)], "meets": [("weight", .int)],
        ]
    }()

    let bench = Workbench()
    var graph = NaiveGraph(types: Self.types)
    var generator: SeededGenerator
    private var names = 0
    private var indexes: [String] = []

    init(_ generator: SeededGenerator) throws {
        self.generator = generator
        try bench.run(Self.ontology)
        var statements: [(String, NaiveGraph.Entity)] = []
        for _ in 0..<number(5...12) { statements.append(spawn()) }
        try add(statements)
        statements = []
        for _ in 0..<number(3...12) { if let link = link() { statements.append(link) } }
        try add(statements)
        statements = []
        for _ in 0..<number(2...6) { if let link = link() { statements.append(link) } }
        try add(statements)
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    mutating func chance(_ oneIn: Int) -> Bool { number(1...oneIn) == 1 }
    mutating func pick<Value>(_ values: [Value]) -> Value { values[number(0...values.count - 1)] }

    // MARK: Making

    private mutating func add(_ statements: [(String, NaiveGraph.Entity)]) throws {
        let results = try bench.run("BEGIN\n" + statements.map(\.0).joined(separator: "\n") + "\nCOMMIT")
        for (result, (_, entity)) in zip(results.dropFirst(), statements) {
            let id = result["id"]?.text ?? ""
            var targets = entity.targets
            if Self.types.symmetric.contains(entity.type) {
                let (a, b) = (
                    EntityID(graph.entities[targets[0]].id), EntityID(graph.entities[targets[1]].id)
                )
                if let a, let b, b < a { targets.swapAt(0, 1) }
            }
            graph.entities.append(
                NaiveGraph.Entity(
                    id: id, type: entity.type, targets: targets, isEdge: entity.isEdge,
                    attributes: entity.attributes))
        }
    }

    private mutating func value(_ kind: Kind, _ name: String) -> NaiveValue {
        if chance(4) { return .null }
        switch kind {
        case .int: return .int(Int64(number(-2...4)))
        case .float: return .float(Double(number(-4...6)) / 2)
        case .bool: return .bool(chance(2))
        case .string:
            if name == "name" {
                names += 1
                return .string("n\(names)")
            }
            return .string(pick(["", "a", "b", "ab", "Ba", "ä"]))
        }
    }

    private func literal(_ value: NaiveValue) -> String {
        if case .string(let text) = value { return "\"\(text)\"" }
        return value.text(graph)
    }

    private mutating func block(_ type: String) -> (String, [String: NaiveValue]) {
        var values: [String: NaiveValue] = [:]
        var parts: [String] = []
        for (name, kind) in Self.attributes[type] ?? [] where !chance(4) {
            let value = value(kind, name)
            parts.append("\(name) = \(literal(value))")
            values[name] = value == .null ? nil : value
        }
        return (parts.isEmpty ? "" : " { \(parts.joined(separator: ", ")) }", values)
    }

    private mutating func spawn() -> (String, NaiveGraph.Entity) {
        let type = pick(Self.nodes)
        let (text, values) = block(type)
        return (
            "SPAWN x: \(type)\(text)",
            NaiveGraph.Entity(id: "", type: type, targets: [], isEdge: false, attributes: values)
        )
    }

    private mutating func link() -> (String, NaiveGraph.Entity)? {
        let edge = pick(Self.edges)
        var targets: [Int] = []
        for position in (Self.types.parameters[edge] ?? []).indices {
            let fitting = graph.living.filter { graph.fits($0, edge: edge, position: position) }
            if fitting.isEmpty { return nil }
            targets.append(pick(fitting))
        }
        let (text, values) = block(edge)
        let ids = targets.map { "#\"\(graph.entities[$0].id)\"" }.joined(separator: ", ")
        return (
            "LINK \(edge)(\(ids))\(text)",
            NaiveGraph.Entity(id: "", type: edge, targets: targets, isEdge: true, attributes: values)
        )
    }

    // MARK: Changing

    /// Does something to both.
    mutating func change() throws {
        switch number(0...6) {
        case 0: try add([spawn()])
        case 1, 2: if let link = link() { try add([link]) }
        case 3:
            let nodes = graph.living.filter { !graph.entities[$0].isEdge }
            if nodes.count < 3 { return }
            let place = pick(nodes)
            try bench.run("KILL #\"\(graph.entities[place].id)\"")
            graph.end(place)
        case 4:
            let edges = graph.living.filter { graph.entities[$0].isEdge }
            if edges.isEmpty { return }
            let place = pick(edges)
            try bench.run("UNLINK #\"\(graph.entities[place].id)\"")
            graph.end(place)
        default:
            if graph.living.isEmpty { return }
            let place = pick(graph.living)
            guard let attributes = Self.attributes[graph.entities[place].type] else { return }
            let (name, kind) = pick(attributes)
            let value = value(kind, name)
            try bench.run("SET #\"\(graph.entities[place].id)\".\(name) = \(literal(value))")
            graph.entities[place].attributes[name] = value == .null ? nil : value
        }
    }

    /// Creates an index, or drops one: nothing that is found may change.
    mutating func changeIndex() throws {
        if !indexes.isEmpty, chance(2) {
            try bench.run("DROP INDEX \(indexes.removeLast())")
            return
        }
        let type = pick(Self.attributes.keys.sorted())
        guard let (name, _) = Self.attributes[type]?.randomElement(using: &generator) else { return }
        names += 1
        indexes.append("i\(names)")
        try bench.run("CREATE INDEX i\(names) ON \(type)(\(name))")
    }
}
