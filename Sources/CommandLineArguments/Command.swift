/// One command, or a group of commands, as its user sees it.
///
/// Parsing, help and shell completion are all made from these values, so they cannot disagree.
public struct Command: Sendable {
    /// What the user types.
    public var name: String
    /// One line, without a full stop.
    public var summary: String
    /// More about it, shown by `--help`.
    public var discussion: String
    public var flags: [Flag]
    public var operands: [Operand]
    /// Whole command lines that work.
    public var examples: [String]
    /// Non-empty for a group, which cannot be run itself.
    public var subcommands: [Command]

    public init(
        _ name: String, _ summary: String, discussion: String = "", flags: [Flag] = [],
        operands: [Operand] = [], examples: [String] = [], subcommands: [Command] = []
    ) {
        self.name = name
        self.summary = summary
        self.discussion = discussion
        self.flags = flags
        self.operands = operands
        self.examples = examples
        self.subcommands = subcommands
    }
}

/// A value that stands by its position.
public struct Operand: Sendable, Hashable {
    /// In capitals, such as `JOB`.
    public var name: String
    public var summary: String
    public var isOptional: Bool
    /// Whether it takes all the rest; only the last operand of a command may.
    public var isRepeatable: Bool

    public init(
        _ name: String, _ summary: String, isOptional: Bool = false, isRepeatable: Bool = false
    ) {
        self.name = name
        self.summary = summary
        self.isOptional = isOptional
        self.isRepeatable = isRepeatable
    }
}

/// `--name VALUE`, `--name=VALUE` or, for a switch, `--name`.
public struct Flag: Sendable, Hashable {
    /// What may follow it.
    ///
    /// Checked while parsing, so that reading it later cannot fail.
    public enum Value: Sendable, Hashable {
        /// Nothing: the flag is there or not.
        case toggle
        case text(String)
        /// A whole number in this range.
        case integer(String, ClosedRange<Int>)
        /// `500ms`, `2s`, `5m`, `1h`, `7d`; a bare number is seconds.
        case duration
        case choice([String])
        /// `KEY=VALUE` with a non-empty key.
        case pair(String)

        /// What the help puts behind the flag's name.
        var placeholder: String? {
            switch self {
            case .toggle: nil
            case .text(let name), .integer(let name, _), .pair(let name): name
            case .duration: "DURATION"
            case .choice(let choices): choices.joined(separator: "|")
            }
        }
    }

    /// Without the dashes.
    public var name: String
    public var short: Character?
    public var value: Value
    public var summary: String
    /// What counts when the flag is not given; only shown and returned, never checked.
    public var defaultValue: String?
    public var isRepeatable: Bool
    public var isRequired: Bool

    public init(
        _ name: String, short: Character? = nil, _ value: Value, _ summary: String,
        default defaultValue: String? = nil, repeatable: Bool = false, required: Bool = false
    ) {
        self.name = name
        self.short = short
        self.value = value
        self.summary = summary
        self.defaultValue = defaultValue
        isRepeatable = repeatable
        isRequired = required
    }
}

/// A command line that cannot be understood; the program ends with status 64.
public struct UsageError: Error, Sendable, Hashable, CustomStringConvertible {
    public let message: String
    /// What to type instead.
    public let hint: String?

    /// The exit status for wrong usage (`EX_USAGE` of sysexits).
    public static let exitStatus: Int32 = 64

    public init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    public var description: String { hint.map { "\(message) (\($0))" } ?? message }
}
