internal import MeshCore
public import MeshGraph
internal import MeshStorage

/// Who asks, and when.
public struct Authority: Sendable, Hashable {
    /// The author's DID as text; `nil` is the system, whom no policy binds.
    public var actor: String?
    /// The kernel itself, which alone writes system types.
    public var isKernel = false
    /// The node that stands for the actor within `BEGIN SESSION AS`.
    public var sessionActor: LocalID?

    public init(actor: String?, sessionActor: LocalID? = nil) {
        self.actor = actor
        self.sessionActor = sessionActor
    }

    /// Whom no policy binds: what rules act as.
    public static let system = Authority(actor: nil)
    /// The kernel: no policy binds it, and system types are its own.
    public static let kernel = {
        var authority = Authority.system
        authority.isKernel = true
        return authority
    }()
}

/// What the expressions and patterns of one statement are evaluated against.
///
/// Used by one thread, within one transaction of the store.
final class ExecutionContext {
    let view: GraphView
    let schema: GraphSchema
    let names: NameSlots
    let now: Timestamp
    var parameters: [String: GraphValue]
    /// Entities that names of the session stand for.
    var bindings: [String: LocalID]
    var authority: Authority
    /// Elementary steps that are left.
    var stepsLeft: Int
    /// What a policy's functions give while it is judged.
    var locals: [LocalValue: GraphValue] = [:]
    /// Judges whether the actor may see something; `nil` where no policy is declared.
    var visibility: (any ReadVisibility)?

    /// What the aggregates of the group at hand have come to.
    var aggregates: [GraphValue] = []

    /// How many rows each step of the statement's own plan has given, for PROFILE.
    var profile: [Int]?

    /// The pattern's variables.
    var slots: [LocalID]
    private var cached: [GraphRow?]
    private let rows: VirtualEntities
    private var references: [String: LocalID] = [:]

    static let none = LocalID(rawValue: 0)

    init(
        view: GraphView, schema: GraphSchema, names: NameSlots, slotCount: Int, now: Timestamp,
        rows: VirtualEntities, parameters: [String: GraphValue], bindings: [String: LocalID],
        authority: Authority, stepsLeft: Int
    ) {
        self.view = view
        self.schema = schema
        self.names = names
        self.now = now
        self.rows = rows
        self.parameters = parameters
        self.bindings = bindings
        self.authority = authority
        self.stepsLeft = stepsLeft
        slots = Array(repeating: Self.none, count: slotCount)
        cached = Array(repeating: nil, count: slotCount)
    }

    /// Takes one elementary step.
    @inline(__always)
    func spend() throws(Diagnostic) {
        stepsLeft &-= 1
        if stepsLeft < 0 { throw Self.exhausted }
    }

    private static var exhausted: Diagnostic {
        Diagnostic(
            .workLimit, "the statement takes more steps than one may",
            hint: "narrow the pattern, declare an index, or bound the depth")
    }

    @inline(__always)
    func bind(_ slot: Int, _ entity: LocalID) { slots[slot] = entity }

    // MARK: Entities

    /// The row of the entity in a slot; the last one is kept, because several attributes are asked of it.
    func row(inSlot slot: Int) throws -> GraphRow? {
        let id = slots[slot]
        if id == Self.none || id.isVirtual { return nil }
        if let known = cached[slot], known.id == id { return known }
        let found = try view.row(id)
        cached[slot] = found
        return found
    }

    func forget() { for index in cached.indices { cached[index] = nil } }

    func row(_ id: LocalID) throws -> GraphRow? { id.isVirtual ? nil : try view.row(id) }

    /// The name of an entity's type; `nil` for one that is not there.
    func typeName(_ id: LocalID) throws -> String? {
        if id.isVirtual { return virtualRow(id)?.type }
        guard let row = try view.row(id) else { return nil }
        return try view.name(row.type)
    }

    // MARK: Rows of system types

    func virtualRow(_ id: LocalID) -> (type: String, row: VirtualRow)? { rows.row(id) }

    func virtualRows(
        _ type: String, where key: (attribute: String, value: GraphValue)?
    ) throws -> [LocalID] {
        try rows.rows(type, where: key)
    }

    // MARK: References

    /// The entity that `#text` names: of the session, by id, or by an explicit key.
    ///
    /// - Returns: `nil` for none, or for one that is gone.
    /// - Throws: ``ErrorCode/ambiguousReference``.
    func resolve(_ text: String, at range: SourceRange? = nil) throws -> LocalID? {
        if let bound = bindings[text] { return bound }
        if let known = references[text] { return known }
        let found = try lookUp(text, range)
        if let found { references[text] = found }
        return found
    }

    private func lookUp(_ text: String, _ range: SourceRange?) throws -> LocalID? {
        if let id = EntityID(text) {
            if let local = try view.localID(id), try view.isVisible(local) { return local }
            if case .key(let type, let key) = id, schema.nodes[type]?.isVirtual == true {
                return try virtualRows(type, where: nil).first { virtualRow($0)?.row.key == key }
            }
        }
        let keyed = try view.localIDs(key: text)
        if keyed.count > 1 {
            let types = try keyed.compactMap { try typeName($0) }
            throw Diagnostic(
                .ambiguousReference, "#\(text) is the key of \(types.joined(separator: " and "))", at: range,
                hint: "say which: #\"\(types.first ?? "")/\(text)\"")
        }
        return keyed.first
    }

    func forgetReferences() { references = [:] }

    /// What people call an entity.
    func idText(_ id: LocalID) throws -> String {
        if let (type, row) = virtualRow(id), id.isVirtual { return type + "/" + row.key }
        return try view.entityID(id).description
    }
}

/// What read policies let an actor see.
protocol ReadVisibility: AnyObject {
    func isVisible(_ entity: LocalID, _ context: ExecutionContext) throws -> Bool
    /// Whether the attribute of something visible may be read.
    func isReadable(_ attribute: String, of entity: LocalID, _ context: ExecutionContext) throws -> Bool
}
