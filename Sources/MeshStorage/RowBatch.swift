public import MeshCore

/// Rows for one table in rising order of their keys, end to end in one buffer.
///
/// A row costs no allocation: its key and its value are appended piece by piece, with ``endKey()`` between them and
/// ``endRow()`` behind. In the buffer each row is the length of its key (two bytes) and of its value (four), both
/// little-endian, and then the two.
public struct RowBatch: Sendable {
    /// The rows as described above.
    public private(set) var bytes: [UInt8] = []
    /// How many rows there are.
    public private(set) var count = 0
    private var start = 0
    private var valueStart = 0

    private static let headByteCount = 6

    public init() {}

    public var isEmpty: Bool { count == 0 }

    public mutating func reserveCapacity(_ byteCount: Int) { bytes.reserveCapacity(byteCount) }

    /// Begins a row; its key follows.
    @inline(__always)
    public mutating func beginRow() {
        start = bytes.count
        append(UInt64(0), count: Self.headByteCount)
    }

    /// Ends the key of the row; its value follows.
    @inline(__always)
    public mutating func endKey() {
        let length = bytes.count - start - Self.headByteCount
        precondition(length > 0 && length <= StorageTable.keyByteCountMax, "a key of \(length) bytes")
        bytes[start] = UInt8(truncatingIfNeeded: length)
        bytes[start + 1] = UInt8(truncatingIfNeeded: length >> 8)
        valueStart = bytes.count
    }

    @inline(__always)
    public mutating func endRow() {
        let length = bytes.count - valueStart
        precondition(length <= Int(UInt32.max), "a value of \(length) bytes")
        bytes[start + 2] = UInt8(truncatingIfNeeded: length)
        bytes[start + 3] = UInt8(truncatingIfNeeded: length >> 8)
        bytes[start + 4] = UInt8(truncatingIfNeeded: length >> 16)
        bytes[start + 5] = UInt8(truncatingIfNeeded: length >> 24)
        count += 1
    }

    // MARK: Pieces

    @inline(__always)
    public mutating func append(_ byte: UInt8) { bytes.append(byte) }

    /// Appends a number, its highest byte first.
    @inline(__always)
    public mutating func append(bigEndian value: UInt64) { append(value.bigEndian, count: 8) }

    @inline(__always)
    public mutating func append(bigEndian value: UInt32) { append(UInt64(value.bigEndian), count: 4) }

    public mutating func append(contentsOf piece: [UInt8]) { bytes.append(contentsOf: piece) }

    /// Appends the first bytes of `word` as it lies in memory.
    @inline(__always)
    private mutating func append(_ word: UInt64, count: Int) {
        unsafe Swift.withUnsafeBytes(of: word) { word in
            unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: word[0..<count]))
        }
    }

    // MARK: Rows

    public func forEach(
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(StorageError) -> Void
    ) throws(StorageError) {
        var position = 0
        while position < bytes.count {
            let key = position + Self.headByteCount
            let value = key + Int(bytes[position]) + Int(bytes[position + 1]) << 8
            var end = 0
            for index in (2..<6).reversed() { end = end << 8 | Int(bytes[position + index]) }
            end += value
            try body(Array(bytes[key..<value]), Array(bytes[value..<end]))
            position = end
        }
    }
}
