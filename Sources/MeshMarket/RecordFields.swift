public import IPLD
public import MeshCore

/// A named blob: an input, an output or a log.
public struct NamedBlob: Hashable, Sendable {
    public let name: String
    public let cid: CID
    /// In bytes.
    public let size: UInt64

    public init(name: String, cid: CID, size: UInt64) {
        self.name = name
        self.cid = cid
        self.size = size
    }
}

/// The largest amount that a record may hold: exact in every JSON reader.
public let amountMax: UInt64 = 1 << 53

extension DAGCBOREncoder {
    public mutating func namedBlob(name: String, cid: CID, size: UInt64) {
        map { map in
            map.field("cid") { $0.link(cid) }
            map.field("name") { $0.text(name) }
            map.field("size") { $0.unsigned(size) }
        }
    }

    public mutating func namedBlobs(_ blobs: [NamedBlob]) {
        array(blobs) { $0.namedBlob(name: $1.name, cid: $1.cid, size: $1.size) }
    }
}

extension DAGCBORDecoder {
    public mutating func namedBlob() throws(IPLDError) -> NamedBlob {
        try map { map throws(IPLDError) in
            let cid = try map.field("cid") { d throws(IPLDError) in try d.link() }
            let name = try map.field("name") { d throws(IPLDError) in try d.text(atMost: 255) }
            return NamedBlob(name: name, cid: cid, size: try map.amount("size"))
        }
    }

    public mutating func namedBlobs(atMost limit: Int) throws(IPLDError) -> [NamedBlob] {
        try array(atMost: limit) { d throws(IPLDError) in try d.namedBlob() }
    }
}

extension DAGCBORDecoder.MapReader {
    /// The entry's `kind`, which the caller has looked at before choosing a decoder.
    public mutating func kind(_ expected: String) throws(IPLDError) {
        let found = try field("kind") { d throws(IPLDError) in try d.text(atMost: 64) }
        guard found == expected else { throw IPLDError(.schema, "a \(expected) expected, \(found) found") }
    }

    /// A non-negative integer up to 2^53.
    public mutating func amount(_ name: String) throws(IPLDError) -> UInt64 {
        try field(name) { d throws(IPLDError) in try d.unsigned(atMost: amountMax) }
    }

    /// One of the words that `Choice` knows.
    public mutating func choice<Choice: RawRepresentable>(
        _ name: String, _ type: Choice.Type
    ) throws(IPLDError) -> Choice where Choice.RawValue == String {
        let word = try field(name) { d throws(IPLDError) in try d.text(atMost: 64) }
        guard let choice = Choice(rawValue: word) else {
            throw IPLDError(.schema, "\"\(word)\" is not a \(name)")
        }
        return choice
    }
}
