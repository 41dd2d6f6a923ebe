internal import MeshCore
internal import MeshGraph

/// Runs a pattern's plan: every way in which its variables can be bound, one after the other.
///
/// A step binds its slots, hands on to the next, and goes on with its next choice when that returns.
struct Matcher {
    let context: ExecutionContext
    let plan: PatternPlan
    /// Whether PROFILE counts this plan's rows.
    var isProfiled = false

    /// Calls `body` for every match, with the slots bound, until it returns `false`.
    ///
    /// - Returns: Whether it went through all of them.
    @discardableResult
    func forEach(_ body: () throws -> Bool) throws -> Bool {
        try run(0, body)
    }

    func hasMatch() throws -> Bool { try !run(0) { false } }

    /// How many matches there are; the last step's are counted where they need not be looked at.
    func count() throws -> Int {
        var total = 0
        try count(0, &total)
        return total
    }

    private func count(_ index: Int, _ total: inout Int) throws {
        if index == plan.steps.count - 1, let tail = plan.countableTail, context.visibility == nil {
            try context.spend()
            let from = context.slots[tail.from]
            guard from != ExecutionContext.none, !from.isVirtual, let edge = context.names.id(tail.edge)
            else {
                return
            }
            total += try context.view.linkCount(of: from, edge: edge, at: tail.position)
            return
        }
        if index == plan.steps.count {
            total += 1
            return
        }
        var running = total
        _ = try run(step: plan.steps[index].kind) {
            try count(index + 1, &running)
            return true
        }
        total = running
    }

    private func run(_ index: Int, _ body: () throws -> Bool) throws -> Bool {
        guard index < plan.steps.count else { return try body() }
        return try run(step: plan.steps[index].kind) {
            if isProfiled { context.profile?[index] += 1 }
            return try run(index + 1, body)
        }
    }

    private func entity(_ code: Code) throws -> LocalID? {
        switch code {
        case .slot(let slot):
            let id = context.slots[slot]
            return id == ExecutionContext.none ? nil : id
        default:
            switch try context.evaluate(code) {
            case .entity(let id): return id
            // An id that came as text: of a parameter, or of `x.id`.
            case .string(let text): return try context.resolve(text)
            default: return nil
            }
        }
    }

    /// Binds a slot to something that has been found, if the actor may see it.
    @inline(__always)
    private func bound(_ slot: Int, _ id: LocalID, _ next: () throws -> Bool) throws -> Bool {
        try context.spend()
        if let visibility = context.visibility, try !visibility.isVisible(id, context) { return true }
        context.bind(slot, id)
        return try next()
    }

