public import IPLD
public import MeshCore
public import MeshDAG
public import MeshGraph
public import MeshIdentity
public import MeshStorage

/// The graph as one replica keeps it: changes are folded in, and units of programs become changes.
///
///     unit ──write──▶ change + ontology blocks ──publish──▶ entry ──fold──▶ tables
///                                                             ▲
///                                           other authors ────┘
///
/// The tables are a function of the set of changes that have been folded and not undone, whatever the order.
/// So is ``schema``: that of all ontologies which those changes name, joined.
///
/// A value; the engine owns it, steps it within its transactions, and drops it with them when one fails.
public struct GraphReplica: Sendable {
    /// What programs are checked against; changes as changes that name ontologies are folded and undone.
    public private(set) var schema: GraphSchema
    /// The ontologies in force that no other in force builds on; sorted.
    public private(set) var heads: [CID] = []
    /// Of the heads those that ``schema`` is made of, and that changes made here build on; sorted.
    ///
    /// All of them, unless together they are more than one ontology may be: then those that were there first.
    public private(set) var joined: [CID] = []
    /// The ontologies in force, with the authors whose changes name them, and where each first does.
    private var named: [CID: [DID: Place]] = [:]
    /// What changes are judged by, for what they name: the bases and then the ontology.
    ///
    /// The bases too, because a change that names too few of them is void, whoever has judged others before.
    private var checkers: [[CID]: ChangeChecker] = [:]

    /// How many ontologies are kept ready to judge by.
    private static let checkerCountMax = 64

    /// The graph of an empty store.
    public init() {
        schema = SystemOntology.schema
    }

    /// Reads which ontologies are in force.
    public init(restoring storage: any StorageReader) throws(StorageError) {
        self.init()
        try storage.scan(.projections, prefix: Self.ontologyPrefix) { key, value throws(StorageError) in
            guard let (cid, author) = Self.ontology(ofKey: key), let place = Place(value) else {
                throw StorageError(.corrupt, "an ontology's row cannot be read")
            }
            named[cid, default: [:]][author] = place
            return true
        }
        if !named.isEmpty { try joinHeads(storage) }
    }

    /// What says which ontologies are in force: while it is the same, so is ``schema``.
    public static func schemaMark(in storage: any StorageReader) throws(StorageError) -> [[UInt8]] {
        var rows: [[UInt8]] = []
        try storage.scan(.projections, prefix: ontologyPrefix) { key, value in
            rows.append(key + value)
            return true
        }
        return rows
    }

    // MARK: Folding

    /// What folding a change did.
    public struct Folded: Sendable {
        /// The entities whose visibility, attributes or links may have changed.
        public var touched: [LocalID] = []
        /// Why the change is void, if it is.
        public var void: Diagnostic?
        /// Whether ``GraphReplica/schema`` has changed.
        public var isSchemaChanged = false
    }

    /// Lets a change take effect.
    ///
    /// - Parameters:
    ///   - entry: Its attachments are in the store.
    ///   - position: Where it stands; once for each position.
    ///   - storage: The replica's store.
    /// - Returns: What came of it.
    /// - Throws: What the store throws.
    public mutating func fold(
        _ entry: GraphChangeEntry, at position: EntryPosition, in storage: any StorageWriter
    ) throws(StorageError) -> Folded {
        var folded = Folded()
        let (change, fault) = try judge(entry, storage)
        guard let change else {
            folded.void = fault
            return folded
        }
        folded.isSchemaChanged = try note(entry.ontology, position, storage)
        var writer = GraphWriter(storage)
        if folded.isSchemaChanged { try setIndexes(storage) }
        folded.touched = try writer.apply(change, at: position)
        return folded
    }

