internal import MeshCore
internal import MeshDAG
internal import MeshGraph
internal import MeshIdentity
internal import MeshStorage

/// One transaction on the graph, from its first mutation to the change that is published.
///
/// It works on the store itself, through a ``Journal`` that can take everything back: so every reader within
/// the transaction, index and constraint sees what has been done. The caller takes it back in the end in any
/// case (``rollBack()``), publishes ``change``, and lets the fold apply it like anybody's.
///
///     policy ▶ types, required, values, unique ▶ apply ▶ rules until nothing follows ▶ … ▶ commit:
///     constraints, least cardinalities
///
/// After any error the whole transaction is to be rolled back; it has told nobody anything.
final class GraphTransaction {
    let session: Session
    let journal: Journal
    private var writer: GraphWriter
    let position: EntryPosition
    private(set) var operations: [GraphOperation] = []
    /// What has changed, in the order in which it first did.
    private(set) var touched: [LocalID] = []
    private var touchedSet: Set<LocalID> = []
    private var dirty: [LocalID] = []
    private var dirtySet: Set<LocalID> = []
    var warnings: [Diagnostic] = []
    var rules: RuleEngine?
    private var byteCount = 0

    /// How many bytes the values of one transaction may have.
    static let byteCountMax = 48 << 20

    init(session: Session, journal: Journal, position: EntryPosition) {
        self.session = session
        self.journal = journal
        self.position = position
        writer = GraphWriter(journal)
    }

    var view: GraphView { session.view }

    // MARK: Applying

    /// Applies one operation and notes what it touches.
    func apply(_ operation: GraphOperation, at range: SourceRange?) throws -> LocalID {
        guard operations.count < OperationIndex.operationCountMax, byteCount <= Self.byteCountMax else {
            throw Diagnostic(
                .transactionTooLarge,
                "a transaction has at most \(OperationIndex.operationCountMax) operations and \(Self.byteCountMax >> 20) MiB",
                at: range, hint: "commit in parts")
        }
        byteCount += operation.byteEstimate
        let id = try writer.apply(operation, index: operations.count, at: position)
        operations.append(operation)
        session.policies?.forget()
        return id
    }

    func touch(_ id: LocalID) {
        if touchedSet.insert(id).inserted { touched.append(id) }
        if dirtySet.insert(id).inserted { dirty.append(id) }
        rules?.touch(id)
    }

    /// The entity as an operation of this change names it.
    func target(_ id: LocalID) throws -> GraphTarget {
        let entity = try view.entityID(id)
        if case .operation(let author, let seq, let index) = entity, isOwn(author, seq, index) {
            return .added(index & UInt32(OperationIndex.operationCountMax - 1))
        }
        return .entity(entity)
    }

    private func isOwn(_ author: DID, _ seq: UInt64, _ index: UInt32) -> Bool {
        author == position.author && seq == position.seq && Int(index >> 20) == position.index
    }

    /// An add as an operation of this change names it.
    func add(_ add: GraphAdd) -> GraphAdd {
        if case .operation(let author, let seq, let index) = add, isOwn(author, seq, index) {
            return .added(index & UInt32(OperationIndex.operationCountMax - 1))
        }
        return add
    }

    /// What has been touched since this was last asked.
    func takeDirty() -> [LocalID] {
        defer {
            dirty = []
            dirtySet = []
        }
        return dirty
    }

    // MARK: Savepoints

    struct Mark {
        let operationCount: Int
        let journal: Int
        let touched: [LocalID]
        let byteCount: Int
        let bindings: [String: LocalID]
        let rules: RuleEngine.Mark?
    }

    var mark: Mark {
        Mark(
            operationCount: operations.count, journal: journal.mark, touched: touched, byteCount: byteCount,
            bindings: session.bindings, rules: rules?.mark)
    }

    /// Goes back to where the transaction stood.
    func rollBack(to mark: Mark) throws {
        try journal.rollback(to: mark.journal)
        operations.removeLast(operations.count - mark.operationCount)
        touched = mark.touched
        touchedSet = Set(touched)
        byteCount = mark.byteCount
        session.bindings = mark.bindings
        if let marked = mark.rules { rules?.goBack(to: marked) }
        session.policies?.forget()
    }
}

extension GraphOperation {
    /// About how many bytes it has.
    fileprivate var byteEstimate: Int {
        switch self {
        case .spawn(_, let key, let attributes): 16 + (key?.utf8.count ?? 0) + Self.size(attributes)
        case .link(_, let targets, _, let attributes): 8 + targets.count * 12 + Self.size(attributes)
        case .set(_, _, _, let value): 24 + value.byteEstimate
        case .end(_, let adds): 12 + adds.count * 12
        }
    }

    private static func size(_ attributes: [GraphAttribute]) -> Int {
        attributes.reduce(0) { $0 + 4 + $1.value.byteEstimate }
    }
}

extension GraphValue {
    fileprivate var byteEstimate: Int {
        switch self {
        case .string(let text): text.utf8.count + 3
        case .bytes(let bytes): bytes.count + 3
        case .list(let values): values.reduce(3) { $0 + $1.byteEstimate }
        case .hash: 34
        default: 9
        }
    }
}
