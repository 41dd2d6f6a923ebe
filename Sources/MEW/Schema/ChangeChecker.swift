public import MeshGraph

/// Judges changes that arrive from others against the schema of the ontology that they name.
///
/// Only what the change and the ontology themselves decide: names, types, required attributes, numbers of targets.
/// What the graph would have to be asked (uniqueness, cardinality, what a target is that another change made) was
/// judged where the change was made. So all replicas come to the same verdict, whatever else they hold.
///
/// Modifiers such as bounds and patterns are the origin's business too. The work is bounded by the size of the change.
/// Make one checker for a schema and keep it.
public struct ChangeChecker: Sendable {
    private struct Table: Sendable {
        let isEdge: Bool
        /// Why nothing may be of this type; `nil` where something may.
        let refusal: ErrorCode?
        let attributes: [String: AttributeType]
        let requiredCount: Int
        let parameters: [EdgeType.Parameter]
        let isUnique: Bool
    }

    /// The type that an operation adds.
    private typealias Added = String?

    private let schema: GraphSchema
    private let tables: [String: Table]
    /// What an attribute of some type may hold: for entities whose type the change does not tell.
    private let anywhere: [String: StaticType]

    public init(_ schema: GraphSchema) {
        self.schema = schema
        var tables: [String: Table] = [:]
        var kinds: [String: Kinds] = [:]
        for (name, node) in schema.nodes {
            let refusal: ErrorCode? = node.isVirtual ? .systemType : node.isAbstract ? .abstractType : nil
            tables[name] = Table(
                isEdge: false, refusal: refusal, attributes: Self.byName(node.attributes),
                requiredCount: node.attributes.count { $0.isRequired }, parameters: [], isUnique: false)
            if refusal == nil {
                for attribute in node.attributes {
                    kinds[attribute.name, default: Kinds()].add(attribute.type)
                }
            }
        }
        for (name, edge) in schema.edges {
            tables[name] = Table(
                isEdge: true, refusal: nil, attributes: Self.byName(edge.attributes),
                requiredCount: edge.attributes.count { $0.isRequired }, parameters: edge.parameters,
                isUnique: edge.isUnique)
            for attribute in edge.attributes { kinds[attribute.name, default: Kinds()].add(attribute.type) }
        }
        self.tables = tables
        anywhere = kinds.mapValues(\.type)
    }

    /// Why a change is void; `nil` for one that is not.
    public func fault(in change: GraphChange) -> Diagnostic? {
        var added: [Added] = []
        added.reserveCapacity(change.operations.count)
        for (place, operation) in change.operations.enumerated() {
            do throws(Diagnostic) {
                added.append(try judge(operation, added))
            } catch {
                return Diagnostic(error.code, "operation \(place): \(error.message)")
            }
        }
        return nil
    }

    private func judge(_ operation: GraphOperation, _ added: [Added]) throws(Diagnostic) -> Added {
        switch operation {
        case .spawn(let type, let key, let attributes):
            let table = try table(type, isEdge: false)
            if let key, !GraphLimits.isExplicitKey(key) {
                throw Diagnostic(
                    .invalidLiteral, "a key has 1 to \(EntityID.keyByteCountMax) bytes, and no ( before them")
            }
            try judge(attributes, of: type, table)
            return type
        case .link(let edge, let targets, let isUnique, let attributes):
            let table = try table(edge, isEdge: true)
            guard targets.count == table.parameters.count else {
                throw Diagnostic(
                    .edgeTargetCount,
                    "\(edge) has \(table.parameters.count) targets, and not \(targets.count)")
            }
            guard isUnique == table.isUnique else {
                throw Diagnostic(.typeMismatch, "\(edge) is \(table.isUnique ? "" : "not ")unique")
            }
            for (parameter, target) in zip(table.parameters, targets) {
                guard let type = try self.type(of: target, added) else { continue }
                guard conforms(type, to: parameter.type) else {
                    throw Diagnostic(
                        .edgeTargetType, "\(edge) takes \(parameter.type), and not \(shown(type))")
                }
            }
            try judge(attributes, of: edge, table)
            return edge
        case .set(let target, let add, let attribute, let value):
            try judge(add, added)
            try judge(value, of: attribute, for: try type(of: target, added))
            return nil
        case .end(let target, let adds):
            if adds.isEmpty { throw Diagnostic(.edgeTargetMissing, "it ends nothing") }
            _ = try type(of: target, added)
            for add in adds { try judge(add, added) }
            return nil
        }
    }

