/// Thirty-two bytes held in four machine words: a SHA-256 digest or an Ed25519 public key.
///
/// Ordering is bytewise, because each word holds its eight bytes in big-endian order.
public struct Bytes32: Hashable, Comparable, Sendable {
    @usableFromInline let first: UInt64
    @usableFromInline let second: UInt64
    @usableFromInline let third: UInt64
    @usableFromInline let fourth: UInt64

    /// Takes four words that lie in memory as the 32 bytes do.
    @inlinable
    public init(inMemoryOrder words: (UInt64, UInt64, UInt64, UInt64)) {
        first = UInt64(bigEndian: words.0)
        second = UInt64(bigEndian: words.1)
        third = UInt64(bigEndian: words.2)
        fourth = UInt64(bigEndian: words.3)
    }

    /// Takes the 32 bytes at `offset`; the caller has checked that they are there.
    @inlinable
    public init(_ bytes: [UInt8], at offset: Int = 0) {
        precondition(offset >= 0 && bytes.count - offset >= 32, "32 bytes needed")
        // The precondition keeps all four loads inside the array.
        self = unsafe bytes.withUnsafeBytes { raw in
            unsafe Bytes32(
                inMemoryOrder: (
                    raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                    raw.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self),
                    raw.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self),
                    raw.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self)
                ))
        }
    }

    /// Takes exactly 32 bytes.
    ///
    /// - Returns: `nil` for any other length.
    public init?(exactly bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.init(Array(bytes))
    }

    /// The bytes as four words that lie in memory in their order.
    @inlinable
    public var wordsInMemoryOrder: (UInt64, UInt64, UInt64, UInt64) {
        (first.bigEndian, second.bigEndian, third.bigEndian, fourth.bigEndian)
    }

    /// The bytes, in order.
    public var bytes: [UInt8] {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(32)
        append(to: &buffer)
        return buffer
    }

    /// Appends the bytes to `buffer`.
    @inlinable
    public func append(to buffer: inout [UInt8]) {
        unsafe withUnsafeBytes(of: wordsInMemoryOrder) { unsafe buffer.append(contentsOf: $0) }
    }

    /// The first eight bytes as a number, for seeding and sharding.
    @inlinable public var prefix: UInt64 { first }

    /// Thirty-two zero bytes.
    public static let zero = Bytes32(inMemoryOrder: (0, 0, 0, 0))

    @inlinable
    public static func < (a: Self, b: Self) -> Bool {
        if a.first != b.first { return a.first < b.first }
        if a.second != b.second { return a.second < b.second }
        if a.third != b.third { return a.third < b.third }
        return a.fourth < b.fourth
    }
}
