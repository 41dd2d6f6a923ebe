import ControlClient
import Foundation
import Glibc
import MeshAPI
import MeshDevnet
import MeshTestSupport
import Testing

extension WholeNodes {
    @Suite("Imports into the graph", .tags(.Size.large))
    struct GraphImports {
        static let count = 4_000

        /// A started `meshctl`, so that it can be interrupted.
        private func begin(_ node: TestNode, _ words: [String], log: String) throws -> ChildProcess {
            try ChildProcess(
                Programs.meshctl, words, environment: ["MESHCTL_SOCKET": node.socketPath], hasOwnGroup: false,
                log: log)
        }

        /// Writes the nodes and the edges to import, and loads their ontology.
        private func prepare(_ cluster: Cluster) throws -> (nodes: String, edges: String) {
            try cluster[1].mew(Graphs.people)
            let files = (nodes: cluster.directory + "/nodes.jsonl", edges: cluster.directory + "/edges.jsonl")
            var nodes = ""
            var edges = ""
            for number in 0..<Self.count {
                nodes +=
                    "{\"_type\":\"Person\",\"_id\":\"p\(number)\",\"name\":\"n\(number)\",\"age\":\(number)}\n"
                let next = (number + 1) % Self.count
                edges += "{\"_type\":\"boss\",\"_targets\":[\"Person/p\(number)\",\"Person/p\(next)\"]}\n"
            }
            try nodes.write(toFile: files.nodes, atomically: true, encoding: .utf8)
            try edges.write(toFile: files.edges, atomically: true, encoding: .utf8)
            return files
        }

        /// The line that an import says it has committed.
        private func line(_ file: String) -> Int {
            guard let data = FileManager.default.contents(atPath: file + ".progress"),
                let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
            else { return 0 }
            return object["line"] as? Int ?? 0
        }

        /// Begins an import, stops it in its middle, and says how it ended.
        private func interrupt(
            _ node: TestNode, _ file: String, resuming: Bool, with signal: Int32, log: String
        ) throws -> ChildProcess.Ending {
            let start = line(file)
            let process = try begin(
                node,
                ["graph", "import", file, "--batch", "20"] + (resuming ? ["--resume"] : []), log: log)
            _ = try eventually("the import does not begin") {
                line(file) > start + 100 || process.hasEnded != nil ? () : nil
            }
            process.signal(signal)
            return try process.ended()
        }

        @Test("an import that is killed and resumed leaves nothing twice and nothing out")
        func killed() throws {
            try withCluster(.init(count: 1)) { cluster in
                let node = cluster[1]
                let files = try prepare(cluster)
                let log = cluster.directory + "/import.log"
                for file in [files.nodes, files.edges] {
                    var killings = 0
                    for round in 0..<3 {
                        let ending = try interrupt(
                            node, file, resuming: round > 0, with: SIGKILL, log: log)
                        if ending == .signalled(SIGKILL) { killings += 1 }
                    }
                    #expect(killings > 0, "it was over before it could be killed")
                    // Whoever begins again without a word is told of it.
                    let again = try node.ctl("graph", "import", file)
                    #expect(again.status != 0)
                    #expect(again.errors.contains("--resume"), "\(again)")
                    let resumed = try node.ctl("graph", "import", file, "--resume")
                    #expect(resumed.status == 0, "\(resumed)")
                    #expect(!FileManager.default.fileExists(atPath: file + ".progress"))
                }
                #expect(
                    try node.rows("MATCH p: Person RETURN COUNT(*), SUM(p.age)")
                        == [[.integer(Self.count), .integer(Self.count * (Self.count - 1) / 2)]])
                #expect(
                    try node.rows("MATCH a: Person, b: Person, boss(a, b) RETURN COUNT(*)")
                        == [[.integer(Self.count)]])
                #expect(try node.rows("MATCH c: _Conflict RETURN c.name").isEmpty)
            }
        }

        @Test("Ctrl+C ends an import with 130 and says how to go on")
        func interrupted() throws {
            try withCluster(.init(count: 1)) { cluster in
                let node = cluster[1]
                let file = try prepare(cluster).nodes
                let log = cluster.directory + "/import.log"
                let ending = try interrupt(node, file, resuming: false, with: SIGINT, log: log)
                #expect(ending == .exited(130))
                let said = FileManager.default.contents(atPath: log).map {
                    String(decoding: $0, as: UTF8.self)
                }
                #expect(said?.contains("go on with --resume") == true, "\(said ?? "")")
                let resumed = try node.ctl("graph", "import", file, "--resume")
                #expect(resumed.status == 0, "\(resumed)")
                #expect(try node.rows("MATCH p: Person RETURN COUNT(*)") == [[.integer(Self.count)]])
            }
        }

        @Test("Ctrl+C during a load leaves all of a transaction or nothing, and the daemon well")
        func interruptedLoad() throws {
            try withCluster(.init(count: 1)) { cluster in
                let node = cluster[1]
                let file = cluster.directory + "/load.mew"
                var text = Graphs.people + "\nBEGIN;\n"
                for number in 0..<Self.count { text += "SPAWN #m\(number): Mark { n = \(number) };\n" }
                try (text + "COMMIT;\n").write(toFile: file, atomically: true, encoding: .utf8)
                let load = try begin(node, ["graph", "load", file], log: cluster.directory + "/load.log")
                _ = try eventually("the load does not begin") {
                    (try? node.rows("MATCH m: Mark RETURN COUNT(*)")) != nil || load.hasEnded != nil
                        ? () : nil
                }
                load.signal(SIGINT)
                let ending = try load.ended()
                #expect([.signalled(SIGINT), .exited(130), .exited(0)].contains(ending), "\(ending)")
                // What was sent is carried out, whoever waits for it; now, or behind this question.
                let count = try node.rows("MATCH m: Mark RETURN COUNT(*)")
                #expect(count == [[.integer(0)]] || count == [[.integer(Self.count)]])
                let again = try node.ctl("graph", "load", file)
                #expect(again.status == 0 || again.errors.contains("E3011"), "\(again)")
                #expect(try node.rows("MATCH m: Mark RETURN COUNT(*)") == [[.integer(Self.count)]])
            }
        }
    }
}
