internal import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshGossip
internal import MeshIdentity
internal import MeshStorage

// What a node keeps of its membership over a restart: its incarnation, and whom it knew.
extension NodeEngine {
    private static let incarnationKey = Array("incarnation".utf8)
    private static let membersPrefix = Array("member".utf8)
    /// How often the members that are worth knowing are written down besides each time that one is won.
    static let membersKeptMilliseconds: Int64 = 10_000

    /// The highest incarnation that may have been published, and the members known then.
    static func restoreMembers(
        _ storage: any StorageReader, verifier: any SignatureVerifier
    ) throws(StorageError) -> (incarnation: UInt64, members: [SignedMember]) {
        var incarnation: UInt64 = 0
        if let value = try storage.value(forKey: incarnationKey, in: .own), value.count == 8 {
            incarnation = value.bigEndian(at: 0)
        }
        var members: [SignedMember] = []
        try storage.scan(.own, prefix: membersPrefix) { _, value in
            if let member = SignedMember(decoding: value, verifier: verifier) { members.append(member) }
            return true
        }
        return (incarnation, members)
    }

    /// Writes down what has changed of it.
    mutating func keepMembers(_ step: Step) throws(StorageError) {
        let incarnation = gossip.membership.incarnationToPersist
        if keptIncarnation != incarnation {
            keptIncarnation = incarnation
            var value: [UInt8] = []
            value.append(bigEndian: incarnation)
            try step.storage.put(value, forKey: Self.incarnationKey, in: .own)
        }
        guard step.now >= membersKeptNext else { return }
        membersKeptNext = step.now + Self.membersKeptMilliseconds
        let members = gossip.membersToPersist
        let kept = members.map(\.envelope)
        guard kept != keptMembers else { return }
        for (index, envelope) in kept.enumerated()
        where index >= keptMembers.count || keptMembers[index] != envelope {
            try step.storage.put(envelope, forKey: Self.membersPrefix + [UInt8(index & 0xff)], in: .own)
        }
        for index in kept.count..<max(kept.count, keptMembers.count) {
            try step.storage.remove(Self.membersPrefix + [UInt8(index & 0xff)], in: .own)
        }
        keptMembers = kept
    }

    /// Says that a member has come, is doubted, or has gone.
    mutating func note(_ did: DID, _ state: MemberState) {
        let word =
            switch state {
            case .alive: "is alive"
            case .suspect: "does not answer"
            case .gone: "is gone"
            }
        effects.append(.log(.info, "\(name(of: did)) \(word)"))
        effects.append(.event(kind: "member.\(state.rawValue)", job: nil, node: did, cid: nil, detail: nil))
    }
}
