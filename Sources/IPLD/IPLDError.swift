public import MeshCore

/// Why bytes or text are not the IPLD data they claim to be.
public enum IPLDFailure: String, Sendable, CaseIterable {
    /// The text is not a CID, or uses a base, version or hash that we do not read.
    case badCID = "ipld.bad-cid"
    /// The bytes end in the middle of an item.
    case truncated = "ipld.truncated"
    /// The bytes are CBOR but not the one canonical DAG-CBOR form.
    case notCanonical = "ipld.not-canonical"
    /// Bytes follow the end of the item.
    case trailingBytes = "ipld.trailing-bytes"
    /// The item is valid but not what the record's schema asks for.
    case schema = "ipld.schema"
    /// Nested or long beyond the decoder's bounds.
    case tooLarge = "ipld.too-large"
    /// A CAR file whose framing or header is wrong.
    case badCAR = "ipld.bad-car"
    /// A block whose bytes do not hash to its CID.
    case hashMismatch = "ipld.hash-mismatch"
}

/// Thrown by every decoder of this module; the message gives the byte offset.
public typealias IPLDError = CodedError<IPLDFailure>
