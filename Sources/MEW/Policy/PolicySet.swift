internal import MeshCore
internal import MeshGraph

/// The policies of a schema, ready to be judged.
///
/// Once one is declared, what none allows is denied. For writing the highest priority decides and a tie denies;
/// for reading whatever any allows and none denies is seen.
final class PolicySet {
    /// One alternative of one policy.
    struct Clause {
        let name: String
        let priority: Int64
        let kind: PolicyDeclaration.OperationKind?
        let isMeta: Bool
        let attribute: String?
        let target: Target
        let allows: Bool
        let message: String?
        let condition: Code
    }

    /// What a clause is about.
    enum Target {
        case anything
        /// A node, bound to a slot.
        case node(slot: Int, TypeTest)
        /// An edge with its targets, and itself where it is named.
        case edge(NameSlot, slots: [Int?], edgeSlot: Int?)
    }

    /// What is to be judged.
    struct Request {
        var kind: PolicyDeclaration.OperationKind
        var isMeta = false
        var entity: LocalID?
        var attribute: String?
        /// The type's or rule's name, for messages and `target_type()`.
        var type: String?
    }

    private let clauses: [Clause]
    private let context: ExecutionContext
    private var visibilities: [Authority: PolicyVisibility] = [:]

    init(_ session: Session, own: Set<String> = []) throws {
        var compiler = try session.declarationCompiler()
        compiler.place = .policy
        var clauses: [Clause] = []
        for policy in session.schema.policies {
            for operation in policy.operations {
                do {
                    clauses.append(
                        try Self.clause(
                            policy, operation, isOwn: own.contains(policy.name.text), &compiler))
                } catch {
                    // One that does not fit the schema any more allows nothing.
                    if own.contains(policy.name.text) { throw error }
                }
            }
        }
        self.clauses = clauses
        try compiler.names.resolve(session.view)
        context = session.unfilteredContext(compiler.names, slotCount: compiler.slotCount)
    }

    private static func clause(
        _ policy: PolicyDeclaration, _ operation: PolicyDeclaration.Operation, isOwn: Bool,
        _ compiler: inout Compiler
    ) throws(Diagnostic) -> Clause {
        var scope = Scope()
        let target = try Self.target(operation, &scope, &compiler)
        let condition: Code
        do {
            condition = try compiler.condition(policy.condition, scope, "IF")
        } catch {
            // What denies goes on denying, whatever its condition has come to mean.
            guard !policy.allows, !isOwn else { throw error }
            condition = .constant(.bool(true))
        }
        return Clause(
            name: policy.name.text, priority: policy.priority, kind: operation.kind,
            isMeta: operation.isMeta, attribute: operation.attribute?.text, target: target,
            allows: policy.allows, message: policy.message, condition: condition)
    }

    private static func target(
        _ operation: PolicyDeclaration.Operation, _ scope: inout Scope, _ compiler: inout Compiler
    ) throws(Diagnostic) -> Target {
        switch operation.target {
        case nil: return .anything
        case .node(let node)?:
            // `r: _RuleDef` names no type of the graph: rules are told apart by target_type().
            if node.variable.text == "_" || operation.kind == .invoke { return .anything }
            let type = try compiler.staticType(node.type)
            let slot = compiler.newSlot()
            scope.declare(node.variable.text, slot: slot, type: type)
            return .node(slot: slot, compiler.typeTest(type))
        case .edge(let edge)?:
            guard let type = compiler.schema.edges[edge.edge.text] else {
                throw compiler.unknownEdge(edge.edge)
            }
            guard edge.targets.count == type.parameters.count else {
                throw Diagnostic(
                    .wrongArity, "\(type.name) joins \(type.parameters.count)", at: edge.range,
                    hint: type.signature)
            }
            var slots: [Int?] = []
            for (position, target) in edge.targets.enumerated() {
                guard case .variable(let name) = target else {
                    slots.append(nil)
                    continue
                }
                let slot = compiler.newSlot()
                scope.declare(name.text, slot: slot, type: type.parameters[position].type)
                slots.append(slot)
            }
            let edgeSlot = edge.variable.map { variable in
                let slot = compiler.newSlot()
                scope.declare(variable.text, slot: slot, type: .edge(type.name))
                return slot
            }
            return .edge(compiler.names.slot(type.name), slots: slots, edgeSlot: edgeSlot)
        }
    }

    // MARK: Writing

    /// - Throws: ``ErrorCode/permissionDenied`` unless the actor may do it.
    func require(_ request: Request, _ authority: Authority, at range: SourceRange?) throws {
        guard authority.actor != nil else { return }
        if request.isMeta, !clauses.contains(where: \.isMeta) { return }
        var best: Clause?
        for clause in clauses where clause.isMeta == request.isMeta {
            guard clause.kind == nil || clause.kind == request.kind,
                clause.attribute == nil || clause.attribute == request.attribute,
                try applies(clause, request, authority)
            else { continue }
            guard let present = best else {
                best = clause
                continue
            }
            if clause.priority > present.priority || (clause.priority == present.priority && !clause.allows) {
                best = clause
            }
        }
        if let best, best.allows { return }
        let what = request.type.map { " \($0)" } ?? ""
        let attribute = request.attribute.map { ".\($0)" } ?? ""
        throw Diagnostic(
            .permissionDenied,
            best?.message
                ?? "\(request.kind.rawValue.uppercased())\(what)\(attribute) is denied"
                + (best.map { " by the policy \($0.name)" } ?? ": no policy allows it"), at: range,
            hint: "SHOW POLICIES lists what is declared")
    }

