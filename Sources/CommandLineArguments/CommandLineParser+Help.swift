extension CommandLineParser {
    /// The help of the command that `path` names, or of the nearest one above it.
    public func helpText(for path: [String]) -> String {
        var command = program
        var found: [String] = []
        for name in path {
            guard let next = command.subcommands.first(where: { $0.name == name }) else { break }
            command = next
            found.append(name)
        }
        var text = "Usage: \(usage(of: command, path: found))\n\n\(command.summary).\n"
        if !command.discussion.isEmpty { text += "\n\(command.discussion)\n" }
        if !command.subcommands.isEmpty {
            text += "\nCommands:\n" + Self.table(command.subcommands.map { ($0.name, $0.summary) })
        }
        if !command.operands.isEmpty {
            text += "\nOperands:\n" + Self.table(command.operands.map { ($0.name, $0.summary) })
        }
        if !found.isEmpty, !command.flags.isEmpty {
            text += "\nFlags:\n" + Self.table(command.flags.map(Self.row))
        }
        text += "\nEverywhere:\n"
        let everywhere = program.flags.filter { flag in !command.flags.contains { $0.name == flag.name } }
        text += Self.table(
            (found.isEmpty ? program.flags : everywhere).map(Self.row) + [
                ("-h, --help", "Show help"), ("    --version", "Show the version"),
            ])
        if !command.examples.isEmpty {
            text += "\nExamples:\n" + command.examples.map { "  \($0)\n" }.joined()
        }
        return text
    }

    private func usage(of command: Command, path: [String]) -> String {
        var words = [typed(path)]
        if !command.subcommands.isEmpty { words.append("COMMAND") }
        for flag in command.flags where flag.isRequired {
            words.append("--\(flag.name) \(flag.value.placeholder ?? "")")
        }
        words += command.operands.map { operand in
            let name = operand.name + (operand.isRepeatable ? "…" : "")
            return operand.isOptional ? "[\(name)]" : name
        }
        if command.flags.contains(where: { !$0.isRequired }) { words.append("[FLAGS]") }
        return words.joined(separator: " ")
    }

    private static func row(_ flag: Flag) -> (String, String) {
        var left = flag.short.map { "-\($0), " } ?? "    "
        left += "--\(flag.name)"
        if let placeholder = flag.value.placeholder { left += " \(placeholder)" }
        var notes: [String] = []
        if let value = flag.defaultValue { notes.append("default \(value)") }
        if flag.isRepeatable { notes.append("repeatable") }
        return (left, flag.summary + (notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))"))
    }

    private static func table(_ rows: [(String, String)]) -> String {
        let width = min(34, rows.map(\.0.count).max() ?? 0)
        return rows.map { left, right in
            let gap = String(repeating: " ", count: max(2, width + 2 - left.count))
            return "  \(left)\(gap)\(right)\n"
        }.joined()
    }
}
