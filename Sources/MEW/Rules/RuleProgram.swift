internal import MeshCore
internal import MeshGraph

/// A rule that has been checked: where it matches, and what it then does.
final class RuleProgram {
    /// What one action does, with the slots of what it names.
    enum Action {
        case spawn(slot: Int, type: Name, [(Name, Code)])
        case kill(Code)
        case link(edge: Name, [Code], slot: Int?, [(Name, Code)])
        case unlink(Code)
        case set(Code, [(Name, Code)])
    }

    let name: String
    let isManual: Bool
    let inheritsAuthority: Bool
    let seeds: [(slot: Int, plan: PatternPlan)]
    let whole: PatternPlan
    /// The pattern's own variables: what a firing is known by.
    let patternSlots: [Int]
    let actions: [(action: Action, range: SourceRange)]
    let scope: Scope
    let names: NameSlots
    let slotCount: Int

    /// Whether it may come to match, or cease to, by a change of what its match does not hold.
    let looksFurther: Bool

    init(_ rule: RuleDeclaration, _ compiler: inout Compiler) throws {
        let (seeds, whole, patternScope) = try compiler.seeded(rule.pattern)
        var scope = patternScope
        actions = try Self.compile(rule.actions, &scope, &compiler)
        name = rule.name.text
        isManual = rule.isManual
        inheritsAuthority = rule.inheritsAuthority
        self.seeds = seeds
        self.whole = whole
        looksFurther = whole.looksFurther
        patternSlots = patternScope.all.map(\.slot)
        self.scope = patternScope
        names = compiler.names
        slotCount = compiler.slotCount
    }

    /// Checks actions, as rules and `ON MATCH DO` have them.
    static func compile(
        _ actions: [RuleAction], _ scope: inout Scope, _ compiler: inout Compiler
    ) throws(Diagnostic) -> [(action: Action, range: SourceRange)] {
        var compiled: [(action: Action, range: SourceRange)] = []
        for action in actions {
            switch action.kind {
            case .spawn(let variable, let type, let attributes):
                let assignments = try assignments(attributes, scope, &compiler)
                let slot = compiler.newSlot()
                guard scope[variable.text] == nil else {
                    throw Diagnostic(
                        .duplicateName, "\(variable.text) is declared already", at: variable.range)
                }
                guard compiler.schema.nodes[type.text] != nil else { throw compiler.unknownType(type) }
                scope.declare(variable.text, slot: slot, type: .node(type.text))
                compiled.append((.spawn(slot: slot, type: type, assignments), action.range))
            case .kill(let target):
                compiled.append((.kill(try code(target, scope, compiler)), action.range))
            case .unlink(let target):
                compiled.append((.unlink(try code(target, scope, compiler)), action.range))
            case .set(let target, let attributes):
                let assignments = try assignments(attributes, scope, &compiler)
                compiled.append((.set(try code(target, scope, compiler), assignments), action.range))
            case .link(let edge, let targets, let variable, let attributes):
                guard compiler.schema.edges[edge.text] != nil else { throw compiler.unknownEdge(edge) }
                let assignments = try assignments(attributes, scope, &compiler)
                var codes: [Code] = []
                for target in targets { codes.append(try code(target, scope, compiler)) }
                var slot: Int?
                if let variable {
                    slot = compiler.newSlot()
                    scope.declare(variable.text, slot: slot ?? 0, type: .edge(edge.text))
                }
                compiled.append((.link(edge: edge, codes, slot: slot, assignments), action.range))
            }
        }
        return compiled
    }

    private static func assignments(
        _ attributes: [AttributeAssignment], _ scope: Scope, _ compiler: inout Compiler
    ) throws(Diagnostic) -> [(Name, Code)] {
        var compiled: [(Name, Code)] = []
        for attribute in attributes {
            compiled.append((attribute.attribute, try compiler.expression(attribute.value, scope).code))
        }
        return compiled
    }

    private static func code(
        _ target: PatternTarget, _ scope: Scope, _ compiler: Compiler
    ) throws(Diagnostic) -> Code {
        switch target {
        case .reference(let name): return .reference(name.text)
        case .parameter(let name): return .parameter(name.text, isOptional: false, name.range)
        case .anything(let range):
            throw Diagnostic(.unknownVariable, "an action names what it is about", at: range)
        case .variable(let name):
            if let variable = scope[name.text] { return .slot(variable.slot) }
            if compiler.sessionVariables[name.text] != nil { return .reference(name.text) }
            throw Diagnostic(
                .unknownVariable, "there is no variable \(name.text) here", at: name.range,
                hint: NearestName.of(name.text, among: scope.names).map { "did you mean \($0)?" })
        }
    }
}
