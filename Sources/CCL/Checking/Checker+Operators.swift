internal import MeshCore

extension Checker {
    // MARK: Conditions

    /// An expression that has to be a boolean.
    mutating func condition(_ expression: Expression) -> Term {
        boolean(evaluate(expression), at: expression.range)
    }

    private mutating func boolean(_ term: Term, at range: SourceRange) -> Term {
        if term.isPoisoned || term.type == .boolean { return term }
        report(
            .typeMismatch, "A condition is true or false; this is \(term.typeName)", at: range,
            hint: term.type == nil ? nil : "compare it: `… == …`")
        return .poisoned
    }

    mutating func both(_ left: Expression, _ right: Expression, at range: SourceRange) -> Term {
        shortened(left, right, decidedBy: false) { Value(.and($0, $1), .boolean) }
    }

    mutating func oneOf(_ left: Expression, _ right: Expression, at range: SourceRange) -> Term {
        shortened(left, right, decidedBy: true) { Value(.or($0, $1), .boolean) }
    }

    /// The right side runs only where the left does not decide.
    private mutating func shortened(
        _ left: Expression, _ right: Expression, decidedBy deciding: Bool, _ join: (Value, Value) -> Value
    ) -> Term {
        let first = condition(left)
        let before = frame.flow
        frame.flow = Flow()
        let second = condition(right)
        let after = frame.flow
        frame.flow = before
        if case .boolean(let flag)? = first.constant {
            let isDeclared = first.isDeclared || second.isDeclared
            if flag == deciding { return Term(first.kind, isDeclared: isDeclared) }
            frame.flow.append(after, limits: resources)
            return Term(second.kind, isDeclared: isDeclared)
        }
        frame.flow.append(after.merged(with: Flow()), limits: resources)
        guard !first.isPoisoned, !second.isPoisoned else { return .poisoned }
        return Term(.value(join(first.value, second.value)))
    }

    mutating func unary(_ sign: UnaryOperator, _ term: Term, at range: SourceRange) -> Term {
        if term.isPoisoned { return term }
        switch (sign, term.constant, term.type) {
        case (.not, .boolean(let flag)?, _): return .constant(.boolean(!flag), isDeclared: term.isDeclared)
        case (.not, nil, .boolean?): return .value(.not(term.value), .boolean)
        case (.negate, .integer(let number)?, _):
            guard number != .min else { return overflow(range) }
            return .constant(.integer(-number), isDeclared: term.isDeclared)
        case (.negate, .duration(let number)?, _):
            guard number != .min else { return overflow(range) }
            return .constant(.duration(-number), isDeclared: term.isDeclared)
        case (.negate, .decimal(let number)?, _):
            return .constant(.decimal(-number), isDeclared: term.isDeclared)
        case (.negate, nil, .integer?), (.negate, nil, .duration?), (.negate, nil, .decimal?):
            return .value(.negated(term.value), term.type)
        default:
            report(
                .typeMismatch,
                "`\(sign.rawValue)` stands before \(sign == .not ? "a boolean" : "a number or a duration"), and this is \(term.typeName)",
                at: range)
            return .poisoned
        }
    }

    // MARK: Comparisons

    mutating func compare(_ sign: BinaryOperator, _ a: Term, _ b: Term, at range: SourceRange) -> Term {
        if a.isPoisoned || b.isPoisoned { return .poisoned }
        let (first, second) = alike(a, b)
        guard let type = first.type, type == second.type else {
            report(
                .typeMismatch,
                "`\(sign.rawValue)` compares two values of one type; here are \(a.typeName) and \(b.typeName)",
                at: range, hint: hint(a, b))
            return .poisoned
        }
        if sign != .equal, sign != .notEqual, type == .string || type == .boolean {
            report(
                .typeMismatch,
                "`\(sign.rawValue)` compares numbers and durations; \(type.withArticle) has no order",
                at: range, hint: "`==` and `!=` compare any two values")
            return .poisoned
        }
        guard let left = first.constant, let right = second.constant else {
            return .value(.comparison(sign, first.value, second.value), .boolean)
        }
        let holds: Bool
        switch (left, right) {
        case (.integer(let x), .integer(let y)), (.duration(let x), .duration(let y)):
            holds = sign.holds(x, y)
        case (.decimal(let x), .decimal(let y)): holds = sign.holds(x, y)
        default: holds = (left == right) == (sign == .equal)
        }
        return .constant(.boolean(holds), isDeclared: a.isDeclared || b.isDeclared)
    }

    private func hint(_ a: Term, _ b: Term) -> String? {
        (a.type == .string) != (b.type == .string) && a.type != nil && b.type != nil
            ? "`text(…)` makes text of a number" : nil
    }

    /// Both as decimals where one is.
    func alike(_ a: Term, _ b: Term) -> (Term, Term) {
        switch (a.type, b.type) {
        case (.integer?, .decimal?): (decimal(a), b)
        case (.decimal?, .integer?): (a, decimal(b))
        default: (a, b)
        }
    }

    /// An integer as a decimal.
    func decimal(_ term: Term) -> Term {
        if case .integer(let number)? = term.constant {
            return .constant(.decimal(Double(number)), isDeclared: term.isDeclared)
        }
        return .value(.decimal(term.value), .decimal)
    }

    // MARK: Arithmetic

