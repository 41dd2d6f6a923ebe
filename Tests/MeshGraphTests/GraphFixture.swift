import MeshCore
import MeshDAG
import MeshGraph
import MeshIdentity

/// A change with the position that it stands at.
struct Placed {
    let change: GraphChange
    let position: EntryPosition
}

/// The authors of the tests.
let authors: [DID] = (0..<4).map { number in
    var bytes = [UInt8](repeating: UInt8(number * 67 % 256), count: 32)
    bytes[31] = UInt8(number)
    return DID(publicKey: Bytes32(bytes))
}

func position(_ author: Int, _ seq: UInt64, entry: Int = 0, at time: Int64? = nil) -> EntryPosition {
    EntryPosition(
        author: authors[author], scope: "graph", seq: seq, index: entry,
        time: HybridTime(milliseconds: time ?? Int64(seq), counter: 0))
}

func operationID(_ author: Int, _ seq: UInt64, _ index: Int, entry: Int = 0) -> EntityID {
    .operation(
        author: authors[author], seq: seq, index: OperationIndex.make(entry: entry, operation: index))
}

func operationAdd(_ author: Int, _ seq: UInt64, _ index: Int, entry: Int = 0) -> GraphAdd {
    .operation(
        author: authors[author], seq: seq, index: OperationIndex.make(entry: entry, operation: index))
}

extension GraphOperation {
    static func node(
        _ type: String, key: String? = nil, _ attributes: KeyValuePairs<String, GraphValue> = [:]
    )
        -> GraphOperation
    {
        .spawn(
            type: type, key: key, attributes: attributes.map { GraphAttribute(name: $0.key, value: $0.value) }
        )
    }

    static func edge(_ type: String, _ targets: GraphTarget..., unique: Bool = false) -> GraphOperation {
        .link(edge: type, targets: targets, isUnique: unique, attributes: [])
    }
}