    private func run(step: PlanStep, _ next: () throws -> Bool) throws -> Bool {
        switch step {
        case .filter(let code):
            try context.spend()
            return try context.isTrue(code) ? next() : true
        case .test(let slot, let test):
            try context.spend()
            return try context.fits(context.slots[slot], test) ? next() : true
        case .scan(let slot, let test):
            defer { context.bind(slot, ExecutionContext.none) }
            return try scan(slot, test, next)
        case .fix(let slot, let code, let test):
            guard let id = try entity(code), try context.fits(id, test) else { return true }
            defer { context.bind(slot, ExecutionContext.none) }
            return try bound(slot, id, next)
        case .lookUp(let slot, let index, let code, let scalar, let test, let condition):
            defer { context.bind(slot, ExecutionContext.none) }
            let given = try context.evaluate(code)
            let value = Self.coerced(given, scalar)
            if value.isNull {
                // Null is in no index, and equals null.
                return try scan(slot, test) { try context.isTrue(condition) ? next() : true }
            }
            if !Self.isDecided(given, as: value) || context.visibility != nil {
                for id in try context.view.lookUp(value, in: index) where try isOfTest(id, index, test) {
                    guard try bound(slot, id, { try context.isTrue(condition) ? next() : true }) else {
                        return false
                    }
                }
                return true
            }
            for id in try context.view.lookUp(value, in: index) where try isOfTest(id, index, test) {
                guard try bound(slot, id, next) else { return false }
            }
            return true
        case .range(let slot, let index, let lower, let upper, let scalar, let test):
            defer { context.bind(slot, ExecutionContext.none) }
            var bounds: [GraphValue?] = []
            for (code, isLower) in [(lower, true), (upper, false)] {
                let value = try code.map { try context.evaluate($0) }
                // No order holds with null.
                if value?.isNull == true { return true }
                bounds.append(value.flatMap { Self.bound($0, scalar, isLower: isLower) })
            }
            var cursor = context.view.range(bounds[0], bounds[1], in: index, isDescending: false)
            while let id = try cursor.next() {
                guard try isOfTest(id, index, test) else { continue }
                guard try bound(slot, id, next) else { return false }
            }
            return true
        case .lookUpVirtual(let slot, let attribute, let code, let test):
            defer { context.bind(slot, ExecutionContext.none) }
            let value = try context.evaluate(code)
            for type in test.virtual {
                for id in try context.virtualRows(type, where: (attribute, value)) {
                    guard try bound(slot, id, next) else { return false }
                }
            }
            return true
        case .expand(let expansion): return try expand(expansion, next)
        case .scanEdges(let match): return try scanEdges(match, next)
        case .openEdge(let match):
            guard let slot = match.edgeSlot, let edge = try context.row(inSlot: slot),
                edge.isEdge, context.names.id(match.edge) == edge.type
            else { return true }
            return try open(edge.targets, match, next)
        case .transitive(let match): return try Transitive(matcher: self, match: match).run(next)
        }
    }

    private static func coerced(_ value: GraphValue, _ scalar: ScalarType?) -> GraphValue {
        if scalar == .float, case .int(let number) = value { return .float(Double(number)) }
        if scalar == .int, case .float(let number) = value, let whole = Int64(exactly: number) {
            return .int(whole)
        }
        return value
    }

    /// Whether what an index finds for a value surely has it: long values share rows, and not every whole number
    /// is a Float.
    private static func isDecided(_ given: GraphValue, as value: GraphValue) -> Bool {
        switch (given, value) {
        case (.int(let number), .float(let nearest)): Int64(exactly: nearest) == number
        // Half of what a row holds, for a zero byte takes two.
        case (_, .string(let text)): text.utf8.count < GraphIndex.valueByteCountMax / 2
        case (_, .bytes(let bytes)): bytes.count < GraphIndex.valueByteCountMax / 2
        case (_, .list): false
        default: true
        }
    }

    /// A bound of an index's range: it may let in more than is asked for, which the condition judges, but nothing less.
    private static func bound(_ value: GraphValue, _ scalar: ScalarType?, isLower: Bool) -> GraphValue? {
        guard scalar == .int, case .float(let number) = value else { return coerced(value, scalar) }
        // An index of whole numbers has no place for others: the next one outwards.
        return Int64(exactly: number.rounded(isLower ? .down : .up)).map { .int($0) }
    }

    /// An index may cover more types than are asked for.
    private func isOfTest(_ id: LocalID, _ index: GraphIndex, _ test: TypeTest) throws -> Bool {
        if test.isEverything || index.definition.types.count == test.stored.count { return true }
        return try context.fits(id, test)
    }

    private func scan(_ slot: Int, _ test: TypeTest, _ next: () throws -> Bool) throws -> Bool {
        let stored =
            test.isEverything
            ? try context.schema.storedTypes.map { try context.view.nameID($0) }
                + test.stored.map { context.names.id($0) }
            : test.stored.map { context.names.id($0) }
        for type in stored {
            guard let type else { continue }
            var cursor = context.view.entities(ofType: type)
            while let id = try cursor.next() {
                guard try bound(slot, id, next) else { return false }
            }
        }
        for type in test.virtual {
            for id in try context.virtualRows(type, where: nil) {
                guard try bound(slot, id, next) else { return false }
            }
        }
        return true
    }

    // MARK: Edges

