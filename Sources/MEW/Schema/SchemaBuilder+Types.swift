internal import MeshCore
internal import MeshGraph

extension SchemaBuilder {
    /// A type as it was resolved, with the checks that an alias brings.
    struct Resolved {
        var type: StaticType
        var checks: [ValueCheck] = []
    }

    /// What a type expression means.
    ///
    /// - Returns: `nil` for one with a fault, which has been reported unless it rests on another.
    mutating func resolve(_ expression: TypeExpression, source: Int) -> Resolved? {
        switch expression.kind {
        case .named(let name): return resolve(Name(name, expression.range), source: source)
        case .any: return Resolved(type: .anyNode)
        case .edge(nil): return Resolved(type: .edge(nil))
        case .edge(.some(let name)): return resolveEdge(Name(name, expression.range), source: source)
        case .optional(let inner):
            guard let resolved = resolve(inner, source: source) else { return nil }
            return Resolved(type: .either([resolved.type, .null]), checks: resolved.checks)
        case .list(let element): return resolveList(element, at: expression.range, source: source)
        case .union(let members): return resolveUnion(members, at: expression.range, source: source)
        }
    }

    /// `edge<name>`: an edge, or an alias of one.
    private mutating func resolveEdge(_ name: Name, source: Int) -> Resolved? {
        let text = unqualified(name.text)
        if faulty.contains(text) { return nil }
        if let alias = schema.aliases[text], case .edge = alias.type { return Resolved(type: alias.type) }
        if let place = places[Key(space: .type, name: text)], case .edge = entries[place].declaration {
            return Resolved(type: .edge(text))
        }
        var names: [String] = []
        if nearestLeft > 0 {
            for case .edge(let edge) in entries.map(\.declaration) { names.append(edge.name.text) }
        }
        report(
            Diagnostic(
                .unknownEdge, "there is no edge \(text)", at: name.range,
                hint: nearest(text, among: names.sorted()).map { "did you mean \($0)?" }), from: source)
        return nil
    }

    private mutating func resolveList(
        _ element: TypeExpression, at range: SourceRange, source: Int
    ) -> Resolved? {
        guard let inner = resolve(element, source: source) else { return nil }
        let holdsValues = inner.type.members.allSatisfy { if case .scalar = $0 { true } else { false } }
        guard holdsValues else {
            report(
                Diagnostic(
                    .invalidDeclaration, "a list holds scalars, and not \(inner.type)", at: element.range,
                    hint: "link with an edge to have several"), from: source)
            return nil
        }
        return Resolved(type: .list(inner.type), checks: inner.checks)
    }

    private mutating func resolveUnion(
        _ members: [TypeExpression], at range: SourceRange, source: Int
    ) -> Resolved? {
        guard members.count <= SchemaLimits.unionCountMax else {
            report(tooManyMembers(at: range), from: source)
            return nil
        }
        var types: [StaticType] = []
        var isWhole = true
        for member in members {
            guard let resolved = resolve(member, source: source) else {
                isWhole = false
                continue
            }
            if !resolved.checks.isEmpty {
                report(
                    Diagnostic(
                        .invalidDeclaration,
                        "\(member.canonicalText) has modifiers and cannot be in a union",
                        at: member.range), from: source)
                isWhole = false
            }
            types.append(resolved.type)
            workLeft -= resolved.type.members.count
        }
        guard workLeft > 0 else {
            report(
                Diagnostic(.invalidDeclaration, "the unions have too many members together", at: range),
                from: source)
            return nil
        }
        let union = StaticType.either(types)
        if union.members.count > SchemaLimits.unionCountMax {
            report(tooManyMembers(at: range), from: source)
            return nil
        }
        return isWhole ? Resolved(type: union) : nil
    }

