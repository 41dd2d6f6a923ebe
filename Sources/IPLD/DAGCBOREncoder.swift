/// Writes DAG-CBOR (RFC 8949 narrowed by the IPLD specification) into one growing buffer.
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
    /// What has been written so far.
    public private(set) var bytes: [UInt8] = []

    public init(capacity: Int = 512) {
        bytes.reserveCapacity(capacity)
    }

    /// Empties the buffer and keeps its memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
    }

    mutating func head(_ major: UInt8, _ value: UInt64) {
        let kind = major << 5
        if value < 24 {
            bytes.append(kind | UInt8(value))
        } else if value <= 0xff {
            bytes.append(kind | 24)
            bytes.append(UInt8(value))
        } else if value <= 0xffff {
            bytes.append(kind | 25)
            bytes.append(UInt8(value >> 8))
            bytes.append(UInt8(truncatingIfNeeded: value))
        } else {
            let wide = value > 0xffff_ffff
            bytes.append(kind | (wide ? 27 : 26))
            for shift in stride(from: wide ? 56 : 24, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
            }
        }
    }

    public mutating func null() { bytes.append(0xf6) }
    public mutating func bool(_ value: Bool) { bytes.append(value ? 0xf5 : 0xf4) }
    public mutating func unsigned(_ value: UInt64) { head(0, value) }

    public mutating func integer(_ value: Int64) {
        if value >= 0 { head(0, UInt64(value)) } else { head(1, UInt64(bitPattern: ~value)) }
    }

    /// An integer below zero, `−1 − value`, over the whole range that CBOR can hold.
    public mutating func negative(_ value: UInt64) { head(1, value) }

    /// A finite number; the format has no NaN and no infinity.
    public mutating func double(_ value: Double) {
        precondition(value.isFinite, "DAG-CBOR cannot hold \(value)")
        bytes.append(0xfb)
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(shift)))
        }
    }

    public mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            head(3, UInt64(utf8.count))
            unsafe bytes.append(contentsOf: utf8)
        }
    }

    public mutating func byteString(_ value: [UInt8]) {
        head(2, UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    public mutating func link(_ cid: CID) {
        bytes.append(0xd8)
        bytes.append(0x2a)
        head(2, UInt64(cid.byteCount + 1))
        bytes.append(0)
        cid.append(to: &bytes)
    }

    /// Writes the head of an array; the caller writes exactly `count` items behind it.
    public mutating func arrayHead(_ count: Int) { head(4, UInt64(count)) }

    /// Writes every element through `body`.
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
        let keys = values.keys.sorted(by: MapWriter.canonicalOrder)
        head(5, UInt64(keys.count))
        for key in keys {
            text(key)
            text(values[key] ?? "")
        }
    }

    /// Writes a map whose fields are given, in canonical order, by `body`.
    public mutating func map(_ body: (inout MapWriter) -> Void) {
        let start = bytes.count
        bytes.append(0xa0)
        var writer = MapWriter(encoder: self)
        self = DAGCBOREncoder(empty: ())
        body(&writer)
        self = writer.encoder
        let count = writer.count
        if count < 24 {
            bytes[start] = 0xa0 | UInt8(count)
        } else {
            precondition(count <= 0xff, "a record of \(count) fields")
            bytes[start] = 0xb8
            bytes.insert(UInt8(count), at: start + 1)
        }
    }

    private init(empty: Void) {}

    /// Appends bytes that are one canonical item already.
    public mutating func encoded(_ item: [UInt8]) { bytes.append(contentsOf: item) }

    /// The fields of one map.
    public struct MapWriter: Sendable {
        fileprivate var encoder: DAGCBOREncoder
        fileprivate var count = 0
        private var previous = ""

        fileprivate init(encoder: DAGCBOREncoder) {
            self.encoder = encoder
        }

        /// Shorter keys first, then bytewise.
        public static func canonicalOrder(_ a: String, _ b: String) -> Bool {
            let left = a.utf8
            let right = b.utf8
            return left.count != right.count ? left.count < right.count : left.lexicographicallyPrecedes(right)
        }

        public mutating func field(_ key: String, _ body: (inout DAGCBOREncoder) -> Void) {
            precondition(
                count == 0 || Self.canonicalOrder(previous, key), "field \(key) stands behind \(previous)")
            encoder.text(key)
            body(&encoder)
            previous = key
            count += 1
        }

        /// Writes the field only when there is a value: optional fields are absent, never null.
        public mutating func field<Value>(
            _ key: String, ifPresent value: Value?, _ body: (inout DAGCBOREncoder, Value) -> Void
        ) {
            if let value { field(key) { body(&$0, value) } }
        }
    }
}
