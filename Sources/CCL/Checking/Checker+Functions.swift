internal import MeshCore

extension Checker {
    /// Finds the functions, and what `let` binds at the top level.
    mutating func collectFunctions() {
        for statement in tree.statements {
            switch statement.kind {
            case .binding(let name, _, _): topBindings.insert(name.text)
            case .function(let function): collect(function)
            default: continue
            }
        }
        index.functionNames = Set(sourceNumbers.keys)
    }

    private mutating func collect(_ function: FunctionDeclaration) {
        let name = function.name
        if LanguageFunction.isBlockCall(name.text) {
            report(
                .duplicateName, "`\(name.text)` is a function of the language", at: name.range,
                hint: "choose another name")
        } else if sourceNumbers[name.text] != nil {
            report(
                .duplicateName, "A function `\(name.text)` stands above already", at: name.range,
                hint: "choose another name")
        } else {
            sourceNumbers[name.text] = sources.count
            sources.append(FunctionSource(declaration: function))
        }
    }

    // MARK: Calls

    /// A call of one of the contract's functions, which is checked now if this is the first.
    mutating func callOwn(_ number: Int, _ call: Call) -> Term {
        let parameters = sources[number].declaration.parameters
        guard
            let found = matched(
                call, to: parameters.map { [$0.name.text] },
                required: Array(repeating: true, count: parameters.count))
        else {
            prepare(number, for: parameters.map { _ in .poisoned }, call)
            return .poisoned
        }
        var terms: [Term] = []
        for (parameter, expression) in zip(parameters, found) {
            guard let expression else { continue }
            terms.append(argument(expression, of: parameter))
        }
        prepare(number, for: terms, call)
        guard case .done(let function?) = sources[number].state else { return .poisoned }
        for (index, expression) in found.enumerated() {
            guard let expression, let type = sources[number].parameterTypes[index] else { continue }
            terms[index] = fitted(
                terms[index], to: type, at: expression.range, as: "`\(parameters[index].name.text)`")
        }
        frame.flow.falls?.append(sources[number].use, limits: resources, site: call.range)
        guard !terms.contains(where: \.isPoisoned) else { return .poisoned }
        let kind = Value.Kind.call(function: function, terms.map(\.value))
        switch sources[number].result {
        case .nothing: return .value(kind, nil)
        case .value(let type): return .value(kind, type)
        case .open, .poisoned: return .poisoned
        }
    }

    private mutating func argument(_ expression: Expression, of parameter: FunctionDeclaration.Parameter)
        -> Term
    {
        let term = evaluate(expression)
        switch term.kind {
        case .list, .object:
            report(
                .typeMismatch, "\(term.typeName.capitalizedFirst) is not passed to functions",
                at: expression.range,
                hint: "go through it where it is declared, and pass its values")
            return .poisoned
        case .value(let value) where value.type == nil:
            reportNothing(expression)
            return .poisoned
        default: return term
        }
    }

    private mutating func prepare(_ number: Int, for terms: [Term], _ call: Call) {
        switch sources[number].state {
        case .done: return
        case .checking:
            let start = callPath.firstIndex(of: number) ?? 0
            let names = (callPath[start...] + [number]).prefix(12).map {
                "`\(sources[$0].declaration.name.text)`"
            }
            let cycle = names.joined(separator: " → ") + (callPath.count - start >= 12 ? " → …" : "")
            report(
                .recursion, "This function calls itself: \(cycle)", at: call.name.range,
                hint: "every contract has to end: repeat with `for`")
        case .waiting:
            guard enter(call.name.range, by: Self.callDepth) else {
                sources[number].state = .done(nil)
                return
            }
            check(number, arguments: terms)
            depth -= Self.callDepth
        }
    }

    // MARK: Bodies

    /// Checks the body of a function; what its parameters do not say, the arguments of its first call do.
    private mutating func check(_ number: Int, arguments: [Term]?) {
        let declaration = sources[number].declaration
        sources[number].state = .checking
        callPath.append(number)
        var inner = Frame(kind: .function(number))
        inner.result = .open
        inner.assigned = Self.assignedNames(declaration.body.statements)
        swap(&frame, &inner)
        openScope()
        for (index, parameter) in declaration.parameters.enumerated() {
            let type = parameter.type.map { valueType($0) } ?? arguments.flatMap { $0[index].type }
            sources[number].parameterTypes.append(type)
            if let type {
                frame.locals.append(Function.Local(name: parameter.name.text, type: type))
                bind(parameter.name, .local(frame.locals.count - 1, type), as: .parameter)
            } else {
                bind(parameter.name, .poisoned, as: .parameter)
            }
        }
        if let result = declaration.result {
            frame.result = valueType(result).map { .value($0) } ?? .poisoned
        }
        var body: [Instruction] = []
        run(declaration.body.statements, into: &body)
        closeScope()
        if case .open = frame.result { frame.result = .nothing }
        var result: ValueType?
        if case .value(let type) = frame.result {
            result = type
            if frame.flow.falls != nil { reportMissingReturn(declaration, type) }
        }
        swap(&frame, &inner)
        callPath.removeLast()
        functions.append(
            Function(
                name: declaration.name.text, locals: inner.locals,
                parameterCount: declaration.parameters.count,
                result: result, body: body, position: declaration.name.range.start))
        sources[number].result = inner.result
        sources[number].use = inner.flow.whole
        sources[number].state = .done(functions.count - 1)
    }

