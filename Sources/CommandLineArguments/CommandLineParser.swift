/// Reads command lines of one program.
public struct CommandLineParser: Sendable {
    /// What a command line asks for.
    public enum Request: Sendable, Hashable {
        case run(ParsedArguments)
        /// Print this and end well.
        case help(String)
        case version
    }

    /// The program; its flags are understood by every command and before it.
    public let program: Command

    public init(program: Command) {
        self.program = program
    }

    private static let help = Flag("help", short: "h", .toggle, "Show this help")
    private static let version = Flag("version", .toggle, "Show the version")

    /// Reads the words behind the program's name.
    ///
    /// - Throws: ``UsageError``, with the nearest known name where one was mistyped.
    public func parse(_ words: [String]) throws(UsageError) -> Request {
        var command = program
        var path: [String] = []
        var values: [String: [String]] = [:]
        var operands: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                operands += rest
                break
            }
            if word.hasPrefix("-"), word != "-" {
                let flags = command.flags + (path.isEmpty ? [] : program.flags) + [Self.help, Self.version]
                let (flag, value) = try read(word, flags: flags, rest: &rest, path: path)
                if flag == Self.help { return .help(helpText(for: path)) }
                if flag == Self.version { return .version }
                if let earlier = values[flag.name], !flag.isRepeatable, flag.value != .toggle {
                    throw UsageError("--\(flag.name) is given twice: \(earlier.joined()) and \(value)")
                }
                values[flag.name, default: []].append(value)
            } else if !command.subcommands.isEmpty {
                if word == "help", operands.isEmpty, path.isEmpty {
                    return .help(helpText(for: rest.filter { !$0.hasPrefix("-") }))
                }
                guard let next = command.subcommands.first(where: { $0.name == word }) else {
                    throw unknownCommand(word, in: command, path: path)
                }
                command = next
                path.append(word)
            } else {
                operands.append(word)
            }
        }
        guard command.subcommands.isEmpty else {
            if path.isEmpty, words.isEmpty { return .help(helpText(for: [])) }
            throw UsageError(
                "\(typed(path)) needs a command: " + command.subcommands.map(\.name).joined(separator: ", "),
                hint: "see \(typed(path)) --help")
        }
        return .run(try finish(command, path: path, values: values, operands: operands))
    }

    private func finish(
        _ command: Command, path: [String], values: [String: [String]], operands: [String]
    ) throws(UsageError) -> ParsedArguments {
        var named: [String: [String]] = [:]
        for (operand, value) in zip(command.operands, operands) { named[operand.name] = [value] }
        if operands.count > command.operands.count {
            if let last = command.operands.last, last.isRepeatable {
                named[last.name, default: []] += operands.dropFirst(command.operands.count)
            } else {
                throw UsageError(
                    "\(typed(path)) does not take “\(operands[command.operands.count])”",
                    hint: "see \(typed(path)) --help")
            }
        }
        for operand in command.operands where !operand.isOptional && named[operand.name] == nil {
            throw UsageError("\(typed(path)) needs \(operand.name)", hint: "see \(typed(path)) --help")
        }
        for flag in command.flags where flag.isRequired && values[flag.name] == nil {
            throw UsageError(
                "\(typed(path)) needs --\(flag.name) \(flag.value.placeholder ?? "")".trimmingTail(),
                hint: "see \(typed(path)) --help")
        }
        var defaults: [String: String] = [:]
        for flag in program.flags + command.flags { defaults[flag.name] = flag.defaultValue }
        return ParsedArguments(command: path, values: values, operands: named, defaults: defaults)
    }

    /// Reads one flag and, where it takes one, its value.
    private func read(
        _ word: String, flags: [Flag], rest: inout ArraySlice<String>, path: [String]
    ) throws(UsageError) -> (Flag, String) {
        var name = word
        var attached: String?
        let flag: Flag?
        if word.hasPrefix("--") {
            if let equals = word.firstIndex(of: "=") {
                name = String(word[..<equals])
                attached = String(word[word.index(after: equals)...])
            }
            flag = flags.first { "--\($0.name)" == name }
        } else {
            name = String(word.prefix(2))
            flag = flags.first { $0.short.map { "-\($0)" } == name }
            if word.count > 2 { attached = String(word.dropFirst(word.dropFirst(2).first == "=" ? 3 : 2)) }
        }
        guard let flag else {
            let known = flags.map { "--\($0.name)" }
            let near = Suggestion.nearest(to: name, among: known)
            throw UsageError(
                "\(typed(path)) has no flag \(name)",
                hint: near.map { "did you mean \($0)?" } ?? "see \(typed(path)) --help")
        }
        if flag.value == .toggle {
            if attached != nil { throw UsageError("--\(flag.name) takes no value") }
            return (flag, "true")
        }
        guard let value = attached ?? rest.popFirst() else {
            throw UsageError("--\(flag.name) needs a value: \(flag.value.placeholder ?? "VALUE")")
        }
        try Self.check(value, flag)
        return (flag, value)
    }

    private static func check(_ text: String, _ flag: Flag) throws(UsageError) {
        switch flag.value {
        case .toggle, .text: return
        case .integer(_, let range):
            guard let number = Int(text) else {
                throw UsageError("--\(flag.name) takes a whole number, not “\(text)”")
            }
            guard range.contains(number) else {
                let bounds =
                    range.upperBound == .max
                    ? "at least \(range.lowerBound)" : "between \(range.lowerBound) and \(range.upperBound)"
                throw UsageError("--\(flag.name) must be \(bounds), not \(number)")
            }
        case .duration:
            if DurationText.milliseconds(text) == nil {
                throw UsageError("--\(flag.name) takes a duration such as 500ms, 2s, 5m or 1h, not “\(text)”")
            }
        case .choice(let choices):
            if !choices.contains(text) {
                let near = Suggestion.nearest(to: text, among: choices)
                throw UsageError(
                    "--\(flag.name) takes \(choices.joined(separator: ", ")), not “\(text)”",
                    hint: near.map { "did you mean \($0)?" })
            }
        case .pair(let form):
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw UsageError("--\(flag.name) takes \(form), not “\(text)”")
            }
        }
    }

    private func unknownCommand(_ word: String, in command: Command, path: [String]) -> UsageError {
        let near = Suggestion.nearest(to: word, among: command.subcommands.map(\.name))
        return UsageError(
            "\(typed(path)) has no command “\(word)”",
            hint: near.map { "did you mean \(typed(path + [$0]))?" } ?? "see \(typed(path)) --help")
    }

    func typed(_ path: [String]) -> String { ([program.name] + path).joined(separator: " ") }
}

extension String {
    fileprivate func trimmingTail() -> String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
