public import MeshGraph

/// Which indexes a schema wants by itself.
public enum IndexPlan {
    /// One index for every attribute that is unique or indexed, over the declaring type and all below it, by name.
    ///
    /// The system's views have none: their tables look up by themselves.
    public static func definitions(for schema: GraphSchema) -> [IndexDefinition] {
        var result: [IndexDefinition] = []
        for node in schema.nodes.map(\.value) where !node.isVirtual && !node.concreteTypes.isEmpty {
            result += definitions(node.attributes, declaredIn: node.name, types: node.concreteTypes)
        }
        for edge in schema.edges.map(\.value) {
            result += definitions(edge.attributes, declaredIn: edge.name, types: [edge.name])
        }
        return result.sorted { $0.name < $1.name }
    }

    /// The name of the index that a unique or indexed attribute has.
    public static func name(of attribute: AttributeType) -> String {
        "\(attribute.declaredIn).\(attribute.name)"
    }

    private static func definitions(
        _ attributes: [AttributeType], declaredIn owner: String, types: [String]
    ) -> [IndexDefinition] {
        attributes.filter { $0.declaredIn == owner && ($0.isUnique || $0.isIndexed) }.map { attribute in
            IndexDefinition(
                name: name(of: attribute), types: types, attribute: attribute.name,
                isUnique: attribute.isUnique)
        }
    }
}
