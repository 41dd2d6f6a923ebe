internal import IPLD
internal import MeshIdentity

// How the overlay's frames stand in ``Frame/overlay(_:hopsLeft:origin:members:)``: whom a frame is about
// comes first among its members.
extension OverlayFrame {
    var wire: Frame {
        func frame(
            _ kind: OverlayKind, _ about: SignedMember?, _ others: [SignedMember] = [], hopsLeft: UInt8 = 0,
            origin: DID? = nil
        ) -> Frame {
            .overlay(
                kind, hopsLeft: hopsLeft, origin: origin,
                members: ((about.map { [$0] } ?? []) + others.prefix(Self.memberCountMax)).map(\.envelope))
        }
        switch self {
        case .join(let member): return frame(.join, member)
        case .forwardJoin(let member, let ttl): return frame(.forwardJoin, member, hopsLeft: ttl)
        case .neighbour(let member, let isUrgent):
            return frame(isUrgent ? .urgentNeighbour : .neighbour, member)
        case .accepted(let member, let others): return frame(.accepted, member, others)
        case .refused(let others): return frame(.refused, nil, others)
        case .shuffle(let origin, let ttl, let others):
            return frame(.shuffle, origin, others, hopsLeft: ttl)
        case .shuffleReply(let origin, let others):
            return frame(.shuffleReply, nil, others, origin: origin)
        case .disconnect: return frame(.disconnect, nil)
        }
    }

    /// What a frame says whose records have been checked; `nil` when it lacks the one that it is about.
    init?(_ kind: OverlayKind, hopsLeft: UInt8, origin: DID?, members: [SignedMember]) {
        let rest = Array(members.dropFirst())
        switch (kind, members.first, origin) {
        case (.join, let member?, _): self = .join(member)
        case (.forwardJoin, let member?, _): self = .forwardJoin(member, ttl: hopsLeft)
        case (.neighbour, let member?, _): self = .neighbour(member, isUrgent: false)
        case (.urgentNeighbour, let member?, _): self = .neighbour(member, isUrgent: true)
        case (.accepted, let member?, _): self = .accepted(member, rest)
        case (.refused, _, _): self = .refused(Array(members.prefix(Self.memberCountMax)))
        case (.shuffle, let member?, _): self = .shuffle(origin: member, ttl: hopsLeft, rest)
        case (.shuffleReply, _, let origin?):
            self = .shuffleReply(origin: origin, Array(members.prefix(Self.memberCountMax)))
        case (.disconnect, _, _): self = .disconnect
        default: return nil
        }
    }
}
