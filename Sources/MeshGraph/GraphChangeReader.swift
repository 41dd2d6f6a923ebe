internal import IPLD
internal import MeshCore
internal import MeshIdentity

/// Reads the operations of a change, and holds them to what ``GraphChangeWriter`` writes.
struct GraphChangeReader {
    private let names: [String]
    private let authors: [DID]
    /// How many of the names and authors have been used; they stand in the order of their first use.
    private var namesUsed = 0
    private var authorsUsed = 0
    private var isAdding: [Bool] = []

    /// Reads the tables.
    init(_ decoder: inout DAGCBORDecoder) throws(IPLDError) {
        names = try decoder.texts(atMost: GraphChange.tableCountMax, each: GraphLimits.nameByteCountMax)
        authors = try decoder.array(atMost: GraphChange.tableCountMax) { d throws(IPLDError) in try d.did() }
        guard names.allSatisfy({ GraphLimits.isName($0.utf8) }), Set(names).count == names.count,
            Set(authors).count == authors.count
        else { throw GraphChangeCode.refusal("a strange name, or one name or author twice") }
    }

    func checkEnd() throws(IPLDError) {
        guard namesUsed == names.count, authorsUsed == authors.count else {
            throw GraphChangeCode.refusal("names or authors that nothing uses")
        }
    }

    mutating func operation(_ decoder: inout DAGCBORDecoder) throws(IPLDError) -> GraphOperation {
        let count = try decoder.arrayHead(atMost: 5)
        let code = try decoder.unsigned(atMost: GraphChangeCode.end)
        let wanted = code == GraphChangeCode.set ? 5 : code == GraphChangeCode.end ? 3 : 4
        guard count == wanted else { throw GraphChangeCode.refusal("an operation of \(count) parts") }
        let operation: GraphOperation
        switch code {
        case GraphChangeCode.spawn:
            let type = try name(&decoder)
            var key: String?
            if try !decoder.takeNull() {
                let text = try decoder.text(atMost: EntityID.keyByteCountMax)
                guard GraphLimits.isExplicitKey(text) else {
                    throw GraphChangeCode.refusal("a key like that")
                }
                key = text
            }
            operation = .spawn(type: type, key: key, attributes: try attributes(&decoder))
        case GraphChangeCode.set:
            let target = try target(&decoder)
            let add = try add(&decoder)
            let attribute = try name(&decoder)
            var left = GraphLimits.listCountMax
            operation = .set(
                target, add: add, attribute: attribute, value: try value(&decoder, depth: 0, &left))
        case GraphChangeCode.end:
            let target = try target(&decoder)
            let addCount = try decoder.arrayHead(atMost: GraphLimits.endedCountMax)
            var adds: [GraphAdd] = []
            adds.reserveCapacity(addCount)
            for _ in 0..<addCount { adds.append(try add(&decoder)) }
            guard addCount == 1 || (addCount > 1 && Set(adds).count == addCount) else {
                throw GraphChangeCode.refusal("an end of no add, or of one twice")
            }
            operation = .end(target, adds: adds)
        default:
            let edge = try name(&decoder)
            let targetCount = try decoder.arrayHead(atMost: GraphLimits.targetCountMax)
            guard targetCount > 0 else { throw GraphChangeCode.refusal("an edge without targets") }
            var targets: [GraphTarget] = []
            targets.reserveCapacity(targetCount)
            for _ in 0..<targetCount { targets.append(try target(&decoder)) }
            operation = .link(
                edge: edge, targets: targets, isUnique: code == GraphChangeCode.uniqueLink,
                attributes: try attributes(&decoder))
        }
        isAdding.append(code <= GraphChangeCode.uniqueLink)
        return operation
    }

    private mutating func name(_ decoder: inout DAGCBORDecoder) throws(IPLDError) -> String {
        let number = Int(try decoder.unsigned(atMost: UInt64(GraphChange.tableCountMax)))
        guard number <= namesUsed, number < names.count else {
            throw GraphChangeCode.refusal("name \(number) out of order")
        }
        if number == namesUsed { namesUsed += 1 }
        return names[number]
    }

