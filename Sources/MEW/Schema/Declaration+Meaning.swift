extension Declaration {
    /// What is declared, in one spelling: the same for two declarations that differ in layout and comments alone.
    var meaning: String { withoutDocumentation.canonicalText }

    /// The same without its `---` comments and those of its attributes.
    private var withoutDocumentation: Declaration {
        switch self {
        case .alias(let alias):
            .alias(
                AliasDeclaration(
                    name: alias.name, type: alias.type, modifiers: alias.modifiers, documentation: nil))
        case .node(let node):
            .node(
                NodeDeclaration(
                    name: node.name, isAbstract: node.isAbstract, isSealed: node.isSealed,
                    parents: node.parents,
                    attributes: node.attributes.map(\.withoutDocumentation), documentation: nil))
        case .edge(let edge):
            .edge(
                EdgeDeclaration(
                    name: edge.name, parameters: edge.parameters, modifiers: edge.modifiers,
                    attributes: edge.attributes.map(\.withoutDocumentation), documentation: nil))
        case .constraint(let constraint):
            .constraint(
                ConstraintDeclaration(
                    name: constraint.name, isSoft: constraint.isSoft, message: constraint.message,
                    pattern: constraint.pattern, condition: constraint.condition, documentation: nil))
        case .rule(let rule):
            .rule(
                RuleDeclaration(
                    name: rule.name, priority: rule.priority, isManual: rule.isManual,
                    inheritsAuthority: rule.inheritsAuthority, pattern: rule.pattern, actions: rule.actions,
                    documentation: nil))
        case .policy(let policy):
            .policy(
                PolicyDeclaration(
                    name: policy.name, priority: policy.priority, operations: policy.operations,
                    allows: policy.allows, condition: policy.condition, message: policy.message,
                    documentation: nil))
        }
    }
}

extension AttributeDeclaration {
    fileprivate var withoutDocumentation: AttributeDeclaration {
        AttributeDeclaration(
            name: name, type: type, modifiers: modifiers, defaultValue: defaultValue, documentation: nil)
    }
}
