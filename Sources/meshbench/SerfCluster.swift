internal import Foundation
internal import Glibc
internal import MeshDevnet
internal import Synchronization

/// Agents of Debian's `serf` on loopback, measured as our daemons are.
///
/// User events are watched by the agents' own RPC stream. Failures are read from their log stream, because
/// agents hold member events back for some seconds to gather them.
///
/// Serf comes with settings for one machine (`local`, quicker) and for a network (`lan`, its default, which
/// repeats itself more often and so misses less). Both are measured, and of each figure the better one counts.
final class SerfCluster {
    static let label = "serf, best of profiles local, lan"
    private static let program = "/usr/bin/serf"

    private let directory: String
    private var agents: [ChildProcess] = []
    private var watches: [SerfWatch] = []
    private var rpcPorts: [UInt16] = []

    static func measure(nodeCount: Int, eventCount: Int) throws -> GossipBench.Figures {
        let local = try measure("local", nodeCount: nodeCount, eventCount: eventCount)
        let lan = try measure("lan", nodeCount: nodeCount, eventCount: eventCount)
        return local.better(lan)
    }

    private static func measure(
        _ profile: String, nodeCount: Int, eventCount: Int
    ) throws -> GossipBench.Figures {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw BenchFailure("apt install serf")
        }
        GossipBench.say("starting \(nodeCount) serf agents, profile \(profile)")
        let cluster = try SerfCluster(nodeCount, profile)
        defer { cluster.end() }
        var figures = GossipBench.Figures()
        // It floods and has no tree to form, so that a few are enough to warm it.
        for number in 0..<eventCount + 3 {
            let start = ContinuousClock.now
            let event = "bench-event-\(number)-"
            try cluster.watches[number * 7 % nodeCount].sendEvent(event)
            let times = cluster.watches.map { $0.time([event], until: Date(timeIntervalSinceNow: 20)) }
            guard let last = times.compactMap({ $0 }).max(), !times.contains(nil) else {
                throw BenchFailure("an event of serf did not reach all within 20 s")
            }
            if number >= 3 { figures.events.append(GossipBench.milliseconds(last - start)) }
            Thread.sleep(forTimeInterval: 0.1)
        }
        GossipBench.say("serf: slowest events: \(figures.events.sorted().suffix(5).map { Int($0) }) ms")
        figures.residentMiB = GossipBench.residentMiB(cluster.agents.map(\.processID))
        figures.kill = cluster.loss(of: nodeCount - 1, SIGKILL)
        figures.silence = cluster.loss(of: nodeCount - 2, SIGSTOP)
        return figures
    }

    private init(_ count: Int, _ profile: String) throws {
        directory = "/tmp/meshbench-serf-\(getpid())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        do {
            try start(count, profile)
        } catch {
            end()
            throw error
        }
    }

    private func start(_ count: Int, _ profile: String) throws {
        var first = ""
        for index in 0..<count {
            let gossip = try Self.freePort()
            let rpc = try Self.freePort()
            var words = [
                "agent", "-node=bench-\(index)-", "-bind=127.0.0.1:\(gossip)", "-rpc-addr=127.0.0.1:\(rpc)",
                "-profile=\(profile)", "-log-level=info",
            ]
            if index == 0 { first = "127.0.0.1:\(gossip)" } else { words.append("-join=\(first)") }
            agents.append(try ChildProcess(Self.program, words, log: "\(directory)/\(index).log"))
            rpcPorts.append(rpc)
            if index % 4 == 0 || index == count - 1 { try connectWatches() }
        }
        // All know all when the last has joined at each of them.
        let deadline = Date(timeIntervalSinceNow: 60)
        for watch in watches {
            for other in 0..<count {
                guard watch.time(["EventMemberJoin: bench-\(other)-"], until: deadline) != nil else {
                    throw BenchFailure("the agents did not find each other within a minute")
                }
            }
        }
    }

    private func connectWatches() throws {
        while watches.count < agents.count {
            let port = rpcPorts[watches.count]
            var watch: SerfWatch?
            for _ in 0..<500 where watch == nil {
                watch = SerfWatch(port: port)
                if watch == nil { Thread.sleep(forTimeInterval: 0.02) }
            }
            guard let watch else { throw BenchFailure("agent \(watches.count) does not answer") }
            watches.append(watch)
        }
    }

    private func loss(of victim: Int, _ signal: Int32) -> GossipBench.Loss {
        GossipBench.say("serf: signal \(signal) to one")
        let start = ContinuousClock.now
        agents[victim].signal(signal)
        let deadline = Date(timeIntervalSinceNow: 60)
        let times = watches[..<victim].compactMap {
            $0.time(["EventMemberFailed: bench-\(victim)-"], until: deadline)
        }
        return GossipBench.Loss(times, of: victim, since: start, limit: 60)
    }

    private func end() {
        for agent in agents { agent.signal(SIGKILL) }
        for agent in agents { _ = agent.wait(10) }
        for watch in watches { watch.stop() }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// A port that is free for TCP and, most likely, for UDP.
    private static func freePort() throws -> UInt16 {
        guard let port = FreePort.next() else { throw BenchFailure("no port is free") }
        return port
    }
}

