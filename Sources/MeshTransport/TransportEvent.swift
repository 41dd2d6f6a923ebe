public import MeshIdentity

/// Something that happened on the network, in the order in which it happened.
///
/// Every ``linkOpened(_:peer:address:outbound:)`` is followed by exactly one
/// ``linkClosed(_:peer:reason:)`` of the same link, and frames come only between the two.
public enum TransportEvent: Sendable, Equatable {
    /// A link stands. `address` is what was dialled, or where an inbound peer connects from.
    ///
    /// A dialler learns that it was refused only afterwards, because TLS 1.3 lets it finish first:
    /// such a link closes without a frame, and the caller backs off as after a failed dial.
    case linkOpened(LinkID, peer: DID, address: SocketAddress, outbound: Bool)
    /// One whole frame within the cap of its type.
    case frame(LinkID, type: UInt8, body: [UInt8])
    /// The link is gone; frames that were still queued for it were sent or are lost.
    case linkClosed(LinkID, peer: DID, reason: TransportFailure)
    /// A dial came to nothing; `address` is the one that was asked for.
    case dialFailed(SocketAddress, TransportError)
    /// An inbound connection was turned away before it became a link.
    case refused(address: SocketAddress, TransportFailure)
}
