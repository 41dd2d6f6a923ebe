internal import MeshCore

extension Instruction {
    static func log(_ text: Value, at position: SourcePosition) -> Instruction {
        Instruction(.evaluate(Value(.host(.logMessage, [text]), nil)), at: position)
    }

    static func record(_ resource: Value, _ amount: Value, at position: SourcePosition) -> Instruction {
        Instruction(.evaluate(Value(.host(.recordResourceUsage, [resource, amount]), nil)), at: position)
    }
}

extension Term {
    /// As the message of a failure; an empty one is none.
    var message: Value? { constant == .string("") ? nil : value }
}

extension Checker {
    // MARK: What is used

    /// Notes that so much of a resource is used here; at least nothing of it where it may be refused.
    mutating func use(_ resource: Term, _ amount: Term, at range: SourceRange, isCertain: Bool = true) {
        var number = ResourceTable.others
        if case .string(let name)? = resource.constant { number = resources.number(of: name) }
        var (least, most): (Int64, Int64) = (0, .max)
        if case .integer(let known)? = amount.constant { (least, most) = (isCertain ? known : 0, known) }
        frame.flow.falls?.append(
            UseSummary(resource: number, least: least, most: most, at: range), limits: resources)
    }

    /// A host refuses what it is asked for beforehand and does not know; records of it are taken.
    private mutating func noteUndeclared(_ resource: Term, at range: SourceRange) {
        guard case .string(let name)? = resource.constant, !resources.isKnown(name),
            undeclared.insert(name).inserted
        else { return }
        report(
            .undeclaredResource, "`resources` declares no `\(name)`: a run will be refused it", at: range,
            hint: suggestion(name, among: resources.declared.keys.sorted() + ["compute"])
                ?? "declare `resources { \(name): 1000; }`")
    }

    // MARK: Calls

    mutating func submission(_ terms: [Term], _ call: Call, isCertain: Bool) -> Term {
        if case .integer(0)? = terms[3].constant {
            report(.invalidArgument, "A job is given an amount from 1 on", at: call.range)
        }
        refuseLongText(
            terms[1], atMost: RunEffectLimits.descriptionByteCountMax, "A job's description", at: call.range)
        noteUndeclared(terms[2], at: call.range)
        use(terms[2], terms[3], at: call.range, isCertain: isCertain)
        frame.flow.falls?.append(
            UseSummary(
                resource: ResourceTable.submissions, least: isCertain ? 1 : 0, most: 1, at: call.range),
            limits: resources)
        return .value(.host(.submitJob, terms.map(\.value)), .boolean)
    }

    mutating func authorization(_ terms: [Term], _ call: Call) -> Term {
        noteUndeclared(terms[0], at: call.range)
        return .value(.host(.checkResourceAuthorization, terms.map(\.value)), .boolean)
    }

    mutating func anchoring(_ terms: [Term], _ call: Call) -> Term {
        guard let data = dataText(terms[0], at: call.range) else { return .poisoned }
        var text = data
        if terms[1].constant != .string("") {
            text = joined(joined(terms[1], .constant(.string(": ")), at: call.range), data, at: call.range)
        }
        refuseLongText(
            text, atMost: RunEffectLimits.anchoredByteCountMax, "What is anchored", at: call.range)
        return text.isPoisoned ? text : .value(.host(.anchorToDAG, [text.value]), .boolean)
    }

    /// A host is certain to refuse what is longer.
    private mutating func refuseLongText(
        _ text: Term, atMost limit: Int, _ what: String, at range: SourceRange
    ) {
        guard case .string(let known)? = text.constant, known.utf8.count > limit else { return }
        report(
            .invalidArgument,
            "\(what) has at most \(limit.grouped) bytes; this has \(known.utf8.count.grouped)",
            at: range)
    }

