internal import MeshCore
internal import MeshStorage

extension [UInt8] {
    /// Appends a number, its highest byte first, so that keys sort as their numbers do.
    mutating func append(bigEndian value: UInt64) {
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }

    mutating func append(bigEndian value: UInt32) {
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }

    /// Appends a number in groups of seven bits, the lowest first.
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Reads rows of the graph's tables, from their beginning to their end.
///
/// They are our own, so that whatever is wrong with them is ``StorageFailure/corrupt``.
struct RowReader {
    let bytes: [UInt8]
    private(set) var position: Int
    private let end: Int

    init(_ bytes: [UInt8], from start: Int = 0) {
        self.bytes = bytes
        position = Swift.min(start, bytes.count)
        end = bytes.count
    }

    var isAtEnd: Bool { position == end }
    var remaining: Int { end - position }

    static func corrupt() -> StorageError {
        StorageError(
            .corrupt, "a row of the graph cannot be read",
            hint: "start the node with its projections rebuilt")
    }

    mutating func take(_ count: Int) throws(StorageError) -> Range<Int> {
        guard count >= 0, count <= end - position else { throw Self.corrupt() }
        position += count
        return position - count..<position
    }

    mutating func byte() throws(StorageError) -> UInt8 {
        guard position < end else { throw Self.corrupt() }
        position += 1
        return bytes[position - 1]
    }

    mutating func number64() throws(StorageError) -> UInt64 {
        let range = try take(8)
        return unsafe bytes.withUnsafeBytes {
            unsafe UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: range.lowerBound, as: UInt64.self))
        }
    }

    mutating func number32() throws(StorageError) -> UInt32 {
        let range = try take(4)
        return unsafe bytes.withUnsafeBytes {
            unsafe UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: range.lowerBound, as: UInt32.self))
        }
    }

    mutating func varint() throws(StorageError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let next = try byte()
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 { return value }
            shift += 7
        }
        throw Self.corrupt()
    }

    /// A count of things of at least one byte each.
    mutating func count() throws(StorageError) -> Int {
        let value = try varint()
        guard value <= UInt64(remaining) else { throw Self.corrupt() }
        return Int(value)
    }

    mutating func text(_ count: Int) throws(StorageError) -> String {
        String(decoding: bytes[try take(count)], as: UTF8.self)
    }
}
