public import MeshCore

/// Unsigned LEB128 integers as multiformats restrict them: minimal, at most nine bytes.
public enum Varint {
    /// Appends the shortest encoding of `value`, which is below 2^63.
    public static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Reads one integer at `offset` and moves `offset` behind it.
    ///
    /// - Throws: ``IPLDFailure/truncated`` at the end of the bytes, ``IPLDFailure/notCanonical`` for
    ///   padding or more than nine bytes. `offset` is then unchanged.
    public static func read(_ bytes: [UInt8], at offset: inout Int) throws(IPLDError) -> UInt64 {
        var value: UInt64 = 0
        var index = offset
        for shift in stride(from: UInt64(0), to: 63, by: 7) {
            guard index < bytes.count else {
                throw IPLDError(.truncated, "a varint is cut off at byte \(index)")
            }
            let byte = bytes[index]
            index += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 {
                guard byte != 0 || shift == 0 else {
                    throw IPLDError(.notCanonical, "a varint at byte \(offset) is padded with zeros")
                }
                offset = index
                return value
            }
        }
        throw IPLDError(.notCanonical, "a varint at byte \(offset) is longer than nine bytes")
    }
}
