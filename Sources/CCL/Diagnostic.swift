public import MeshCore

/// Something found in a contract: an error, which keeps it from being compiled, or a warning.
public struct Diagnostic: Error, Sendable, Hashable {
    public enum Severity: String, Sendable, Hashable { case error, warning }

    public let code: DiagnosticCode
    public let message: String
    public let range: SourceRange
    /// What to write instead, or what to do.
    public let hint: String?

    public init(_ code: DiagnosticCode, _ message: String, at range: SourceRange, hint: String? = nil) {
        self.code = code
        self.message = message
        self.range = range
        self.hint = hint
    }

    /// Follows from the code: a code is always one or the other.
    public var severity: Severity { code.severity }

    /// The diagnostic as people read it, with the line and a caret under the place (``SourceReport``).
    ///
    /// - Parameters:
    ///   - source: The contract's text.
    ///   - name: What the text is called, most often the file's name.
    /// - Returns: Lines without a line break at the end.
    public func rendered(source: String, name: String) -> String {
        SourceReport.text(
            "\(severity.rawValue)[\(code.rawValue)]: \(message)", at: range, hint: hint, source: source,
            name: name)
    }
}

/// Every code that the language gives; stable words for people and programs.
///
/// C1 reading, C2 names and types, C3 calls, C4 flow, C5 resources; from 50 on within a family: warnings.
public enum DiagnosticCode: String, Sendable, Hashable, CaseIterable {
    // Reading.
    case unexpectedToken = "C101"
    case unterminatedString = "C102"
    case invalidCharacter = "C103"
    case invalidNumber = "C104"
    case invalidEscape = "C105"
    case nestedTooDeeply = "C106"
    case tooLong = "C107"
    case invalidUTF8 = "C108"
    case placeholder = "C109"

    // Names and types.
    case unknownName = "C201"
    case duplicateName = "C202"
    case typeMismatch = "C203"
    case notAConstant = "C204"
    case notAValue = "C205"
    case assignmentToConstant = "C206"
    case constantOverflow = "C207"
    case divisionByZero = "C208"
    case misplacedStatement = "C209"
    case invalidDeclaration = "C210"
    case unusedName = "C250"
    case uncalledFunction = "C251"
    case declaredOnly = "C252"
    case duplicateProperty = "C253"
    case unknownProperty = "C254"

    // Calls.
    case unknownFunction = "C301"
    case missingArgument = "C302"
    case unknownArgument = "C303"
    case tooManyArguments = "C304"
    case duplicateArgument = "C305"
    case invalidArgument = "C306"
    case notProvided = "C307"
    case ignoredResult = "C350"

    // Flow.
    case recursion = "C401"
    case missingReturn = "C402"
    case misplacedReturn = "C403"
    case loopTooLong = "C404"
    case unreachableCode = "C450"
    case constantCondition = "C451"
    case nothingToRun = "C452"
    case emptyLoop = "C453"

    // Resources and size.
    case overspent = "C501"
    case tooManySubmissions = "C502"
    case moduleTooLarge = "C503"
    case mayOverspend = "C550"
    case undeclaredResource = "C551"
    case unknownAmount = "C552"

    public var severity: Diagnostic.Severity {
        let digits = rawValue.utf8.dropFirst(2)
        return (digits.first ?? 0x30) >= 0x35 ? .warning : .error
    }
}