    /// Whether some policy might allow it for something of these types; what it says of one is judged there.
    func mayEverAllow(_ kind: PolicyDeclaration.OperationKind, _ test: TypeTest) -> Bool {
        clauses.contains { clause in
            guard clause.allows, !clause.isMeta, clause.attribute == nil,
                clause.kind == nil || clause.kind == kind
            else { return false }
            switch clause.target {
            case .anything: return true
            case .node(_, let own):
                if test.isEverything || own.isEverything { return true }
                let names = Set(own.stored.map(\.text))
                return test.stored.contains { names.contains($0.text) }
            case .edge(let name, _, _):
                return test.isEverything || test.stored.contains { $0.text == name.text }
            }
        }
    }

    private func applies(_ clause: Clause, _ request: Request, _ authority: Authority) throws -> Bool {
        context.authority = authority
        context.locals[.operation] = .string(request.kind.rawValue)
        context.locals[.target] = request.entity.map { .entity($0) } ?? .null
        context.locals[.targetType] = request.type.map { .string($0) } ?? .null
        context.locals[.targetAttribute] = request.attribute.map { .string($0) } ?? .null
        context.stepsLeft = Limits.writeSteps
        context.forget()
        context.forgetReferences()
        // The first of its type has only just given the type its number.
        try context.names.resolve(context.view)
        guard try bind(clause.target, request.entity) else { return false }
        do {
            return try context.isTrue(clause.condition)
        } catch let fault as Diagnostic {
            throw Diagnostic(
                .policyFailed, "the policy \(clause.name) cannot be judged: \(fault.message)",
                hint: "the transaction is refused; mend the policy's condition")
        }
    }

    private func bind(_ target: Target, _ entity: LocalID?) throws -> Bool {
        switch target {
        case .anything: return true
        case .node(let slot, let test):
            guard let entity, try context.fits(entity, test) else { return false }
            context.bind(slot, entity)
            return true
        case .edge(let name, let slots, let edgeSlot):
            try context.names.resolve(context.view)
            guard let entity, let edge = try context.row(entity), edge.isEdge,
                context.names.id(name) == edge.type, case let targets = try edge.targets,
                targets.count == slots.count
            else { return false }
            for (slot, target) in zip(slots, targets) {
                if let slot { context.bind(slot, target) }
            }
            if let edgeSlot { context.bind(edgeSlot, entity) }
            return true
        }
    }

    // MARK: Reading

    func visibility(for authority: Authority) -> PolicyVisibility {
        if let known = visibilities[authority] { return known }
        let made = PolicyVisibility(self, authority)
        visibilities[authority] = made
        return made
    }

    /// Whether some policy lets the actor see it and none forbids it; `nil` where none speaks of it.
    ///
    /// `isEdge`: What allows everything allows no edge: an edge is seen with its targets.
    fileprivate func mayRead(
        _ entity: LocalID, _ type: String?, attribute: String?, isEdge: Bool, _ authority: Authority
    ) throws -> Bool? {
        let request = Request(kind: .match, entity: entity, attribute: attribute, type: type)
        var isMentioned = false
        var isAllowed = false
        for clause in clauses where !clause.isMeta && (clause.kind == nil || clause.kind == .match) {
            guard clause.attribute == attribute else { continue }
            let isGeneral = if case .anything = clause.target { true } else { false }
            if !isGeneral || attribute != nil, try bind(clause.target, entity) { isMentioned = true }
            guard try applies(clause, request, authority) else { continue }
            if !clause.allows { return false }
            if !isEdge || !isGeneral { isAllowed = true }
        }
        return isAllowed ? true : isMentioned ? false : nil
    }

    /// Forgets who may see what, after a change.
    func forget() { visibilities = [:] }

    fileprivate func resolve() throws { try context.names.resolve(context.view) }
}

/// What one actor may see, remembered for as long as nothing changes.
final class PolicyVisibility: ReadVisibility {
    private unowned let policies: PolicySet
    private let authority: Authority
    private var known: [LocalID: Bool] = [:]

    init(_ policies: PolicySet, _ authority: Authority) {
        self.policies = policies
        self.authority = authority
    }

    func isVisible(_ entity: LocalID, _ context: ExecutionContext) throws -> Bool {
        if let answer = known[entity] { return answer }
        try policies.resolve()
        // Breaks the circle that edges on edges cannot form, but a mistake could.
        known[entity] = false
        let answer = try judge(entity, context)
        known[entity] = answer
        return answer
    }

    private func judge(_ entity: LocalID, _ context: ExecutionContext) throws -> Bool {
        let type = try context.typeName(entity)
        let found = try context.row(entity)
        let isEdge = found?.isEdge ?? false
        let verdict = try policies.mayRead(entity, type, attribute: nil, isEdge: isEdge, authority)
        // What the mesh itself records is everybody's, unless a policy names it.
        guard let found else { return verdict ?? entity.isVirtual }
        if let verdict { return verdict }
        guard isEdge else { return false }
        // An edge is seen where all that it joins is.
        for target in try found.targets where try !isVisible(target, context) { return false }
        return true
    }

    func isReadable(_ attribute: String, of entity: LocalID, _ context: ExecutionContext) throws -> Bool {
        let type = try context.typeName(entity)
        return try policies.mayRead(entity, type, attribute: attribute, isEdge: false, authority) ?? true
    }
}
