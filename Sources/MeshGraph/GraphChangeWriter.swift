internal import IPLD
internal import MeshCore
internal import MeshIdentity

/// Writes the operations of a change, and numbers what they name.
struct GraphChangeWriter: ~Copyable {
    var encoder: DAGCBOREncoder
    private var names: [String] = []
    private var nameNumbers: [String: UInt64] = [:]
    private var authors: [DID] = []
    private var authorNumbers: [DID: UInt64] = [:]
    /// Whether each operation so far adds.
    private var isAdding: [Bool] = []

    init(capacity: Int) {
        encoder = DAGCBOREncoder(capacity: capacity)
    }

    /// The whole change.
    consuming func finish() -> [UInt8] {
        var whole = DAGCBOREncoder(capacity: encoder.count + 64 + 40 * (names.count + authors.count))
        whole.arrayHead(3)
        whole.texts(names)
        whole.array(authors) { $0.did($1) }
        whole.encoded(encoder.bytes)
        return whole.bytes
    }

    mutating func write(_ operation: GraphOperation) throws(IPLDError) {
        switch operation {
        case .spawn(let type, let key, let attributes):
            encoder.arrayHead(4)
            encoder.unsigned(GraphChangeCode.spawn)
            try write(name: type)
            if let key {
                guard GraphLimits.isExplicitKey(key) else { throw GraphChangeCode.refusal("a key like that") }
                encoder.text(key)
            } else {
                encoder.null()
            }
            try write(attributes)
        case .link(let edge, let targets, let isUnique, let attributes):
            guard !targets.isEmpty, targets.count <= GraphLimits.targetCountMax else {
                throw GraphChangeCode.refusal("an edge of \(targets.count) targets")
            }
            encoder.arrayHead(4)
            encoder.unsigned(isUnique ? GraphChangeCode.uniqueLink : GraphChangeCode.link)
            try write(name: edge)
            encoder.arrayHead(targets.count)
            for target in targets { try write(target) }
            try write(attributes)
        case .set(let target, let add, let attribute, let value):
            encoder.arrayHead(5)
            encoder.unsigned(GraphChangeCode.set)
            try write(target)
            try write(add)
            try write(name: attribute)
            try write(value)
        case .end(let target, let adds):
            guard !adds.isEmpty, adds.count <= GraphLimits.endedCountMax, Set(adds).count == adds.count else {
                throw GraphChangeCode.refusal("an end of \(adds.count) adds, or of one twice")
            }
            encoder.arrayHead(3)
            encoder.unsigned(GraphChangeCode.end)
            try write(target)
            encoder.arrayHead(adds.count)
            for add in adds { try write(add) }
        }
        switch operation {
        case .spawn, .link: isAdding.append(true)
        case .set, .end: isAdding.append(false)
        }
    }

    private mutating func write(name: String) throws(IPLDError) {
        guard GraphLimits.isName(name.utf8) else {
            throw GraphChangeCode.refusal("a name of \(name.utf8.count) bytes, or of strange ones")
        }
        if let number = nameNumbers[name] { return encoder.unsigned(number) }
        guard names.count < GraphChange.tableCountMax else { throw GraphChangeCode.refusal("too many names") }
        let number = UInt64(names.count)
        nameNumbers[name] = number
        names.append(name)
        encoder.unsigned(number)
    }

    private mutating func write(_ author: DID, _ seq: UInt64, _ index: UInt32) throws(IPLDError) {
        encoder.arrayHead(3)
        if let number = authorNumbers[author] {
            encoder.unsigned(number)
        } else {
            guard authors.count < GraphChange.tableCountMax else {
                throw GraphChangeCode.refusal("too many authors")
            }
            let number = UInt64(authors.count)
            authorNumbers[author] = number
            authors.append(author)
            encoder.unsigned(number)
        }
        guard UInt64(index) <= ChangeInfo.indexMask else {
            throw GraphChangeCode.refusal("an index of \(index)")
        }
        encoder.unsigned(seq)
        encoder.unsigned(UInt64(index))
    }

    private mutating func write(added index: UInt32) throws(IPLDError) {
        guard index < isAdding.count, isAdding[Int(index)] else {
            throw GraphChangeCode.refusal("a reference to operation \(index), which adds nothing before")
        }
        encoder.unsigned(UInt64(index))
    }

    private mutating func write(_ target: GraphTarget) throws(IPLDError) {
        switch target {
        case .added(let index): try write(added: index)
        case .entity(.operation(let author, let seq, let index)): try write(author, seq, index)
        case .entity(.key(let type, let key)):
            guard GraphLimits.isKey(key.utf8) else { throw GraphChangeCode.refusal("a key like that") }
            encoder.arrayHead(2)
            try write(name: type)
            encoder.text(key)
        }
    }

    private mutating func write(_ add: GraphAdd) throws(IPLDError) {
        switch add {
        case .added(let index): try write(added: index)
        case .operation(let author, let seq, let index): try write(author, seq, index)
        }
    }

    private mutating func write(_ attributes: [GraphAttribute]) throws(IPLDError) {
        guard attributes.count <= GraphLimits.attributeCountMax else {
            throw GraphChangeCode.refusal("an operation of \(attributes.count) attributes")
        }
        if attributes.count > 1, Set(attributes.map(\.name)).count < attributes.count {
            throw GraphChangeCode.refusal("an attribute twice")
        }
        encoder.arrayHead(2 * attributes.count)
        for attribute in attributes {
            try write(name: attribute.name)
            try write(attribute.value)
        }
    }

    private mutating func write(_ value: GraphValue) throws(IPLDError) {
        guard GraphLimits.isAttribute(value) else { throw GraphChangeCode.refusal("a value like that") }
        write(valid: value)
    }

    private mutating func write(valid value: GraphValue) {
        switch value {
        case .null, .entity: encoder.null()
        case .bool(let value): encoder.bool(value)
        case .int(let value): encoder.integer(value)
        case .float(let value): encoder.double(value)
        case .string(let value): encoder.text(value)
        case .bytes(let value): encoder.byteString(value)
        case .timestamp(let value): write(GraphChangeCode.timestamp) { $0.integer(value) }
        case .duration(let value): write(GraphChangeCode.duration) { $0.integer(value) }
        case .hash(let value): write(GraphChangeCode.hash) { $0.byteString(value.bytes) }
        case .list(let values):
            encoder.arrayHead(2)
            encoder.unsigned(GraphChangeCode.list)
            encoder.arrayHead(values.count)
            for value in values { write(valid: value) }
        }
    }

    private mutating func write(_ code: UInt64, _ body: (inout DAGCBOREncoder) -> Void) {
        encoder.arrayHead(2)
        encoder.unsigned(code)
        body(&encoder)
    }
}
