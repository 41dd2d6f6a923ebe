internal import MeshCore

/// Writes a program's effects in plain words.
struct Explainer {
    let program: Program
    private(set) var text = ""
    /// What conditions and loops were written with, by where their statements start.
    private var expressions: [Int: Expression] = [:]
    /// What the locals without a name hold, in the function at hand.
    private var unnamed: [Int: String] = [:]
    private var locals: [Function.Local] = []
    private var indentation = 0

    init(_ program: Program) {
        self.program = program
        if let tree = program.tree { collect(tree.statements) }
    }

    private mutating func collect(_ statements: [Statement]) {
        for statement in statements {
            switch statement.kind {
            case .conditional(let conditional):
                expressions[statement.range.start.offset] = conditional.condition
                collect(conditional.then.statements)
                if let otherwise = conditional.otherwise { collect(otherwise.statements) }
            case .loop(_, let sequence, let block):
                expressions[statement.range.start.offset] = sequence
                collect(block.statements)
            case .section(_, _, let block), .handler(_, let block): collect(block.statements)
            case .function(let function): collect(function.body.statements)
            case .flag, .property, .call, .binding, .result: continue
            }
        }
    }

    mutating func line(_ words: String) {
        for _ in 0..<indentation { text += "  " }
        text += words
        text += "\n"
    }

    mutating func indented(_ write: (inout Self) -> Void) {
        indentation += 1
        write(&self)
        indentation -= 1
    }

    // MARK: Functions

    mutating func explain(_ spending: Spending) {
        let entrances = Set([program.main] + program.handlers.map(\.function))
        if program.functions[program.main].body.isEmpty {
            line(program.handlers.isEmpty ? "Runs nothing." : "Runs nothing but on events.")
        } else {
            explain(program.functions[program.main], under: "When it runs:")
        }
        for handler in program.handlers {
            explain(program.functions[handler.function], under: "On \(quoted(handler.event)):")
        }
        for (index, function) in program.functions.enumerated() where !entrances.contains(index) {
            let parameters = function.locals.prefix(function.parameterCount)
                .map { "\($0.name): \($0.type.rawValue)" }.joined(separator: ", ")
            let result = function.result.map { " gives \($0.withArticle)" } ?? ""
            explain(function, under: "Function \(function.name)(\(parameters))\(result):")
        }
        explainUse(spending)
        explainRequirements()
        explainDeclarations()
    }

    private mutating func explain(_ function: Function, under heading: String) {
        (locals, unnamed) = (function.locals, [:])
        line(heading)
        indented {
            $0.explain(function.body)
        }
    }

    // MARK: Steps

    private mutating func explain(_ body: [Instruction]) {
        if body.isEmpty { line("Does nothing.") }
        var index = 0
        while index < body.count {
            index += explainTogether(body[index...])
        }
    }

    /// Explains what stands first, with what belongs to the same call, and says how many steps that was.
    private mutating func explainTogether(_ body: ArraySlice<Instruction>) -> Int {
        let same = body.prefix(4).prefix { $0.position == body[body.startIndex].position }.map(\.kind)
        if same.count >= 3, case .require(let check, _) = same[0],
            case .host(.checkResourceAuthorization, let asked) = check.kind
        {
            let needed = "\(words(asked[1])) \(name(asked[0]))"
            if case .evaluate(let log) = same[1], case .host(.logMessage, let logged) = log.kind,
                case .evaluate(let record) = same[2],
                case .host(.recordResourceUsage, let recorded) = record.kind
            {
                line(
                    "If it may use \(needed), else it fails: logs \(words(logged[0])), records \(words(recorded[1])) \(name(recorded[0]))."
                )
                return 3
            }
            if same.count == 4, case .require(let anchor, _) = same[1],
                case .host(.anchorToDAG, let anchored) = anchor.kind, case .evaluate(let record) = same[2],
                case .host(.recordResourceUsage, let recorded) = record.kind,
                case .evaluate(let log) = same[3],
                case .host(.logMessage, let logged) = log.kind
            {
                line(
                    "Mints if it may use \(needed), else it fails: anchors \(words(anchored[0])), records \(words(recorded[1])) \(name(recorded[0])), logs \(words(logged[0]))."
                )
                return 4
            }
        }
        if let first = body.first { explain(first) }
        return 1
    }

    private mutating func explain(_ instruction: Instruction) {
        switch instruction.kind {
        case .evaluate(let value): line(effect(value) + ".")
        case .set(let local, let value):
            if locals[local].name.isEmpty {
                unnamed[local] = words(value)
            } else {
                line("Sets \(locals[local].name) to \(words(value)).")
            }
        case .conditional(let value, let then, let otherwise):
            let condition =
                expressions[instruction.position.offset].map { self.condition($0) } ?? words(value)
            line("If \(condition):")
            indented { $0.explain(then) }
            guard !otherwise.isEmpty else { return }
            line("Otherwise:")
            indented { $0.explain(otherwise) }
        case .count(let local, let from, let to, let body):
            var times = ""
            if case .integer(let first)? = from.constant, case .integer(let end)? = to.constant {
                times = ", \((end - first).grouped) times"
            }
            line(
                "For each \(locals[local].name) from \(words(from)) up to, not including, \(words(to))\(times):"
            )
            indented { $0.explain(body) }
        case .each(let local, let values, let body):
            let sequence = expressions[instruction.position.offset].map(\.shortText) ?? "a list"
            line("For each \(locals[local].name) in \(sequence), \(values.count.grouped) times:")
            indented { $0.explain(body) }
        case .result(let value): line(value.map { "Gives \(words($0))." } ?? "Returns.")
        case .require(let value, let message): line(requirement(value, message) + ".")
        }
    }

