import ControlServer
import Foundation
import MeshAPI
import MeshTestSupport
import Synchronization
import Testing

/// A graph that understands what an import sends, one statement to a line, and nothing else.
private final class LittleGraph: Sendable {
    struct Contents: Equatable {
        var nodes: [String: [String: JSONValue]] = [:]
        var unnamedCount = 0
        var edges: [String] = []
    }

    private struct State {
        var contents = Contents()
        /// The commit whose answer is lost, counted from 1.
        var lostCommit: Int?
        var commitCount = 0
        var requests: [GraphRequest] = []
    }

    private let state = Mutex(State())

    var contents: Contents { state.withLock { $0.contents } }
    var requests: [GraphRequest] { state.withLock { $0.requests } }

    /// As if the client died between the daemon's commit and its answer.
    func loseAnswer(ofCommit number: Int) { state.withLock { $0.lostCommit = $0.commitCount + number } }

    func daemon() throws -> ScriptedDaemon {
        try ScriptedDaemon(otherwise: { [self] request in
            guard request.path == "/v1/graph/query", let asked = try? request.decoded(GraphRequest.self)
            else { return nil }
            if asked.source.hasPrefix("SHOW TYPES") {
                return GraphSample.answer(GraphSample.types, GraphSample.edges)
            }
            return state.withLock { state in
                state.requests.append(asked)
                return Self.answer(asked, &state)
            }
        })
    }

    private static func refusal(_ code: String, _ message: String, line: Int?) -> ControlResponse {
        .error(
            422,
            APIError(
                code: code, message: "error[\(code)]: \(message)",
                details: [DiagnosticView(code: code, message: message, line: line, rendered: "r")]))
    }

    private static func answer(_ asked: GraphRequest, _ state: inout State) -> ControlResponse {
        var contents = state.contents
        var results: [GraphResultView] = []
        // All that are found before anything runs are told together.
        var mistyped: [(line: Int, message: String)] = []
        let values = Dictionary(grouping: asked.parameters ?? [:]) { parameter in
            String(parameter.key.prefix { $0 != "_" })
        }.mapValues { pairs in
            Dictionary(
                uniqueKeysWithValues: pairs.map { (String($0.key.drop { $0 != "_" }.dropFirst()), $0.value) })
        }
        for (index, line) in asked.source.split(separator: "\n").enumerated() {
            let words = line.split(separator: " ")
            let quoted = line.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }.map { String($0.element) }
            switch words.first {
            case "BEGIN;", "COMMIT;": results.append(GraphResultView(statement: "transaction"))
            case "INSPECT":
                let isFound = contents.nodes[quoted[0]] != nil
                results.append(
                    GraphResultView(statement: "inspect", summary: ["found": .boolean(isFound)]))
            case "SPAWN":
                let plain = values["p\(index - 1)"] ?? [:]
                if case .text(let text)? = plain["age"] {
                    mistyped.append((index + 1, "age is an Int, not \(text)"))
                    continue
                }
                if plain["name"] == "nobody" { return refusal("E3001", "nobody may not be", line: nil) }
                if let key = quoted.first {
                    let type = String(words[2].filter { $0 != ";" })
                    guard contents.nodes["\(type)/\(key)"] == nil else {
                        return refusal("E3011", "\(type)/\(key) is there already", line: index + 1)
                    }
                    contents.nodes["\(type)/\(key)"] = plain
                } else {
                    contents.unnamedCount += 1
                }
                results.append(GraphResultView(statement: "spawn", summary: ["success": true]))
            case "LINK":
                // An id, or the key alone.
                let targets = quoted.compactMap { text in
                    contents.nodes.keys.first { $0 == text || $0.hasSuffix("/" + text) }
                }
                guard targets.count == quoted.count else {
                    return refusal("E3501", "a target is not there", line: index + 1)
                }
                let edge = targets.joined(separator: ">")
                let isNew = !line.contains("IF NOT EXISTS") || !contents.edges.contains(edge)
                if isNew { contents.edges.append(edge) }
                results.append(
                    GraphResultView(
                        statement: "link", columns: ["created"], rows: [[.boolean(isNew)]],
                        summary: ["success": true]))
            default: return refusal("E1001", "unexpected \(line)", line: index + 1)
            }
        }
        if !mistyped.isEmpty {
            return .error(
                422,
                APIError(
                    code: "E2003", message: "error[E2003]: \(mistyped[0].message)",
                    details: mistyped.map {
                        DiagnosticView(code: "E2003", message: $0.message, line: $0.line, rendered: "r")
                    }))
        }
        guard asked.source.hasPrefix("BEGIN;") else {
            return .json(GraphResponse(results: results))
        }
        state.contents = contents
        state.commitCount += 1
        if state.commitCount == state.lostCommit {
            return .error(503, APIError(code: "node.stopping", message: "gone", retryable: true))
        }
        return .json(GraphResponse(results: results))
    }
}

