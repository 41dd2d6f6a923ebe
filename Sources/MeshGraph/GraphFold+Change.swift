internal import MeshCore
internal import MeshDAG
internal import MeshStorage

/// Whole changes.
extension GraphFold {
    /// The number of operation 0 of the entry at `position`; `nil` for an entry that has no numbers left.
    func base(of position: EntryPosition) throws(StorageError) -> UInt64? {
        guard position.index >= 0, position.index < 256 else { return nil }
        return try ordinal(of: position) << ChangeInfo.indexBits
            | UInt64(OperationIndex.make(entry: position.index, operation: 0))
    }

    func apply(_ operations: [GraphOperation], at position: EntryPosition) throws(StorageError) {
        guard operations.count <= OperationIndex.operationCountMax, let base = try base(of: position) else {
            return
        }
        var place = Place(base: base, index: 0, time: position.time, added: [])
        place.added.reserveCapacity(operations.count)
        fresh.begin(base)
        for operation in operations {
            if try addFresh(operation, place) {
                place.added.append(place.operation)
            } else {
                let result = try fold(operation, at: place, undoes: false)
                place.added.append(result.map { $0.isAdded ? $0.entity : 0 } ?? 0)
            }
            place.index += 1
            try makeRoom()
        }
    }

    /// Takes operations back, the last first, so that edges go before what they touch.
    func undo(_ operations: [GraphOperation], at position: EntryPosition) throws(StorageError) {
        guard operations.count <= OperationIndex.operationCountMax, let base = try base(of: position) else {
            return
        }
        var place = Place(base: base, index: 0, time: position.time, added: [])
        place.added.reserveCapacity(operations.count)
        for operation in operations {
            place.added.append(try identify(operation, place)?.entity ?? 0)
            place.index += 1
        }
        for operation in operations.reversed() {
            place.index -= 1
            _ = try fold(operation, at: place, undoes: true)
            try makeRoom()
        }
    }
}
