public import MeshCore

extension DAGCBORDecoder {
    /// Reads whatever stands here as a tree; for tools, not for the hot path.
    public mutating func value() throws(IPLDError) -> IPLDValue {
        let initial = try at(position)
        switch initial >> 5 {
        case 0: return .integer(negative: false, magnitude: try unsigned())
        case 1: return .integer(negative: true, magnitude: try head(.negative))
        case 2: return .bytes(try byteString())
        case 3: return .text(try text(atMost: .max))
        case 4:
            try descend()
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
        case 6:
            if let foreign = takeForeignLink() { return .foreignLink(Array(bytes[foreign])) }
            return .link(try link())
        default:
            if try takeNull() { return .null }
            if initial == 0xf4 || initial == 0xf5 { return .bool(try bool()) }
            return .double(try double())
        }
    }

    /// Moves behind the item that stands here, checking it on the way, and returns where it lay.
    ///
    /// Allocates nothing, whatever the item holds.
    public mutating func skip() throws(IPLDError) -> Range<Int> {
        let start = position
        try check()
        return start..<position
    }

    private mutating func check() throws(IPLDError) {
        let initial = try at(position)
        switch initial >> 5 {
        case 0, 1: _ = try head()
        case 2: _ = try byteStringRange()
        case 3:
            let count = try length(.text)
            if !isASCII(position..<position + count) { _ = try string(position..<position + count) }
            position += count
        case 4:
            try descend()
            for _ in 0..<(try length(.array)) { try check() }
            depth -= 1
        case 5:
            try descend()
            var previous = Self.noKey
            for _ in 0..<(try length(.map)) {
                previous = try key(after: previous)
                try check()
            }
            depth -= 1
        case 6: if takeForeignLink() == nil { _ = try link() }
        default:
            if (0xf4...0xf6).contains(initial) { position += 1 } else { _ = try double() }
        }
    }

    /// Takes a link whose CID is well formed but by another hash than SHA-256, and says where its CID lies.
    ///
    /// - Returns: `nil`, with nothing taken, for every other item: ``link()`` then judges it.
    private mutating func takeForeignLink() -> Range<Int>? {
        let start = position
        let content = try? linkContent()
        let end = position
        position = start
        guard let content else { return nil }
        var index = content.lowerBound
        guard (try? Varint.read(bytes, at: &index)) == 1, (try? Varint.read(bytes, at: &index)) != nil,
            let hash = try? Varint.read(bytes, at: &index), hash != 0x12,
            let length = try? Varint.read(bytes, at: &index), index <= content.upperBound,
            length == UInt64(content.upperBound - index)
        else { return nil }
        position = end
        return content
    }

    private mutating func descend() throws(IPLDError) {
        guard depth < Self.depthMax else { throw tooDeep(position) }
        depth += 1
    }
}
