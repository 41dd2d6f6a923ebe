public import MeshCore

/// A contract that has been checked: what runs, typed and with every name resolved, and what is declared.
///
/// The checker makes it, the emitter turns it into a module, and nothing in between can fail but by size.
public struct Program: Sendable {
    /// Functions name each other by their index.
    ///
    /// None calls itself, directly or through others.
    public var functions: [Function]
    /// What `run` and `_start` call.
    public var main: Int
    /// What `on "event"` compiled to; exported as `on:event`, in the order of the text.
    public var handlers: [(event: String, function: Int)]
    /// Everything that does not run, in the order of the text.
    public var declarations: [Declaration]
    /// `resources { … }`, by the resource's name in lower case and without `_quota`; sorted by name.
    public var limits: [ResourceLimit]
    /// `job { … }`: what the jobs that this contract submits ask of a node.
    public var requirements: JobRequirements
    /// What the text is called; stands in what failing code logs, and names the module.
    public var name = "contract.ccl"
    /// What the program was checked from: explaining it needs the conditions as they were written.
    var tree: SyntaxTree?

    public init(
        functions: [Function], main: Int, handlers: [(event: String, function: Int)],
        declarations: [Declaration], limits: [ResourceLimit], requirements: JobRequirements
    ) {
        self.functions = functions
        self.main = main
        self.handlers = handlers
        self.declarations = declarations
        self.limits = limits
        self.requirements = requirements
    }
}

/// How much of a resource a contract says that it may use.
public struct ResourceLimit: Sendable, Hashable {
    public var resource: String
    /// `nil` where the policy is `allow-all`.
    public var amount: Int64?

    public init(resource: String, amount: Int64?) {
        self.resource = resource
        self.amount = amount
    }
}

/// What `job { requirements, node_preferences }` asks for; `nil` where it says nothing.
public struct JobRequirements: Sendable, Hashable {
    /// In MiB.
    public var memoryMiB: Int64?
    public var cpu: Int64?
    /// In seconds.
    public var maxSeconds: Int64?
    /// 0 to 100.
    public var minReputation: Int64?
    public var location: String?
    public var maxBid: Int64?

    public init() {}
}

/// A declaration as structured data: a name, the values behind it, and what stands in its block.
public struct Declaration: Sendable, Hashable {
    public var name: String
    public var values: [DeclaredValue]
    /// Empty without a block.
    public var members: [Declaration]

    public init(name: String, values: [DeclaredValue], members: [Declaration] = []) {
        self.name = name
        self.values = values
        self.members = members
    }
}

public enum DeclaredValue: Sendable, Hashable {
    case string(String)
    case integer(Int64)
    case decimal(Double)
    case boolean(Bool)
    /// In milliseconds.
    case duration(Int64)
    case list([DeclaredValue])
    case object([Declaration])
    /// A word, a dotted name, a call or a condition that nothing evaluates: its text.
    case text(String)
}

/// The types of what runs.
///
/// A string is an address and a length; a duration is milliseconds.
public enum ValueType: String, Sendable, Hashable, CaseIterable {
    case string, integer, decimal, boolean, duration
}

public struct Function: Sendable {
    /// As it was written; `main`, or `on:event`.
    public var name: String
    /// The first `parameterCount` are its parameters.
    public var locals: [Local]
    public var parameterCount: Int
    public var result: ValueType?
    public var body: [Instruction]
    public var position: SourcePosition

    public struct Local: Sendable {
        public var name: String
        public var type: ValueType

        public init(name: String, type: ValueType) {
            self.name = name
            self.type = type
        }
    }

    public init(
        name: String, locals: [Local], parameterCount: Int, result: ValueType?, body: [Instruction],
        position: SourcePosition
    ) {
        self.name = name
        self.locals = locals
        self.parameterCount = parameterCount
        self.result = result
        self.body = body
        self.position = position
    }
}

/// One step of a function, and where it stands in the text.
public struct Instruction: Sendable {
    public indirect enum Kind: Sendable {
        /// Evaluates and drops the result, if there is one.
        case evaluate(Value)
        case set(local: Int, Value)
        case conditional(Value, then: [Instruction], otherwise: [Instruction])
        /// For each integer from `from` up to, not including, `to`, both evaluated once before.
        case count(local: Int, from: Value, to: Value, body: [Instruction])
        /// For each of the values, which are evaluated as their turn comes.
        case each(local: Int, [Value], body: [Instruction])
        case result(Value?)
        /// Ends the run unless the condition holds: logs the message, where there is one, and traps.
        case require(Value, message: Value?)
    }

    public var kind: Kind
    public var position: SourcePosition

    public init(_ kind: Kind, at position: SourcePosition) {
        self.kind = kind
        self.position = position
    }
}

/// An expression whose type is known.
///
/// Integer and duration arithmetic traps on overflow and on division by zero, after a line in the log; decimals are
/// IEEE 754 doubles, and division by zero traps as well.
public struct Value: Sendable {
    public indirect enum Kind: Sendable {
        case constant(Constant)
        case local(Int)
        /// `add subtract multiply divide remainder`; both sides and the result have the value's type, but a
        /// duration is multiplied and divided by an integer. A duration divided by a duration is no such value.
        /// A remainder has the sign of the left side, of decimals as well; the smallest integer by -1 leaves 0.
        case arithmetic(BinaryOperator, Value, Value)
        /// Of two values of one type; strings and booleans by `equal` and `notEqual` only.
        case comparison(BinaryOperator, Value, Value)
        /// The right side is not evaluated when the left decides.
        case and(Value, Value)
        case or(Value, Value)
        case not(Value)
        /// Of an integer, a duration or a decimal.
        case negated(Value)
        /// Strings, one behind the other.
        case joined(Value, Value)
        /// An integer in decimal digits, a boolean as `true` or `false`, a duration in the largest unit that
        /// it is a whole number of: `36h`, `1500ms`.
        case text(Value)
        /// An integer as a decimal.
        case decimal(Value)
        /// A decimal as an integer, `nearest` taking halves to the even one; traps where it does not fit.
        case rounded(Rounding, Value)
        /// The smaller or larger of two integers, durations or decimals.
        case minimum(Value, Value)
        case maximum(Value, Value)
        /// UTF-8 bytes of a string.
        case length(Value)
        /// The position is the call's.
        case call(function: Int, [Value])
        /// The arguments in the order of the host's parameters, a string being one; the answer is a boolean.
        case host(HostFunction, [Value])
    }

    public var kind: Kind
    /// `nil` for a call that gives nothing.
    public var type: ValueType?

    public init(_ kind: Kind, _ type: ValueType?) {
        self.kind = kind
        self.type = type
    }
}

public enum Rounding: String, Sendable { case nearest, down, up }

public enum Constant: Sendable, Hashable {
    case string(String)
    case integer(Int64)
    case decimal(Double)
    case boolean(Bool)
    case duration(Int64)

    public var type: ValueType {
        switch self {
        case .string: .string
        case .integer: .integer
        case .decimal: .decimal
        case .boolean: .boolean
        case .duration: .duration
        }
    }
}
