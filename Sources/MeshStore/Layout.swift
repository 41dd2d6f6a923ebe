internal import IPLD
internal import LMDB
internal import MeshCore
internal import MeshStorage

/// The databases of the records' environment.
///
/// One for each ``StorageTable``, and three of the store's own: `log` (step → that commit's blocks),
/// `blocks` (CID → place in the log) and `store` (the format, and how far the index is merged).
struct Layout: Sendable {
    /// What this program writes; a greater number on disk is refused.
    static let format: UInt64 = 1
    private static let formatKey = [UInt8]("format".utf8)
    private static let mergedKey = [UInt8]("merged".utf8)

    let log: Database
    let index: Database
    private let store: Database
    private let tables: [Database]

    /// Checks the format, then opens every database, creating those that are missing.
    ///
    /// - Throws: ``StorageFailure/newerFormat``, or what LMDB said.
    init(_ transaction: borrowing WriteTransaction, _ report: FailureReport) throws(StorageError) {
        let format: UInt64?
        do throws(LMDBError) {
            store = try transaction.open("store")
            format = try transaction.value(forKey: Self.formatKey, in: store).map { Number.read($0[...]) }
        } catch {
            throw report.error(error)
        }
        if let format, format > Self.format {
            throw StorageError(
                .newerFormat,
                "the store in \(report.directory) has format \(format); this program reads up to \(Self.format)",
                hint: "run the newer program that wrote it")
        }
        do throws(LMDBError) {
            if format == nil {
                try transaction.put(Number.bytes(Self.format), forKey: Self.formatKey, in: store)
            }
            log = try transaction.open("log", integerKeys: true)
            index = try transaction.open("blocks")
            var tables: [Database] = []
            for table in StorageTable.allCases { tables.append(try transaction.open("t_" + table.rawValue)) }
            self.tables = tables
        } catch {
            throw report.error(error)
        }
    }

    func database(_ table: StorageTable) -> Database { tables[table.ordinal] }

    /// The key of a CID in the index: the digest first, so that slices of the order are neighbours.
    static func key(of cid: CID) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(40)
        cid.digest.append(to: &key)
        key.append(cid.version)
        let codec = cid.codec.rawValue
        for shift in [24, 16, 8, 0] as [UInt32] { key.append(UInt8(truncatingIfNeeded: codec >> shift)) }
        return key
    }

    /// The last step whose places are all in the index; 0 for none.
    func mergedStep(_ transaction: borrowing ReadTransaction) throws(LMDBError) -> UInt64 {
        try transaction.value(forKey: Self.mergedKey, in: store).map { Number.read($0[...]) } ?? 0
    }

    func setMergedStep(_ step: UInt64, _ transaction: borrowing WriteTransaction) throws(LMDBError) {
        try transaction.put(Number.bytes(step), forKey: Self.mergedKey, in: store)
    }
}

extension StorageTable {
    /// The position in `allCases`; found without hashing the name.
    fileprivate var ordinal: Int {
        switch self {
        case .meta: 0
        case .feeds: 1
        case .frontier: 2
        case .arrival: 3
        case .frozen: 4
        case .jobs: 5
        case .jobEntries: 6
        case .own: 7
        case .projections: 8
        case .registry: 9
        case .graphEntities: 10
        case .graphLinks: 11
        case .graphIndexes: 12
        case .graphNames: 13
        case .graphHistory: 14
        }
    }
}
