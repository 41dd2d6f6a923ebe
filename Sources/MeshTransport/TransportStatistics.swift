public import MeshIdentity

/// A picture of the transport at one moment.
public struct TransportStatistics: Sendable, Equatable {
    /// What went over one link since it opened; bytes are of frames, without TLS.
    public struct Link: Sendable, Equatable {
        public let id: LinkID
        public let peer: DID
        public let bytesIn: UInt64
        public let bytesOut: UInt64
        public let framesIn: UInt64
        public let framesOut: UInt64
        /// Frames that gave way because the queue was full.
        public let framesDropped: UInt64
        /// What waits to be sent.
        public let queuedByteCount: Int
    }

    /// How often each failure occurred: failed dials, refused connections, closed links, and frames
    /// that ``TLSTransport/send(_:_:to:)`` refused.
    public let failures: [TransportFailure: UInt64]
    /// The links that stand, in the order of their numbers.
    public let links: [Link]

    /// How often `failure` occurred.
    public func count(_ failure: TransportFailure) -> UInt64 { failures[failure] ?? 0 }
}
