internal import CommandLineArguments
internal import MeshCore
internal import MeshSimulator

import Foundation

extension Tool {
    static var planted: Tool {
        Tool(
            command: Command(
                "planted", "Build mistakes into the protocol, one at a time, and see which checker notices",
                flags: [
                    Flag("bug", .text("NAME"), "Only this one, or “none”; without it, every one"),
                    Flag(
                        "seeds", .integer("N", 1...1_000_000), "How many runs may pass before", default: "200"
                    ),
                    Flag("first-seed", .integer("K", 0...Int.max), "The first of them", default: "1"),
                    Flag("jobs", short: "j", .integer("N", 1...256), "How many at a time; all processors"),
                ],
                examples: ["netsim planted", "netsim planted --bug suffix-kept --seeds 1000"])
        ) { arguments in
            guard PlantedBug.isPossible else {
                throw ToolError(
                    "this build has no mistakes in it; build one with: swift build -c release --product netsim -Xswiftc -DPLANTED_BUGS --scratch-path .build/planted"
                )
            }
            let hunt = Hunt(
                first: UInt64(arguments.integer("first-seed") ?? 1), seeds: arguments.integer("seeds") ?? 200,
                jobs: arguments.integer("jobs") ?? ProcessInfo.processInfo.activeProcessorCount)
            if arguments.text("bug") == "none" {
                guard let found = hunt.next() else { return ExitStatus.done }
                print(
                    "seed \(found.seed) is broken without a mistake: \(found.checkers.joined(separator: ", "))"
                )
                return ExitStatus.broken
            }
            let name = arguments.text("bug")
            let chosen = PlantedBug.allCases.filter { name == nil || name == $0.rawValue }
            guard !chosen.isEmpty else {
                let names = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")
                throw ToolError("there is no such mistake; there are \(names)")
            }
            print("| mistake | caught by | runs | seed | shrunk to |\n|---|---|---:|---:|---:|")
            var missed = 0
            for bug in chosen {
                PlantedBug.plant(bug)
                if let found = hunt.next() {
                    print(
                        "| `\(bug.rawValue)` | \(found.checkers.map { "`\($0)`" }.joined(separator: ", ")) | \(found.runs) | \(found.seed) | \(found.events) |"
                    )
                } else {
                    missed += 1
                    print("| `\(bug.rawValue)` | **nothing** | \(hunt.seeds) | | |")
                }
                fflush(nil)
            }
            PlantedBug.plant(nil)
            return missed == 0 ? ExitStatus.done : ExitStatus.broken
        }
    }
}

/// Runs swarm seeds until one is broken.
private struct Hunt {
    /// What the first broken run showed.
    struct Catch {
        let seed: UInt64
        /// How many seeds it took, with the broken one.
        let runs: Int
        let checkers: [String]
        /// How many faults and pieces of work still break it, as a text.
        let events: String
    }

    let first: UInt64
    let seeds: Int
    let jobs: Int

    /// The first broken seed, shrunk; `nil` when all runs are as they should be.
    func next() -> Catch? {
        for start in stride(from: 0, to: seeds, by: jobs) {
            let plans = (start..<min(start + jobs, seeds)).map { index in
                let seed = first &+ UInt64(index)
                return Plan(Scenario(swarm: seed), seed: seed)
            }
            guard let plan = Sweep(plans).run(jobs: jobs).first else { continue }
            let violations = Simulation.run(plan).violations
            var checkers: [Checker] = []
            for one in violations where !checkers.contains(one.checker) { checkers.append(one.checker) }
            let shrunk = checkers.first.flatMap { Shrinking.shrink(plan, keeping: $0, runsMax: 40) }
            let whole = plan.faults.count + plan.work.count
            let events = shrunk.map { $0.result.plan.faults.count + $0.result.plan.work.count }
            return Catch(
                seed: plan.seed, runs: Int(plan.seed &- first) + 1, checkers: checkers.map(\.rawValue),
                events: "\(events.map(String.init) ?? "?") of \(whole)")
        }
        return nil
    }
}
