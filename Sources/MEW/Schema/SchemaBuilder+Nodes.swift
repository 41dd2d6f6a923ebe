internal import MeshCore
internal import MeshGraph

extension SchemaBuilder {
    mutating func buildNodes() {
        let places = entries.indices.filter {
            if case .node = entries[$0].declaration { true } else { false }
        }
        let order = buildInOrder(
            places,
            needs: { builder, declaration in
                guard case .node(let node) = declaration else { return [] }
                return node.parents.map { builder.unqualified($0.text) }
            },
            circle: { Diagnostic(.inheritanceConflict, "\($0) is above itself", at: $0.range) },
            build: { builder, declaration, source in
                guard case .node(let node) = declaration,
                    let built = builder.build(node, source: source)
                else { return false }
                builder.schema.nodes[node.name.text] = built
                return true
            })
        collectConcreteTypes(order.map { entries[$0].declaration.name.text })
    }

    func unqualified(_ name: String) -> String {
        guard let separator = name.ranges(of: "::").last,
            ontologyNames.contains(String(name[..<separator.lowerBound]))
        else { return name }
        return String(name[separator.upperBound...])
    }

    private mutating func build(_ node: NodeDeclaration, source: Int) -> NodeType? {
        guard node.parents.count <= SchemaLimits.parentCountMax else {
            report(
                Diagnostic(
                    .invalidDeclaration,
                    "\(node.name) is right below \(node.parents.count) types: \(SchemaLimits.parentCountMax) are the most",
                    at: node.name.range), from: source)
            return nil
        }
        var isWhole = true
        var parents: [NodeType] = []
        for name in node.parents {
            switch parent(name, of: node, source: source) {
            case .some(let parent) where parents.contains { $0.name == parent.name }:
                report(
                    Diagnostic(.duplicateName, "\(node.name) names \(name) twice", at: name.range),
                    from: source)
                isWhole = false
            case .some(let parent): parents.append(parent)
            case nil: isWhole = false
            }
        }
        if node.isAbstract, node.isSealed {
            report(
                Diagnostic(
                    .invalidDeclaration, "\(node.name) is abstract and sealed: nothing could be one",
                    at: node.name.range), from: source)
            isWhole = false
        }
        let own = judge(
            node.attributes, of: node.name.text, source: source)
        guard isWhole, let own else { return nil }
        guard let attributes = inherit(own, from: parents, by: node, source: source) else { return nil }
        var ancestors: Set<String> = []
        for parent in parents { ancestors.formUnion(parent.ancestors.union([parent.name])) }
        if ancestors.count > SchemaLimits.ancestorCountMax
            || attributes.count > SchemaLimits.attributeCountMax
            || attributes.count > attributesLeft
        {
            report(
                Diagnostic(
                    .invalidDeclaration,
                    "\(node.name) has \(ancestors.count) types above it and \(attributes.count) attributes, which is too much",
                    at: node.name.range,
                    hint:
                        "\(SchemaLimits.ancestorCountMax) types and \(SchemaLimits.attributeCountMax) attributes are the most"
                ),
                from: source)
            return nil
        }
        attributesLeft -= attributes.count
        return NodeType(
            name: node.name.text, isAbstract: node.isAbstract, isSealed: node.isSealed, isSystem: false,
            parents: parents.map(\.name), ancestors: ancestors, concreteTypes: [], attributes: attributes,
            documentation: node.documentation)
    }

    private mutating func parent(_ name: Name, of node: NodeDeclaration, source: Int) -> NodeType? {
        let text = unqualified(name.text)
        if let parent = schema.nodes[text] {
            guard parent.isSealed else { return parent }
            report(
                Diagnostic(.sealedType, "\(text) is sealed: nothing can be below it", at: name.range),
                from: source)
            return nil
        }
        // What has been left out has been reported.
        if faulty.contains(text) { return nil }
        if ScalarType(rawValue: text) != nil || text == "any" || schema.aliases[text] != nil
            || places[Key(space: .type, name: text)] != nil
        {
            report(
                Diagnostic(
                    .invalidDeclaration, "\(text) is not a node type, and \(node.name) cannot be below it",
                    at: name.range), from: source)
            return nil
        }
        reportUnknown("type", Name(text, name.range), among: schema.nodes.map(\.key).sorted(), source)
        return nil
    }

