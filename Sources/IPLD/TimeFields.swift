public import MeshCore

extension DAGCBOREncoder {
    /// `[milliseconds, counter]`.
    public mutating func hybridTime(_ time: HybridTime) {
        arrayHead(2)
        integer(time.milliseconds)
        unsigned(UInt64(time.counter))
    }

    public mutating func timestamp(_ time: Timestamp) { integer(time.milliseconds) }
}

extension DAGCBORDecoder {
    public mutating func hybridTime() throws(IPLDError) -> HybridTime {
        let start = offset
        guard try arrayHead(atMost: 2) == 2 else {
            throw IPLDError(.schema, "a time of two numbers expected at byte \(start)")
        }
        let milliseconds = try timestamp().milliseconds
        return HybridTime(
            milliseconds: milliseconds, counter: UInt32(try unsigned(atMost: UInt64(UInt32.max))))
    }

    /// Milliseconds UTC, from 1970 to the year 10889.
    public mutating func timestamp() throws(IPLDError) -> Timestamp {
        Timestamp(milliseconds: Int64(try unsigned(atMost: 1 << 48)))
    }
}
