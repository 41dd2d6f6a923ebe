internal import MeshCore
internal import MeshGraph

extension SchemaBuilder {
    /// What the modifiers of an attribute or an alias come to.
    struct Modifiers {
        var isRequired = false
        var isUnique = false
        var isReadonly = false
        var isIndexed = false
        var checks: [ValueCheck] = []
    }

    /// Judges modifiers against the type that they are about.
    ///
    /// - Parameters:
    ///   - modifiers: As they were written.
    ///   - owner: What the messages call it: `Person.age`, or the name of an alias.
    ///   - type: The attribute's, or the alias's.
    ///   - inherited: Checks that the type brings with it.
    ///   - isAlias: Whether they are an alias's, which is no attribute.
    ///   - source: The source that they stand in.
    /// - Returns: `nil` when one has a fault, which has been reported.
    mutating func judge(
        _ modifiers: [AttributeModifier], of owner: String, on type: StaticType, inherited: [ValueCheck],
        isAlias: Bool, source: Int
    ) -> Modifiers? {
        var result = Modifiers(checks: inherited)
        var isWhole = true
        var seen: Set<String> = []
        for modifier in modifiers {
            do throws(Diagnostic) {
                if let name = modifier.kind.onceName, !seen.insert(name).inserted {
                    throw fault("\(name) is given twice", modifier)
                }
                if isAlias, modifier.kind.isOfAttributesAlone {
                    throw fault(
                        "\(modifier.canonicalText) belongs to an attribute, and not to a type",
                        modifier)
                }
                try apply(modifier, of: owner, on: type, to: &result)
            } catch {
                report(error, from: source)
                isWhole = false
            }
        }
        if isWhole, result.checks.weight > SchemaLimits.checkCountMax {
            report(
                Diagnostic(
                    .invalidModifier,
                    "\(owner) is checked for more than \(SchemaLimits.checkCountMax) things",
                    at: modifiers.last?.range), from: source)
            isWhole = false
        }
        if isWhole, let fault = emptyRange(result.checks, of: owner, at: modifiers.last?.range) {
            report(fault, from: source)
            isWhole = false
        }
        return isWhole ? result : nil
    }

    private func fault(_ message: String, _ modifier: AttributeModifier, hint: String? = nil) -> Diagnostic {
        Diagnostic(.invalidModifier, message, at: modifier.range, hint: hint)
    }

    private mutating func apply(
        _ modifier: AttributeModifier, of owner: String, on type: StaticType, to result: inout Modifiers
    ) throws(Diagnostic) {
        switch modifier.kind {
        case .required:
            if type.isOptional {
                throw fault(
                    "\(owner) is optional and required", modifier, hint: "leave out the ? or the modifier")
            }
            result.isRequired = true
        case .readonly: result.isReadonly = true
        case .unique, .indexed:
            if case .list = type.withoutNull {
                throw fault("no index is over lists: \(owner) is \(type)", modifier)
            }
            if case .unique = modifier.kind { result.isUnique = true }
            result.isIndexed = true
        case .bound(let order, let limit):
            let value = try literal(limit, of: owner, on: type, modifier, kinds: Self.ordered)
            switch order {
            case .greaterOrEqual: result.checks.append(.atLeast(value))
            case .lessOrEqual: result.checks.append(.atMost(value))
            case .greater: result.checks.append(.above(value))
            case .less: result.checks.append(.below(value))
            default: throw fault("\(order.rawValue) is not an order", modifier)
            }
        case .between(let low, let high):
            guard low <= high else { throw fault("\(low)..\(high) counts down", modifier) }
            for (value, isLow) in [(low, true), (high, false)] {
                let limit = Expression(.literal(.int(value)), modifier.range)
                let fitted = try literal(limit, of: owner, on: type, modifier, kinds: [.int, .float])
                result.checks.append(isLow ? .atLeast(fitted) : .atMost(fitted))
            }
        case .oneOf(let expressions):
            guard !expressions.isEmpty else { throw fault("in: wants a value at least", modifier) }
            var values: [GraphValue] = []
            for expression in expressions {
                values.append(
                    try literal(expression, of: owner, on: type, modifier, kinds: Set(ScalarType.allCases)))
            }
            result.checks.append(.oneOf(values))
        case .format, .matches, .length: try applyToText(modifier, of: owner, on: type, to: &result)
        }
    }

