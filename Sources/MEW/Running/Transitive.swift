internal import MeshCore
internal import MeshGraph

/// Follows one edge again and again, level by level; each entity is met once.
struct Transitive {
    let matcher: Matcher
    let match: TransitiveMatch

    /// Goes on with every entity that can be reached.
    ///
    /// With `+` the start itself is among them only where a cycle leads back to it.
    func run(_ next: () throws -> Bool) throws -> Bool {
        let context = matcher.context
        guard let start = try matcher.start(match), !start.isVirtual else { return true }
        let edge = context.names.id(match.edge)
        var met: Set<LocalID> = []
        if match.includesStart {
            met.insert(start)
            guard try matcher.arrive(match, at: start, next) else { return false }
        }
        guard let edge else { return true }
        let positions = match.isSymmetric ? [0, 1] : [match.position]
        var level = [start]
        for _ in 0..<match.depth {
            var reached: [LocalID] = []
            for entity in level {
                for position in positions {
                    var links = context.view.links(of: entity, edge: edge, at: position)
                    while let (found, peer) = try links.next() {
                        try context.spend()
                        if let visibility = context.visibility {
                            guard try visibility.isVisible(found, context),
                                try visibility.isVisible(peer, context)
                            else { continue }
                        }
                        guard met.insert(peer).inserted else { continue }
                        guard met.count <= Limits.transitiveCount else {
                            throw Diagnostic(
                                .transitiveTooMany,
                                "the pattern reaches more than \(Limits.transitiveCount) entities",
                                at: match.range, hint: "bound it: [depth: 3]")
                        }
                        if peer != start { reached.append(peer) }
                        guard try matcher.arrive(match, at: peer, next) else { return false }
                    }
                }
            }
            if reached.isEmpty { return true }
            level = reached
        }
        return true
    }
}
