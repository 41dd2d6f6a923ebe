internal import MeshCore
internal import MeshGraph

extension SchemaBuilder {
    mutating func buildEdges() {
        let places = entries.indices.filter {
            if case .edge = entries[$0].declaration { true } else { false }
        }
        var numbers: [String: Int] = [:]
        for (number, place) in places.enumerated() { numbers[entries[place].declaration.name.text] = number }
        // Parameters first: which edges an edge rests on is known only when aliases are looked through.
        var parameters: [[EdgeType.Parameter]?] = []
        for place in places {
            guard case .edge(let edge) = entries[place].declaration else { continue }
            parameters.append(resolveParameters(edge, source: entries[place].source))
        }
        let order = DependencyOrder(
            parameters.map { resolved in
                (resolved ?? []).flatMap { parameter in
                    parameter.type.members.compactMap {
                        if case .edge(.some(let name)) = $0 { numbers[name] } else { nil }
                    }
                }
            })
        let inOrder = Set(order.order)
        for (number, place) in places.enumerated() where !inOrder.contains(number) {
            let name = entries[place].declaration.name
            faulty.insert(name.text)
            if order.cyclic.contains(number) {
                report(
                    Diagnostic(
                        .edgeReferenceCycle, "the edge \(name) is about itself, by way of its parameters",
                        at: name.range), from: entries[place].source)
            }
        }
        for number in order.order {
            let entry = entries[places[number]]
            guard case .edge(let edge) = entry.declaration else { continue }
            if let resolved = parameters[number], let built = build(edge, resolved, source: entry.source) {
                schema.edges[edge.name.text] = built
            } else {
                faulty.insert(edge.name.text)
            }
        }
    }

    private mutating func resolveParameters(_ edge: EdgeDeclaration, source: Int) -> [EdgeType.Parameter]? {
        guard !edge.parameters.isEmpty, edge.parameters.count <= SchemaLimits.parameterCountMax else {
            report(
                Diagnostic(
                    .invalidDeclaration,
                    "the edge \(edge.name) has \(edge.parameters.count) parameters: 1 to \(SchemaLimits.parameterCountMax) are possible",
                    at: edge.name.range), from: source)
            return nil
        }
        var result: [EdgeType.Parameter] = []
        var names: Set<String> = []
        var isWhole = true
        for parameter in edge.parameters {
            if let name = parameter.name, !names.insert(name.text).inserted {
                report(
                    Diagnostic(
                        .duplicateName, "two parameters of \(edge.name) are called \(name)", at: name.range),
                    from: source)
                isWhole = false
            }
            guard let resolved = resolve(parameter.type, source: source) else {
                isWhole = false
                continue
            }
            if let fault = parameterFault(resolved.type, parameter, edge) {
                report(fault, from: source)
                isWhole = false
            }
            result.append(EdgeType.Parameter(name: parameter.name?.text, type: resolved.type))
        }
        return isWhole ? result : nil
    }

    private func parameterFault(
        _ type: StaticType, _ parameter: EdgeDeclaration.Parameter, _ edge: EdgeDeclaration
    ) -> Diagnostic? {
        for member in type.members {
            switch member {
            case .anyNode, .edge: continue
            case .node(let name):
                guard schema.nodes[name]?.isVirtual == true else { continue }
                return Diagnostic(
                    .systemType, "\(name) is a view of the system's: no edge can hold on to it",
                    at: parameter.type.range, hint: "keep its id in an attribute")
            default:
                return Diagnostic(
                    .invalidDeclaration, "an edge is between nodes and edges, and not \(member)",
                    at: parameter.type.range,
                    hint: "declare \(member == .null ? "it without ?" : "an attribute") ")
            }
        }
        return nil
    }

    private mutating func build(
        _ edge: EdgeDeclaration, _ parameters: [EdgeType.Parameter], source: Int
    ) -> EdgeType? {
        // An edge about one that was left out is left out too.
        for parameter in parameters {
            for case .edge(.some(let name)) in parameter.type.members where faulty.contains(name) {
                return nil
            }
        }
        let modifiers = judge(edge, parameters, source: source)
        let attributes = judge(edge.attributes, of: edge.name.text, source: source)
        guard let modifiers, let attributes else { return nil }
        guard attributes.count <= SchemaLimits.attributeCountMax, attributes.count <= attributesLeft else {
            report(
                Diagnostic(
                    .invalidDeclaration, "\(edge.name) has \(attributes.count) attributes, which is too much",
                    at: edge.name.range), from: source)
            return nil
        }
        attributesLeft -= attributes.count
        return EdgeType(
            name: edge.name.text, isSystem: false, parameters: parameters, isSymmetric: modifiers.isSymmetric,
            noSelf: modifiers.noSelf, isAcyclic: modifiers.isAcyclic, isUnique: modifiers.isUnique,
            cardinalities: modifiers.cardinalities, onKillSource: modifiers.onKillSource ?? .unlink,
            onKillTarget: modifiers.onKillTarget ?? .unlink, attributes: attributes,
            documentation: edge.documentation)
    }
}
