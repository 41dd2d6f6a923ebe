internal import IPLD
internal import MeshCore
internal import MeshIdentity

// What the views, the tree and the membership protocol ask for, put into frames and passed on from one
// to another.
extension GossipMachine {
    /// Does what the overlay asks for.
    mutating func perform(_ asked: [OverlayEffect], _ now: Timestamp) -> [GossipEffect] {
        var effects: [GossipEffect] = []
        for effect in asked {
            switch effect {
            case .send(let link, let frame):
                effects.append(.send(link, frame.wire))
            case .dial(let address, let did):
                if let did, isShunned(did, now) {
                    effects += perform(overlay.step(.dialFailed(address: address), now: now), now)
                } else {
                    effects += dial(address, did)
                }
            case .close(let link, let reason):
                links[link]?.isEnding = true
                effects.append(.close(link, code: "view", text: reason))
            case .neighbourUp(let link, let did):
                links[link]?.isNeighbour = true
                effects += perform(tree.step(.neighbourUp(link), now: now), now)
                effects += perform(membership.step(.neighbourUp(link, did), now: now), now)
                effects += introduce(to: link, now)
                effects.append(.neighbourUp(link, did))
            case .neighbourDown(let link, let did):
                links[link]?.isNeighbour = false
                effects += perform(tree.step(.neighbourDown(link), now: now), now)
                effects += perform(membership.step(.neighbourDown(link, did), now: now), now)
            }
        }
        return effects
    }

    /// Does what the broadcast tree asks for.
    mutating func perform(_ asked: [BroadcastTreeEffect], _ now: Timestamp) -> [GossipEffect] {
        var effects: [GossipEffect] = []
        for effect in asked {
            switch effect {
            case .push(let links, let id, let hops):
                switch payloads[id] {
                case .anchor(let anchor): effects.append(.broadcast(links, .carrying(anchor, hops: hops)))
                case .message(let envelope):
                    effects.append(.broadcast(links, .message(envelope: envelope, hops: hops)))
                case nil: effects.append(.servePush(links, id, hops: hops))
                }
            case .announce(let link, let items): effects.append(.send(link, .announce(items)))
            case .graft(let link, let ids): effects.append(.send(link, .graft(ids)))
            case .pull(let link, let ids): effects.append(.send(link, .pull(ids)))
            case .prune(let link): effects.append(.send(link, .prune))
            }
        }
        return effects
    }

    /// Does what the membership protocol asks for.
    mutating func perform(_ asked: [MembershipEffect], _ now: Timestamp) -> [GossipEffect] {
        var effects: [GossipEffect] = []
        for effect in asked {
            switch effect {
            case .ping(let link, let token): effects.append(.send(link, .ping(token)))
            case .requestProbe(let link, let target, let token):
                effects.append(.send(link, .probe(target, token: token)))
            case .answerProbe(let link, let token, let isAlive):
                effects.append(.send(link, .probed(token: token, isAlive: isAlive)))
            case .redial(let did):
                for address in membership.record(of: did)?.record.addresses.prefix(1) ?? [] {
                    effects += dial(address, did)
                }
            case .broadcast(let envelope):
                seenMessages.insert(CID(of: envelope, codec: .dagCBOR))
                effects += flood(envelope, except: nil)
            case .changed(let did, let state, _):
                effects.append(.memberChanged(did, state))
                overlay.meshSize = membership.aliveCount
                if state == .gone { effects += perform(overlay.step(.gone(did), now: now), now) }
            case .send(let link, let envelope):
                effects.append(.send(link, .message(envelope: envelope, hops: nil)))
            case .learned(let did):
                guard let member = membership.record(of: did) else { continue }
                if let invite = member.record.invite {
                    effects.append(.inviteShown(did, invite: invite))
                }
                effects += perform(overlay.step(.learned([member]), now: now), now)
            case .forgotten: overlay.meshSize = membership.aliveCount
            }
        }
        if overlay.own != membership.own { overlay.setOwn(membership.own) }
        return effects
    }

    mutating func reach(_ did: DID, _ now: Timestamp) -> [GossipEffect] {
        guard linkOf[did] == nil else { return [] }
        let addresses = membership.record(of: did)?.record.addresses ?? []
        return perform(overlay.step(.reach(did, addresses: addresses), now: now), now)
    }

