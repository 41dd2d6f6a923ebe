internal import MeshStorage

extension EntityRecord {
    /// What the attributes are: of each, the last write to an add that is left, and the writing operation.
    ///
    /// `precedes` tells whether one operation stands before another. The result is sorted by name, and has nulls
    /// where that is what was written last.
    func writes(
        _ precedes: (UInt64, UInt64) throws(StorageError) -> Bool
    ) throws(StorageError) -> [Write] {
        var winners: [Write] = []
        for add in adds where !add.isEnded {
            for attribute in add.attributes {
                let write = Write(name: attribute.name, operation: add.operation, value: attribute.value)
                try Self.insert(write, into: &winners, precedes)
            }
            for write in add.sets { try Self.insert(write, into: &winners, precedes) }
        }
        return winners
    }

    private static func insert(
        _ write: Write, into winners: inout [Write], _ precedes: (UInt64, UInt64) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let place = winners.firstIndex { $0.name >= write.name } ?? winners.count
        if place < winners.count, winners[place].name == write.name {
            if try precedes(winners[place].operation, write.operation) { winners[place] = write }
        } else {
            winners.insert(write, at: place)
        }
    }
}