    private func requirement(_ value: Value, _ message: Value?) -> String {
        let own = message.flatMap { $0.constant == .string(Checker.unmet) ? nil : $0 }
        let reason = own.map { ", with the message \(words($0))" } ?? ""
        switch value.kind {
        case .host(.submitJob, let arguments): return "Submits " + job(arguments)
        case .host(.anchorToDAG, let arguments): return "Anchors \(words(arguments[0]))"
        case .constant(.boolean(false)): return "Fails\(reason)"
        default:
            let condition = words(value)
            let asked = "whether "
            return
                "Fails\(reason), unless \(condition.hasPrefix(asked) ? String(condition.dropFirst(asked.count)) : condition)"
        }
    }

    private func effect(_ value: Value) -> String {
        switch value.kind {
        case .host(.logMessage, let arguments): "Logs \(words(arguments[0]))"
        case .host(.recordResourceUsage, let arguments):
            "Records the use of \(words(arguments[1])) \(name(arguments[0]))"
        case .call: "Calls \(words(value))"
        default: "Finds out \(words(value))"
        }
    }

    private func job(_ arguments: [Value]) -> String {
        let description = arguments[1].constant == .string("") ? "a job" : "job \(words(arguments[1]))"
        return
            "\(description): module \(name(arguments[0])), up to \(words(arguments[3])) \(name(arguments[2])), priority \(name(arguments[4]))"
    }

    // MARK: Values

    /// A name that stands in a sentence: without quotes where it is known.
    private func name(_ value: Value) -> String {
        if case .string(let text)? = value.constant, !text.isEmpty,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        {
            return text
        }
        return words(value)
    }

    private func words(_ value: Value) -> String {
        switch value.kind {
        case .constant(.string(let text)): quoted(text)
        case .constant(.integer(let number)): number.grouped
        case .constant(let constant): constant.text
        case .local(let local): locals[local].name.isEmpty ? unnamed[local] ?? "a value" : locals[local].name
        case .arithmetic(let sign, let a, let b): "\(inner(a)) \(sign.rawValue) \(inner(b))"
        case .comparison(let sign, let a, let b): "\(inner(a)) \(sign.inWords) \(inner(b))"
        case .and(let a, let b): "\(inner(a)) and \(inner(b))"
        case .or(let a, let b): "\(inner(a)) or \(inner(b))"
        case .not(let a): "not \(inner(a))"
        case .negated(let a): "-\(inner(a))"
        case .joined(let a, let b): "\(words(a)) + \(words(b))"
        case .text(let a), .decimal(let a): words(a)
        case .rounded(let rounding, let a):
            switch rounding {
            case .nearest: "\(inner(a)) rounded"
            case .down: "\(inner(a)) rounded down"
            case .up: "\(inner(a)) rounded up"
            }
        case .minimum(let a, let b): "the smaller of \(inner(a)) and \(inner(b))"
        case .maximum(let a, let b): "the larger of \(inner(a)) and \(inner(b))"
        case .length(let a): "the length of \(inner(a))"
        case .call(let function, let arguments):
            "\(program.functions[function].name)(\(arguments.map { words($0) }.joined(separator: ", ")))"
        case .host(.checkResourceAuthorization, let arguments):
            "whether \(words(arguments[1])) \(name(arguments[0])) is authorised"
        case .host(.submitJob, let arguments): "whether it may submit \(job(arguments))"
        case .host(.anchorToDAG, let arguments): "whether it may anchor \(words(arguments[0]))"
        case .host(let function, _): function.rawValue
        }
    }

    /// Part of a larger expression.
    private func inner(_ value: Value) -> String {
        switch value.kind {
        case .arithmetic, .comparison, .and, .or, .joined, .minimum, .maximum: "(\(words(value)))"
        default: words(value)
        }
    }

    func quoted(_ text: String) -> String {
        var quoted = ""
        let isLong = text.utf8.count > 400
        quoted.appendJSONString(isLong ? String(text.prefix(100)) + "…" : text)
        return quoted
    }

    /// A condition as it was written, with words for its signs.
    private func condition(_ expression: Expression) -> String {
        switch expression.kind {
        case .parenthesized(let inner):
            switch inner.kind {
            case .binary: "(\(condition(inner)))"
            default: condition(inner)
            }
        case .unary(.not, let inner): "not \(condition(inner))"
        case .binary(.and, let a, let b): "\(condition(a)) and \(condition(b))"
        case .binary(.or, let a, let b): "\(condition(a)) or \(condition(b))"
        case .binary(let sign, let a, let b) where sign.isComparison:
            "\(a.sourceText) \(sign.inWords) \(b.sourceText)"
        default: expression.sourceText
        }
    }
}

extension BinaryOperator {
    fileprivate var inWords: String {
        switch self {
        case .equal: "is"
        case .notEqual: "is not"
        case .less: "is below"
        case .lessOrEqual: "is at most"
        case .greater: "is above"
        case .greaterOrEqual: "is at least"
        default: rawValue
        }
    }
}
