internal import MeshCore

extension Checker {
    /// What `{ … }` does, in a scope of its own.
    mutating func run(_ block: Block) -> [Instruction] {
        guard enter(block.range) else { return [] }
        defer { depth -= 1 }
        openScope()
        defer { closeScope() }
        var body: [Instruction] = []
        run(block.statements, into: &body)
        return body
    }

    mutating func run(_ statements: [Statement], into body: inout [Instruction]) {
        var isDead = false
        for statement in statements {
            if !isDead, frame.flow.falls == nil {
                isDead = true
                report(
                    .unreachableCode, "This is never reached", at: statement.range,
                    hint: "what stands before it always ends; remove one of the two")
            }
            if isDead {
                var dropped: [Instruction] = []
                run(statement, into: &dropped)
            } else {
                run(statement, into: &body)
            }
        }
    }

    mutating func run(_ statement: Statement, into body: inout [Instruction]) {
        switch statement.kind {
        case .call(let call): run(call, into: &body)
        case .binding(let name, let type, let value): bindValue(name, type, value, into: &body)
        case .conditional(let conditional): run(conditional, at: statement.range, into: &body)
        case .loop(let name, let sequence, let block):
            runLoop(name, over: sequence, block, at: statement.range, into: &body)
        case .result(let value): runResult(value, at: statement.range, into: &body)
        case .property(let name, .equals, let value): assign(name, value, at: statement.range, into: &body)
        case .property(let name, _, let value): misplacedProperty(name, value)
        case .section(let name, let arguments, let block):
            if LanguageFunction.isBlockCall(name.text) || sourceNumbers[name.text] != nil {
                if let call = blockCall(name, arguments, block, at: statement.range) {
                    run(call, into: &body)
                }
            } else {
                reportUnknownFunction(name, isSection: true)
            }
        case .flag(let name): misplacedFlag(name)
        case .function(let function):
            report(
                .misplacedStatement, "A function stands where something runs", at: function.name.range,
                hint: "move `function \(function.name.text)` to the top level")
        case .handler(let event, _):
            report(
                .misplacedStatement, "A handler stands where something runs", at: event.range,
                hint: "move `on \"\(event.text)\"` to the top level")
        }
    }

    private mutating func misplacedProperty(_ name: Name, _ value: Expression) {
        let hint =
            frame.names[name.text] != nil
            ? "write `\(name.text) = …;` to change it"
            : callable(name) ? "write `\(name.text)(…);` to call it" : "write `let \(name.text) = …;`"
        report(
            .misplacedStatement, "A property stands where something runs",
            at: name.range.through(value.range),
            hint: hint)
    }

    private mutating func misplacedFlag(_ name: Name) {
        report(
            .misplacedStatement, "A lone word does nothing where something runs", at: name.range,
            hint: callable(name) ? "write `\(name.text)();` to call it" : nil)
    }

    private func callable(_ name: Name) -> Bool {
        sourceNumbers[name.text] != nil || LanguageFunction.byName[name.text] != nil
    }

    // MARK: Names

    private mutating func bindValue(
        _ name: Name, _ type: Name?, _ expression: Expression, into body: inout [Instruction]
    ) {
        var term = evaluate(expression)
        if let type {
            term =
                valueType(type).map { fitted(term, to: $0, at: expression.range, as: "`\(name.text)`") }
                ?? .poisoned
        }
        switch term.kind {
        case .poisoned: bind(name, .poisoned, as: .binding)
        case .list, .object:
            if !term.isConstant {
                reportVariableList(expression.range)
                bind(name, .poisoned, as: .binding)
            } else {
                bind(name, .constant(term), as: .binding)
            }
        case .constant where !frame.assigned.contains(name.text): bind(name, .constant(term), as: .binding)
        case .constant, .value:
            guard let type = term.type else {
                reportNothing(expression)
                bind(name, .poisoned, as: .binding)
                return
            }
            let local = addLocal(name.text, type, at: name.range)
            body.append(Instruction(.set(local: local, term.value), at: name.range.start))
            bind(name, .local(local, type), as: .binding)
        }
    }

    mutating func reportVariableList(_ range: SourceRange) {
        report(
            .notAConstant, "A list or an object is made of constants", at: range,
            hint: "only `for x in [ … ]` takes values that the run computes")
    }

    mutating func reportNothing(_ expression: Expression) {
        report(.notAValue, "`\(expression.shortText)` gives no value", at: expression.range)
    }

    private mutating func assign(
        _ name: Name, _ expression: Expression, at range: SourceRange, into body: inout [Instruction]
    ) {
        let term = evaluate(expression)
        guard let number = frame.names[name.text] else {
            if index.hasRoot(name.text) {
                report(
                    .assignmentToConstant, "`\(name.text)` is declared, and a declaration does not change",
                    at: name.range, hint: "bind another name with `let`")
            } else if callable(name) {
                report(
                    .assignmentToConstant, "`\(name.text)` is a function", at: name.range,
                    hint: "bind another name with `let`")
            } else {
                reportUnknown(name)
            }
            return
        }
        let binding = frame.bindings[number]
        switch (binding.role, binding.kind) {
        case (_, .poisoned): return
        case (.binding, .local(let local, let type)):
            let value = fitted(term, to: type, at: expression.range, as: "`\(name.text)`")
            body.append(Instruction(.set(local: local, value.value), at: name.range.start))
        case (.binding, .constant):
            report(
                .assignmentToConstant, "`\(name.text)` is a list or an object, and these are constants",
                at: name.range, hint: "bind another name with `let`")
        case (.parameter, _), (.loop, _):
            report(
                .assignmentToConstant,
                "`\(name.text)` is \(binding.role == .loop ? "what the loop counts" : "a parameter"), and does not change",
                at: name.range, hint: "bind a name of your own: `let \(name.text)_now = \(name.text);`")
        }
    }