    /// Takes back a change that was folded at this position.
    public mutating func undo(
        _ entry: GraphChangeEntry, at position: EntryPosition, in storage: any StorageWriter
    ) throws(StorageError) -> Folded {
        var folded = Folded()
        let (change, fault) = try judge(entry, storage)
        guard let change else {
            folded.void = fault
            return folded
        }
        var writer = GraphWriter(storage)
        folded.touched = try writer.undo(change, at: position)
        folded.isSchemaChanged = try forget(entry.ontology, position, storage)
        if folded.isSchemaChanged { try setIndexes(storage) }
        return folded
    }

    /// The change that an entry carries, if it is what its ontology allows.
    private mutating func judge(
        _ entry: GraphChangeEntry, _ storage: any StorageReader
    ) throws(StorageError) -> (GraphChange?, Diagnostic?) {
        let bytes = try entry.join { cid throws(StorageError) in try storage.block(cid) }
        guard let bytes, let change = try? GraphChange(decoding: bytes) else {
            return (nil, Diagnostic(.invalidDeclaration, "its operations cannot be read"))
        }
        if let fault = try checker(entry, storage).refusal(of: change) { return (nil, fault) }
        return (change, nil)
    }

    /// A checker, or why there can be none.
    private enum Judgement {
        case checker(ChangeChecker)
        case refused(Diagnostic)

        func refusal(of change: GraphChange) -> Diagnostic? {
            switch self {
            case .checker(let checker): checker.fault(in: change)
            case .refused(let diagnostic): diagnostic
            }
        }
    }

    private mutating func checker(
        _ entry: GraphChangeEntry, _ storage: any StorageReader
    ) throws(StorageError) -> Judgement {
        let named = entry.bases + [entry.ontology]
        if let known = checkers[named] { return .checker(known) }
        // Only what the entry names is looked at: others may hold more blocks, or fewer.
        let allowed = Set(named)
        let resolution = try OntologyResolver.resolve(entry.ontology) { cid throws(StorageError) in
            allowed.contains(cid) ? try Self.source(cid, storage) : nil
        }
        switch resolution {
        case .missing(let cid):
            return .refused(
                Diagnostic(.invalidDeclaration, "its ontology builds on \(cid), which it does not name"))
        case .refused(let fault): return .refused(fault)
        case .resolved(let resolved):
            if checkers.count >= Self.checkerCountMax { checkers = [:] }
            let checker = ChangeChecker(resolved.schema)
            checkers[named] = checker
            return .checker(checker)
        }
    }

    private static func source(_ cid: CID, _ storage: any StorageReader) throws(StorageError)
        -> OntologyBlock?
    {
        guard let bytes = try storage.block(cid) else { return nil }
        return try? OntologyBlock(decoding: bytes)
    }

    // MARK: Ontologies in force

    private static let ontologyPrefix = Array("ontology".utf8)

    private static func ontologyKey(_ cid: CID, _ author: DID) -> [UInt8] {
        ontologyPrefix + cid.digest.bytes + author.publicKey.bytes
    }

    private static func ontology(ofKey key: [UInt8]) -> (CID, DID)? {
        let start = ontologyPrefix.count
        guard key.count == start + 64 else { return nil }
        return (
            CID(codec: .dagCBOR, digest: Bytes32(key, at: start)),
            DID(publicKey: Bytes32(key, at: start + 32))
        )
    }

    /// Where in an author's feed a change stands, and when it was made.
    private struct Place: Sendable, Equatable {
        let seq: UInt64
        let index: UInt64
        let time: HybridTime

        init(_ position: EntryPosition) {
            seq = position.seq
            index = UInt64(position.index)
            time = position.time
        }

        init?(_ bytes: [UInt8]) {
            guard bytes.count == 32 else { return nil }
            seq = bytes.bigEndian(at: 0)
            index = bytes.bigEndian(at: 8)
            time = HybridTime(
                milliseconds: Int64(bitPattern: bytes.bigEndian(at: 16)),
                counter: UInt32(truncatingIfNeeded: bytes.bigEndian(at: 24)))
        }

