import ControlClient
import Foundation
import Glibc
import MeshAPI
import MeshDevnet
import MeshTestSupport
import Testing

extension WholeNodes {
    @Suite("The graph of whole nodes", .tags(.Size.large))
    struct Graphs {
        static let people = """
            ontology people {
              node Person { name: String [required, unique]  age: Int? }
              node Mark { n: Int [required] }
              edge knows(a: Person, b: Person) [symmetric, no_self]
              edge boss(who: Person, over: Person)
            }
            """

        @Test("an ontology loaded at one node, data spawned at another, and a query answered by the third")
        func threeNodes() throws {
            try withCluster { cluster in
                let file = cluster.directory + "/people.mew"
                try Self.people.write(toFile: file, atomically: true, encoding: .utf8)
                let loaded = try cluster[1].ctl("graph", "load", file)
                #expect(loaded.status == 0, "\(loaded)")
                try cluster.await(cluster[2], "MATCH p: Person RETURN COUNT(*)", [[.integer(0)]])
                let spawned = try cluster[2].ctl(
                    "query",
                    "BEGIN; SPAWN #ada: Person { name = \"Ada\", age = 36 }; SPAWN #bob: Person { name = \"Bob\" }; LINK knows(#ada, #bob); COMMIT"
                )
                #expect(spawned.status == 0, "\(spawned)")
                // One's own writes are seen at once.
                #expect(
                    try cluster[2].rows("MATCH p: Person RETURN p.name ORDER BY p.name")
                        == [[.text("Ada")], [.text("Bob")]])
                try cluster.await(
                    cluster[3], "MATCH a: Person, b: Person, knows(a, b) WHERE a.name = \"Bob\" RETURN b.age",
                    [[.integer(36)]])
                let there = try cluster[3].ctl(
                    "query", "MATCH p: Person RETURN p.name, p.age ORDER BY p.name", "-o", "json")
                #expect(
                    try there.objects().map { $0["name"] as? String ?? $0["p.name"] as? String } == [
                        "Ada", "Bob",
                    ])
                let dump = try cluster.awaitEqualDumps()
                #expect(dump.split(separator: "\n").count == 3)
                // The command gives the same.
                #expect(try cluster[1].ctl("graph", "dump").output == dump)
            }
        }

        @Test("jobs that have run are found, ordered and cut off by a query")
        func jobs() throws {
            try withCluster { cluster in
                var fuel: [String: Int] = [:]
                for number in 0..<3 {
                    var request = SubmitRequest(
                        wasm: try cluster[1].upload(Modules.counting(to: 1_000 * (number + 1))))
                    request.auto = true
                    request.bidWindowMs = 0
                    let id = try cluster[1].submit(request)
                    fuel[id] = try cluster[1].job(id) { $0.verification.final }.metrics.fuelUsed
                }
                let query =
                    "MATCH j: Job WHERE j.status = \"Completed\" RETURN j.job_id, j.fuel_used ORDER BY j.fuel_used DESC LIMIT 5"
                try cluster.awaitEqualHeads()
                for node in cluster.nodes {
                    let ran = try node.ctl("query", query, "-o", "json")
                    try #require(ran.status == 0, "\(ran)")
                    let rows = try ran.objects()
                    #expect(rows.count == 3)
                    let used = rows.compactMap { ($0["fuel_used"] ?? $0["j.fuel_used"]) as? Int }
                    #expect(used == fuel.values.sorted(by: >), "\(ran)")
                    let ids = rows.compactMap { ($0["job_id"] ?? $0["j.job_id"]) as? String }
                    #expect(Set(ids) == Set(fuel.keys))
                }
            }
        }

        @Test("a daemon killed in the middle of many transactions has every acknowledged one afterwards")
        func killed() throws {
            try withCluster { cluster in
                try cluster[1].mew(Self.people)
                try cluster.await(cluster[2], "MATCH m: Mark RETURN COUNT(*)", [[.integer(0)]])
                let node = cluster[2]
                var acknowledged: [Int] = []
                var next = 0
                for round in 0..<3 {
                    let stream = ProgramStream(node, from: next) {
                        "BEGIN; SPAWN #a\($0): Mark { n = \($0) }; SPAWN #b\($0): Mark { n = \(-$0 - 1) }; COMMIT"
                    }
                    try stream.awaitAcknowledged(20 + 10 * round)
                    try node.kill()
                    let done = try stream.stop()
                    acknowledged += done
                    next = (done.max() ?? next) + 1_000_000
                    try node.start()
                    try cluster.awaitLinked()
                }
                #expect(acknowledged.count >= 90)
                let rows = try node.rows("MATCH m: Mark RETURN m.n")
                let kept = Set(rows.compactMap { row in if case .integer(let n) = row[0] { n } else { nil } })
                #expect(acknowledged.allSatisfy { kept.contains($0) })
                // Each transaction is there whole or not at all.
                #expect(kept.allSatisfy { kept.contains(-$0 - 1) })
                let dump = try cluster.awaitEqualDumps()
                #expect(dump.split(separator: "\n").count == kept.count)
                let heads = try cluster.awaitEqualHeads()
                #expect(heads.allSatisfy { !$0.frozen })
            }
        }

        @Test("two clients that write at once both get their answers, and unique stays unique")
        func twoClients() throws {
            try withCluster(.init(count: 1)) { cluster in
                let node = cluster[1]
                try node.mew(Self.people)
                // Both want the same names; of each name one gets it.
                let streams = (0..<2).map { client in
                    ProgramStream(node) { "SPAWN p: Person { name = \"n\($0)\", age = \(client) }" }
                }
                for stream in streams { try stream.awaitAcknowledged(20) }
                let done = try streams.map { try $0.stop() }
                #expect(Set(done[0]).isDisjoint(with: done[1]))
                #expect(
                    try node.rows("MATCH p: Person RETURN COUNT(*)") == [
                        [.integer(done[0].count + done[1].count)]
                    ])
                #expect(try node.rows("MATCH c: _Conflict RETURN c.name").isEmpty)
                for (client, numbers) in done.enumerated() {
                    #expect(
                        try node.rows("MATCH p: Person WHERE p.age = \(client) RETURN COUNT(*)")
                            == [[.integer(numbers.count)]])
                }
            }
        }

        @Test("programs without end or measure are refused by their codes, and the daemon goes on")
        func runaways() throws {
            try withCluster(.init(count: 1)) { cluster in
                let node = cluster[1]
                try node.mew(Self.people)
                try node.mew("SPAWN #ada: Person { name = \"Ada\" }")
                let before = try (dump: node.dump(), heads: node.heads())

                let long =
                    "MATCH p: Person WHERE p.name = \"" + String(repeating: "x", count: 10 << 20)
                    + "\" RETURN p"
                let tooLong = try #require(try node.refusal(long))
                #expect((tooLong.status, tooLong.code) == (422, "E1007"))

                let deep =
                    "MATCH p: Person WHERE " + String(repeating: "(", count: 1_000) + "p.age = 1"
                    + String(repeating: ")", count: 1_000) + " RETURN p"
                let nested = try #require(try node.refusal(deep))
                #expect((nested.status, nested.code) == (422, "E1006"))
                #expect(nested.error.details?.first?.line == 1)
                #expect(nested.error.details?.first?.rendered.contains("^") == true)

                // As deep and as high as programs may be, where they are read and where they change something.
                let tower =
                    String(repeating: "(", count: 190) + "p.age = 1" + String(repeating: ")", count: 190)
                    + String(repeating: " OR p.age = 2", count: 300)
                #expect(try node.rows("MATCH p: Person WHERE \(tower) RETURN p").isEmpty)
                try node.mew("MATCH p: Person WHERE \(tower) SET p { age = 3 }")

                // Everyone is linked with everyone: what follows has more answers than anybody can wait for.
                var crowd = "BEGIN;\n"
                for number in 0..<60 {
                    crowd += "SPAWN #q\(number): Person { name = \"q\(number)\", age = \(number) };\n"
                }
                crowd += "COMMIT"
                try node.mew(crowd)
                try node.mew("MATCH a: Person, b: Person WHERE a.age != b.age LINK boss(a, b)")
                let many =
                    "MATCH a: Person, b: Person, c: Person, d: Person RETURN a.name, b.name, c.name, d.name"
                let endless = try #require(try node.refusal(many, seconds: 120))
                #expect((endless.status, endless.code) == (422, "E9023"))
                // And transitive steps within the engine, which does nothing else meanwhile.
                let writing =
                    "MATCH a: Person, b: Person, c: Person, boss+(a, b), boss+(b, c), boss+(c, a) SET a { age = 7 }"
                let blocked = try #require(try node.refusal(writing, seconds: 120))
                #expect((blocked.status, blocked.code) == (422, "E9023"))

                try node.mew(
                    """
                    ontology loop {
                      node Count { n: Int }
                      rule more: c: Count => SPAWN d: Count { n = c.n + 1 }
                    }
                    """)
                let endlessRule = try #require(try node.refusal("SPAWN c: Count { n = 0 }"))
                #expect((endlessRule.status, endlessRule.code) == (422, "E9021"))
                #expect(try node.rows("MATCH c: Count RETURN COUNT(*)") == [[.integer(0)]])

                #expect(node.process?.hasEnded == nil)
                #expect(try node.heads().count == before.heads.count)
                #expect(
                    try node.rows("MATCH p: Person WHERE p.name = \"Ada\" RETURN p.name") == [[.text("Ada")]])
                #expect(try node.mew("SPAWN #bob: Person { name = \"Bob\" }").results.count == 1)
                #expect(try node.stop() == .exited(0))
            }
        }

        @Test("a full disk refuses a change in a sentence, reads go on, and nothing is lost")
        func full() throws {
            try withCluster(.init(count: 1), isStarted: false) { cluster in
                let node = cluster[1]
                try cluster.configure(0)
                try node.start(["--alone"])
                try node.mew(Self.people)
                try node.mew("SPAWN #ada: Person { name = \"Ada\" }")
                try node.stop()
                let attributes = try FileManager.default.attributesOfItem(
                    atPath: node.directory + "/records/data.mdb")
                let kibibytes = (attributes[.size] as? Int ?? 0) / 1024 + 600
                try node.start(["--alone"], shellPrefix: "ulimit -f \(kibibytes)")
                var accepted = 0
                var refusal: ControlRefusal?
                for number in 0..<200 where refusal == nil {
                    do {
                        try node.mew(
                            "SPAWN #p\(number): Person { name = $name }",
                            parameters: ["name": .text("\(number) " + String(repeating: "x", count: 40_000))])
                        accepted += 1
                    } catch let error as ControlRefusal {
                        refusal = error
                    }
                }
                let refused = try #require(refusal, "the store never became full")
                #expect(accepted > 1)
                #expect(refused.status == 503, "\(refused)")
                #expect(refused.error.retryable)
                #expect(refused.error.message.contains(" "))
                #expect(node.process?.hasEnded == nil)
                // Readers have snapshots of their own and need no engine.
                let count = "MATCH p: Person RETURN COUNT(*)"
                #expect(try node.rows(count) == [[.integer(accepted + 1)]])
                let dump = try node.dump()
                #expect(try node.stop() == .exited(0))
                try node.start(["--alone"])
                #expect(try node.dump() == dump)
                try node.mew("SPAWN #bob: Person { name = \"Bob\" }")
                #expect(try node.rows(count) == [[.integer(accepted + 2)]])
            }
        }

        @Test("the example ontology loads, and its data answers as its comments say")
        func example() throws {
            try withCluster(.init(count: 1)) { cluster in
                let file = Programs.package.appendingPathComponent("examples/ontologies/expedition.mew").path
                let loaded = try cluster[1].ctl("graph", "load", file)
                try #require(loaded.status == 0, "\(loaded)")
                #expect(
                    try cluster[1].rows(
                        "MATCH s: Sample, d: Dive, taken_on(s, d) RETURN s.label, d.depth_m ORDER BY d.depth_m DESC"
                    )
                        == [[.text("S-002"), .number(3012.5)], [.text("S-001"), .number(2410.5)]])
                #expect(
                    try cluster[1].rows(
                        "MATCH p: Sample, w: Sample, piece_of+(p, w) WHERE w.label = \"S-001\" RETURN p.label ORDER BY p.label"
                    )
                        == [[.text("S-001/a")], [.text("S-001/b")]])
                #expect(
                    try cluster[1].rows("MATCH d: edge<doubts> RETURN d.reason") == [
                        [.text("the vial was opened on deck")]
                    ])
                let again = try cluster[1].ctl("graph", "load", file, "-o", "json")
                #expect(again.status == 1)
                #expect(again.errors.contains("E3011"))
            }
        }
    }
}
