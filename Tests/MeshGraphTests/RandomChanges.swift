import MeshCore
import MeshDAG
import MeshGraph
import MeshIdentity

/// Changes by several authors who name each other's entities, in every way and before they are there.
struct RandomChanges {
    static let nodeTypes = ["Person", "Task", "Tag"]
    static let edgeTypes = ["knows", "assigned", "meets", "likes"]
    static let attributes = ["name", "age", "done", "note"]

    private var generator: SeededGenerator
    private var ids: [EntityID] = []
    private var adds: [(EntityID, GraphAdd)] = []

    init(_ generator: SeededGenerator) {
        self.generator = generator
        for type in Self.nodeTypes {
            for key in ["a", "b", "c"] { ids.append(.key(type: type, key: key)) }
        }
    }

    private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
    private mutating func chance(_ percent: Int) -> Bool { pick(100) < percent }

    /// `count` changes for each author; times collide now and then.
    mutating func make(authorCount: Int, count: Int) -> [Placed] {
        // The ids that will be: so that they can be named before they are made.
        for author in 0..<authorCount {
            for seq in 1...UInt64(count) {
                for index in 0..<3 { ids.append(operationID(author, seq, index)) }
            }
        }
        for id in ids {
            guard case .operation(let author, let seq, let index) = id else { continue }
            adds.append((id, .operation(author: author, seq: seq, index: index)))
        }
        var result: [Placed] = []
        for author in 0..<authorCount {
            for seq in 1...UInt64(count) { result += make(author, seq) }
        }
        return result
    }

    /// One anchor's changes, one or two entries.
    mutating func make(_ author: Int, _ seq: UInt64) -> [Placed] {
        let time = Int64(seq) * 2 + Int64(pick(3))
        return (0..<(chance(10) ? 2 : 1)).map { entry in
            let operations = (0..<1 + pick(6)).map { operation($0, author, seq, entry) }
            return Placed(
                change: GraphChange(operations: operations),
                position: position(author, seq, entry: entry, at: time))
        }
    }

    private mutating func operation(
        _ index: Int, _ author: Int, _ seq: UInt64, _ entry: Int
    ) -> GraphOperation {
        switch pick(10) {
        case 0, 1, 2:
            let type = Self.nodeTypes[pick(Self.nodeTypes.count)]
            var key: String?
            if chance(35) { key = ["a", "b", "c", "(d", "é/,)"][pick(5)] }
            if let key, !key.hasPrefix("(") {
                let add = operationAdd(author, seq, index, entry: entry)
                adds.append((.key(type: type, key: key), add))
            }
            return .spawn(type: type, key: key, attributes: attributes())
        case 3, 4, 5:
            let edge = Self.edgeTypes[pick(Self.edgeTypes.count)]
            let count = edge == "meets" ? 1 + pick(3) : 2
            let targets = (0..<count).map { _ in target(index) }
            let isUnique = edge == "likes"
            if isUnique, case .entity(let first) = targets[0], case .entity(let second) = targets[1] {
                let id = GraphOperation.uniqueKey(edge: edge, targets: [first, second])
                ids.append(id)
                adds.append((id, operationAdd(author, seq, index, entry: entry)))
            }
            return .link(edge: edge, targets: targets, isUnique: isUnique, attributes: attributes())
        case 6, 7:
            let (target, add) = written(index)
            let attribute = Self.attributes[pick(Self.attributes.count)]
            return .set(target, add: add, attribute: attribute, value: value())
        default:
            let (target, add) = written(index)
            var adds = [add]
            if chance(30) {
                let other = self.adds[pick(self.adds.count)].1
                if other != add { adds.append(other) }
            }
            return .end(target, adds: adds)
        }
    }

    private mutating func target(_ index: Int) -> GraphTarget {
        if index > 0, chance(40) { return .added(UInt32(pick(index + 1))) }
        return .entity(ids[pick(ids.count)])
    }

    private mutating func written(_ index: Int) -> (GraphTarget, GraphAdd) {
        if index > 0, chance(30) {
            let place = UInt32(pick(index))
            return (.added(place), .added(place))
        }
        let (id, add) = adds[pick(adds.count)]
        return (.entity(id), add)
    }

    private mutating func attributes() -> [GraphAttribute] {
        var result: [GraphAttribute] = []
        for name in Self.attributes where chance(40) {
            result.append(GraphAttribute(name: name, value: value()))
        }
        return result
    }

    private mutating func value() -> GraphValue {
        switch pick(8) {
        case 0: .null
        case 1: .bool(chance(50))
        case 2: .int(Int64(pick(5)) - 2)
        case 3: .float(Double(pick(5)) / 2 - 1)
        case 4: .timestamp(Int64(pick(3)))
        case 5: .bytes([UInt8(pick(3)), 0, 1])
        case 6: .list([.int(1), .string("x")])
        default: .string(["", "a", "ab", "a\u{0}b", "b\"\n"][pick(5)])
        }
    }
}
