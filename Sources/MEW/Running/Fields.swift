internal import MeshGraph

/// What RETURNING and INSPECT name of one entity: `id`, `*`, `created`, attributes.
struct Fields {
    let session: Session
    let projections: [Projection]

    /// The columns and the row of one entity.
    func row(
        of id: LocalID, created: Bool?
    ) throws -> (columns: [String], values: [ResultValue]) {
        let context = session.context(NameSlots(), slotCount: 0)
        guard case .entity(let shown) = try context.result(.entity(id)) else { return ([], []) }
        var columns: [String] = []
        var values: [ResultValue] = []
        for projection in projections {
            switch projection {
            case .all:
                columns += ["_id", "_type"] + shown.attributes.map(\.name)
                values += [.string(shown.id), .string(shown.type)] + shown.attributes.map(\.value)
            case .expression(let expression, let alias):
                let (name, range) = try Self.field(expression)
                columns.append(alias?.text ?? name)
                values.append(try value(name, range, shown, created))
            }
        }
        return (columns, values)
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
        _ name: String, _ range: SourceRange, _ shown: ResultEntity, _ created: Bool?
    ) throws(Diagnostic) -> ResultValue {
        let declared =
            session.schema.nodes[shown.type]?.attributes ?? session.schema.edges[shown.type]?.attributes ?? []
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
