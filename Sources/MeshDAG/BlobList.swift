public import IPLD
public import MeshCore

/// A blob that is too large for one chunk: the list of its chunks, or of further lists.
///
/// Files up to ``chunkByteCountMax`` are one raw block; larger ones are chunks under a list, a
/// dag-cbor block, and lists nest.
public struct BlobList: Hashable, Sendable {
    public static let chunkByteCountMax = 1024 * 1024
    public static let chunkCountMax = 4096

    public struct Chunk: Hashable, Sendable {
        public var cid: CID
        /// The bytes of the file that lie under it.
        public var size: UInt64

        public init(cid: CID, size: UInt64) {
            self.cid = cid
            self.size = size
        }
    }

    /// The whole file's size, in bytes.
    public var size: UInt64
    public var chunks: [Chunk]

    public init(chunks: [Chunk]) {
        self.chunks = chunks
        size = chunks.reduce(0) { $0 + $1.size }
    }

    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 64 + chunks.count * 64)
        encoder.map { map in
            map.field("size") { $0.unsigned(size) }
            map.field("chunks") { encoder in
                encoder.array(chunks) { encoder, chunk in
                    encoder.map { map in
                        map.field("cid") { $0.link(chunk.cid) }
                        map.field("size") { $0.unsigned(chunk.size) }
                    }
                }
            }
        }
        return encoder.bytes
    }

    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let size = try map.field("size") { d throws(IPLDError) in try d.unsigned(atMost: 1 << 53) }
                let chunks = try map.field("chunks") { d throws(IPLDError) in
                    try d.array(atMost: Self.chunkCountMax) { d throws(IPLDError) in
                        try d.map { map throws(IPLDError) in
                            let cid = try map.field("cid") { d throws(IPLDError) in try d.link() }
                            let size = try map.field("size") { d throws(IPLDError) in
                                try d.unsigned(atMost: 1 << 53)
                            }
                            // Lists of lists of nothing would take for ever to put together.
                            guard size > 0 else {
                                throw IPLDError(.schema, "a blob list names an empty chunk")
                            }
                            return Chunk(cid: cid, size: size)
                        }
                    }
                }
                var total: UInt64 = 0
                for chunk in chunks {
                    let (sum, overflow) = total.addingReportingOverflow(chunk.size)
                    guard !overflow else { throw IPLDError(.schema, "a blob list's sizes overflow") }
                    total = sum
                }
                guard total == size else {
                    throw IPLDError(.schema, "a blob list's chunks add up to \(total), not \(size)")
                }
                return BlobList(chunks: chunks)
            }
        }
    }

    /// The blocks that hold `bytes`; the first is the one that names it.
    public static func split(_ bytes: [UInt8]) -> [Block] {
        guard bytes.count > chunkByteCountMax else { return [Block(bytes, codec: .raw)] }
        var blocks: [Block] = []
        var level: [Chunk] = []
        for start in stride(from: 0, to: bytes.count, by: chunkByteCountMax) {
            let block = Block(Array(bytes[start..<min(start + chunkByteCountMax, bytes.count)]), codec: .raw)
            blocks.append(block)
            level.append(Chunk(cid: block.cid, size: UInt64(block.bytes.count)))
        }
        repeat {
            var above: [Chunk] = []
            for start in stride(from: 0, to: level.count, by: chunkCountMax) {
                let list = BlobList(chunks: Array(level[start..<min(start + chunkCountMax, level.count)]))
                let block = Block(list.encoded, codec: .dagCBOR)
                blocks.append(block)
                above.append(Chunk(cid: block.cid, size: list.size))
            }
            level = above
        } while level.count > 1
        return blocks.reversed()
    }

    /// Puts a file together again.
    ///
    /// - Parameters:
    ///   - cid: A raw block, or a list.
    ///   - limit: More bytes than this are not assembled.
    ///   - block: Finds a block whose bytes are known to hash to its CID.
    /// - Returns: The bytes; `nil` when a block is missing, malformed, or the file too large.
    public static func assemble(_ cid: CID, atMost limit: Int, block: (CID) -> [UInt8]?) -> [UInt8]? {
        var blocksLeft = blockCountMax
        return assemble(cid, atMost: limit, depth: 0, &blocksLeft, block: block)
    }

    /// A file is not assembled out of more blocks: lists that name one small chunk over and over would
    /// otherwise cost far more than their own length.
    private static let blockCountMax = 1 << 13

    private static func assemble(
        _ cid: CID, atMost limit: Int, depth: Int, _ blocksLeft: inout Int, block: (CID) -> [UInt8]?
    ) -> [UInt8]? {
        blocksLeft -= 1
        guard depth < 4, blocksLeft >= 0, let bytes = block(cid) else { return nil }
        if cid.codec == .raw { return bytes.count <= limit ? bytes : nil }
        guard cid.codec == .dagCBOR, let list = try? BlobList(decoding: bytes), list.size <= UInt64(limit)
        else {
            return nil
        }
        var assembled: [UInt8] = []
        assembled.reserveCapacity(Int(list.size))
        for chunk in list.chunks {
            guard
                let part = assemble(
                    chunk.cid, atMost: limit - assembled.count, depth: depth + 1, &blocksLeft, block: block),
                UInt64(part.count) == chunk.size
            else { return nil }
            assembled.append(contentsOf: part)
        }
        return assembled
    }
}
