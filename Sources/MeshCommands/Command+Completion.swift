internal import CommandLineArguments
internal import Glibc
internal import MeshCore

extension CommandEntry {
    static let completion = CommandEntry(
        Command(
            "completion", "Print a completion script for a shell",
            operands: [Operand("SHELL", Completion.shells.joined(separator: ", "))],
            examples: [
                "source <(meshctl completion bash)",
                "meshctl completion fish > ~/.config/fish/completions/meshctl.fish",
            ])
    ) { context in
        let shell = context.arguments.operand("SHELL") ?? ""
        guard let script = Completion.script(for: shell, program: MeshCtl.program) else {
            let near = Suggestion.nearest(to: shell, among: Completion.shells)
            throw UsageError(
                "completion takes \(Completion.shells.joined(separator: ", ")), not “\(shell)”",
                hint: near.map { "did you mean \($0)?" })
        }
        context.console.writeOutput(Array(script.utf8))
        return .done
    }

    /// The time of day, for comparing clocks.
    static func wallClock() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
