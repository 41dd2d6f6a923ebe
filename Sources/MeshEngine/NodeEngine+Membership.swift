public import MeshGossip
public import MeshIdentity

extension NodeEngine {
    /// What this node makes of another's life; `nil` when it has never heard of it.
    public func memberState(of did: DID) -> MemberState? { gossip.membership.state(of: did) }
}
