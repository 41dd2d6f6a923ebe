import IPLD
import MeshCore
import MeshDAG
import MeshGossip
import MeshIdentity

/// A signer whose signatures are no proof: networks of thousands of messages are about time, not keys.
struct PlainSigner: Signer {
    let did: DID

    init(_ number: Int) {
        var key = [UInt8](repeating: 0, count: 32)
        key[0] = UInt8(number >> 8)
        key[1] = UInt8(number & 255)
        did = DID(publicKey: Bytes32(key))
    }

    func sign(_ message: [UInt8], in range: Range<Int>) -> [UInt8] { [UInt8](repeating: 0, count: 64) }
}

struct TrustingVerifier: SignatureVerifier {
    func isSigned(_ envelope: Envelope, by author: DID) -> Bool { true }
}

/// Memberships on links that delay as TCP does, in virtual time.
///
/// A segment that is lost is sent again after 200, 400, 800 … ms, and all behind it on the same link waits;
/// eight losses in a row reset the link. Broadcasts go at once along a spanning tree, and over every other
/// link 100 ms later where the other side still lacks them.
struct MemberNetwork {
    enum Condition { case running, stopped, cutOff, dead }

    enum Frame {
        case ping(UInt64)
        case pong(UInt64)
        case request(DID, UInt64)
        case answer(UInt64, Bool)
        case message(Int)
        /// A message for its subject alone.
        case confront(Int)

        /// On the wire, with what the frame, TLS and TCP/IP put around it.
        func size(_ messages: [[UInt8]]) -> Int {
            switch self {
            case .ping, .pong: 95
            case .request: 140
            case .answer: 96
            case .message(let id), .confront(let id): 90 + messages[id].count
            }
        }
    }

    enum Event {
        case arrive(node: Int, link: Int, Frame)
        case lazily(node: Int, link: Int, message: Int)
        case lost(node: Int, link: Int)
        case dialFailed(node: Int, peer: Int, isRefused: Bool)
        case relink(Int, Int)
        case wake(node: Int)
    }

    struct Wire {
        let ends: (Int, Int)
        let isTree: Bool
        var isOpen = true
        /// When the last frame towards the second and the first end arrives.
        var arrivals: (Timestamp, Timestamp)

        func other(_ node: Int) -> Int { ends.0 == node ? ends.1 : ends.0 }
    }

    struct Node {
        var membership: Membership
        var condition = Condition.running
        var links: [Int] = []
        var inbox: [(link: Int, frame: Frame)] = []
        var wake: Timestamp?
        var seen = RecentSet<Int>(capacity: 1024)
        var sent = 0
    }

    struct Change: Hashable {
        let at: Timestamp
        let observer: Int
        let subject: Int
        let state: MemberState
    }

    /// After which a message goes over links outside of the tree.
    let lazyDelay: Int64 = 100
    let latency: Int64
    var loss: Double
    var now = Timestamp(milliseconds: 1_000_000)
    var nodes: [Node] = []
    var wires: [Wire] = []
    /// Directions in which nothing gets through: from, to.
    var blocked: [(Int, Int)] = []
    private(set) var changes: [Change] = []
    private(set) var suspicionCount = 0
    private var generator: SeededGenerator
    private var queue = EventQueue<Event>()
    private var messages: [[UInt8]] = []
    private var parsed: [MembershipInput] = []
    private var numbers: [[UInt8]: Int] = [:]
    private var indices: [DID: Int] = [:]

    init(
        count: Int, degree: Int, latency: Int64 = 1, loss: Double = 0, seed: UInt64,
        settings: MembershipSettings = MembershipSettings()
    ) {
        self.latency = latency
        self.loss = loss
        generator = SeededGenerator(seed: seed)
        for number in 0..<count {
            let signer = PlainSigner(number)
            indices[signer.did] = number
            nodes.append(
                Node(
                    membership: Membership(
                        signer: signer, addresses: ["127.0.0.1:\(number)"], restoredIncarnation: 0,
                        seed: generator.next(), settings: settings, now: now)))
        }
        for node in nodes.indices {
            for other in nodes.indices where other != node {
                step(node, .member(nodes[other].membership.own))
            }
        }
        // A random tree, and then links between those who have the fewest.
        for node in 1..<max(1, count) {
            let open = (0..<node).filter { nodes[$0].links.count < 3 }
            link(open[Int.random(in: open.indices, using: &generator)], node, isTree: true)
        }
        for _ in 0..<count * degree {
            let short = nodes.indices.filter { nodes[$0].links.count < min(degree, count - 1) }
            guard let first = short.randomElement(using: &generator) else { break }
            let others = (short.count > 1 ? short : Array(nodes.indices)).filter {
                $0 != first && wire(between: $0, first) == nil
            }
            guard let second = others.randomElement(using: &generator) else { continue }
            link(first, second, isTree: false)
        }
    }

