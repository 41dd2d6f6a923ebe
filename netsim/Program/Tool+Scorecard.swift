internal import CommandLineArguments
internal import MeshSimulator

import Foundation

extension Tool {
    /// The attacks that gossipsub was evaluated against (Vyzovitis et al. 2020), each a scenario.
    private static let attacks = [
        "eclipse-target", "eclipse-network", "eclipse-publishers", "censor", "degradation", "cold-boot",
        "covert-flash", "dawn",
    ]

    static var scorecard: Tool {
        Tool(
            command: Command(
                "scorecard", "Replay the known attacks on gossip and print what came of each",
                flags: [Flag("seed", .integer("N", 0...Int.max), "What decides the runs", default: "1")],
                examples: ["netsim scorecard", "netsim scorecard --seed 7"])
        ) { arguments in
            let seed = UInt64(arguments.integer("seed") ?? 1)
            print("| attack | entries | delivered within 60 s | median | slowest | late until | holds |")
            print("|---|---|---|---|---|---|---|")
            var isGood = true
            for attack in attacks {
                let scenario = try ScenarioFiles.scenario("attack-\(attack)", seed: seed)
                let before = Usage.now
                let result = Simulation.run(Plan(scenario, seed: seed))
                let report = RunReport(result, seconds: Usage.now.seconds - before.seconds)
                isGood = isGood && report.ok
                print(row(attack, report))
            }
            return isGood ? ExitStatus.done : ExitStatus.broken
        }
    }

    private static func row(_ attack: String, _ report: RunReport) -> String {
        var late = "never"
        if let last = report.lastLate { late = "\(Int(last.rounded(.up))) s" }
        let share = (report.delivered * 10_000).rounded() / 100
        var verdict = "yes"
        if !report.ok { verdict = "NO: " + report.failures.prefix(2).joined(separator: "; ") }
        var cells: [String] = [attack, String(report.entriesPushed), "\(share) %"]
        cells += ["\(report.delayMedian) ms", "\(report.delayLongest) ms", late, verdict]
        return "| " + cells.joined(separator: " | ") + " |"
    }
}
