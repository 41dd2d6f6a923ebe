internal import CommandLineArguments
internal import MeshSimulator

import Foundation

extension Tool {
    private static func read(_ path: String) throws -> TraceFile {
        guard let trace = TraceFile(text: try String(contentsOfFile: path, encoding: .utf8)) else {
            throw ToolError("\(path) is not a trace of this version (\(TraceFile.version))")
        }
        return trace
    }

    static var replay: Tool {
        Tool(
            command: Command(
                "replay", "Run a trace again and name the first line that differs",
                operands: [Operand("TRACE", "A file that run or sweep has written")],
                examples: ["netsim replay swarm.trace"])
        ) { arguments in
            let trace = try read(arguments.operand("TRACE") ?? "")
            guard let plan = trace.plan else { throw ToolError("the trace's header does not describe a run") }
            let result = Simulation.run(plan, isTracing: true)
            guard let again = result.trace else { throw ToolError("the run left no trace") }
            for (number, (old, new)) in zip(trace.lines, again.lines).enumerated() where old != new {
                print("line \(number + 1) behind the header differs:\n- \(old)\n+ \(new)")
                return ExitStatus.broken
            }
            guard trace.lines.count == again.lines.count else {
                print("the trace has \(trace.lines.count) lines, this run \(again.lines.count)")
                return ExitStatus.broken
            }
            print("the same, all \(again.lines.count) lines")
            for violation in result.violations { print("  \(violation)") }
            return ExitStatus.done
        }
    }

    static var plot: Tool {
        Tool(
            command: Command(
                "plot", "Draw a trace as SVG",
                flags: [
                    Flag("output", short: "o", .text("FILE"), "Where to write it", required: true),
                    Flag("curves", .toggle, "Only how plain entries spread, each from its first arrival on"),
                ],
                operands: [Operand("TRACE", "A file that run or sweep has written")],
                examples: ["netsim plot swarm.trace -o swarm.svg"])
        ) { arguments in
            let trace = try read(arguments.operand("TRACE") ?? "")
            guard let svg = arguments.has("curves") ? Plot.curves(trace) : Plot.svg(trace) else {
                throw ToolError("the trace's header does not describe a run")
            }
            try svg.write(toFile: arguments.text("output") ?? "", atomically: true, encoding: .utf8)
            return ExitStatus.done
        }
    }
}
