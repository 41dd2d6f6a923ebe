import ControlServer
import Foundation
import MeshAPI
import MeshTestSupport
import Testing

/// Answers about a graph.
enum GraphSample {
    static let ada: JSONValue = [
        "_id": "Person/ada", "_type": "Person", "name": "Ada, the \"first\"", "age": 36,
    ]

    static let rows = GraphResultView(
        statement: "match", columns: ["p", "name", "since"],
        rows: [
            [ada, "Ada, the \"first\"", nil], [["_id": "Person/bob", "_type": "Person"], "Bob\nB", 0.5],
        ],
        summary: ["match_count": 2, "return_count": 2])

    static let killed = GraphResultView(
        statement: "kill",
        summary: [
            "success": true, "killed_count": 1, "killed_ids": ["Person/ada"], "cascade_count": 2,
            "unlinked_count": 3,
        ])

    static let rendered = """
        error[E2002]: Person has no attribute nme
          --> query.mew:1:22
           |
         1 | MATCH p: Person WHERE p.nme = "x" RETURN p
           |                         ^^^
        hint: did you mean name?
        """

    static let refusal = APIError(
        code: "E2002", message: "error[E2002]: Person has no attribute nme",
        details: [
            DiagnosticView(
                code: "E2002", message: "Person has no attribute nme", line: 1, column: 25, endColumn: 28,
                hint: "did you mean name?", rendered: rendered)
        ])

    static let types = GraphResultView(
        statement: "show", columns: ["name", "abstract", "system", "attributes"],
        rows: [
            ["Person", false, false, ["name: String", "age: Int?", "weight: Float", "isMember: Bool"]],
            ["Thing", true, false, []], ["Job", false, true, ["job_id: String"]],
            ["Student", false, false, ["name: String", "school: String"]],
        ])

    static let edges = GraphResultView(
        statement: "show", columns: ["name", "parameters", "attributes"],
        rows: [["knows", ["who: Person", "whom: Person"], ["since: Timestamp?"]]])

    static func answer(_ results: GraphResultView..., bindings: [String: String] = [:]) -> ControlResponse {
        .json(GraphResponse(results: results, bindings: bindings))
    }
}

@Suite("query, graph load and graph watch", .tags(.Size.medium))
struct GraphCommandTests {
    private static let path = "/v1/graph/query"

    private func daemon(_ answers: ControlResponse...) throws -> ScriptedDaemon {
        try ScriptedDaemon(["POST \(Self.path)": answers])
    }

    private func asked(_ daemon: ScriptedDaemon) throws -> [GraphRequest] {
        try daemon.posted(Self.path, as: GraphRequest.self)
    }

