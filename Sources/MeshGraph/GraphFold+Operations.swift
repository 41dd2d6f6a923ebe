internal import MeshCore
internal import MeshDAG
internal import MeshStorage

/// What operations do to records, and what taking them back does.
///
/// An operation that names what cannot be is void: it does nothing, here as on every replica, because that follows
/// from its change alone.
extension GraphFold {
    /// Where an operation stands and what it can refer to.
    struct Place {
        /// The number of the change's operation 0.
        let base: UInt64
        var index: Int
        let time: HybridTime
        /// The entities that the operations before this one added; 0 for one that added none.
        var added: [UInt64]

        var operation: UInt64 { base + UInt64(index) }

        /// What the operation at `index` of this change added; `nil` unless it stands before this one.
        func entity(addedBy index: UInt32) -> UInt64? {
            guard index < self.index, index < added.count, added[Int(index)] != 0 else { return nil }
            return added[Int(index)]
        }
    }

    /// Applies an operation, or takes it back.
    ///
    /// - Returns: The entity that it is about, and whether it adds it; `nil` where it is void.
    func fold(
        _ operation: GraphOperation, at place: Place, undoes: Bool
    ) throws(StorageError) -> (entity: UInt64, isAdded: Bool)? {
        switch operation {
        case .spawn(let type, _, let attributes):
            guard let entity = try identify(operation, place)?.entity else { return nil }
            try add(entity, .node, type, [], attributes, place, undoes: undoes)
            return (entity, true)
        case .link(let edge, _, _, let attributes):
            guard let (entity, targets) = try identify(operation, place) else { return nil }
            try add(entity, .edge, edge, targets, attributes, place, undoes: undoes)
            return (entity, true)
        case .set(let target, let add, let attribute, let value):
            guard GraphLimits.isName(attribute.utf8), GraphLimits.isAttribute(value),
                let entity = try entity(target, place), let add = try self.add(add, place)
            else { return nil }
            try set(entity, add, try name(attribute), value, place, undoes: undoes)
            return (entity, false)
        case .end(let target, let adds):
            guard adds.count <= GraphLimits.endedCountMax, let entity = try entity(target, place) else {
                return nil
            }
            var numbers: [UInt64] = []
            for add in adds {
                guard let number = try self.add(add, place) else { return nil }
                numbers.append(number)
            }
            try end(entity, numbers, place, undoes: undoes)
            return (entity, false)
        }
    }

    /// The entity that an operation adds, and its targets; `nil` where it adds none.
    func identify(
        _ operation: GraphOperation, _ place: Place
    ) throws(StorageError) -> (entity: UInt64, targets: [UInt64])? {
        switch operation {
        case .spawn(let type, let key, let attributes):
            guard GraphLimits.isName(type.utf8), Self.areValid(attributes) else { return nil }
            guard let key else { return (place.operation, []) }
            guard GraphLimits.isExplicitKey(key) else { return nil }
            return (try keyed(type, key), [])
        case .link(let edge, let targets, let isUnique, let attributes):
            guard GraphLimits.isName(edge.utf8), Self.areValid(attributes),
                !targets.isEmpty, targets.count <= GraphLimits.targetCountMax
            else { return nil }
            var numbers: [UInt64] = []
            numbers.reserveCapacity(targets.count)
            for target in targets {
                guard let number = try entity(target, place) else { return nil }
                numbers.append(number)
            }
            guard isUnique else { return (place.operation, numbers) }
            var ids: [EntityID] = []
            for number in numbers { ids.append(try GraphView(storage).entityID(LocalID(rawValue: number))) }
            guard case .key(let type, let key) = GraphOperation.uniqueKey(edge: edge, targets: ids) else {
                return nil
            }
            return (try keyed(type, key), numbers)
        case .set, .end: return nil
        }
    }

    static func areValid(_ attributes: [GraphAttribute]) -> Bool {
        attributes.count <= GraphLimits.attributeCountMax
            && attributes.allSatisfy {
                GraphLimits.isName($0.name.utf8) && GraphLimits.isAttribute($0.value)
            }
    }

    private func entity(_ target: GraphTarget, _ place: Place) throws(StorageError) -> UInt64? {
        switch target {
        case .added(let index): place.entity(addedBy: index)
        case .entity(let id): try entity(id)
        }
    }

    private func add(_ add: GraphAdd, _ place: Place) throws(StorageError) -> UInt64? {
        switch add {
        case .added(let index): place.entity(addedBy: index).map { _ in place.base + UInt64(index) }
        case .operation(let author, let seq, let index): try operation(author, seq, index)
        }
    }

    // MARK: Adds

    private func add(
        _ entity: UInt64, _ kind: EntityRecord.Kind, _ type: String, _ targets: [UInt64],
        _ attributes: [GraphAttribute], _ place: Place, undoes: Bool
    ) throws(StorageError) {
        if undoes {
            try change(entity) { record throws(StorageError) in
                if let index = record.place(ofAdd: place.operation) { record.adds.remove(at: index) }
            }
            return
        }
        var add = EntityRecord.Add(
            operation: place.operation, attributes: try self.attributes(attributes))
        let type = try name(type)
        try change(entity) { record throws(StorageError) in
            if record.adds.isEmpty {
                record.kind = kind
                record.type = type
                record.targets = targets
            }
            guard record.place(ofAdd: add.operation) == nil else { return }
            if record.historyCount > 0 { try self.recall(entity, &add) }
            record.adds.insert(add, at: record.firstPlace(from: add.operation))
        }
    }