    private mutating func reportMissingReturn(_ declaration: FunctionDeclaration, _ type: ValueType) {
        report(
            .missingReturn,
            "`\(declaration.name.text)` returns \(type.withArticle), and its end is reached without one",
            at: declaration.name.range, hint: "end it with `return …;` on every way")
    }

    mutating func checkMain() -> Int {
        frame = Frame(kind: .main)
        openScope()
        var body: [Instruction] = []
        var isDead = false
        var runs: [Statement] = []
        for statement in tree.statements where statement.runs(topBindings) {
            if case .section(_, _, let block) = statement.kind {
                runs += block.statements
            } else {
                runs.append(statement)
            }
        }
        frame.assigned = Self.assignedNames(runs)
        for statement in tree.statements where statement.runs(topBindings) {
            if !isDead, frame.flow.falls == nil {
                isDead = true
                report(
                    .unreachableCode, "This is never reached", at: statement.range,
                    hint: "what stands before it always ends; remove one of the two")
            }
            var part: [Instruction] = []
            if case .section(_, _, let block) = statement.kind {
                part = run(block)
            } else {
                run(statement, into: &part)
            }
            if !isDead { body += part }
        }
        closeScope()
        if body.isEmpty, handlerSources.isEmpty, !hasErrors {
            let range = tree.statements.first?.range ?? SourceRange(tree.end, tree.end)
            report(
                .nothingToRun, "This contract declares things and runs nothing", at: range,
                hint: "what is to run stands in `execution { … }`")
        }
        finish("main", body, at: .start)
        let whole = frame.flow.whole
        judge(whole)
        summarize(whole)
        return functions.count - 1
    }

    mutating func checkHandler(_ event: Name, _ block: Block) -> Int {
        frame = Frame(kind: .handler)
        frame.assigned = Self.assignedNames(block.statements)
        let body = run(block)
        finish("on:\(event.text)", body, at: event.range.start)
        let whole = frame.flow.whole
        judge(whole)
        spending.events.append(Spending.Event(event: event.text, uses: uses(in: whole)))
        return functions.count - 1
    }

    private mutating func finish(_ name: String, _ body: [Instruction], at position: SourcePosition) {
        functions.append(
            Function(
                name: name, locals: frame.locals, parameterCount: 0, result: nil, body: body,
                position: position))
    }

    /// Functions that nothing calls are checked all the same.
    mutating func checkUncalledFunctions() {
        let uncalled = sources.indices.filter { if case .waiting = sources[$0].state { true } else { false } }
        for number in uncalled {
            guard case .waiting = sources[number].state else { continue }
            let name = sources[number].declaration.name
            frame = Frame(kind: .main)
            check(number, arguments: nil)
            report(
                .uncalledFunction, "Nothing calls `\(name.text)`", at: name.range,
                hint: "call it, or remove it: it is left out of the module")
        }
    }

    /// The names that are assigned anywhere in statements that run together.
    private static func assignedNames(_ statements: [Statement]) -> Set<String> {
        var names: Set<String> = []
        func visit(_ statements: [Statement]) {
            for statement in statements {
                switch statement.kind {
                case .property(let name, .equals, _): names.insert(name.text)
                case .conditional(let conditional):
                    visit(conditional.then.statements)
                    if let otherwise = conditional.otherwise { visit(otherwise.statements) }
                case .loop(_, _, let block): visit(block.statements)
                default: continue
                }
            }
        }
        visit(statements)
        return names
    }
}

extension Statement {
    /// At the top level: whether it is part of `run`.
    fileprivate func runs(_ bindings: Set<String>) -> Bool {
        switch kind {
        case .call, .binding, .conditional, .loop, .result: true
        case .property(let name, let separator, _): separator == .equals && bindings.contains(name.text)
        case .section(let name, _, _): name.text == Checker.executionName
        case .flag, .function, .handler: false
        }
    }
}
