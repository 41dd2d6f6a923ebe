internal import MeshCore

extension Checker {
    mutating func runLoop(
        _ name: Name, over sequence: Expression, _ block: Block, at range: SourceRange,
        into body: inout [Instruction]
    ) {
        var sequence = sequence
        while case .parenthesized(let inner) = sequence.kind { sequence = inner }
        if case .call(let call) = sequence.kind, call.name.text == "range", sourceNumbers["range"] == nil {
            runRange(name, call, block, at: range, into: &body)
            return
        }
        let term = evaluate(sequence)
        guard case .list(let items) = term.kind else {
            if !term.isPoisoned {
                report(
                    .typeMismatch, "`for` goes through a list or a range, and this is \(term.typeName)",
                    at: sequence.range,
                    hint: term.type == .integer ? "write `range(0, \(sequence.shortText))`" : nil)
            }
            _ = loopBody(name, .poisoned, block)
            return
        }
        guard Int64(items.count) <= Limits.loopCountMax else {
            reportTooLong(Int64(items.count), sequence.range)
            return
        }
        guard !items.isEmpty else {
            reportEmpty(sequence.range)
            _ = loopBody(name, .poisoned, block)
            return
        }
        guard unfold(items.count * 16, at: sequence.range), let (type, values) = elements(items, sequence)
        else {
            _ = loopBody(name, .poisoned, block)
            return
        }
        let local = addLocal(name.text, type, at: name.range)
        let (inner, flow) = loopBody(name, .local(local, type), block)
        repeatFlow(flow, atLeast: Int64(items.count), atMost: Int64(items.count))
        body.append(Instruction(.each(local: local, values, body: inner), at: range.start))
    }

    /// The values of a list that all have one type.
    private mutating func elements(_ items: [Term], _ sequence: Expression) -> (ValueType, [Value])? {
        if items.contains(where: \.isPoisoned) { return nil }
        let isMixed =
            items.contains { $0.type == .decimal }
            && items.allSatisfy { $0.type == .decimal || $0.type == .integer }
        let fitting = isMixed ? items.map { $0.type == .integer ? decimal($0) : $0 } : items
        guard let type = fitting[0].type, let odd = fitting.firstIndex(where: { $0.type != type }) else {
            if let type = fitting[0].type { return (type, fitting.map(\.value)) }
            report(
                .typeMismatch, "`for` goes through values, and this list holds \(fitting[0].typeName)",
                at: sequence.range)
            return nil
        }
        var place = sequence.range
        if case .list(let expressions) = sequence.kind { place = expressions[odd].range }
        report(
            .typeMismatch, "The list begins with \(type.withArticle), and this is \(fitting[odd].typeName)",
            at: place,
            hint: "let everything in the list have one type")
        return nil
    }

