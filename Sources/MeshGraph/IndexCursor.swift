public import MeshStorage

/// Goes through a stretch of an index.
public struct IndexCursor {
    private let storage: any StorageReader
    private let prefix: [UInt8]
    private let lower: [UInt8]
    /// Above every row that is wanted; empty for no bound.
    private let upper: [UInt8]
    private let isDescending: Bool
    private var start: [UInt8]
    private var lastKey: [UInt8] = []
    private var waiting: [LocalID] = []
    private var place = 0
    private var isFinished = false
    private var pieceCount = 4

    init(
        _ storage: any StorageReader, _ index: UInt32, _ lower: GraphValue?, _ upper: GraphValue?,
        isDescending: Bool
    ) {
        self.storage = storage
        prefix = GraphKey.index(index)
        self.isDescending = isDescending
        let least = lower.flatMap(IndexKey.encode)
        let most = upper.flatMap(IndexKey.encode)
        // A bound that no index can hold has nothing beyond it.
        isFinished = (lower != nil && least == nil) || (upper != nil && most == nil)
        let kind = least?.first ?? most?.first
        self.lower = prefix + (least ?? kind.map { [$0] } ?? [])
        self.upper =
            if let most { prefix + most + [UInt8](repeating: 0xff, count: 9) } else if let kind {
                prefix + [kind + 1]
            } else { [] }
        start = isDescending ? self.upper : self.lower
    }

    public mutating func next() throws(StorageError) -> LocalID? {
        while place == waiting.count {
            if isFinished { return nil }
            try fill()
        }
        place += 1
        return waiting[place - 1]
    }

    private mutating func fill() throws(StorageError) {
        var found: [LocalID] = []
        var last = lastKey
        var isEnd = true
        try storage.scan(.graphIndexes, prefix: prefix, from: start, reversed: isDescending) {
            key, _ throws(StorageError) in
            // Backwards, a scan begins with where the last one stopped.
            if key == lastKey { return true }
            let isBeyond =
                isDescending
                ? key.lexicographicallyPrecedes(lower)
                : !upper.isEmpty && upper.lexicographicallyPrecedes(key)
            if isBeyond {
                isEnd = true
                return false
            }
            found.append(try Self.entity(key))
            last = key
            isEnd = found.count < pieceCount
            return isEnd
        }
        isFinished = isEnd
        lastKey = last
        start = last
        pieceCount = min(pieceCount * 4, 256)
        waiting = found
        place = 0
    }

    /// The entity of an index's row.
    static func entity(_ key: [UInt8]) throws(StorageError) -> LocalID {
        var reader = RowReader(key, from: key.count - 8)
        return LocalID(rawValue: try reader.number64())
    }
}
