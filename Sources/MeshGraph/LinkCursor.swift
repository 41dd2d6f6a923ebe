public import MeshStorage

/// Goes through the links of an entity.
public struct LinkCursor {
    private let storage: any StorageReader
    private let key: [UInt8]
    private var row: [UInt8] = []
    private var position = 0
    /// Where the next chunk of a long list is looked for; empty before the first row was read.
    private var start: [UInt8] = []
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
        var reader = RowReader(row, from: position)
        let peer = try reader.number64()
        let edge = try reader.number64()
        position = reader.position
        return (LocalID(rawValue: edge), LocalID(rawValue: peer))
    }

    private mutating func fill() throws(StorageError) {
        if start.isEmpty {
            start = key + [0]
            guard let row = try storage.value(forKey: key, in: .graphLinks), let first = row.first else {
                isFinished = true
                return
            }
            if first == 0 {
                self.row = row
                position = 1
                isFinished = true
                return
            }
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
        row = found.value
        position = 0
    }
}
