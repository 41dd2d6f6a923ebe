internal import MeshCore
internal import MeshEngine
internal import MeshGossip
internal import MeshIdentity

extension World {
    // MARK: What stands in the way

    /// Whether nothing passes from one node to another at present.
    func isBlocked(from a: Int, to b: Int) -> Bool {
        for index in activeFaults {
            let fault = plan.faults[index]
            switch fault.kind {
            case .clog where fault.others.isEmpty:
                if fault.nodes.contains(a) || fault.nodes.contains(b) { return true }
            case .partition, .clog:
                if fault.nodes.contains(a) && fault.others.contains(b)
                    || fault.others.contains(a) && fault.nodes.contains(b)
                {
                    return true
                }
            case .oneWay: if fault.nodes.contains(a) && fault.others.contains(b) { return true }
            default: break
            }
        }
        return false
    }

    /// Whether what blocks the way is of the kind that links time out of.
    private func timesOut(from a: Int, to b: Int) -> Bool {
        activeFaults.contains { index in
            let fault = plan.faults[index]
            guard fault.kind == .partition || fault.kind == .oneWay else { return false }
            return fault.nodes.contains(a) && fault.others.contains(b)
                || fault.kind == .partition && fault.others.contains(a) && fault.nodes.contains(b)
        }
    }

    private func amount(_ kind: Fault.Kind) -> Double {
        activeFaults.reduce(0) { plan.faults[$1].kind == kind ? $0 + plan.faults[$1].amount : $0 }
    }

    /// One way between two nodes, without jitter: drawn once for each pair.
    func latency(_ a: Int, _ b: Int) -> Int64 {
        let key = min(a, b) * plan.nodeCount + max(a, b)
        if let known = latencies[key] { return known }
        var generator = plan.chance.generator(for: "latency \(min(a, b)) \(max(a, b))")
        let drawn = max(10, scenario.network.latency.draw(&generator))
        latencies[key] = drawn
        return drawn
    }

    // MARK: Dialling

    func dial(_ node: SimulatedNode, _ address: String, _ did: DID?) {
        guard let target = Self.node(at: address), target < nodes.count, target != node.index else {
            later(.dialFailed(address: address, isRefused: false), node)
            return
        }
        // The handshake takes one and a half round trips until the other side may speak.
        let span = 3 * latency(node.index, target)
        queue.push(
            .dialArrives(from: node.index, life: node.life, to: target, address: address, expecting: did),
            at: time + span)
    }

    func dialArrives(_ node: SimulatedNode, _ target: Int, _ address: String, _ did: DID?) {
        let other = nodes[target]
        let way = latency(node.index, target)
        func fail(after span: Int64, _ why: String, isRefused: Bool = false) {
            note("\(node.name) cannot reach \(other.name): \(why)")
            queue.push(
                .input(
                    node: node.index, life: node.life, .dialFailed(address: address, isRefused: isRefused)),
                at: time + span)
        }
        if isBlocked(from: node.index, to: target) || isBlocked(from: target, to: node.index)
            || (other.isUp && other.pauses > 0)
        {
            fail(after: 5 * Duration.second, "no answer")
            return
        }
        guard other.isUp else {
            fail(after: way, "refused", isRefused: true)
            return
        }
        if let did, did != other.did {
            fail(after: way, "another identity")
            return
        }
        let link = SimulatedLink(
            id: nextLink, from: node.index, to: target, latency: way, lives: (node.life, other.life))
        nextLink += 1
        link.arrivals = (time, time + way)
        node.links[link.id] = link
        other.links[link.id] = link
        note("\(node.name) and \(other.name) are linked")
        queue.push(.input(node: target, life: other.life, opened(link, at: other)), at: time)
        queue.push(.input(node: node.index, life: node.life, opened(link, at: node)), at: time + way)
    }

