import ControlServer
import Foundation
import MeshAPI
import MeshTestSupport
import Testing

@testable import MeshCommands

@Suite("graph shell", .tags(.Size.medium))
struct GraphShellTests {
    private static func echo(_ statement: String, _ bindings: [String: String] = [:]) -> ControlResponse {
        GraphSample.answer(
            GraphResultView(
                statement: "match", columns: ["said"], rows: [[.text(statement)]]), bindings: bindings)
    }

    /// A daemon that answers each statement with its own first word and refuses what says WRONG.
    private func daemon() throws -> ScriptedDaemon {
        try ScriptedDaemon(otherwise: { request in
            guard let asked = try? request.decoded(GraphRequest.self) else { return nil }
            if asked.source.contains("WRONG") { return .error(422, GraphSample.refusal) }
            let results = ScriptText(asked.source).statements.map { statement in
                GraphResultView(
                    statement: "match", columns: ["said"],
                    rows: [[.text(ScriptText(statement).keywords(1).first ?? "")]])
            }
            var bindings = asked.bindings ?? [:]
            if asked.source.contains("SPAWN x"), asked.dryRun != true { bindings["x"] = "Person/x" }
            return .json(GraphResponse(results: results, bindings: bindings))
        })
    }

    private func asked(_ daemon: ScriptedDaemon) throws -> [GraphRequest] {
        try daemon.posted("/v1/graph/query", as: GraphRequest.self)
    }

