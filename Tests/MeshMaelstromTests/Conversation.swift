import Foundation
import MeshCore
import Testing

@testable import MeshMaelstrom

/// Several nodes and a network made of arrays, in time that passes only when nothing else happens.
final class Conversation {
    let names: [String]
    private var nodes: [String: MaelstromNode] = [:]
    private(set) var now = Timestamp(milliseconds: 1_800_000_000_000)
    private var flying: [(due: Timestamp, order: Int, line: String)] = []
    private var sent = 0
    private var requests = 0
    /// What clients were told.
    private(set) var replies: [MaelstromMessage] = []
    /// How long a message between nodes takes.
    var latency: (_ message: Int) -> Int64 = { _ in 5 }
    /// Whether a message between two nodes is lost.
    var loses: (_ from: String, _ to: String, _ message: Int) -> Bool = { _, _, _ in false }
    private(set) var betweenNodes = 0

    init(_ count: Int) {
        names = (0..<count).map { "n\($0)" }
        for name in names { nodes[name] = MaelstromNode(lingerMilliseconds: 2) }
        let list = MaelstromMessage.list(names.map(MaelstromMessage.quoted))
        for name in names {
            ask(name, "init", [("node_id", MaelstromMessage.quoted(name)), ("node_ids", list)])
        }
    }

    /// Hands a raw line to a node.
    func say(_ line: String, to name: String) { take(nodes[name]?.receive([line], now: now) ?? []) }

    @discardableResult
    func ask(_ name: String, _ type: String, _ fields: [(String, String)] = []) -> Int {
        requests += 1
        let all = [("msg_id", "\(requests)")] + fields
        say(
            MaelstromMessage.line(from: "c1", to: name, type, all.map { (key: $0.0, json: $0.1) }), to: name)
        return requests
    }

    func reply(to request: Int) -> MaelstromMessage? { replies.last { $0.answered == request } }

    private func take(_ lines: [String]) {
        for line in lines {
            guard let message = MaelstromMessage(line) else {
                Issue.record("no message: \(line)")
                continue
            }
            guard nodes[message.destination] != nil else {
                replies.append(message)
                continue
            }
            betweenNodes += 1
            sent += 1
            if loses(message.source, message.destination, sent) { continue }
            flying.append((now + latency(sent), sent, line))
        }
    }

    /// Lets messages and time pass until `condition` holds.
    func run(milliseconds: Int64 = 60_000, until condition: () -> Bool) -> Bool {
        let end = now + milliseconds
        while !condition() {
            let next = ([flying.map(\.due).min()] + names.map { nodes[$0]?.nextDeadline }).compactMap { $0 }
                .min()
            guard let next, next <= end else { return false }
            now = max(now + 1, next)
            let due = flying.filter { $0.due <= now }.sorted { ($0.due, $0.order) < ($1.due, $1.order) }
            flying.removeAll { $0.due <= now }
            for one in due {
                guard let message = MaelstromMessage(one.line) else { continue }
                take(nodes[message.destination]?.receive([one.line], now: now) ?? [])
            }
            for name in names {
                if let deadline = nodes[name]?.nextDeadline, deadline <= now {
                    take(nodes[name]?.receive([], now: now) ?? [])
                }
            }
        }
        return true
    }

    /// What a node holds now.
    func values(_ name: String, _ field: String = "messages") -> [Int] {
        (reply(to: ask(name, "read"))?.body[field] as? [Int] ?? []).sorted()
    }
}