    /// How a node is told of a link.
    func opened(_ link: SimulatedLink, at node: SimulatedNode) -> EngineInput {
        let other = nodes[link.other(than: node.index)]
        let isOutbound = link.ends.0 == node.index
        let address =
            isOutbound ? Self.address(other.index) : "\(other.name).sim:\(20_000 + link.id % 40_000)"
        return .linkOpened(link.peerLink, peer: other.did, address: address, outbound: isOutbound)
    }

    // MARK: Frames

    /// Sends a frame, or the end of the link.
    func transmit(_ parcel: Parcel, on link: SimulatedLink, from node: SimulatedNode) {
        let isFirst = link.ends.0 == node.index
        let other = link.other(than: node.index)
        if case .frame(let frame) = parcel, frame.type.isDroppable {
            let lost = scenario.network.frameLoss + amount(.frameLoss)
            if node.generator.happens(lost) {
                note("\(node.name) → \(NodeName.text(other)) lost \(frame.label)")
                return
            }
            if node.generator.happens(amount(.duplicates)) {
                let late = Int64(node.generator.below(2_000)) * Duration.millisecond
                queue.push(.arrival(link, to: other, parcel), at: time + link.latency + late)
            }
        }
        if case .frame(let frame) = parcel, scenario.network.treeLoss > 0, frame.type.isOfBroadcastTree,
            node.generator.happens(scenario.network.treeLoss)
        {
            note("\(node.name) → \(NodeName.text(other)) lost \(frame.label)")
            return
        }
        let isHeld = isFirst ? !link.held.0.isEmpty : !link.held.1.isEmpty
        if isHeld || isBlocked(from: node.index, to: other) {
            if isFirst { link.held.0.append(parcel) } else { link.held.1.append(parcel) }
            if !isHeld {
                queue.push(
                    .linkTimeout(link, from: node.index, since: time), at: time + scenario.network.timeout)
            }
            return
        }
        pass(parcel, on: link, from: node, isFirst: isFirst)
    }

    private func pass(_ parcel: Parcel, on link: SimulatedLink, from node: SimulatedNode, isFirst: Bool) {
        let other = link.other(than: node.index)
        var span = link.latency + scenario.network.jitter.draw(&node.generator)
        var size = 40
        if case .frame(let frame) = parcel { size += frame.body.count }
        let loss = scenario.network.loss + amount(.loss)
        if loss > 0 {
            guard let delay = retransmissions(of: size, loss, &node.generator) else {
                note("\(node.name) → \(NodeName.text(other)) times out")
                reset(link)
                return
            }
            span += delay
        }
        let previous = isFirst ? link.arrivals.0 : link.arrivals.1
        var arrival = max(previous, time + span)
        if let bandwidth = scenario.network.bandwidth {
            arrival += Int64(size) * 1_000_000 / Int64(bandwidth)
        }
        if isFirst { link.arrivals.0 = arrival } else { link.arrivals.1 = arrival }
        queue.push(.arrival(link, to: other, parcel), at: arrival)
    }

    /// What TCP makes of lost segments: waits that double; eight in a row end the link.
    private func retransmissions(
        of size: Int, _ loss: Double, _ generator: inout SeededGenerator
    ) -> Int64? {
        var delay: Int64 = 0
        for _ in 0...size / 1_448 {
            var losses: Int64 = 0
            while generator.happens(loss) {
                guard losses < 8 else { return nil }
                delay += 200 * Duration.millisecond << losses
                losses += 1
            }
        }
        return delay
    }

