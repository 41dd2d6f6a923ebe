/// A command line that was understood.
public struct ParsedArguments: Sendable, Hashable {
    /// The names from the first subcommand down, such as `["receipt", "verify"]`.
    public let command: [String]
    let values: [String: [String]]
    let operands: [String: [String]]
    let defaults: [String: String]

    init(
        command: [String], values: [String: [String]], operands: [String: [String]],
        defaults: [String: String]
    ) {
        self.command = command
        self.values = values
        self.operands = operands
        self.defaults = defaults
    }

    /// Whether the flag was given, whatever its default.
    public func has(_ flag: String) -> Bool { values[flag] != nil }

    /// The flag's last value, or its default.
    public func text(_ flag: String) -> String? { values[flag]?.last ?? defaults[flag] }

    /// Every value of a repeatable flag, in order.
    public func texts(_ flag: String) -> [String] { values[flag] ?? [] }

    /// The value of an integer flag; its range was checked while parsing.
    public func integer(_ flag: String) -> Int? { text(flag).flatMap { Int($0) } }

    /// The value of a duration flag, in milliseconds.
    public func milliseconds(_ flag: String) -> Int? { text(flag).flatMap(DurationText.milliseconds) }

    /// The values of a `KEY=VALUE` flag in order, split at the first equals sign.
    public func pairs(_ flag: String) -> [(key: String, value: String)] {
        texts(flag).compactMap { text in
            guard let equals = text.firstIndex(of: "=") else { return nil }
            return (String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
    }

    /// The value of an operand.
    public func operand(_ name: String) -> String? { operands[name]?.first }

    /// Every value of a repeatable operand, in order.
    public func operands(_ name: String) -> [String] { operands[name] ?? [] }

    /// The given value of `flag`, or else the operand: for ids that may be typed either way.
    public func either(_ flag: String, _ operand: String) throws(UsageError) -> String {
        if let value = values[flag]?.last ?? self.operand(operand) { return value }
        throw UsageError(
            "\(command.joined(separator: " ")) needs --\(flag) \(operand)",
            hint: "see \(command.joined(separator: " ")) --help")
    }
}
