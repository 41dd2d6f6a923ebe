public import IPLD
public import MeshCore
public import MeshIdentity

/// One link of a feed: what an author publishes in one step, under one signature.
///
/// A feed is (author, scope) and linear: ``seq`` from 0 without gaps, ``prev`` the author's previous
/// anchor. ``parents`` are the newest anchors of others that the author had seen, which makes all
/// feeds of a scope one causal DAG. ``entries`` are the records that it publishes, by CID.
public struct Anchor: Hashable, Sendable {
    public static let tag = "mesh/anchor@1"
    public static let entryCountMax = 256
    public static let parentCountMax = 16
    /// The longest scope name, in UTF-8 bytes.
    public static let scopeByteCountMax = 64

    public let author: DID
    public let scope: String
    public let seq: UInt64
    /// `nil` exactly for `seq` 0.
    public let prev: CID?
    /// Sorted, without repetition.
    public let parents: [CID]
    /// Later than that of ``prev`` and of every parent.
    public let time: HybridTime
    public let entries: [CID]

    public init(
        author: DID, scope: String, seq: UInt64, prev: CID?, parents: [CID], time: HybridTime, entries: [CID]
    ) {
        self.author = author
        self.scope = scope
        self.seq = seq
        self.prev = prev
        self.parents = parents
        self.time = time
        self.entries = entries
    }

    /// The feed that the anchor belongs to.
    public var feed: FeedID { FeedID(author: author, scope: scope) }

    /// The payload of the envelope.
    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder(capacity: 256 + 41 * (entries.count + parents.count))
        encoder.map { map in
            map.field("seq") { $0.unsigned(seq) }
            map.field("prev", ifPresent: prev) { $0.link($1) }
            map.field("time") { $0.hybridTime(time) }
            map.field("scope") { $0.text(scope) }
            map.field("author") { $0.did(author) }
            map.field("entries") { $0.links(entries) }
            map.field("parents") { $0.links(parents) }
        }
        return encoder.bytes
    }

    /// Reads the payload of an anchor's envelope and checks everything that needs no other record.
    public init(_ envelope: Envelope) throws(IPLDError) {
        guard envelope.tag == Self.tag else {
            throw IPLDError(.schema, "an anchor expected, \"\(envelope.tag.prefix(64))\" found")
        }
        self = try envelope.decodePayload { decoder throws(IPLDError) in
            try decoder.map { map throws(IPLDError) in
                let seq = try map.field("seq") { d throws(IPLDError) in try d.unsigned(atMost: 1 << 53) }
                let prev = try map.optional("prev") { d throws(IPLDError) in try d.link() }
                let time = try map.field("time") { d throws(IPLDError) in try d.hybridTime() }
                let scope = try map.field("scope") { d throws(IPLDError) in
                    try d.text(atMost: Self.scopeByteCountMax)
                }
                let author = try map.field("author") { d throws(IPLDError) in try d.did() }
                let entries = try map.field("entries") { d throws(IPLDError) in
                    try d.links(atMost: Self.entryCountMax)
                }
                let parents = try map.field("parents") { d throws(IPLDError) in
                    try d.links(atMost: Self.parentCountMax)
                }
                return Anchor(
                    author: author, scope: scope, seq: seq, prev: prev, parents: parents, time: time,
                    entries: entries)
            }
        }
        guard (seq == 0) == (prev == nil) else {
            throw IPLDError(.schema, "an anchor has a previous one exactly when its seq is not 0")
        }
        guard !scope.isEmpty, !entries.isEmpty else {
            throw IPLDError(.schema, "an anchor needs a scope and at least one entry")
        }
        guard zip(parents, parents.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw IPLDError(.schema, "an anchor's parents are sorted and distinct")
        }
        guard entries.count == 1 || Set(entries).count == entries.count else {
            throw IPLDError(.schema, "an anchor names an entry twice")
        }
    }
}

/// A feed: one author in one scope.
public struct FeedID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let author: DID
    public let scope: String

    public init(author: DID, scope: String) {
        self.author = author
        self.scope = scope
    }

    public static func < (a: Self, b: Self) -> Bool {
        a.author != b.author ? a.author < b.author : a.scope.utf8.lexicographicallyPrecedes(b.scope.utf8)
    }

    public var description: String { "\(author)/\(scope)" }

    /// public key ‖ length of scope ‖ scope: the key of everything that the store keeps by feed.
    public var key: [UInt8] {
        var key = author.publicKey.bytes
        let name = Array(scope.utf8)
        key.append(UInt8(truncatingIfNeeded: name.count))
        key.append(contentsOf: name)
        return key
    }

    /// ``key`` ‖ seq in big-endian order.
    public func key(seq: UInt64) -> [UInt8] {
        var key = key
        key.append(bigEndian: seq)
        return key
    }

    /// Reads ``key`` back.
    init?(key: [UInt8]) {
        guard key.count > 33, key.count == 33 + Int(key[32]),
            let scope = String(validating: key[33...], as: UTF8.self)
        else { return nil }
        self.init(author: DID(publicKey: Bytes32(key)), scope: scope)
    }
}

extension [UInt8] {
    /// Appends eight bytes, most significant first, so that keys sort as numbers do.
    public mutating func append(bigEndian value: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
        }
    }

    /// Reads eight bytes at `offset`, most significant first; absent bytes count as zero.
    public func bigEndian(at offset: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in offset..<offset + 8 { value = value << 8 | (index < count ? UInt64(self[index]) : 0) }
        return value
    }
}
