import Foundation
import MeshCore
import MeshGraph
import MeshTestSupport
import Testing

@testable import MEW

@Suite("The matcher finds what its slow twin finds", .tags(.Size.small))
struct TwinTests {
    /// How many graphs are tried; each with some ninety statements.
    private static var count: UInt64 {
        ProcessInfo.processInfo.environment["MESH_TWIN_COUNT"].flatMap { UInt64($0) } ?? 40
    }

    /// What became of the statements.
    struct Tally {
        var compared = 0
        var refused = 0
        var withRows = 0
    }

    @Test(
        "random patterns over random graphs give the same rows, whatever has changed and is indexed",
        arguments: Seed.sample(Self.count))
    func twins(_ seed: Seed) throws {
        var world = try TwinWorld(seed.generator)
        var tally = Tally()
        for round in 0..<3 {
            for _ in 0..<30 { try compare(&world, &tally) }
            if round == 2 { break }
            for _ in 0..<4 { try world.change() }
            try world.changeIndex()
        }
        #expect(tally.compared > 60, "\(tally)")
        #expect(tally.withRows > 10, "\(tally)")
    }

    private func compare(_ world: inout TwinWorld, _ tally: inout Tally) throws {
        var random = RandomMatch(
            SeededGenerator(seed: world.generator.next()),
            ids: world.graph.living.map { world.graph.entities[$0].id })
        let statement = random.statement()
        let parameters: [String: NaiveValue] = ["i": .int(1), "s": .string("a"), "n": .null]
        let given: [[String]]
        do {
            let results = try world.bench.run(
                statement.text, ["i": .int(1), "s": .string("a")])
            given = results.last?.rows.map { $0.map(Self.text) } ?? []
        } catch let fault as Diagnostic where fault.code.rawValue.hasPrefix("E2") {
            // What the checker refuses is its own tests' business; here only that it is not much.
            tally.refused += 1
            return
        } catch {
            Issue.record("\(statement.text)\n\(error)")
            return
        }
        guard case .match(let match)? = Parser.script(statement.text).statements.first?.kind else { return }
        let twin = NaiveMatcher(graph: world.graph, parameters: parameters)
        let wanted = try twin.rows(match).map { $0.values.map { Self.text($0, world.graph) } }
        tally.compared += 1
        if !wanted.isEmpty { tally.withRows += 1 }
        if let difference = Self.difference(given, wanted, statement) {
            let plan =
                (try? world.bench.rows("EXPLAIN \(statement.text)", ["i": .int(1), "s": .string("a")])) ?? []
            Issue.record(
                """
                \(statement.text)
                  \(difference)
                  given:  \(given.sorted { "\($0)" < "\($1)" }.prefix(12))
                  wanted: \(wanted.sorted { "\($0)" < "\($1)" }.prefix(12))
                  plan: \(plan.map { $0.dropFirst().first ?? "" }.joined(separator: " ; "))
                """)
        }
    }

    /// Lists are sorted: COLLECT promises no order.
    private static func text(_ value: ResultValue) -> String {
        guard case .list(let values) = value else { return value.text }
        return "[" + values.map(text).sorted().joined(separator: ", ") + "]"
    }

    private static func text(_ value: NaiveValue, _ graph: NaiveGraph) -> String {
        guard case .list(let values) = value else { return value.text(graph) }
        return "[" + values.map { text($0, graph) }.sorted().joined(separator: ", ") + "]"
    }

    private static func difference(
        _ given: [[String]], _ wanted: [[String]], _ statement: RandomMatch.Statement
    ) -> String? {
        let slice = wanted.dropFirst(statement.offset).prefix(statement.limit ?? .max)
        guard given.count == slice.count else { return "\(given.count) rows, not \(slice.count)" }
        var counts: [[String]: Int] = [:]
        for row in wanted { counts[row, default: 0] += 1 }
        for row in given {
            counts[row, default: 0] -= 1
            if counts[row, default: 0] < 0 { return "\(row) is too much" }
        }
        for (own, other) in zip(given, slice) {
            for (column, _) in statement.order where own[column] != other[column] {
                return "the order is \(own), where \(other) comes"
            }
        }
        return nil
    }
}
