internal import CommandLineArguments

/// A command of `netsim` and what it does.
struct Tool {
    let command: Command
    /// Gives the exit status.
    let run: (ParsedArguments) throws -> Int32

    /// Every command, in the order of the help.
    static var all: [Tool] {
        [
            run, sweep, scorecard, replay, plot, planted, devnet, maelstrom, maelstromCheck,
        ]
    }
}
