public import MeshCore
/// Why a program, or a statement of it, was refused; stable words for people and programs.
///
/// The numbers follow the language's own families: E1 reading, E2 analysis, E3 constraints,
/// E5 transactions, E6 storage, E7 policy, E8 watches, E9 execution.
public struct Diagnostic: Error, Sendable, Hashable {
    public enum Severity: String, Sendable, Hashable { case error, warning }

    public let code: ErrorCode
    public let severity: Severity
    public let message: String
    /// Where in the text; `nil` for what no place of the text caused.
    public let range: SourceRange?
    /// What to write instead, or what to do.
    public let hint: String?

    public init(
        _ code: ErrorCode, _ message: String, at range: SourceRange? = nil, hint: String? = nil,
        severity: Severity = .error
    ) {
        self.code = code
        self.message = message
        self.range = range
        self.hint = hint
        self.severity = severity
    }
}

/// Every code that the language gives, with the family that it belongs to.
public enum ErrorCode: String, Sendable, Hashable, CaseIterable {
    // Reading.
    case unexpectedToken = "E1001"
    case unterminatedString = "E1002"
    case invalidCharacter = "E1003"
    case invalidNumber = "E1004"
    case invalidLiteral = "E1005"
    case nestedTooDeeply = "E1006"
    case tooLong = "E1007"
    case unterminatedComment = "E1008"
    case unsupportedStatement = "E1009"

    // Analysis.
    case unknownType = "E2001"
    case unknownAttribute = "E2002"
    case typeMismatch = "E2003"
    case unknownEdge = "E2004"
    case unknownVariable = "E2005"
    case duplicateName = "E2006"
    case wrongArity = "E2007"
    case unknownFunction = "E2008"
    case abstractType = "E2009"
    case sealedType = "E2010"
    case invalidDeclaration = "E2011"
    case invalidModifier = "E2012"
    case misplacedAggregate = "E2013"
    case missingParameter = "E2014"
    case systemType = "E2015"
    case unknownReference = "E2016"
    case ambiguousReference = "E2017"
    case inheritanceConflict = "E2018"
    case unknownRule = "E2019"
    case unknownIndex = "E2020"
    case unusedNullability = "E2021"

    // Constraints.
    case constraintViolated = "E3001"
    case missingRequired = "E3002"
    case duplicateUnique = "E3003"
    case valueRefused = "E3004"
    case readonlyAttribute = "E3005"
    case selfLink = "E3006"
    case cycle = "E3007"
    case cardinalityExceeded = "E3008"
    case cardinalityMissing = "E3009"
    case killPrevented = "E3010"
    case duplicateKey = "E3011"
    case softConstraint = "E3012"
    case transitiveDepth = "E3101"
    case transitiveNotBinary = "E3102"
    case transitiveWithVariable = "E3103"
    case transitiveTooMany = "E3104"
    case edgeTargetMissing = "E3501"
    case edgeTargetType = "E3502"
    case edgeReferenceCycle = "E3503"
    case edgeTargetCount = "E3504"

    // Transactions.
    case transactionActive = "E5001"
    case noTransaction = "E5002"
    case collectLimit = "E5003"
    case unknownSavepoint = "E5004"
    case transactionTooLarge = "E5005"

    // Storage.
    case storageFailed = "E6001"

    // Policy.
    case permissionDenied = "E7001"
    case noActorBound = "E7002"
    case invalidActor = "E7003"
    case policyFailed = "E7004"

    // Watches.
    case watchDenied = "E8001"
    case watchUnknown = "E8002"
    case acknowledgementLate = "E8003"
    case deliveryUnknown = "E8004"
    case watchOverflow = "E8005"
    case watchLimit = "E8006"
    case deadLetterFailed = "E8007"
    case watchOptionImmutable = "E8008"
    case watchOptionInvalid = "E8009"
    case watchAccess = "E8010"

    // Execution.
    case ruleDepth = "E9021"
    case ruleActions = "E9022"
    case workLimit = "E9023"
    case wallTimeInDeterministic = "E9031"
    case divisionByZero = "E9041"
    case notOneMatch = "E9042"
    case cascadeLimit = "E9043"
}
