internal import Foundation
internal import Glibc
internal import MeshCore
internal import MeshDevnet

/// The network of a check: the nodes' processes, and the messages on their way between them.
///
/// Used by one thread. Messages between nodes take their latency, independently of each other, so that they
/// overtake; those of clients take none, as with Maelstrom.
final class MaelstromRouter {
    private struct Node {
        let process: ChildProcess
        let input: FileHandle
        let output: FileHandle
        var incoming: [UInt8] = []
        var outgoing: [UInt8] = []
    }

    let names: [String]
    private var nodes: [Node] = []
    private var indexes: [String: Int] = [:]
    /// Latest first, so that the next is taken off the end.
    private var flying: [(due: ContinuousClock.Instant, node: Int, line: [UInt8])] = []
    private var generator: SeededGenerator
    private let latency: MaelstromLatency
    /// Which side of a partition each node is on; empty when there is none.
    var sides: [Bool] = []
    private(set) var serverMessageCount = 0
    private(set) var serverByteCount = 0
    private(set) var lostMessageCount = 0
    /// What nodes say to clients.
    var replies: [MaelstromMessage] = []

    /// Starts the nodes, `program maelstrom ARGUMENTS` each.
    init(
        _ program: String, _ arguments: [String], count: Int, latency: MaelstromLatency, seed: UInt64,
        log: String?
    ) throws {
        names = (0..<count).map { "n\($0)" }
        generator = SeededGenerator(seed: seed)
        self.latency = latency
        for (index, name) in names.enumerated() {
            let input = try Self.pipe()
            let output = try Self.pipe()
            let process = try ChildProcess(
                program, ["maelstrom"] + arguments, input: input.reading, output: output.writing, log: log)
            _ = fcntl(input.writing.fileDescriptor, F_SETFL, O_NONBLOCK)
            _ = fcntl(output.reading.fileDescriptor, F_SETFL, O_NONBLOCK)
            nodes.append(Node(process: process, input: input.writing, output: output.reading))
            indexes[name] = index
        }
    }

    deinit { end() }

    /// Ends the processes.
    func end() {
        for node in nodes { node.process.signal(SIGKILL) }
        for node in nodes { _ = node.process.wait(10) }
        nodes = []
    }

    private static func pipe() throws -> (reading: FileHandle, writing: FileHandle) {
        var ends: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&ends) == 0 else { throw DevnetError("no pipe") }
        // Else every child would hold the ends of all that were started before it.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (
            FileHandle(fileDescriptor: ends[0], closeOnDealloc: true),
            FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        )
    }

    /// Hands a client's line to a node at once.
    func send(_ line: String, to node: Int) {
        nodes[node].outgoing += Array(line.utf8) + [UInt8(ascii: "\n")]
    }

    /// Moves what can be moved until `deadline` or until nodes have said something to clients.
    ///
    /// - Throws: When a node has ended.
    func run(until deadline: ContinuousClock.Instant) throws {
        repeat {
            deliverDue()
            var entries = nodes.map { node in
                pollfd(fd: node.output.fileDescriptor, events: Int16(POLLIN), revents: 0)
            }
            entries += nodes.map { node in
                pollfd(
                    fd: node.outgoing.isEmpty ? -1 : node.input.fileDescriptor, events: Int16(POLLOUT),
                    revents: 0)
            }
            let next = min(deadline, flying.last?.due ?? deadline)
            let wait = max(0, min(1_000, ((next - .now) / .milliseconds(1)).rounded(.up)))
            _ = unsafe poll(&entries, nfds_t(entries.count), Int32(wait))
            for index in nodes.indices {
                if entries[index].revents != 0 { try read(index) }
                if entries[nodes.count + index].revents != 0 { write(index) }
            }
        } while replies.isEmpty && .now < deadline
    }

    private func deliverDue() {
        let now = ContinuousClock.now
        while let next = flying.last, next.due <= now {
            flying.removeLast()
            nodes[next.node].outgoing += next.line
        }
    }

    private func read(_ index: Int) throws {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe Glibc.read(nodes[index].output.fileDescriptor, &buffer, buffer.count)
        if count == 0 { throw DevnetError("node \(names[index]) has ended") }
        guard count > 0 else { return }
        nodes[index].incoming += buffer[..<count]
        guard let end = nodes[index].incoming.lastIndex(of: UInt8(ascii: "\n")) else { return }
        let lines = nodes[index].incoming[..<end].split(separator: UInt8(ascii: "\n"))
        for line in lines { route(Array(line), from: index) }
        nodes[index].incoming.removeFirst(end + 1)
    }

    private func route(_ line: [UInt8], from sender: Int) {
        guard let message = MaelstromMessage(Data(line)) else { return }
        guard let receiver = indexes[message.destination] else {
            replies.append(message)
            return
        }
        serverMessageCount += 1
        serverByteCount += line.count
        if !sides.isEmpty, sides[sender] != sides[receiver] {
            lostMessageCount += 1
            return
        }
        let due = ContinuousClock.now + latency.draw(&generator)
        var low = 0
        var high = flying.count
        while low < high {
            let middle = (low + high) / 2
            if flying[middle].due > due { low = middle + 1 } else { high = middle }
        }
        flying.insert((due, receiver, line + [UInt8(ascii: "\n")]), at: low)
    }

    private func write(_ index: Int) {
        let node = nodes[index]
        let count = unsafe node.outgoing.withUnsafeBytes { raw in
            unsafe Glibc.write(node.input.fileDescriptor, raw.baseAddress, raw.count)
        }
        if count > 0 { nodes[index].outgoing.removeFirst(count) }
    }
}

/// How long messages between nodes take.
struct MaelstromLatency {
    enum Shape: String, CaseIterable { case constant, uniform, exponential }

    let mean: Duration
    let shape: Shape

    func draw(_ generator: inout SeededGenerator) -> Duration {
        switch shape {
        case .constant: mean
        case .uniform: mean * Double.random(in: 0...2, using: &generator)
        case .exponential: mean * -log(1 - Double.random(in: 0..<1, using: &generator))
        }
    }
}
