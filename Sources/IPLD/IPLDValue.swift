public import MeshCore

/// Any DAG-CBOR item as a tree, for tools that show or compare data of unknown shape.
public indirect enum IPLDValue: Hashable, Sendable {
    /// One entry of a map; maps keep canonical order.
    public struct Entry: Hashable, Sendable {
        public let key: String
        public let value: IPLDValue

        public init(key: String, value: IPLDValue) {
            self.key = key
            self.value = value
        }
    }

    case null
    case bool(Bool)
    /// `magnitude`, or `−1 − magnitude` when negative: the whole range of CBOR.
    case integer(negative: Bool, magnitude: UInt64)
    case double(Double)
    case text(String)
    case bytes([UInt8])
    case link(CID)
    /// A link by a hash that we do not compute, as the bytes of its CID: it can be shown and kept, and names no block here.
    case foreignLink([UInt8])
    case list([IPLDValue])
    case map([Entry])

    /// Decodes exactly one canonical item.
    public init(decoding bytes: [UInt8]) throws(IPLDError) {
        self = try DAGCBORDecoder.decode(bytes) { decoder throws(IPLDError) in try decoder.value() }
    }

    /// The canonical encoding.
    public var encoded: [UInt8] {
        var encoder = DAGCBOREncoder()
        encode(to: &encoder)
        return encoder.bytes
    }

    private func encode(to encoder: inout DAGCBOREncoder) {
        switch self {
        case .null: encoder.null()
        case .bool(let value): encoder.bool(value)
        case .integer(let negative, let magnitude):
            negative ? encoder.negative(magnitude) : encoder.unsigned(magnitude)
        case .double(let value): encoder.double(value)
        case .text(let value): encoder.text(value)
        case .bytes(let value): encoder.byteString(value)
        case .link(let value): encoder.link(value)
        case .foreignLink(let value): encoder.foreignLink(value)
        case .list(let values): encoder.array(values) { $1.encode(to: &$0) }
        case .map(let entries):
            let sorted = entries.sorted { DAGCBOREncoder.MapWriter.canonicalOrder($0.key, $1.key) }
            encoder.head(5, UInt64(sorted.count))
            for entry in sorted {
                encoder.text(entry.key)
                entry.value.encode(to: &encoder)
            }
        }
    }

    /// Every CID linked from here by a hash that we compute, in order of appearance.
    public var links: [CID] {
        switch self {
        case .link(let cid): [cid]
        case .list(let values): values.flatMap(\.links)
        case .map(let entries): entries.flatMap(\.value.links)
        default: []
        }
    }

    /// The value under `key`, when this is a map that has it.
    public subscript(key: String) -> IPLDValue? {
        guard case .map(let entries) = self else { return nil }
        return entries.first { $0.key == key }?.value
    }
}
