internal import Foundation

/// Kuzu and Oxigraph from PyPI, with the same people and as many edges, driven from Python as their users do.
enum GraphPeers {
    struct Figures: Decodable {
        /// Edges per second by `COPY` from a file.
        var kuzuLoad: Double?
        /// Triples per second by `bulk_extend`.
        var oxigraphLoad: Double?
        /// Microseconds for the paths of two hops from a node, the better median.
        var twoHops: Double?
    }

    private static let requirements = ["kuzu==0.11.3", "pyoxigraph==0.5.13"]

    /// Makes a virtual environment in `directory`, installs both and runs ``script`` there.
    static func measure(_ directory: String) throws -> Figures {
        GraphBench.say("graph: installing \(requirements.joined(separator: " and "))")
        let environment = directory + "/peers"
        try run("/usr/bin/env", ["python3", "-m", "venv", environment])
        try run(environment + "/bin/pip", ["install", "--quiet"] + requirements)
        let file = directory + "/peers.py"
        try script.write(toFile: file, atomically: true, encoding: .utf8)
        GraphBench.say("graph: running Kuzu and Oxigraph")
        let output = try run(
            environment + "/bin/python",
            [file, directory, "\(GraphLoad.personCount)", "\(GraphLoad.edgeCount)"])
        return try JSONDecoder().decode(Figures.self, from: output)
    }

    @discardableResult
    private static func run(_ program: String, _ arguments: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchFailure("\(program) \(arguments.first ?? "") ended with \(process.terminationStatus)")
        }
        return data
    }

    private static let script = """
        import json, random, statistics, sys, time
        import kuzu, pyoxigraph
        directory, people, edges = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
        chance = random.Random(7)
        pairs = [(chance.randrange(people), chance.randrange(people)) for _ in range(edges)]
        seeds = [chance.randrange(people) for _ in range(200)]
        with open(directory + "/people.csv", "w") as f:
            f.writelines(f"{n}\\n" for n in range(people))
        with open(directory + "/edges.csv", "w") as f:
            f.writelines(f"{a},{b}\\n" for a, b in pairs)

        def median(body):
            times = []
            for seed in seeds:
                start = time.perf_counter()
                body(seed)
                times.append((time.perf_counter() - start) * 1e6)
            return statistics.median(times)

        connection = kuzu.Connection(kuzu.Database(directory + "/kuzu"))
        connection.execute("CREATE NODE TABLE Person(id INT64, PRIMARY KEY(id))")
        connection.execute("CREATE REL TABLE Knows(FROM Person TO Person)")
        connection.execute(f'COPY Person FROM "{directory}/people.csv"')
        start = time.perf_counter()
        connection.execute(f'COPY Knows FROM "{directory}/edges.csv"')
        kuzu_load = edges / (time.perf_counter() - start)
        query = connection.prepare(
            "MATCH (a:Person)-[:Knows]->(b)-[:Knows]->(c) WHERE a.id = $id RETURN count(*)")
        kuzu_hops = median(lambda seed: connection.execute(query, {"id": seed}).get_next())

        store = pyoxigraph.Store(directory + "/oxigraph")
        nodes = [pyoxigraph.NamedNode(f"http://example.org/{n}") for n in range(people)]
        knows = pyoxigraph.NamedNode("http://example.org/knows")
        start = time.perf_counter()
        store.bulk_extend(pyoxigraph.Quad(nodes[a], knows, nodes[b]) for a, b in pairs)
        oxigraph_load = edges / (time.perf_counter() - start)

        def hops(seed):
            count = 0
            for first in store.quads_for_pattern(nodes[seed], knows, None, None):
                for _ in store.quads_for_pattern(first.object, knows, None, None):
                    count += 1
            return count

        def query_hops(seed):
            text = f"SELECT (COUNT(*) AS ?n) WHERE {{ {nodes[seed]} {knows} ?b . ?b {knows} ?c }}"
            return list(store.query(text))

        oxigraph_hops = min(median(hops), median(query_hops))
        print(json.dumps({
            "kuzuLoad": kuzu_load, "oxigraphLoad": oxigraph_load, "twoHops": min(kuzu_hops, oxigraph_hops)}))
        """
}
