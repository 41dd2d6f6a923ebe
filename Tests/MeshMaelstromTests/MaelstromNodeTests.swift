import MeshCore
import MeshTestSupport
import Testing

@testable import MeshMaelstrom

@Suite("A node under Maelstrom", .tags(.Size.medium))
struct MaelstromNodeTests {
    @Test("init is answered once, and nothing before it")
    func start() throws {
        let node = MaelstromNode(lingerMilliseconds: 0)
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        func ask(_ body: String) throws -> MaelstromMessage {
            let lines = node.receive([#"{"src":"c1","dest":"n1","body":\#(body)}"#], now: now)
            return try #require(lines.first.flatMap { MaelstromMessage($0) })
        }
        #expect(try ask(#"{"type":"read","msg_id":1}"#).integer("code") == 11)
        #expect(try ask(#"{"type":"init","msg_id":2}"#).integer("code") == 12)
        let done = try ask(#"{"type":"init","msg_id":3,"node_id":"n1","node_ids":["n1"]}"#)
        #expect(done.type == "init_ok")
        #expect(done.answered == 3)
        #expect(done.source == "n1" && done.destination == "c1")
        #expect(
            try ask(#"{"type":"init","msg_id":4,"node_id":"n2","node_ids":["n2"]}"#).integer("code") == 12)
        #expect(node.receive(["", "no JSON", "[]", #"{"src":1}"#], now: now) == [])
    }

    @Test("echo gives back what it was given, whatever JSON that is")
    func echo() throws {
        let mesh = Conversation(1)
        for json in ["\"a \\\"quoted\\\" \\u0001 é\"", "[1,2.5,null,true]", "{\"a\":{\"b\":[]}}"] {
            let reply = try #require(mesh.reply(to: mesh.ask("n0", "echo", [("echo", json)])))
            #expect(reply.type == "echo_ok")
            let expected = MaelstromMessage(MaelstromMessage.line(from: "a", to: "b", "c", [("echo", json)]))
            #expect(reply.canonical("echo") == expected?.canonical("echo"))
        }
    }

    @Test("What nobody here understands is refused with the protocol's codes")
    func refusals() throws {
        let mesh = Conversation(1)
        #expect(mesh.reply(to: mesh.ask("n0", "cas"))?.integer("code") == 10)
        #expect(mesh.reply(to: mesh.ask("n0", "broadcast"))?.integer("code") == 12)
        let large = "\"" + String(repeating: "x", count: MaelstromNode.valueByteCountMax) + "\""
        #expect(mesh.reply(to: mesh.ask("n0", "add", [("element", large)]))?.integer("code") == 12)
        let count = mesh.replies.count
        mesh.say(#"{"src":"n9","dest":"n0","body":{"type":"error","in_reply_to":4,"code":13}}"#, to: "n0")
        mesh.say(#"{"src":"n9","dest":"n0","body":{"type":"mesh","op":"close","link":"n9/1"}}"#, to: "n0")
        #expect(mesh.replies.count == count)
    }

    @Test("Every value that is broadcast is acknowledged and comes to every node, once")
    func broadcast() throws {
        let mesh = Conversation(5)
        let topology = "{" + mesh.names.map { "\"\($0)\":[]" }.joined(separator: ",") + "}"
        for name in mesh.names {
            #expect(
                mesh.reply(to: mesh.ask(name, "topology", [("topology", topology)]))?.type == "topology_ok")
        }
        var asked: [Int] = []
        for value in 0..<20 {
            asked.append(mesh.ask(mesh.names[value % 5], "broadcast", [("message", "\(value)")]))
        }
        asked.append(mesh.ask("n3", "broadcast", [("message", "7")]))
        #expect(mesh.run { asked.allSatisfy { mesh.reply(to: $0)?.type == "broadcast_ok" } })
        let all = Array(0..<20)
        #expect(mesh.run { mesh.names.allSatisfy { mesh.values($0) == all } })
        #expect(mesh.betweenNodes > 0)
    }

    @Test("A set grows by what is added, and is read as a value")
    func growOnlySet() throws {
        let mesh = Conversation(3)
        let added = (0..<3).map { mesh.ask("n\($0)", "add", [("element", "\(100 + $0)")]) }
        #expect(mesh.run { added.allSatisfy { mesh.reply(to: $0)?.type == "add_ok" } })
        #expect(mesh.run { mesh.names.allSatisfy { mesh.values($0, "value") == [100, 101, 102] } })
    }

    @Test("Messages that overtake each other change nothing", arguments: Seed.sample(5))
    func reordered(seed: Seed) throws {
        let mesh = Conversation(4)
        var generator = seed.generator
        var delays: [Int64] = []
        mesh.latency = { number in
            while delays.count <= number { delays.append(Int64.random(in: 1...300, using: &generator)) }
            return delays[number]
        }
        for value in 0..<12 { mesh.ask(mesh.names[value % 4], "broadcast", [("message", "\(value)")]) }
        #expect(mesh.run { mesh.names.allSatisfy { mesh.values($0) == Array(0..<12) } })
    }

    @Test("After a partition that lost messages, both halves come to hold everything")
    func partition() throws {
        let mesh = Conversation(4)
        for name in mesh.names { mesh.ask(name, "topology", [("topology", "{}")]) }
        mesh.ask("n0", "broadcast", [("message", "0")])
        #expect(mesh.run { mesh.names.allSatisfy { mesh.values($0) == [0] } })
        let left: Set = ["n0", "n1"]
        mesh.loses = { from, to, _ in left.contains(from) != left.contains(to) }
        mesh.ask("n0", "broadcast", [("message", "1")])
        mesh.ask("n3", "broadcast", [("message", "2")])
        #expect(mesh.run { mesh.values("n1") == [0, 1] && mesh.values("n2") == [0, 2] })
        #expect(!mesh.run(milliseconds: 10_000) { mesh.values("n1").contains(2) })
        mesh.loses = { _, _, _ in false }
        #expect(mesh.run(milliseconds: 120_000) { mesh.names.allSatisfy { mesh.values($0) == [0, 1, 2] } })
    }

    @Test("One lost message does not keep a value from anyone")
    func singleLoss() throws {
        for lost in stride(from: 60, through: 100, by: 8) {
            let mesh = Conversation(3)
            mesh.loses = { _, _, number in number == lost }
            for value in 0..<6 {
                mesh.ask(mesh.names[value % 3], "broadcast", [("message", "\(value)")])
                _ = mesh.run(milliseconds: 50) { false }
            }
            #expect(
                mesh.run(milliseconds: 120_000) { mesh.names.allSatisfy { mesh.values($0) == Array(0..<6) } },
                "message \(lost)")
        }
    }
}

@Suite("What a check makes of a history", .tags(.Size.small))
struct MaelstromHistoryTests {
    private let start = ContinuousClock.now

    private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    @Test("A value is stable from the last read that lacked it on, counted from its acknowledgement")
    func latency() {
        var history = MaelstromHistory()
        history.asked(1, at: at(0))
        history.asked(2, at: at(0))
        // Before it is acknowledged, nobody need find it.
        history.read([], begun: at(5))
        history.acknowledged(1, at: at(10))
        history.acknowledged(2, at: at(10))
        history.read([1], begun: at(110))
        history.read([1, 2], begun: at(200))
        #expect(history.stableLatencies == [.zero, .milliseconds(100)])
        #expect(history.acknowledgedCount == 2)
    }

    @Test(
        "An acknowledged value that one node's last read lacks is lost; one that was never acknowledged is not"
    )
    func lost() {
        var history = MaelstromHistory()
        for value in 1...3 { history.asked(value, at: at(0)) }
        history.acknowledged(1, at: at(1))
        history.acknowledged(2, at: at(1))
        #expect(history.lost([[1, 2], [1, 2]]) == [])
        #expect(history.lost([[1, 2], [1]]) == [2])
        #expect(history.lost([[], []]) == [1, 2])
    }

    @Test("Values that nobody asked for, and values that stand twice in one read, are found")
    func invented() {
        var history = MaelstromHistory()
        history.asked(1, at: at(0))
        history.read([1, 9], begun: at(1))
        history.read([1, 1], begun: at(2))
        #expect(history.invented == [9])
        #expect(history.doubled == [1])
        var report = MaelstromCheck.Report()
        report.history = history
        #expect(!report.isValid)
    }
}