    @Test("one result with rows is an array of objects keyed by column, in the order of the columns")
    func rows() throws {
        let daemon = try daemon(GraphSample.answer(GraphSample.rows))
        defer { daemon.stop() }
        let outcome = daemon.run("query", "MATCH p: Person RETURN p, p.name, p.since", "-o", "json")
        #expect(outcome.status == 0)
        #expect(outcome.messages.isEmpty)
        let list = try #require(try outcome.json() as? [[String: Any]])
        #expect(list.count == 2)
        #expect((list[0]["p"] as? [String: Any])?["age"] as? Int == 36)
        #expect(list[0]["since"] is NSNull)
        let places = ["\"p\":", "\"name\": \"Bob", "\"since\": 0.5"].map { outcome.output.range(of: $0) }
        #expect(!places.contains(nil))
        #expect(
            try asked(daemon) == [
                GraphRequest(source: "MATCH p: Person RETURN p, p.name, p.since", name: "query.mew")
            ])
    }

    @Test("a table shows entities by their ids, null as a dash and a text of two lines in quotes")
    func table() throws {
        let daemon = try daemon(GraphSample.answer(GraphSample.rows))
        defer { daemon.stop() }
        #expect(
            daemon.run("query", "MATCH …").output == #"""
                p           name              since
                Person/ada  Ada, the "first"  -
                Person/bob  "Bob\nB"          0.5

                """#)
        #expect(daemon.run("query", "MATCH …", "--id-only").output == "Person/ada\nPerson/bob\n")
    }

    @Test("CSV has a heading even without rows, and quotes by RFC 4180")
    func csv() throws {
        let empty = GraphResultView(statement: "match", columns: ["a", "b,c"])
        let daemon = try daemon(
            GraphSample.answer(GraphSample.rows), GraphSample.answer(empty),
            GraphSample.answer(GraphSample.rows, GraphSample.rows))
        defer { daemon.stop() }
        let csv = daemon.run("query", "MATCH …", "-o", "csv").output
        #expect(csv.hasPrefix("p,name,since\r\n\"{\"\"_id\"\":\"\"Person/ada\"\","))
        #expect(csv.hasSuffix("\"Bob\nB\",0.5\r\n"))
        #expect(daemon.run("query", "MATCH …", "-o", "csv").output == "a,\"b,c\"\r\n")
        let two = daemon.run("query", "MATCH … MATCH …", "-o", "csv")
        #expect(two.status == 1)
        #expect(two.output.isEmpty)
        #expect(two.messages.hasPrefix("error: CSV holds one table, and 2 statements gave rows\n"))
    }

    @Test("YAML holds the same objects")
    func yaml() throws {
        let daemon = try daemon(GraphSample.answer(GraphSample.rows))
        defer { daemon.stop() }
        let yaml = daemon.run("query", "MATCH …", "-o", "yaml").output
        #expect(yaml.hasPrefix("- p:\n    \"_id\": Person/ada\n"))
        #expect(yaml.hasSuffix("  name: \"Bob\\nB\"\n  since: 0.5\n"))
    }

    @Test("a mutation is a line for people and its summary for programs")
    func mutation() throws {
        let daemon = try daemon(GraphSample.answer(GraphSample.killed))
        defer { daemon.stop() }
        #expect(daemon.run("query", "KILL #ada").output == "Killed 1 node, 2 more, 3 edges unlinked\n")
        let json = try #require(
            try daemon.run("query", "KILL #ada", "-o", "json").json() as? [String: Any])
        #expect(json["statement"] as? String == "kill")
        #expect(json["killed_count"] as? Int == 1)
        #expect(daemon.run("query", "KILL #ada", "--id-only").output == "Person/ada\n")
    }

    @Test("several results are a list of whole results")
    func several() throws {
        let daemon = try daemon(GraphSample.answer(GraphSample.killed, GraphSample.rows))
        defer { daemon.stop() }
        let list = try #require(
            try daemon.run("query", "KILL #ada; MATCH …", "-o", "json").json() as? [[String: Any]])
        #expect(list.map { $0["statement"] as? String } == ["kill", "match"])
        #expect((list[1]["rows"] as? [[Any]])?.count == 2)
        #expect(Set(list[0].keys) == Set(GraphResultView.fields.map(\.name)))
    }

    @Test("a diagnostic is shown with its caret on standard error and ends with 1")
    func diagnostic() throws {
        let daemon = try daemon(.error(422, GraphSample.refusal))
        defer { daemon.stop() }
        let outcome = daemon.run("query", "MATCH p: Person WHERE p.nme = \"x\" RETURN p")
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(outcome.messages == GraphSample.rendered + "\n")
        let json = daemon.run("query", "MATCH …", "-o", "json")
        #expect(json.output.isEmpty)
        let error = try JSONDecoder().decode(APIError.self, from: Data(json.messages.utf8))
        #expect(error == GraphSample.refusal)
    }

    @Test("a node without a graph says so")
    func unavailable() throws {
        let daemon = try daemon(
            .error(503, APIError(code: "graph.unavailable", message: "this node keeps no graph")))
        defer { daemon.stop() }
        let outcome = daemon.run("query", "SHOW TYPES")
        #expect(outcome.status == 1)
        #expect(outcome.messages == "error: this node keeps no graph\n")
    }

    @Test("warnings go to standard error and change nothing else")
    func warnings() throws {
        var result = GraphSample.killed
        result.warnings = [DiagnosticView(code: "E3012", message: "m", rendered: "warning[E3012]: m\n")]
        let daemon = try daemon(GraphSample.answer(result))
        defer { daemon.stop() }
        let outcome = daemon.run("query", "KILL #ada", "-o", "json")
        #expect(outcome.status == 0)
        #expect(outcome.messages == "warning[E3012]: m\n")
        #expect(try outcome.json() is [String: Any])
    }

    @Test("statements come from standard input or a file, and parameters are JSON or else text")
    func sources() throws {
        let daemon = try daemon(GraphSample.answer(GraphSample.rows))
        defer { daemon.stop() }
        let file = try daemon.file("q.mew", "MATCH p: Person RETURN p")
        _ = daemon.run("query", input: "SHOW TYPES")
        _ = daemon.run("query", "-", input: "SHOW EDGES")
        _ = daemon.run(
            "query", "--file", file, "--dry-run", "--param", "n=5", "--param", "zip=007", "--param",
            "list=[1,\"a\"]", "--param", "name=Ada L", "--param", "text=\"5\"")
        let requests = try asked(daemon)
        #expect(requests.map(\.source) == ["SHOW TYPES", "SHOW EDGES", "MATCH p: Person RETURN p"])
        #expect(requests.map(\.name) == ["stdin", "stdin", file])
        #expect(
            requests.last?.parameters == [
                "n": 5, "zip": "007", "list": [1, "a"], "name": "Ada L", "text": "5",
            ])
        #expect(requests.last?.dryRun == true)
        #expect(requests.first?.dryRun == nil)
    }

    @Test("LOAD ONTOLOGY FROM puts the file in its place, relative to the file that names it")
    func loadFrom() throws {
        let daemon = try daemon(GraphSample.answer(GraphSample.killed))
        defer { daemon.stop() }
        let types = try daemon.file("types.mew", "node Person { name: String }")
        let script = try daemon.file(
            "script.mew", "-- LOAD ONTOLOGY FROM \"no.mew\"\nload Ontology from 'types.mew';\nSHOW TYPES")
        _ = daemon.run("query", "LOAD ONTOLOGY FROM \"\(types)\";")
        _ = daemon.run("query", "--file", script)
        let requests = try asked(daemon)
        #expect(
            requests.map(\.source) == [
                "node Person { name: String }",
                "-- LOAD ONTOLOGY FROM \"no.mew\"\nnode Person { name: String };\nSHOW TYPES",
            ])
        #expect(requests.map(\.name) == [types, script])
        let missing = daemon.run("query", "LOAD ONTOLOGY FROM \"/nowhere/t.mew\"")
        #expect(missing.status == 1)
        #expect(missing.messages == "error: cannot read /nowhere/t.mew\n")
        let circle = try daemon.file("circle.mew", "LOAD ONTOLOGY FROM \"circle.mew\"")
        #expect(daemon.run("query", "--file", circle).messages.contains("8 deep"))
    }

    @Test(
        "wrong usage ends with 64 and asks nothing",
        arguments: [
            ["query", "MATCH …", "--file", "x.mew"], ["query", "MATCH …", "more"], ["query", "--param", "x"],
            ["graph", "export"], ["graph", "export", "--nodes", "--edges"],
            ["graph", "export", "--nodes", "--format", "csv"], ["graph", "load"], ["graph", "watch"],
            ["graph", "import"], ["graph", "import", "f", "--type", "T", "--edge", "E"],
            ["graph", "watch", "WATCH …", "--ack", "maybe"], ["graph", "lod"],
        ])
    func usage(_ words: [String]) throws {
        let daemon = try ScriptedDaemon()
        defer { daemon.stop() }
        let outcome = daemon.run(words: words)
        #expect(outcome.status == 64)
        #expect(outcome.messages.hasPrefix("error: "))
        #expect(daemon.requests.isEmpty)
    }

    @Test("every command of the graph has help with examples, and a mistyped one gets the nearest")
    func help() throws {
        let daemon = try ScriptedDaemon()
        defer { daemon.stop() }
        for words in [
            ["query"], ["graph", "load"], ["graph", "watch"], ["graph", "import"], ["graph", "export"],
            ["graph", "shell"],
        ] {
            let help = daemon.run(words: words + ["--help"])
            #expect(help.status == 0)
            #expect(help.output.contains("Examples:\n  "), "\(words)")
        }
        #expect(daemon.run("graph", "lod").messages.contains("did you mean meshctl graph load?"))
        #expect(daemon.run("--help").output.contains("\n  query "))
        for shell in ["bash", "zsh", "fish"] {
            #expect(daemon.run("completion", shell).output.contains("skip-existing"))
        }
    }

    @Test("graph load sends each file with the names of those before, and counts instances")
    func load() throws {
        let spawn = GraphResultView(statement: "instance", summary: ["success": true, "id": "Person/ada"])
        let ontology = GraphResultView(
            statement: "load_ontology", summary: ["success": true, "types": 2, "edges": 1])
        let daemon = try daemon(
            GraphSample.answer(ontology, spawn, bindings: ["ada": "Person/ada"]),
            GraphSample.answer(spawn, spawn, GraphResultView(statement: "link", summary: [:])),
            .error(422, GraphSample.refusal))
        defer { daemon.stop() }
        let first = try daemon.file("a.mew", "node Person {}\nada: Person {}")
        let second = try daemon.file("b.mew", "bob: Person {}")
        let outcome = daemon.run("graph", "load", first, second)
        #expect(
            outcome.output == """
                \(first): Load ontology: edges 1, types 2
                \(first): Spawned 1 node, linked 0 edges
                \(second): Spawned 2 nodes, linked 1 edge

                """)
        #expect(try asked(daemon).map(\.bindings) == [[:], ["ada": "Person/ada"]])
        let failed = daemon.run("graph", "load", first, second)
        #expect(failed.status == 1)
        #expect(failed.messages == GraphSample.rendered + "\n")
        #expect(try asked(daemon).count == 3)
    }

    // MARK: Watching

    private static let events = [
        GraphWatchEvent(watch: "_Watch/1", type: "initial", match: ["id": "j1", "n": 1], tick: 7),
        GraphWatchEvent(
            watch: "_Watch/1", type: "changed", match: ["id": "j1", "n": 2], prev: ["id": "j1", "n": 1],
            tick: 8),
        GraphWatchEvent(
            watch: "_Watch/1", type: "consumed", match: ["id": "j2"], deliveryID: "d-1", tick: 9),
        GraphWatchEvent(watch: "_Watch/1", type: "overflow", tick: 9, lost: 4),
    ]

    private static func stream() -> ControlResponse {
        ControlResponse(
            status: 200, contentType: "text/event-stream",
            body: ControlResponse.keepAlive + events.flatMap { ControlResponse.event($0.type, $0) },
            stream: { nil })
    }

    private func watching() throws -> ScriptedDaemon {
        try ScriptedDaemon(
            ["POST \(Self.path)": [GraphSample.answer(GraphResultView(statement: "ack"))]],
            otherwise: { $0.method == "POST" && $0.path == "/v1/graph/watch" ? Self.stream() : nil })
    }

    @Test("graph watch prints events as they come, as lines or as JSON lines")
    func watch() throws {
        let daemon = try watching()
        defer { daemon.stop() }
        let outcome = daemon.run("graph", "watch", "WATCH j: Job RETURN j", "--param", "x=1")
        #expect(outcome.status == 0)
        #expect(
            outcome.output == """
                initial    id=j1  n=1
                changed    id=j1  n=2  (before: id=j1  n=1)
                consumed   id=j2  delivery d-1
                overflow   4 events are lost

                """)
        #expect(
            try daemon.posted("/v1/graph/watch", as: GraphRequest.self) == [
                GraphRequest(source: "WATCH j: Job RETURN j", parameters: ["x": 1], name: "watch.mew")
            ])
        #expect(try asked(daemon).isEmpty)
        let lines = daemon.run("graph", "watch", "WATCH …", "-o", "jsonl").output.split(separator: "\n")
        let events = try lines.map { try JSONDecoder().decode(GraphWatchEvent.self, from: Data($0.utf8)) }
        #expect(events == Self.events)
        let array = try #require(
            try daemon.run("graph", "watch", "WATCH …", "-o", "json", "--count", "2").json()
                as? [[String: Any]])
        #expect(array.map { $0["type"] as? String } == ["initial", "changed"])
    }

    @Test("with --ack auto each consumed match is acknowledged, by its delivery")
    func acknowledge() throws {
        let daemon = try watching()
        defer { daemon.stop() }
        #expect(daemon.run("graph", "watch", "WATCH …", "--ack", "auto").status == 0)
        #expect(
            try asked(daemon) == [GraphRequest(source: "ACK $delivery", parameters: ["delivery": "d-1"])])
    }

    @Test("a watch that is refused shows why")
    func refusedWatch() throws {
        let daemon = try ScriptedDaemon(["POST /v1/graph/watch": [.error(422, GraphSample.refusal)]])
        defer { daemon.stop() }
        let outcome = daemon.run("graph", "watch", "WATCH p: Person WHERE p.nme RETURN p")
        #expect(outcome.status == 1)
        #expect(outcome.messages == GraphSample.rendered + "\n")
    }

    @Test("a watch that is given time ends with it, and with 5 where not enough came")
    func timeout() throws {
        let gate = DispatchSemaphore(value: 0)
        let daemon = try ScriptedDaemon(otherwise: { _ in
            ControlResponse(
                status: 200, contentType: "text/event-stream",
                body: ControlResponse.event("added", Self.events[0]),
                stream: {
                    gate.wait()
                    return nil
                })
        })
        defer { daemon.stop() }
        let short = daemon.run("graph", "watch", "WATCH …", "--timeout", "300ms", "--count", "2")
        let whole = daemon.run("graph", "watch", "WATCH …", "--timeout", "300ms")
        for _ in 0..<2 { gate.signal() }
        #expect(short.status == 5)
        #expect(short.messages == "error: 1 of 2 events came in time\n")
        #expect(whole.status == 0)
        #expect(whole.output == "initial    id=j1  n=1\n")
    }

    // MARK: Exporting

    private func exporting() throws -> ScriptedDaemon {
        try ScriptedDaemon(otherwise: { request in
            guard let asked = try? request.decoded(GraphRequest.self) else { return nil }
            let link: JSONValue = [
                "_id": "z6Mk/3/0", "_type": "knows", "_targets": ["Person/ada", "Person/bob"], "since": nil,
            ]
            let student: JSONValue = ["_id": "Student/eve", "_type": "Student", "name": "", "school": "MIT"]
            switch asked.source {
            case "SHOW TYPES; SHOW EDGES;": return GraphSample.answer(GraphSample.types, GraphSample.edges)
            case "MATCH x: Person RETURN x":
                return GraphSample.answer(
                    GraphResultView(
                        statement: "match", columns: ["x"], rows: [[GraphSample.ada], [student]]))
            case "MATCH x: Student RETURN x":
                return GraphSample.answer(
                    GraphResultView(statement: "match", columns: ["x"], rows: [[student]]))
            case "MATCH knows(_, _) AS x RETURN x":
                return GraphSample.answer(GraphResultView(statement: "match", columns: ["x"], rows: [[link]]))
            default: return nil
            }
        })
    }

    @Test("graph export writes each entity of every declared type once, and nothing of the system's")
    func exportNodes() throws {
        let daemon = try exporting()
        defer { daemon.stop() }
        let outcome = daemon.run("graph", "export", "--nodes")
        #expect(
            outcome.output == #"""
                {"_id":"Person/ada","_type":"Person","age":36,"name":"Ada, the \"first\""}
                {"_id":"Student/eve","_type":"Student","name":"","school":"MIT"}

                """#)
        #expect(outcome.messages == "2 nodes exported\n")
        #expect(
            try asked(daemon).map(\.source) == [
                "SHOW TYPES; SHOW EDGES;", "MATCH x: Person RETURN x", "MATCH x: Student RETURN x",
            ])
    }

    @Test("graph dump writes what the daemon sends, byte by byte")
    func dump() throws {
        let daemon = try ScriptedDaemon([
            "GET /v1/graph/dump": [.bytes([1, 0, 255], contentType: "text/plain")]
        ])
        defer { daemon.stop() }
        #expect(daemon.run("graph", "dump").outputBytes == [1, 0, 255])
    }

    @Test("as CSV an export of a type has its declared columns and those of subtypes")
    func exportCSV() throws {
        let daemon = try exporting()
        defer { daemon.stop() }
        let file = try daemon.file("out.csv")
        #expect(
            daemon.run("graph", "export", "--nodes", "--type", "Person", "--format", "csv", "-o", file).status
                == 0)
        #expect(
            try String(contentsOfFile: file, encoding: .utf8)
                == "_id,_type,name,age,weight,isMember,school\r\n"
                + "Person/ada,Person,\"Ada, the \"\"first\"\"\",36,,,\r\n"
                + "Student/eve,Student,\"\",,,,MIT\r\n")
        #expect(
            daemon.run("graph", "export", "--edges", "--type", "knows", "--format", "csv").output
                == "_id,_type,_target_1,_target_2,since\r\nz6Mk/3/0,knows,Person/ada,Person/bob,\r\n")
        let wrong = daemon.run("graph", "export", "--nodes", "--type", "Persn")
        #expect(wrong.messages == "error: there is no type Persn\nhint: did you mean Person?\n")
    }
}
