public import MeshCore
internal import MeshCrypto

/// A content identifier: what kind of bytes, and their SHA-256.
///
/// Our own blocks are CIDv1 with codec `dag-cbor` or `raw`; CIDs of other codecs and CIDv0 are
/// carried unchanged so that foreign data can be linked. Every hash but SHA-256 is refused.
/// Ordering is that of the binary form for CIDs of one version and codec.
public struct CID: Hashable, Sendable {
    /// What the block's bytes are, as a multicodec code.
    public struct Codec: RawRepresentable, Hashable, Comparable, Sendable {
        public let rawValue: UInt32

        @inlinable
        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// Bytes without structure.
        public static let raw = Codec(rawValue: 0x55)
        /// One DAG-CBOR item.
        public static let dagCBOR = Codec(rawValue: 0x71)
        /// The protobuf form of IPFS; the only codec of a CIDv0.
        public static let dagPB = Codec(rawValue: 0x70)

        public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }

    /// 0 or 1.
    public let version: UInt8
    public let codec: Codec
    /// The SHA-256 of the block.
    public let digest: Bytes32

    /// A CIDv1.
    @inlinable
    public init(codec: Codec, digest: Bytes32) {
        version = 1
        self.codec = codec
        self.digest = digest
    }

    /// The CID that `block` has as bytes of `codec`.
    public init(of block: [UInt8], codec: Codec) {
        self.init(codec: codec, digest: SHA256.hash(block))
    }

    /// The CID of `bytes[range]`, hashed in place.
    public init(of bytes: [UInt8], in range: Range<Int>, codec: Codec) {
        self.init(codec: codec, digest: SHA256.hash(bytes, in: range))
    }

    private init(version: UInt8, codec: Codec, digest: Bytes32) {
        self.version = version
        self.codec = codec
        self.digest = digest
    }
}

extension CID: Comparable {
    public static func < (a: Self, b: Self) -> Bool {
        if a.version != b.version { return a.version < b.version }
        if a.codec != b.codec { return a.codec < b.codec }
        return a.digest < b.digest
    }
}

// MARK: - Binary form

extension CID {
    /// `varint(1) ‖ varint(codec) ‖ 12 20 ‖ digest`; for a CIDv0 just `12 20 ‖ digest`.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(40)
        append(to: &bytes)
        return bytes
    }

    /// The length of ``bytes``.
    public var byteCount: Int {
        if version == 0 { return 34 }
        return codec.rawValue < 0x80 ? 36 : bytes.count
    }

    /// Appends the binary form.
    public func append(to bytes: inout [UInt8]) {
        if version == 1 {
            bytes.append(1)
            Varint.append(UInt64(codec.rawValue), to: &bytes)
        }
        bytes.append(0x12)
        bytes.append(0x20)
        digest.append(to: &bytes)
    }

    /// Reads one binary CID at `offset` and moves `offset` behind it.
    ///
    /// - Throws: ``IPLDFailure/badCID`` or ``IPLDFailure/truncated``.
    public static func read(_ bytes: [UInt8], at offset: inout Int) throws(IPLDError) -> CID {
        var index = offset
        // The common case first: dag-cbor or raw with SHA-256.
        if bytes.count - index >= 36, bytes[index] == 1, bytes[index + 1] < 0x80, bytes[index + 2] == 0x12,
            bytes[index + 3] == 0x20
        {
            offset = index + 36
            return CID(
                codec: Codec(rawValue: UInt32(bytes[index + 1])), digest: Bytes32(bytes, at: index + 4))
        }
        if bytes.count - index >= 34, bytes[index] == 0x12, bytes[index + 1] == 0x20 {
            offset = index + 34
            return CID(version: 0, codec: .dagPB, digest: Bytes32(bytes, at: index + 2))
        }
        let version = try Varint.read(bytes, at: &index)
        guard version == 1 else {
            throw IPLDError(.badCID, "a CID at byte \(offset) has version \(version); 1 is read here")
        }
        let codec = try Varint.read(bytes, at: &index)
        let hash = try Varint.read(bytes, at: &index)
        let length = try Varint.read(bytes, at: &index)
        guard codec <= UInt64(UInt32.max), hash == 0x12, length == 32 else {
            throw IPLDError(
                .badCID,
                "a CID at byte \(offset) uses hash \(hash) of \(length) bytes; only SHA-256 is read here")
        }
        guard bytes.count - index >= 32 else {
            throw IPLDError(.truncated, "a CID is cut off at byte \(bytes.count)")
        }
        offset = index + 32
        return CID(codec: Codec(rawValue: UInt32(codec)), digest: Bytes32(bytes, at: index))
    }

    /// Reads exactly one binary CID.
    public init(bytes: [UInt8]) throws(IPLDError) {
        var offset = 0
        self = try CID.read(bytes, at: &offset)
        guard offset == bytes.count else {
            throw IPLDError(.badCID, "\(bytes.count - offset) bytes follow the CID")
        }
    }
}

// MARK: - Text form

extension CID: CustomStringConvertible {
    /// Base32 with its `b` prefix; a CIDv0 in bare base58btc.
    public var description: String {
        version == 0 ? Multibase.base58(bytes) : "b" + Multibase.base32(bytes)
    }

    /// Reads base32 (`b…`) or base58btc (`z…`, `Qm…`) text.
    ///
    /// Only a CIDv0 stands without a prefix, and only a CIDv1 with one, as the CID specification has it.
    public init(_ text: String) throws(IPLDError) {
        let characters = Array(text.utf8.prefix(129))
        let decoded: [UInt8]? =
            switch characters.first {
            case _ where characters.count > 128: nil
            case UInt8(ascii: "b"): Multibase.decodeBase32(characters.dropFirst())
            case UInt8(ascii: "z"): Multibase.decodeBase58(characters.dropFirst())
            case UInt8(ascii: "Q") where characters.count == 46: Multibase.decodeBase58(characters)
            default: nil
            }
        guard let decoded else {
            throw IPLDError(.badCID, "\"\(text.prefix(80))\" is not a CID in base32 or base58btc")
        }
        try self.init(bytes: decoded)
        guard (version == 0) == (characters.first == UInt8(ascii: "Q")) else {
            throw IPLDError(.badCID, "\"\(text.prefix(80))\" has the prefix of another CID version")
        }
    }
}
