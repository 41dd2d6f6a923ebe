import IPLD
import MeshCore
import MeshCrypto
import MeshGossip
import MeshIdentity

/// Many overlays and broadcast trees joined by links with latency, driven by one queue of events.
///
/// Links keep their order and lose nothing, except for frames of the tree where `treeLoss` says so.
final class OverlayNetwork {
    struct Node {
        let signed: SignedMember
        var overlay: Overlay
        var tree: BroadcastTree
        var isAlive = true
        var isAttacker = false
        /// Nodes of different groups cannot reach each other.
        var group = 0
        var links: [UInt64] = []
        var wakesAt: Timestamp?
        var delivered: [CID: UInt8] = [:]
    }

    struct Connection {
        let ends: [Int]
        let latency: Int64
        var isOpen: [Bool] = [false, false]
    }

    private enum TreeFrame {
        case push(CID, UInt8, isLarge: Bool)
        case announce([BroadcastAnnouncement])
        case graft([CID])
        case pull([CID])
        case prune
    }

    private enum Event {
        case wake(Int)
        case dialled(Int, String, DID?)
        case opened(Int, UInt64, address: String)
        case closed(Int, UInt64)
        case overlay(Int, UInt64, OverlayFrame)
        case tree(Int, UInt64, TreeFrame)
        case attack(Int)
    }

    private(set) var nodes: [Node] = []
    private(set) var connections: [UInt64: Connection] = [:]
    private(set) var now = Timestamp(milliseconds: 1_000_000)
    var treeLoss = 0.0
    var treeSettings = BroadcastTreeSettings()
    /// Items pushed, arrived, since the last reset.
    private(set) var pushCount = 0
    private(set) var overlayFrameCount = 0
    private(set) var dialCount = 0
    private var attackers: [SignedMember] = []
    private(set) var large: Set<CID> = []
    private var authors: [CID: DID] = [:]
    private var generator: SeededGenerator
    private var heap: [(at: Timestamp, number: UInt64, event: Event)] = []
    private var eventNumber: UInt64 = 0
    private var connectionNumber: UInt64 = 0
    private var byAddress: [String: Int] = [:]
    private let latencies: ClosedRange<Int64>

    init(seed: UInt64, latencies: ClosedRange<Int64> = 10...50) {
        generator = SeededGenerator(seed: seed)
        self.latencies = latencies
    }

    // MARK: Nodes

    static func address(_ index: Int) -> String { "node\(index).example:7000" }

    /// Adds a node that knows the nodes in `seeds` by address.
    @discardableResult
    func add(
        seeds: [Int], settings: OverlaySettings = OverlaySettings(), isAttacker: Bool = false,
        address: String? = nil
    ) throws -> Int {
        let index = nodes.count
        var key: [UInt8] = []
        for _ in 0..<32 { key.append(UInt8.random(in: 0...255, using: &generator)) }
        let identity = Identity(try Ed25519PrivateKey(seed: Bytes32(key)))
        let address = address ?? Self.address(index)
        let signed = SignedMember(
            signing: MemberRecord(did: identity.did, addresses: [address], incarnation: 1, time: now),
            by: identity)
        var node = Node(
            signed: signed, overlay: Overlay(own: signed, seed: generator.next(), settings: settings),
            tree: BroadcastTree(settings: treeSettings))
        node.isAttacker = isAttacker
        for seed in seeds {
            node.overlay.configure(
                nodes.count > seed ? nodes[seed].signed.record.addresses[0] : Self.address(seed), did: nil,
                now: now)
        }
        byAddress[address] = index
        nodes.append(node)
        if isAttacker {
            push(.attack(index), at: now)
        } else {
            apply(OverlayInput.deadlineReached, to: index)
        }
        return index
    }

    /// Ends a node as `kill -9` does: its peers see their links close.
    func kill(_ index: Int) {
        nodes[index].isAlive = false
        for link in nodes[index].links { cut(link) }
        nodes[index].links = []
    }

    /// Starts a killed node anew with what it kept on disk.
    func restart(
        _ index: Int, restoring members: [SignedMember], settings: OverlaySettings = OverlaySettings()
    ) {
        nodes[index].overlay = Overlay(own: nodes[index].signed, seed: generator.next(), settings: settings)
        nodes[index].overlay.restore(members)
        nodes[index].tree = BroadcastTree(settings: treeSettings)
        nodes[index].isAlive = true
        nodes[index].wakesAt = nil
        apply(OverlayInput.deadlineReached, to: index)
    }

    /// Puts nodes into groups that cannot reach each other.
    func partition(_ group: (Int) -> Int) {
        for index in nodes.indices { nodes[index].group = group(index) }
        for link in connections.keys.sorted() {
            guard let connection = connections[link] else { continue }
            if nodes[connection.ends[0]].group != nodes[connection.ends[1]].group { cut(link) }
        }
    }

