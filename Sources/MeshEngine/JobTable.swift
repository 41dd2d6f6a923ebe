internal import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshFederation
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage

/// The fold of all job entries: one row for each contribution, and a cache of the ledgers in use.
///
/// A row's key is subject ‖ kind ‖ author ‖ seq ‖ index, so a ledger is one range scan and undoing
/// a contribution is deleting its row. The subject is the manifest, or for attestations the receipt,
/// so nothing depends on which arrived first.
struct JobTable: Sendable {
    enum Kind: UInt8 { case manifest = 1, award, receipt, close, attestation }

    private static let cachedCountMax = 8192

    private var ledgers: [CID: JobLedger] = [:]
    private var attestations: [CID: [Contribution<Attestation>]] = [:]
    private var recent: [CID] = []

    // MARK: Reading

    /// Everything the DAG says about a job; empty when it says nothing.
    mutating func ledger(_ manifest: CID, in storage: any StorageReader) throws(StorageError) -> JobLedger {
        if let ledger = ledgers[manifest] { return ledger }
        var ledger = JobLedger(manifestCID: manifest)
        try Self.scan(manifest, in: storage) { row, entry in
            switch entry {
            case .manifest(let record): ledger.insert(row.contribution(record))
            case .award(let record): ledger.insert(row.contribution(record))
            case .receipt(let record): ledger.insert(row.contribution(record))
            case .close(let record): ledger.insert(row.contribution(record))
            default: break
            }
        }
        remember(ledger)
        return ledger
    }

    /// The attestations that name a receipt.
    mutating func attestations(
        _ receipt: CID, in storage: any StorageReader
    ) throws(StorageError) -> [Contribution<Attestation>] {
        if let known = attestations[receipt] { return known }
        var found: [Contribution<Attestation>] = []
        try Self.scan(receipt, in: storage) { row, entry in
            if case .attestation(let record) = entry { found.append(row.contribution(record)) }
        }
        attestations[receipt] = found
        return found
    }

    private mutating func remember(_ ledger: JobLedger) {
        if ledgers.updateValue(ledger, forKey: ledger.manifestCID) == nil {
            recent.append(ledger.manifestCID)
        }
        guard recent.count > Self.cachedCountMax else { return }
        for manifest in recent.prefix(Self.cachedCountMax / 4) {
            for receipt in ledgers[manifest]?.receipts ?? [] { attestations[receipt.cid] = nil }
            ledgers[manifest] = nil
        }
        recent.removeFirst(Self.cachedCountMax / 4)
        if attestations.count > Self.cachedCountMax * 2 { attestations.removeAll() }
    }

    // MARK: Folding

    /// Adds one entry and returns the job it concerns, as far as that is known.
    mutating func insert(
        _ entry: Entry, cid: CID, anchor: CID, position: EntryPosition, in storage: any StorageWriter
    ) throws(StorageError) {
        guard let (subject, kind) = Self.subject(of: entry, cid: cid) else { return }
        let row = Row(cid: cid, anchor: anchor, position: position)
        try storage.put(row.value, forKey: Row.key(subject, kind, position), in: .jobEntries)
        switch entry {
        case .manifest(let record):
            try storage.put([], forKey: Self.listKey(subject, record), in: .jobs)
            if ledgers[subject] == nil, try Self.count(subject, atMost: 2, in: storage) == 1 {
                remember(JobLedger(manifestCID: subject))
            }
            ledgers[subject]?.insert(row.contribution(record))
        case .award(let record): ledgers[subject]?.insert(row.contribution(record))
        case .receipt(let record):
            ledgers[subject]?.insert(row.contribution(record))
            // The receipt's own row stands under its manifest: whatever stands here came before it.
            if attestations[cid] == nil, try Self.count(cid, atMost: 1, in: storage) == 0 {
                attestations[cid] = []
            }
        case .close(let record): ledgers[subject]?.insert(row.contribution(record))
        case .attestation(let record): attestations[subject]?.append(row.contribution(record))
        default: break
        }
    }

    /// How many rows stand under a subject, counted up to `limit`: one that has just been begun need
    /// not be read.
    private static func count(
        _ subject: CID, atMost limit: Int, in storage: any StorageReader
    ) throws(StorageError) -> Int {
        var count = 0
        try storage.scan(.jobEntries, prefix: subject.digest.bytes) { _, _ in
            count += 1
            return count < limit
        }
        return count
    }

