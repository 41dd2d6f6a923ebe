internal import Foundation
internal import MeshCore
internal import MeshGossip

/// Links between engines over a network that delays, reorders and drops messages.
///
/// What travels between two nodes is numbered in each direction and put in order at arrival. A link that has
/// lost something is closed, as TCP gives up a connection: the engine then dials again and reconciles.
struct MaelstromLinks {
    /// What the engine is to be told.
    enum Event {
        case opened(PeerLink, node: String, outbound: Bool)
        case closed(PeerLink)
        case dialFailed(node: String)
        case frame(PeerLink, FrameType, [UInt8])
    }

    static let dialMilliseconds: Int64 = 3_000
    /// How long a message may be missing while later ones are here.
    static let gapMilliseconds: Int64 = 2_000
    /// After how long without word the other side is asked how far it has come.
    static let probeMilliseconds: Int64 = 1_000
    static let lostMilliseconds: Int64 = 4_000
    static let earlyCountMax = 4_096

    private struct Link {
        let id: PeerLink
        let node: String
        let isOutbound: Bool
        var isOpen: Bool
        /// Until when a dial may take.
        let dialDeadline: Timestamp
        /// Frames that wait for company.
        var waiting: [String] = []
        var waitingSince: Timestamp?
        /// The number of the next message out.
        var nextOut = 0
        /// How far the other side has come.
        var acknowledged = 0
        var unacknowledgedSince: Timestamp?
        var probedAt: Timestamp?
        /// The number of the next message in.
        var nextIn = 0
        var early: [Int: [String]] = [:]
        var gapSince: Timestamp?
    }

    let own: String
    let linger: Int64
    /// By name, `dialler/number`: what both sides call it.
    private var links: [String: Link] = [:]
    private var names: [PeerLink: String] = [:]
    private var count: UInt64 = 0
    /// Lines to write.
    var output: [String] = []
    var events: [Event] = []

    /// - Parameters:
    ///   - own: This node's name.
    ///   - linger: How many milliseconds frames may wait, so that several share a message.
    init(own: String, linger: Int64) {
        self.own = own
        self.linger = linger
    }

    // MARK: What the engine asks

    mutating func dial(_ node: String, now: Timestamp) {
        guard node != own, !links.contains(where: { $0.value.node == node }) else {
            events.append(.dialFailed(node: node))
            return
        }
        let name = add(node, isOutbound: true, name: nil, now: now)
        send(name, "dial", to: node)
    }

    mutating func send(_ link: PeerLink, _ type: FrameType, _ body: [UInt8], now: Timestamp) {
        guard let name = names[link] else { return }
        links[name]?.waiting.append(Data([type.rawValue] + body).base64EncodedString())
        if links[name]?.waitingSince == nil { links[name]?.waitingSince = now }
    }

    mutating func close(_ link: PeerLink) {
        guard let name = names[link] else { return }
        flush(name, now: nil)
        drop(name, isTold: false)
    }

    // MARK: What comes in

    mutating func receive(_ message: MaelstromMessage, now: Timestamp) {
        guard let operation = message.text("op"), let name = message.text("link"), name.utf8.count <= 64
        else {
            return
        }
        let node = message.source
        if operation == "dial" { return dialled(name, by: node, now: now) }
        guard let link = links[name], link.node == node else {
            if operation != "close" { send(name, "close", to: node) }
            return
        }
        if operation == "close" { return drop(name, isTold: true) }
        if !link.isOpen { open(name) }
        if let acknowledged = message.integer("ack") { note(acknowledged, name, now: now) }
        let number = message.integer("seq") ?? 0
        switch operation {
        case "data": take(message.body["frames"] as? [String] ?? [], number, name, now: now)
        case "probe":
            // Everything before `seq` was sent; what is missing now is late or lost.
            if number > link.nextIn, link.gapSince == nil { links[name]?.gapSince = now }
            send(name, "ack", to: node, [("ack", "\(link.nextIn)")])
        default: break
        }
    }

    private mutating func dialled(_ name: String, by node: String, now: Timestamp) {
        if let known = links.first(where: { $0.value.node == node }) {
            // Both dial at once: the link of the lesser name stands. One that stands already stays.
            guard known.value.isOutbound, !known.value.isOpen, node < own else {
                if known.key != name { send(name, "close", to: node) }
                return
            }
            add(node, isOutbound: false, name: name, now: now)
            open(name)
            send(name, "accept", to: node)
            names[known.value.id] = nil
            links[known.key] = nil
            events.append(.dialFailed(node: node))
            return
        }
        add(node, isOutbound: false, name: name, now: now)
        open(name)
        send(name, "accept", to: node)
    }

