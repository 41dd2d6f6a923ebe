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
public struct DAGCBOREncoder: Sendable {
    /// Room that is written from the front; what lies behind ``count`` is left over.
    ///
    /// Appending byte by byte to an exact array costs three times as much.
    @usableFromInline var room: [UInt8]
    @usableFromInline var written = 0

    /// An encoder with room for `capacity` bytes before it first grows.
    @inlinable
    public init(capacity: Int = 512) {
        room = [UInt8](repeating: 0, count: capacity)
    }

    @inlinable
    init(empty: Void) { room = [] }

    /// What has been written so far, copied out.
    @inlinable public var bytes: [UInt8] { Array(room[..<written]) }

    /// How many bytes have been written so far.
    @inlinable public var count: Int { written }

    /// Empties the buffer and keeps its memory.
    @inlinable
    public mutating func removeAll() { written = 0 }

    // MARK: Room

    @inlinable
    mutating func reserve(_ count: Int) {
        if room.count &- written < count { grow(count) }
    }

    @usableFromInline @inline(never)
    mutating func grow(_ count: Int) {
        room.append(contentsOf: repeatElement(0, count: max(room.count, count, 64)))
    }

    @inlinable
    mutating func put(_ byte: UInt8) {
        reserve(1)
        room[written] = byte
        written &+= 1
    }

    @inlinable
    mutating func put(copying source: UnsafeRawBufferPointer) {
        reserve(source.count)
        let start = written
        // `reserve` made the room that this copies into.
        unsafe room.withUnsafeMutableBytes { target in
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[start...]).copyMemory(from: source)
        }
        written &+= source.count
    }

    @inlinable
    mutating func head(_ major: UInt8, _ value: UInt64) {
        if value < 24 {
            put(major << 5 | UInt8(truncatingIfNeeded: value))
        } else {
            wideHead(major << 5, value)
        }
    }

    @usableFromInline @inline(never)
    mutating func wideHead(_ kind: UInt8, _ value: UInt64) {
        if value <= 0xff {
            put(kind | 24)
            put(UInt8(value))
        } else if value <= 0xffff {
            put(kind | 25)
            put(UInt8(value >> 8))
            put(UInt8(truncatingIfNeeded: value))
        } else {
            let wide = value > 0xffff_ffff
            put(kind | (wide ? 27 : 26))
            let inOrder = (wide ? value : value << 32).bigEndian
            unsafe withUnsafeBytes(of: inOrder) { word in
                unsafe put(copying: UnsafeRawBufferPointer(rebasing: word[..<(wide ? 8 : 4)]))
            }
        }
    }

    // MARK: Scalars

    @inlinable
    public mutating func null() { put(0xf6) }

    @inlinable
    public mutating func bool(_ value: Bool) { put(value ? 0xf5 : 0xf4) }

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
        put(0xfb)
        unsafe withUnsafeBytes(of: value.bitPattern.bigEndian) { unsafe put(copying: $0) }
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
        put(0x58)
        put(34)
        put(prefix.0)
        put(prefix.1)
        put(value)
    }

    @inlinable
    mutating func put(_ value: Bytes32) {
        unsafe withUnsafeBytes(of: value.wordsInMemoryOrder) { unsafe put(copying: $0) }
    }

    @inlinable
    public mutating func link(_ cid: CID) {
        guard cid.version == 1, cid.codec.rawValue < 0x80 else { return foreignLink(cid) }
        // d8 2a: tag 42; 58 25: 37 bytes; 00: identity multibase; then the CID.
        let codec = UInt64(cid.codec.rawValue)
        let head = (0xd82a_5825_0001_0012 | codec << 8).bigEndian
        unsafe withUnsafeBytes(of: head) { unsafe put(copying: $0) }
        put(0x20)
        put(cid.digest)
    }

    @usableFromInline @inline(never)
    mutating func foreignLink(_ cid: CID) {
        put(0xd8)
        put(0x2a)
        head(2, UInt64(cid.byteCount + 1))
        put(0)
        encoded(cid.bytes)
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
        put(0xa0)
        var writer = MapWriter(encoder: self)
        // The buffer moves into the writer and back; a second reference would make every write copy it.
        self = DAGCBOREncoder(empty: ())
        body(&writer)
        self = writer.encoder
        if writer.fields < 24 {
            room[start] = 0xa0 | UInt8(truncatingIfNeeded: writer.fields)
        } else {
            widenMap(at: start, writer.fields)
        }
    }

    @usableFromInline @inline(never)
    mutating func widenMap(at start: Int, _ fields: Int) {
        precondition(fields <= 0xff, "a record of \(fields) fields")
        room[start] = 0xb8
        room.insert(UInt8(fields), at: start + 1)
        written += 1
    }
}
