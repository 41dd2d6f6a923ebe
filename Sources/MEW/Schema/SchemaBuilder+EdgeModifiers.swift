internal import MeshCore
extension SchemaBuilder {
    /// What the modifiers of an edge come to.
    struct EdgeModifiers {
        var isSymmetric = false
        var noSelf = false
        var isAcyclic = false
        var isUnique = false
        var cardinalities: [EdgeType.Cardinality] = []
        var onKillSource: EdgeModifier.ReferentialAction?
        var onKillTarget: EdgeModifier.ReferentialAction?
    }

    /// Judges an edge's modifiers against its parameters.
    ///
    /// - Returns: `nil` when one has a fault, which has been reported.
    mutating func judge(
        _ edge: EdgeDeclaration, _ parameters: [EdgeType.Parameter], source: Int
    ) -> EdgeModifiers? {
        var result = EdgeModifiers()
        var isWhole = true
        for modifier in edge.modifiers {
            do throws(Diagnostic) { try apply(modifier, of: edge, parameters, to: &result) } catch {
                report(error, from: source)
                isWhole = false
            }
        }
        if isWhole, result.isSymmetric {
            do throws(Diagnostic) { try mirror(&result, of: edge) } catch {
                report(error, from: source)
                isWhole = false
            }
        }
        result.cardinalities.sort { $0.position < $1.position }
        return isWhole ? result : nil
    }

    private mutating func apply(
        _ modifier: EdgeModifier, of edge: EdgeDeclaration, _ parameters: [EdgeType.Parameter],
        to result: inout EdgeModifiers
    ) throws(Diagnostic) {
        func fault(_ message: String, hint: String? = nil) -> Diagnostic {
            Diagnostic(.invalidModifier, message, at: modifier.range, hint: hint)
        }
        switch modifier.kind {
        case .symmetric:
            guard parameters.count == 2, parameters[0].type.isSame(as: parameters[1].type) else {
                throw fault("a symmetric edge has two parameters of one type, and \(edge.name) has not")
            }
            result.isSymmetric = true
        case .noSelf, .acyclic:
            let name = if case .noSelf = modifier.kind { "no_self" } else { "acyclic" }
            guard parameters.count == 2, canMeet(parameters[0].type, parameters[1].type) else {
                throw fault(
                    "\(name) wants two parameters that can be the same node, and \(edge.name) has not")
            }
            if case .noSelf = modifier.kind { result.noSelf = true } else { result.isAcyclic = true }
        case .unique: result.isUnique = true
        // Every edge is indexed by each of its parameters.
        case .indexed: break
        case .cardinality(let name, let minimum, let maximum):
            let position = try position(name, of: edge, parameters)
            if result.cardinalities.contains(where: { $0.position == position }) {
                throw fault("\(name) of \(edge.name) is restricted twice")
            }
            if minimum < 0 || (maximum.map { $0 < max(1, minimum) } ?? false) {
                throw fault("\(minimum)..\(maximum.map(String.init) ?? "*") is no number of edges")
            }
            result.cardinalities.append(
                EdgeType.Cardinality(position: position, minimum: minimum, maximum: maximum))
        case .onKillSource(let action):
            guard parameters.count == 2 else {
                throw fault("on_kill_source is for edges with two parameters")
            }
            if result.onKillSource != nil { throw fault("on_kill_source is given twice") }
            result.onKillSource = action
        case .onKillTarget(let action):
            guard parameters.count == 2 else {
                throw fault("on_kill_target is for edges with two parameters")
            }
            if result.onKillTarget != nil { throw fault("on_kill_target is given twice") }
            result.onKillTarget = action
        }
    }

    /// The ends of a symmetric edge cannot be told apart: what holds for one holds for both.
    private func mirror(_ result: inout EdgeModifiers, of edge: EdgeDeclaration) throws(Diagnostic) {
        let restrictions = result.cardinalities
        if let first = restrictions.first {
            for other in restrictions.dropFirst()
            where other.minimum != first.minimum || other.maximum != first.maximum {
                throw Diagnostic(
                    .invalidModifier, "\(edge.name) is symmetric and has different cardinalities",
                    at: edge.name.range)
            }
            result.cardinalities = [0, 1].map {
                EdgeType.Cardinality(position: $0, minimum: first.minimum, maximum: first.maximum)
            }
        }
        if let source = result.onKillSource, let target = result.onKillTarget, source != target {
            throw Diagnostic(
                .invalidModifier, "\(edge.name) is symmetric and does different things for its ends",
                at: edge.name.range)
        }
        let action = result.onKillSource ?? result.onKillTarget
        result.onKillSource = action
        result.onKillTarget = action
    }

    /// The parameter that a cardinality names: by its name, else by its type where only one has it, else as `source`
    /// or `target` of two, else by its number from 1.
    private func position(
        _ name: Name, of edge: EdgeDeclaration, _ parameters: [EdgeType.Parameter]
    ) throws(Diagnostic) -> Int {
        if let place = parameters.firstIndex(where: { $0.name == name.text }) { return place }
        let byType = edge.parameters.indices.filter {
            edge.parameters[$0].name == nil && edge.parameters[$0].type.canonicalText == name.text
        }
        if byType.count == 1 { return byType[0] }
        if parameters.count == 2, name.text == "source" || name.text == "target" {
            return name.text == "source" ? 0 : 1
        }
        if let number = Int(name.text), number >= 1, number <= parameters.count { return number - 1 }
        let hint =
            byType.count > 1
            ? "both are \(name): give the parameters names"
            : NearestName.of(name.text, among: parameters.compactMap(\.name)).map { "did you mean \($0)?" }
        throw Diagnostic(
            .invalidModifier, "\(edge.name) has no one parameter \(name)", at: name.range, hint: hint)
    }

    /// Whether one node or edge can be of both types.
    private mutating func canMeet(_ first: StaticType, _ second: StaticType) -> Bool {
        for a in first.members {
            for b in second.members {
                if canMeetPair(a, b) { return true }
                workLeft -= 1
                if workLeft <= 0 { return false }
            }
        }
        return false
    }

    private mutating func canMeetPair(_ first: StaticType, _ second: StaticType) -> Bool {
        switch (first, second) {
        case (.anyNode, .node), (.node, .anyNode), (.anyNode, .anyNode): return true
        case (.edge(let a), .edge(let b)): return a == nil || b == nil || a == b
        case (.node(let a), .node(let b)):
            if schema.isSubtype(a, of: b) || schema.isSubtype(b, of: a) { return true }
            return haveCommonName(schema.concreteTypes(of: a), schema.concreteTypes(of: b))
        default: return false
        }
    }

    /// Whether two sorted lists share a name.
    private mutating func haveCommonName(_ first: [String], _ second: [String]) -> Bool {
        var a = 0
        var b = 0
        while a < first.count, b < second.count, workLeft > 0 {
            if first[a] == second[b] { return true }
            workLeft -= 1
            if first[a] < second[b] { a += 1 } else { b += 1 }
        }
        return false
    }
}
