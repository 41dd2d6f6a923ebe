extension DAGCBOREncoder {
    /// The fields of one map.
    public struct MapWriter: ~Copyable, Sendable {
        @usableFromInline var encoder: DAGCBOREncoder
        @usableFromInline var fields = 0
        /// Where the last key lies in the encoder's buffer; its bytes there decide the order.
        @usableFromInline var previousStart = 0
        @usableFromInline var previousCount = -1

        @inlinable
        init(encoder: consuming DAGCBOREncoder) {
            self.encoder = encoder
        }

        @inlinable
        consuming func finish() -> DAGCBOREncoder { encoder }

        /// Shorter keys first, then bytewise.
        public static func canonicalOrder(_ a: String, _ b: String) -> Bool {
            let left = a.utf8
            let right = b.utf8
            return left.count != right.count
                ? left.count < right.count : left.lexicographicallyPrecedes(right)
        }

        /// Writes one field; `key` comes after the field before it in canonical order.
        @inlinable
        public mutating func field(_ key: String, _ body: (inout DAGCBOREncoder) -> Void) {
            encoder.text(key)
            let length = key.utf8.count
            let start = encoder.written &- length
            if length <= previousCount { checkOrder(start, length) }
            previousStart = start
            previousCount = length
            fields &+= 1
            body(&encoder)
        }

        /// The order of a key that is not longer than the one before it.
        @usableFromInline @inline(never)
        func checkOrder(_ start: Int, _ length: Int) {
            var ordered = false
            if length == previousCount {
                for index in 0..<length {
                    let previous = encoder.byte(at: previousStart + index)
                    let byte = encoder.byte(at: start + index)
                    if previous != byte {
                        ordered = previous < byte
                        break
                    }
                }
            }
            precondition(ordered, "a field of \(length) bytes at \(start) repeats or is out of order")
        }

        /// Writes the field only when there is a value: optional fields are absent, never null.
        @inlinable
        public mutating func field<Value>(
            _ key: String, ifPresent value: Value?, _ body: (inout DAGCBOREncoder, Value) -> Void
        ) {
            if let value { field(key) { body(&$0, value) } }
        }
    }
}
