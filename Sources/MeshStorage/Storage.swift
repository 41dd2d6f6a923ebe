public import IPLD
public import MeshCore

/// The ordered tables that the engine keeps; keys sort bytewise.
public enum StorageTable: String, CaseIterable, Sendable, Hashable {
    /// Format and identity of the data directory.
    case meta
    /// author ‖ scope ‖ seq → anchor CID.
    case feeds
    /// author ‖ scope → seq, CID and HLC time of the newest applied anchor.
    case frontier
    /// Order of application, u64 → anchor CID; what a rebuild replays.
    case arrival
    /// author ‖ scope → lowest forked seq and the evidence.
    case frozen
    /// Manifest CID digest → the job's folded record.
    case jobs
    /// Sort keys of jobs and their children, for listing.
    case jobEntries
    /// What this node alone knows: reservations, leases, claims, pending entries.
    case own
    /// Further projections; dropped and rebuilt.
    case projections
    /// Profiles, bundles and other small folds, by author or CID.
    case registry
    /// The graph: entity → its record.
    case graphEntities
    /// The graph: (entity, edge type, position) → the visible edges there; and what hidden edges wait for.
    case graphLinks
    /// The graph: entities by type, counts, and the indexes over attributes.
    case graphIndexes
    /// The graph: names, changes and explicit keys ↔ this replica's numbers for them.
    case graphNames
    /// The graph: every write and end of an attribute's history, so that one can be taken back.
    case graphHistory

    /// The longest key, in bytes.
    ///
    /// Longer ones are never found, and are refused when written.
    public static let keyByteCountMax = 511
}

/// Why the store could not do what it was asked.
public enum StorageFailure: String, Sendable, CaseIterable {
    /// No room on the disk, or the map may not grow further.
    case full = "storage.full"
    /// The directory or a file cannot be read or written.
    case access = "storage.access"
    /// Another process has the directory open.
    case locked = "storage.locked"
    /// Written by a newer version of this program.
    case newerFormat = "storage.newer-format"
    /// The data contradicts itself.
    case corrupt = "storage.corrupt"
    /// A key to write is empty or longer than ``StorageTable/keyByteCountMax``.
    case keySize = "storage.key-size"
}

public typealias StorageError = CodedError<StorageFailure>

/// A consistent view of the store.
///
/// A class protocol, because one transaction is one identity: it is lent to the code that may use
/// it, is used by one thread, and does not outlive the closure that lent it.
public protocol StorageReader: AnyObject {
    /// The value under exactly `key`, or `nil`.
    func value(forKey key: [UInt8], in table: StorageTable) throws(StorageError) -> [UInt8]?

    /// Visits the pairs of `table` whose keys start with `prefix`, in key order, beginning at the
    /// first key not below `start` (or, in reverse, the last key not above it; an empty `start`
    /// means the respective end), until `body` returns `false`.
    ///
    /// `body` may write where the reader is a writer; whether the scan still meets what it writes
    /// into the same table is not defined.
    func scan(
        _ table: StorageTable, prefix: [UInt8], from start: [UInt8], reversed: Bool,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(StorageError) -> Bool
    ) throws(StorageError)

    /// A block of the shared DAG by its CID.
    func block(_ cid: CID) throws(StorageError) -> [UInt8]?
    func hasBlock(_ cid: CID) throws(StorageError) -> Bool
}

/// A view that may also write; everything in it takes effect together, or not at all.
public protocol StorageWriter: StorageReader {
    /// Stores `value` in place of what was there.
    ///
    /// - Throws: ``StorageFailure/keySize``, after which the transaction can go on; any other
    ///   failure ends it.
    func put(_ value: [UInt8], forKey key: [UInt8], in table: StorageTable) throws(StorageError)
    /// Stores many rows, whose keys rise, as ``put(_:forKey:in:)`` would one by one.
    func put(_ rows: RowBatch, in table: StorageTable) throws(StorageError)
    /// Removing what is not there is not an error.
    func remove(_ key: [UInt8], in table: StorageTable) throws(StorageError)
    /// Empties a table.
    func removeAll(in table: StorageTable) throws(StorageError)
    /// Appends a block that is known to hash to `cid`; writing one twice is harmless, but may take
    /// its room twice, so callers ask ``StorageReader/hasBlock(_:)`` where they do not know.
    func putBlock(_ bytes: [UInt8], cid: CID) throws(StorageError)
}

/// Blobs by CID: job code, inputs and outputs, kept apart from the records.
///
/// Safe to call from any thread. A put is durable when it returns.
public protocol BlobStorage: Sendable {
    func blob(_ cid: CID) throws(StorageError) -> [UInt8]?
    func hasBlob(_ cid: CID) throws(StorageError) -> Bool
    /// Stores bytes that are known to hash to their CIDs, in one durable commit.
    func putBlobs(_ blobs: [Block]) throws(StorageError)
}

extension StorageWriter {
    public func put(_ rows: RowBatch, in table: StorageTable) throws(StorageError) {
        try rows.forEach { key, value throws(StorageError) in try put(value, forKey: key, in: table) }
    }
}

extension StorageReader {
    public func scan(
        _ table: StorageTable, prefix: [UInt8],
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try scan(table, prefix: prefix, from: [], reversed: false, body)
    }
}

extension StorageTable {
    /// Refuses a key that the store on disk could not hold.
    ///
    /// - Throws: ``StorageFailure/keySize``.
    public func checkKey(_ key: [UInt8]) throws(StorageError) {
        guard key.isEmpty || key.count > Self.keyByteCountMax else { return }
        throw StorageError(
            .keySize, "a key of \(key.count) bytes for \(rawValue); keys have 1 to \(Self.keyByteCountMax)")
    }
}

extension StorageTable {
    /// The tables of the property graph; a projection like the others.
    public static let graph: [StorageTable] = [
        .graphEntities, .graphLinks, .graphIndexes, .graphNames, .graphHistory,
    ]
}
