internal import MeshStorage

/// Who is seen: an entity with an add left, if it is an edge then with all targets seen.
///
/// Seeing is the least set that fits, so that edges which name each other in a circle are never seen. A hidden edge
/// waits for one of its unseen targets; when that appears it looks at the others again.
extension GraphFold {
    /// Changes a record; what follows from it waits for ``settle()``.
    func change(
        _ id: UInt64, _ body: (EntityRecord) throws(StorageError) -> Void
    ) throws(StorageError) {
        let record = try record(id)
        if !record.isPending {
            record.isPending = true
            record.indexed = record.isVisible ? try indexKeys(record) : []
            pending.append(id)
        }
        try body(record)
        touch(id, record)
    }

    /// Does what follows from all changes: once for each entity, however often a change makes it come and go.
    func settle() throws(StorageError) {
        let ids = pending
        pending.removeAll(keepingCapacity: true)
        for id in ids {
            let record = try record(id)
            switch (record.isLive, record.state) {
            case (true, .visible):
                let keys = try indexKeys(record)
                if keys != record.indexed {
                    removeRows(record.indexed, of: id)
                    putRows(keys, of: id)
                }
            case (true, _): try show(id)
            case (false, .visible):
                removeRows(record.indexed, of: id)
                try hide(id)
            case (false, .waiting(let position)):
                try storage.remove(GraphKey.waiting(record.targets[position], id), in: .graphLinks)
                record.state = .dead
            case (false, .dead): break
            }
            record.isPending = false
            record.indexed = []
        }
    }

    private func touch(_ id: UInt64, _ record: EntityRecord) {
        touched.insert(id)
        record.isChanged = true
    }

    /// Makes a live entity visible if it can be, and whatever waited for it.
    private func show(_ id: UInt64) throws(StorageError) {
        var candidates = [id]
        while let next = candidates.popLast() {
            let record = try record(next)
            guard record.isLive, !record.isVisible else { continue }
            touch(next, record)
            if try !wait(next, record) {
                record.state = .visible
                extents.append(ExtentChange(type: record.type, entity: next, isInserted: true))
                let keys = try indexKeys(record)
                putRows(keys, of: next)
                if record.isPending { record.indexed = keys }
                changeLinks(next, record, isInserted: true)
                try storage.scan(.graphLinks, prefix: GraphKey.waiting(next)) {
                    key, _ throws(StorageError) in
                    var reader = RowReader(key, from: 9)
                    candidates.append(try reader.number64())
                    return true
                }
            }
        }
    }

    /// Puts an edge's wait where it belongs; `false` when there is nothing to wait for.
    private func wait(_ id: UInt64, _ record: EntityRecord) throws(StorageError) -> Bool {
        var hidden: Int?
        for (position, target) in record.targets.enumerated() where try !isVisible(target) {
            hidden = position
            break
        }
        if case .waiting(let position) = record.state {
            if let hidden, record.targets[hidden] == record.targets[position] { return true }
            try storage.remove(GraphKey.waiting(record.targets[position], id), in: .graphLinks)
        }
        guard let hidden else { return false }
        record.state = .waiting(hidden)
        try storage.put([], forKey: GraphKey.waiting(record.targets[hidden], id), in: .graphLinks)
        return true
    }

    private func isVisible(_ id: UInt64) throws(StorageError) -> Bool { try record(id).isVisible }

    /// Hides an entity that has no add left, and with it every edge that needs it.
    private func hide(_ id: UInt64) throws(StorageError) {
        let record = try record(id)
        record.state = .dead
        withdraw(id, record)
        var hidden = [id]
        while let target = hidden.popLast() {
            if hasNewLinks || !fresh.links.isEmpty { try flushLinks() }
            var edges: [UInt64] = []
            try storage.scan(.graphLinks, prefix: GraphKey.entity(target)) {
                key, value throws(StorageError) in
                edges += try Self.edges(key, value)
                return true
            }
            for edge in edges {
                let record = try self.record(edge)
                // Edges that are hidden by now may still stand in rows that wait to be written.
                guard record.isVisible, let position = record.targets.firstIndex(of: target) else { continue }
                removeRows(record.isPending ? record.indexed : try indexKeys(record), of: edge)
                record.indexed = []
                withdraw(edge, record)
                record.state = .waiting(position)
                try storage.put([], forKey: GraphKey.waiting(target, edge), in: .graphLinks)
                hidden.append(edge)
            }
        }
    }

    /// The edges in one row of a posting list.
    static func edges(_ key: [UInt8], _ value: [UInt8]) throws(StorageError) -> [UInt64] {
        let isFirst = key.count == GraphKey.listByteCount
        if isFirst, value.first == 1 { return [] }
        return try PostingList.postings(value, from: isFirst ? 1 : 0).map(\.edge)
    }

    /// Takes an entity out of its type's extent, and an edge out of its targets' lists.
    private func withdraw(_ id: UInt64, _ record: EntityRecord) {
        touch(id, record)
        extents.append(ExtentChange(type: record.type, entity: id, isInserted: false))
        changeLinks(id, record, isInserted: false)
    }

    private func changeLinks(_ id: UInt64, _ record: EntityRecord, isInserted: Bool) {
        guard !record.targets.isEmpty else { return }
        if isInserted { hasNewLinks = true }
        for (position, target) in record.targets.enumerated() {
            let peer = record.targets.count == 2 ? record.targets[1 - position] : 0
            links.append(
                LinkChange(
                    entity: target, edge: record.type, position: UInt8(truncatingIfNeeded: position),
                    posting: Posting(peer: peer, edge: id), isInserted: isInserted))
            touched.insert(target)
        }
    }
}