    func did(_ node: Int) -> DID { nodes[node].membership.own.record.did }

    func state(_ subject: Int, at observer: Int) -> MemberState? {
        nodes[observer].membership.state(of: did(subject))
    }

    func neighbours(of node: Int) -> [Int] { nodes[node].links.map { wires[$0].other(node) } }

    private func wire(between a: Int, _ b: Int) -> Int? { nodes[a].links.first { wires[$0].other(a) == b } }

    private mutating func link(_ a: Int, _ b: Int, isTree: Bool) {
        let number = wires.count
        wires.append(Wire(ends: (a, b), isTree: isTree, arrivals: (now, now)))
        for (node, peer) in [(a, b), (b, a)] {
            nodes[node].links.append(number)
            let link = PeerLink(rawValue: UInt64(number))
            step(node, .linked(link, did(peer)))
            step(node, .neighbourUp(link, did(peer)))
            step(node, .member(nodes[peer].membership.own))
        }
    }

    // MARK: What befalls nodes

    /// `kill -9`: the kernel resets the links and refuses what comes later.
    mutating func kill(_ node: Int) {
        nodes[node].condition = .dead
        for link in nodes[node].links { reset(link, after: latency) }
        nodes[node].links = []
    }

    /// The cable is cut: nothing arrives, and nothing says so.
    mutating func cutOff(_ node: Int) { nodes[node].condition = .cutOff }

    /// SIGSTOP: what arrives waits in the kernel.
    mutating func stop(_ node: Int) { nodes[node].condition = .stopped }

    /// SIGCONT: the deadline is looked at before what has arrived is read, as the worst case is.
    mutating func resume(_ node: Int) {
        nodes[node].condition = .running
        step(node, .deadlineReached)
        let inbox = nodes[node].inbox
        nodes[node].inbox = []
        for (link, frame) in inbox { receive(node, link, frame) }
    }

    /// Has a node say goodbye and go.
    mutating func leave(_ node: Int) {
        carryOut(node, nodes[node].membership.leave(now: now))
        // What lies in the kernel's buffers still goes out.
        run(lazyDelay + 1)
        nodes[node].condition = .cutOff
    }

    /// Brings a message into the mesh through `node`, as if it had made it.
    mutating func inject(_ envelope: [UInt8], at node: Int) {
        let id = number(envelope)
        step(node, parsed[id])
        spread(id, from: node, except: nil)
    }

    private mutating func reset(_ link: Int, after delay: Int64) {
        guard wires[link].isOpen else { return }
        wires[link].isOpen = false
        queue.add(.lost(node: wires[link].ends.0, link: link), at: now + delay)
        queue.add(.lost(node: wires[link].ends.1, link: link), at: now + delay)
    }

    // MARK: Time

