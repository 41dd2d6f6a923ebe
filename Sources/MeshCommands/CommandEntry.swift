internal import CommandLineArguments

/// A command and what it does.
///
/// Each stands in a file of its own, `Command+Name.swift`.
struct CommandEntry: Sendable {
    let command: Command
    let run: @Sendable (CommandContext) throws -> ExitStatus

    init(_ command: Command, run: @escaping @Sendable (CommandContext) throws -> ExitStatus) {
        self.command = command
        self.run = run
    }
}

/// Commands under one name.
struct CommandGroup: Sendable {
    let name: String
    let summary: String
    let entries: [CommandEntry]
}

extension Flag {
    /// `--output` of commands that print records.
    static let format = Flag(
        "output", short: "o", .choice(OutputFormat.allCases.map(\.rawValue)), "How to print", default: "table"
    )
    static let identifierOnly = Flag("id-only", .toggle, "Print nothing but the id")
    static let timeout = Flag(
        "timeout", .duration, "How long to wait before ending with status 5", default: "60s")
    /// `--job-id`, beside the operand of the same meaning.
    static let job = Flag("job-id", short: "j", .text("JOB"), "The job, by id or an unambiguous prefix")
}

extension Operand {
    static let optionalJob = Operand("JOB", "The job, instead of --job-id", isOptional: true)
    static let job = Operand("JOB", "The job, by id or an unambiguous prefix")
}
