public import MeshCore

extension DAGCBORDecoder {
    /// What an item is, as far as its first byte tells.
    public enum Kind: Sendable {
        case unsigned, negative, byteString, text, array, map, link, bool, null, float
    }

    /// What the next item is; nothing is read.
    ///
    /// - Throws: ``IPLDFailure/truncated`` at the end, ``IPLDFailure/notCanonical`` for what DAG-CBOR has not.
    public func nextKind() throws(IPLDError) -> Kind {
        let byte = try at(position)
        switch byte >> 5 {
        case 0: return .unsigned
        case 1: return .negative
        case 2: return .byteString
        case 3: return .text
        case 4: return .array
        case 5: return .map
        case 6: return .link
        default: break
        }
        switch byte {
        case 0xf4, 0xf5: return .bool
        case 0xf6: return .null
        case 0xfb: return .float
        default: throw IPLDError(.notCanonical, "a simple value or short float at byte \(position)")
        }
    }
}