        var bytes: [UInt8] {
            var bytes: [UInt8] = []
            bytes.append(bigEndian: seq)
            bytes.append(bigEndian: index)
            bytes.append(bigEndian: UInt64(bitPattern: time.milliseconds))
            bytes.append(bigEndian: UInt64(time.counter))
            return bytes
        }

        /// Whether it comes before the entry at `index` of the anchor `seq`.
        func precedes(_ seq: UInt64, _ index: UInt64) -> Bool { (self.seq, self.index) < (seq, index) }
    }

    /// When an ontology was first named by a change that counts.
    private func since(_ ontology: CID) -> HybridTime? {
        named[ontology]?.values.min { $0.time < $1.time }?.time
    }

    /// Notes that a change names an ontology; each author's first change that does so keeps it in force.
    ///
    /// First in the feed and not in time: changes arrive in any order, and a feed's end may be taken back.
    private mutating func note(
        _ ontology: CID, _ position: EntryPosition, _ storage: any StorageWriter
    ) throws(StorageError) -> Bool {
        let place = Place(position)
        if let present = named[ontology]?[position.author], !place.precedes(present.seq, present.index) {
            return false
        }
        try storage.put(place.bytes, forKey: Self.ontologyKey(ontology, position.author), in: .projections)
        let before = since(ontology)
        named[ontology, default: [:]][position.author] = place
        if since(ontology) == before { return false }
        try joinHeads(storage)
        return true
    }

    private mutating func forget(
        _ ontology: CID, _ position: EntryPosition, _ storage: any StorageWriter
    ) throws(StorageError) -> Bool {
        guard named[ontology]?[position.author] == Place(position) else { return false }
        try storage.remove(Self.ontologyKey(ontology, position.author), in: .projections)
        let before = since(ontology)
        named[ontology]?[position.author] = nil
        if named[ontology]?.isEmpty == true { named[ontology] = nil }
        if since(ontology) == before { return false }
        try joinHeads(storage)
        return true
    }

    /// Whether an author has named an ontology already before a place of its feed.
    public func hasNamed(_ ontology: CID, by author: DID, before seq: UInt64, _ index: Int) -> Bool {
        named[ontology]?[author]?.precedes(seq, UInt64(index)) ?? false
    }

    /// Works out the heads, and the schema that they have together.
    private mutating func joinHeads(_ storage: any StorageReader) throws(StorageError) {
        var below: Set<CID> = []
        for cid in named.keys.sorted() {
            for base in try Self.closure(of: [cid], storage) where base != cid { below.insert(base) }
        }
        heads = named.keys.filter { !below.contains($0) }.sorted()
        joined = try fitting(heads, storage)
        guard let join = try? OntologyBlock(bases: joined, source: "") else { return }
        let resolution =
            joined.count == 1
            ? try OntologyResolver.resolve(joined[0]) { cid throws(StorageError) in
                try Self.source(cid, storage)
            }
            : try OntologyResolver.resolve(join, named: join.block.cid) { cid throws(StorageError) in
                try Self.source(cid, storage)
            }
        switch resolution {
        case .resolved(let resolved): schema = resolved.schema
        case .missing, .refused: schema = SystemOntology.schema
        }
    }

    /// Of the heads as many as one ontology may build on, those first whose oldest part was named first.
    ///
    /// So that nobody who comes later can push out what is there by declaring more than fits.
    private func fitting(
        _ heads: [CID], _ storage: any StorageReader
    ) throws(StorageError) -> [CID] {
        var order: [(since: HybridTime, head: CID, blocks: [CID])] = []
        for head in heads {
            let blocks = try Self.closure(of: [head], storage)
            order.append((blocks.compactMap(since).min() ?? .last, head, blocks))
        }
        order.sort { ($0.since, $0.head) < ($1.since, $1.head) }
        var chosen: [CID] = []
        var below: Set<CID> = []
        var byteCount = 0
        for (_, head, blocks) in order where chosen.count < OntologyBlock.baseCountMax {
            let new = blocks.filter { !below.contains($0) }
            var size = 0
            for cid in new { size += try Self.source(cid, storage)?.source.utf8.count ?? 0 }
            // Room is left for a block of one's own above them.
            guard
                chosen.isEmpty
                    || below.count + new.count < GraphChangeEntry.baseCountMax
                        && byteCount + size
                            <= OntologyResolver.sourceByteCountMax - OntologyBlock.sourceByteCountMax
            else { continue }
            chosen.append(head)
            below.formUnion(new)
            byteCount += size
        }
        return chosen.sorted()
    }

