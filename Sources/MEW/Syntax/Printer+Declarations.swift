extension Printer {
    mutating func ontology(_ ontology: OntologyDeclaration) {
        guard let name = ontology.name else {
            return list(ontology.declarations, separator: "\n") { printer, declaration in
                printer.declaration(declaration)
            }
        }
        write("ontology \(name)")
        parents(ontology.parents)
        write(" ")
        block(ontology)
    }

    /// `{ … }`, each declaration in lines of its own.
    mutating func block(_ ontology: OntologyDeclaration) {
        guard !ontology.declarations.isEmpty else { return write("{}") }
        write("{")
        indented { printer in
            for declaration in ontology.declarations {
                printer.newLine()
                printer.declaration(declaration)
            }
        }
        newLine()
        write("}")
    }

    mutating func declaration(_ declaration: Declaration) {
        switch declaration {
        case .alias(let alias):
            documentation(alias.documentation)
            write("type \(alias.name) = ")
            type(alias.type)
            modifiers(alias.modifiers)
        case .node(let node): self.node(node)
        case .edge(let edge): self.edge(edge)
        case .constraint(let constraint): self.constraint(constraint)
        case .rule(let rule): self.rule(rule)
        case .policy(let policy): self.policy(policy)
        }
    }

    mutating func parents(_ parents: [Name]) {
        guard !parents.isEmpty else { return }
        write(": \(parents.map(\.text).joined(separator: ", "))")
    }

    // MARK: - Nodes and edges

    private mutating func node(_ node: NodeDeclaration) {
        documentation(node.documentation)
        let marks = (node.isAbstract ? ["abstract"] : []) + (node.isSealed ? ["sealed"] : [])
        if !marks.isEmpty { write("[\(marks.joined(separator: ", "))] ") }
        write("node \(node.name)")
        parents(node.parents)
        attributes(node.attributes)
    }

    private mutating func edge(_ edge: EdgeDeclaration) {
        documentation(edge.documentation)
        write("edge \(edge.name)(")
        list(edge.parameters) { printer, parameter in
            if let name = parameter.name { printer.write("\(name): ") }
            printer.type(parameter.type)
        }
        write(")")
        if !edge.modifiers.isEmpty {
            write(" [\(edge.modifiers.map(Self.modifier).joined(separator: ", "))]")
        }
        if !edge.attributes.isEmpty { attributes(edge.attributes) }
    }

    private static func modifier(_ modifier: EdgeModifier) -> String {
        switch modifier.kind {
        case .symmetric: return "symmetric"
        case .noSelf: return "no_self"
        case .acyclic: return "acyclic"
        case .unique: return "unique"
        case .indexed: return "indexed"
        case .cardinality(let name, let minimum, let maximum):
            if minimum == maximum { return "\(name) -> \(minimum)" }
            return "\(name) -> \(minimum)..\(maximum.map(String.init) ?? "*")"
        case .onKillSource(let action): return "on_kill_source: \(action.rawValue)"
        case .onKillTarget(let action): return "on_kill_target: \(action.rawValue)"
        }
    }

    private mutating func attributes(_ attributes: [AttributeDeclaration]) {
        guard !attributes.isEmpty else { return write(" {}") }
        write(" {")
        indented { printer in
            for attribute in attributes {
                printer.newLine()
                printer.documentation(attribute.documentation)
                printer.write("\(attribute.name): ")
                printer.type(attribute.type)
                printer.modifiers(attribute.modifiers)
                if let value = attribute.defaultValue {
                    printer.write(" = ")
                    printer.expression(value)
                }
            }
        }
        newLine()
        write("}")
    }

    private mutating func modifiers(_ modifiers: [AttributeModifier]) {
        guard !modifiers.isEmpty else { return }
        write(" [")
        list(modifiers) { printer, modifier in printer.modifier(modifier.kind) }
        write("]")
    }

    mutating func modifier(_ kind: AttributeModifier.Kind) {
        switch kind {
        case .required: write("required")
        case .unique: write("unique")
        case .readonly: write("readonly")
        case .indexed(let descending): write(descending ? "indexed: desc" : "indexed")
        case .bound(let order, let value):
            write("\(order.rawValue) ")
            expression(value)
        case .between(let low, let high): write("\(low)..\(high)")
        case .oneOf(let values):
            write("in: [")
            expressions(values)
            write("]")
        case .format(let name): write("format: \(name)")
        case .matches(let pattern): write("match: \(Self.quoted(pattern))")
        case .length(let low, let high): write("length: \(low)..\(high)")
        }
    }

    // MARK: - Constraints, rules and policies

    private mutating func constraint(_ constraint: ConstraintDeclaration) {
        documentation(constraint.documentation)
        write("constraint \(constraint.name)")
        let marks =
            (constraint.isSoft ? ["soft"] : [])
            + (constraint.message.map { ["message: \(Self.quoted($0))"] } ?? [])
        if !marks.isEmpty { write(" [\(marks.joined(separator: ", "))]") }
        write(": ")
        pattern(constraint.pattern)
        write(" => ")
        expression(constraint.condition)
    }

    private mutating func rule(_ rule: RuleDeclaration) {
        documentation(rule.documentation)
        write("rule \(rule.name)")
        let marks =
            (rule.priority != 0 ? ["priority: \(rule.priority)"] : []) + (rule.isManual ? ["manual"] : [])
            + (rule.inheritsAuthority ? ["inherit_authority"] : [])
        if !marks.isEmpty { write(" [\(marks.joined(separator: ", "))]") }
        write(": ")
        pattern(rule.pattern)
        write(" => ")
        actions(rule.actions)
    }

    mutating func actions(_ actions: [RuleAction]) {
        list(actions) { printer, action in printer.action(action.kind) }
    }

    mutating func action(_ kind: RuleAction.Kind) {
        switch kind {
        case .spawn(let variable, let type, let attributes):
            write("SPAWN \(variable): \(type)")
            self.attributes(attributes)
        case .kill(let target):
            write("KILL ")
            self.target(target)
        case .unlink(let target):
            write("UNLINK ")
            self.target(target)
        case .link(let edge, let targets, let variable, let attributes):
            write("LINK \(edge)")
            self.targets(targets)
            alias(variable)
            self.attributes(attributes)
        case .set(let target, let assignments):
            write("SET ")
            self.target(target)
            self.assignments(assignments)
        }
    }

    private mutating func policy(_ policy: PolicyDeclaration) {
        documentation(policy.documentation)
        write("policy \(policy.name)")
        if policy.priority != 0 { write(" [priority: \(policy.priority)]") }
        write(": ON ")
        list(policy.operations, separator: " | ") { printer, operation in printer.operation(operation) }
        write(policy.allows ? " ALLOW IF " : " DENY IF ")
        expression(policy.condition)
        if let message = policy.message { write(" MESSAGE \(Self.quoted(message))") }
    }

    mutating func operation(_ operation: PolicyDeclaration.Operation) {
        if operation.isMeta { write("META ") }
        write(operation.kind?.rawValue.uppercased() ?? "*")
        guard operation.target != nil || operation.attribute != nil else { return }
        write("(")
        if let target = operation.target { element(target) } else { write("_") }
        if let attribute = operation.attribute { write(", \(Self.quoted(attribute.text))") }
        write(")")
    }
}

extension Declaration {
    /// The declaration as canonical text.
    public var canonicalText: String {
        Printer.text { $0.declaration(self) }
    }
}

extension OntologyDeclaration {
    /// The ontology as canonical text, which `Parser.ontology` reads: its wrapper, or the declarations alone.
    public var canonicalText: String {
        Printer.text { $0.ontology(self) }
    }
}

extension RuleAction {
    /// The action as canonical text.
    public var canonicalText: String {
        Printer.text { $0.action(kind) }
    }
}

extension PolicyDeclaration.Operation {
    /// The operation as canonical text.
    public var canonicalText: String {
        Printer.text { $0.operation(self) }
    }
}

extension AttributeModifier {
    /// The modifier as canonical text.
    public var canonicalText: String {
        Printer.text { $0.modifier(kind) }
    }
}