    // MARK: Inheritance

    /// The inherited attributes with a type's own: those from above first, each once.
    private mutating func inherit(
        _ own: [AttributeType], from parents: [NodeType], by node: NodeDeclaration, source: Int
    ) -> [AttributeType]? {
        var result: [AttributeType] = []
        var places: [String: Int] = [:]
        var origins: [String: String] = [:]
        var isWhole = true
        func add(_ attribute: AttributeType, from origin: String) -> Diagnostic? {
            guard let place = places[attribute.name] else {
                places[attribute.name] = result.count
                origins[attribute.name] = origin
                result.append(attribute)
                return nil
            }
            guard
                let merged = result[place].merged(
                    with: attribute, prefersOther: origin == node.name.text)
            else {
                let first = result[place]
                let range = node.attributes.first { $0.name.text == attribute.name }?.name.range
                let difference =
                    first.type.isSame(as: attribute.type)
                    ? (first.isUnique && attribute.isUnique
                        ? (first.isUnique && attribute.isUnique
                            ? "is unique in both" : "is checked for too much") : "is checked for too much")
                    : "is \(first.type) in one and \(attribute.type) in the other"
                return Diagnostic(
                    .inheritanceConflict,
                    "\(node.name) has \(attribute.name) from \(origins[attribute.name] ?? first.declaredIn) and from \(origin): it \(difference)",
                    at: range ?? node.name.range)
            }
            result[place] = merged
            return nil
        }
        for parent in parents {
            for attribute in parent.attributes {
                if let fault = add(attribute, from: parent.name) {
                    report(fault, from: source)
                    isWhole = false
                }
            }
        }
        for attribute in own {
            if let fault = add(attribute, from: node.name.text) {
                report(fault, from: source)
                isWhole = false
            }
        }
        return isWhole ? result : nil
    }

    /// Writes into every type which concrete ones are it or below it.
    private mutating func collectConcreteTypes(_ names: [String]) {
        var below: [String: [String]] = [:]
        for name in names {
            guard let node = schema.nodes[name], !node.isAbstract else { continue }
            below[name, default: []].append(name)
            for ancestor in node.ancestors.sorted() { below[ancestor, default: []].append(name) }
        }
        for name in names { schema.nodes[name]?.concreteTypes = (below[name] ?? []).sorted() }
    }
}

extension AttributeType {
    /// The attribute as it is where two declarations of it meet, this one above or before the other.
    ///
    /// - Returns: `nil` when they cannot be one: the types differ, each is unique among types of its own, or the
    ///   checks are too many together.
    ///
    /// - Parameters:
    ///   - other: The declaration below this one, or after it.
    ///   - prefersOther: Whether the other's default counts first: it is the type's own.
    func merged(with other: AttributeType, prefersOther: Bool) -> AttributeType? {
        guard type.isSame(as: other.type) else { return nil }
        if isUnique, other.isUnique, declaredIn != other.declaredIn { return nil }
        let origin: String
        if isUnique == other.isUnique {
            origin = isIndexed || !other.isIndexed ? declaredIn : other.declaredIn
        } else {
            origin = isUnique ? declaredIn : other.declaredIn
        }
        let known = other.checks.isEmpty ? [] : Set(checks)
        let all = checks + other.checks.filter { !known.contains($0) }
        guard all.weight <= SchemaLimits.checkCountMax else { return nil }
        return AttributeType(
            name: name, type: type, isRequired: isRequired || other.isRequired,
            isUnique: isUnique || other.isUnique, isReadonly: isReadonly || other.isReadonly,
            isIndexed: isIndexed || other.isIndexed,
            checks: all,
            defaultValue: prefersOther
                ? other.defaultValue ?? defaultValue : defaultValue ?? other.defaultValue,
            declaredIn: origin,
            documentation: prefersOther
                ? other.documentation ?? documentation : documentation ?? other.documentation)
    }
}
