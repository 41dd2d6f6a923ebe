internal import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshGossip
internal import MeshIdentity

// Attacks on how the mesh spreads news: keeping it to oneself, and surrounding those who have it.
extension World {
    /// How a node misbehaves at present; `nil` for an honest one, and for one that does not show it yet.
    func activeBehaviour(of node: SimulatedNode) -> Behaviour.Kind? {
        node.window.contains(time) ? node.behaviour : nil
    }

    private func targets(of node: SimulatedNode) -> [Int] {
        plan.misbehaviour(of: node.index)?.targets ?? []
    }

    /// Whether a node says what its engine does not.
    func addsToWhatIsSaid(_ node: SimulatedNode) -> Bool {
        switch node.behaviour {
        case .flooder, .replayer, .incarnationPoisoner: true
        case .sybil: !targets(of: node).isEmpty
        default: false
        }
    }

    // MARK: Keeping it to oneself

    /// What a node makes of a frame that its engine sends; `nil` when nothing is left of it.
    func tampered(
        _ shared: SharedFrame, by kind: Behaviour.Kind, _ node: SimulatedNode
    ) -> SharedFrame? {
        let targets = targets(of: node)
        let isSilent = kind == .dropper || kind == .sybil && !targets.isEmpty
        guard isSilent || kind == .censor && !targets.isEmpty,
            let frame = try? Frame(type: shared.type, body: shared.body)
        else { return shared }
        let hidden = targets.map { nodes[$0].did }
        func isGiven(_ wire: WireAnchor) -> Bool {
            guard let author = author(of: wire) else { return false }
            return isSilent ? author == node.did : !hidden.contains(author)
        }
        switch frame {
        case .push(let anchor, _): return isGiven(anchor) ? shared : nil
        case .have(let anchors):
            // The empty one that ends an answer is sent: a question without an answer would be asked elsewhere.
            let given = anchors.filter(isGiven)
            guard given.count < anchors.count else { return shared }
            return given.isEmpty ? nil : SharedFrame(.have, Frame.have(given).encoded)
        case .message(_, let hops): return isSilent && (hops ?? 0) > 0 ? nil : shared
        case .block: return isSilent ? nil : shared
        case .announce(let items):
            guard isSilent else { return shared }
            let own = items.filter { $0.hops == 0 }
            return own.isEmpty ? nil : SharedFrame(.announce, Frame.announce(own).encoded)
        case .overlay(let overlayKind, let hopsLeft, let origin, let members):
            guard kind == .sybil else { return shared }
            return surrounding(overlayKind, hopsLeft, origin, members).map {
                SharedFrame($0.type, $0.encoded)
            }
        case .members(let members):
            guard kind == .sybil else { return shared }
            let fellows = members.filter(isSybils)
            return fellows.isEmpty ? nil : SharedFrame(.members, Frame.members(fellows).encoded)
        default: return shared
        }
    }

    // MARK: Surrounding

    /// An overlay frame as those who surround somebody send it: they know nobody but each other, introduce
    /// nobody else, and never go.
    private func surrounding(
        _ kind: OverlayKind, _ hopsLeft: UInt8, _ origin: DID?, _ members: [[UInt8]]
    ) -> Frame? {
        switch kind {
        case .disconnect: return nil
        case .forwardJoin, .shuffle: guard let first = members.first, isSybils(first) else { return nil }
        case .join, .neighbour, .urgentNeighbour, .accepted, .refused, .shuffleReply: break
        }
        return .overlay(kind, hopsLeft: hopsLeft, origin: origin, members: members.filter(isSybils))
    }

    private func isSybils(_ member: [UInt8]) -> Bool {
        guard let record = record(member), let index = didOrder[record.did] else { return false }
        return nodes[index].behaviour == .sybil
    }

    private func record(_ bytes: [UInt8]) -> MemberRecord? {
        guard let envelope = try? Envelope(decoding: bytes) else { return nil }
        return try? MemberRecord(envelope)
    }

    /// Links with one of the targets, or asks to be its neighbour as somebody would who has no other.
    func gather(_ node: SimulatedNode) {
        let targets = targets(of: node)
        guard !targets.isEmpty else { return }
        let target = targets[node.generator.below(targets.count)]
        guard let link = node.openLinks.first(where: { $0.other(than: node.index) == target }) else {
            dial(node, Self.address(target), nodes[target].did)
            return
        }
        let member = SignedMember(signing: claim(of: node, incarnation: 1), by: node.signer)
        let frame = Frame.overlay(.urgentNeighbour, hopsLeft: 0, origin: nil, members: [member.envelope])
        transmit(.frame(SharedFrame(frame.type, frame.encoded)), on: link, from: node)
    }

    // MARK: Poisoning memberships

    /// Remembers what members say of themselves, to be held against them.
    func hear(_ frame: SharedFrame, _ node: SimulatedNode) {
        let envelopes: [[UInt8]]
        switch try? Frame(type: frame.type, body: frame.body) {
        case .hello(_, _, _, let member): envelopes = [member]
        case .message(let envelope, _): envelopes = [envelope]
        case .members(let members), .overlay(_, _, _, let members): envelopes = members
        default: return
        }
        for envelope in envelopes {
            guard let record = record(envelope), record.did != node.did else { continue }
            if node.oldRecords[record.did] == nil { node.oldRecords[record.did] = envelope }
            node.incarnations[record.did] = max(node.incarnations[record.did] ?? 0, record.incarnation)
        }
    }

    /// Does one of three things to all neighbours: suspects some members, outbids every incarnation
    /// of its own, or says what others said of themselves long ago.
    func poison(_ node: SimulatedNode) {
        let known = node.incarnations.keys.sorted()
        guard !known.isEmpty else { return }
        let now = node.now(time)
        var frames: [Frame] = []
        switch node.generator.below(8) {
        case 0:
            // Mostly the highest that there is; now and then one above, which no reader takes for a record.
            let incarnation =
                node.generator.happens(0.1) ? UInt64.max : MemberRecord.incarnationMax(at: now)
            let envelope = Envelope(
                signing: claim(of: node, incarnation: incarnation).encoded, tag: MemberRecord.tag,
                by: node.signer)
            frames = [.message(envelope: envelope.bytes, hops: GossipMachine.urgentHops)]
        case 1:
            frames = [
                .members(
                    node.generator.sample(16, below: known.count).compactMap { node.oldRecords[known[$0]] })
            ]
        default:
            for place in node.generator.sample(5, below: known.count) {
                let suspicion = Suspicion(
                    subject: known[place], incarnation: node.incarnations[known[place]] ?? 0,
                    witness: node.did, cause: node.generator.happens(0.5) ? .probe : .refused, time: now)
                frames.append(
                    .message(
                        envelope: SignedSuspicion(signing: suspicion, by: node.signer).envelope,
                        hops: GossipMachine.urgentHops))
            }
        }
        for frame in frames {
            let shared = SharedFrame(frame.type, frame.encoded)
            for link in node.openLinks { transmit(.frame(shared), on: link, from: node) }
        }
    }

    private func claim(of node: SimulatedNode, incarnation: UInt64) -> MemberRecord {
        MemberRecord(
            did: node.did, addresses: [Self.address(node.index)], incarnation: incarnation,
            time: node.now(time))
    }
}