    private func expand(_ expansion: Expansion, _ next: () throws -> Bool) throws -> Bool {
        guard let from = try entity(expansion.from), !from.isVirtual,
            let edge = context.names.id(expansion.match.edge)
        else { return true }
        let match = expansion.match
        guard match.targets.count == 2 else {
            return try expandMany(from, edge, expansion, next)
        }
        let positions =
            match.isSymmetric ? [expansion.position, 1 - expansion.position] : [expansion.position]
        let target = match.targets[1 - expansion.position]
        for position in positions {
            var links = context.view.links(of: from, edge: edge, at: position)
            while let (found, peer) = try links.next() {
                try context.spend()
                // A symmetric edge to itself stands under both positions, and is one match.
                if position != expansion.position, peer == from { continue }
                guard try isSeen(found) else { continue }
                if let slot = match.edgeSlot { context.bind(slot, found) }
                guard try take(target, peer, next) else { return false }
            }
        }
        return true
    }

    private func isSeen(_ id: LocalID) throws -> Bool {
        try context.visibility?.isVisible(id, context) ?? true
    }

    /// Deals with one target, and goes on if it fits.
    private func take(_ target: TargetMatch, _ peer: LocalID, _ next: () throws -> Bool) throws -> Bool {
        switch target {
        case .ignore: return try next()
        case .bind(let slot, let test):
            if let test, try !context.fits(peer, test) { return true }
            defer { context.bind(slot, ExecutionContext.none) }
            return try bound(slot, peer, next)
        case .same(let slot): return context.slots[slot] == peer ? try next() : true
        case .equal(let code): return try entity(code) == peer ? try next() : true
        }
    }

    private func expandMany(
        _ from: LocalID, _ edge: NameID, _ expansion: Expansion, _ next: () throws -> Bool
    ) throws -> Bool {
        var links = context.view.links(of: from, edge: edge, at: expansion.position)
        while let (found, _) = try links.next() {
            try context.spend()
            guard try isSeen(found), let row = try context.view.row(found) else { continue }
            if let slot = expansion.match.edgeSlot { context.bind(slot, found) }
            guard try open(row.targets, expansion.match, next) else { return false }
        }
        return true
    }

    private func scanEdges(_ match: EdgeMatch, _ next: () throws -> Bool) throws -> Bool {
        guard let type = context.names.id(match.edge) else { return true }
        var cursor = context.view.entities(ofType: type)
        while let id = try cursor.next() {
            try context.spend()
            guard try isSeen(id), let edge = try context.view.row(id) else { continue }
            if let slot = match.edgeSlot { context.bind(slot, id) }
            guard try open(edge.targets, match, next) else { return false }
        }
        return true
    }

    /// Deals with all targets of an edge; a symmetric one in both orders.
    private func open(_ targets: [LocalID], _ match: EdgeMatch, _ next: () throws -> Bool) throws -> Bool {
        guard targets.count == match.targets.count else { return true }
        guard try take(0, targets, match, next) else { return false }
        guard match.isSymmetric, targets.count == 2, targets[0] != targets[1] else { return true }
        // Where nothing is asked of either end, both orders are one match.
        if case .ignore = match.targets[0], case .ignore = match.targets[1] { return true }
        return try take(0, [targets[1], targets[0]], match, next)
    }

    private func take(
        _ position: Int, _ targets: [LocalID], _ match: EdgeMatch, _ next: () throws -> Bool
    ) throws -> Bool {
        guard position < targets.count else { return try next() }
        return try take(match.targets[position], targets[position]) {
            try take(position + 1, targets, match, next)
        }
    }

    /// What `+` and `*` need of a matcher.
    func start(_ match: TransitiveMatch) throws -> LocalID? { try entity(match.from) }

    func arrive(_ match: TransitiveMatch, at id: LocalID, _ next: () throws -> Bool) throws -> Bool {
        try take(match.target, id, next)
    }
}

extension GraphSchema {
    /// The node types whose entities the graph's own tables hold, sorted.
    var storedTypes: [String] {
        nodes.keys.sorted().filter { nodes[$0].map { !$0.isVirtual && !$0.isAbstract } ?? false }
    }
}