    func attributes(_ attributes: [GraphAttribute]) throws(StorageError) -> [EntityRecord.Attribute] {
        var result: [EntityRecord.Attribute] = []
        result.reserveCapacity(attributes.count)
        for attribute in attributes where !attribute.value.isNull {
            let name = try name(attribute.name)
            let place = result.firstIndex { $0.name >= name } ?? result.count
            // A name twice, which no decoded change has: the first counts.
            if place < result.count, result[place].name == name { continue }
            result.insert(EntityRecord.Attribute(name: name, value: attribute.value), at: place)
        }
        return result
    }

    /// Gives an add that comes late what was written to it and whether it was ended before it came.
    private func recall(_ entity: UInt64, _ add: inout EntityRecord.Add) throws(StorageError) {
        var names: [UInt32] = []
        try storage.scan(.graphHistory, prefix: GraphKey.history(entity, add.operation)) {
            key, _ throws(StorageError) in
            var reader = RowReader(key, from: 16)
            let name = try reader.number32()
            if names.last != name { names.append(name) }
            return true
        }
        for name in names {
            if name == 0 {
                add.isEnded = true
            } else if let write = try lastWrite(entity, add.operation, name) {
                add.sets.append(write)
            }
        }
    }

    /// The last of the writes to one attribute of one add.
    private func lastWrite(
        _ entity: UInt64, _ add: UInt64, _ name: UInt32
    ) throws(StorageError) -> EntityRecord.Write? {
        var time: ArraySlice<UInt8>?
        var last: (operation: UInt64, value: [UInt8])?
        let prefix = GraphKey.history(entity, add, name)
        try storage.scan(.graphHistory, prefix: prefix, from: [], reversed: true) {
            key, value throws(StorageError) in
            let slice = key[GraphKey.historyTimeStart..<GraphKey.historyTimeEnd]
            // Only what was written at the same instant is left to compare.
            if let time, time != slice { return false }
            time = slice
            var reader = RowReader(key, from: GraphKey.historyTimeEnd)
            let operation = try reader.number64()
            var isLater = true
            if let last { isLater = try precedes(last.operation, operation) }
            if isLater { last = (operation, value) }
            return true
        }
        guard let last else { return nil }
        var reader = RowReader(last.value)
        return EntityRecord.Write(name: name, operation: last.operation, value: try GraphValue(&reader))
    }

    // MARK: Writes and ends

    private func set(
        _ entity: UInt64, _ add: UInt64, _ name: UInt32, _ value: GraphValue, _ place: Place, undoes: Bool
    ) throws(StorageError) {
        let key = GraphKey.history(entity, add, name, place.time, place.operation)
        try change(entity) { record throws(StorageError) in
            if undoes {
                try self.storage.remove(key, in: .graphHistory)
                record.historyCount -= min(record.historyCount, 1)
            } else {
                var row: [UInt8] = []
                value.append(to: &row)
                try self.storage.put(row, forKey: key, in: .graphHistory)
                record.historyCount += 1
            }
            guard let index = record.place(ofAdd: add) else { return }
            let written = record.adds[index].sets.firstIndex { $0.name >= name }
            let slot = written ?? record.adds[index].sets.count
            let known = slot < record.adds[index].sets.count && record.adds[index].sets[slot].name == name
            if undoes {
                guard known, record.adds[index].sets[slot].operation == place.operation else { return }
                if let write = try self.lastWrite(entity, add, name) {
                    record.adds[index].sets[slot] = write
                } else {
                    record.adds[index].sets.remove(at: slot)
                }
                return
            }
            let write = EntityRecord.Write(name: name, operation: place.operation, value: value)
            if !known {
                record.adds[index].sets.insert(write, at: slot)
            } else if try self.precedes(record.adds[index].sets[slot].operation, place.operation) {
                record.adds[index].sets[slot] = write
            }
        }
    }

    private func end(
        _ entity: UInt64, _ adds: [UInt64], _ place: Place, undoes: Bool
    ) throws(StorageError) {
        try change(entity) { record throws(StorageError) in
            for add in adds {
                let key = GraphKey.history(entity, add, 0, place.time, place.operation)
                if undoes {
                    try self.storage.remove(key, in: .graphHistory)
                    record.historyCount -= min(record.historyCount, 1)
                } else {
                    try self.storage.put([], forKey: key, in: .graphHistory)
                    record.historyCount += 1
                }
                guard let index = record.place(ofAdd: add) else { continue }
                record.adds[index].isEnded = undoes ? try self.isEnded(entity, add) : true
            }
        }
    }

    private func isEnded(_ entity: UInt64, _ add: UInt64) throws(StorageError) -> Bool {
        var isEnded = false
        try storage.scan(.graphHistory, prefix: GraphKey.history(entity, add, 0)) {
            _, _ throws(StorageError) in
            isEnded = true
            return false
        }
        return isEnded
    }
}