    /// Text as it is, a list or an object as JSON.
    private mutating func dataText(_ term: Term, at range: SourceRange) -> Term? {
        switch term.kind {
        case .poisoned: return nil
        case .constant, .value:
            let text = fitted(term, to: .string, at: range, as: "what is anchored")
            return text.isPoisoned ? nil : text
        case .list, .object:
            guard term.isConstant else {
                reportVariableList(range)
                return nil
            }
            guard unfold(2, at: range) else { return nil }
            var json = ""
            let fits = term.appendJSON(to: &json, byteCountMax: Limits.stringByteCountMax)
            guard unfold(json.utf8.count, at: range) else { return nil }
            guard fits else {
                report(
                    .tooLong, "This is longer than \(Limits.stringByteCountMax.grouped) bytes as JSON",
                    at: range)
                return nil
            }
            return .constant(.string(json))
        }
    }

    /// Notes that so much of a resource must be authorised here, without being used.
    private mutating func ask(_ resource: Term, _ amount: Term, at range: SourceRange) {
        guard case .string(let name)? = resource.constant else { return }
        var (least, most): (Int64, Int64) = (0, .max)
        if case .integer(let known)? = amount.constant { (least, most) = (known, known) }
        frame.flow.falls?.append(
            UseSummary(resource: resources.number(of: name), askedLeast: least, askedMost: most, at: range),
            limits: resources)
    }

    /// Authorised before, recorded behind, under the action's own name.
    mutating func runAction(
        _ action: Term, _ resource: Term, _ amount: Term, _ call: Call, into body: inout [Instruction]
    ) {
        let position = call.range.start
        noteUndeclared(resource, at: call.range)
        ask(resource, amount, at: call.range)
        var temporaries: [Int] = []
        let action = again(kept(action.value, at: call.range, in: &body, temporaries: &temporaries))
        if case .string(let name)? = action.constant, resources.isKnown(name) {
            use(action, amount, at: call.range)
        }
        let size = kept(amount.value, at: call.range, in: &body, temporaries: &temporaries)
        let sizeTerm = size.constant.map { Term.constant($0) } ?? Term(.value(size))
        guard let sizeText = asText(sizeTerm, at: call.range) else { return }
        var text = joined(.constant(.string("action ")), action, at: call.range)
        text = joined(text, .constant(.string(", amount ")), at: call.range)
        text = joined(text, sizeText, at: call.range)
        body.append(
            Instruction(
                .require(
                    Value(.host(.checkResourceAuthorization, [resource.value, size]), .boolean),
                    message: .text("not authorised")), at: position))
        body.append(.log(text.value, at: position))
        body.append(.record(action.value, size, at: position))
        release(temporaries)
    }

    /// What is kept in a local value, as a term.
    private func again(_ value: Value) -> Term { value.constant.map { .constant($0) } ?? Term(.value(value)) }

    mutating func runMinting(_ terms: [Term], _ call: Call, into body: inout [Instruction]) {
        let position = call.range.start
        let token = Term.constant(.string("token"))
        noteUndeclared(token, at: call.range)
        ask(token, terms[1], at: call.range)
        // What is minted is recorded under its own name, which may be that of a declared resource.
        if case .string(let type)? = terms[0].constant, type != "token", resources.isKnown(type) {
            use(terms[0], terms[1], at: call.range)
        }
        var data: Term?
        if terms[3].constant != .string("") {
            guard let text = dataText(terms[3], at: call.range) else { return }
            data = text
        }
        var temporaries: [Int] = []
        let kind = again(kept(terms[0].value, at: call.range, in: &body, temporaries: &temporaries))
        let amount = again(kept(terms[1].value, at: call.range, in: &body, temporaries: &temporaries))
        let recipient = again(kept(terms[2].value, at: call.range, in: &body, temporaries: &temporaries))
        guard let amountText = asText(amount, at: call.range) else { return }
        var what = joined(kind, .constant(.string(" ")), at: call.range)
        what = joined(what, amountText, at: call.range)
        what = joined(what, .constant(.string(" to ")), at: call.range)
        what = joined(what, recipient, at: call.range)
        var anchored = joined(.constant(.string("mint ")), what, at: call.range)
        if let data {
            anchored = joined(anchored, .constant(.string(": ")), at: call.range)
            anchored = joined(anchored, data, at: call.range)
        }
        let minted = joined(.constant(.string("minted ")), what, at: call.range)
        body.append(
            Instruction(
                .require(
                    Value(.host(.checkResourceAuthorization, [.text("token"), amount.value]), .boolean),
                    message: .text("not authorised")), at: position))
        body.append(
            Instruction(
                .require(
                    Value(.host(.anchorToDAG, [anchored.value]), .boolean),
                    message: .text("the data was not anchored")), at: position))
        body.append(.record(kind.value, amount.value, at: position))
        body.append(.log(minted.value, at: position))
        release(temporaries)
    }