    /// The two numbers behind an author's.
    private mutating func place(
        _ decoder: inout DAGCBORDecoder
    ) throws(IPLDError) -> (author: DID, seq: UInt64, index: UInt32) {
        let number = Int(try decoder.unsigned(atMost: UInt64(GraphChange.tableCountMax)))
        guard number <= authorsUsed, number < authors.count else {
            throw GraphChangeCode.refusal("author \(number) out of order")
        }
        if number == authorsUsed { authorsUsed += 1 }
        let seq = try decoder.unsigned()
        return (authors[number], seq, UInt32(try decoder.unsigned(atMost: ChangeInfo.indexMask)))
    }

    private func added(_ decoder: inout DAGCBORDecoder) throws(IPLDError) -> UInt32 {
        let index = try decoder.unsigned(atMost: UInt64(OperationIndex.operationCountMax))
        guard index < isAdding.count, isAdding[Int(index)] else {
            throw GraphChangeCode.refusal("a reference to operation \(index), which adds nothing before")
        }
        return UInt32(index)
    }

    private mutating func target(_ decoder: inout DAGCBORDecoder) throws(IPLDError) -> GraphTarget {
        if try decoder.nextKind() == .unsigned { return .added(try added(&decoder)) }
        if try decoder.arrayHead(atMost: 3) == 3 {
            let place = try place(&decoder)
            return .entity(.operation(author: place.author, seq: place.seq, index: place.index))
        }
        let type = try name(&decoder)
        let key = try decoder.text(atMost: EntityID.keyByteCountMax)
        guard !key.isEmpty else { throw GraphChangeCode.refusal("an empty key") }
        return .entity(.key(type: type, key: key))
    }

    private mutating func add(_ decoder: inout DAGCBORDecoder) throws(IPLDError) -> GraphAdd {
        if try decoder.nextKind() == .unsigned { return .added(try added(&decoder)) }
        guard try decoder.arrayHead(atMost: 3) == 3 else { throw GraphChangeCode.refusal("an add like that") }
        let place = try place(&decoder)
        return .operation(author: place.author, seq: place.seq, index: place.index)
    }

    private mutating func attributes(_ decoder: inout DAGCBORDecoder) throws(IPLDError) -> [GraphAttribute] {
        let count = try decoder.arrayHead(atMost: 2 * GraphLimits.attributeCountMax)
        if count == 0 { return [] }
        guard count % 2 == 0 else { throw GraphChangeCode.refusal("an attribute without a value") }
        var attributes: [GraphAttribute] = []
        attributes.reserveCapacity(count / 2)
        for _ in 0..<count / 2 {
            let name = try name(&decoder)
            var left = GraphLimits.listCountMax
            attributes.append(GraphAttribute(name: name, value: try value(&decoder, depth: 0, &left)))
        }
        if attributes.count > 1, Set(attributes.map(\.name)).count < attributes.count {
            throw GraphChangeCode.refusal("an attribute twice")
        }
        return attributes
    }

    private func value(
        _ decoder: inout DAGCBORDecoder, depth: Int, _ left: inout Int
    ) throws(IPLDError) -> GraphValue {
        switch try decoder.nextKind() {
        case .null:
            _ = try decoder.takeNull()
            return .null
        case .bool: return .bool(try decoder.bool())
        case .unsigned, .negative: return .int(try decoder.integer())
        case .float: return .float(try decoder.double())
        case .text: return .string(try decoder.text(atMost: GraphLimits.stringByteCountMax))
        case .byteString: return .bytes(try decoder.byteString(atMost: GraphLimits.stringByteCountMax))
        case .map, .link: throw GraphChangeCode.refusal("a map or a link for a value")
        case .array: break
        }
        guard try decoder.arrayHead(atMost: 2) == 2 else {
            throw GraphChangeCode.refusal("a value like that")
        }
        switch try decoder.unsigned(atMost: GraphChangeCode.list) {
        case GraphChangeCode.timestamp: return .timestamp(try decoder.integer())
        case GraphChangeCode.duration: return .duration(try decoder.integer())
        case GraphChangeCode.hash: return .hash(Bytes32(try decoder.byteString(exactly: 32)))
        default:
            let count = try decoder.arrayHead(atMost: left)
            guard depth < GraphLimits.listDepthMax else { throw GraphChangeCode.refusal("lists that deep") }
            left -= count
            var values: [GraphValue] = []
            values.reserveCapacity(count)
            for _ in 0..<count { values.append(try value(&decoder, depth: depth + 1, &left)) }
            return .list(values)
        }
    }
}