    private func cut(_ link: UInt64) {
        guard let connection = connections[link] else { return }
        for (side, end) in connection.ends.enumerated() where connection.isOpen[side] {
            push(.closed(end, link), at: now + connection.latency)
        }
    }

    func input(_ input: OverlayInput, to index: Int) { apply(input, to: index) }

    // MARK: Items

    func publish(by index: Int, isLarge: Bool = false) -> CID {
        let id = CID(of: (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }, codec: .raw)
        nodes[index].delivered[id] = 0
        authors[id] = nodes[index].signed.record.did
        if isLarge { large.insert(id) }
        apply(.publish(id, isLarge: isLarge), to: index)
        return id
    }

    func resetCounts() {
        pushCount = 0
        overlayFrameCount = 0
        dialCount = 0
    }

    // MARK: The queue

    func run(milliseconds: Int64) {
        let end = now + milliseconds
        while let first = heap.first, first.at <= end {
            pop()
            now = max(now, first.at)
            handle(first.event)
        }
        now = end
    }

    private func handle(_ event: Event) {
        switch event {
        case .wake(let index):
            guard nodes[index].isAlive, let at = nodes[index].wakesAt, at <= now else { return }
            nodes[index].wakesAt = nil
            apply(OverlayInput.deadlineReached, to: index)
            apply(BroadcastTreeInput.deadlineReached, to: index)
        case .dialled(let index, let address, let expected):
            guard nodes[index].isAlive else { return }
            guard let other = byAddress[address], nodes[other].isAlive,
                nodes[other].group == nodes[index].group,
                expected == nil || expected == nodes[other].signed.record.did
            else { return apply(.dialFailed(address: address), to: index) }
            connectionNumber += 1
            let latency = Int64.random(in: latencies, using: &generator)
            connections[connectionNumber] = Connection(ends: [index, other], latency: latency)
            nodes[index].links.append(connectionNumber)
            nodes[other].links.append(connectionNumber)
            push(.opened(index, connectionNumber, address: address), at: now + 2 * latency)
            push(.opened(other, connectionNumber, address: "inbound"), at: now + latency)
        case .opened(let index, let link, let address):
            guard nodes[index].isAlive, let connection = connections[link] else { return }
            let side = connection.ends[0] == index ? 0 : 1
            connections[link]?.isOpen[side] = true
            let peer = nodes[connection.ends[1 - side]].signed.record.did
            if nodes[index].isAttacker {
                if side == 0 {
                    send(.neighbour(nodes[index].signed, isUrgent: true), over: link, from: index)
                }
                return
            }
            // The address of an inbound link is where it comes from: its host, with a port of no use.
            let shown = side == 0 ? address : nodes[connection.ends[0]].signed.record.addresses[0]
            apply(
                .linkOpened(PeerLink(rawValue: link), peer: peer, address: shown, outbound: side == 0),
                to: index)
        case .closed(let index, let link):
            drop(link, of: index)
            guard nodes[index].isAlive, !nodes[index].isAttacker else { return }
            apply(.neighbourDown(PeerLink(rawValue: link)), to: index)
            apply(.linkClosed(PeerLink(rawValue: link)), to: index)
        case .overlay(let index, let link, let frame):
            guard isOpen(link, at: index) else { return }
            overlayFrameCount += 1
            if nodes[index].isAttacker { return deceive(index, link, frame) }
            apply(.frame(PeerLink(rawValue: link), frame), to: index)
        case .tree(let index, let link, let frame):
            guard isOpen(link, at: index), !nodes[index].isAttacker else { return }
            receive(frame, at: index, over: link)
        case .attack(let index):
            attack(index)
        }
    }

    private func isOpen(_ link: UInt64, at index: Int) -> Bool {
        guard nodes[index].isAlive, let connection = connections[link] else { return false }
        return connection.isOpen[connection.ends[0] == index ? 0 : 1]
    }

    private func drop(_ link: UInt64, of index: Int) {
        nodes[index].links.removeAll { $0 == link }
        guard var connection = connections[link] else { return }
        connection.isOpen[connection.ends[0] == index ? 0 : 1] = false
        connections[link] = connection
    }

    private func apply(_ input: OverlayInput, to index: Int) {
        for effect in nodes[index].overlay.step(input, now: now) {
            switch effect {
            case .send(let link, let frame): send(frame, over: link.rawValue, from: index)
            case .dial(let address, let expected):
                dialCount += 1
                push(.dialled(index, address, expected), at: now + 2)
            case .close(let link, _):
                guard let connection = connections[link.rawValue] else { continue }
                let other = connection.ends[0] == index ? connection.ends[1] : connection.ends[0]
                drop(link.rawValue, of: index)
                push(.closed(other, link.rawValue), at: now + connection.latency)
            case .neighbourUp(let link, _): apply(BroadcastTreeInput.neighbourUp(link), to: index)
            case .neighbourDown(let link, _): apply(BroadcastTreeInput.neighbourDown(link), to: index)
            }
        }
        schedule(index)
    }

