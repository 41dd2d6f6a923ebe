internal import MeshCore
internal import MeshIdentity
internal import MeshStorage

/// What a replica's number for a change, its *ordinal*, stands for.
///
/// An operation's number is its change's ordinal and its index: ``LocalID``'s form, and for what it adds without
/// a key, its ``LocalID`` itself.
struct ChangeInfo {
    let author: DID
    let seq: UInt64
    /// When its effects stand; zero while nothing of it has been applied.
    let time: HybridTime

    /// Bits of an operation's number that are its index.
    static let indexBits: UInt64 = 28
    static let indexMask: UInt64 = 1 << indexBits - 1
    /// Marks the numbers of entities with keys, which are counted apart.
    static let keyedMark: UInt64 = 1 << 62
    /// Ordinals end below ``keyedMark``.
    static let ordinalMax: UInt64 = 1 << 34 - 1

    init(author: DID, seq: UInt64, time: HybridTime) {
        self.author = author
        self.seq = seq
        self.time = time
    }

    init(_ row: [UInt8]) throws(StorageError) {
        var reader = RowReader(row)
        author = DID(publicKey: Bytes32(row, at: try reader.take(32).lowerBound))
        seq = try reader.number64()
        time = HybridTime(
            milliseconds: Int64(bitPattern: try reader.number64()), counter: try reader.number32())
    }

    var row: [UInt8] {
        var row: [UInt8] = []
        row.reserveCapacity(52)
        author.publicKey.append(to: &row)
        row.append(bigEndian: seq)
        row.append(bigEndian: UInt64(bitPattern: time.milliseconds))
        row.append(bigEndian: time.counter)
        return row
    }

    static func read(_ ordinal: UInt64, _ storage: any StorageReader) throws(StorageError) -> ChangeInfo {
        guard let row = try storage.value(forKey: GraphKey.ordinal(ordinal), in: .graphNames) else {
            throw RowReader.corrupt()
        }
        return try ChangeInfo(row)
    }

    /// Whether operation `a` stands before `b`: by time, author, seq and index.
    static func precedes(
        _ a: UInt64, _ b: UInt64, _ info: (UInt64) throws(StorageError) -> ChangeInfo
    ) throws(StorageError) -> Bool {
        if a >> indexBits == b >> indexBits { return a < b }
        let first = try info(a >> indexBits)
        let second = try info(b >> indexBits)
        if first.time != second.time { return first.time < second.time }
        if first.author != second.author { return first.author < second.author }
        return first.seq < second.seq
    }
}