    private mutating func runRange(
        _ name: Name, _ call: Call, _ block: Block, at range: SourceRange, into body: inout [Instruction]
    ) {
        guard
            let arguments = matched(
                call, to: [["from"], ["to"]], required: [call.arguments.count != 1, false])
        else {
            _ = loopBody(name, .poisoned, block)
            return
        }
        // One bound alone is where it ends.
        var (first, last) = (arguments[0], arguments[1])
        if last == nil, call.arguments.count == 1 { (first, last) = (nil, first) }
        guard let last else {
            report(
                .missingArgument, "`range` needs where it ends", at: call.range, hint: "write `range(0, 10)`")
            _ = loopBody(name, .poisoned, block)
            return
        }
        let from =
            first.map { fitted(evaluate($0), to: .integer, at: $0.range, as: "where a range begins") }
            ?? .constant(.integer(0))
        let to = fitted(evaluate(last), to: .integer, at: last.range, as: "where a range ends")
        guard !from.isPoisoned, !to.isPoisoned else {
            _ = loopBody(name, .poisoned, block)
            return
        }
        if case .integer(let start)? = from.constant, case .integer(let end)? = to.constant {
            let (count, overflow) = end.subtractingReportingOverflow(start)
            if end <= start {
                reportEmpty(call.range)
                _ = loopBody(name, .poisoned, block)
                return
            }
            if overflow || count > Limits.loopCountMax {
                reportTooLong(overflow ? .max : count, call.range)
                _ = loopBody(name, .poisoned, block)
                return
            }
            let local = addLocal(name.text, .integer, at: name.range)
            let (inner, flow) = loopBody(name, .local(local, .integer), block)
            repeatFlow(flow, atLeast: count, atMost: count)
            body.append(
                Instruction(
                    .count(local: local, from: from.value, to: to.value, body: inner), at: range.start))
            return
        }
        var temporaries: [Int] = []
        let start = kept(from.value, at: call.range, in: &body, temporaries: &temporaries)
        let end = kept(to.value, at: call.range, in: &body, temporaries: &temporaries)
        body.append(
            Instruction(
                .require(
                    Self.isShort(from: start, to: end),
                    message: .text("more than \(Limits.loopCountMax.grouped) rounds")), at: range.start))
        let local = addLocal(name.text, .integer, at: name.range)
        let (inner, flow) = loopBody(name, .local(local, .integer), block)
        repeatFlow(flow, atLeast: 0, atMost: nil)
        body.append(Instruction(.count(local: local, from: start, to: end, body: inner), at: range.start))
        release(temporaries)
    }

    /// Whether a range is no longer than loops may be; the subtraction fails only where the range is longer than that.
    private static func isShort(from start: Value, to end: Value) -> Value {
        func integer(_ number: Int64) -> Value { Value(.constant(.integer(number)), .integer) }
        let most = Limits.loopCountMax
        if case .integer(let number)? = start.constant, (0...LanguageFunction.amountMax).contains(number) {
            return Value(.comparison(.lessOrEqual, end, integer(number + most)), .boolean)
        }
        if case .integer(let number)? = end.constant, (0...LanguageFunction.amountMax).contains(number) {
            return Value(.comparison(.greaterOrEqual, start, integer(number - most)), .boolean)
        }
        let isEmpty = Value(.comparison(.lessOrEqual, end, start), .boolean)
        let count = Value(.arithmetic(.subtract, end, start), .integer)
        return Value(.or(isEmpty, Value(.comparison(.lessOrEqual, count, integer(most)), .boolean)), .boolean)
    }

    private mutating func loopBody(
        _ name: Name, _ kind: Binding.Kind, _ block: Block
    ) -> (body: [Instruction], flow: Flow) {
        let before = frame.flow
        frame.flow = Flow()
        openScope()
        bind(name, kind, as: .loop)
        let body = run(block)
        closeScope()
        let flow = frame.flow
        frame.flow = before
        return (body, flow)
    }

    /// Adds what a loop uses; `atMost` is `nil` where only the run knows how often it goes round.
    private mutating func repeatFlow(_ round: Flow, atLeast: Int64, atMost: Int64?) {
        var flow = Flow()
        flow.falls = atLeast > 0 ? nil : UseSummary()
        if let falls = round.falls { flow.falls = falls.repeated(atLeast: atLeast, atMost: atMost) }
        if let returned = round.returned {
            // It returns in the first round at the earliest, and in the last at the latest.
            var whole = round.falls?.repeated(atLeast: 0, atMost: atMost.map { $0 - 1 }) ?? UseSummary()
            whole.append(returned, limits: resources)
            flow.returned = whole
        }
        frame.flow.append(flow, limits: resources)
    }

    private mutating func reportEmpty(_ range: SourceRange) {
        report(.emptyLoop, "This loop never runs", at: range, hint: "a range ends before its second number")
    }

    private mutating func reportTooLong(_ count: Int64, _ range: SourceRange) {
        report(
            .loopTooLong,
            "This loop goes round \(count.grouped) times; at most \(Limits.loopCountMax.grouped) are allowed",
            at: range, hint: "let several runs share the work")
    }
}
