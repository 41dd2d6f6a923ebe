internal import MeshCore

/// A piece of a log's bytes; 32 bits reach as far as a log may.
struct LogSlice: Hashable, Sendable {
    var start: UInt32 = 0
    var end: UInt32 = 0

    /// Whether the field stands in the line: text that stands is never called so by an offset of 0.
    var isPresent: Bool { start > 0 }
    var range: Range<Int> { Int(start)..<Int(end) }
    var count: Int { Int(end - start) }
}

/// Where the fields of one line stand, found in one pass over its bytes.
///
/// A line is an object of text and null alone, each key once. Keys that no line of ours has are passed over.
struct LogFields {
    var uid = LogSlice()
    var protocolName = LogSlice()
    var context = LogSlice()
    var parentUID = LogSlice()
    var timestamp = LogSlice()
    var status = LogSlice()
    var error = LogSlice()
    var deletion = LogSlice()

    /// Reads the line in `line`, which holds no newline; `nil` for anything else than a line of a log.
    init?(_ bytes: [UInt8], _ line: Range<Int>) {
        guard line.count < LogEntry.lineLengthMax, line.upperBound <= Int(UInt32.max) else { return nil }
        var index = line.lowerBound
        let end = line.upperBound
        let span = unsafe bytes.span.bytes
        func skipSpace() {
            while index < end, bytes[index] == 0x20 || bytes[index] == 0x09 || bytes[index] == 0x0D {
                index += 1
            }
        }
        func takes(_ byte: UInt8) -> Bool {
            guard index < end, bytes[index] == byte else { return false }
            index += 1
            return true
        }
        /// What stands between two quotation marks.
        func text() -> LogSlice? {
            guard takes(0x22) else { return nil }
            let start = index
            var isPlain = true
            // Eight bytes at a time while none of them is a quotation mark, a backslash, a control or beyond ASCII.
            while index + 8 <= end {
                let special = Self.special(
                    unsafe UInt64(
                        littleEndian: span.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)))
                index += special.trailingZeroBitCount / 8
                if special != 0 { break }
            }
            while index < end, bytes[index] != 0x22 {
                let byte = bytes[index]
                if byte < 0x20 || byte >= 0x80 || byte == 0x5C {
                    isPlain = false
                    if byte == 0x5C { index += 1 }
                }
                index += 1
            }
            guard index < end else { return nil }
            index += 1
            guard isPlain || Self.text(bytes, start..<(index - 1)) != nil else { return nil }
            return LogSlice(start: UInt32(start), end: UInt32(index - 1))
        }
        skipSpace()
        guard takes(0x7B) else { return nil }
        skipSpace()
        if takes(0x7D) { return nil }
        while true {
            skipSpace()
            guard let key = text() else { return nil }
            skipSpace()
            guard takes(0x3A) else { return nil }
            skipSpace()
            if index < end, bytes[index] == 0x22 {
                guard let value = text(), set(bytes, key, value) else { return nil }
            } else {
                guard end - index >= 4, takes(0x6E), takes(0x75), takes(0x6C), takes(0x6C) else { return nil }
            }
            skipSpace()
            if takes(0x7D) { break }
            guard takes(0x2C) else { return nil }
        }
        skipSpace()
        guard index == end else { return nil }
    }

    /// A bit in each byte that does not simply stand for itself, right for the lowest such byte.
    @inline(__always)
    private static func special(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        let (quote, backslash) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5C))
        let same = ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
        let control = (word &- ones &* 0x20) & ~word
        return (same | control | word) & tops
    }

    /// The text that `range` spells; `nil` where it is not well-formed.
    static func text(_ bytes: [UInt8], _ range: Range<Int>) -> String? {
        guard case .text(let text)? = try? DocumentValue(decoding: [0x22] + bytes[range] + [0x22]) else {
            return nil
        }
        return text.description
    }

    /// Whether two pieces of a log hold the same bytes.
    @inline(__always)
    static func equal(_ bytes: [UInt8], _ range: Range<Int>, _ other: [UInt8], _ second: Range<Int>) -> Bool {
        guard range.count == second.count else { return false }
        var (a, b) = (range.lowerBound, second.lowerBound)
        while a < range.upperBound {
            if bytes[a] != other[b] { return false }
            a += 1
            b += 1
        }
        return true
    }

    private static let uidKey = Array("uid".utf8)
    private static let errorKey = Array("error".utf8)
    private static let statusKey = Array("status".utf8)
    private static let contextKey = Array("context".utf8)
    private static let protocolKey = Array("protocol".utf8)
    private static let deletionKey = Array("deletion".utf8)
    private static let timestampKey = Array("timestamp".utf8)
    private static let parentUidKey = Array("parentUid".utf8)

    /// Notes a field; `false` for one that stands twice.
    private mutating func set(_ bytes: [UInt8], _ key: LogSlice, _ value: LogSlice) -> Bool {
        func take(_ field: inout LogSlice) -> Bool {
            guard !field.isPresent else { return false }
            field = value
            return true
        }
        func named(_ name: [UInt8]) -> Bool { Self.equal(bytes, key.range, name, 0..<name.count) }
        switch key.count {
        case 3 where named(Self.uidKey): return take(&uid)
        case 5 where named(Self.errorKey): return take(&error)
        case 6 where named(Self.statusKey): return take(&status)
        case 7 where named(Self.contextKey): return take(&context)
        case 8 where named(Self.protocolKey): return take(&protocolName)
        case 8 where named(Self.deletionKey): return take(&deletion)
        case 9 where named(Self.timestampKey): return take(&timestamp)
        case 9 where named(Self.parentUidKey): return take(&parentUID)
        default: return true
        }
    }
}