    private mutating func take(_ frames: [String], _ number: Int, _ name: String, now: Timestamp) {
        guard let link = links[name], number >= link.nextIn, link.early[number] == nil else { return }
        guard link.early.count < Self.earlyCountMax else { return lose(name) }
        links[name]?.early[number] = frames
        while let link = links[name], let next = links[name]?.early.removeValue(forKey: link.nextIn) {
            links[name]?.nextIn += 1
            for text in next {
                guard let data = Data(base64Encoded: text), let first = data.first,
                    let type = FrameType(rawValue: first), data.count - 1 <= type.byteCountMax
                else { return lose(name) }
                events.append(.frame(link.id, type, [UInt8](data.dropFirst())))
            }
        }
        if links[name]?.early.isEmpty == true {
            links[name]?.gapSince = nil
        } else if links[name]?.gapSince == nil {
            links[name]?.gapSince = now
        }
    }

    private mutating func note(_ acknowledged: Int, _ name: String, now: Timestamp) {
        guard let link = links[name], acknowledged > link.acknowledged, acknowledged <= link.nextOut else {
            return
        }
        links[name]?.acknowledged = acknowledged
        links[name]?.probedAt = nil
        links[name]?.unacknowledgedSince = acknowledged == link.nextOut ? nil : now
    }

    // MARK: Time

    /// When ``tick(_:)`` has something to do.
    var nextDeadline: Timestamp? { links.compactMap { deadline($0.value) }.min() }

    private func deadline(_ link: Link) -> Timestamp? {
        if !link.isOpen { return link.dialDeadline }
        let wait = link.unacknowledgedSince.map {
            link.probedAt == nil ? $0 + Self.probeMilliseconds : $0 + Self.lostMilliseconds
        }
        return [link.waitingSince.map { $0 + linger }, link.gapSince.map { $0 + Self.gapMilliseconds }, wait]
            .compactMap { $0 }.min()
    }

    /// Sends what has waited long enough and gives up what is lost.
    mutating func tick(_ now: Timestamp) {
        for name in links.keys.sorted() {
            guard let link = links[name] else { continue }
            if !link.isOpen {
                guard link.dialDeadline <= now else { continue }
                names[link.id] = nil
                links[name] = nil
                events.append(.dialFailed(node: link.node))
                continue
            }
            if let since = link.waitingSince, now - since >= linger { flush(name, now: now) }
            if let since = link.gapSince, now - since >= Self.gapMilliseconds {
                lose(name)
            } else if let since = link.unacknowledgedSince {
                if now - since >= Self.lostMilliseconds {
                    lose(name)
                } else if link.probedAt == nil, now - since >= Self.probeMilliseconds {
                    links[name]?.probedAt = now
                    send(
                        name, "probe", to: link.node, [("seq", "\(link.nextOut)"), ("ack", "\(link.nextIn)")])
                }
            }
        }
    }

    // MARK: Parts

    @discardableResult
    private mutating func add(_ node: String, isOutbound: Bool, name: String?, now: Timestamp) -> String {
        count += 1
        let name = name ?? "\(own)/\(count)"
        let id = PeerLink(rawValue: count)
        links[name] = Link(
            id: id, node: node, isOutbound: isOutbound, isOpen: false,
            dialDeadline: now + Self.dialMilliseconds)
        names[id] = name
        return name
    }

    private mutating func open(_ name: String) {
        guard let link = links[name] else { return }
        links[name]?.isOpen = true
        events.append(.opened(link.id, node: link.node, outbound: link.isOutbound))
    }

    private mutating func flush(_ name: String, now: Timestamp?) {
        guard let link = links[name], !link.waiting.isEmpty else { return }
        let frames = MaelstromMessage.list(link.waiting.map { "\"\($0)\"" })
        let fields = [("seq", "\(link.nextOut)"), ("ack", "\(link.nextIn)"), ("frames", frames)]
        send(name, "data", to: link.node, fields)
        links[name]?.waiting = []
        links[name]?.waitingSince = nil
        links[name]?.nextOut += 1
        if link.unacknowledgedSince == nil { links[name]?.unacknowledgedSince = now }
    }

    /// Closes a link that is not whole any more; the other side is told, if it can be.
    private mutating func lose(_ name: String) { drop(name, isTold: false) }

    private mutating func drop(_ name: String, isTold: Bool) {
        guard let link = links.removeValue(forKey: name) else { return }
        names[link.id] = nil
        if !isTold { send(name, "close", to: link.node) }
        events.append(link.isOpen ? .closed(link.id) : .dialFailed(node: link.node))
    }

    private mutating func send(
        _ name: String, _ operation: String, to node: String, _ fields: [(String, String)] = []
    ) {
        let all = [("op", "\"\(operation)\""), ("link", MaelstromMessage.quoted(name))] + fields
        output.append(
            MaelstromMessage.line(
                from: own, to: node, "mesh", all.map { (key: $0.0, json: $0.1) }))
    }
}