    private func tooManyMembers(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .invalidDeclaration, "a union has at most \(SchemaLimits.unionCountMax) members", at: range)
    }

    private mutating func resolve(_ name: Name, source: Int) -> Resolved? {
        var text = name.text
        if let separator = text.range(of: "::", after: text.startIndex) {
            // Ontologies share one space of names; the prefix only has to be one of them.
            let ontology = String(text[..<separator.lowerBound])
            guard ontologyNames.contains(ontology) else {
                reportUnknown("ontology", Name(ontology, name.range), among: ontologyNames.sorted(), source)
                return nil
            }
            text = String(text[separator.upperBound...])
        }
        if let scalar = ScalarType(rawValue: text) { return Resolved(type: .scalar(scalar)) }
        if let alias = schema.aliases[text] { return Resolved(type: alias.type, checks: alias.checks) }
        if faulty.contains(text) { return nil }
        if schema.nodes[text] != nil { return Resolved(type: .node(text)) }
        if let place = places[Key(space: .type, name: text)] {
            switch entries[place].declaration {
            case .node: return Resolved(type: .node(text))
            case .edge: return Resolved(type: .edge(text))
            default: return nil
            }
        }
        // The words of the language may be written in small letters.
        for scalar in ScalarType.allCases where scalar.rawValue.lowercased() == text.lowercased() {
            return Resolved(type: .scalar(scalar))
        }
        reportUnknown("type", Name(text, name.range), among: typeNames, source)
        return nil
    }

    /// Every name that may stand for a type, sorted.
    private var typeNames: [String] {
        guard nearestLeft > 0 else { return [] }
        var names = ScalarType.allCases.map(\.rawValue) + schema.nodes.map(\.key)
        for entry in entries where entry.declaration.space == .type {
            names.append(entry.declaration.name.text)
        }
        return Set(names).sorted()
    }

    mutating func reportUnknown(_ what: String, _ name: Name, among names: [String], _ source: Int) {
        report(
            Diagnostic(
                .unknownType, "there is no \(what) \(name)", at: name.range,
                hint: nearest(name.text, among: names).map { "did you mean \($0)?" }), from: source)
    }

    // MARK: Aliases

    mutating func buildAliases() {
        let places = entries.indices.filter {
            if case .alias = entries[$0].declaration { true } else { false }
        }
        _ = buildInOrder(
            places,
            needs: { _, declaration in
                guard case .alias(let alias) = declaration else { return [] }
                return alias.type.names
            },
            circle: { Diagnostic(.invalidDeclaration, "the type \($0) is made of itself", at: $0.range) },
            build: { builder, declaration, source in
                guard case .alias(let alias) = declaration,
                    let built = builder.build(alias, source: source)
                else { return false }
                builder.schema.aliases[alias.name.text] = built
                return true
            })
    }

    private mutating func build(_ alias: AliasDeclaration, source: Int) -> AliasType? {
        guard let resolved = resolve(alias.type, source: source) else { return nil }
        if let modifier = alias.modifiers.first, resolved.type.withoutNull.members.count > 1 {
            report(
                Diagnostic(.invalidModifier, "a union takes no modifiers", at: modifier.range), from: source)
            return nil
        }
        guard
            let modifiers = judge(
                alias.modifiers, of: alias.name.text, on: resolved.type, inherited: resolved.checks,
                isAlias: true, source: source)
        else { return nil }
        return AliasType(name: alias.name.text, type: resolved.type, checks: modifiers.checks)
    }

    /// Leaves out the aliases of node types that have been left out since.
    mutating func dropAliasesOfFaultyTypes() {
        for name in schema.aliases.keys.sorted() {
            let names = schema.aliases[name]?.type.members.compactMap { member -> String? in
                if case .node(let name) = member { name } else { nil }
            }
            guard let names, names.contains(where: faulty.contains) else { continue }
            schema.aliases[name] = nil
            faulty.insert(name)
        }
    }
}

extension TypeExpression {
    /// The names in it, without the ontologies before them.
    var names: [String] {
        switch kind {
        case .named(let name), .edge(.some(let name)):
            guard let separator = name.range(of: "::", after: name.startIndex) else { return [name] }
            return [String(name[separator.upperBound...])]
        case .any, .edge(nil): return []
        case .optional(let inner), .list(let inner): return inner.names
        case .union(let members): return members.flatMap(\.names)
        }
    }
}

extension String {
    /// The last place of `mark` from `start` on.
    fileprivate func range(of mark: String, after start: Index) -> Range<Index>? {
        self[start...].ranges(of: mark).last
    }
}