    /// What a requirement without a message says, so that the log has its place all the same.
    static let unmet = "the requirement does not hold"

    mutating func runRequirement(_ terms: [Term], _ call: Call, into body: inout [Instruction]) {
        body.append(
            Instruction(
                .require(terms[0].value, message: terms[1].message ?? .text(Self.unmet)), at: call.range.start
            ))
        guard case .boolean(let holds)? = terms[0].constant, !terms[0].isDeclared else { return }
        report(
            .constantCondition, "This condition is always \(holds)",
            at: call.arguments.first?.value.range ?? call.range,
            hint: holds ? "remove it" : "write `fail(…)` to end the run")
        if !holds { frame.flow.append(.unreachable, limits: resources) }
    }

    // MARK: Functions of values

    mutating func calculation(_ function: LanguageFunction, _ terms: [Term], _ call: Call) -> Term {
        switch function {
        case .min, .max: return extreme(function, terms, call)
        case .round: return rounded(.nearest, terms[0], call)
        case .floor: return rounded(.down, terms[0], call)
        case .ceil: return rounded(.up, terms[0], call)
        case .text: return asText(terms[0], at: call.range) ?? .poisoned
        case .length: return length(terms[0], call)
        default: return .poisoned
        }
    }

    private mutating func extreme(_ function: LanguageFunction, _ terms: [Term], _ call: Call) -> Term {
        let (a, b) = alike(terms[0], terms[1])
        guard let type = a.type, type == b.type, type != .string, type != .boolean else {
            report(
                .typeMismatch,
                "`\(function.rawValue)` takes two numbers or two durations; here are \(terms[0].typeName) and \(terms[1].typeName)",
                at: call.range)
            return .poisoned
        }
        if a.constant != nil, b.constant != nil {
            let isFirst: Bool =
                switch (a.constant, b.constant) {
                case (.integer(let x)?, .integer(let y)?), (.duration(let x)?, .duration(let y)?):
                    (x <= y) == (function == .min)
                case (.decimal(let x)?, .decimal(let y)?): (x <= y) == (function == .min)
                default: true
                }
            return Term((isFirst ? a : b).kind, isDeclared: a.isDeclared || b.isDeclared)
        }
        return .value(function == .min ? .minimum(a.value, b.value) : .maximum(a.value, b.value), type)
    }

    private mutating func rounded(_ rounding: Rounding, _ term: Term, _ call: Call) -> Term {
        switch term.type {
        case .integer?: return term
        case .decimal?:
            guard case .decimal(let number)? = term.constant else {
                return .value(.rounded(rounding, term.value), .integer)
            }
            let rule: FloatingPointRoundingRule =
                switch rounding {
                case .nearest: .toNearestOrEven
                case .down: .down
                case .up: .up
                }
            guard let integer = Int64(exactly: number.rounded(rule)) else { return overflow(call.range) }
            return .constant(.integer(integer), isDeclared: term.isDeclared)
        default:
            report(
                .typeMismatch, "`\(call.name.text)` takes a number, and this is \(term.typeName)",
                at: call.range)
            return .poisoned
        }
    }

    private mutating func length(_ term: Term, _ call: Call) -> Term {
        switch (term.kind, term.type) {
        case (.list(let items), _):
            return .constant(.integer(Int64(items.count)), isDeclared: term.isDeclared)
        case (.constant(.string(let text)), _):
            return .constant(.integer(Int64(text.utf8.count)), isDeclared: term.isDeclared)
        case (.value, .string?): return .value(.length(term.value), .integer)
        default:
            report(
                .typeMismatch, "`length` takes text or a list, and this is \(term.typeName)", at: call.range)
            return .poisoned
        }
    }
}