    mutating func calculate(
        _ sign: BinaryOperator, _ a: Term, _ b: Term, at range: SourceRange, divisor: SourceRange
    ) -> Term {
        if a.isPoisoned || b.isPoisoned { return .poisoned }
        if sign == .add, a.type == .string || b.type == .string { return join(a, b, at: range) }
        var (first, second) = alike(a, b)
        // A duration times an integer is written either way, and computed one way.
        if sign == .multiply, first.type == .integer, second.type == .duration { swap(&first, &second) }
        let isScaled =
            first.type == .duration && second.type == .integer && (sign == .multiply || sign == .divide)
        let isAlike: Bool =
            switch first.type {
            case .integer?: second.type == .integer
            case .decimal?: second.type == .decimal && sign != .remainder
            case .duration?: second.type == .duration && (sign == .add || sign == .subtract)
            default: false
            }
        guard let type = first.type, isScaled || isAlike else {
            reportOperands(sign, a, b, at: range)
            return .poisoned
        }
        if sign == .divide || sign == .remainder, second.isZero {
            report(
                .divisionByZero, "This divides by zero", at: divisor,
                hint: "divide by something else, or test for zero before")
            return .poisoned
        }
        guard let left = first.constant, let right = second.constant else {
            return .value(.arithmetic(sign, first.value, second.value), type)
        }
        guard let result = left.combined(sign, right) else { return overflow(range) }
        return .constant(result, isDeclared: a.isDeclared || b.isDeclared)
    }

    private mutating func reportOperands(_ sign: BinaryOperator, _ a: Term, _ b: Term, at range: SourceRange)
    {
        let wanted =
            switch sign {
            case .add: "two numbers, two durations, or text and something behind it"
            case .subtract: "two numbers or two durations"
            case .multiply: "two numbers, or a duration and an integer"
            case .divide: "two numbers, or a duration and an integer"
            default: "two integers"
            }
        report(
            .typeMismatch, "`\(sign.rawValue)` takes \(wanted); here are \(a.typeName) and \(b.typeName)",
            at: range)
    }

    /// Text behind text; what is no text becomes it, but for decimals.
    mutating func join(_ a: Term, _ b: Term, at range: SourceRange) -> Term {
        guard let first = asText(a, at: range), let second = asText(b, at: range) else { return .poisoned }
        return joined(first, second, at: range)
    }

    mutating func joined(_ a: Term, _ b: Term, at range: SourceRange) -> Term {
        if a.isPoisoned || b.isPoisoned { return .poisoned }
        let isDeclared = a.isDeclared || b.isDeclared
        switch (a.constant, b.constant) {
        case (.string(let first)?, .string(let second)?):
            let length = first.utf8.count + second.utf8.count
            guard length <= Limits.stringByteCountMax else {
                report(
                    .tooLong, "This text is longer than \(Limits.stringByteCountMax.grouped) bytes", at: range
                )
                return .poisoned
            }
            guard unfold(length, at: range) else { return .poisoned }
            return .constant(.string(first + second), isDeclared: isDeclared)
        case (.string("")?, _): return b
        case (_, .string("")?): return a
        default: return .value(.joined(a.value, b.value), .string)
        }
    }

    /// `nil`, with an error, for what has no text.
    mutating func asText(_ term: Term, at range: SourceRange) -> Term? {
        switch term.type {
        case .string?: return term
        case .integer?, .boolean?, .duration?:
            if let constant = term.constant {
                return .constant(.string(constant.text), isDeclared: term.isDeclared)
            }
            return .value(.text(term.value), .string)
        case .decimal?, nil:
            if term.isPoisoned { return nil }
            report(
                .typeMismatch, "\(term.typeName.capitalizedFirst) has no text", at: range,
                hint: term.type == .decimal ? "`round(…)` makes an integer of it" : nil)
            return nil
        }
    }
}

extension BinaryOperator {
    func holds<Number: Comparable>(_ a: Number, _ b: Number) -> Bool {
        switch self {
        case .equal: a == b
        case .notEqual: a != b
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        default: a >= b
        }
    }
}

extension Term {
    var isZero: Bool {
        switch constant {
        case .integer(0)?, .duration(0)?: true
        case .decimal(let number)?: number == 0
        default: false
        }
    }
}

extension Constant {
    /// `nil` where the result does not fit; the divisor is not zero and the types are fit for the operator.
    func combined(_ sign: BinaryOperator, _ other: Constant) -> Constant? {
        switch (self, other) {
        case (.integer(let a), .integer(let b)): Self.combined(sign, a, b).map(Constant.integer)
        case (.duration(let a), .duration(let b)), (.duration(let a), .integer(let b)):
            Self.combined(sign, a, b).map(Constant.duration)
        case (.decimal(let a), .decimal(let b)): Self.combined(sign, a, b).map(Constant.decimal)
        default: nil
        }
    }

    private static func combined(_ sign: BinaryOperator, _ a: Int64, _ b: Int64) -> Int64? {
        let (result, overflow) =
            switch sign {
            case .add: a.addingReportingOverflow(b)
            case .subtract: a.subtractingReportingOverflow(b)
            case .multiply: a.multipliedReportingOverflow(by: b)
            case .divide: a.dividedReportingOverflow(by: b)
            // The smallest integer by -1 leaves nothing over, as in WebAssembly.
            default: b == -1 ? (0, false) : a.remainderReportingOverflow(dividingBy: b)
            }
        return overflow ? nil : result
    }

    private static func combined(_ sign: BinaryOperator, _ a: Double, _ b: Double) -> Double? {
        let result =
            switch sign {
            case .add: a + b
            case .subtract: a - b
            case .multiply: a * b
            default: a / b
            }
        return result.isFinite ? result : nil
    }
}