    /// Blocks and all that they build on, each once.
    private static func closure(
        of roots: [CID], _ storage: any StorageReader
    ) throws(StorageError) -> [CID] {
        var found: [CID] = []
        var seen: Set<CID> = []
        var open = roots
        while let cid = open.popLast() {
            guard seen.insert(cid).inserted else { continue }
            found.append(cid)
            guard let source = try source(cid, storage) else { continue }
            open += source.bases
        }
        return found
    }

    /// The indexes that the schema wants, and those that people made.
    private func setIndexes(_ storage: any StorageWriter) throws(StorageError) {
        var writer = GraphWriter(storage)
        try writer.setIndexes(IndexPlan.definitions(for: schema) + Self.ownIndexes(in: storage))
    }

    /// The indexes that people made at this node: no change says anything of them.
    public static func ownIndexes(in storage: any StorageReader) throws(StorageError) -> [IndexDefinition] {
        try GraphView(storage).indexes().map(\.definition).filter { !$0.name.contains(".") }
    }

    // MARK: Publishing

    /// What a unit is to publish: an entry, and the blocks that must be stored before it.
    public struct Publication: Sendable {
        public let entry: GraphChangeEntry
        public let blocks: [Block]
    }

    /// Runs a unit that may change the graph; see ``ScriptUnit/write(_:source:at:ontologies:in:)``.
    ///
    /// - Returns: What the unit gave, and what is to be published; nothing where nothing has changed.
    public func write(
        _ unit: ScriptUnit, _ environment: ScriptEnvironment, source: [UInt8], at position: EntryPosition,
        in storage: any StorageWriter
    ) throws -> (outcome: UnitOutcome, publication: Publication?) {
        let loading = OntologyLoading(heads: joined) { try Self.source($0, storage) }
        let outcome = try unit.write(
            environment, source: source, at: position, ontologies: loading, in: storage)
        guard let change = outcome.change else { return (outcome, nil) }
        return (outcome, try publication(of: change, outcome.ontologies, storage))
    }

    private func publication(
        of change: GraphChange, _ ontologies: [OntologyBlock], _ storage: any StorageReader
    ) throws -> Publication {
        var blocks = ontologies.map(\.block)
        let ontology: CID
        if let last = blocks.last {
            ontology = last.cid
        } else if joined.count == 1 {
            ontology = joined[0]
        } else {
            // Several are in force, or none: what joins them has no text of its own.
            let join = try OntologyBlock(bases: joined, source: "").block
            blocks.append(join)
            ontology = join.cid
        }
        let own = Set(blocks.map(\.cid))
        let below = try Self.closure(of: joined, storage)
        let bases = Set(below).union(own).subtracting([ontology]).sorted()
        guard bases.count <= GraphChangeEntry.baseCountMax else {
            throw UnitFailure(
                diagnostic: Diagnostic(
                    .tooLong, "the ontology builds on more than \(GraphChangeEntry.baseCountMax) others",
                    hint: "declare more at once: each LOAD and EXTEND ONTOLOGY adds one"), results: [])
        }
        do throws(IPLDError) {
            let (entry, chunks) = try GraphChangeEntry.split(
                change.encoded(), ontology: ontology, bases: bases)
            return Publication(entry: entry, blocks: blocks + chunks)
        } catch {
            throw UnitFailure(
                diagnostic: Diagnostic(
                    .workLimit, error.message, hint: "do it in several transactions"), results: [])
        }
    }
}
