internal import MeshCore
internal import MeshGraph

extension GraphTransaction {
    // MARK: SPAWN

    /// Adds a node, if the schema, the policies and the constraints that are judged at once allow it.
    func spawn(_ type: Name, key: String?, _ assigned: [AssignedValue], at range: SourceRange?) throws
        -> LocalID
    {
        let node = try declared(node: type)
        let attributes = try filled(assigned, of: node.name, node.attributes, at: range)
        if let key {
            guard key.utf8.count <= EntityID.keyByteCountMax, !key.isEmpty else {
                throw Diagnostic(
                    .valueRefused, "a key has 1 to \(EntityID.keyByteCountMax) bytes", at: range)
            }
            if let present = try view.localID(.key(type: node.name, key: key)), try view.isVisible(present) {
                throw Diagnostic(
                    .duplicateKey, "there is a \(node.name) with the key \(key) already", at: range,
                    hint: "SET #\"\(node.name)/\(key)\" { … } changes it")
            }
        }
        for attribute in attributes {
            try requireUnique(attribute, in: node.attributes, of: node.name, except: nil, at: range)
        }
        let id = try apply(.spawn(type: node.name, key: key, attributes: attributes), at: range)
        try permit(.spawn, id, node.name, nil, at: range)
        touch(id)
        try rules?.settle(self)
        return id
    }

    private func declared(node name: Name) throws(Diagnostic) -> NodeType {
        if session.authority.isKernel, let node = session.schema.nodes[name.text], !node.isVirtual {
            return node
        }
        guard case .node(let aliased)? = session.schema.aliases[name.text]?.type else {
            return try session.schema.spawnable(name)
        }
        return try session.schema.spawnable(Name(aliased, name.range))
    }

    /// The attributes of something new; warnings are kept.
    private func filled(
        _ assigned: [AssignedValue], of owner: String, _ declared: [AttributeType], at range: SourceRange?
    ) throws(Diagnostic) -> [GraphAttribute] {
        let filled = session.schema.fill(
            assigned, into: declared, of: owner, now: session.now.milliseconds, at: range)
        if let fault = filled.errors.first { throw fault }
        if warnings.count < 100 { warnings += filled.warnings }
        return filled.attributes
    }

    func declared(edge name: Name) throws(Diagnostic) -> EdgeType {
        guard let edge = session.schema.edges[name.text] else {
            let nearest = NearestName.of(name.text, among: session.schema.edges.keys.sorted())
            throw Diagnostic(
                .unknownEdge, "there is no edge \(name.text)", at: name.range,
                hint: nearest.map { "did you mean \($0)?" } ?? "SHOW EDGES lists those that are declared")
        }
        guard !edge.isSystem || session.authority.isKernel else {
            throw Diagnostic(
                .systemType, "\(edge.name) belongs to the system: it can be read and not written",
                at: name.range)
        }
        return edge
    }

    /// Refuses a value that another entity has, where it must be the only one.
    private func requireUnique(
        _ attribute: GraphAttribute, in declared: [AttributeType], of type: String, except own: LocalID?,
        at range: SourceRange?
    ) throws {
        guard !attribute.value.isNull,
            let declaration = declared.first(where: { $0.name == attribute.name }), declaration.isUnique
        else { return }
        let scope =
            session.schema.nodes[declaration.declaredIn] != nil
            ? session.schema.concreteTypes(of: declaration.declaredIn) : [type]
        for id in try holders(of: attribute, among: scope) where id != own {
            let text = try session.unfilteredContext(NameSlots(), slotCount: 0).idText(id)
            throw Diagnostic(
                .duplicateUnique,
                "\(type).\(attribute.name) must be unique, and \(text) has \(attribute.value.shown) already",
                at: range)
        }
    }

