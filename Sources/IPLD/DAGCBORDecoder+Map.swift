public import MeshCore

extension DAGCBORDecoder {
    // MARK: Arrays

    /// The number of items of an array; the caller reads exactly that many.
    @inlinable
    public mutating func arrayHead(atMost limit: Int) throws(IPLDError) -> Int {
        let start = position
        let count = try length(.array)
        guard count <= limit else { throw tooLong(.array, count, limit, start) }
        return count
    }

    @inlinable
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

    // MARK: Maps

    public mutating func textMap(atMost limit: Int, each: Int = 65_536) throws(IPLDError) -> [String: String]
    {
        let start = position
        let count = try length(.map)
        guard count <= limit else { throw tooLong(.map, count, limit, start) }
        var values: [String: String] = [:]
        var previous = Self.noKey
        for _ in 0..<count {
            previous = try key(after: previous)
            let name = String(decoding: bytes[previous], as: UTF8.self)
            values[name] = try text(atMost: each)
        }
        return values
    }

    /// Stands for the key before the first one: no key lies at byte 0, where the map's head is.
    @inlinable static var noKey: Range<Int> { 0..<0 }

    /// Reads one key, checks its order against the key in `previous`, and returns where its text lies.
    @inlinable
    mutating func key(after previous: Range<Int>) throws(IPLDError) -> Range<Int> {
        let start = position
        let count = try length(.text)
        let range = position..<position &+ count
        // Most keys are ASCII and longer than the one before; the others are looked at apart.
        if !isASCII(range) { _ = try string(range) }
        if count <= previous.count, previous.lowerBound > 0 { try checkOrder(previous, range, start) }
        position = range.upperBound
        return range
    }

    /// Takes the key that the schema expects here in one look; `false` leaves everything as it was.
    ///
    /// What is equal to the short `name` is UTF-8 in its shortest form, and longer than the key before it.
    @inlinable
    mutating func takeKey(_ name: inout String, after previous: inout Range<Int>) -> Bool {
        let count = name.utf8.count
        let start = position &+ 1
        guard count < 24, count > previous.count, end &- start >= count,
            bytes[position] == 0x60 | UInt8(truncatingIfNeeded: count),
            holds(&name, at: start..<start &+ count)
        else { return false }
        previous = start..<start &+ count
        position = start &+ count
        return true
    }

    /// Whether `range`, which lies within the bytes, spells `name`.
    @inlinable
    func holds(_ name: inout String, at range: Range<Int>) -> Bool {
        name.withUTF8 { text in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                guard text.count == range.count else { return false }
                for index in 0..<text.count {
                    guard unsafe text[index] == bytes[range.lowerBound &+ index] else { return false }
                }
                return true
            }
        }
    }

    @usableFromInline
    func checkOrder(_ previous: Range<Int>, _ range: Range<Int>, _ start: Int) throws(IPLDError) {
        guard previous.count == range.count, bytes[previous].lexicographicallyPrecedes(bytes[range]) else {
            throw IPLDError(.notCanonical, "the map key at byte \(start) repeats or is out of order")
        }
    }

    /// Reads a map whose fields `body` asks for in canonical order; unknown fields are refused.
    @inlinable
    public mutating func map<Value>(
        _ body: (inout MapReader) throws(IPLDError) -> Value
    ) throws(IPLDError) -> Value {
        let start = position
        let count = try length(.map)
        guard depth < Self.depthMax else { throw tooDeep(start) }
        depth &+= 1
        // The bytes move into the reader and back.
        var reader = MapReader(decoder: consume self, remaining: count)
        let result: Result<Value, IPLDError>
        do throws(IPLDError) {
            let value = try body(&reader)
            try reader.checkEnd()
            result = .success(value)
        } catch {
            result = .failure(error)
        }
        self = reader.finish()
        depth &-= 1
        return try result.get()
    }

    /// The fields of one map, asked for in canonical order.
    public struct MapReader: ~Copyable, Sendable {
        @usableFromInline var decoder: DAGCBORDecoder
        @usableFromInline var remaining: Int
        @usableFromInline var current: Range<Int> = DAGCBORDecoder.noKey
        /// Whether `current` has been read and no field has claimed it yet.
        @usableFromInline var waiting = false

        @inlinable
        init(decoder: consuming DAGCBORDecoder, remaining: Int) {
            self.decoder = decoder
            self.remaining = remaining
        }

        @inlinable
        consuming func finish() -> DAGCBORDecoder { decoder }

        @inlinable
        mutating func takes(_ name: String) throws(IPLDError) -> Bool {
            var name = name
            if !waiting {
                guard remaining > 0 else { return false }
                if decoder.takeKey(&name, after: &current) {
                    remaining &-= 1
                    return true
                }
                current = try decoder.key(after: current)
                remaining &-= 1
            }
            waiting = !decoder.holds(&name, at: current)
            return !waiting
        }

        /// A field that must be there.
        @inlinable
        public mutating func field<Value>(
            _ name: String, _ body: (inout DAGCBORDecoder) throws(IPLDError) -> Value
        ) throws(IPLDError) -> Value {
            guard try takes(name) else { throw decoder.missing(name) }
            return try body(&decoder)
        }

        /// A field that may be absent; null is not absence.
        @inlinable
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
        @inlinable
        public mutating func value<Value>(
            _ body: (inout DAGCBORDecoder) throws(IPLDError) -> Value
        ) throws(IPLDError) -> Value {
            try body(&decoder)
        }

        @inlinable
        func checkEnd() throws(IPLDError) {
            guard !waiting, remaining == 0 else { throw leftOver() }
        }

        @usableFromInline @inline(never)
        func leftOver() -> IPLDError {
            guard waiting else {
                return IPLDError(.schema, "\(remaining) unknown fields at byte \(decoder.position)")
            }
            let name = String(decoding: decoder.bytes[current].prefix(64), as: UTF8.self)
            return IPLDError(
                .schema, "the field \"\(name)\" before byte \(decoder.position) is unknown or out of place")
        }
    }
}
