internal import MeshCore
internal import IPLD
public import MeshGraph

/// What merges have broken: the rows of `_Conflict`.
///
/// Two authors who did not know of each other may each do what is allowed and together break a constraint. Both
/// changes stay, and the break is listed here until somebody mends it. Worked out when asked for, from the
/// graph alone, so every replica with the same changes lists the same.
public enum Conflicts {
    /// How many are listed.
    public static let countMax = 10_000

    /// - Throws: What the store throws.
    public static func rows(_ view: GraphView, _ schema: GraphSchema) throws -> [VirtualRow] {
        var finder = Finder(view: view, schema: schema)
        try finder.uniques()
        try finder.cardinalities()
        try finder.cycles()
        finder.declarations()
        // What was found in order of local numbers is told in an order that all replicas have.
        return finder.rows.sorted { a, b in
            let (left, right) = (a.key + " \(a["detail"])", b.key + " \(b["detail"])")
            return left.utf8.lexicographicallyPrecedes(right.utf8)
        }
    }

    private struct Finder {
        let view: GraphView
        let schema: GraphSchema
        var rows: [VirtualRow] = []

        private mutating func add(
            _ kind: String, _ name: String, _ detail: String, _ entities: [LocalID]
        ) throws {
            guard rows.count < countMax else { return }
            let ids = try entities.map { try view.entityID($0) }.sorted()
            append(kind, name, detail, ids.map(\.description))
        }

        private mutating func append(_ kind: String, _ name: String, _ detail: String, _ entities: [String]) {
            guard rows.count < countMax else { return }
            rows.append(
                VirtualRow(
                    key: "\(kind)/\(name)/\(entities.first ?? "")",
                    attributes: [
                        GraphAttribute(name: "kind", value: .string(kind)),
                        GraphAttribute(name: "name", value: .string(name)),
                        GraphAttribute(name: "detail", value: .string(detail)),
                        GraphAttribute(name: "entities", value: .list(entities.map { .string($0) })),
                    ]))
        }

        /// Values that several have and one may.
        mutating func uniques() throws {
            for index in try view.indexes() where index.definition.isUnique {
                guard let name = try view.nameID(index.definition.attribute) else { continue }
                var holders: [LocalID] = []
                var value: GraphValue = .null
                // An index keeps long values' beginnings only, and mixes those that begin alike.
                var long: [GraphValue: [LocalID]] = [:]
                var cursor = view.range(nil, nil, in: index, isDescending: false)
                while let id = try cursor.next() {
                    let own = try view.row(id)?.value(name, in: view) ?? .null
                    if Self.isLong(own) {
                        long[own, default: []].append(id)
                        continue
                    }
                    if own != value {
                        try report(index, value, holders)
                        holders = []
                        value = own
                    }
                    holders.append(id)
                }
                try report(index, value, holders)
                for found in long.values.filter({ $0.count > 1 }).sorted(by: { $0[0] < $1[0] }) {
                    guard let value = try view.entity(found[0])?[name] else { continue }
                    try report(index, value, found)
                }
            }
        }

        private static func isLong(_ value: GraphValue) -> Bool {
            switch value {
            case .string(let text): text.utf8.count >= GraphIndex.valueByteCountWhole
            case .bytes(let bytes): bytes.count >= GraphIndex.valueByteCountWhole
            default: false
            }
        }

        private mutating func report(
            _ index: GraphIndex, _ value: GraphValue, _ holders: [LocalID]
        ) throws {
            guard holders.count > 1 else { return }
            try add("unique", index.definition.name, "\(value.shown) is in \(holders.count) places", holders)
        }

        private func edges(where isWanted: (EdgeType) -> Bool) -> [EdgeType] {
            schema.edges.keys.sorted().compactMap { schema.edges[$0] }.filter(isWanted)
        }

        /// Entities with more edges than a declaration lets them have.
        mutating func cardinalities() throws {
            for edge in edges(where: { $0.cardinalities.contains { $0.maximum != nil } }) {
                guard let name = try view.nameID(edge.name) else { continue }
                for cardinality in edge.cardinalities {
                    guard let maximum = cardinality.maximum else { continue }
                    var counts: [LocalID: [LocalID]] = [:]
                    var cursor = view.entities(ofType: name)
                    while let id = try cursor.next() {
                        guard let targets = try view.row(id)?.targets else { continue }
                        let ends =
                            edge.isSymmetric
                            ? Set(targets).sorted() : [targets[cardinality.position]]
                        for end in ends { counts[end, default: []].append(id) }
                    }
                    for end in counts.keys.sorted() where counts[end].map({ $0.count > maximum }) ?? false {
                        let parameter = edge.parameters[cardinality.position]
                        try add(
                            "cardinality", edge.name,
                            "\(parameter.name ?? parameter.type.description) has \(counts[end]?.count ?? 0) and may have \(maximum)",
                            [end] + (counts[end] ?? []))
                    }
                }
            }
        }

        /// Circles of an edge that may have none: each listed once, by all that lie on circles together.
        mutating func cycles() throws {
            for edge in edges(where: \.isAcyclic) {
                guard let name = try view.nameID(edge.name) else { continue }
                var next: [LocalID: [LocalID]] = [:]
                var cursor = view.entities(ofType: name)
                while let id = try cursor.next() {
                    guard let targets = try view.row(id)?.targets, targets.count == 2 else { continue }
                    next[targets[0], default: []].append(targets[1])
                }
                for component in StrongComponents.of(next) where component.count > 1 {
                    try add("acyclic", edge.name, "\(component.count) lie on a circle", component)
                }
                for start in next.keys.sorted() where next[start]?.contains(start) == true {
                    try add("acyclic", edge.name, "joined with itself", [start])
                }
            }
        }

        /// Declarations that lost to another of the same name.
        mutating func declarations() {
            for conflict in schema.declarationConflicts {
                append(
                    "declaration", conflict.name.text, conflict.diagnostic.message,
                    [conflict.kept, conflict.lost].compactMap { $0.map(\.description) })
            }
        }
    }
}

/// The strongly connected components of a graph (Tarjan 1972), without recursion.
enum StrongComponents {
    static func of(_ next: [LocalID: [LocalID]]) -> [[LocalID]] {
        var index: [LocalID: Int] = [:]
        var low: [LocalID: Int] = [:]
        var isOnStack: Set<LocalID> = []
        var stack: [LocalID] = []
        var components: [[LocalID]] = []
        for root in next.keys.sorted() where index[root] == nil {
            var work: [(node: LocalID, place: Int)] = [(root, 0)]
            while let (node, place) = work.popLast() {
                if place == 0 {
                    index[node] = index.count
                    low[node] = index[node]
                    stack.append(node)
                    isOnStack.insert(node)
                }
                let successors = next[node] ?? []
                if place > 0 {
                    let child = successors[place - 1]
                    if isOnStack.contains(child) { low[node] = min(low[node] ?? 0, low[child] ?? 0) }
                }
                var following = place
                var descends = false
                while following < successors.count {
                    let child = successors[following]
                    following += 1
                    if index[child] == nil {
                        work.append((node, following))
                        work.append((child, 0))
                        descends = true
                        break
                    }
                    if isOnStack.contains(child) { low[node] = min(low[node] ?? 0, index[child] ?? 0) }
                }
                if descends { continue }
                guard low[node] == index[node] else { continue }
                var component: [LocalID] = []
                while let member = stack.popLast() {
                    isOnStack.remove(member)
                    component.append(member)
                    if member == node { break }
                }
                components.append(component.sorted())
            }
        }
        return components
    }
}
