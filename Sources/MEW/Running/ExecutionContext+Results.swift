internal import MeshGraph

extension ExecutionContext {
    /// A value in terms that hold outside of the transaction.
    func result(_ value: GraphValue) throws -> ResultValue {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .float(let value): .float(value)
        case .string(let value): .string(value)
        case .timestamp(let value): .timestamp(value)
        case .duration(let value): .duration(value)
        case .hash(let value): .hash(value)
        case .bytes(let value): .bytes(value)
        case .list(let values): .list(try values.map { try result($0) })
        case .entity(let id): try entityResult(id)
        }
    }

    private func entityResult(_ id: LocalID) throws -> ResultValue {
        if id.isVirtual {
            guard let (type, row) = virtualRow(id) else { return .null }
            return .entity(
                ResultEntity(
                    id: type + "/" + row.key, type: type, targets: nil,
                    attributes: try row.attributes.compactMap { attribute in
                        attribute.value.isNull
                            ? nil : StatementResult.Fact(attribute.name, try result(attribute.value))
                    }))
        }
        guard let entity = try view.entity(id) else { return .null }
        let type = try view.name(entity.type)
        var facts: [StatementResult.Fact] = []
        for attribute in entity.attributes {
            let name = try view.name(attribute.name)
            if let visibility, try !visibility.isReadable(name, of: id, self) { continue }
            facts.append(StatementResult.Fact(name, try result(attribute.value)))
        }
        let declared = schema.nodes[type]?.attributes ?? schema.edges[type]?.attributes ?? []
        let places = Dictionary(
            declared.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        facts.sort {
            (places[$0.name] ?? .max, $0.name) < (places[$1.name] ?? .max, $1.name)
        }
        return .entity(
            ResultEntity(
                id: try idText(id), type: type,
                targets: entity.isEdge ? try entity.targets.map { try idText($0) } : nil, attributes: facts))
    }
}