@Suite("graph import", .tags(.Size.medium))
struct GraphImportTests {
    private let graph = LittleGraph()

    private func people(_ range: Range<Int>) -> String {
        range.map { #"{"_id":"Person/p\#($0)","_type":"Person","name":"P \#($0)","age":\#($0)}"# + "\n" }
            .joined()
    }

    @Test("JSON Lines become one statement each, with keys from ids and values as parameters")
    func lines() throws {
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let file = try daemon.file(
            "n.jsonl",
            #"{"_id":"Person/ada","_type":"Person","name":"x\"; KILL #ada","age":36,"weight":null}"#
                + "\r\n\n"
                + #"{"id":7,"name":"B"}"# + "\n" + #"{"name":"C"}"#)
        let outcome = daemon.run("graph", "import", file, "--type", "Person")
        #expect(outcome.status == 0)
        #expect(outcome.output == "\(file): 3 spawned, 0 linked, 0 there already, 0 refused\n")
        #expect(
            graph.requests.map(\.source) == [
                """
                BEGIN;
                SPAWN #"ada": Person { name = $p0_name, age = $p0_age };
                SPAWN #"7": Person { name = $p1_name };
                SPAWN r2: Person { name = $p2_name };
                COMMIT;
                """
            ])
        #expect(graph.contents.nodes["Person/ada"] == ["name": "x\"; KILL #ada", "age": 36])
        #expect(outcome.messages.contains("records without an id"))
        #expect(!FileManager.default.fileExists(atPath: file + ".progress"))
    }

    @Test("CSV cells become what their attribute was declared as")
    func csv() throws {
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let file = try daemon.file(
            "people.csv",
            "\u{feff}id,name,age,weight,isMember\r\np1,007,36,1.5,true\r\np2,\"a \"\"b\"\"\nc\",,,\r\np3,\"\",x,,\r\np4,only\r\n"
        )
        let outcome = daemon.run("graph", "import", file, "--type", "Person")
        #expect(outcome.status == 1)
        #expect(
            graph.contents.nodes == [
                "Person/p1": ["name": "007", "age": 36, "weight": 1.5, "isMember": true],
                "Person/p2": ["name": "a \"b\"\nc"],
            ])
        #expect(
            outcome.messages == """
                \(file):5: age: “x” is not a whole number
                \(file):6: 2 cells under 5 columns

                """)
        #expect(outcome.output == "\(file): 2 spawned, 0 linked, 0 there already, 2 refused\n")
    }

    @Test("a heading that names no attribute is refused before anything is sent")
    func heading() throws {
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let file = try daemon.file("people.csv", "id,nam\np1,x\n")
        let outcome = daemon.run("graph", "import", file, "--type", "Person")
        #expect(outcome.status == 1)
        #expect(outcome.messages == "error: line 1: Person has no attribute nam\nhint: did you mean name?\n")
        #expect(graph.requests.isEmpty)
    }

    @Test("good lines of a batch go in, and bad ones are told by their lines")
    func badLines() throws {
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let file = try daemon.file(
            "n.jsonl",
            people(0..<5) + #"{"_id":"Person/bad","_type":"Person","age":"old"}"# + "\n" + "{\"_id\":\n"
                + people(5..<9) + #"{"_id":"Person/p0","_type":"Person"}"# + "\n"
                + #"{"_id":"Person/none","_type":"Person","name":"nobody"}"# + "\n" + "[1]\n"
                + #"{"_type":"Per son","_id":"x"}"# + "\n" + #"{"_type":"Person","a b":1}"# + "\n"
                + people(9..<12))
        let outcome = daemon.run("graph", "import", file, "--batch", "100", "-o", "json")
        #expect(outcome.status == 1)
        #expect(graph.contents.nodes.count == 12)
        #expect(
            Set(outcome.messages.split(separator: "\n").map { $0.dropFirst(file.count + 1) }) == [
                "6: E2003: age is an Int, not old", "7: not JSON: a value is expected (column 8)",
                "12: E3011: Person/p0 is there already", "13: E3001: nobody may not be",
                "14: a record is a JSON object", "15: “Per son” is not the name of a type",
                "16: “a b” is not the name of an attribute",
            ])
        let json = try #require(try outcome.json() as? [[String: Any]])
        #expect(json.first?["spawned"] as? Int == 12)
        #expect(json.first?["refused"] as? Int == 7)
    }

    @Test("faults that are told together cost one more request, not one each")
    func together() throws {
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let bad = #"{"_id":"b","_type":"Person","age":"old"}"# + "\n"
        let file = try daemon.file(
            "n.jsonl", (0..<10).map { people($0..<$0 + 1) + bad }.joined())
        let outcome = daemon.run("graph", "import", file)
        #expect(outcome.output == "\(file): 10 spawned, 0 linked, 0 there already, 10 refused\n")
        #expect(outcome.messages.split(separator: "\n").count == 10)
        #expect(graph.requests.count == 2)
    }

    @Test("a batch is cut where its script would grow too long")
    func longKeys() throws {
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let lines = (0..<3500).map { number in
            let key = "\(number)".padding(toLength: 256, withPad: "k", startingAt: 0)
            return "{\"_id\":\"\(key)\",\"_type\":\"Person\"}\n"
        }
        let file = try daemon.file("n.jsonl", lines.joined())
        let outcome = daemon.run(
            "graph", "import", file, "--batch", "100000")
        #expect(outcome.output == "\(file): 3500 spawned, 0 linked, 0 there already, 0 refused\n")
        #expect(graph.requests.count == 2)
        #expect(graph.requests.allSatisfy { $0.source.utf8.count < 1 << 20 })
    }

    @Test("after so many errors an import gives up, and what was committed stays")
    func tooMany() throws {
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let bad = #"{"_id":"b","_type":"Person","age":"old"}"# + "\n"
        let file = try daemon.file("n.jsonl", people(0..<2) + bad + bad + bad + people(2..<4))
        let outcome = daemon.run("graph", "import", file, "--batch", "2", "--max-errors", "2")
        #expect(outcome.status == 1)
        #expect(graph.contents.nodes.count == 2)
        #expect(outcome.messages.contains("given up after 2 errors"))
        #expect(FileManager.default.fileExists(atPath: file + ".progress"))
    }

    @Test(
        "an import that died in the middle goes on with --resume and leaves no duplicates", arguments: 1...4)
    func resume(_ lost: Int) throws {
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let file = try daemon.file("n.jsonl", people(0..<35))
        graph.loseAnswer(ofCommit: lost)
        let died = daemon.run("graph", "import", file, "--batch", "10")
        #expect(died.status == 1)
        #expect(graph.contents.nodes.count == min(35, lost * 10))
        let again = daemon.run("graph", "import", file, "--batch", "10")
        #expect(again.status == 1)
        #expect(again.messages.contains("stopped behind line \((lost - 1) * 10)\n"))
        #expect(again.messages.contains("hint: add --resume"))
        let before = graph.requests.count
        let resumed = daemon.run("graph", "import", file, "--batch", "10", "--resume")
        #expect(resumed.status == 0)
        #expect(graph.contents.nodes.count == 35)
        let inFlight = min(35, lost * 10) - (lost - 1) * 10
        #expect(
            resumed.output
                == "\(file): \(35 - inFlight) spawned, 0 linked, \(inFlight) there already, 0 refused\n")
        // The batch in flight, one look at its keys, and the rest: not a request for each line.
        #expect(graph.requests.count - before <= 2 + 4)
        #expect(!FileManager.default.fileExists(atPath: file + ".progress"))
    }

    @Test("a file that has changed is not resumed")
    func changed() throws {
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let file = try daemon.file("n.jsonl", people(0..<5))
        graph.loseAnswer(ofCommit: 1)
        #expect(daemon.run("graph", "import", file).status == 1)
        _ = try daemon.file("n.jsonl", people(0..<6))
        let outcome = daemon.run("graph", "import", file, "--resume")
        #expect(outcome.status == 1)
        #expect(outcome.messages.contains("n.jsonl has changed"))
        #expect(graph.contents.nodes.count == 5)
    }

    @Test("--skip-existing leaves alone what is there and imports the rest")
    func skipExisting() throws {
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let first = try daemon.file("a.jsonl", people(0..<10))
        let second = try daemon.file("b.jsonl", people(5..<15))
        #expect(daemon.run("graph", "import", first).status == 0)
        let outcome = daemon.run("graph", "import", second, "--skip-existing")
        #expect(outcome.status == 0)
        #expect(outcome.output == "\(second): 5 spawned, 0 linked, 5 there already, 0 refused\n")
    }

    @Test("edges come from lists, from columns of the export, of the declaration, or from the usual pairs")
    func edges() throws {
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let nodes = try daemon.file("n.jsonl", people(0..<6))
        let list = try daemon.file(
            "e.jsonl",
            #"{"_id":"z6Mk/3/0","_type":"knows","_targets":["Person/p0","Person/p1"],"since":null}"# + "\n"
                + #"{"_type":"knows","_targets":[{"_id":"Person/p0"},"Person/p1"]}"# + "\n"
                + #"{"_type":"knows","_targets":["Person/p9","Person/p1"]}"#)
        let exported = try daemon.file(
            "a.csv", "_id,_type,_target_1,_target_2,since\r\nx,knows,Person/p1,Person/p2,\r\n")
        let declared = try daemon.file("b.csv", "who,whom\nPerson/p2,Person/p3\n")
        let pair = try daemon.file("c.csv", "from,to\nPerson/p3,Person/p4\nPerson/p4,\n")
        #expect(daemon.run("graph", "import", nodes).status == 0)
        let first = daemon.run("graph", "import", list)
        #expect(first.output == "\(list): 0 spawned, 1 linked, 1 there already, 1 refused\n")
        #expect(first.messages == "\(list):3: E3501: a target is not there\n")
        let outcome = daemon.run("graph", "import", exported, declared, pair, "--edge", "knows")
        #expect(outcome.messages == "\(pair):3: a target of knows is not an id\n")
        #expect(
            graph.contents.edges == [
                "Person/p0>Person/p1", "Person/p1>Person/p2", "Person/p2>Person/p3", "Person/p3>Person/p4",
            ])
        #expect(daemon.run("graph", "import", exported, "--edge", "knows", "--parallel").status == 0)
        #expect(graph.contents.edges.count == 5)
    }

    @Test(
        "what is exported is imported elsewhere with the same keys and values", arguments: ["jsonl", "csv"])
    func roundTrip(_ format: String) throws {
        let entities: [JSONValue] = [
            ["_id": "Person/ada", "_type": "Person", "name": "a,\"b\"\r\nc", "age": 36, "weight": 1.5],
            ["_id": "z6MkhaXgBZ/12/0", "_type": "Person", "name": "", "isMember": false],
        ]
        let link: JSONValue = [
            "_id": "z6Mk/3/0", "_type": "knows", "_targets": ["Person/ada", "z6MkhaXgBZ/12/0"],
        ]
        let source = try ScriptedDaemon(otherwise: { request in
            guard let asked = try? request.decoded(GraphRequest.self) else { return nil }
            if asked.source.hasPrefix("SHOW") {
                return GraphSample.answer(GraphSample.types, GraphSample.edges)
            }
            let rows = asked.source.contains("knows") ? [[link]] : entities.map { [$0] }
            return GraphSample.answer(GraphResultView(statement: "match", columns: ["x"], rows: rows))
        })
        defer { source.stop() }
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let nodes = try daemon.file("n.\(format)")
        let edges = try daemon.file("e.\(format)")
        for (kind, type, path) in [("--nodes", "Person", nodes), ("--edges", "knows", edges)] {
            let outcome = source.run(
                "graph", "export", kind, "--type", type, "--format", format, "-o", path)
            #expect(outcome.status == 0)
        }
        #expect(daemon.run("graph", "import", nodes, "--type", "Person").status == 0)
        #expect(daemon.run("graph", "import", edges).status == 0)
        #expect(
            graph.contents.nodes == [
                "Person/ada": ["name": "a,\"b\"\r\nc", "age": 36, "weight": 1.5],
                "Person/z6MkhaXgBZ/12/0": ["name": "", "isMember": false],
            ])
        #expect(graph.contents.edges == ["Person/ada>Person/z6MkhaXgBZ/12/0"])
    }

    @Test("standard input is imported too, and leaves no file")
    func standardInput() throws {
        let daemon = try graph.daemon()
        defer { daemon.stop() }
        let outcome = daemon.run("graph", "import", "-", input: people(0..<3))
        #expect(outcome.output == "-: 3 spawned, 0 linked, 0 there already, 0 refused\n")
    }
}
