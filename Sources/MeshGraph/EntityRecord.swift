internal import MeshStorage

/// Everything that a replica knows of one entity but its superseded writes, which are in `graphHistory`.
///
/// A class, so that a fold changes it in place.
final class EntityRecord {
    enum Kind: UInt8 {
        /// Named, and not added yet or no more.
        case unknown, node, edge
    }

    /// Whether it is seen, and if it is not, why.
    enum State: Equatable {
        /// No add is left.
        case dead
        case visible
        /// Live, but the target at this position is not visible.
        case waiting(Int)
    }

    /// Whether it differs from its row.
    var isChanged = false
    /// Whether what follows from its changes is still to be done.
    var isPending = false
    /// While it is pending: the rows that the indexes have of it.
    var indexed: [GraphFold.IndexRowKey] = []
    var kind = Kind.unknown
    var state = State.dead
    var type: UInt32 = 0
    var targets: [UInt64] = []
    /// Sorted by number.
    var adds: [Add] = []
    /// How many rows of `graphHistory` are about it.
    var historyCount: UInt64 = 0

    /// One operation that added it.
    struct Add: Equatable {
        /// The operation's number: its change's ordinal and its index, as in ``LocalID``.
        let operation: UInt64
        var isEnded = false
        /// What it wrote itself; sorted by name, no nulls.
        var attributes: [Attribute]
        /// For each attribute that was set afterwards, the last of those writes; sorted by name.
        var sets: [Write] = []
    }

    struct Attribute: Equatable {
        let name: UInt32
        let value: GraphValue
    }

    struct Write: Equatable {
        let name: UInt32
        let operation: UInt64
        let value: GraphValue
    }

    init() {}

    var isLive: Bool { adds.contains { !$0.isEnded } }
    var isVisible: Bool { state == .visible }
    /// Whether a row would say nothing.
    var isEmpty: Bool { adds.isEmpty && historyCount == 0 }

    func place(ofAdd operation: UInt64) -> Int? {
        let place = firstPlace(from: operation)
        return place < adds.count && adds[place].operation == operation ? place : nil
    }

    /// The first place of an add that is not below `operation`.
    func firstPlace(from operation: UInt64) -> Int {
        var low = 0
        var high = adds.count
        while low < high {
            let middle = (low + high) / 2
            if adds[middle].operation < operation { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension EntityRecord {
    static let plainMark: UInt8 = 4

    /// One add, the entity's own, that nothing has been said about: the row of nearly every entity.
    private func isPlain(_ id: UInt64) -> Bool {
        historyCount == 0 && adds.count == 1 && adds[0].operation == id && !adds[0].isEnded
            && adds[0].sets.isEmpty
    }

    private var stateByte: UInt8 {
        switch state {
        case .dead: 0
        case .visible: 1
        case .waiting(let position): UInt8(truncatingIfNeeded: 2 + position)
        }
    }

    /// The row of the entity `id`.
    func encoded(_ id: UInt64) -> [UInt8] {
        var row: [UInt8] = []
        row.reserveCapacity(16 + 8 * targets.count + 32 * adds.count)
        let isPlain = isPlain(id)
        row.append(kind.rawValue | (isPlain ? Self.plainMark : 0))
        row.append(stateByte)
        row.append(bigEndian: type)
        row.append(UInt8(truncatingIfNeeded: targets.count))
        for target in targets { row.append(bigEndian: target) }
        if isPlain {
            Self.append(adds[0].attributes, to: &row)
            return row
        }
        row.append(varint: historyCount)
        row.append(varint: UInt64(adds.count))
        for add in adds {
            row.append(bigEndian: add.operation)
            row.append(add.isEnded ? 1 : 0)
            Self.append(add.attributes, to: &row)
            row.append(varint: UInt64(add.sets.count))
            for write in add.sets {
                row.append(bigEndian: write.name)
                row.append(bigEndian: write.operation)
                write.value.append(to: &row)
            }
        }
        return row
    }

    /// The beginning of the row of a new entity that is visible; its targets and attributes follow.
    @inline(__always)
    static func appendHead(_ kind: Kind, _ type: UInt32, targetCount: Int, to rows: inout RowBatch) {
        rows.append(kind.rawValue | plainMark)
        rows.append(1)
        rows.append(bigEndian: type)
        rows.append(UInt8(truncatingIfNeeded: targetCount))
    }

    static func append(_ attributes: [Attribute], to row: inout [UInt8]) {
        row.append(varint: UInt64(attributes.count))
        for attribute in attributes {
            row.append(bigEndian: attribute.name)
            attribute.value.append(to: &row)
        }
    }

    /// Whether the entity with this row is visible.
    static func isVisible(_ row: [UInt8]) -> Bool { row.count > 1 && row[1] == 1 }

    convenience init(_ row: [UInt8], of id: UInt64) throws(StorageError) {
        self.init()
        var reader = RowReader(row)
        let mark = try reader.byte()
        guard let kind = Kind(rawValue: mark & 3) else { throw RowReader.corrupt() }
        self.kind = kind
        switch try reader.byte() {
        case 0: state = .dead
        case 1: state = .visible
        case let position: state = .waiting(Int(position) - 2)
        }
        type = try reader.number32()
        let targetCount = Int(try reader.byte())
        targets.reserveCapacity(targetCount)
        for _ in 0..<targetCount { targets.append(try reader.number64()) }
        if case .waiting(let position) = state, position >= targetCount { throw RowReader.corrupt() }
        if mark & Self.plainMark != 0 {
            adds = [Add(operation: id, attributes: try Self.attributes(&reader))]
            return
        }
        historyCount = try reader.varint()
        for _ in 0..<(try reader.count()) {
            let operation = try reader.number64()
            var add = Add(
                operation: operation, isEnded: try reader.byte() != 0,
                attributes: try Self.attributes(&reader))
            for _ in 0..<(try reader.count()) {
                let name = try reader.number32()
                let operation = try reader.number64()
                add.sets.append(
                    Write(name: name, operation: operation, value: try GraphValue(&reader)))
            }
            adds.append(add)
        }
    }

    private static func attributes(_ reader: inout RowReader) throws(StorageError) -> [Attribute] {
        let count = try reader.count()
        var attributes: [Attribute] = []
        attributes.reserveCapacity(count)
        for _ in 0..<count {
            let name = try reader.number32()
            attributes.append(Attribute(name: name, value: try GraphValue(&reader)))
        }
        return attributes
    }
}
