internal import MEW
internal import MeshCore
internal import MeshGraph
internal import MeshStorage
internal import MeshStore

extension GraphBench {
    private static let ontology = """
        node Person { email: String [required, unique]  age: Int? }
        node Task { title: String }
        edge knows(a: Person, b: Person)
        edge assigned(task: Task, person: Person)
        """

    /// The same reads as the language gives them: prepared once, run with parameters on one snapshot.
    func queries(_ store: Store, _ peers: GraphPeers.Figures) throws -> [BenchRow] {
        var builder = SchemaBuilder()
        guard let declared = Parser.ontology(Self.ontology).value else {
            throw BenchFailure("the bench's ontology cannot be read")
        }
        builder.add(declared)
        let (schema, faults) = builder.finish()
        guard !faults.contains(where: { $0.severity == .error }) else {
            throw BenchFailure("the bench's ontology: \(faults)")
        }
        let environment = ScriptEnvironment(
            schema: schema, authority: Authority(actor: "did:key:bench"), now: Timestamp(milliseconds: 0))
        var hops: [Double] = []
        var points: [Double] = []
        var preparing = 0.0
        try store.snapshot { storage in
            var generator = SeededGenerator(seed: 5)
            let emails = (0..<20_000).map { _ in
                "person-\(Int.random(in: 0..<GraphLoad.personCount, using: &generator))@example.org"
            }
            let twoHops =
                "MATCH a: Person, b: Person, c: Person, knows(a, b), knows(b, c) WHERE a.email = $email RETURN COUNT(*)"
            let point = "MATCH p: Person WHERE p.email = $email RETURN p.age"
            let start = ContinuousClock.now
            let hop = try prepare(twoHops, environment, storage)
            preparing = start.duration(to: .now) / .microseconds(1)
            let look = try prepare(point, environment, storage)
            let (hopRun, lookRun) = try (
                hop.open(environment, in: storage), look.open(environment, in: storage)
            )
            // Once to map the pages.
            for email in emails { _ = try hopRun.rows(["email": .string(email)]) }
            var paths: Int64 = 0
            for email in emails {
                let parameters = ["email": GraphValue.string(email)]
                let start = ContinuousClock.now
                let rows = try hopRun.rows(parameters)
                hops.append(start.duration(to: .now) / .microseconds(1))
                if case .int(let count)? = rows.first?.first { paths += count }
            }
            for email in emails {
                let parameters = ["email": GraphValue.string(email)]
                let start = ContinuousClock.now
                guard try lookRun.rows(parameters).count == 1 else {
                    throw BenchFailure("\(email) was not found")
                }
                points.append(start.duration(to: .now) / .microseconds(1))
            }
            Self.say("graph: \(paths / Int64(emails.count)) paths of two hops on average")
        }
        return [
            BenchRow(
                what: "MEW, prepared: two hops from a person by e-mail, about 100 paths counted, p50",
                ours: Samples(hops).median, unit: "µs",
                beside: peers.twoHops.map { _ in "best of Kuzu and Oxigraph" }, besideValue: peers.twoHops,
                gate: 10, higherIsBetter: false),
            BenchRow(
                what: "MEW, prepared: an attribute of the person with an e-mail, p50",
                ours: Samples(points).median, unit: "µs", beside: nil, besideValue: nil, gate: 2,
                higherIsBetter: false),
            BenchRow(
                what: "MEW: reading, checking and planning the two hops", ours: preparing, unit: "µs",
                beside: nil, besideValue: nil, gate: nil, higherIsBetter: false),
        ]
    }

    private func prepare(
        _ source: String, _ environment: ScriptEnvironment, _ storage: any StorageReader
    ) throws -> PreparedQuery {
        let parsed = Parser.script(source)
        guard let statement = parsed.statements.first,
            let query = try PreparedQuery(statement, environment, in: storage)
        else { throw BenchFailure("\(source) cannot be prepared") }
        return query
    }
}