    /// Tells a new neighbour who there is, and the mesh, once, that we are in it.
    private mutating func introduce(to link: PeerLink, _ now: Timestamp) -> [GossipEffect] {
        var effects: [GossipEffect] = []
        var told: [[UInt8]] = []
        for did in membership.sample(of: Self.toldMemberCountMax) {
            if let member = membership.record(of: did) { told.append(member.envelope) }
        }
        for start in stride(from: 0, to: told.count, by: OverlayKind.memberCountMax) {
            let end = min(start + OverlayKind.memberCountMax, told.count)
            effects.append(.send(link, .members(Array(told[start..<end]))))
        }
        if isAnnouncing, announced != membership.own.record.incarnation {
            announced = membership.own.record.incarnation
            effects += broadcast(membership.own.envelope, now)
        }
        return effects
    }

    /// Sends an urgent message over every link but the one that it came by.
    func flood(_ envelope: [UInt8], except source: PeerLink?) -> [GossipEffect] {
        let receivers = links.filter { $0.value.greeted && $0.key != source }.map(\.key).sorted()
        return receivers.isEmpty
            ? [] : [.broadcast(receivers, .message(envelope: envelope, hops: Self.urgentHops))]
    }

    /// Takes a membership record from wherever it comes.
    mutating func take(_ member: SignedMember, _ now: Timestamp) -> [GossipEffect] {
        // Its signature need not be checked again.
        seenMembers.insert(CID(of: member.envelope, codec: .dagCBOR))
        return perform(membership.step(.member(member), now: now), now)
    }

    private mutating func dial(_ address: String, _ did: DID?) -> [GossipEffect] {
        if let did {
            guard linkOf[did] == nil else { return [] }
            dialled[address] = did
        }
        return [.dial(address: address, expecting: did)]
    }

    /// Pushes a message of our own down the tree.
    mutating func broadcast(_ envelope: [UInt8], _ now: Timestamp) -> [GossipEffect] {
        let id = CID(of: envelope, codec: .dagCBOR)
        seenMessages.insert(id)
        payloads.insert(.message(envelope), for: id, now: now)
        return spread(id, of: nil, isLarge: false, 0, nil, now)
    }

    mutating func spread(
        _ id: CID, of author: DID?, isLarge: Bool, _ hops: UInt8, _ source: PeerLink?, _ now: Timestamp
    ) -> [GossipEffect] {
        if let source, links[source] != nil {
            return perform(
                tree.step(
                    .received(
                        id, author: author, hops: hops, isLarge: isLarge, from: source, isNew: true),
                    now: now), now)
        }
        return perform(tree.step(.publish(id, isLarge: isLarge), now: now), now)
    }
}

/// What has come down the tree a moment ago, to be sent to whoever grafts.
///
/// Bounded by time, count and bytes; anchors that have left it are read from the store.
struct PayloadCache: Sendable {
    enum Payload: Sendable {
        case anchor(WireAnchor)
        case message([UInt8])

        var byteCount: Int {
            switch self {
            case .anchor(let anchor): anchor.byteCount
            case .message(let envelope): envelope.count
            }
        }
    }

    static let keptMilliseconds: Int64 = 30_000
    static let countMax = 4_096
    static let byteCountMax = 8 << 20

    private var payloads: [CID: Payload] = [:]
    private var order: [(id: CID, until: Timestamp)] = []
    private var first = 0
    private var byteCount = 0

    subscript(_ id: CID) -> Payload? { payloads[id] }

    mutating func insert(_ payload: Payload, for id: CID, now: Timestamp) {
        while first < order.count,
            order[first].until <= now || payloads.count >= Self.countMax || byteCount > Self.byteCountMax
        {
            byteCount -= payloads.removeValue(forKey: order[first].id)?.byteCount ?? 0
            first += 1
        }
        if first > 64, first * 2 > order.count {
            order.removeFirst(first)
            first = 0
        }
        guard payloads[id] == nil else { return }
        payloads[id] = payload
        byteCount += payload.byteCount
        order.append((id, now + Self.keptMilliseconds))
    }
}
