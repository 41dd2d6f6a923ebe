internal import MeshCore
internal import MeshGraph

/// Writes a plan's steps for people.
struct PlanWriter {
    private let names: [Int: String]

    init(plan: PatternPlan, outer: [Scope.Variable] = []) {
        names = Dictionary(
            (outer + plan.variables).map { ($0.slot, $0.name) }, uniquingKeysWith: { first, _ in first })
    }

    func text(_ step: PlanStep) -> String {
        switch step {
        case .scan(let slot, let test): "scan \(types(test)) as \(name(slot))"
        case .lookUp(let slot, let index, let value, _, _, _):
            "look up \(name(slot)) in \(index.definition.isUnique ? "unique " : "")index \(index.definition.name) by \(text(value))"
        case .range(let slot, let index, let lower, let upper, _, _):
            "range of index \(index.definition.name) as \(name(slot))"
                + (lower.map { " from \(text($0))" } ?? "") + (upper.map { " to \(text($0))" } ?? "")
        case .lookUpVirtual(let slot, let attribute, let value, let test):
            "look up \(types(test)) as \(name(slot)) by \(attribute) = \(text(value))"
        case .fix(let slot, let code, _): "take \(text(code)) as \(name(slot))"
        case .test(let slot, let test): "test that \(name(slot)) is \(types(test))"
        case .expand(let expansion):
            "follow \(edge(expansion.match, known: (expansion.position, text(expansion.from))))"
        case .scanEdges(let match): "scan edges \(edge(match, known: nil))"
        case .openEdge(let match): "open \(edge(match, known: nil))"
        case .transitive(let match):
            "follow \(match.edge.text)\(match.includesStart ? "*" : "+") from \(text(match.from)) \(match.position == 0 ? "forwards" : "backwards") to \(target(match.target)), at most \(match.depth) deep"
        case .filter(let code): "filter \(text(code))"
        }
    }

    private func name(_ slot: Int) -> String { names[slot] ?? "_\(slot)" }

    private func types(_ test: TypeTest) -> String {
        if test.isEverything { return "any" }
        let all = test.stored.map(\.text) + test.virtual
        return all.isEmpty ? "nothing" : all.joined(separator: " | ")
    }

    private func edge(_ match: EdgeMatch, known: (Int, String)?) -> String {
        let targets = match.targets.enumerated().map { position, target in
            position == known?.0 ? known?.1 ?? "" : self.target(target)
        }
        let variable = match.edgeSlot.map { " as \(name($0))" } ?? ""
        return "\(match.edge.text)(\(targets.joined(separator: ", ")))\(variable)"
            + (known.map { " from \($0.1)" } ?? "")
    }

    private func target(_ target: TargetMatch) -> String {
        switch target {
        case .ignore: "_"
        case .bind(let slot, let test): name(slot) + (test.map { ": \(types($0))" } ?? "")
        case .same(let slot): "= \(name(slot))"
        case .equal(let code): "= \(text(code))"
        }
    }

    private func text(_ code: Code) -> String {
        switch code {
        case .constant(let value): value.shown
        case .slot(let slot): name(slot)
        case .local(let local): "\(local)"
        case .parameter(let name, _, _, _): "$\(name)"
        case .reference(let text): "#\(text)"
        case .attribute(let base, .named(let name)): "\(text(base)).\(name.text)"
        case .attribute(let base, .id): "\(text(base)).id"
        case .attribute(let base, .type): "\(text(base))._type"
        case .attribute(let base, .targets): "\(text(base))._targets"
        case .call(let function, let arguments, _):
            "\(function.rawValue)(\(arguments.map(text).joined(separator: ", ")))"
        case .list(let elements): "[\(elements.map(text).joined(separator: ", "))]"
        case .negate(let operand, _): "-\(text(operand))"
        case .not(let operand): "not \(text(operand))"
        case .arithmetic(let symbol, let a, let b, _), .compare(let symbol, let a, let b, _):
            "\(text(a)) \(symbol.rawValue) \(text(b))"
        case .and(let a, let b): "(\(text(a)) and \(text(b)))"
        case .or(let a, let b): "(\(text(a)) or \(text(b)))"
        case .coalesce(let a, let b): "\(text(a)) ?? \(text(b))"
        case .isOfType(let operand, let test): "\(text(operand)): \(types(test))"
        case .isNull(let operand, let isNegated): "\(text(operand)) is \(isNegated ? "not " : "")null"
        case .isIn(let operand, let list, let isNegated):
            "\(text(operand)) \(isNegated ? "not " : "")in \(text(list))"
        case .exists(let pattern, let isNegated):
            "\(isNegated ? "not " : "")exists(\(inner(pattern)))"
        case .fold(_, let pattern): "count(\(inner(pattern)))"
        case .aggregate(let index): "aggregate \(index + 1)"
        }
    }

    private func inner(_ pattern: SubPattern) -> String {
        let writer = PlanWriter(
            plan: pattern.plan,
            outer: names.map { Scope.Variable(name: $0.value, slot: $0.key, type: .unknown) })
        return pattern.plan.steps.map { writer.text($0.kind) }.joined(separator: "; ")
    }
}
