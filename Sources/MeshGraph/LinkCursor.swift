public import MeshStorage

/// Goes through the links of an entity.
public struct LinkCursor {
    private let storage: any StorageReader
    private let key: [UInt8]
    private var row: [UInt8] = []
    private var position = 0
    /// Where the next chunk of a long list is looked for; empty before the first row was read.
    private var start: [UInt8] = []
    private var isBegun = false
    private var isFinished = false

    init(_ storage: any StorageReader, _ key: [UInt8]) {
        self.storage = storage
        self.key = key
    }

    /// `peer` is the other target of a binary edge, and 0 for an edge with more.
    public mutating func next() throws(StorageError) -> (edge: LocalID, peer: LocalID)? {
        while position == row.count {
            if isFinished { return nil }
            try fill()
        }
        let (peer, edge) = unsafe row.withUnsafeBytes { row in
            // `read` has seen that whole entries are left.
            unsafe (
                UInt64(bigEndian: row.loadUnaligned(fromByteOffset: position, as: UInt64.self)),
                UInt64(bigEndian: row.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self))
            )
        }
        position += Posting.byteCount
        return (LocalID(rawValue: edge), LocalID(rawValue: peer))
    }

    private mutating func fill() throws(StorageError) {
        if !isBegun {
            isBegun = true
            guard let row = try storage.value(forKey: key, in: .graphLinks), let first = row.first else {
                isFinished = true
                return
            }
            if first == 0 {
                try read(row, from: 1)
                isFinished = true
                return
            }
            start = key + [0]
        }
        var found: (key: [UInt8], value: [UInt8])?
        try storage.scan(.graphLinks, prefix: key, from: start, reversed: false) { key, value in
            found = (key, value)
            return false
        }
        guard let found else {
            isFinished = true
            return
        }
        start = found.key + [0]
        try read(found.value, from: 0)
    }

    private mutating func read(_ row: [UInt8], from start: Int) throws(StorageError) {
        guard (row.count - start) % Posting.byteCount == 0 else { throw RowReader.corrupt() }
        self.row = row
        position = start
    }
}