    /// The visible entities of these types whose attribute has this value.
    private func holders(of attribute: GraphAttribute, among types: [String]) throws -> [LocalID] {
        let wanted = Set(types)
        guard let name = try view.nameID(attribute.name) else { return [] }
        func holds(_ id: LocalID) throws -> Bool {
            guard let entity = try view.entity(id), entity[name] == attribute.value else { return false }
            return try wanted.contains(view.name(entity.type))
        }
        for index in try view.indexes()
        where index.definition.attribute == attribute.name && wanted.isSubset(of: index.definition.types) {
            return try view.lookUp(attribute.value, in: index).filter(holds)
        }
        // The ontology was loaded by this very transaction: no index yet.
        var found: [LocalID] = []
        for type in types {
            guard let number = try view.nameID(type) else { continue }
            var cursor = view.entities(ofType: number)
            while let id = try cursor.next() { if try holds(id) { found.append(id) } }
        }
        return found
    }

    // MARK: LINK

    /// Adds an edge, or with `ifNotExists` finds the one that is there.
    func link(
        _ name: Name, _ given: [LocalID], ifNotExists: Bool, _ assigned: [AssignedValue],
        at range: SourceRange?
    ) throws -> (id: LocalID, created: Bool) {
        let edge = try declared(edge: name)
        guard given.count == edge.parameters.count else {
            throw Diagnostic(
                .wrongArity, "\(edge.name) joins \(edge.parameters.count), and \(given.count) are given",
                at: range, hint: edge.signature)
        }
        try requireTargets(given, of: edge, at: range)
        var targets = given
        if edge.isSymmetric, targets.count == 2, try view.entityID(targets[1]) < view.entityID(targets[0]) {
            targets.swapAt(0, 1)
        }
        if edge.noSelf, targets.count == 2, targets[0] == targets[1] {
            throw Diagnostic(.selfLink, "\(edge.name) may not join something with itself", at: range)
        }
        if ifNotExists || edge.isUnique, let present = try existing(edge, targets) {
            if ifNotExists { return (present, false) }
            throw Diagnostic(
                .duplicateUnique, "these are joined by \(edge.name) already, and it is unique", at: range,
                hint: "LINK IF NOT EXISTS takes the one that is there")
        }
        try requireRoom(edge, targets, at: range)
        if edge.isAcyclic, try reaches(targets[1], targets[0], by: edge.name) {
            throw Diagnostic(
                .cycle, "\(edge.name) may not lead back to where it starts, and this edge would make it",
                at: range)
        }
        let attributes = try filled(assigned, of: edge.name, edge.attributes, at: range)
        for attribute in attributes {
            try requireUnique(attribute, in: edge.attributes, of: edge.name, except: nil, at: range)
        }
        let id = try apply(
            .link(
                edge: edge.name, targets: targets.map { try target($0) }, isUnique: edge.isUnique,
                attributes: attributes), at: range)
        try permit(.link, id, edge.name, nil, at: range)
        touch(id)
        for target in targets { touch(target) }
        try rules?.settle(self)
        return (id, true)
    }

    private func requireTargets(
        _ targets: [LocalID], of edge: EdgeType, at range: SourceRange?
    ) throws {
        let compiler = try session.compiler()
        let context = session.unfilteredContext(compiler.names, slotCount: 0)
        for (position, target) in targets.enumerated() {
            let parameter = edge.parameters[position]
            let test = compiler.typeTest(parameter.type)
            try compiler.names.resolve(view)
            guard !target.isVirtual else {
                throw Diagnostic(
                    .systemType, "rows of system types have no edges of their own", at: range,
                    hint: "keep their id in an attribute, and compare it")
            }
            guard try view.isVisible(target) else {
                throw Diagnostic(.edgeTargetMissing, "a target of \(edge.name) is not there", at: range)
            }
            guard try context.fits(target, test) else {
                let type = try context.typeName(target) ?? "nothing"
                throw Diagnostic(
                    .edgeTargetType,
                    "\(edge.name) joins \(parameter.type) at \(parameter.name ?? "place \(position + 1)"), and this is \(type)",
                    at: range, hint: edge.signature)
            }
        }
    }

    /// An edge of this name with exactly these targets.
    private func existing(_ edge: EdgeType, _ targets: [LocalID]) throws -> LocalID? {
        guard let name = try view.nameID(edge.name) else { return nil }
        var links = view.links(of: targets[0], edge: name, at: 0)
        while let (id, peer) = try links.next() {
            if targets.count == 2 {
                if peer == targets[1] { return id }
            } else if try view.entity(id)?.targets == targets {
                return id
            }
        }
        return nil
    }

