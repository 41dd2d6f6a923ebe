public import IPLD
public import MeshCore

/// A piece of an ontology as a block: text, and the blocks that it builds on.
///
/// What the types mean follows from the block's CID alone.
public struct OntologyBlock: Hashable, Sendable {
    public static let kind = "graph.ontology"
    public static let baseCountMax = 16
    /// How long the text may be, in bytes of UTF-8.
    public static let sourceByteCountMax = 192 << 10

    /// Sorted; each a block of this kind.
    public let bases: [CID]
    /// Declarations; empty for a block that only joins its bases.
    public let source: String

    /// A block on `bases`, in any order.
    ///
    /// - Throws: ``IPLDFailure/tooLarge`` for more than may be.
    public init(bases: [CID], source: String) throws(IPLDError) {
        let sorted = Set(bases).sorted()
        guard sorted.count <= Self.baseCountMax, source.utf8.count <= Self.sourceByteCountMax else {
            throw IPLDError(
                .tooLarge, "an ontology of \(source.utf8.count) bytes on \(sorted.count) others",
                hint: "extend it in several steps")
        }
        self.bases = sorted
        self.source = source
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: source.utf8.count + 64 + 48 * bases.count)
        encoder.map { map in
            map.field("kind") { $0.text(Self.kind) }
            map.field("bases") { $0.links(bases) }
            map.field("source") { $0.text(source) }
        }
        return encoder.bytes
    }

    /// The block with its CID.
    public var block: Block { Block(encoded, codec: .dagCBOR) }

    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let kind = try map.field("kind") { d throws(IPLDError) in try d.text(atMost: 64) }
                guard kind == Self.kind else { throw IPLDError(.schema, "the block is no \(Self.kind)") }
                let bases = try map.field("bases") { d throws(IPLDError) in
                    try d.links(atMost: Self.baseCountMax)
                }
                for (a, b) in zip(bases, bases.dropFirst()) where a >= b {
                    throw IPLDError(.notCanonical, "the bases of an ontology are out of order or repeat")
                }
                guard bases.allSatisfy({ $0.version == 1 && $0.codec == .dagCBOR }) else {
                    throw IPLDError(.schema, "a base of an ontology is no dag-cbor block")
                }
                let source = try map.field("source") { d throws(IPLDError) in
                    try d.text(atMost: Self.sourceByteCountMax)
                }
                return try OntologyBlock(bases: bases, source: source)
            }
        }
    }
}
