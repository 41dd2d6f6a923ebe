internal import IPLD
internal import MeshCore

extension GraphOperation {
    /// The entity that every author's link of a `[unique]` edge with these targets is.
    ///
    /// The key is `(target,target,…)` with commas, parentheses and backslashes of the targets' texts escaped, or
    /// `(` and the SHA-256 of that in hexadecimal where it would be too long. No spawn may use such a key.
    public static func uniqueKey(edge: String, targets: [EntityID]) -> EntityID {
        var key: [UInt8] = [UInt8(ascii: "(")]
        for (position, target) in targets.enumerated() {
            if position > 0 { key.append(UInt8(ascii: ",")) }
            for byte in target.description.utf8 {
                if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
                    || byte == UInt8(ascii: "\\")
                {
                    key.append(UInt8(ascii: "\\"))
                }
                key.append(byte)
            }
        }
        key.append(UInt8(ascii: ")"))
        if key.count <= EntityID.keyByteCountMax {
            return .key(type: edge, key: String(decoding: key, as: UTF8.self))
        }
        return .key(type: edge, key: "(\(Hexadecimal.encode(CID(of: key, codec: .raw).digest.bytes))")
    }
}