    private func requireRoom(_ edge: EdgeType, _ targets: [LocalID], at range: SourceRange?) throws {
        guard let name = try view.nameID(edge.name) else { return }
        for cardinality in edge.cardinalities {
            guard let maximum = cardinality.maximum else { continue }
            let count = try degree(of: targets[cardinality.position], edge, name, at: cardinality.position)
            guard count >= maximum else { continue }
            let parameter = edge.parameters[cardinality.position]
            throw Diagnostic(
                .cardinalityExceeded,
                "each \(parameter.name ?? parameter.type.description) has at most \(maximum) \(edge.name)",
                at: range,
                hint: "UNLINK the one that is there first")
        }
    }

    func degree(of entity: LocalID, _ edge: EdgeType, _ name: NameID, at position: Int) throws -> Int {
        let count = try view.linkCount(of: entity, edge: name, at: position)
        guard edge.isSymmetric else { return count }
        return count + (try view.linkCount(of: entity, edge: name, at: 1 - position))
    }

    /// Whether edges of this name lead from one entity to another.
    private func reaches(_ start: LocalID, _ end: LocalID, by edge: String) throws -> Bool {
        if start == end { return true }
        guard let name = try view.nameID(edge) else { return false }
        var met: Set<LocalID> = [start]
        var open = [start]
        while let entity = open.popLast() {
            var links = view.links(of: entity, edge: name, at: 0)
            while let (_, peer) = try links.next() {
                if peer == end { return true }
                if met.insert(peer).inserted { open.append(peer) }
                guard met.count <= Limits.transitiveCount else {
                    throw Diagnostic(
                        .transitiveTooMany,
                        "whether \(edge) makes a cycle takes more than \(Limits.transitiveCount) steps to tell"
                    )
                }
            }
        }
        return false
    }

    // MARK: SET

    /// Writes attributes of something that is there.
    func set(_ id: LocalID, _ assigned: [AssignedValue], at range: SourceRange?) throws {
        let (entity, type) = try writable(id, at: range)
        let declared = try attributes(of: type)
        for value in assigned {
            let attribute = try session.schema.fit(value, into: declared, of: type)
            try permit(.set, id, type, attribute.name, at: range)
            try requireUnique(attribute, in: declared, of: type, except: id, at: range)
            guard let latest = entity.adds.last else { continue }
            _ = try apply(
                .set(
                    try target(id), add: add(latest), attribute: attribute.name, value: attribute.value),
                at: range)
        }
        touch(id)
        for target in entity.targets { touch(target) }
        try rules?.settle(self)
    }

    func attributes(of type: String) throws -> [AttributeType] {
        if let node = session.schema.nodes[type] { return node.attributes }
        return session.schema.edges[type]?.attributes ?? []
    }

    private func writable(_ id: LocalID, at range: SourceRange?) throws -> (Entity, String) {
        if id.isVirtual {
            throw Diagnostic(
                .systemType, "rows of system types can be read and not written", at: range)
        }
        guard let entity = try view.entity(id) else {
            throw Diagnostic(.unknownReference, "what this names is not there", at: range)
        }
        let type = try view.name(entity.type)
        let isSystem = session.schema.nodes[type]?.isSystem ?? session.schema.edges[type]?.isSystem ?? false
        if isSystem, !session.authority.isKernel {
            throw Diagnostic(
                .systemType, "\(type) belongs to the system: it can be read and not written", at: range)
        }
        return (entity, type)
    }

    // MARK: KILL and UNLINK

    /// What a KILL or UNLINK did.
    struct Removal {
        var killed: [LocalID] = []
        var unlinked: [LocalID] = []
        /// How many of ``killed`` fell by cascade.
        var cascadeCount = 0
    }

