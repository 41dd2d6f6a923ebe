internal import MeshCore

extension Checker {
    /// `name { a: 1; b 2; }` and `name "first" { … }` as the calls that they mean; `nil`, with an error, for a block
    /// that holds something else than arguments.
    mutating func blockCall(
        _ name: Name, _ arguments: [Expression], _ block: Block, at range: SourceRange
    ) -> Call? {
        var given = arguments.map { Call.Argument(label: nil, value: $0) }
        for statement in block.statements {
            switch statement.kind {
            case .property(let label, _, let value): given.append(Call.Argument(label: label, value: value))
            case .flag(let label):
                given.append(Call.Argument(label: label, value: Expression(.boolean(true), label.range)))
            case .section(let label, let inner, let members) where inner.isEmpty:
                given.append(Call.Argument(label: label, value: Expression(.object(members), members.range)))
            default:
                report(
                    .misplacedStatement, "The block of a call holds arguments only", at: statement.range,
                    hint: "write `name: value;`")
                return nil
            }
        }
        return Call(name: name, arguments: given, range: range)
    }

    /// The arguments in the order of the parameters; `nil`, with errors, when they do not fit.
    mutating func matched(_ call: Call, to labels: [[String]], required: [Bool]) -> [Expression?]? {
        var found: [Expression?] = Array(repeating: nil, count: labels.count)
        var position = 0
        var fits = true
        for argument in call.arguments {
            if let label = argument.label {
                guard let index = labels.firstIndex(where: { $0.contains(label.text) }) else {
                    fits = false
                    let known = labels.map { $0[0] }
                    report(
                        .unknownArgument, "`\(call.name.text)` takes no `\(label.text)`", at: label.range,
                        hint: suggestion(label.text, among: known) ?? Self.list("it takes", known))
                    continue
                }
                if found[index] != nil {
                    fits = false
                    report(
                        .duplicateArgument, "`\(label.text)` is given a second time", at: label.range,
                        hint: "remove one of the two")
                } else {
                    found[index] = argument.value
                }
            } else if position >= labels.count {
                fits = false
                report(
                    .tooManyArguments,
                    "`\(call.name.text)` takes \(labels.count == 0 ? "no arguments" : "at most \(labels.count)")",
                    at: argument.value.range, hint: Self.list("it takes", labels.map { $0[0] }))
                break
            } else {
                if found[position] != nil {
                    fits = false
                    report(
                        .duplicateArgument, "`\(labels[position][0])` is given a second time",
                        at: argument.value.range,
                        hint: "write the label of what is meant before it")
                } else {
                    found[position] = argument.value
                }
                position += 1
            }
        }
        if fits, labels.indices.contains(where: { required[$0] && found[$0] == nil }) {
            fits = false
            let names = labels.indices.filter { required[$0] && found[$0] == nil }.map { labels[$0][0] }
            report(
                .missingArgument,
                "`\(call.name.text)` needs \(names.map { "`\($0)`" }.joined(separator: " and "))",
                at: call.range,
                hint: "add \(names.map { "`\($0): …`" }.joined(separator: ", "))")
        }
        if !fits { for argument in call.arguments { _ = evaluate(argument.value) } }
        return fits ? found : nil
    }

    private static func list(_ words: String, _ names: [String]) -> String? {
        names.isEmpty ? nil : "\(words) " + names.map { "`\($0)`" }.joined(separator: ", ")
    }

    // MARK: Where calls stand

    /// A call whose result is used.
    mutating func value(of call: Call) -> Term {
        if let number = sourceNumbers[call.name.text] { return callOwn(number, call) }
        guard let function = LanguageFunction.byName[call.name.text] else {
            reportUnknownFunction(call.name, isSection: false)
            for argument in call.arguments { _ = evaluate(argument.value) }
            return .poisoned
        }
        guard let terms = arguments(of: call, function) else { return .poisoned }
        switch function {
        case .log, .logEvent, .record, .performAction, .performMeteredAction, .mintTokens, .require, .fail:
            report(
                .notAValue, "`\(call.name.text)` gives no value", at: call.range,
                hint: "let it stand as a statement of its own")
            return .poisoned
        case .submitJob: return submission(terms, call, isCertain: false)
        case .anchorData: return anchoring(terms, call)
        case .check: return authorization(terms, call)
        case .min, .max, .round, .floor, .ceil, .length, .text: return calculation(function, terms, call)
        }
    }

