public import MeshCore

/// One block with its name.
public struct Block: Hashable, Sendable {
    public let cid: CID
    public let bytes: [UInt8]

    public init(cid: CID, bytes: [UInt8]) {
        self.cid = cid
        self.bytes = bytes
    }

    /// Names `bytes` by their own hash.
    public init(_ bytes: [UInt8], codec: CID.Codec) {
        self.init(cid: CID(of: bytes, codec: codec), bytes: bytes)
    }
}

/// A content-addressable archive, version 1: roots, then blocks.
///
/// `varint(length) ‖ header ‖ (varint(length) ‖ CID ‖ block)*` (ipld.io/specs/transport/car/carv1).
public struct CAR: Hashable, Sendable {
    public let roots: [CID]
    public let blocks: [Block]

    public init(roots: [CID], blocks: [Block]) {
        self.roots = roots
        self.blocks = blocks
    }

    /// The file's bytes, with a canonical header.
    public var encoded: [UInt8] {
        var header = DAGCBOREncoder()
        header.map { map in
            map.field("roots") { $0.links(roots) }
            map.field("version") { $0.unsigned(1) }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(blocks.reduce(128) { $0 + $1.bytes.count + 48 })
        Varint.append(UInt64(header.bytes.count), to: &bytes)
        bytes.append(contentsOf: header.bytes)
        for block in blocks {
            Varint.append(UInt64(block.cid.byteCount + block.bytes.count), to: &bytes)
            block.cid.append(to: &bytes)
            bytes.append(contentsOf: block.bytes)
        }
        return bytes
    }

    /// Reads a whole file and hashes every block.
    ///
    /// - Throws: ``IPLDFailure/badCAR``, ``IPLDFailure/truncated``, ``IPLDFailure/hashMismatch`` or
    ///   what the header's decoder throws; the message gives the offset.
    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        var offset = 0
        roots = try Self.header(bytes, at: &offset)
        var blocks: [Block] = []
        while offset < bytes.count {
            let section = try Self.section(bytes, at: &offset, "block")
            var index = section.lowerBound
            let cid = try CID.read(bytes, at: &index)
            guard index <= section.upperBound else {
                throw IPLDError(.badCAR, "the block at byte \(section.lowerBound) is shorter than its CID")
            }
            let block = Block(cid: cid, bytes: Array(bytes[index..<section.upperBound]))
            guard CID(of: bytes, in: index..<section.upperBound, codec: cid.codec).digest == cid.digest else {
                throw IPLDError(
                    .hashMismatch, "the block at byte \(section.lowerBound) is not what \(cid) names")
            }
            blocks.append(block)
        }
        self.blocks = blocks
    }

    /// Reads the header and moves `offset` behind it.
    static func header(_ bytes: [UInt8], at offset: inout Int) throws(IPLDError) -> [CID] {
        let header = try section(bytes, at: &offset, "header")
        var decoder = DAGCBORDecoder(bytes, in: header)
        let roots = try decoder.map { map throws(IPLDError) in
            let roots = try map.field("roots") { decoder throws(IPLDError) in try decoder.links(atMost: 4096)
            }
            let version = try map.field("version") { decoder throws(IPLDError) in try decoder.unsigned() }
            guard version == 1 else {
                throw IPLDError(.badCAR, "this is a CAR of version \(version); version 1 is read here")
            }
            return roots
        }
        try decoder.finish()
        return roots
    }

    static func section(
        _ bytes: [UInt8], at offset: inout Int, _ what: String
    ) throws(IPLDError) -> Range<Int> {
        let start = offset
        let length = try Varint.read(bytes, at: &offset)
        guard length > 0, length <= UInt64(bytes.count - offset) else {
            throw IPLDError(.badCAR, "the \(what) at byte \(start) has the impossible length \(length)")
        }
        let range = offset..<offset + Int(length)
        offset = range.upperBound
        return range
    }
}