    /// Sorts jobs by their age, for listing.
    private static func listKey(_ manifest: CID, _ record: JobManifest) -> [UInt8] {
        var key: [UInt8] = []
        key.append(bigEndian: UInt64(max(0, record.created.milliseconds)))
        manifest.digest.append(to: &key)
        return key
    }

    /// Takes one entry out again.
    mutating func remove(
        _ entry: Entry, cid: CID, position: EntryPosition, in storage: any StorageWriter
    ) throws(StorageError) {
        guard let (subject, kind) = Self.subject(of: entry, cid: cid) else { return }
        try storage.remove(Row.key(subject, kind, position), in: .jobEntries)
        if case .manifest(let record) = entry, try Self.isVacant(subject, in: storage) {
            try storage.remove(Self.listKey(subject, record), in: .jobs)
        }
        if !isPlanted(.ledgerNotUndone) { ledgers[subject]?.remove(position.feed, from: position.seq) }
        attestations[subject]?.removeAll { $0.position == position }
    }

    /// Whether no manifest row stands under a subject any more.
    private static func isVacant(_ subject: CID, in storage: any StorageReader) throws(StorageError) -> Bool {
        var vacant = true
        try storage.scan(.jobEntries, prefix: subject.digest.bytes + [Kind.manifest.rawValue]) { _, _ in
            vacant = false
            return false
        }
        return vacant
    }

    /// What an entry is about.
    static func subject(of entry: Entry, cid: CID) -> (CID, Kind)? {
        switch entry {
        case .manifest: (cid, .manifest)
        case .award(let record): (record.manifest, .award)
        case .receipt(let record): (record.manifest, .receipt)
        case .close(let record): (record.manifest, .close)
        case .attestation(let record): (record.receipt, .attestation)
        default: nil
        }
    }

    // MARK: Rows

    struct Row {
        let cid: CID
        let anchor: CID
        let position: EntryPosition

        /// subject ‖ kind ‖ author ‖ seq ‖ index.
        static let keyByteCount = 32 + 1 + 32 + 8 + 2

        static func key(_ subject: CID, _ kind: Kind, _ position: EntryPosition) -> [UInt8] {
            var key = subject.digest.bytes
            key.append(kind.rawValue)
            position.author.publicKey.append(to: &key)
            key.append(bigEndian: position.seq)
            key.append(UInt8(truncatingIfNeeded: position.index >> 8))
            key.append(UInt8(truncatingIfNeeded: position.index))
            return key
        }

        var value: [UInt8] {
            var value = cid.digest.bytes
            anchor.digest.append(to: &value)
            value.append(bigEndian: UInt64(bitPattern: position.time.milliseconds))
            value.append(bigEndian: UInt64(position.time.counter))
            value.append(contentsOf: position.scope.utf8)
            return value
        }

        init(cid: CID, anchor: CID, position: EntryPosition) {
            self.cid = cid
            self.anchor = anchor
            self.position = position
        }

        init?(key: [UInt8], value: [UInt8]) {
            guard key.count == Self.keyByteCount, value.count >= 80 else { return nil }
            cid = CID(codec: .dagCBOR, digest: Bytes32(value))
            anchor = CID(codec: .dagCBOR, digest: Bytes32(value, at: 32))
            position = EntryPosition(
                author: DID(publicKey: Bytes32(key, at: 33)),
                scope: String(decoding: value[80...], as: UTF8.self),
                seq: key.bigEndian(at: 65), index: Int(key[73]) << 8 | Int(key[74]),
                time: HybridTime(
                    milliseconds: Int64(bitPattern: value.bigEndian(at: 64)),
                    counter: UInt32(truncatingIfNeeded: value.bigEndian(at: 72))))
        }

        func contribution<Record>(_ record: Record) -> Contribution<Record> {
            Contribution(cid: cid, anchor: anchor, position: position, record: record)
        }
    }

    private static func scan(
        _ subject: CID, in storage: any StorageReader, _ body: (Row, Entry) -> Void
    ) throws(StorageError) {
        try storage.scan(.jobEntries, prefix: subject.digest.bytes) { key, value throws(StorageError) in
            guard let row = Row(key: key, value: value), let bytes = try storage.block(row.cid),
                let entry = try? Entry(decoding: bytes)
            else { throw StorageError(.corrupt, "an entry that a projection rests on cannot be read") }
            body(row, entry)
            return true
        }
    }
}