    /// The table of a type that something may be of.
    private func table(_ name: String, isEdge: Bool) throws(Diagnostic) -> Table {
        guard let table = tables[name], table.isEdge == isEdge else {
            throw Diagnostic(
                isEdge ? .unknownEdge : .unknownType, "there is no \(isEdge ? "edge" : "type") \(shown(name))"
            )
        }
        if let refusal = table.refusal {
            throw Diagnostic(
                refusal, "\(shown(name)) is \(refusal == .systemType ? "the system's" : "abstract")")
        }
        return table
    }

    /// The type of a target as far as the change tells it.
    private func type(of target: GraphTarget, _ added: [Added]) throws(Diagnostic) -> String? {
        switch target {
        case .entity(.operation): return nil
        case .entity(.key(let type, _)):
            guard let table = tables[type] else {
                throw Diagnostic(.unknownType, "there is no type \(shown(type))")
            }
            _ = try self.table(type, isEdge: table.isEdge)
            return type
        case .added(let place):
            guard place < UInt32(added.count), let type = added[Int(place)] else {
                throw Diagnostic(.edgeTargetMissing, "operation \(place) adds nothing before it")
            }
            return type
        }
    }

    private func judge(_ add: GraphAdd, _ added: [Added]) throws(Diagnostic) {
        guard case .added(let place) = add else { return }
        guard place < UInt32(added.count), added[Int(place)] != nil else {
            throw Diagnostic(.edgeTargetMissing, "operation \(place) adds nothing before it")
        }
    }

    // MARK: Attributes

    private func judge(_ attributes: [GraphAttribute], of type: String, _ table: Table) throws(Diagnostic) {
        // More than there are cannot all be different.
        if attributes.count > table.attributes.count {
            throw Diagnostic(.unknownAttribute, "\(type) has \(table.attributes.count) attributes")
        }
        var requiredCount = 0
        var names: Set<String> = []
        for attribute in attributes {
            guard let declared = table.attributes[attribute.name] else {
                throw Diagnostic(.unknownAttribute, "\(type) has no attribute \(shown(attribute.name))")
            }
            guard names.insert(attribute.name).inserted else {
                throw Diagnostic(.duplicateName, "\(type).\(attribute.name) is given two values")
            }
            try judge(attribute.value, as: declared.type, "\(type).\(attribute.name)")
            if declared.isRequired { requiredCount += 1 }
        }
        guard requiredCount == table.requiredCount else {
            throw Diagnostic(.missingRequired, "\(type) lacks an attribute that is required")
        }
    }

    private func judge(_ value: GraphValue, of attribute: String, for type: String?) throws(Diagnostic) {
        if let type, let table = tables[type] {
            guard let declared = table.attributes[attribute] else {
                throw Diagnostic(.unknownAttribute, "\(type) has no attribute \(shown(attribute))")
            }
            try judge(value, as: declared.type, "\(type).\(attribute)")
        } else {
            guard let kinds = anywhere[attribute] else {
                throw Diagnostic(.unknownAttribute, "nothing has an attribute \(shown(attribute))")
            }
            try judge(value, as: kinds, attribute)
        }
    }

    private func judge(_ value: GraphValue, as type: StaticType, _ path: String) throws(Diagnostic) {
        guard type.holds(value) else {
            throw Diagnostic(.typeMismatch, "\(path) is \(type), and not \(value.kindName)")
        }
    }

    /// Whether an entity of the type may stand where a parameter is.
    private func conforms(_ type: String, to parameter: StaticType) -> Bool {
        let isEdge = tables[type]?.isEdge == true
        return parameter.members.contains { member in
            switch member {
            case .anyNode: !isEdge
            case .node(let name): !isEdge && schema.isSubtype(type, of: name)
            case .edge(let name): isEdge && (name == nil || name == type)
            default: false
            }
        }
    }

    private func shown(_ name: String) -> String { String(name.unicodeScalars.prefix(64)) }

    private static func byName(_ attributes: [AttributeType]) -> [String: AttributeType] {
        Dictionary(attributes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The types of several attributes of one name, brought together: a few members, however many there are.
    private struct Kinds {
        private var plain: Set<StaticType> = []
        private var elements: Set<StaticType> = []

        mutating func add(_ type: StaticType) {
            for member in type.members {
                if case .list(let element) = member {
                    elements.formUnion(element.members)
                } else {
                    plain.insert(member)
                }
            }
        }

        var type: StaticType {
            let lists = elements.isEmpty ? [] : [StaticType.list(.either(Self.sorted(elements)))]
            return .either(Self.sorted(plain) + lists)
        }

        private static func sorted(_ types: Set<StaticType>) -> [StaticType] {
            types.sorted { $0.description < $1.description }
        }
    }
}