    /// The type that a word names; `nil`, with an error, where there is none.
    mutating func valueType(_ name: Name) -> ValueType? {
        if let found = ValueType.names.first(where: { $0.name == name.text }) { return found.type }
        report(
            .unknownName, "There is no type `\(name.text)`", at: name.range,
            hint: suggestion(name.text, among: ValueType.names.map(\.name))
                ?? "the types are string, integer, decimal, boolean and duration")
        return nil
    }

    /// The term as a value of the type, poisoned with an error where it is none.
    mutating func fitted(_ term: Term, to type: ValueType, at range: SourceRange, as what: String) -> Term {
        if term.isPoisoned || term.type == type { return term }
        if term.type == .integer, type == .decimal { return decimal(term) }
        let hint: String? =
            switch (term.type, type) {
            case (.integer?, .string), (.boolean?, .string), (.duration?, .string):
                "`text(…)` makes text of it"
            case (.decimal?, .integer): "`round(…)`, `floor(…)` or `ceil(…)` makes an integer of it"
            case (.integer?, .duration): "write a unit behind it, such as `30s`"
            default: nil
            }
        report(
            .typeMismatch, "\(what.capitalizedFirst) is \(type.withArticle), and this is \(term.typeName)",
            at: range,
            hint: hint)
        return .poisoned
    }

    // MARK: Ways

    private mutating func run(
        _ conditional: Conditional, at range: SourceRange, into body: inout [Instruction]
    ) {
        let term = condition(conditional.condition)
        let before = frame.flow
        frame.flow = Flow()
        let then = run(conditional.then)
        var thenFlow = frame.flow
        thenFlow.cover(guarded(by: term.value))
        frame.flow = Flow()
        let otherwise = conditional.otherwise.map { run($0) } ?? []
        let otherwiseFlow = frame.flow
        frame.flow = before
        guard case .boolean(let holds)? = term.constant else {
            frame.flow.append(thenFlow.merged(with: otherwiseFlow), limits: resources)
            body.append(
                Instruction(.conditional(term.value, then: then, otherwise: otherwise), at: range.start))
            return
        }
        var flow = holds ? thenFlow : otherwiseFlow
        if term.isDeclared {
            // Whoever edits the property may want the other way: what follows is reached all the same.
            flow.falls = flow.falls ?? (holds ? otherwiseFlow : thenFlow).falls
            frame.flow.append(flow, limits: resources)
            body.append(
                Instruction(.conditional(term.value, then: then, otherwise: otherwise), at: range.start))
            return
        }
        frame.flow.append(flow, limits: resources)
        report(
            .constantCondition, "This condition is always \(holds)", at: conditional.condition.range,
            hint: "remove the `if`, or decide by a declared property")
        body += holds ? then : otherwise
    }

    /// The resources of which a condition that holds has asked whether they may be used.
    private mutating func guarded(by condition: Value) -> [Int] {
        switch condition.kind {
        case .host(.checkResourceAuthorization, let arguments):
            guard case .constant(.string(let name))? = arguments.first?.kind else { return [] }
            return [resources.number(of: name)]
        case .and(let left, let right): return guarded(by: left) + guarded(by: right)
        default: return []
        }
    }

    private mutating func runResult(
        _ expression: Expression?, at range: SourceRange, into body: inout [Instruction]
    ) {
        let term = expression.map { evaluate($0) }
        var result: Value?
        switch frame.kind {
        case .main:
            report(
                .misplacedReturn, "`return` stands outside of a function", at: range,
                hint: "put what follows into the `else` of an `if`, or end the run with `fail(…)`")
            return
        case .handler:
            if let expression {
                report(
                    .misplacedReturn, "A handler gives no value", at: expression.range,
                    hint: "write `return;`")
            }
        case .function:
            result = resultValue(term, expression, at: range)
        }
        body.append(Instruction(.result(result), at: range.start))
        guard let falls = frame.flow.falls else { return }
        frame.flow.returned = Flow.either(frame.flow.returned, falls)
        frame.flow.falls = nil
    }

    private mutating func resultValue(_ term: Term?, _ expression: Expression?, at range: SourceRange)
        -> Value?
    {
        if let term, let expression, !term.isPoisoned, term.type == nil {
            if case .value = term.kind {
                reportNothing(expression)
            } else {
                report(.typeMismatch, "A function does not return \(term.typeName)", at: expression.range)
            }
            frame.result = .poisoned
            return nil
        }
        switch (frame.result, term, expression) {
        case (.poisoned, _, _): return nil
        case (.open, nil, _):
            frame.result = .nothing
            return nil
        case (.open, let term?, _):
            guard let type = term.type else {
                frame.result = .poisoned
                return nil
            }
            frame.result = .value(type)
            return term.value
        case (.nothing, let term?, let expression?):
            if !term.isPoisoned {
                report(
                    .typeMismatch, "An earlier `return` gives no value, and this one gives \(term.typeName)",
                    at: expression.range, hint: "let every `return` give a value of one type")
            }
            return nil
        case (.value(let type), nil, _):
            report(
                .missingReturn, "This `return` gives no value; the function returns \(type.withArticle)",
                at: range,
                hint: "write `return …;`")
            return nil
        case (.value(let type), let term?, let expression?):
            return fitted(term, to: type, at: expression.range, as: "what the function returns").value
        default: return nil
        }
    }
}