    /// Ends a node and deals with its edges as their declarations, or the statement, say.
    func kill(_ id: LocalID, _ mode: KillMode, at range: SourceRange?) throws -> Removal {
        var removal = Removal()
        let (entity, _) = try writable(id, at: range)
        if entity.isEdge {
            try unlink(id, at: range, &removal)
        } else {
            try kill(id, mode, depth: 0, at: range, &removal)
        }
        try rules?.settle(self)
        return removal
    }

    private func kill(
        _ id: LocalID, _ mode: KillMode, depth: Int, at range: SourceRange?, _ removal: inout Removal
    ) throws {
        guard let entity = try view.entity(id) else { return }
        guard depth <= Limits.cascadeDepth, removal.killed.count < Limits.cascadeCount else {
            throw Diagnostic(
                .cascadeLimit,
                "KILL cascades deeper than \(Limits.cascadeDepth), or to more than \(Limits.cascadeCount)",
                at: range, hint: "KILL … NO CASCADE, or kill the ends first")
        }
        let type = try view.name(entity.type)
        try permit(.kill, id, type, nil, at: range)
        var cascades: [LocalID] = []
        for edgeID in try view.edges(touching: id) {
            guard let edge = try view.entity(edgeID) else { continue }
            let name = try view.name(edge.type)
            if let declared = session.schema.edges[name], edge.targets.count == 2 {
                for position in [0, 1] where edge.targets[position] == id {
                    let action = position == 0 ? declared.onKillSource : declared.onKillTarget
                    let other = edge.targets[1 - position]
                    if action == .prevent, other != id {
                        throw Diagnostic(
                            .killPrevented,
                            "\(name) keeps this \(type) from being killed while it is linked", at: range,
                            hint: "UNLINK it first")
                    }
                    let isCascade = mode == .cascade || (mode == .declared && action == .cascade)
                    if isCascade, other != id { cascades.append(other) }
                }
            }
            try unlink(edgeID, at: range, &removal)
        }
        _ = try apply(.end(try target(id), adds: entity.adds.map(add)), at: range)
        touch(id)
        removal.killed.append(id)
        if depth > 0 { removal.cascadeCount += 1 }
        for other in cascades {
            guard let found = try view.entity(other) else { continue }
            if found.isEdge {
                try unlink(other, at: range, &removal)
            } else {
                try kill(other, mode, depth: depth + 1, at: range, &removal)
            }
        }
    }

    /// Ends an edge, and those that have it as a target.
    func unlink(_ id: LocalID, at range: SourceRange?) throws -> Removal {
        var removal = Removal()
        _ = try writable(id, at: range)
        try unlink(id, at: range, &removal)
        try rules?.settle(self)
        return removal
    }

    private func unlink(_ id: LocalID, at range: SourceRange?, _ removal: inout Removal) throws {
        guard let edge = try view.entity(id), edge.isEdge else { return }
        guard removal.unlinked.count < OperationIndex.operationCountMax else { return }
        try permit(.unlink, id, try view.name(edge.type), nil, at: range)
        for upper in try view.edges(touching: id) { try unlink(upper, at: range, &removal) }
        _ = try apply(.end(try target(id), adds: edge.adds.map(add)), at: range)
        touch(id)
        for target in edge.targets { touch(target) }
        removal.unlinked.append(id)
    }

    // MARK: Policy

    private func permit(
        _ kind: PolicyDeclaration.OperationKind, _ id: LocalID, _ type: String, _ attribute: String?,
        at range: SourceRange?
    ) throws {
        try session.policies?.require(
            PolicySet.Request(kind: kind, entity: id, attribute: attribute, type: type), session.authority,
            at: range)
    }
}

extension GraphValue {
    /// For messages: shortened.
    var shown: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value), .duration(let value), .timestamp(let value): "\(value)"
        case .float(let value): "\(value)"
        case .string(let text): text.unicodeScalars.count > 40 ? "\"\(text.prefix(37))…\"" : "\"\(text)\""
        case .hash(let hash): Hexadecimal.encode(hash.bytes).prefix(12) + "…"
        case .bytes(let bytes): "\(bytes.count) bytes"
        case .entity: "an entity"
        case .list(let values): "a list of \(values.count)"
        }
    }
}
