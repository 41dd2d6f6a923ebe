import MeshGraph
import MeshTestSupport
import Testing

@testable import MEW

/// WALK beside all paths, found by hand over plain lists.
@Suite("WALK goes every way once", .tags(.Size.small))
struct WalkTests {
    private func bench() throws -> Workbench {
        let bench = Workbench()
        try bench.run("ontology w { node N { k: Int } edge to(a: N, b: N) edge by(a: N, b: N) [symmetric] }")
        return bench
    }

    @Test(
        "every path without a repeated node is found, whatever the direction and the depths",
        arguments: Seed.sample(20))
    func paths(_ seed: Seed) throws {
        var generator = seed.generator
        let bench = try bench()
        let count = 5
        var edges: [(from: Int, to: Int)] = []
        var script = ["BEGIN"] + (0..<count).map { "SPAWN #n\($0): N { k = \($0) }" }
        for _ in 0..<Int.random(in: 3...9, using: &generator) {
            let edge = (
                Int.random(in: 0..<count, using: &generator), Int.random(in: 0..<count, using: &generator)
            )
            edges.append((from: edge.0, to: edge.1))
            script.append("LINK to(#n\(edge.0), #n\(edge.1))")
        }
        try bench.run((script + ["COMMIT"]).joined(separator: "\n"))
        let lowest = Int.random(in: 0...2, using: &generator)
        let highest = lowest + Int.random(in: 0...3, using: &generator)
        for (sign, forwards, backwards) in [("->", true, false), ("<-", false, true), ("<->", true, true)] {
            // All paths, by trying every edge at every end.
            var wanted: [[Int]] = []
            var open = [[0]]
            while let path = open.popLast() {
                if path.count - 1 >= lowest { wanted.append(path) }
                if path.count - 1 == highest { continue }
                for edge in edges {
                    if forwards, edge.from == path.last, !path.contains(edge.to) {
                        open.append(path + [edge.to])
                    }
                    if backwards, edge.to == path.last, !path.contains(edge.from) {
                        open.append(path + [edge.from])
                    }
                }
            }
            let walk = "WALK FROM #n0 FOLLOW to \(sign) DEPTH \(lowest)..\(highest) RETURN"
            #expect(
                try bench.rows("\(walk) depth, endpoint.k").sorted { "\($0)" < "\($1)" }
                    == wanted.map { ["\($0.count - 1)", "\($0.last ?? -1)"] }.sorted { "\($0)" < "\($1)" })
            #expect(
                Set(try bench.rows("\(walk) NODES").map { $0[0] })
                    == Set(wanted.map { "N/n\($0.last ?? -1)" }))
            #expect(
                try bench.rows("\(walk) nodes, depth").map { $0[0] }.sorted()
                    == wanted.map { "[" + $0.map { "N/n\($0)" }.joined(separator: ", ") + "]" }.sorted())
        }
    }

    @Test func `a walk stops where UNTIL holds, and a whole path ends there or where nothing leads on`()
        throws
    {
        let bench = try bench()
        try bench.run(
            "SPAWN #a: N { k = 0 }, #b: N { k = 1 }, #c: N { k = 2 }, #d: N { k = 3 } LINK to(#a, #b) LINK to(#b, #c) LINK to(#a, #d) LINK by(#d, #c)"
        )
        #expect(
            try bench.rows("WALK FROM #a FOLLOW to UNTIL endpoint.k = 1 RETURN TERMINAL AS t").map { $0[0] }
                .sorted() == ["N/b", "N/d"])
        #expect(
            try bench.rows("WALK FROM #a FOLLOW to RETURN TERMINAL").map { $0[0] }.sorted() == ["N/c", "N/d"])
        #expect(
            try bench.rows("WALK FROM #a FOLLOW to, by DEPTH 2..2 RETURN endpoint.k").map { $0[0] }.sorted()
                == ["2", "2"])
        #expect(try bench.rows("WALK FROM #nobody FOLLOW to RETURN NODES") == [])
        #expect(try bench.fault("WALK FROM #a FOLLOW nothing RETURN NODES") == .unknownEdge)
        #expect(try bench.fault("WALK FROM #a FOLLOW to DEPTH 3..500 RETURN NODES") == .transitiveDepth)
    }

    @Test func `walks from what was matched come one after the other, and change nothing`() throws {
        let bench = try bench()
        try bench.run("SPAWN #a: N { k = 0 }, #b: N { k = 1 } LINK to(#a, #b)")
        let before = bench.seq
        #expect(
            try bench.rows("MATCH n: N WALK FROM n FOLLOW to <-> RETURN endpoint.k, depth").sorted {
                $0[0] < $1[0]
            } == [["0", "1"], ["1", "1"]])
        #expect(bench.seq == before)
        try bench.run("MATCH n: N WHERE n.k = 0 SET n.k = 5 WALK FROM n FOLLOW to RETURN endpoint.k")
        #expect(bench.seq == before + 1)
    }
}
