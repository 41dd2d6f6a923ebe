internal import CommandLineArguments
internal import MeshDevnet
internal import MeshMaelstrom
internal import MeshSimulator

import Foundation

// The commands that run real processes instead of virtual time.
extension Tool {
    static var devnet: Tool {
        Tool(command: DevnetProgram.command) { arguments in
            let script = try arguments.text("scenario").map { name in
                let seed = UInt64(arguments.integer("seed") ?? 1)
                var scenario = try ScenarioFiles.scenario(name, seed: seed)
                if let nodes = arguments.integer("nodes") { scenario.resize(nodes) }
                return DevnetProgram.Script(Plan(scenario, seed: seed))
            }
            try DevnetProgram.run(arguments, script: script, print: show)
            return ExitStatus.done
        }
    }

    static var maelstrom: Tool {
        Tool(command: MaelstromProgram.command) { arguments in
            MaelstromProgram.run(arguments)
            return ExitStatus.done
        }
    }

    static var maelstromCheck: Tool {
        Tool(command: MaelstromCheck.command) { arguments in
            let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
            return try MaelstromCheck.run(arguments, program: program, print: show)
        }
    }

    /// Prints a line at once, whoever reads it.
    private static func show(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}

extension DevnetProgram.Script {
    /// What a plan of the simulator asks of real daemons.
    fileprivate init(_ plan: Plan) {
        let names: [Behaviour.Kind: String] = [
            .equivocator: "equivocate", .wrongOutput: "wrong-output", .wrongFuel: "wrong-fuel",
            .flooder: "flood", .vanisher: "vanish", .falseAttester: "false-attest",
        ]
        self.init(
            nodeCount: plan.scenario.nodes, duration: .microseconds(plan.scenario.duration),
            faults: plan.faults.map { fault in
                DevnetFault(
                    kind: fault.kind.rawValue, start: .microseconds(fault.start),
                    end: .microseconds(fault.end),
                    nodes: fault.nodes, others: fault.others, amount: fault.amount)
            })
        for (node, kind) in plan.behaviours {
            if let name = names[kind] { misbehaviours[node] = name } else { unknown.append(kind.rawValue) }
        }
    }
}