    /// Runs until `condition` holds or `milliseconds` have passed.
    ///
    /// - Returns: How long it took, or `nil` when it never held.
    @discardableResult
    mutating func run(_ milliseconds: Int64, until condition: (Self) -> Bool = { _ in false }) -> Int64? {
        let start = now
        let end = now + milliseconds
        while let (instant, event) = queue.next(before: end) {
            now = max(now, instant)
            let count = changes.count
            handle(event)
            if changes.count != count, condition(self) { return now - start }
        }
        now = end
        return condition(self) ? milliseconds : nil
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .arrive(let node, let link, let frame):
            guard wires[link].isOpen else { return }
            switch nodes[node].condition {
            case .running: receive(node, link, frame)
            case .stopped: nodes[node].inbox.append((link, frame))
            case .cutOff, .dead: break
            }
        case .lazily(let node, let link, let message):
            guard wires[link].isOpen, !nodes[wires[link].other(node)].seen.contains(message) else { return }
            send(node, link, .message(message))
        case .lost(let node, let link):
            let peer = wires[link].other(node)
            nodes[node].links.removeAll { $0 == link }
            step(node, .linkLost(PeerLink(rawValue: UInt64(link)), did(peer), isOrderly: false))
        case .dialFailed(let node, let peer, let isRefused):
            step(node, .dialFailed(did(peer), isRefused: isRefused))
        case .relink(let a, let b):
            guard wire(between: a, b) == nil, nodes[a].condition == .running, nodes[b].condition == .running
            else { return }
            let isTree = wires.contains { ($0.ends == (a, b) || $0.ends == (b, a)) && $0.isTree }
            link(a, b, isTree: isTree)
        case .wake(let node):
            guard nodes[node].wake == now else { return }
            nodes[node].wake = nil
            step(node, .deadlineReached)
        }
    }

    private mutating func receive(_ node: Int, _ link: Int, _ frame: Frame) {
        let from = PeerLink(rawValue: UInt64(link))
        step(node, .heard(from))
        switch frame {
        case .ping(let token): send(node, link, .pong(token))
        case .pong(let token): step(node, .pong(from, token: token))
        case .request(let target, let token): step(node, .probeRequest(from, target: target, token: token))
        case .answer(let token, let isAlive):
            step(node, .probeAnswer(from, token: token, isAlive: isAlive))
        case .message(let id):
            guard nodes[node].seen.insert(id) else { return }
            step(node, parsed[id])
            spread(id, from: node, except: link)
        case .confront(let id): step(node, parsed[id])
        }
    }

    private mutating func step(_ node: Int, _ input: MembershipInput) {
        guard nodes[node].condition == .running else { return }
        carryOut(node, nodes[node].membership.step(input, now: now))
    }

    private mutating func carryOut(_ node: Int, _ effects: [MembershipEffect]) {
        for effect in effects {
            switch effect {
            case .ping(let link, let token): send(node, Int(link.rawValue), .ping(token))
            case .requestProbe(let link, let target, let token):
                send(node, Int(link.rawValue), .request(target, token))
            case .answerProbe(let link, let token, let isAlive):
                send(node, Int(link.rawValue), .answer(token, isAlive))
            case .redial(let did): redial(node, indices[did] ?? 0)
            case .broadcast(let envelope): spread(number(envelope), from: node, except: nil)
            case .send(let link, let envelope): send(node, Int(link.rawValue), .confront(number(envelope)))
            case .changed(let did, let state, let previous):
                if previous != nil {
                    changes.append(
                        Change(at: now, observer: node, subject: indices[did] ?? 0, state: state))
                }
            case .learned, .forgotten: break
            }
        }
        if let due = nodes[node].membership.nextDeadline, due < nodes[node].wake ?? due + 1 {
            nodes[node].wake = max(due, now)
            queue.add(.wake(node: node), at: max(due, now))
        }
    }

    private mutating func redial(_ node: Int, _ peer: Int) {
        switch nodes[peer].condition {
        case .dead:
            queue.add(.dialFailed(node: node, peer: peer, isRefused: true), at: now + 2 * latency)
        case .cutOff, .stopped:
            queue.add(.dialFailed(node: node, peer: peer, isRefused: false), at: now + 5_000)
        case .running:
            // Three exchanges, each lost as often as any other.
            var wait: Int64 = 0
            for _ in 0..<6 { wait += latency + (delay() ?? 10_000) }
            queue.add(.relink(node, peer), at: now + wait)
        }
    }

    private mutating func number(_ envelope: [UInt8]) -> Int {
        if let number = numbers[envelope] { return number }
        let number = messages.count
        if let member = SignedMember(decoding: envelope, verifier: TrustingVerifier()) {
            parsed.append(.member(member))
        } else if let suspicion = SignedSuspicion(decoding: envelope, verifier: TrustingVerifier()) {
            parsed.append(.suspicion(suspicion))
            suspicionCount += 1
        } else {
            preconditionFailure("a membership sends records and suspicions")
        }
        messages.append(envelope)
        numbers[envelope] = number
        return number
    }

    private mutating func spread(_ message: Int, from node: Int, except: Int?) {
        nodes[node].seen.insert(message)
        for link in nodes[node].links where link != except {
            if wires[link].isTree {
                send(node, link, .message(message))
            } else {
                queue.add(.lazily(node: node, link: link, message: message), at: now + lazyDelay)
            }
        }
    }

    /// How long a segment waits to be sent again, or `nil` when the link gives up on it.
    private mutating func delay() -> Int64? {
        var delay: Int64 = 0
        for attempt in 0..<8 {
            guard loss > 0, Double.random(in: 0..<1, using: &generator) < loss else { return delay }
            delay += 200 << Int64(attempt)
        }
        return nil
    }

    private mutating func send(_ node: Int, _ link: Int, _ frame: Frame) {
        guard wires[link].isOpen, nodes[node].condition == .running else { return }
        nodes[node].sent += frame.size(messages)
        let peer = wires[link].other(node)
        guard !blocked.contains(where: { $0 == (node, peer) }) else { return }
        guard let delay = delay() else { return reset(link, after: 51_000) }
        let isForward = wires[link].ends.0 == node
        let before = isForward ? wires[link].arrivals.0 : wires[link].arrivals.1
        let arrival = max(before, now + (latency + delay))
        if isForward { wires[link].arrivals.0 = arrival } else { wires[link].arrivals.1 = arrival }
        queue.add(.arrive(node: peer, link: link, frame), at: arrival)
    }
}
