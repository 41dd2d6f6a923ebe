internal import MeshCore

/// One word, literal or sign of a contract: where it stands, not what it says, which is only looked up when a
/// tree needs it.
///
/// 24 bytes, because a whole text is cut before any of it is read: that lets the parser look ahead as far as it
/// likes, and pass over what is in brackets in one step.
struct Token {
    enum Kind: UInt8 {
        case end, word, string, integer, decimal, duration
        /// What has been reported already; it stands wherever a value may.
        case refused
        case leftBrace, rightBrace, leftBracket, rightBracket, leftParenthesis, rightParenthesis
        case semicolon, comma, colon, dot, equals
        case or, and, equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
        case plus, minus, star, slash, percent, not
    }

    let kind: Kind
    /// No other token stands before it in its line.
    let startsLine: Bool
    /// A character in it or directly before it was refused, so that it need not be what was meant.
    var isSuspect: Bool
    /// A string that holds an escape, or more bytes than characters.
    let isPlain: Bool
    let offset: UInt32
    let end: UInt32
    let line: UInt32
    let column: UInt32
    /// The index of the bracket that closes or opens this one.
    var partner: UInt32 = Token.noPartner

    static let noPartner = UInt32.max

    var hasPartner: Bool { partner != Self.noPartner }

    var start: SourcePosition {
        SourcePosition(offset: Int(offset), line: Int(line), column: Int(column))
    }
}

extension Token.Kind {
    /// The sign itself; empty for what has no single spelling.
    var sign: String {
        switch self {
        case .end, .word, .string, .integer, .decimal, .duration, .refused: ""
        case .leftBrace: "{"
        case .rightBrace: "}"
        case .leftBracket: "["
        case .rightBracket: "]"
        case .leftParenthesis: "("
        case .rightParenthesis: ")"
        case .semicolon: ";"
        case .comma: ","
        case .colon: ":"
        case .dot: "."
        case .equals: "="
        case .not: "!"
        case .or, .and, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .plus, .minus,
            .star, .slash, .percent:
            binary?.rawValue ?? ""
        }
    }

    /// The operator between two operands that it is.
    var binary: BinaryOperator? {
        switch self {
        case .or: .or
        case .and: .and
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        case .plus: .add
        case .minus: .subtract
        case .star: .multiply
        case .slash: .divide
        case .percent: .remainder
        default: nil
        }
    }

    var isOpening: Bool { self == .leftBrace || self == .leftBracket || self == .leftParenthesis }

    /// An expression may begin with it.
    var beginsExpression: Bool {
        switch self {
        case .word, .string, .integer, .decimal, .duration, .refused, .leftBracket, .leftParenthesis, .minus,
            .not:
            true
        default: false
        }
    }
}
