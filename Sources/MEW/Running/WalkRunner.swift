internal import MeshCore
internal import MeshGraph

/// WALK: every path from a start over the edges that it follows; no path meets an entity twice.
///
/// A path is *whole* where it ends: because UNTIL holds there, the greatest depth is reached, or nothing leads
/// on. `PATH` and `TERMINAL` give whole paths, `NODES` and `EDGES` what any path of the depths asked for holds,
/// each once, and expressions one row for every path of those depths.
struct WalkRunner {
    let session: Session
    let walk: WalkStatement
    private let context: ExecutionContext
    private let steps: [(name: NameSlot, positions: [Int])]
    private let start: Code
    private let until: Code?
    private let projections: [Code]
    let columns: [String]
    private let maximum: Int

    /// One edge of a path, and where it leads.
    private struct Hop {
        let edge: LocalID
        let node: LocalID
    }

    init(_ walk: WalkStatement, _ session: Session) throws {
        self.session = session
        self.walk = walk
        var compiler = try session.compiler()
        var steps: [(name: NameSlot, positions: [Int])] = []
        for step in walk.steps {
            guard let edge = session.schema.edges[step.edge.text] else {
                throw compiler.unknownEdge(step.edge)
            }
            guard edge.parameters.count == 2 else {
                throw Diagnostic(
                    .transitiveNotBinary, "\(edge.name) is not binary, so it cannot be walked",
                    at: step.edge.range)
            }
            let positions =
                edge.isSymmetric || step.direction == .either
                ? [0, 1] : step.direction == .forward ? [0] : [1]
            steps.append((compiler.names.slot(edge.name), positions))
        }
        self.steps = steps
        maximum = walk.maximumDepth ?? Limits.transitiveDepth
        guard (0...Limits.transitiveDepth).contains(maximum), walk.minimumDepth <= maximum else {
            throw Diagnostic(
                .transitiveDepth, "a depth is 0 to \(Limits.transitiveDepth), the least one first")
        }
        start = try compiler.expression(walk.start, Scope()).code
        var scope = Scope()
        scope.locals = [
            "endpoint": (.endpoint, .anyNode), "depth": (.depth, .scalar(.int)),
            "nodes": (.nodes, .list(.anyNode)), "edges": (.edges, .list(.edge(nil))),
            "path": (.path, .list(.unknown)),
        ]
        until = try walk.until.map { try compiler.condition($0, scope, "UNTIL") }
        switch walk.result {
        case .projections(let written):
            let expanded = compiler.expanded(written, scope)
            projections = try expanded.map { try compiler.expression($0.expression, scope).code }
            columns = Columns.names(expanded)
        case .path:
            projections = []
            columns = ["path"]
        case .nodes:
            projections = []
            columns = ["node"]
        case .edges:
            projections = []
            columns = ["edge"]
        case .terminal(let name):
            projections = []
            columns = [name?.text ?? "terminal"]
        }
        try compiler.names.resolve(session.view)
        context = session.context(compiler.names, slotCount: compiler.slotCount)
    }

    func run() throws -> [[ResultValue]] {
        guard case .entity(let first) = try startValue(), try context.typeName(first) != nil else {
            return []
        }
        if let visibility = context.visibility, try !visibility.isVisible(first, context) { return [] }
        var rows: [[GraphValue]] = []
        var once: Set<LocalID> = []
        var path: [Hop] = []
        var onPath: Set<LocalID> = [first]
        func give(_ row: [GraphValue]) throws {
            guard rows.count < Limits.rowCount else {
                throw Diagnostic(
                    .workLimit, "the walk gives more than \(Limits.rowCount) rows",
                    hint: "bound it: DEPTH 1..3")
            }
            rows.append(row)
        }
        func take(isWhole: Bool) throws {
            guard path.count >= walk.minimumDepth else { return }
            let end = path.last?.node ?? first
            switch walk.result {
            case .projections:
                bind(first, path)
                try give(try projections.map { try context.evaluate($0) })
            case .path: if isWhole { try give([.list(entities(first, path))]) }
            case .terminal: if isWhole { try give([.entity(end)]) }
            case .nodes: if once.insert(end).inserted { try give([.entity(end)]) }
            case .edges:
                for hop in path where once.insert(hop.edge).inserted { try give([.entity(hop.edge)]) }
            }
        }
        func go(from node: LocalID) throws {
            try context.spend()
            var stops = path.count >= maximum
            if let until, !path.isEmpty {
                bind(first, path)
                if try context.isTrue(until) { stops = true }
            }
            let hops = stops ? [] : try hops(from: node).filter { !onPath.contains($0.node) }
            try take(isWhole: hops.isEmpty)
            for hop in hops {
                path.append(hop)
                onPath.insert(hop.node)
                try go(from: hop.node)
                path.removeLast()
                onPath.remove(hop.node)
            }
        }
        try go(from: first)
        return try rows.map { try $0.map { try context.result($0) } }
    }

    private func startValue() throws -> GraphValue {
        let value = try context.evaluate(start)
        if case .string(let text) = value, let id = try context.resolve(text) { return .entity(id) }
        return value
    }

    private func hops(from node: LocalID) throws -> [Hop] {
        guard !node.isVirtual else { return [] }
        var found: [Hop] = []
        for (name, positions) in steps {
            guard let edge = context.names.id(name) else { continue }
            for position in positions {
                var links = context.view.links(of: node, edge: edge, at: position)
                while let (id, peer) = try links.next() {
                    try context.spend()
                    if let visibility = context.visibility {
                        guard try visibility.isVisible(id, context), try visibility.isVisible(peer, context)
                        else { continue }
                    }
                    found.append(Hop(edge: id, node: peer))
                }
            }
        }
        return found
    }

    private func entities(_ first: LocalID, _ path: [Hop]) -> [GraphValue] {
        [.entity(first)] + path.flatMap { [.entity($0.edge), .entity($0.node)] }
    }

    private func bind(_ first: LocalID, _ path: [Hop]) {
        context.locals[.endpoint] = .entity(path.last?.node ?? first)
        context.locals[.depth] = .int(Int64(path.count))
        context.locals[.nodes] = .list([.entity(first)] + path.map { .entity($0.node) })
        context.locals[.edges] = .list(path.map { .entity($0.edge) })
        context.locals[.path] = .list(entities(first, path))
    }
}