    /// A call as a statement.
    mutating func run(_ call: Call, into body: inout [Instruction]) {
        if let number = sourceNumbers[call.name.text] {
            let term = callOwn(number, call)
            guard case .value(let value) = term.kind else { return }
            if value.type != nil { reportIgnored(call) }
            body.append(Instruction(.evaluate(value), at: call.range.start))
            return
        }
        guard let function = LanguageFunction.byName[call.name.text] else {
            reportUnknownFunction(call.name, isSection: false)
            for argument in call.arguments { _ = evaluate(argument.value) }
            return
        }
        guard let terms = arguments(of: call, function) else { return }
        let position = call.range.start
        switch function {
        case .submitJob:
            let term = submission(terms, call, isCertain: true)
            body.append(
                Instruction(.require(term.value, message: .text("the job was refused")), at: position))
        case .anchorData:
            let term = anchoring(terms, call)
            body.append(
                Instruction(.require(term.value, message: .text("the data was not anchored")), at: position))
        case .log: body.append(.log(terms[0].value, at: position))
        case .logEvent:
            let separator =
                terms[1].constant == .string("") ? Term.constant(.string("")) : .constant(.string(": "))
            let text = joined(joined(terms[0], separator, at: call.range), terms[1], at: call.range)
            body.append(.log(text.value, at: position))
        case .record:
            use(terms[0], terms[1], at: call.range)
            body.append(.record(terms[0].value, terms[1].value, at: position))
        case .performAction: runAction(terms[0], terms[2], terms[1], call, into: &body)
        case .performMeteredAction: runAction(terms[0], terms[1], terms[2], call, into: &body)
        case .mintTokens: runMinting(terms, call, into: &body)
        case .require: runRequirement(terms, call, into: &body)
        case .fail:
            body.append(
                Instruction(
                    .require(Value(.constant(.boolean(false)), .boolean), message: terms[0].message),
                    at: position))
            frame.flow.append(.unreachable, limits: resources)
        case .check:
            body.append(Instruction(.evaluate(authorization(terms, call).value), at: position))
            reportIgnored(call)
        case .min, .max, .round, .floor, .ceil, .length, .text:
            let term = calculation(function, terms, call)
            if !term.isPoisoned { reportIgnored(call) }
            if term.constant == nil { body.append(Instruction(.evaluate(term.value), at: position)) }
        }
    }

    private mutating func reportIgnored(_ call: Call) {
        report(
            .ignoredResult, "What `\(call.name.text)` answers is not used", at: call.range,
            hint: "write `let answer = \(call.name.text)(…);`, or `require(…)` what has to be true")
    }

    mutating func reportUnknownFunction(_ name: Name, isSection: Bool) {
        guard listens(to: .error) else { return }
        if LanguageFunction.notProvided.contains(name.text) {
            report(
                .notProvided, "No host of this mesh gives contracts `\(name.text)`", at: name.range,
                hint: name.text == "timestamp"
                    ? "a run knows no time, so that it can be repeated"
                    : "contracts may log, anchor, check and record resources, and submit jobs")
            return
        }
        if name.text == "range" {
            report(
                .notAValue, "`range` stands behind `for … in` only", at: name.range,
                hint: "write `for i in range(0, 10) { … }`")
            return
        }
        let own = sources.count > Self.candidateCountMax ? [] : sources.map(\.declaration.name.text)
        report(
            .unknownFunction,
            isSection
                ? "`\(name.text) { … }` is declared where something runs, and no function is called that"
                : "There is no function `\(name.text)`",
            at: name.range,
            hint: suggestion(name.text, among: LanguageFunction.names + own)
                ?? (isSection
                    ? "move it to the top level" : "define it with `function \(name.text)(…) { … }`"))
    }

    // MARK: Arguments of the language's functions

    private mutating func arguments(of call: Call, _ function: LanguageFunction) -> [Term]? {
        let signature = function.signature
        guard let found = matched(call, to: signature.labels, required: signature.required) else {
            return nil
        }
        var terms: [Term] = []
        terms.reserveCapacity(found.count)
        for (parameter, expression) in zip(signature.parameters, found) {
            guard let expression else {
                terms.append(.constant(parameter.initial ?? .string("")))
                continue
            }
            terms.append(argument(expression, parameter, call))
        }
        return terms.contains(where: \.isPoisoned) ? nil : terms
    }

    private mutating func argument(
        _ expression: Expression, _ parameter: LanguageFunction.Parameter, _ call: Call
    ) -> Term {
        let given = evaluate(expression)
        switch parameter.kind {
        case .any:
            if case .value(let value) = given.kind, value.type == nil {
                reportNothing(expression)
                return .poisoned
            }
            return given
        case .boolean: return fitted(given, to: .boolean, at: expression.range, as: parameter.quotedName)
        case .amount:
            let term = fitted(given, to: .integer, at: expression.range, as: parameter.quotedName)
            if case .integer(let number)? = term.constant, !(0...LanguageFunction.amountMax).contains(number)
            {
                report(
                    .invalidArgument, "An amount lies from 0 to \(LanguageFunction.amountMax.grouped)",
                    at: expression.range)
                return .poisoned
            }
            return term
        case .string, .cid, .resource, .priority:
            let term = fitted(given, to: .string, at: expression.range, as: parameter.quotedName)
            guard case .string(let text)? = term.constant else { return term }
            if let (fault, hint) = Self.fault(in: text, as: parameter.kind) {
                report(.invalidArgument, fault, at: expression.range, hint: hint)
                return .poisoned
            }
            if parameter.kind == .cid, moduleSet.insert(text).inserted { modules.append(text) }
            return term
        }
    }

    private static func fault(
        in text: String, as kind: LanguageFunction.Parameter.Kind
    ) -> (String, String?)? {
        switch kind {
        case .cid: return LanguageFunction.fault(inCID: text).map { ($0.0, $0.1) }
        case .priority: return LanguageFunction.fault(inPriority: text).map { ($0.0, $0.1) }
        case .resource:
            let isFit = (1...RunEffectLimits.resourceByteCountMax).contains(text.utf8.count)
            return isFit
                ? nil
                : (
                    "The name of a resource has from 1 to \(RunEffectLimits.resourceByteCountMax) bytes",
                    "write one of those that `resources` declares, such as \"compute\""
                )
        case .string, .amount, .boolean, .any: return nil
        }
    }
}
