public import IPLD
public import MeshCore
internal import MeshIdentity

/// A change as bytes: `[names, authors, operations]`, one DAG-CBOR item.
///
/// Names and authors stand once, in the order in which the operations first use them, and are then numbers. A spawn
/// is `[0, type, key or null, attributes]`, a link `[1, edge, targets, attributes]` (2 if unique), a set `[3, target,
/// add, attribute, value]`, an end `[4, target, adds]`. Attributes are names and values in turn. A target or an add is
/// the number of an operation before this one that adds, or `[author, seq, index]`; a target may also be `[type,
/// "key"]`. Values are what they are in CBOR, but `[0, ms]` is a timestamp, `[1, ms]` a duration, `[2, 32 bytes]` a
/// hash and `[3, values]` a list.
extension GraphChange {
    /// How many names and how many authors a change may have.
    static let tableCountMax = 1 << 16

    /// The canonical bytes.
    ///
    /// - Throws: ``IPLDFailure/schema`` or ``IPLDFailure/tooLarge`` for what no reader would take.
    public func encoded() throws(IPLDError) -> [UInt8] {
        var writer = GraphChangeWriter(capacity: 64 + 24 * operations.count)
        guard operations.count <= OperationIndex.operationCountMax else {
            throw IPLDError(.tooLarge, "a change of \(operations.count) operations")
        }
        writer.encoder.arrayHead(operations.count)
        for operation in operations { try writer.write(operation) }
        return writer.finish()
    }

    /// Reads a change.
    ///
    /// - Throws: For everything but the bytes that ``encoded()`` gives.
    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            guard try decoder.arrayHead(atMost: 3) == 3 else {
                throw IPLDError(.schema, "a change is names, authors and operations")
            }
            var reader = try GraphChangeReader(&decoder)
            let count = try decoder.arrayHead(atMost: OperationIndex.operationCountMax)
            var operations: [GraphOperation] = []
            // An operation has at least five bytes.
            operations.reserveCapacity(min(count, bytes.count / 5))
            for _ in 0..<count { operations.append(try reader.operation(&decoder)) }
            try reader.checkEnd()
            return GraphChange(operations: operations)
        }
    }
}

enum GraphChangeCode {
    static let spawn: UInt64 = 0
    static let link: UInt64 = 1
    static let uniqueLink: UInt64 = 2
    static let set: UInt64 = 3
    static let end: UInt64 = 4

    static let timestamp: UInt64 = 0
    static let duration: UInt64 = 1
    static let hash: UInt64 = 2
    static let list: UInt64 = 3

    static func refusal(_ what: String) -> IPLDError {
        IPLDError(.schema, "a change of the graph has \(what)")
    }
}
