/// The body of every answer that is not a success: `{"error":{code,message,hint,retryable}}`.
public struct APIError: APIRecord, Hashable, Error {
    public var error: APIErrorDetail

    public init(error: APIErrorDetail) {
        self.error = error
    }

    public init(
        code: String, message: String, hint: String? = nil, retryable: Bool = false,
        details: [DiagnosticView]? = nil
    ) {
        error = APIErrorDetail(
            code: code, message: message, hint: hint, retryable: retryable, details: details)
    }

    public static let fields: [APIField] = [APIField("error", .record("APIErrorDetail"))]
}

/// What went wrong, for programs and for people.
public struct APIErrorDetail: APIRecord, Hashable {
    /// Stable, such as `job.unknown`.
    public var code: String
    /// One sentence.
    public var message: String
    /// What to do about it.
    @Nullable public var hint: String?
    /// Whether the same request may succeed later.
    public var retryable: Bool
    /// Where in a script it went wrong; absent for what is not about one.
    public var details: [DiagnosticView]?

    public init(
        code: String, message: String, hint: String? = nil, retryable: Bool = false,
        details: [DiagnosticView]? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.retryable = retryable
        self.details = details
    }

    public static let fields: [APIField] = [
        APIField("code", .string),
        APIField("message", .string),
        APIField("hint", .string, nullable: true),
        APIField("retryable", .boolean),
        APIField("details", .array(.record("DiagnosticView")), optional: true),
    ]
}
