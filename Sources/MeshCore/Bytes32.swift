/// Thirty-two bytes held in four machine words: a SHA-256 digest or an Ed25519 public key.
///
/// Ordering is bytewise, because each word holds its eight bytes in big-endian order.
public struct Bytes32: Hashable, Comparable, Sendable {
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// Takes the 32 bytes at `offset`; the caller has checked that they are there.
    public init(_ bytes: [UInt8], at offset: Int = 0) {
        precondition(offset >= 0 && bytes.count - offset >= 32, "32 bytes needed at \(offset) of \(bytes.count)")
        first = Self.word(bytes, offset)
        second = Self.word(bytes, offset + 8)
        third = Self.word(bytes, offset + 16)
        fourth = Self.word(bytes, offset + 24)
    }

    /// Takes exactly 32 bytes.
    ///
    /// - Returns: `nil` for any other length.
    public init?(exactly bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.init(Array(bytes))
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in offset..<offset + 8 { word = word << 8 | UInt64(bytes[index]) }
        return word
    }

    /// The bytes, in order.
    public var bytes: [UInt8] {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(32)
        append(to: &buffer)
        return buffer
    }

    /// Appends the bytes to `buffer`.
    public func append(to buffer: inout [UInt8]) {
        append(first, to: &buffer)
        append(second, to: &buffer)
        append(third, to: &buffer)
        append(fourth, to: &buffer)
    }

    private func append(_ word: UInt64, to buffer: inout [UInt8]) {
        unsafe withUnsafeBytes(of: word.bigEndian) { unsafe buffer.append(contentsOf: $0) }
    }

    /// The first eight bytes as a number, for seeding and sharding.
    public var prefix: UInt64 { first }

    public static let zero = Bytes32([UInt8](repeating: 0, count: 32))

    public static func < (a: Self, b: Self) -> Bool {
        if a.first != b.first { return a.first < b.first }
        if a.second != b.second { return a.second < b.second }
        if a.third != b.third { return a.third < b.third }
        return a.fourth < b.fourth
    }
}
