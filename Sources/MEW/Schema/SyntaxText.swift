internal import MeshGraph

/// Declarations written out again in one canonical spelling.
///
/// Two declarations are the same when their texts are: where they stand and what `---` comments say does not
/// matter. SHOW prints these texts.
enum SyntaxText {
    static func declaration(_ declaration: Declaration) -> String {
        switch declaration {
        case .alias(let alias):
            "type \(alias.name) = \(type(alias.type))" + bracketed(alias.modifiers.map { modifier($0.kind) })
        case .node(let node): self.node(node)
        case .edge(let edge): self.edge(edge)
        case .constraint(let constraint): self.constraint(constraint)
        case .rule(let rule): self.rule(rule)
        case .policy(let policy): self.policy(policy)
        }
    }

    static func type(_ expression: TypeExpression) -> String {
        switch expression.kind {
        case .named(let name): return name
        case .any: return "any"
        case .edge(let name): return "edge<\(name ?? "any")>"
        case .optional(let inner): return primary(inner) + "?"
        case .union(let members): return members.map(primary).joined(separator: " | ")
        case .list(let element): return primary(element) + "[]"
        }
    }

    private static func primary(_ expression: TypeExpression) -> String {
        if case .union = expression.kind { "(\(type(expression)))" } else { type(expression) }
    }

    static func modifier(_ kind: AttributeModifier.Kind) -> String {
        switch kind {
        case .required: "required"
        case .unique: "unique"
        case .readonly: "readonly"
        case .indexed(let descending): descending ? "indexed: desc" : "indexed"
        case .bound(let order, let limit): "\(order.rawValue) \(expression(limit))"
        case .between(let low, let high): "\(low)..\(high)"
        case .oneOf(let values): "in: [" + values.map(expression).joined(separator: ", ") + "]"
        case .format(let name): "format: \(name)"
        case .matches(let pattern): "match: " + GraphValue.quoted(pattern)
        case .length(let low, let high): "length: \(low)..\(high)"
        }
    }

    private static func node(_ node: NodeDeclaration) -> String {
        let flags = (node.isAbstract ? ["abstract"] : []) + (node.isSealed ? ["sealed"] : [])
        var text = "node \(node.name)" + bracketed(flags)
        if !node.parents.isEmpty { text += ": " + node.parents.map(\.text).joined(separator: ", ") }
        return text + " " + block(node.attributes)
    }

    private static func edge(_ edge: EdgeDeclaration) -> String {
        let parameters = edge.parameters.map { parameter in
            (parameter.name.map { "\($0): " } ?? "") + type(parameter.type)
        }
        let modifiers = edge.modifiers.map { edgeModifier($0.kind) }
        return "edge \(edge.name)(" + parameters.joined(separator: ", ") + ")" + bracketed(modifiers)
            + (edge.attributes.isEmpty ? "" : " " + block(edge.attributes))
    }

    private static func edgeModifier(_ kind: EdgeModifier.Kind) -> String {
        switch kind {
        case .symmetric: "symmetric"
        case .noSelf: "no_self"
        case .acyclic: "acyclic"
        case .unique: "unique"
        case .indexed: "indexed"
        case .cardinality(let name, let minimum, let maximum):
            "\(name) -> \(minimum)..\(maximum.map(String.init) ?? "*")"
        case .onKillSource(let action): "on_kill_source: \(action.rawValue)"
        case .onKillTarget(let action): "on_kill_target: \(action.rawValue)"
        }
    }

    private static func block(_ attributes: [AttributeDeclaration]) -> String {
        if attributes.isEmpty { return "{}" }
        let lines = attributes.map { attribute in
            "\(attribute.name): \(type(attribute.type))"
                + bracketed(attribute.modifiers.map { modifier($0.kind) })
                + (attribute.defaultValue.map { " = \(expression($0))" } ?? "")
        }
        return "{ " + lines.joined(separator: ", ") + " }"
    }

    private static func constraint(_ constraint: ConstraintDeclaration) -> String {
        var options = constraint.isSoft ? ["soft"] : []
        if let message = constraint.message { options.append("message: " + GraphValue.quoted(message)) }
        return "constraint \(constraint.name)" + bracketed(options)
            + ": \(pattern(constraint.pattern)) => \(expression(constraint.condition))"
    }

    private static func rule(_ rule: RuleDeclaration) -> String {
        var options = rule.priority == 0 ? [] : ["priority: \(rule.priority)"]
        if rule.isManual { options.append("manual") }
        if rule.inheritsAuthority { options.append("inherit_authority") }
        return "rule \(rule.name)" + bracketed(options) + ": \(pattern(rule.pattern)) => "
            + rule.actions.map { action($0.kind) }.joined(separator: ", ")
    }

    static func action(_ kind: RuleAction.Kind) -> String {
        switch kind {
        case .spawn(let name, let type, let attributes):
            return "SPAWN \(name): \(type)" + assignments(attributes)
        case .kill(let target): return "KILL \(self.target(target))"
        case .link(let edge, let targets, let variable, let attributes):
            return "LINK \(edge)(" + targets.map(target).joined(separator: ", ") + ")"
                + (variable.map { " AS \($0)" } ?? "") + assignments(attributes)
        case .unlink(let target): return "UNLINK \(self.target(target))"
        case .set(let target, let attributes): return "SET \(self.target(target))" + assignments(attributes)
        }
    }

    private static func assignments(_ assignments: [AttributeAssignment]) -> String {
        if assignments.isEmpty { return "" }
        return " { " + assignments.map { "\($0.attribute) = \(expression($0.value))" }.joined(separator: ", ")
            + " }"
    }

    static func operation(_ operation: PolicyDeclaration.Operation) -> String {
        (operation.isMeta ? "META " : "") + (operation.kind?.rawValue.uppercased() ?? "*")
            + (operation.target.map { "(\(element($0)))" } ?? "")
            + (operation.attribute.map { ".\($0)" } ?? "")
    }

    private static func policy(_ policy: PolicyDeclaration) -> String {
        let operations = policy.operations.map(operation)
        return "policy \(policy.name)"
            + bracketed(policy.priority == 0 ? [] : ["priority: \(policy.priority)"])
            + ": ON " + operations.joined(separator: " | ") + (policy.allows ? " ALLOW" : " DENY")
            + " IF \(expression(policy.condition))"
            + (policy.message.map { " MESSAGE " + GraphValue.quoted($0) } ?? "")
    }

    private static func bracketed(_ parts: [String]) -> String {
        parts.isEmpty ? "" : " [" + parts.joined(separator: ", ") + "]"
    }
}

extension Declaration {
    /// The declaration in its canonical spelling: the same for two that differ in comments and layout alone.
    public var canonicalText: String { SyntaxText.declaration(self) }
}
