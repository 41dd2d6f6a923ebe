internal import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshFederation
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket
internal import MeshEngine
internal import MeshStorage

extension World {
    /// Sends what an engine says, or what its node makes of it.
    func say(_ links: [PeerLink], _ type: FrameType, _ body: [UInt8], of node: SimulatedNode) {
        if links.count == 1, node.isHonest {
            guard let link = node.links[links[0].rawValue] else { return }
            transmit(.frame(common.frame(type, body)), on: link, from: node)
            return
        }
        let open = links.compactMap { node.links[$0.rawValue] }
        guard !open.isEmpty else { return }
        let behaviour = activeBehaviour(of: node)
        if let behaviour, isSuppressed(type, body, behaviour, node) { return }
        var frame = common.frame(type, body)
        if let behaviour {
            guard let rest = tampered(frame, by: behaviour, node) else { return }
            frame = rest
        }
        if behaviour == .equivocator, let other = secondHistory(type, body, node) {
            // Half of the peers are told one thing and half another; a single one is told both.
            let half = open.count / 2
            for link in open.prefix(max(1, half)) { transmit(.frame(frame), on: link, from: node) }
            for link in open.suffix(max(1, open.count - half)) {
                transmit(.frame(other), on: link, from: node)
            }
            return
        }
        let said = node.behaviour == .forger ? accusation(type, body, node) ?? frame : frame
        for link in open { transmit(.frame(said), on: link, from: node) }
    }

    private func isSuppressed(
        _ type: FrameType, _ body: [UInt8], _ behaviour: Behaviour.Kind, _ node: SimulatedNode
    ) -> Bool {
        guard node.window.contains(time) else { return false }
        if behaviour == .mute { return ![.hello, .ping, .pong, .overlay, .members].contains(type) }
        guard behaviour == .vanisher || behaviour == .censor || behaviour == .sybil,
            plan.misbehaviour(of: node.index)?.targets.isEmpty ?? true,
            let frame = try? Frame(type: type, body: body)
        else { return false }
        switch frame {
        case .message(let bytes, let hops):
            if behaviour != .vanisher { return hops.map { $0 > 0 } ?? false }
            return (try? Envelope(decoding: bytes))?.tag == Heartbeat.tag
        case .push(let anchor, _): return behaviour != .vanisher && author(of: anchor) != node.did
        case .have(let anchors):
            return behaviour != .vanisher && anchors.contains { author(of: $0) != node.did }
        case .block: return behaviour != .vanisher
        default: return false
        }
    }

    func author(of wire: WireAnchor) -> DID? { anchor(of: wire)?.author }

    private func anchor(of wire: WireAnchor) -> Anchor? {
        guard let envelope = try? Envelope(decoding: wire.envelope) else { return nil }
        return try? Anchor(envelope)
    }

    /// Once, after the first ten seconds: another anchor at the place of the one that is being pushed.
    private func secondHistory(_ type: FrameType, _ body: [UInt8], _ node: SimulatedNode) -> SharedFrame? {
        var encoder = DAGCBOREncoder()
        encoder.map { map in map.field("kind") { $0.text("simulated.fork") } }
        return fork(type, body, encoder.bytes, attachments: [], node)
    }

    /// Once: an anchor that says of the first node that it signed two, of which the second is not signed by it.
    private func accusation(_ type: FrameType, _ body: [UInt8], _ node: SimulatedNode) -> SharedFrame? {
        let victim = FeedID(author: nodes[plan.victim].did, scope: node.settings.scope)
        guard type == .push, !node.hasEquivocated,
            let cid = try? node.disk.value(forKey: victim.key(seq: 0), in: .feeds),
            let id = try? CID(bytes: cid), let bytes = try? node.disk.block(id),
            let envelope = try? Envelope(decoding: bytes), let real = try? Anchor(envelope)
        else { return nil }
        let made = Anchor(
            author: real.author, scope: real.scope, seq: real.seq, prev: real.prev, parents: real.parents,
            time: HybridTime(milliseconds: real.time.milliseconds + 1, counter: 0), entries: real.entries)
        let forged = Envelope(signing: made.encoded, tag: Anchor.tag, by: node.signer)
        let sides = [(id, bytes), (forged.cid, forged.bytes)].sorted { $0.0 < $1.0 }
        let entry = Entry.encodedEquivocation(first: sides[0].0, second: sides[1].0)
        return fork(type, body, entry, attachments: sides.map(\.1), node)
    }

    /// Another anchor, with one entry, at the place of the one that is being pushed.
    private func fork(
        _ type: FrameType, _ body: [UInt8], _ entry: [UInt8], attachments: [[UInt8]], _ node: SimulatedNode
    ) -> SharedFrame? {
        guard !node.hasEquivocated, time > 10 * Duration.second,
            case .push(let wire, _)? = try? Frame(type: type, body: body), let real = anchor(of: wire),
            real.author == node.did
        else { return nil }
        let fork = Anchor(
            author: real.author, scope: real.scope, seq: real.seq, prev: real.prev, parents: real.parents,
            time: real.time, entries: [CID(of: entry, codec: .dagCBOR)])
        let envelope = Envelope(signing: fork.encoded, tag: Anchor.tag, by: node.signer)
        node.hasEquivocated = true
        history.equivocations[node.index] = real.seq
        note("\(node.name) signs a second anchor \(real.seq)")
        let frame = Frame.push(
            WireAnchor(envelope: envelope.bytes, entries: [entry], attachments: attachments), hops: 0)
        return SharedFrame(frame.type, frame.encoded)
    }

    // MARK: Those who add to what is said

    /// Remembers a frame to be said again.
    func record(_ frame: SharedFrame, _ node: SimulatedNode) {
        guard frame.type != .hello, frame.type != .bye, !frame.body.isEmpty else { return }
        if node.recorded.count < 200 {
            node.recorded.append(frame)
        } else {
            node.recorded[node.generator.below(200)] = frame
        }
    }

    /// Does what those who add to what is said do from time to time.
    func misbehave(_ node: SimulatedNode) {
        guard node.isUp, time < scenario.duration else { return }
        queue.push(
            .misbehave(node: node.index, life: node.life),
            at: time + Int64(100 + node.generator.below(900)) * Duration.millisecond)
        let open = node.openLinks
        guard node.pauses == 0, node.window.contains(time) else { return }
        if node.behaviour == .sybil { return gather(node) }
        guard !open.isEmpty else { return }
        let link = open[node.generator.below(open.count)]
        switch node.behaviour {
        case .replayer:
            guard !node.recorded.isEmpty else { return }
            transmit(.frame(node.recorded[node.generator.below(node.recorded.count)]), on: link, from: node)
        case .flooder: transmit(.frame(junk(node)), on: link, from: node)
        case .incarnationPoisoner: poison(node)
        default: break
        }
    }

    /// Bytes that mean nothing, or something that nobody signed.
    private func junk(_ node: SimulatedNode) -> SharedFrame {
        if node.generator.happens(0.5), !node.recorded.isEmpty {
            let frame = node.recorded[node.generator.below(node.recorded.count)]
            var body = frame.body
            body[node.generator.below(body.count)] ^= 1
            return SharedFrame(frame.type, body)
        }
        let types = FrameType.allCases
        let type = types[node.generator.below(types.count)]
        let count = node.generator.below(min(200, type.byteCountMax))
        return SharedFrame(type, (0..<count).map { _ in UInt8(truncatingIfNeeded: node.generator.next()) })
    }
}
