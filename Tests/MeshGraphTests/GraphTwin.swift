import MeshCore
import MeshDAG
import MeshIdentity

@testable import MeshGraph

/// The graph computed anew from a list of changes, by the plainest rules there are.
struct GraphTwin {
    struct Stamp: Hashable, Comparable {
        let time: HybridTime
        let author: DID
        let seq: UInt64
        let index: UInt32

        static func < (a: Self, b: Self) -> Bool {
            if a.time != b.time { return a.time < b.time }
            if a.author != b.author { return a.author < b.author }
            return (a.seq, a.index) < (b.seq, b.index)
        }

        var add: GraphAdd { .operation(author: author, seq: seq, index: index) }
        var json: String {
            "\"at\":[\(time.milliseconds),\(time.counter)],\"by\":\"\(name)\""
        }
        var name: EntityID { .operation(author: author, seq: seq, index: index) }
    }

    struct Add {
        let stamp: Stamp
        let isEdge: Bool
        let type: String
        let targets: [EntityID]
        var writes: [(name: String, value: GraphValue, stamp: Stamp)]
    }

    struct Seen {
        let type: String
        let isEdge: Bool
        let targets: [EntityID]
        let adds: [Stamp]
        let attributes: [String: (value: GraphValue, stamp: Stamp)]
    }

    private(set) var visible: [EntityID: Seen] = [:]
    /// Edges that have an add left and are not seen.
    private(set) var hiddenEdges: Set<EntityID> = []

    init(_ changes: [Placed]) {
        var adds: [EntityID: [Add]] = [:]
        var sets: [(EntityID, GraphAdd, String, GraphValue, Stamp)] = []
        var ended: Set<End> = []
        for placed in changes {
            let position = placed.position
            var made: [EntityID?] = []
            for (number, operation) in placed.change.operations.enumerated() {
                let index = OperationIndex.make(entry: position.index, operation: number)
                let stamp = Stamp(
                    time: position.time, author: position.author, seq: position.seq, index: index)
                func entity(_ target: GraphTarget) -> EntityID? {
                    switch target {
                    case .added(let index): index < made.count ? made[Int(index)] : nil
                    case .entity(let id): id
                    }
                }
                func name(_ add: GraphAdd) -> GraphAdd? {
                    guard case .added(let index) = add else { return add }
                    guard index < made.count, made[Int(index)] != nil else { return nil }
                    return .operation(
                        author: position.author, seq: position.seq,
                        index: OperationIndex.make(entry: position.index, operation: Int(index)))
                }
                var result: EntityID?
                switch operation {
                case .spawn(let type, let key, let attributes):
                    if let key, key.hasPrefix("(") || key.isEmpty { break }
                    let id = key.map { EntityID.key(type: type, key: $0) } ?? stamp.name
                    adds[id, default: []].append(
                        Add(
                            stamp: stamp, isEdge: false, type: type, targets: [],
                            writes: Self.writes(attributes, stamp)))
                    result = id
                case .link(let edge, let targets, let isUnique, let attributes):
                    let ids = targets.compactMap(entity)
                    guard ids.count == targets.count, !ids.isEmpty else { break }
                    let id = isUnique ? GraphOperation.uniqueKey(edge: edge, targets: ids) : stamp.name
                    adds[id, default: []].append(
                        Add(
                            stamp: stamp, isEdge: true, type: edge, targets: ids,
                            writes: Self.writes(attributes, stamp)))
                    result = id
                case .set(let target, let add, let attribute, let value):
                    guard let id = entity(target), let add = name(add) else { break }
                    sets.append((id, add, attribute, value, stamp))
                case .end(let target, let names):
                    let named = names.compactMap(name)
                    guard let id = entity(target), named.count == names.count else { break }
                    for add in named { ended.insert(End(entity: id, add: add)) }
                }
                made.append(result)
            }
        }
        for (id, add, attribute, value, stamp) in sets {
            guard let place = adds[id]?.firstIndex(where: { $0.stamp.add == add }) else { continue }
            adds[id]?[place].writes.append((attribute, value, stamp))
        }
        var live: [EntityID: [Add]] = [:]
        for (id, all) in adds {
            let left = all.filter { !ended.contains(End(entity: id, add: $0.stamp.add)) }
            if !left.isEmpty { live[id] = left }
        }
        see(live)
    }

    /// A null among the attributes of an add says nothing.
    private static func writes(
        _ attributes: [GraphAttribute], _ stamp: Stamp
    ) -> [(name: String, value: GraphValue, stamp: Stamp)] {
        attributes.filter { !$0.value.isNull }.map { ($0.name, $0.value, stamp) }
    }

    private struct End: Hashable {
        let entity: EntityID
        let add: GraphAdd
    }

    private mutating func see(_ live: [EntityID: [Add]]) {
        var seen: Set<EntityID> = []
        var isChanged = true
        while isChanged {
            isChanged = false
            for (id, adds) in live where !seen.contains(id) && adds[0].targets.allSatisfy(seen.contains) {
                seen.insert(id)
                isChanged = true
            }
        }
        for (id, adds) in live {
            guard seen.contains(id) else {
                hiddenEdges.insert(id)
                continue
            }
            var attributes: [String: (value: GraphValue, stamp: Stamp)] = [:]
            for write in adds.flatMap(\.writes) {
                if let known = attributes[write.name], known.stamp >= write.stamp { continue }
                attributes[write.name] = (write.value, write.stamp)
            }
            visible[id] = Seen(
                type: adds[0].type, isEdge: adds[0].isEdge, targets: adds[0].targets,
                adds: adds.map(\.stamp).sorted { $0.name < $1.name },
                attributes: attributes.filter { !$0.value.value.isNull })
        }
    }

    /// What ``GraphDump`` should give.
    var dump: String {
        var text = ""
        for (id, seen) in visible.sorted(by: { $0.key < $1.key }) {
            let adds = seen.adds.map { "{\($0.json)}" }.joined(separator: ",")
            let attributes = seen.attributes.sorted { $0.key < $1.key }.map {
                "\"\($0.key)\":{\($0.value.stamp.json),\"value\":\(GraphDump.json($0.value.value))}"
            }
            let targets = seen.targets.map { GraphDump.json($0.description) }.joined(separator: ",")
            text += "{\"adds\":[\(adds)],\"attributes\":{\(attributes.joined(separator: ","))},"
            text += "\"id\":\(GraphDump.json(id.description)),"
            if seen.isEdge { text += "\"targets\":[\(targets)]," }
            text += "\"type\":\"\(seen.type)\"}\n"
        }
        return text
    }
}