    func arrived(_ parcel: Parcel, _ link: SimulatedLink, _ receiver: Int) {
        let node = nodes[receiver]
        let isAlive = node.life == (link.ends.0 == receiver ? link.lives.0 : link.lives.1)
        guard isAlive, link.isOpen(at: receiver) else {
            // Nobody is there any more: the sender hears of it.
            let sender = nodes[link.other(than: receiver)]
            if case .frame = parcel, link.isOpen(at: sender.index),
                !isBlocked(from: receiver, to: sender.index)
            {
                queue.push(
                    .arrival(link, to: sender.index, .end(isOrderly: false)), at: time + link.latency)
            }
            return
        }
        let frame: SharedFrame
        switch parcel {
        case .frame(let one): frame = one
        case .end(let isOrderly):
            note("\(node.name) loses the link with \(NodeName.text(link.other(than: receiver)))")
            shut(link, at: node)
            enqueue(.input(.linkClosed(link.peerLink, isOrderly: isOrderly)), node)
            return
        }
        statistics.frames += 1
        statistics.bytes += frame.body.count
        note("\(NodeName.text(link.other(than: receiver))) → \(node.name) \(frame.label)")
        if frame.type == .push, let (entry, hops) = frame.pushed {
            broadcasts.arrived(entry, hops: hops, at: receiver, of: nodes.count)
        }
        if node.behaviour == .replayer || node.behaviour == .flooder { record(frame, node) }
        if node.behaviour == .incarnationPoisoner { hear(frame, node) }
        enqueue(.frame(link, frame), node)
    }

    // MARK: Closing

    /// Ends a link at one end; the other hears of it when the news gets there.
    func close(_ link: SimulatedLink, at node: SimulatedNode, isOrderly: Bool) {
        guard link.isOpen(at: node.index) else { return }
        transmit(.end(isOrderly: isOrderly), on: link, from: node)
        shut(link, at: node)
    }

    /// Forgets what a machine that has lost its power had yet to send.
    func loseHeld(of node: SimulatedNode) {
        for link in node.openLinks {
            if link.ends.0 == node.index {
                if !link.held.0.isEmpty { link.held.0 = [.end(isOrderly: false)] }
            } else if !link.held.1.isEmpty {
                link.held.1 = [.end(isOrderly: false)]
            }
        }
    }

    private func shut(_ link: SimulatedLink, at node: SimulatedNode) {
        if link.ends.0 == node.index { link.isOpen.0 = false } else { link.isOpen.1 = false }
        node.links[link.id] = nil
    }

    /// Ends a link at both ends at once, as far as the processes are still those.
    func reset(_ link: SimulatedLink) {
        for end in [link.ends.0, link.ends.1] where link.isOpen(at: end) {
            shut(link, at: nodes[end])
            later(.linkClosed(link.peerLink, isOrderly: false), nodes[end])
        }
        link.held = ([], [])
    }

    /// A link that has had data to send for so long without an answer is given up by that side.
    func linkTimeout(_ link: SimulatedLink, _ node: Int, _ since: Int64) {
        let other = link.other(than: node)
        let isHeld = link.ends.0 == node ? !link.held.0.isEmpty : !link.held.1.isEmpty
        guard isHeld, link.isOpen(at: node) else { return }
        guard timesOut(from: node, to: other) else { return }
        note("\(NodeName.text(node)) gives up the link with \(NodeName.text(other))")
        if link.ends.0 == node {
            link.held.0 = [.end(isOrderly: false)]
        } else {
            link.held.1 = [.end(isOrderly: false)]
        }
        shut(link, at: nodes[node])
        later(.linkClosed(link.peerLink, isOrderly: false), nodes[node])
    }

    /// Lets pass what was held and no longer is.
    func release() {
        var links: [UInt64: SimulatedLink] = [:]
        for node in nodes { for link in node.openLinks { links[link.id] = link } }
        for id in links.keys.sorted() {
            guard let link = links[id] else { continue }
            if !link.held.0.isEmpty, !isBlocked(from: link.ends.0, to: link.ends.1) {
                let frames = link.held.0
                link.held.0 = []
                for parcel in frames { pass(parcel, on: link, from: nodes[link.ends.0], isFirst: true) }
            }
            if !link.held.1.isEmpty, !isBlocked(from: link.ends.1, to: link.ends.0) {
                let frames = link.held.1
                link.held.1 = []
                for parcel in frames { pass(parcel, on: link, from: nodes[link.ends.1], isFirst: false) }
            }
        }
    }
}

extension FrameType {
    /// Whether it carries items down the broadcast tree, or shapes the tree.
    fileprivate var isOfBroadcastTree: Bool {
        switch self {
        case .push, .announce, .graft, .prune, .pull: true
        default: false
        }
    }
}
