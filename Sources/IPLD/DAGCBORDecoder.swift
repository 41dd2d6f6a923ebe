public import MeshCore

/// Reads canonical DAG-CBOR and refuses everything else.
///
/// The decoder walks the bytes once and builds nothing by itself: records ask for their fields in
/// canonical order through ``map(_:)``. Lengths are checked against the bytes that are there before
/// anything is allocated, and nesting is bounded, so hostile bytes cost no more than their length.
public struct DAGCBORDecoder: ~Copyable, Sendable {
    public let bytes: [UInt8]
    @usableFromInline var position: Int
    @usableFromInline let end: Int
    @usableFromInline var depth = 0

    /// Nesting beyond this is refused.
    public static let depthMax = 64

    /// Where the next item starts.
    @inlinable public var offset: Int { position }

    @inlinable
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    /// Reads only `range` of `bytes`; offsets in messages count from the start of `bytes`.
    @inlinable
    public init(_ bytes: [UInt8], in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the bytes")
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// Decodes exactly one item; trailing bytes are refused.
    @inlinable
    public static func decode<Value>(
        _ bytes: [UInt8], _ body: (inout DAGCBORDecoder) throws(IPLDError) -> Value
    ) throws(IPLDError) -> Value {
        var decoder = DAGCBORDecoder(bytes)
        let value = try body(&decoder)
        try decoder.finish()
        return value
    }

    /// Decodes exactly the one item that fills `bytes[range]`, in place.
    @inlinable
    public static func decode<Value>(
        _ bytes: [UInt8], in range: Range<Int>, _ body: (inout DAGCBORDecoder) throws(IPLDError) -> Value
    ) throws(IPLDError) -> Value {
        var decoder = DAGCBORDecoder(bytes, in: range)
        let value = try body(&decoder)
        try decoder.finish()
        return value
    }

    /// Checks that nothing follows.
    @inlinable
    public func finish() throws(IPLDError) {
        guard position == end else { throw trailing() }
    }

    // MARK: Heads

    @inlinable
    func at(_ position: Int) throws(IPLDError) -> UInt8 {
        guard position < end else { throw cutOff() }
        return bytes[position]
    }

    @inlinable
    mutating func head() throws(IPLDError) -> (major: UInt8, value: UInt64) {
        let initial = try at(position)
        let information = initial & 31
        guard information < 24 else { return try wideHead(initial) }
        position &+= 1
        return (initial >> 5, UInt64(information))
    }

    @usableFromInline @inline(never)
    mutating func wideHead(_ initial: UInt8) throws(IPLDError) -> (major: UInt8, value: UInt64) {
        let start = position
        let major = initial >> 5
        let information = initial & 31
        guard information < 28 else {
            throw IPLDError(.notCanonical, "an indefinite or reserved length at byte \(start)")
        }
        guard major != 7 else {
            throw IPLDError(.notCanonical, "a simple value or short float at byte \(start)")
        }
        let width = 1 << Int(information - 24)
        guard end - start > width else { throw cutOff() }
        var value: UInt64 = 0
        for index in start + 1...start + width { value = value << 8 | UInt64(bytes[index]) }
        let least: UInt64 = width == 1 ? 24 : 1 << UInt64(width * 4)
        guard value >= least else {
            throw IPLDError(.notCanonical, "the number \(value) at byte \(start) is not in its shortest form")
        }
        position = start + 1 + width
        return (major, value)
    }

    @inlinable
    mutating func head(_ expected: Major) throws(IPLDError) -> UInt64 {
        let start = position
        let (major, value) = try head()
        guard major == expected.rawValue else {
            position = start
            throw unexpected(expected)
        }
        return value
    }

    @inlinable
    mutating func length(_ expected: Major) throws(IPLDError) -> Int {
        let value = try head(expected)
        guard value <= UInt64(truncatingIfNeeded: end &- position) else { throw cutOff(expected, value) }
        return Int(truncatingIfNeeded: value)
    }

    // MARK: Scalars

    @inlinable
    public mutating func unsigned() throws(IPLDError) -> UInt64 {
        try head(.unsigned)
    }

    /// A non-negative number that is at most `limit`.
    @inlinable
    public mutating func unsigned(atMost limit: UInt64) throws(IPLDError) -> UInt64 {
        let start = position
        let value = try unsigned()
        guard value <= limit else { throw aboveLimit(value, limit, start) }
        return value
    }

    /// A number of the range of `Int64`; the format itself reaches from −2^64 to 2^64 − 1.
    @inlinable
    public mutating func integer() throws(IPLDError) -> Int64 {
        let start = position
        let (major, value) = try head()
        guard major <= 1, value <= UInt64(Int64.max) else {
            position = start
            throw unexpected(.unsigned)
        }
        return major == 0 ? Int64(value) : ~Int64(value)
    }

    public mutating func bool() throws(IPLDError) -> Bool {
        let byte = try at(position)
        guard byte == 0xf4 || byte == 0xf5 else {
            throw IPLDError(.schema, "true or false expected at byte \(position)")
        }
        position += 1
        return byte == 0xf5
    }

    /// Takes a null if one stands here.
    public mutating func takeNull() throws(IPLDError) -> Bool {
        guard try at(position) == 0xf6 else { return false }
        position += 1
        return true
    }

    /// A finite number of 64 bits.
    public mutating func double() throws(IPLDError) -> Double {
        let start = position
        guard try at(start) == 0xfb else {
            throw IPLDError(.notCanonical, "a simple value or short float at byte \(start)")
        }
        guard end - start >= 9 else { throw cutOff() }
        var pattern: UInt64 = 0
        for index in start + 1..<start + 9 { pattern = pattern << 8 | UInt64(bytes[index]) }
        let value = Double(bitPattern: pattern)
        guard value.isFinite else {
            throw IPLDError(.notCanonical, "NaN or an infinity at byte \(start)")
        }
        position = start + 9
        return value
    }

    /// Text of at most `limit` UTF-8 bytes; invalid UTF-8 is refused, not repaired.
    @inlinable
    public mutating func text(atMost limit: Int = 65_536) throws(IPLDError) -> String {
        let start = position
        let count = try length(.text)
        guard count <= limit else { throw tooLong(.text, count, limit, start) }
        let value = try string(position..<position &+ count)
        position &+= count
        return value
    }

    /// The text of `range`, checked to be UTF-8.
    @usableFromInline
    func string(_ range: Range<Int>) throws(IPLDError) -> String {
        if isASCII(range) { return String(decoding: bytes[range], as: UTF8.self) }
        guard let value = String(validating: bytes[range], as: UTF8.self) else {
            throw IPLDError(.notCanonical, "text at byte \(range.lowerBound) is not UTF-8")
        }
        return value
    }

    @inlinable
    func isASCII(_ range: Range<Int>) -> Bool {
        var union: UInt8 = 0
        for index in range { union |= bytes[index] }
        return union < 0x80
    }

    @inlinable
    public mutating func byteString(atMost limit: Int = .max) throws(IPLDError) -> [UInt8] {
        Array(bytes[try byteStringRange(atMost: limit)])
    }

    @inlinable
    public mutating func byteString(exactly count: Int) throws(IPLDError) -> [UInt8] {
        Array(bytes[try byteStringRange(exactly: count)])
    }

    /// Where the content of a byte string lies in ``bytes``, without copying it.
    @inlinable
    public mutating func byteStringRange(atMost limit: Int = .max) throws(IPLDError) -> Range<Int> {
        let start = position
        let count = try length(.byteString)
        guard count <= limit else { throw tooLong(.byteString, count, limit, start) }
        position &+= count
        return position &- count..<position
    }

    /// Where the content of a byte string of exactly `count` bytes lies in ``bytes``.
    @inlinable
    public mutating func byteStringRange(exactly count: Int) throws(IPLDError) -> Range<Int> {
        let start = position
        let range = try byteStringRange(atMost: count)
        guard range.count == count else { throw wrongCount(count, start) }
        return range
    }

    /// A link by SHA-256; a record that links by another hash is refused.
    @inlinable
    public mutating func link() throws(IPLDError) -> CID {
        // Our own links in one look: d8 2a 58 25 00, CIDv1, one byte of codec, SHA-256.
        if end &- position >= 41, bytes[position] == 0xd8, bytes[position &+ 1] == 0x2a,
            bytes[position &+ 2] == 0x58, bytes[position &+ 3] == 0x25, bytes[position &+ 4] == 0,
            bytes[position &+ 5] == 1, bytes[position &+ 6] < 0x80, bytes[position &+ 7] == 0x12,
            bytes[position &+ 8] == 0x20
        {
            let codec = CID.Codec(rawValue: UInt32(bytes[position &+ 6]))
            position &+= 41
            return CID(codec: codec, digest: Bytes32(bytes, at: position &- 32))
        }
        return try foreignLink()
    }

    @usableFromInline @inline(never)
    mutating func foreignLink() throws(IPLDError) -> CID {
        let start = position
        let content = try linkContent()
        var index = content.lowerBound
        let cid = try CID.read(bytes, at: &index)
        guard index == content.upperBound else {
            throw IPLDError(.notCanonical, "the link at byte \(start) does not end with its CID")
        }
        return cid
    }

    /// Where the bytes of a link's CID lie.
    mutating func linkContent() throws(IPLDError) -> Range<Int> {
        let start = position
        guard try head(.tag) == 42 else {
            throw IPLDError(.notCanonical, "a tag other than 42 at byte \(start)")
        }
        let content = try byteStringRange()
        guard content.count > 1, bytes[content.lowerBound] == 0 else {
            throw IPLDError(.notCanonical, "the link at byte \(start) does not start with a zero byte")
        }
        return content.lowerBound + 1..<content.upperBound
    }
}
