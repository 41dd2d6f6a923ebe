internal import CommandLineArguments
internal import MeshSimulator

import Foundation

extension Tool {
    static var scorecard: Tool {
        Tool(
            command: Command(
                "scorecard", "Play the known attacks on gossip against the mesh, and tell what arrived",
                flags: [
                    Flag("seed", .integer("N", 0...Int.max), "What decides the runs", default: "1"),
                    .json,
                ],
                examples: ["netsim scorecard", "netsim scorecard --seed 7 --json"])
        ) { arguments in
            let seed = UInt64(arguments.integer("seed") ?? 1)
            var rows: [ScorecardRow] = []
            for name in Scorecard.attacks {
                let scenario = try ScenarioFiles.scenario(name, seed: seed)
                let row = ScorecardRow(Scorecard.run(Plan(scenario, seed: seed)))
                rows.append(row)
                // One run may take a minute: who waits sees how far it is.
                Program.say("\(name): \(row.ok ? "withstood" : "BROKEN")")
            }
            if arguments.has("json") {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
                encoder.keyEncodingStrategy = .convertToSnakeCase
                print(String(decoding: try encoder.encode(rows), as: UTF8.self))
            } else {
                print(ScorecardRow.table(rows))
            }
            return rows.allSatisfy(\.ok) ? ExitStatus.done : ExitStatus.broken
        }
    }
}

/// One attack as it is printed; times in seconds.
private struct ScorecardRow: Encodable {
    let attack: String
    let seed: UInt64
    let attackers: Int
    let nodes: Int
    let deliveredPercent: Double
    let delivered: Int
    let expected: Int
    let median: Double?
    let longest: Double?
    /// From the attack's beginning until all deliveries were prompt for good; 0 where all were, absent when
    /// the last still was late.
    let recovered: Double?
    let violations: [String]
    let ok: Bool

    init(_ score: AttackScore) {
        func seconds(_ time: Int64) -> Double { (Double(time) / 1000).rounded() / 1000 }
        attack = score.name
        seed = score.seed
        attackers = score.attackers
        nodes = score.nodes
        // Rounded down, or one lost delivery among many would read as none.
        deliveredPercent = (score.share * 10_000).rounded(.down) / 100
        delivered = score.delivered
        expected = score.expected
        median = score.median.map(seconds)
        longest = score.longest.map(seconds)
        switch score.recovery {
        case .notNeeded: recovered = 0
        case .after(let time): recovered = seconds(time)
        case .never: recovered = nil
        }
        violations = score.violations.map(\.description)
        ok = score.hasWithstood
    }

    static func table(_ rows: [ScorecardRow]) -> String {
        func cell(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        func line(_ cells: [String]) -> String {
            let name = cells[0] + String(repeating: " ", count: max(0, 27 - cells[0].count))
            return name + zip(cells.dropFirst(), [15, 14, 10, 11, 11]).map(cell).joined()
        }
        var lines = [
            line(["attack", "attackers/all", "within 60 s", "median", "longest", "recovered"])
        ]
        for row in rows {
            lines.append(
                line([
                    row.attack, "\(row.attackers)/\(row.nodes)", "\(row.deliveredPercent) %",
                    row.median.map { "\($0) s" } ?? "-", row.longest.map { "\($0) s" } ?? "-",
                    row.recovered.map { $0 == 0 ? "at once" : "\($0) s" } ?? "never",
                ]))
            lines += row.violations.map { "  \($0)" }
        }
        return lines.joined(separator: "\n")
    }
}
