internal import MeshCore
public import MeshGraph

/// Rows that describe a schema, as SHOW gives them.
public struct SchemaTable: Sendable, Hashable {
    public let columns: [String]
    public let rows: [[GraphValue]]

    public init(columns: [String], rows: [[GraphValue]]) {
        self.columns = columns
        self.rows = rows
    }
}

extension GraphSchema {
    /// The rows of a SHOW statement; `nil` for one that is not about the schema.
    ///
    /// - Throws: ``Diagnostic`` for a name that the schema does not have: E2001 for a type, E2004 for an edge, E2016 for a
    ///   constraint, E2019 for a rule.
    public func table(for statement: ShowStatement) throws(Diagnostic) -> SchemaTable? {
        switch statement {
        case .types: return typesTable
        case .edges: return edgesTable
        case .constraints: return table(of: constraints)
        case .rules: return table(of: rules)
        case .policies: return policiesTable
        case .type(let name):
            if let node = nodes[name.text] { return attributesTable(node.attributes) }
            if let alias = aliases[name.text] { return aliasTable(alias) }
            throw unknown(.unknownType, "type", name, among: nodes.map(\.key) + aliases.map(\.key))
        case .edge(let name):
            guard let edge = edges[name.text] else {
                throw unknown(.unknownEdge, "edge", name, among: edges.map(\.key))
            }
            return edgeTable(edge)
        case .constraint(let name):
            guard let constraint = constraints.first(where: { $0.name == name }) else {
                throw unknown(.unknownReference, "constraint", name, among: constraints.map(\.name.text))
            }
            return table(of: [constraint])
        case .rule(let name):
            guard let rule = rules.first(where: { $0.name == name }) else {
                throw unknown(.unknownRule, "rule", name, among: rules.map(\.name.text))
            }
            return table(of: [rule])
        case .indexes, .statistics, .status, .watches: return nil
        }
    }

    private func unknown(_ code: ErrorCode, _ what: String, _ name: Name, among names: [String]) -> Diagnostic
    {
        Diagnostic(
            code, "there is no \(what) \(name)", at: name.range,
            hint: NearestName.of(name.text, among: names.sorted()).map { "did you mean \($0)?" })
    }

    // MARK: Types

    private var typesTable: SchemaTable {
        var rows: [(String, [GraphValue])] = nodes.map { name, node in
            (
                name,
                [
                    .string(name), .string("node"), .string(node.parents.joined(separator: ", ")),
                    .bool(node.isAbstract), .bool(node.isSealed), .bool(node.isSystem),
                    Self.list(node.attributes), text(node.documentation),
                ]
            )
        }
        rows += aliases.map { name, alias in
            (
                name,
                [
                    .string(name), .string("alias"), .string(alias.type.description), .bool(false),
                    .bool(false), .bool(false), .list([]),
                    .string(alias.checks.map(\.description).joined(separator: ", ")),
                ]
            )
        }
        return SchemaTable(
            columns: [
                "name", "kind", "above", "abstract", "sealed", "system", "attributes", "documentation",
            ],
            rows: rows.sorted { $0.0 < $1.0 }.map(\.1))
    }

    /// Attributes as `name: Type`, those inherited among them.
    private static func list(_ attributes: [AttributeType]) -> GraphValue {
        .list(attributes.map { .string("\($0.name): \($0.type)") })
    }

    private func attributesTable(_ attributes: [AttributeType]) -> SchemaTable {
        SchemaTable(
            columns: ["attribute", "type", "modifiers", "default", "declared_in", "documentation"],
            rows: attributes.map { attribute in
                [
                    .string(attribute.name), .string(attribute.type.description),
                    .string(attribute.modifiersText),
                    text(attribute.defaultValue.map { $0.canonicalText }),
                    .string(attribute.declaredIn), text(attribute.documentation),
                ]
            })
    }

