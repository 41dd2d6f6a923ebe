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
        unsafe bytes.withUnsafeBytes { unsafe hash(raw: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    private static func hash(raw: UnsafeRawBufferPointer) -> Bytes32 {
        let digest = unsafe [UInt8](unsafeUninitializedCapacity: 32) { output, count in
            var context = SHA256_CTX()
            unsafe SHA256_Init(&context)
            unsafe SHA256_Update(&context, raw.baseAddress, raw.count)
            unsafe SHA256_Final(output.baseAddress, &context)
            count = 32
        }
        return Bytes32(digest)
    }
}
