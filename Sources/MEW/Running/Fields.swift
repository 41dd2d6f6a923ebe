internal import MeshCore
internal import MeshGraph

/// What RETURNING and INSPECT name of one entity: `id`, `*`, `created`, attributes.
struct Fields {
    let session: Session
    let projections: [Projection]

    /// The columns, and the row of each entity.
    func rows(
        of ids: [LocalID], created: Bool?
    ) throws -> (columns: [String], rows: [[ResultValue]]) {
        let context = session.context(NameSlots(), slotCount: 0)
        let entities = try ids.compactMap { id -> ResultEntity? in
            if case .entity(let shown) = try context.result(.entity(id)) { shown } else { nil }
        }
        if entities.isEmpty { return ([], []) }
        // `*` is all that any of them may have: every row has the same columns.
        let all = attributes(of: entities)
        var columns: [String] = []
        for projection in projections {
            switch projection {
            case .all: columns += ["_id", "_type"] + all
            case .expression(let expression, let alias):
                columns.append(try alias?.text ?? Self.field(expression).0)
            }
        }
        let rows = try entities.map { shown in
            try projections.flatMap { projection -> [ResultValue] in
                switch projection {
                case .all:
                    [.string(shown.id), .string(shown.type)]
                        + all.map { name in shown.attributes.first { $0.name == name }?.value ?? .null }
                case .expression(let expression, _):
                    [try value(Self.field(expression), shown, created)]
                }
            }
        }
        return (columns, rows)
    }

    /// The attributes that the types of these declare, and what else they have, each once.
    private func attributes(of entities: [ResultEntity]) -> [String] {
        var names: [String] = []
        var seen: Set<String> = []
        var types: Set<String> = []
        for entity in entities {
            if types.insert(entity.type).inserted {
                for attribute in declared(entity.type) where seen.insert(attribute.name).inserted {
                    names.append(attribute.name)
                }
            }
            for fact in entity.attributes where seen.insert(fact.name).inserted { names.append(fact.name) }
        }
        return names
    }

    private func declared(_ type: String) -> [AttributeType] {
        session.schema.nodes[type]?.attributes ?? session.schema.edges[type]?.attributes ?? []
    }

    private static func field(_ expression: Expression) throws(Diagnostic) -> (String, SourceRange) {
        switch expression.kind {
        // The only one of these names that the language writes in capitals too.
        case .variable("CREATED"): return ("created", expression.range)
        case .variable(let name): return (name, expression.range)
        case .attribute(_, let name): return (name.text, name.range)
        default:
            throw Diagnostic(
                .unknownAttribute, "only fields can be returned here: id, *, created, and attributes",
                at: expression.range)
        }
    }

    private func value(
        _ field: (String, SourceRange), _ shown: ResultEntity, _ created: Bool?
    ) throws(Diagnostic) -> ResultValue {
        let (name, range) = field
        let declared = declared(shown.type)
        if declared.contains(where: { $0.name == name }) {
            return shown.attributes.first { $0.name == name }?.value ?? .null
        }
        switch name {
        case "id", "_id": return .string(shown.id)
        case "type", "_type": return .string(shown.type)
        case "_targets": return .list((shown.targets ?? []).map { .string($0) })
        case "created": return created.map { .bool($0) } ?? .null
        default:
            throw session.schema.unknownAttribute(Name(name, range), declared, shown.type)
        }
    }
}
