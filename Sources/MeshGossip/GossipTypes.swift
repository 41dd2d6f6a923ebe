public import IPLD
internal import MeshCore
public import MeshDAG
public import MeshIdentity

/// What happened that gossip must know of.
public enum GossipInput: Sendable {
    case linkOpened(PeerLink, peer: DID, address: String, outbound: Bool)
    /// `isOrderly` when one side has closed the link, not when the connection was lost.
    case linkClosed(PeerLink, isOrderly: Bool)
    /// `isRefused` when the host answered that nobody listens there.
    case dialFailed(address: String, isRefused: Bool)
    /// A frame, with those of its membership records whose signatures are good.
    case frame(PeerLink, Frame, members: [SignedMember])
    /// An anchor was accepted: it is ours (`from` is `nil`), or came down the tree after `hops` links.
    case accepted(WireAnchor, id: CID, author: DID?, hops: UInt8, from: PeerLink?)
    /// A message that came down the tree was good, and new.
    case acceptedMessage([UInt8], id: CID, hops: UInt8, from: PeerLink)
    /// An anchor came some other way, so that nobody need be asked for it.
    case obtained(CID)
    /// Something that came down the tree had come before.
    case repeated(CID, isLarge: Bool, hops: UInt8, from: PeerLink)
    /// A signed message of our own. It goes straight to `to` where there is a link; else everyone gets
    /// it, and where more will follow (`isRecurring`) a link is sought.
    case publish(envelope: [UInt8], to: DID?, isRecurring: Bool)
    /// A signed message that the peer may lack, and spreads where it does.
    case offer(envelope: [UInt8], to: PeerLink)
    /// A membership record that came as a message.
    case member(SignedMember)
    /// A suspicion that came as a message.
    case suspicion(SignedSuspicion)
    /// Somebody is needed who may not be linked: for blobs, or to be told of progress.
    case reach(DID)
    /// Applying got stuck for want of this.
    case wants([FeedWant], from: PeerLink?)
    /// This node is about to stop: everyone is told, and nothing is said of the membership after that.
    case leave
    /// A peer misbehaved beyond what this machine sees itself.
    case fault(PeerLink, PeerFault, detail: String)
    /// The instant in ``GossipMachine/nextDeadline`` has been reached; early delivery is harmless.
    case deadlineReached
}

/// What must be done for gossip.
public enum GossipEffect: Sendable {
    case send(PeerLink, Frame)
    /// The same frame to several links, to be encoded once.
    case broadcast([PeerLink], Frame)
    case dial(address: String, expecting: DID?)
    case close(PeerLink, code: String, text: String)
    /// Check these and hand them to the feeds; `hops` where they came down the tree.
    case deliver(PeerLink, [WireAnchor], hops: UInt8?)
    /// Check the signature and act on it; it is new to us.
    case deliverMessage(PeerLink, envelope: [UInt8], hops: UInt8?)
    /// Send the peer what it wants, as far as we have it, and end with an empty ``Frame/have(_:)``.
    case serve(PeerLink, [FeedSpan])
    case serveBlocks(PeerLink, [CID])
    /// Push an anchor that is no longer at hand, out of the store.
    case servePush([PeerLink], CID, hops: UInt8)
    /// A wanted block came, or the peer does not have it.
    case deliverBlock(PeerLink, CID, [UInt8]?)
    /// A peer has told how far it knows our own feed; `nil` when it knows none of it, or nothing beyond what
    /// we hold.
    case ownFrontier(PeerLink, seq: UInt64?)
    /// A peer is a neighbour now.
    case neighbourUp(PeerLink, DID)
    /// What is known of a member has changed.
    case memberChanged(DID, MemberState)
    /// A newer record of a member carries an invitation, which nobody has looked at yet.
    case inviteShown(DID, invite: [UInt8])
    /// A peer is ending the link and says why.
    case farewell(PeerLink, code: String, text: String)
    /// A peer did wrong; logged once for each class.
    case report(DID, PeerFault, detail: String, isFirst: Bool)
}

/// What a peer can do wrong.
public enum PeerFault: String, Hashable, Sendable, CaseIterable {
    case malformedFrame = "malformed_frame"
    case badSignature = "bad_signature"
    case notAdmitted = "not_admitted"
    case futureClock = "future_clock"
    case gap
    case fork
    case tooMuchWaiting = "too_much_waiting"
    case wrongNetwork = "wrong_network"
    case staleMessage = "stale_message"
    case overBudget = "over_budget"
    /// The peer has been let in by nobody.
    case notInvited = "not_invited"

    /// Whether an honest peer never does it, so that it counts against the peer's score.
    var isBlameworthy: Bool { self == .malformedFrame || self == .badSignature }

    /// Whether the link is closed for it.
    var closesLink: Bool {
        switch self {
        case .malformedFrame, .badSignature, .wrongNetwork, .notInvited: true
        case .notAdmitted, .futureClock, .gap, .fork, .tooMuchWaiting, .staleMessage, .overBudget: false
        }
    }
}