    private func aliasTable(_ alias: AliasType) -> SchemaTable {
        SchemaTable(
            columns: ["alias", "type", "modifiers"],
            rows: [
                [
                    .string(alias.name), .string(alias.type.description),
                    .string(alias.checks.map(\.description).joined(separator: ", ")),
                ]
            ])
    }

    // MARK: Edges

    private var edgesTable: SchemaTable {
        SchemaTable(
            columns: ["name", "parameters", "system", "modifiers", "attributes", "documentation"],
            rows: edges.sorted { $0.key < $1.key }.map { name, edge in
                [
                    .string(name),
                    .list(edge.parameters.map { .string($0.description) }), .bool(edge.isSystem),
                    .string(edge.modifiersText), Self.list(edge.attributes), text(edge.documentation),
                ]
            })
    }

    /// The parameters first, then the attributes.
    private func edgeTable(_ edge: EdgeType) -> SchemaTable {
        var rows: [[GraphValue]] = edge.parameters.enumerated().map { position, parameter in
            let restriction = edge.cardinalities.first { $0.position == position }
            return [
                .string("parameter"), .string(parameter.name ?? String(position + 1)),
                .string(parameter.type.description), .string(restriction?.description ?? ""), .null,
            ]
        }
        rows += edge.attributes.map { attribute in
            [
                .string("attribute"), .string(attribute.name), .string(attribute.type.description),
                .string(attribute.modifiersText), text(attribute.defaultValue.map { $0.canonicalText }),
            ]
        }
        return SchemaTable(columns: ["kind", "name", "type", "modifiers", "default"], rows: rows)
    }

    // MARK: Programs

    private func table(of constraints: [ConstraintDeclaration]) -> SchemaTable {
        SchemaTable(
            columns: ["name", "kind", "pattern", "condition", "message", "documentation"],
            rows: constraints.map { constraint in
                [
                    .string(constraint.name.text), .string(constraint.isSoft ? "soft" : "hard"),
                    .string(constraint.pattern.canonicalText),
                    .string(constraint.condition.canonicalText), text(constraint.message),
                    text(constraint.documentation),
                ]
            })
    }

    /// In the order in which they fire: the higher priority first, then as they were declared.
    private func table(of rules: [RuleDeclaration]) -> SchemaTable {
        let inOrder = rules.enumerated().sorted { a, b in
            (-a.element.priority.clampedForNegation, a.offset) < (
                -b.element.priority.clampedForNegation, b.offset
            )
        }
        return SchemaTable(
            columns: ["name", "priority", "kind", "pattern", "actions", "documentation"],
            rows: inOrder.map(\.element).map { rule in
                let kind =
                    (rule.isManual ? "manual" : "auto")
                    + (rule.inheritsAuthority ? ", inherit_authority" : "")
                return [
                    .string(rule.name.text), .int(rule.priority), .string(kind),
                    .string(rule.pattern.canonicalText),
                    .string(rule.actions.map { $0.canonicalText }.joined(separator: ", ")),
                    text(rule.documentation),
                ]
            })
    }

    private var policiesTable: SchemaTable {
        let inOrder = policies.enumerated().sorted { a, b in
            (-a.element.priority.clampedForNegation, a.offset) < (
                -b.element.priority.clampedForNegation, b.offset
            )
        }
        return SchemaTable(
            columns: ["name", "priority", "on", "decision", "condition", "message", "documentation"],
            rows: inOrder.map(\.element).map { policy in
                [
                    .string(policy.name.text), .int(policy.priority),
                    .string(policy.operations.map { $0.canonicalText }.joined(separator: " | ")),
                    .string(policy.allows ? "allow" : "deny"),
                    .string(policy.condition.canonicalText), text(policy.message),
                    text(policy.documentation),
                ]
            })
    }

    private func text(_ text: String?) -> GraphValue { text.map(GraphValue.string) ?? .null }
}

extension Int64 {
    /// The number, or its neighbour where it has no opposite.
    fileprivate var clampedForNegation: Int64 { Swift.max(self, .min + 1) }
}
