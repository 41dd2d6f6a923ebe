/// A failure with a stable code, a sentence for people and, where there is one, a remedy.
///
/// Each module names its own codes and an alias, such as `IPLDError = CodedError<IPLDFailure>`.
/// Equality looks at ``code`` only, so tests and callers match on the kind of failure and never
/// on prose.
public struct CodedError<Code>: Error, Sendable, CustomStringConvertible
where Code: RawRepresentable & Hashable & Sendable, Code.RawValue == String {
    /// The stable kind of failure; its raw value is what the control API reports.
    public let code: Code
    /// What happened, in one sentence.
    ///
    /// For people; not parsed.
    public let message: String
    /// What to do about it, where something can be done.
    public let hint: String?

    public init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    public var description: String {
        if let hint { return "\(message) (\(hint))" }
        return message
    }
}

extension CodedError: Equatable {
    public static func == (a: Self, b: Self) -> Bool { a.code == b.code }
}