    private func apply(_ input: BroadcastTreeInput, to index: Int) {
        for effect in nodes[index].tree.step(input, now: now) {
            switch effect {
            case .push(let links, let id, let hops):
                for link in links {
                    send(.push(id, hops, isLarge: large.contains(id)), over: link, from: index)
                }
            case .announce(let link, let announcements):
                send(.announce(announcements), over: link, from: index)
            case .graft(let link, let ids): send(.graft(ids), over: link, from: index)
            case .pull(let link, let ids): send(.pull(ids), over: link, from: index)
            case .prune(let link): send(.prune, over: link, from: index)
            }
        }
        schedule(index)
    }

    private func receive(_ frame: TreeFrame, at index: Int, over number: UInt64) {
        let link = PeerLink(rawValue: number)
        switch frame {
        case .push(let id, let hops, let isLarge):
            pushCount += 1
            let isNew = nodes[index].delivered[id] == nil
            if isNew { nodes[index].delivered[id] = hops }
            let author = authors[id]
            apply(
                .received(id, author: author, hops: hops, isLarge: isLarge, from: link, isNew: isNew),
                to: index)
        case .announce(let announcements): apply(.announced(link, announcements), to: index)
        case .graft(let ids): apply(.grafted(link, ids), to: index)
        case .pull(let ids): apply(.pulled(link, ids), to: index)
        case .prune: apply(BroadcastTreeInput.pruned(link), to: index)
        }
    }

    private func send(_ frame: OverlayFrame, over link: UInt64, from index: Int) {
        guard isOpen(link, at: index), let connection = connections[link] else { return }
        let other = connection.ends[0] == index ? connection.ends[1] : connection.ends[0]
        push(.overlay(other, link, frame), at: now + connection.latency)
    }

    private func send(_ frame: TreeFrame, over link: PeerLink, from index: Int) {
        guard isOpen(link.rawValue, at: index), let connection = connections[link.rawValue] else { return }
        if treeLoss > 0, Double.random(in: 0..<1, using: &generator) < treeLoss { return }
        let other = connection.ends[0] == index ? connection.ends[1] : connection.ends[0]
        push(.tree(other, link.rawValue, frame), at: now + connection.latency)
    }

    private func schedule(_ index: Int) {
        let deadlines = [nodes[index].overlay.nextDeadline, nodes[index].tree.nextDeadline].compactMap { $0 }
        guard let deadline = deadlines.min() else { return }
        let at = max(now, deadline)
        if let held = nodes[index].wakesAt, held <= at { return }
        nodes[index].wakesAt = at
        push(.wake(index), at: at)
    }

    // MARK: Attackers

    /// Every second an attacker presses itself on two honest nodes.
    private func attack(_ index: Int) {
        for _ in 0..<2 {
            // The attackers come last.
            guard let victim = (0..<nodes.count - attackers.count).randomElement(using: &generator) else {
                break
            }
            push(.dialled(index, nodes[victim].signed.record.addresses[0], nil), at: now)
        }
        push(.attack(index), at: now + 1000)
    }

    /// An attacker accepts everyone, names only its accomplices and passes nothing on.
    private func deceive(_ index: Int, _ link: UInt64, _ frame: OverlayFrame) {
        let accomplices = Array(attackers.shuffled(using: &generator).prefix(OverlayFrame.memberCountMax))
        switch frame {
        case .join, .neighbour: send(.accepted(nodes[index].signed, accomplices), over: link, from: index)
        case .shuffle(let origin, _, _):
            send(.shuffleReply(origin: origin.record.did, accomplices), over: link, from: index)
            send(.shuffle(origin: nodes[index].signed, ttl: 6, accomplices), over: link, from: index)
        default: break
        }
    }

    // MARK: A heap

    private static func precedes(
        _ a: (at: Timestamp, number: UInt64, event: Event), _ b: (at: Timestamp, number: UInt64, event: Event)
    ) -> Bool {
        a.at == b.at ? a.number < b.number : a.at < b.at
    }

    private func push(_ event: Event, at: Timestamp) {
        eventNumber += 1
        heap.append((at: at, number: eventNumber, event: event))
        var child = heap.count - 1
        while child > 0, Self.precedes(heap[child], heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private func pop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { break }
            let right = left + 1
            let child = right < heap.count && Self.precedes(heap[right], heap[left]) ? right : left
            guard Self.precedes(heap[child], heap[parent]) else { break }
            heap.swapAt(child, parent)
            parent = child
        }
    }
}
