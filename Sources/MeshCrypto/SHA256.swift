public import MeshCore

internal import COpenSSL

/// SHA-256 (FIPS 180-4), computed by OpenSSL.
public enum SHA256 {
    /// The digest of `bytes`.
    public static func hash(_ bytes: [UInt8]) -> Bytes32 {
        unsafe bytes.withUnsafeBytes { unsafe hash(raw: $0) }
    }

    /// The digest of `bytes[range]`, without copying them out.
    public static func hash(_ bytes: [UInt8], in range: Range<Int>) -> Bytes32 {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the bytes")
        return unsafe bytes.withUnsafeBytes { unsafe hash(raw: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    private static func hash(raw: UnsafeRawBufferPointer) -> Bytes32 {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        unsafe withUnsafeMutableBytes(of: &words) { output in
            var context = SHA256_CTX()
            unsafe SHA256_Init(&context)
            unsafe SHA256_Update(&context, raw.baseAddress, raw.count)
            unsafe SHA256_Final(output.assumingMemoryBound(to: UInt8.self).baseAddress, &context)
        }
        return Bytes32(inMemoryOrder: words)
    }
}