/// One agent's RPC connection: MessagePack over TCP.
///
/// Only what is needed is written and nothing is decoded: what is looked for is text, so the stream is searched
/// for it.
private final class SerfWatch: @unchecked Sendable {
    // Sendable because all mutable state is behind `condition`.

    private let descriptor: Int32
    private let condition = NSCondition()
    private var received: [UInt8] = []
    /// How much was there at what time, in order.
    private var arrivals: [(count: Int, time: ContinuousClock.Instant)] = []
    private var sequence: UInt8 = 3

    init?(port: UInt16) {
        guard let descriptor = FreePort.connect(port) else { return nil }
        self.descriptor = descriptor
        write(Self.command("handshake", 0) + Self.map([("Version", [1])]))
        write(Self.command("stream", 1) + Self.map([("Type", Self.text("user"))]))
        write(Self.command("monitor", 2) + Self.map([("LogLevel", Self.text("INFO"))]))
        let thread = Thread { [self] in readAll() }
        thread.stackSize = 256 << 10
        thread.start()
    }

    func sendEvent(_ name: String) throws {
        let number = condition.withLock {
            sequence = sequence % 100 + 3
            return sequence
        }
        let body = Self.map([("Name", Self.text(name)), ("Payload", Self.text("x")), ("Coalesce", [0xc2])])
        write(Self.command("event", number) + body)
    }

    /// When the stream held one of `needles` for the first time; `nil` when it does not by then.
    func time(_ needles: [String], until deadline: Date) -> ContinuousClock.Instant? {
        let wanted = needles.map { Array($0.utf8) }
        var searched = 0
        return condition.withLock {
            while true {
                for needle in wanted {
                    if let end = Self.find(needle, in: received, from: max(0, searched - needle.count)) {
                        return arrivals.first { $0.count >= end }?.time
                    }
                }
                searched = received.count
                if !condition.wait(until: deadline) { return nil }
            }
        }
    }

    func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private func readAll() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            condition.withLock {
                received += buffer[..<count]
                arrivals.append((received.count, .now))
                condition.broadcast()
            }
        }
        close(descriptor)
    }

    private func write(_ bytes: [UInt8]) {
        _ = unsafe send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= needle.count, start <= bytes.count - needle.count else { return nil }
        for offset in start...bytes.count - needle.count
        where bytes[offset] == needle[0] && bytes[offset..<offset + needle.count].elementsEqual(needle) {
            return offset + needle.count
        }
        return nil
    }

    // MARK: MessagePack

    private static func command(_ name: String, _ number: UInt8) -> [UInt8] {
        map([("Command", text(name)), ("Seq", [number])])
    }

    private static func map(_ fields: [(String, [UInt8])]) -> [UInt8] {
        [0x80 | UInt8(fields.count)] + fields.flatMap { text($0.0) + $0.1 }
    }

    /// Text of fewer than 32 bytes.
    private static func text(_ text: String) -> [UInt8] { [0xa0 | UInt8(text.utf8.count)] + Array(text.utf8) }
}
