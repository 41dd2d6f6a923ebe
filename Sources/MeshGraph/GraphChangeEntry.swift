public import IPLD
public import MeshCore

/// The entry of a feed that carries a change: `{kind, bases, ontology, operations}`, or `chunks` for a large one.
///
/// What a change needs to be judged comes with it: ``attachments`` are the ontology's block, all that it builds
/// on, and the chunks. So every replica judges it alike, whatever else it has.
public struct GraphChangeEntry: Hashable, Sendable {
    public static let kind = "graph.change"
    /// How long the operations may be within the entry, and how long a chunk is.
    public static let chunkByteCountMax = 192 << 10
    /// How long the operations of one change may be, in bytes.
    public static let byteCountMax = 64 << 20
    public static let chunkCountMax = 1024

    /// Where the operations are.
    public enum Operations: Hashable, Sendable {
        /// A ``GraphChange`` in its encoded form.
        case bytes([UInt8])
        /// Raw blocks, which are that form end to end.
        case chunks([CID])
    }

    /// The block of the ontology that the change was checked against; see ``OntologyBlock``.
    public let ontology: CID
    /// Every block that the ontology builds on, directly or not; sorted, at most ``baseCountMax``.
    public let bases: [CID]
    public let operations: Operations

    /// How many blocks an ontology may build on, all told.
    public static let baseCountMax = 128

    public init(ontology: CID, bases: [CID], operations: Operations) {
        self.ontology = ontology
        self.bases = bases
        self.operations = operations
    }

    /// The blocks that the entry rests on.
    public var attachments: [CID] {
        switch operations {
        case .bytes: [ontology] + bases
        case .chunks(let chunks): [ontology] + bases + chunks
        }
    }

    // MARK: Splitting

    /// The entry for an encoded change, and the blocks that its chunks are.
    ///
    /// - Throws: ``IPLDFailure/tooLarge`` above ``byteCountMax``.
    public static func split(
        _ bytes: [UInt8], ontology: CID, bases: [CID]
    ) throws(IPLDError) -> (entry: GraphChangeEntry, blocks: [Block]) {
        guard bytes.count <= byteCountMax else {
            throw IPLDError(.tooLarge, "a change of \(bytes.count) bytes; \(byteCountMax) are allowed")
        }
        guard bytes.count > chunkByteCountMax else {
            return (GraphChangeEntry(ontology: ontology, bases: bases, operations: .bytes(bytes)), [])
        }
        var blocks: [Block] = []
        for start in stride(from: 0, to: bytes.count, by: chunkByteCountMax) {
            let end = min(start + chunkByteCountMax, bytes.count)
            blocks.append(Block(Array(bytes[start..<end]), codec: .raw))
        }
        return (
            GraphChangeEntry(ontology: ontology, bases: bases, operations: .chunks(blocks.map(\.cid))), blocks
        )
    }

    /// The encoded change, of chunks that `block` finds; their bytes are known to hash to their CIDs.
    ///
    /// It is `nil` when a chunk is missing or of a length that ``split(_:ontology:)`` does not make.
    public func join<Failure>(
        _ block: (CID) throws(Failure) -> [UInt8]?
    ) throws(Failure) -> [UInt8]? {
        switch operations {
        case .bytes(let bytes): return bytes
        case .chunks(let chunks):
            var bytes: [UInt8] = []
            for (index, chunk) in chunks.enumerated() {
                guard let part = try block(chunk), !part.isEmpty, part.count <= Self.chunkByteCountMax,
                    part.count == Self.chunkByteCountMax || index == chunks.count - 1,
                    bytes.count + part.count <= Self.byteCountMax
                else { return nil }
                bytes += part
            }
            return bytes
        }
    }

    // MARK: Bytes

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder()
        encoder.map { map in
            map.field("kind") { $0.text(Self.kind) }
            map.field("bases") { $0.links(bases) }
            if case .chunks(let chunks) = operations { map.field("chunks") { $0.links(chunks) } }
            map.field("ontology") { $0.link(ontology) }
            if case .bytes(let bytes) = operations { map.field("operations") { $0.byteString(bytes) } }
        }
        return encoder.bytes
    }

    /// Reads an entry; the operations within are bytes still.
    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let kind = try map.field("kind") { d throws(IPLDError) in try d.text(atMost: 64) }
                guard kind == Self.kind else { throw IPLDError(.schema, "the entry is no \(Self.kind)") }
                let bases = try map.field("bases") { d throws(IPLDError) in
                    try d.links(atMost: Self.baseCountMax)
                }
                for (a, b) in zip(bases, bases.dropFirst()) where a >= b {
                    throw IPLDError(.notCanonical, "the bases of a change are out of order or repeat")
                }
                guard bases.allSatisfy({ $0.codec == .dagCBOR }) else {
                    throw IPLDError(.schema, "a base of a \(Self.kind) is no dag-cbor block")
                }
                let chunks = try map.optional("chunks") { d throws(IPLDError) in
                    try d.links(atMost: Self.chunkCountMax)
                }
                let ontology = try map.field("ontology") { d throws(IPLDError) in try d.link() }
                guard ontology.codec == .dagCBOR else {
                    throw IPLDError(.schema, "the ontology of a \(Self.kind) is no dag-cbor block")
                }
                let bytes = try map.optional("operations") { d throws(IPLDError) in
                    try d.byteString(atMost: Self.chunkByteCountMax)
                }
                switch (bytes, chunks) {
                case (.some(let bytes), .none):
                    return GraphChangeEntry(ontology: ontology, bases: bases, operations: .bytes(bytes))
                case (.none, .some(let chunks))
                where chunks.count > 1 && chunks.allSatisfy { $0.codec == .raw }:
                    return GraphChangeEntry(ontology: ontology, bases: bases, operations: .chunks(chunks))
                default:
                    throw IPLDError(.schema, "a \(Self.kind) has either operations or two or more raw chunks")
                }
            }
        }
    }
}
