internal import IPLD

/// Writes the canonical form of a document (``DocumentValue/canonical``) member by member, without a value in between.
///
/// Keys are given in the order of their UTF-8, which a precondition holds them to; what comes out is what
/// ``DocumentValue/canonical`` would give.
public struct CanonicalWriter: ~Copyable {
    public private(set) var bytes: [UInt8] = []

    public init(capacity: Int = 1024) { bytes.reserveCapacity(capacity) }

    /// The members of one object.
    public struct Members: ~Copyable {
        private var writer: CanonicalWriter
        private var last: String?

        fileprivate init(_ writer: consuming CanonicalWriter) {
            self.writer = writer
            self.writer.bytes.append(UInt8(ascii: "{"))
        }

        fileprivate consuming func ended() -> CanonicalWriter {
            writer.bytes.append(UInt8(ascii: "}"))
            return writer
        }

        private mutating func key(_ key: String) {
            precondition(last.map { Self.precedes($0, key) } ?? true, "\(key) is out of order")
            if last != nil { writer.bytes.append(UInt8(ascii: ",")) }
            last = key
            writer.text(key)
            writer.bytes.append(UInt8(ascii: ":"))
        }

        private static func precedes(_ a: String, _ b: String) -> Bool {
            a.utf8.lexicographicallyPrecedes(b.utf8)
        }

        public mutating func text(_ key: String, _ value: String) {
            self.key(key)
            writer.text(value)
        }

        /// Text, or nothing at all.
        public mutating func text(_ key: String, ifPresent value: String?) {
            if let value { text(key, value) }
        }

        public mutating func integer(_ key: String, _ value: some BinaryInteger) {
            self.key(key)
            writer.bytes.append(contentsOf: String(value).utf8)
        }

        public mutating func null(_ key: String) {
            self.key(key)
            writer.bytes.append(contentsOf: "null".utf8)
        }

        public mutating func texts(_ key: String, _ values: [String]) {
            self.key(key)
            writer.bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { writer.bytes.append(UInt8(ascii: ",")) }
                writer.text(value)
            }
            writer.bytes.append(UInt8(ascii: "]"))
        }

        public mutating func object(_ key: String, _ body: (inout Members) -> Void) {
            self.key(key)
            writer.object(body)
        }

        /// An object that was written before, and is the same in another document.
        public mutating func object(_ key: String, _ written: borrowing CanonicalWriter) {
            self.key(key)
            writer.bytes.append(contentsOf: written.bytes)
        }

        /// A reference to a block; ``DataReference`` says how it is read.
        public mutating func reference(_ key: String, _ reference: DataReference) {
            object(key) { map in
                if reference.form != .json { map.text("$as", reference.form.rawValue) }
                map.text("$cid", reference.cid.description)
            }
        }
    }

    /// Writes one object.
    public mutating func object(_ body: (inout Members) -> Void) {
        var members = Members(CanonicalWriter(moving: &self))
        body(&members)
        self = members.ended()
    }

    /// Takes what was written so far out of `other`, which is empty then.
    private init(moving other: inout CanonicalWriter) {
        swap(&bytes, &other.bytes)
    }

    /// Text in quotation marks; nearly all of it is plain and copied as it is.
    private mutating func text(_ text: String) {
        var text = text
        let isPlain = text.withUTF8 { utf8 in
            for index in utf8.indices {
                let byte = unsafe utf8[index]
                if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return false }
            }
            bytes.append(UInt8(ascii: "\""))
            unsafe bytes.append(contentsOf: utf8)
            bytes.append(UInt8(ascii: "\""))
            return true
        }
        if !isPlain { DocumentText(text).write(to: &bytes) }
    }
}