    @Test("without a terminal lines are read, and names of SPAWN stay for the session")
    func lines() throws {
        let daemon = try daemon()
        defer { daemon.stop() }
        let outcome = daemon.run(
            "graph", "shell", "-o", "csv",
            input: "SPAWN x: Person {\n\n};\nLINK knows(x, x)\n\n-- nothing\n\nSHOW TYPES -- at last")
        #expect(outcome.status == 0)
        #expect(outcome.output == "said\r\nSPAWN\r\nsaid\r\nLINK\r\nsaid\r\nSHOW\r\n")
        let requests = try asked(daemon)
        #expect(
            requests.map(\.source) == ["SPAWN x: Person {\n\n};", "LINK knows(x, x);", "SHOW TYPES;"])
        #expect(requests.map(\.bindings) == [[:], ["x": "Person/x"], ["x": "Person/x"]])
        #expect(requests.allSatisfy { $0.dryRun == nil })
    }

    @Test("a transaction is tried out statement by statement and sent once, whole, at COMMIT")
    func transaction() throws {
        let daemon = try daemon()
        defer { daemon.stop() }
        let outcome = daemon.run(
            "graph", "shell", "-o", "csv",
            input: "BEGIN;\nSPAWN x: Person;\nWRONG;\nSET x.name = \"a\";\nCOMMIT;\nSHOW TYPES;\n")
        #expect(outcome.status == 1)
        #expect(outcome.messages == GraphSample.rendered + "\n")
        let requests = try asked(daemon)
        #expect(
            requests.map(\.source) == [
                "BEGIN;", "BEGIN;\nSPAWN x: Person;", "BEGIN;\nSPAWN x: Person;\nWRONG;",
                "BEGIN;\nSPAWN x: Person;\nSET x.name = \"a\";",
                "BEGIN;\nSPAWN x: Person;\nSET x.name = \"a\";\nCOMMIT;", "SHOW TYPES;",
            ])
        #expect(requests.map(\.dryRun) == [true, true, true, true, nil, nil])
        #expect(requests.map { $0.bindings?["x"] } == [nil, nil, nil, nil, nil, "Person/x"])
        // Each statement's result is shown once.
        #expect(
            outcome.output.replacingOccurrences(of: "said\r\n", with: "")
                == "BEGIN\r\nSPAWN\r\nSET\r\nCOMMIT\r\nSHOW\r\n")
    }

    @Test("ROLLBACK sends nothing, and a transaction that is left open is not committed")
    func rollback() throws {
        let daemon = try daemon()
        defer { daemon.stop() }
        let outcome = daemon.run("graph", "shell", input: "BEGIN;\nSPAWN x: Person;\nROLLBACK;\nBEGIN;\n")
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("Rolled back\n"))
        #expect(outcome.messages.hasPrefix("error: the transaction was not committed\n"))
        #expect(try asked(daemon).allSatisfy { $0.dryRun == true })
    }

    @Test("a transaction on one line is one request, and what stands around it goes along")
    func oneLine() throws {
        let daemon = try daemon()
        defer { daemon.stop() }
        let outcome = daemon.run(
            "graph", "shell", "-o", "json",
            input: "SHOW TYPES; BEGIN; SPAWN x: Person; COMMIT; BEGIN SESSION AS #x;\n")
        #expect(outcome.status == 0)
        #expect(
            try asked(daemon).map(\.source) == [
                "SHOW TYPES;\nBEGIN;\nSPAWN x: Person;\nCOMMIT;\nBEGIN SESSION AS #x;"
            ])
    }

    @Test("a session goes with every request until it ends")
    func session() throws {
        let daemon = try daemon()
        defer { daemon.stop() }
        let outcome = daemon.run(
            "graph", "shell", "-o", "csv",
            input: "BEGIN SESSION AS #ada;\nSHOW TYPES;\nEND SESSION;\nSHOW EDGES;\n")
        #expect(outcome.status == 0)
        #expect(
            try asked(daemon).map(\.source) == [
                "BEGIN SESSION AS #ada;", "BEGIN SESSION AS #ada;\nSHOW TYPES;",
                "BEGIN SESSION AS #ada;\nEND SESSION;", "SHOW EDGES;",
            ])
        #expect(
            outcome.output.replacingOccurrences(of: "said\r\n", with: "")
                == "BEGIN\r\nSHOW\r\nEND\r\nSHOW\r\n")
    }

    @Test("a backslash begins what the shell does itself")
    func commands() throws {
        let daemon = try daemon()
        defer { daemon.stop() }
        let outcome = daemon.run(
            "graph", "shell",
            input: "\\output json\n\\types\n\\output xml\n\\timin\n\\timing\n\\edges\n\\quit\nSHOW RULES;\n")
        #expect(outcome.status == 1)
        #expect(try asked(daemon).map(\.source) == ["SHOW TYPES;", "SHOW EDGES;"])
        #expect(outcome.output.contains("\"said\": \"SHOW\""))
        #expect(outcome.messages.contains("\\\\output takes table, json, yaml, csv"))
        #expect(outcome.messages.contains("did you mean \\\\timing?"))
        #expect(daemon.run("graph", "shell", input: "\\help\n").output.contains("\\quit"))
        let watch = daemon.run("graph", "shell", input: "WATCH x: A RETURN x;\n")
        #expect(watch.messages.contains("hint: meshctl graph watch 'WATCH x: A RETURN x;'"))
    }

    private let completer = GraphCompleter(
        catalog: GraphCatalog(
            types: [
                .init(
                    name: "Person",
                    attributes: [.init(name: "name", type: "String"), .init(name: "age", type: "Int?")]),
                .init(name: "Pet", attributes: [.init(name: "nick", type: "String")]),
            ],
            edges: [
                .init(
                    name: "knows", attributes: [.init(name: "since", type: "Timestamp")],
                    parameters: [.init(name: "a", type: "Person")])
            ]))

    @Test(
        "completion offers what may stand there",
        arguments: [
            ("MATCH p: Pe", ["Person", "Pet"]), ("MATCH p: Person WHERE p.", ["age", "name"]),
            ("MATCH p: Person, q: Pet WHERE q.n", ["nick"]), ("mat", ["match"]), ("MAT", ["MATCH"]),
            ("LINK kn", ["knows"]), ("LINK M", []), ("SPAWN x: Person { na", ["name"]),
            ("SPAWN x: Person { name = \"a\", a", ["age"]), ("MATCH p: Person WHERE z.s", ["since"]),
            ("MATCH p: Person WHERE p.name = \"Pe", []), ("KILL #Per", []), ("SET $na", []),
            ("\\ti", ["\\timing"]),
            ("SPAWN x: Per", ["Person"]), ("WHERE p.age > 1.", nil), ("Per", ["Person"]),
        ] as [(String, [String]?)])
    func completion(_ text: String, _ candidates: [String]?) {
        if let candidates { #expect(completer.complete(text).candidates == candidates) }
        #expect(completer.complete(text).replaced <= text.count)
    }

    @Test("a catalogue is read from the rows of SHOW, whichever way they list attributes")
    func catalog() {
        let catalog = GraphCatalog([GraphSample.types, GraphSample.edges])
        #expect(catalog.types.map(\.name) == ["Person", "Thing", "Job", "Student"])
        #expect(catalog.type("Thing")?.isAbstract == true)
        #expect(catalog.type("Job")?.isSystem == true)
        #expect(catalog.type("Person")?.attributes.map(\.base) == ["String", "Int", "Float", "Bool"])
        #expect(catalog.edge("knows")?.parameters.map(\.name) == ["who", "whom"])
        let objects = GraphCatalog([
            GraphResultView(
                statement: "show", columns: ["attributes", "name"],
                rows: [[[["name": "a", "type": "Int"], ["name": "b"]], "T"], [nil, "_Watch"], [nil, 5]])
        ])
        #expect(objects.type("T")?.attributes.map(\.type) == ["Int", "any"])
        #expect(objects.type("_Watch")?.isSystem == true)
        #expect(objects.types.count == 2)
    }

    @Test("a history is kept for its owner alone")
    func historyFile() throws {
        let home = try TemporaryDirectory()
        let file = try #require(HistoryFile(["HOME": home.path]))
        #expect(file.load().entries == [])
        file.save(LineEditorHistory(["SHOW\nTYPES"]))
        #expect(file.load().entries == ["SHOW\nTYPES"])
        let attributes = try FileManager.default.attributesOfItem(atPath: home.file(".mesh/history"))
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(HistoryFile([:]) == nil)
    }
}