    private mutating func applyToText(
        _ modifier: AttributeModifier, of owner: String, on type: StaticType, to result: inout Modifiers
    ) throws(Diagnostic) {
        guard type.elementOrSelf.members.allSatisfy({ $0 == .scalar(.string) || $0 == .scalar(.id) }) else {
            throw fault("\(modifier.canonicalText) is for strings: \(owner) is \(type)", modifier)
        }
        switch modifier.kind {
        case .format(let name):
            guard ValueFormat(rawValue: name) != nil else {
                let names = ValueFormat.allCases.map(\.rawValue)
                throw fault(
                    "there is no format \(name)", modifier,
                    hint: nearest(name, among: names).map { "did you mean \($0)?" }
                        ?? "the formats are \(names.joined(separator: ", "))")
            }
            result.checks.append(.format(name))
        case .matches(let pattern):
            try addPattern(pattern, modifier)
            result.checks.append(.matches(pattern))
        case .length(let low, let high):
            guard low >= 0, low <= high else {
                throw fault("no string has \(low)..\(high) characters", modifier)
            }
            result.checks.append(.length(low, high))
        default: break
        }
    }

    private mutating func addPattern(_ text: String, _ modifier: AttributeModifier) throws(Diagnostic) {
        if schema.patterns[text] != nil { return }
        // Reading a pattern may cost much more than its text.
        patternsLeft -= 1
        guard patternsLeft >= 0 else {
            throw fault("there are more than \(SchemaLimits.patternCountMax) patterns", modifier)
        }
        let pattern: TextPattern
        do throws(TextPatternFault) { pattern = try TextPattern(text) } catch {
            throw fault("the pattern cannot be used: \(error.message)", modifier)
        }
        guard pattern.stepCount <= patternStepsLeft else {
            throw fault("the patterns of the schema are too long together", modifier)
        }
        patternStepsLeft -= pattern.stepCount
        schema.patterns[text] = pattern
    }

    private static let ordered: Set<ScalarType> = [.int, .float, .timestamp, .duration]

    /// A constant of a modifier, as a value of the attribute's type.
    private func literal(
        _ expression: Expression, of owner: String, on type: StaticType, _ modifier: AttributeModifier,
        kinds: Set<ScalarType>
    ) throws(Diagnostic) -> GraphValue {
        let element = type.elementOrSelf
        let allows = element.members.allSatisfy { member in
            if case .scalar(let scalar) = member { kinds.contains(scalar) } else { false }
        }
        guard allows else {
            throw fault("\(modifier.canonicalText) does not go with \(type): \(owner)", modifier)
        }
        let value: GraphValue
        do throws(Diagnostic) { value = try ConstantExpression.value(of: expression, now: nil) } catch {
            throw fault("\(expression.canonicalText) is no literal", modifier)
        }
        guard !value.isNull, let fitted = element.fitting(value) else {
            throw fault("\(value.shortened) is \(value.kindName), and \(owner) is \(type)", modifier)
        }
        return fitted
    }

    /// Whether no value could satisfy the bounds.
    private func emptyRange(_ checks: [ValueCheck], of owner: String, at range: SourceRange?) -> Diagnostic? {
        var lower: [(GraphValue, isOpen: Bool)] = []
        var upper: [(GraphValue, isOpen: Bool)] = []
        for check in checks {
            switch check {
            case .atLeast(let value): lower.append((value, false))
            case .above(let value): lower.append((value, true))
            case .atMost(let value): upper.append((value, false))
            case .below(let value): upper.append((value, true))
            default: break
            }
        }
        // A few bounds are all that anybody writes; more are left to the values.
        for low in lower.prefix(8) {
            for high in upper.prefix(8) {
                guard let order = ValueCheck.order(low.0, high.0) else { continue }
                if order > 0 || (order == 0 && (low.isOpen || high.isOpen)) {
                    return Diagnostic(
                        .invalidModifier,
                        "no value of \(owner) is above \(low.0.literal) and below \(high.0.literal)",
                        at: range)
                }
            }
        }
        return nil
    }
}

extension [ValueCheck] {
    /// How much there is to look at for one value.
    var weight: Int {
        reduce(0) { sum, check in
            if case .oneOf(let values) = check { sum + 1 + values.count } else { sum + 1 }
        }
    }
}

extension StaticType {
    /// The type of a list's elements, without null; the type itself where it is no list.
    var elementOrSelf: StaticType {
        if case .list(let element) = withoutNull { element.withoutNull } else { withoutNull }
    }
}

extension AttributeModifier.Kind {
    /// The name of a modifier that may stand once.
    fileprivate var onceName: String? {
        switch self {
        case .required: "required"
        case .unique: "unique"
        case .readonly: "readonly"
        case .indexed: "indexed"
        case .oneOf: "in:"
        case .format: "format:"
        case .length: "length:"
        case .bound, .between, .matches: nil
        }
    }

    fileprivate var isOfAttributesAlone: Bool {
        switch self {
        case .required, .unique, .readonly, .indexed: true
        default: false
        }
    }
}
