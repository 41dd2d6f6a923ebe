internal import MeshStorage

/// A stretch of 1024 numbers of one type's entities: which of them there are.
///
/// As a row it is the low bits of each where there are few, and otherwise a bit for every one.
struct Extent {
    static let bits: UInt64 = 10
    private static let listCountMax = 63
    private static let bitmapByteCount = 128

    private var words = [UInt64](repeating: 0, count: 16)
    private(set) var count = 0

    init() {}

    init(_ row: [UInt8]) throws(StorageError) {
        if row.count == Self.bitmapByteCount {
            var reader = RowReader(row)
            for index in 0..<16 { words[index] = try reader.number64() }
            count = words.reduce(0) { $0 + $1.nonzeroBitCount }
            return
        }
        guard row.count % 2 == 0, row.count <= 2 * Self.listCountMax else { throw RowReader.corrupt() }
        for index in stride(from: 0, to: row.count, by: 2) {
            let place = Int(row[index]) << 8 | Int(row[index + 1])
            guard place < 1 << Self.bits else { throw RowReader.corrupt() }
            set(place, true)
        }
    }

    /// Puts or removes one, and returns whether that changed anything.
    @discardableResult
    mutating func set(_ place: Int, _ isThere: Bool) -> Bool {
        let mask: UInt64 = 1 << UInt64(place & 63)
        guard (words[place >> 6] & mask != 0) != isThere else { return false }
        words[place >> 6] ^= mask
        count += isThere ? 1 : -1
        return true
    }

    /// The places that are there, rising.
    var places: [Int] {
        var places: [Int] = []
        places.reserveCapacity(count)
        for index in 0..<16 {
            var word = words[index]
            while word != 0 {
                places.append(index << 6 | word.trailingZeroBitCount)
                word &= word - 1
            }
        }
        return places
    }

    var row: [UInt8] {
        var row: [UInt8] = []
        if count > Self.listCountMax {
            row.reserveCapacity(Self.bitmapByteCount)
            for word in words { row.append(bigEndian: word) }
        } else {
            row.reserveCapacity(2 * count)
            for place in places {
                row.append(UInt8(truncatingIfNeeded: place >> 8))
                row.append(UInt8(truncatingIfNeeded: place))
            }
        }
        return row
    }
}
