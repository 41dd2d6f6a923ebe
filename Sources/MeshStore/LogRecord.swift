internal import IPLD

/// Where a block lies: in the record of a step, so many bytes from its start.
struct Place: Sendable, Hashable {
    let step: UInt64
    let offset: UInt32
    let byteCount: UInt32

    var range: Range<Int> { Int(offset)..<Int(offset) + Int(byteCount) }

    init(step: UInt64, offset: UInt32, byteCount: UInt32) {
        self.step = step
        self.offset = offset
        self.byteCount = byteCount
    }

    /// The form in the index: three big-endian numbers of 8, 4 and 4 bytes.
    var bytes: [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            unsafe raw.storeBytes(of: step.bigEndian, toByteOffset: 0, as: UInt64.self)
            unsafe raw.storeBytes(of: offset.bigEndian, toByteOffset: 8, as: UInt32.self)
            unsafe raw.storeBytes(of: byteCount.bigEndian, toByteOffset: 12, as: UInt32.self)
            count = 16
        }
    }

    /// Reads the form in the index; `nil` for anything else.
    init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        step = Number.read(bytes[0..<8])
        offset = UInt32(Number.read(bytes[8..<12]))
        byteCount = UInt32(Number.read(bytes[12..<16]))
    }
}

/// Big-endian numbers in the store's own records.
enum Number {
    static func bytes(_ number: UInt64) -> [UInt8] {
        unsafe withUnsafeBytes(of: number.bigEndian) { unsafe [UInt8]($0) }
    }

    static func read(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var number: UInt64 = 0
        for byte in bytes { number = number << 8 | UInt64(byte) }
        return number
    }
}

/// The blocks of one commit as one value of the log: for each, its length in four bytes, the length
/// of its CID in one, its CID, its bytes.
struct LogRecord {
    /// What one transaction may append, in bytes; far above what an engine's step is allowed.
    static let byteCountMax = 1 << 30
    private static let headerByteCount = 5

    let step: UInt64
    let blocks: [Block]
    let places: [Place]
    let byteCount: Int

    init(step: UInt64, blocks: [Block]) {
        var places: [Place] = []
        places.reserveCapacity(blocks.count)
        var offset = 0
        for block in blocks {
            offset += Self.headerByteCount + block.cid.byteCount
            places.append(Place(step: step, offset: UInt32(offset), byteCount: UInt32(block.bytes.count)))
            offset += block.bytes.count
        }
        self.step = step
        self.blocks = blocks
        self.places = places
        byteCount = offset
    }

    /// What a block takes in the log, in bytes.
    static func byteCount(of block: Block) -> Int {
        headerByteCount + block.cid.byteCount + block.bytes.count
    }

    /// Writes the record into `target`, which has ``byteCount`` bytes.
    func write(to target: UnsafeMutableRawBufferPointer) {
        var header: [UInt8] = []
        header.reserveCapacity(64)
        var offset = 0
        for block in blocks {
            header.removeAll(keepingCapacity: true)
            let count = UInt32(block.bytes.count)
            header.append(UInt8(truncatingIfNeeded: count >> 24))
            header.append(UInt8(truncatingIfNeeded: count >> 16))
            header.append(UInt8(truncatingIfNeeded: count >> 8))
            header.append(UInt8(truncatingIfNeeded: count))
            header.append(UInt8(block.cid.byteCount))
            block.cid.append(to: &header)
            offset = unsafe copy(header, to: target, at: offset)
            offset = unsafe copy(block.bytes, to: target, at: offset)
        }
    }

    private func copy(_ bytes: [UInt8], to target: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + bytes.count])
            .copyBytes(from: bytes)
        return offset + bytes.count
    }

    /// The CIDs and places in a record that was read back.
    ///
    /// - Returns: `nil` where it is cut off or has no CID where one must stand.
    static func places(in record: [UInt8], step: UInt64) -> [(CID, Place)]? {
        var found: [(CID, Place)] = []
        var offset = 0
        while offset < record.count {
            guard record.count - offset >= headerByteCount else { return nil }
            let byteCount = Int(Number.read(record[offset..<offset + 4]))
            let cidEnd = offset + headerByteCount + Int(record[offset + 4])
            guard cidEnd <= record.count, byteCount <= record.count - cidEnd,
                let cid = try? CID(bytes: [UInt8](record[(offset + headerByteCount)..<cidEnd]))
            else { return nil }
            found.append((cid, Place(step: step, offset: UInt32(cidEnd), byteCount: UInt32(byteCount))))
            offset = cidEnd + byteCount
        }
        return found
    }
}
