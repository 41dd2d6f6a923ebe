/// Holds what a node gives its parameters against the manifest.
enum ParameterCheck {
    /// What is wrong, by the order of the node's parameters and then of the manifest's.
    static func faults(_ node: FlowNode, _ manifest: PrimitiveManifest) -> [GraphFault] {
        var faults: [GraphFault] = []
        for (index, binding) in node.parameters.enumerated() {
            if index > 0, node.parameters[index - 1].name == binding.name {
                faults.append(.duplicateParameter(node: node.id, parameter: binding.name))
            }
            guard let parameter = manifest.parameter(binding.name) else {
                faults.append(.unknownParameter(node: node.id, parameter: binding.name))
                continue
            }
            guard let value = binding.value.converted(to: parameter.type) else {
                faults.append(
                    .parameterType(
                        node: node.id, parameter: binding.name, expected: parameter.type,
                        got: binding.value.kindName))
                continue
            }
            if !value.isFinite {
                faults.append(.parameterNotFinite(node: node.id, parameter: binding.name))
            } else if let reason = parameter.objection(to: value) ?? tooLong(value) {
                faults.append(
                    .parameterOutOfBounds(node: node.id, parameter: binding.name, reason: reason))
            }
        }
        for parameter in manifest.parameters where parameter.fallback == nil {
            if !node.parameters.contains(where: { $0.name == parameter.name }) {
                faults.append(.missingParameter(node: node.id, parameter: parameter.name))
            }
        }
        return faults
    }

    /// The values in the manifest's order, of a node that has been checked.
    static func values(_ node: FlowNode, _ manifest: PrimitiveManifest) -> [ParameterValue] {
        manifest.parameters.map { parameter in
            let given = node.parameters.first { $0.name == parameter.name }?.value ?? parameter.fallback
            return given?.converted(to: parameter.type) ?? .text("")
        }
    }

    private static func tooLong(_ value: ParameterValue) -> String? {
        guard case .text(let text) = value, text.utf8.count > GraphLimits.textMax else { return nil }
        return "is longer than \(GraphLimits.textMax) bytes"
    }
}
