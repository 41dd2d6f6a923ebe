public import MeshStorage

/// Goes through the entities of a type.
public struct EntityCursor {
    private let storage: any StorageReader
    private let prefix: [UInt8]
    private var start: [UInt8] = []
    private var waiting: [LocalID] = []
    private var place = 0
    private var isFinished = false

    init(_ storage: any StorageReader, _ type: UInt32) {
        self.storage = storage
        prefix = GraphKey.extent(type)
    }

    public mutating func next() throws(StorageError) -> LocalID? {
        while place == waiting.count {
            if isFinished { return nil }
            try fill()
        }
        place += 1
        return waiting[place - 1]
    }

    /// Reads some rows on.
    private mutating func fill() throws(StorageError) {
        var found: [LocalID] = []
        var rowCount = 0
        var last = start
        try storage.scan(.graphIndexes, prefix: prefix, from: start, reversed: false) {
            key, value throws(StorageError) in
            var reader = RowReader(key, from: 5)
            let base = try reader.number64() << Extent.bits
            for offset in try Extent(value).places { found.append(LocalID(rawValue: base | UInt64(offset))) }
            last = key
            rowCount += 1
            return rowCount < 64 && found.count < 256
        }
        isFinished = rowCount == 0
        // The least key behind the last.
        start = last + [0]
        waiting = found
        place = 0
    }
}
