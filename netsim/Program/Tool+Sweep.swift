internal import CommandLineArguments
internal import MeshSimulator
internal import Synchronization

import Foundation

extension Tool {
    static var sweep: Tool {
        Tool(
            command: Command(
                "sweep", "Run many seeds on all processors, and shrink those that fail",
                flags: [
                    Flag("swarm", .toggle, "Draw the scenario from the seed as well; so without SCENARIO"),
                    Flag("seeds", .integer("N", 0...1_000_000), "How many", default: "100"),
                    Flag("first-seed", .integer("K", 0...Int.max), "The first of them", default: "1"),
                    Flag("jobs", short: "j", .integer("N", 1...256), "How many at a time; all processors"),
                    Flag("regressions", .text("FILE"), "Before them, the lines of this file: SCENARIO SEED"),
                    Flag("traces", .text("DIR"), "Where shrunk traces are written", default: ".build/netsim"),
                    .signatures, .json,
                ],
                operands: [Operand("SCENARIO", "A path or a name in netsim/scenarios", isOptional: true)],
                examples: [
                    "netsim sweep --swarm --seeds 1000", "netsim sweep partition --seeds 50 --first-seed 7",
                ])
        ) { arguments in
            let first = UInt64(arguments.integer("first-seed") ?? 1)
            let count = UInt64(arguments.integer("seeds") ?? 100)
            let name = arguments.has("swarm") ? Scenario.swarmName : arguments.operand("SCENARIO")
            var cases: [(scenario: String, seed: UInt64)] = []
            if let file = arguments.text("regressions") { cases += try regressions(file) }
            cases += (0..<count).map { (name ?? Scenario.swarmName, first &+ $0) }
            let plans = try cases.map { name, seed in
                var scenario = try ScenarioFiles.scenario(name, seed: seed)
                try scenario.sign(arguments.text("signatures"))
                return Plan(scenario, seed: seed)
            }
            let jobs = arguments.integer("jobs") ?? ProcessInfo.processInfo.activeProcessorCount
            let before = Usage.now
            let clock = ContinuousClock()
            let started = clock.now
            let failed = Sweep(plans).run(jobs: jobs)
            let took = (clock.now - started).components
            let seconds = Double(took.seconds) + Double(took.attoseconds) / 1e18
            let summary =
                "\(plans.count) runs from seed \(first), \(failed.count) broken, \(Int(seconds * 10) / 10) s, \(Int((Usage.now.seconds - before.seconds) / Double(max(1, plans.count)) * 1000)) ms of processor time each"
            for plan in failed.prefix(5) { try explain(plan, arguments.text("traces") ?? ".") }
            for plan in failed.dropFirst(5) {
                print("also broken: netsim run \(plan.scenario.name) --seed \(plan.seed)")
            }
            if arguments.has("json") {
                let seeds = failed.map { "\($0.seed)" }.joined(separator: ",")
                print("{\"broken\":[\(seeds)],\"runs\":\(plans.count),\"seconds\":\(seconds)}")
            } else {
                print(summary)
            }
            return failed.isEmpty ? ExitStatus.done : ExitStatus.broken
        }
    }

    /// Shrinks a broken run, writes its trace and says how to see it again.
    private static func explain(_ plan: Plan, _ folder: String) throws {
        let whole = Simulation.run(plan)
        print("BROKEN: netsim run \(plan.scenario.name) --seed \(plan.seed)")
        for failure in whole.failures { print("  \(failure)") }
        let expected = plan.scenario.expectation.violations
        guard let checker = whole.violations.map(\.checker).first(where: { !expected.contains($0) }),
            let shrunk = Shrinking.shrink(plan, keeping: checker)
        else { return }
        let small = shrunk.result.plan
        print("  after \(shrunk.runs) runs, \(checker.rawValue) is still broken with:")
        for fault in small.faults { print("    \(fault.line)") }
        for work in small.work { print("    \(work.line)") }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let file = "\(folder)/\(plan.scenario.name)-\(plan.seed).trace"
        if let trace = Simulation.run(small, isTracing: true).trace {
            try trace.text.write(toFile: file, atomically: true, encoding: .utf8)
            print("  netsim replay \(file)")
        }
    }

    private static func regressions(_ file: String) throws -> [(scenario: String, seed: UInt64)] {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        return try text.split(separator: "\n").compactMap { line in
            let words = (line.split(separator: "#", omittingEmptySubsequences: false).first ?? "").split(
                separator: " ")
            guard !words.isEmpty else { return nil }
            guard words.count == 2, let seed = UInt64(words[1]) else {
                throw ToolError("\(file): “\(line)” is not SCENARIO SEED")
            }
            return (String(words[0]), seed)
        }
    }
}

/// Runs plans on several threads.
final class Sweep: Sendable {
    private struct State {
        var next = 0
        var done = 0
        var failed: [Int] = []
    }

    private let plans: [Plan]
    private let state = Mutex(State())
    private let isTerminal = isatty(2) == 1

    init(_ plans: [Plan]) { self.plans = plans }

    /// - Returns: The plans whose runs were not as expected, in order.
    func run(jobs: Int) -> [Plan] {
        let group = DispatchGroup()
        for _ in 0..<min(jobs, max(1, plans.count)) {
            group.enter()
            let thread = Thread { [self] in
                work()
                group.leave()
            }
            thread.stackSize = 16 << 20
            thread.start()
        }
        group.wait()
        if isTerminal { FileHandle.standardError.write(Data("\r\u{1b}[K".utf8)) }
        return state.withLock { $0.failed.sorted() }.map { plans[$0] }
    }

    private func work() {
        while let index = state.withLock({ state -> Int? in
            guard state.next < plans.count else { return nil }
            state.next += 1
            return state.next - 1
        }) {
            let isBroken = !Simulation.run(plans[index]).failures.isEmpty
            let (done, failed) = state.withLock { state in
                state.done += 1
                if isBroken { state.failed.append(index) }
                return (state.done, state.failed.count)
            }
            if isTerminal { show(done, failed) }
        }
    }

    private func show(_ done: Int, _ failed: Int) {
        let width = 30
        let filled = width * done / max(1, plans.count)
        let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: width - filled)
        FileHandle.standardError.write(Data("\r\(bar) \(done)/\(plans.count), \(failed) broken ".utf8))
    }
}
