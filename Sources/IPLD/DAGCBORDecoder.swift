public import MeshCore

/// Reads canonical DAG-CBOR and refuses everything else.
///
/// The decoder walks the bytes once and builds nothing by itself: records ask for their fields in
/// canonical order through ``map(_:)``. Lengths are checked against the bytes that are there before
/// anything is allocated, and nesting is bounded, so hostile bytes cost no more than their length.
public struct DAGCBORDecoder: Sendable {
    public let bytes: [UInt8]
    /// Where the next item starts.
    public private(set) var offset: Int
    private let end: Int
    private var depth = 0

    /// Nesting beyond this is refused.
    public static let depthMax = 64

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        offset = 0
        end = bytes.count
    }

    /// Reads only `range` of `bytes`; offsets in messages count from the start of `bytes`.
    public init(_ bytes: [UInt8], in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the bytes")
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    /// Decodes exactly one item; trailing bytes are refused.
    public static func decode<Value>(
        _ bytes: [UInt8], _ body: (inout DAGCBORDecoder) throws(IPLDError) -> Value
    ) throws(IPLDError) -> Value {
        var decoder = DAGCBORDecoder(bytes)
        let value = try body(&decoder)
        try decoder.finish()
        return value
    }

    /// Checks that nothing follows.
    public func finish() throws(IPLDError) {
        guard offset == end else {
            throw IPLDError(.trailingBytes, "\(end - offset) bytes follow the item that ends at byte \(offset)")
        }
    }

    // MARK: Heads

    private func at(_ position: Int) throws(IPLDError) -> UInt8 {
        guard position < end else { throw IPLDError(.truncated, "the item is cut off at byte \(end)") }
        return bytes[position]
    }

    private mutating func head() throws(IPLDError) -> (major: UInt8, value: UInt64) {
        let start = offset
        let initial = try at(start)
        let major = initial >> 5
        let information = initial & 31
        if information < 24 {
            offset = start + 1
            return (major, UInt64(information))
        }
        guard information < 28 else {
            throw IPLDError(.notCanonical, "an indefinite or reserved length at byte \(start)")
        }
        let width = 1 << Int(information - 24)
        guard end - start > width else { throw IPLDError(.truncated, "the item is cut off at byte \(end)") }
        var value: UInt64 = 0
        for index in start + 1...start + width { value = value << 8 | UInt64(bytes[index]) }
        if major != 7 {
            let least: UInt64 = width == 1 ? 24 : 1 << UInt64(width * 4)
            guard value >= least else {
                throw IPLDError(.notCanonical, "the number \(value) at byte \(start) is not in its shortest form")
            }
        }
        offset = start + 1 + width
        return (major, value)
    }

    private mutating func head(_ expected: UInt8, _ what: String) throws(IPLDError) -> UInt64 {
        let start = offset
        let (major, value) = try head()
        guard major == expected else {
            offset = start
            throw IPLDError(.schema, "\(what) expected at byte \(start)")
        }
        return value
    }

    private mutating func length(_ expected: UInt8, _ what: String) throws(IPLDError) -> Int {
        let value = try head(expected, what)
        guard value <= UInt64(end - offset) else {
            throw IPLDError(.truncated, "\(what) of \(value) bytes or items is cut off at byte \(end)")
        }
        return Int(value)
    }

    // MARK: Scalars

    public mutating func unsigned() throws(IPLDError) -> UInt64 {
        try head(0, "a number")
    }

    /// A non-negative number that is at most `limit`.
    public mutating func unsigned(atMost limit: UInt64) throws(IPLDError) -> UInt64 {
        let start = offset
        let value = try unsigned()
        guard value <= limit else {
            throw IPLDError(.schema, "the number \(value) at byte \(start) is above \(limit)")
        }
        return value
    }

    public mutating func integer() throws(IPLDError) -> Int64 {
        let start = offset
        let (major, value) = try head()
        guard major <= 1, value <= UInt64(Int64.max) else {
            throw IPLDError(.schema, "a 64-bit integer expected at byte \(start)")
        }
        return major == 0 ? Int64(value) : ~Int64(value)
    }

    public mutating func bool() throws(IPLDError) -> Bool {
        let byte = try at(offset)
        guard byte == 0xf4 || byte == 0xf5 else {
            throw IPLDError(.schema, "true or false expected at byte \(offset)")
        }
        offset += 1
        return byte == 0xf5
    }

    /// Takes a null if one stands here.
    public mutating func takeNull() throws(IPLDError) -> Bool {
        guard try at(offset) == 0xf6 else { return false }
        offset += 1
        return true
    }

    private mutating func double() throws(IPLDError) -> Double {
        let start = offset
        guard try at(start) == 0xfb else {
            throw IPLDError(.notCanonical, "a simple value or short float at byte \(start)")
        }
        guard end - start >= 9 else { throw IPLDError(.truncated, "the item is cut off at byte \(end)") }
        var pattern: UInt64 = 0
        for index in start + 1..<start + 9 { pattern = pattern << 8 | UInt64(bytes[index]) }
        let value = Double(bitPattern: pattern)
        guard value.isFinite else {
            throw IPLDError(.notCanonical, "NaN or an infinity at byte \(start)")
        }
        offset = start + 9
        return value
    }

    /// Text of at most `limit` UTF-8 bytes; invalid UTF-8 is refused, not repaired.
    public mutating func text(atMost limit: Int = 65_536) throws(IPLDError) -> String {
        let start = offset
        let count = try length(3, "text")
        guard count <= limit else {
            throw IPLDError(.tooLarge, "text of \(count) bytes at byte \(start); \(limit) are allowed")
        }
        guard let value = String(validating: bytes[offset..<offset + count], as: UTF8.self) else {
            throw IPLDError(.notCanonical, "text at byte \(start) is not UTF-8")
        }
        offset += count
        return value
    }

    public mutating func byteString(atMost limit: Int = .max) throws(IPLDError) -> [UInt8] {
        let start = offset
        let count = try length(2, "a byte string")
        guard count <= limit else {
            throw IPLDError(.tooLarge, "a byte string of \(count) bytes at byte \(start); \(limit) are allowed")
        }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    public mutating func byteString(exactly count: Int) throws(IPLDError) -> [UInt8] {
        let start = offset
        let value = try byteString(atMost: count)
        guard value.count == count else {
            throw IPLDError(.schema, "a byte string of \(count) bytes expected at byte \(start)")
        }
        return value
    }

    public mutating func link() throws(IPLDError) -> CID {
        let start = offset
        guard try head(6, "a link") == 42 else {
            throw IPLDError(.notCanonical, "a tag other than 42 at byte \(start)")
        }
        let count = try length(2, "a link's byte string")
        guard count > 1, bytes[offset] == 0 else {
            throw IPLDError(.notCanonical, "the link at byte \(start) does not start with a zero byte")
        }
        let stop = offset + count
        var index = offset + 1
        let cid = try CID.read(bytes, at: &index)
        guard index == stop else {
            throw IPLDError(.notCanonical, "the link at byte \(start) does not end with its CID")
        }
        offset = stop
        return cid
    }

    // MARK: Arrays and maps

    /// The number of items of an array; the caller reads exactly that many.
    public mutating func arrayHead(atMost limit: Int) throws(IPLDError) -> Int {
        let start = offset
        let count = try length(4, "an array")
        guard count <= limit else {
            throw IPLDError(.tooLarge, "an array of \(count) items at byte \(start); \(limit) are allowed")
        }
        return count
    }

    public mutating func array<Element>(
        atMost limit: Int, _ body: (inout DAGCBORDecoder) throws(IPLDError) -> Element
    ) throws(IPLDError) -> [Element] {
        let count = try arrayHead(atMost: limit)
        var elements: [Element] = []
        elements.reserveCapacity(min(count, 1024))
        for _ in 0..<count { elements.append(try body(&self)) }
        return elements
    }

    public mutating func links(atMost limit: Int) throws(IPLDError) -> [CID] {
        try array(atMost: limit) { decoder throws(IPLDError) in try decoder.link() }
    }

    public mutating func texts(atMost limit: Int, each: Int = 1024) throws(IPLDError) -> [String] {
        try array(atMost: limit) { decoder throws(IPLDError) in try decoder.text(atMost: each) }
    }

    public mutating func textMap(atMost limit: Int, each: Int = 65_536) throws(IPLDError) -> [String: String] {
        let start = offset
        let count = try length(5, "a map")
        guard count <= limit else {
            throw IPLDError(.tooLarge, "a map of \(count) entries at byte \(start); \(limit) are allowed")
        }
        var values: [String: String] = [:]
        var previous = 0..<0
        for _ in 0..<count {
            previous = try key(after: previous)
            let name = String(decoding: bytes[previous], as: UTF8.self)
            values[name] = try text(atMost: each)
        }
        return values
    }

    /// Reads one key, checks its order against the key in `previous`, and returns where its text lies.
    private mutating func key(after previous: Range<Int>) throws(IPLDError) -> Range<Int> {
        let start = offset
        let count = try length(3, "a map key")
        let range = offset..<offset + count
        guard Self.isUTF8(bytes[range]) else {
            throw IPLDError(.notCanonical, "the map key at byte \(start) is not UTF-8")
        }
        if !previous.isEmpty || previous.lowerBound > 0 {
            let ordered =
                previous.count != count
                ? previous.count < count : bytes[previous].lexicographicallyPrecedes(bytes[range])
            guard ordered else {
                throw IPLDError(.notCanonical, "the map key at byte \(start) repeats or is out of order")
            }
        }
        offset = range.upperBound
        return range
    }

    private static func isUTF8(_ text: ArraySlice<UInt8>) -> Bool {
        text.allSatisfy { $0 < 0x80 } || String(validating: text, as: UTF8.self) != nil
    }

    /// Reads a map whose fields `body` asks for in canonical order; unknown fields are refused.
    public mutating func map<Value>(
        _ body: (inout MapReader) throws(IPLDError) -> Value
    ) throws(IPLDError) -> Value {
        let start = offset
        let count = try length(5, "a map")
        guard depth < Self.depthMax else {
            throw IPLDError(.tooLarge, "nested deeper than \(Self.depthMax) at byte \(start)")
        }
        depth += 1
        var reader = MapReader(decoder: self, remaining: count)
        self = DAGCBORDecoder([])
        let result: Result<Value, IPLDError>
        do throws(IPLDError) {
            let value = try body(&reader)
            try reader.finish()
            result = .success(value)
        } catch {
            result = .failure(error)
        }
        self = reader.decoder
        depth -= 1
        return try result.get()
    }

    /// The fields of one map, asked for in canonical order.
    public struct MapReader: Sendable {
        fileprivate var decoder: DAGCBORDecoder
        private var remaining: Int
        private var current: Range<Int> = 0..<0
        private var waiting = false

        fileprivate init(decoder: DAGCBORDecoder, remaining: Int) {
            self.decoder = decoder
            self.remaining = remaining
        }

        private mutating func takes(_ name: String) throws(IPLDError) -> Bool {
            if !waiting {
                guard remaining > 0 else { return false }
                current = try decoder.key(after: current)
                remaining -= 1
                waiting = true
            }
            guard name.utf8.count == current.count,
                name.utf8.elementsEqual(decoder.bytes[current])
            else { return false }
            waiting = false
            return true
        }

        /// A field that must be there.
        public mutating func field<Value>(
            _ name: String, _ body: (inout DAGCBORDecoder) throws(IPLDError) -> Value
        ) throws(IPLDError) -> Value {
            guard try takes(name) else {
                throw IPLDError(.schema, "the field \"\(name)\" is missing before byte \(decoder.offset)")
            }
            return try body(&decoder)
        }

        /// A field that may be absent; null is not absence.
        public mutating func optional<Value>(
            _ name: String, _ body: (inout DAGCBORDecoder) throws(IPLDError) -> Value
        ) throws(IPLDError) -> Value? {
            guard try takes(name) else { return nil }
            return try body(&decoder)
        }

        /// The next key, whatever it is, for maps whose keys are data; `nil` at the end.
        public mutating func nextKey() throws(IPLDError) -> String? {
            if !waiting {
                guard remaining > 0 else { return nil }
                current = try decoder.key(after: current)
                remaining -= 1
            }
            waiting = false
            return String(decoding: decoder.bytes[current], as: UTF8.self)
        }

        /// Reads the value that belongs to the key that ``nextKey()`` gave.
        public mutating func value<Value>(
            _ body: (inout DAGCBORDecoder) throws(IPLDError) -> Value
        ) throws(IPLDError) -> Value {
            try body(&decoder)
        }

        fileprivate func finish() throws(IPLDError) {
            guard !waiting, remaining == 0 else {
                let name = waiting ? String(decoding: decoder.bytes[current].prefix(64), as: UTF8.self) : nil
                throw IPLDError(
                    .schema,
                    name.map { "the field \"\($0)\" before byte \(decoder.offset) is unknown or out of place" }
                        ?? "\(remaining) unknown fields at byte \(decoder.offset)")
            }
        }
    }

    // MARK: Any value

    /// Reads whatever stands here as a tree; for tools, not for the hot path.
    public mutating func value() throws(IPLDError) -> IPLDValue {
        let initial = try at(offset)
        switch initial >> 5 {
        case 0: return .integer(negative: false, magnitude: try unsigned())
        case 1: return .integer(negative: true, magnitude: try head(1, "a number"))
        case 2: return .bytes(try byteString())
        case 3: return .text(try text(atMost: .max))
        case 4:
            guard depth < Self.depthMax else {
                throw IPLDError(.tooLarge, "nested deeper than \(Self.depthMax) at byte \(offset)")
            }
            depth += 1
            defer { depth -= 1 }
            return .list(try array(atMost: .max) { decoder throws(IPLDError) in try decoder.value() })
        case 5:
            return .map(
                try map { map throws(IPLDError) in
                    var entries: [IPLDValue.Entry] = []
                    while let key = try map.nextKey() {
                        let value = try map.value { decoder throws(IPLDError) in try decoder.value() }
                        entries.append(IPLDValue.Entry(key: key, value: value))
                    }
                    return entries
                })
        case 6: return .link(try link())
        default:
            if initial == 0xf6 {
                offset += 1
                return .null
            }
            if initial == 0xf4 || initial == 0xf5 { return .bool(try bool()) }
            return .double(try double())
        }
    }

    /// Moves behind the item that stands here, checking it on the way, and returns where it lay.
    public mutating func skip() throws(IPLDError) -> Range<Int> {
        let start = offset
        _ = try value()
        return start..<offset
    }
}
