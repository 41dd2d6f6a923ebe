public import MeshCore

/// Writes canonical DAG-CBOR (RFC 8949 §4.2 as narrowed by the DAG-CBOR specification) into one growing buffer.
///
/// Map keys must be written in canonical order, shorter first and then bytewise; writing them in
/// another order is our own bug and stops the program.
///
///     var encoder = DAGCBOREncoder()
///     encoder.map { map in
///         map.field("seq") { $0.unsigned(seq) }
///         map.field("scope") { $0.text(scope) }
///     }
///
/// An encoder owns its buffer and cannot be copied, so a write needs no check for other owners.
@safe
public struct DAGCBOREncoder: ~Copyable, @unchecked Sendable {
    // Sendable because the buffer has exactly one owner, which moves with the value.
    @usableFromInline var buffer: UnsafeMutableRawPointer
    @usableFromInline var capacity: Int
    @usableFromInline var written = 0

    /// An encoder with room for `capacity` bytes before it first grows.
    @inlinable
    public init(capacity: Int = 512) {
        let capacity = max(capacity, 16)
        self.capacity = capacity
        unsafe buffer = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    }

    @inlinable
    deinit { unsafe buffer.deallocate() }

    /// What has been written so far, copied out.
    @inlinable public var bytes: [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: buffer, count: written))
    }

    /// How many bytes have been written so far.
    @inlinable public var count: Int { written }

    /// Empties the buffer and keeps its memory.
    @inlinable
    public mutating func removeAll() { written = 0 }

    // MARK: Room

    /// Makes room for `count` more bytes; every write below is preceded by one of these.
    @inlinable
    mutating func reserve(_ count: Int) {
        if capacity &- written < count { grow(count) }
    }

    @usableFromInline @inline(never)
    mutating func grow(_ count: Int) {
        let larger = max(capacity * 2, written + count)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        unsafe moved.copyMemory(from: buffer, byteCount: written)
        unsafe buffer.deallocate()
        unsafe buffer = moved
        capacity = larger
    }

    func byte(at offset: Int) -> UInt8 {
        precondition(offset < written, "byte \(offset) of \(written)")
        return unsafe buffer.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// Writes a byte into room that is there.
    @inlinable
    mutating func put(_ byte: UInt8) {
        unsafe buffer.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
        written &+= 1
    }

    /// Writes eight bytes, the highest first, into room that is there.
    @inlinable
    mutating func put(_ word: UInt64) {
        unsafe buffer.storeBytes(of: word.bigEndian, toByteOffset: written, as: UInt64.self)
        written &+= 8
    }

    /// Writes 32 bytes into room that is there.
    @inlinable
    mutating func put(_ value: Bytes32) {
        unsafe (buffer + written).storeBytes(
            of: value.wordsInMemoryOrder, as: (UInt64, UInt64, UInt64, UInt64).self)
        written &+= 32
    }

    @inlinable
    mutating func put(copying source: UnsafeRawBufferPointer) {
        reserve(source.count)
        guard let start = source.baseAddress else { return }
        unsafe (buffer + written).copyMemory(from: start, byteCount: source.count)
        written &+= source.count
    }

    @inlinable
    mutating func head(_ major: UInt8, _ value: UInt64) {
        reserve(9)
        if value < 24 {
            put(major << 5 | UInt8(truncatingIfNeeded: value))
        } else {
            wideHead(major << 5, value)
        }
    }

    @usableFromInline
    mutating func wideHead(_ kind: UInt8, _ value: UInt64) {
        if value <= 0xff {
            put(kind | 24)
            put(UInt8(value))
        } else if value <= 0xffff {
            put(kind | 25)
            put(UInt8(value >> 8))
            put(UInt8(truncatingIfNeeded: value))
        } else if value <= 0xffff_ffff {
            put(kind | 26)
            unsafe buffer.storeBytes(
                of: UInt32(value).bigEndian, toByteOffset: written, as: UInt32.self)
            written &+= 4
        } else {
            put(kind | 27)
            put(value)
        }
    }

    // MARK: Scalars

    @inlinable
    public mutating func null() { head(7, 22) }

    @inlinable
    public mutating func bool(_ value: Bool) { head(7, value ? 21 : 20) }

    @inlinable
    public mutating func unsigned(_ value: UInt64) { head(0, value) }

    @inlinable
    public mutating func integer(_ value: Int64) {
        if value >= 0 { head(0, UInt64(value)) } else { head(1, UInt64(bitPattern: ~value)) }
    }

    /// An integer below zero, `−1 − value`, over the whole range that CBOR can hold.
    @inlinable
    public mutating func negative(_ value: UInt64) { head(1, value) }

    /// A finite number; the format has no NaN and no infinity.
    public mutating func double(_ value: Double) {
        precondition(value.isFinite, "DAG-CBOR cannot hold \(value)")
        reserve(9)
        put(0xfb as UInt8)
        put(value.bitPattern)
    }

    @inlinable
    public mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            head(3, UInt64(truncatingIfNeeded: utf8.count))
            unsafe put(copying: UnsafeRawBufferPointer(utf8))
        }
    }

    @inlinable
    public mutating func byteString(_ value: [UInt8]) {
        head(2, UInt64(truncatingIfNeeded: value.count))
        encoded(value)
    }

    /// A byte string of two bytes and thirty-two, such as a multicodec prefix and its key.
    @inlinable
    public mutating func byteString(_ prefix: (UInt8, UInt8), _ value: Bytes32) {
        reserve(36)
        put(0x58 as UInt8)
        put(34 as UInt8)
        put(prefix.0)
        put(prefix.1)
        put(value)
    }

    @inlinable
    public mutating func link(_ cid: CID) {
        guard cid.version == 1, cid.codec.rawValue < 0x80 else { return foreignLink(cid.bytes) }
        reserve(41)
        // d8 2a: tag 42; 58 25: 37 bytes; 00: identity multibase; then the CID.
        put(0xd82a_5825_0001_0012 | UInt64(cid.codec.rawValue) << 8)
        put(0x20 as UInt8)
        put(cid.digest)
    }

    @usableFromInline @inline(never)
    mutating func foreignLink(_ cid: [UInt8]) {
        head(6, 42)
        head(2, UInt64(cid.count + 1))
        encoded([0])
        encoded(cid)
    }

    /// Appends bytes that are one canonical item already.
    @inlinable
    public mutating func encoded(_ item: [UInt8]) {
        unsafe item.withUnsafeBytes { unsafe put(copying: $0) }
    }

    // MARK: Arrays and maps

    /// Writes the head of an array; the caller writes exactly `count` items behind it.
    @inlinable
    public mutating func arrayHead(_ count: Int) { head(4, UInt64(count)) }

    /// Writes every element through `body`.
    @inlinable
    public mutating func array<Elements: Collection>(
        _ elements: Elements, _ body: (inout DAGCBOREncoder, Elements.Element) -> Void
    ) {
        arrayHead(elements.count)
        for element in elements { body(&self, element) }
    }

    public mutating func links(_ cids: [CID]) {
        array(cids) { $0.link($1) }
    }

    public mutating func texts(_ values: [String]) {
        array(values) { $0.text($1) }
    }

    /// A map of text to text, sorted here.
    public mutating func textMap(_ values: [String: String]) {
        let sorted = values.sorted { MapWriter.canonicalOrder($0.key, $1.key) }
        head(5, UInt64(sorted.count))
        for (key, value) in sorted {
            text(key)
            text(value)
        }
    }

    /// Writes a map whose fields are given, in canonical order, by `body`.
    @inlinable
    public mutating func map(_ body: (inout MapWriter) -> Void) {
        let start = written
        head(5, 0)
        // The buffer moves into the writer and back.
        var writer = MapWriter(encoder: consume self)
        body(&writer)
        let fields = writer.fields
        self = writer.finish()
        if fields < 24 {
            unsafe buffer.storeBytes(
                of: 0xa0 | UInt8(truncatingIfNeeded: fields), toByteOffset: start, as: UInt8.self)
        } else {
            widenMap(at: start, fields)
        }
    }

    /// Makes room for the second byte of a long map's head.
    @usableFromInline @inline(never)
    mutating func widenMap(at start: Int, _ fields: Int) {
        precondition(fields <= 0xff, "a record of \(fields) fields")
        reserve(1)
        unsafe (buffer + start + 2).copyMemory(from: buffer + start + 1, byteCount: written - start - 1)
        unsafe buffer.storeBytes(of: 0xb8, toByteOffset: start, as: UInt8.self)
        unsafe buffer.storeBytes(of: UInt8(fields), toByteOffset: start + 1, as: UInt8.self)
        written += 1
    }
}
