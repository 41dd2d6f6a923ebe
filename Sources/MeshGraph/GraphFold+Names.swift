internal import MeshCore
internal import MeshDAG
internal import MeshIdentity
internal import MeshStorage

/// Numbers for what operations name; each is given once, and kept whatever is undone.
extension GraphFold {
    private func next(_ counter: GraphKey.Counter) throws(StorageError) -> UInt64 {
        let key = GraphKey.counter(counter)
        let value = try Self.number(key, .graphNames, storage) + 1
        try put(value, key)
        return value
    }

    private func put(_ value: UInt64, _ key: [UInt8]) throws(StorageError) {
        var row: [UInt8] = []
        row.append(bigEndian: value)
        try storage.put(row, forKey: key, in: .graphNames)
    }

    func name(_ text: String) throws(StorageError) -> UInt32 {
        if caches.isLastName(text) { return caches.lastNameNumber }
        if let known = caches.names[text] {
            caches.lastName = text
            caches.lastNameNumber = known
            return known
        }
        let key = GraphKey.name(text)
        var number = UInt32(truncatingIfNeeded: try Self.number(key, .graphNames, storage))
        if number == 0 {
            let next = try next(.names)
            guard let fitting = UInt32(exactly: next) else { throw RowReader.corrupt() }
            number = fitting
            try put(next, key)
            try storage.put(Array(text.utf8), forKey: GraphKey.nameText(number), in: .graphNames)
        }
        caches.names[text] = number
        return number
    }

    /// The ordinal of a change that an operation names, whether it has come or not; `time` is when it stands,
    /// where that is known.
    func ordinal(
        _ author: DID, _ seq: UInt64, at time: HybridTime = HybridTime(milliseconds: 0, counter: 0)
    ) throws(StorageError) -> UInt64 {
        if seq == caches.lastChange.seq, author == caches.lastChange.author { return caches.lastOrdinal }
        let name = GraphCaches.ChangeName(author: author, seq: seq)
        if let known = caches.changes[name] {
            caches.lastChange = name
            caches.lastOrdinal = known
            return known
        }
        let key = GraphKey.change(author, seq)
        var ordinal = try Self.number(key, .graphNames, storage)
        if ordinal == 0 {
            ordinal = try next(.changes)
            guard ordinal <= ChangeInfo.ordinalMax else { throw RowReader.corrupt() }
            try put(ordinal, key)
            let info = ChangeInfo(author: author, seq: seq, time: time)
            try storage.put(info.row, forKey: GraphKey.ordinal(ordinal), in: .graphNames)
            caches.infos[ordinal] = info
            fresh.newOrdinal = ordinal
        }
        caches.changes[name] = ordinal
        return ordinal
    }

    /// The ordinal of the change at `position`, whose time is noted.
    func ordinal(of position: EntryPosition) throws(StorageError) -> UInt64 {
        let ordinal = try ordinal(position.author, position.seq, at: position.time)
        if try info(ordinal).time != position.time {
            let info = ChangeInfo(author: position.author, seq: position.seq, time: position.time)
            try storage.put(info.row, forKey: GraphKey.ordinal(ordinal), in: .graphNames)
            caches.infos[ordinal] = info
        }
        return ordinal
    }

    func info(_ ordinal: UInt64) throws(StorageError) -> ChangeInfo {
        if let known = caches.infos[ordinal] { return known }
        let info = try ChangeInfo.read(ordinal, storage)
        caches.infos[ordinal] = info
        return info
    }

    func precedes(_ a: UInt64, _ b: UInt64) throws(StorageError) -> Bool {
        try ChangeInfo.precedes(a, b) { ordinal throws(StorageError) in try info(ordinal) }
    }

    func operation(_ author: DID, _ seq: UInt64, _ index: UInt32) throws(StorageError) -> UInt64? {
        guard UInt64(index) <= ChangeInfo.indexMask else { return nil }
        return try ordinal(author, seq) << ChangeInfo.indexBits | UInt64(index)
    }

    /// The number of an entity with a key.
    func keyed(_ type: String, _ key: String) throws(StorageError) -> UInt64 {
        let row = GraphKey.key(key, try name(type))
        let known = try Self.number(row, .graphNames, storage)
        if known != 0 { return known }
        let id = try next(.keys) | ChangeInfo.keyedMark
        try put(id, row)
        var text: [UInt8] = []
        text.append(bigEndian: try name(type))
        text.append(contentsOf: key.utf8)
        try storage.put(text, forKey: GraphKey.keyText(id), in: .graphNames)
        return id
    }

    /// The number of an entity by its name everywhere; `nil` for a name that no entity can have.
    func entity(_ id: EntityID) throws(StorageError) -> UInt64? {
        switch id {
        case .operation(let author, let seq, let index): return try operation(author, seq, index)
        case .key(let type, let key):
            guard GraphLimits.isName(type.utf8), GraphLimits.isKey(key.utf8) else { return nil }
            return try keyed(type, key)
        }
    }
}
