internal import MeshCore

extension Checker {
    /// What a literal stands for.
    mutating func literal(_ expression: Expression) -> Term {
        switch expression.kind {
        case .string(let text): return .constant(.string(text))
        case .integer(let number): return .constant(.integer(number))
        case .decimal(let number, _):
            guard number.isFinite else { return overflow(expression.range) }
            return .constant(.decimal(number))
        case .boolean(let flag): return .constant(.boolean(flag))
        case .duration(let number, let unit):
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: unit.milliseconds)
            return isTooLarge ? overflow(expression.range) : .constant(.duration(product))
        default: return .poisoned
        }
    }

    mutating func overflow(_ range: SourceRange) -> Term {
        report(.constantOverflow, "This number is too large for 64 bits", at: range)
        return .poisoned
    }

    /// What an expression of running code is.
    mutating func evaluate(_ expression: Expression) -> Term {
        guard enter(expression.range) else { return .poisoned }
        defer { depth -= 1 }
        switch expression.kind {
        case .string, .integer, .decimal, .boolean, .duration: return literal(expression)
        case .list(let items): return bounded(Term(.list(items.map { evaluate($0) })), at: expression.range)
        case .object(let block): return bounded(object(block), at: expression.range)
        case .name(let parts): return parts.count == 1 ? simpleName(parts[0]) : dottedName(parts)
        case .call(let call): return value(of: call)
        case .parenthesized(let inner): return evaluate(inner)
        case .unary(let sign, let inner): return unary(sign, evaluate(inner), at: expression.range)
        case .binary(.and, let left, let right): return both(left, right, at: expression.range)
        case .binary(.or, let left, let right): return oneOf(left, right, at: expression.range)
        case .binary(let sign, let left, let right):
            let first = evaluate(left)
            let second = evaluate(right)
            return sign.isComparison
                ? compare(sign, first, second, at: expression.range)
                : calculate(sign, first, second, at: expression.range, divisor: right.range)
        }
    }

    /// One step further in; `false`, with an error, when it is too deep.
    ///
    /// The caller goes back by `depth -= 1`.
    mutating func enter(_ range: SourceRange, by steps: Int = 1) -> Bool {
        guard depth + steps <= Self.depthMax else {
            if isTooDeep { return false }
            isTooDeep = true
            report(
                .nestedTooDeeply,
                "Statements, expressions and the functions they call lie more than \(Self.depthMax) deep in each other",
                at: range, hint: "bind parts with `let`, and let functions call fewer others in a row")
            return false
        }
        depth += steps
        return true
    }

    /// Lists that hold lists under other names could nest deeper than any text; one that holds an error is one.
    private mutating func bounded(_ term: Term, at range: SourceRange) -> Term {
        switch term.kind {
        case .list(let items) where items.contains(where: \.isPoisoned): return .poisoned
        case .object(let members) where members.contains(where: \.value.isPoisoned): return .poisoned
        default: break
        }
        guard term.height > Limits.nestingMax else { return term }
        report(
            .nestedTooDeeply, "This nests lists and objects more than \(Limits.nestingMax) deep", at: range)
        return .poisoned
    }

    private mutating func object(_ block: Block) -> Term {
        var members: [(name: String, value: Term)] = []
        var places: [String: Int] = [:]
        for statement in block.statements {
            let member: (name: Name, value: Term)
            switch statement.kind {
            case .flag(let name): member = (name, .constant(.boolean(true)))
            case .property(let name, _, let value): member = (name, evaluate(value))
            case .section(let name, let arguments, let inner) where arguments.isEmpty:
                member = (name, object(inner))
            default:
                report(
                    .misplacedStatement, "An object holds names and values only", at: statement.range,
                    hint: "write `name: value`")
                continue
            }
            if let place = places[member.name.text] {
                report(
                    .duplicateProperty, "`\(member.name.text)` stands here a second time",
                    at: member.name.range,
                    hint: "remove one of the two: the last one counts")
                members[place].value = member.value
            } else {
                places[member.name.text] = members.count
                members.append((member.name.text, member.value))
            }
        }
        return Term(.object(members))
    }

    // MARK: Names

    private mutating func simpleName(_ name: Name) -> Term {
        if let binding = frame.names[name.text] { return read(binding) }
        if index.hasRoot(name.text) { return declaredName([name]) }
        if sourceNumbers[name.text] != nil || LanguageFunction.byName[name.text] != nil {
            report(
                .notAValue, "`\(name.text)` is a function", at: name.range, hint: "call it: `\(name.text)(…)`"
            )
            return .poisoned
        }
        reportUnknown(name)
        return .poisoned
    }

    private mutating func read(_ binding: Int) -> Term {
        frame.bindings[binding].isRead = true
        switch frame.bindings[binding].kind {
        case .local(let local, let type): return .value(.local(local), type)
        case .constant(let term): return term
        case .poisoned: return .poisoned
        }
    }

    mutating func reportUnknown(_ name: Name) {
        guard listens(to: .error) else { return }
        if topBindings.contains(name.text) {
            report(
                .unknownName, "`\(name.text)` is bound at the top level and not known here", at: name.range,
                hint: "pass it to the function as an argument")
            return
        }
        if UnprovidedSearch.roots.contains(name.text) {
            report(
                .unknownName, "No run provides `\(name.text)`", at: name.range,
                hint: "declare what it holds, or pass it as an argument")
            return
        }
        var known = frame.names.count > Self.candidateCountMax ? [] : frame.names.keys.sorted()
        known += index.roots(countMax: Self.candidateCountMax)
        report(
            .unknownName, "There is no `\(name.text)` here", at: name.range,
            hint: suggestion(name.text, among: known)
                ?? "bind it with `let \(name.text) = …;`, or put text in quotes")
    }

    private mutating func dottedName(_ parts: [Name]) -> Term {
        if let binding = frame.names[parts[0].text] { return member(of: read(binding), parts) }
        if parts[0].text == ResourceWord.root, !index.hasRoot(ResourceWord.root) {
            if let resource = ResourceWord.constant(parts) { return .constant(.string(resource)) }
            report(
                .unknownName, "There is no resource type `\(parts[1].text)`",
                at: parts[1].range.through(parts[parts.count - 1].range),
                hint: suggestion(parts[1].text, among: ResourceWord.names)
                    ?? "write the resource's name in quotes")
            return .poisoned
        }
        if index.hasRoot(parts[0].text) { return declaredName(parts) }
        let range = parts[0].range.through(parts[parts.count - 1].range)
        if UnprovidedSearch.roots.contains(parts[0].text) {
            report(
                .unknownName,
                "No run provides `\(parts.map(\.text).joined(separator: "."))`", at: range,
                hint: "declare what it holds, or pass it as an argument")
        } else {
            reportUnknown(parts[0])
        }
        return .poisoned
    }

    private mutating func member(of term: Term, _ parts: [Name]) -> Term {
        var term = term
        for part in parts.dropFirst() {
            guard case .object(let members) = term.kind else {
                if term.isPoisoned { return term }
                report(
                    .typeMismatch, "\(term.typeName.capitalizedFirst) has no members, and no `\(part.text)`",
                    at: part.range)
                return .poisoned
            }
            guard let found = members.last(where: { $0.name == part.text }) else {
                report(
                    .unknownName, "The object has no `\(part.text)`", at: part.range,
                    hint: suggestion(part.text, among: members.map(\.name)))
                return .poisoned
            }
            term = found.value
        }
        return term
    }

    /// A property of the contract, as a constant.
    private mutating func declaredName(_ parts: [Name]) -> Term {
        let range = parts[0].range.through(parts[parts.count - 1].range)
        switch index.find(parts) {
        case .flag: return .constant(.boolean(true), isDeclared: true)
        case .value(let expression, let member):
            if let known = index[term: member] { return known }
            var term = declaredTerm(expression)
            if term == nil {
                report(
                    .notAConstant,
                    "`\(parts.map(\.text).joined(separator: "."))` is declared as `\(expression.shortText)`, which is no constant",
                    at: range,
                    hint: "declare a string, a number, a duration, `true`, `false` or a list of these")
                term = .poisoned
            }
            index[term: member] = term
            return term ?? .poisoned
        case .section:
            report(
                .notAValue, "`\(parts.map(\.text).joined(separator: "."))` is a section and has no value",
                at: range,
                hint: "name one of its properties: `\(parts.map(\.text).joined(separator: ".")).…`")
            return .poisoned
        case .unknown(let part, let place):
            guard listens(to: .error) else { return .poisoned }
            let before = parts[..<part].map(\.text).joined(separator: ".")
            report(
                .unknownName, "`\(before)` declares no `\(parts[part].text)`", at: parts[part].range,
                hint: suggestion(
                    parts[part].text, among: index.names(at: place, countMax: Self.candidateCountMax)))
            return .poisoned
        }
    }
}

extension Expression {
    /// Its text, without what would fill a line.
    var shortText: String {
        let text = sourceText
        return text.count > 40 ? text.prefix(40) + "…" : text
    }
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
