import Glibc
import MeshCore
import MeshTestSupport
import Testing

@testable import MeshDevnet

/// A socket that a test waits for.
private struct Waiting {
    struct TooLate: Error {}

    let socket: LoopbackSocket

    /// Waits until the socket can be read or, if `writing`, written.
    static func until(_ descriptor: Int32, _ events: Int32, milliseconds: Int32 = 20_000) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        return unsafe poll(&entry, 1, milliseconds) > 0
    }

    /// The next bytes, or how the connection ended.
    func receive() throws -> LoopbackSocket.Received {
        guard Self.until(socket.descriptor, POLLIN) else { throw TooLate() }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        return socket.receive(into: &buffer)
    }

    /// Exactly `count` bytes.
    func receive(_ count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            guard case .bytes(let bytes) = try receive() else { throw TooLate() }
            all += bytes
        }
        return all
    }

    func send(_ text: String) { #expect(socket.send(Array(text.utf8), from: 0) == text.utf8.count) }
}

/// Plain sockets on both sides of a relay; node 0 is the target, the others dial it.
private final class Scene {
    let relay: Relay
    private let listener: LoopbackSocket
    private let port: UInt16

    init() throws {
        relay = try Relay(seed: 1)
        listener = try LoopbackSocket.listening(on: LoopbackNetwork.bytes(of: 0))
        port = try relay.open(target: 0)
        relay.aim(target: 0, at: listener.port)
    }

    deinit { relay.stop() }

    func dial(from node: Int) throws -> Waiting {
        let socket = try #require(
            LoopbackSocket.connecting(to: [127, 0, 0, 1], port, from: LoopbackNetwork.bytes(of: node)))
        _ = Waiting.until(socket.descriptor, POLLOUT)
        return Waiting(socket: socket)
    }

    /// The next connection that reaches the target, with the node that it comes from.
    func accept() throws -> (Waiting, node: Int?) {
        guard Waiting.until(listener.descriptor, POLLIN) else { throw Waiting.TooLate() }
        let (socket, host) = try #require(listener.accept())
        return (Waiting(socket: socket), LoopbackNetwork.index(of: host))
    }

    /// Both ends of a connection of `node`, once a byte has gone each way.
    func connected(_ node: Int) throws -> (near: Waiting, far: Waiting) {
        let near = try dial(from: node)
        let (far, seen) = try accept()
        #expect(seen == node)
        near.send("?")
        #expect(try far.receive(1) == Array("?".utf8))
        far.send("!")
        #expect(try near.receive(1) == Array("!".utf8))
        return (near, far)
    }
}

@Suite("The relay between nodes", .tags(.Size.medium), .serialized)
struct RelayTests {
    @Test("Bytes pass both ways unchanged, and the target sees the dialler's own address")
    func passes() throws {
        let scene = try Scene()
        let (near, far) = try scene.connected(3)
        let large = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var sent = 0
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while received.count < large.count {
            if sent < large.count { sent += try #require(far.socket.send(large, from: sent)) }
            guard Waiting.until(near.socket.descriptor, POLLIN) else { throw Waiting.TooLate() }
            if case .bytes(let bytes) = near.socket.receive(into: &buffer) { received += bytes }
        }
        #expect(received == large)
    }

    @Test("The bytes of a slow dialler arrive behind those that a quick one sent later")
    func latency() throws {
        let scene = try Scene()
        scene.relay.setRule(from: 1, to: 0) { $0.latency = .constant(.milliseconds(400)) }
        let slow = try scene.dial(from: 1)
        slow.send("slow")
        // The connection itself is there at once, only what it carries is late.
        let (slowFar, first) = try scene.accept()
        #expect(first == 1)
        let (quick, quickFar) = try scene.connected(2)
        quick.send("quick")
        #expect(try quickFar.receive(5) == Array("quick".utf8))
        var buffer = [UInt8](repeating: 0, count: 16)
        guard case .nothing = slowFar.socket.receive(into: &buffer) else {
            Issue.record("what was slow is here already")
            return
        }
        #expect(try slowFar.receive(4) == Array("slow".utf8))
    }

    @Test("A one-way partition holds up one direction, tells nobody, and loses nothing")
    func oneWay() throws {
        let scene = try Scene()
        let (near, far) = try scene.connected(1)
        scene.relay.setRule(from: 1, to: 0) { $0.isBlocked = true }
        near.send("held up")
        far.send("passes")
        #expect(try near.receive(6) == Array("passes".utf8))
        var buffer = [UInt8](repeating: 0, count: 16)
        guard case .nothing = far.socket.receive(into: &buffer) else {
            Issue.record("a blocked direction let something through")
            return
        }
        scene.relay.setRule(from: 1, to: 0) { $0.isBlocked = false }
        #expect(try far.receive(7) == Array("held up".utf8))
    }

    @Test("Behind a partition nobody is reached; who waits for it is when it heals")
    func partition() throws {
        let scene = try Scene()
        for (from, to) in [(1, 0), (0, 1)] { scene.relay.setRule(from: from, to: to) { $0.isBlocked = true } }
        let cutOff = try scene.dial(from: 1)
        cutOff.send("hello?")
        // Others are: and the target has not seen the first one, though it dialled before.
        _ = try scene.connected(2)
        for (from, to) in [(1, 0), (0, 1)] {
            scene.relay.setRule(from: from, to: to) { $0.isBlocked = false }
        }
        let (far, node) = try scene.accept()
        #expect(node == 1)
        #expect(try far.receive(6) == Array("hello?".utf8))
    }

    @Test("A reset breaks the connections of two nodes on both sides, and no others")
    func reset() throws {
        let scene = try Scene()
        let (near, far) = try scene.connected(1)
        let (other, otherFar) = try scene.connected(2)
        scene.relay.reset(0, 1)
        for end in [near, far] {
            guard case .reset = try end.receive() else {
                Issue.record("the connection was not reset")
                return
            }
        }
        other.send("still here")
        #expect(try otherFar.receive(10) == Array("still here".utf8))
        _ = try scene.connected(1)
    }

    @Test("A cut resets what stands and refuses what is new, until it is mended")
    func cut() throws {
        let scene = try Scene()
        // The far end is kept: a socket that nobody holds is closed, and near would see an orderly end first.
        let (near, far) = try scene.connected(1)
        scene.relay.setRule(from: 0, to: 1) { $0.isCut = true }
        for end in [near, far, try scene.dial(from: 1)] {
            guard case .reset = try end.receive() else {
                Issue.record("a cut link went on")
                return
            }
        }
        scene.relay.setRule(from: 0, to: 1) { $0.isCut = false }
        _ = try scene.connected(1)
        #expect(scene.relay.statistics.resets == 2)
    }

    @Test("The end of one side is the end of the other, behind all that was sent")
    func end() throws {
        let scene = try Scene()
        scene.relay.setRule(from: 0, to: 1) { $0.bytesPerSecond = 2_000_000 }
        let near = try scene.dial(from: 1)
        do {
            let (far, _) = try scene.accept()
            #expect(far.socket.send([UInt8](repeating: 1, count: 50_000), from: 0) == 50_000)
        }
        #expect(try near.receive(50_000).count == 50_000)
        guard case .end = try near.receive() else {
            Issue.record("the connection did not end")
            return
        }
    }

    @Test("A target that nobody listens at is a connection that breaks")
    func absent() throws {
        let scene = try Scene()
        scene.relay.aim(target: 0, at: 1)
        guard case .reset = try scene.dial(from: 1).receive() else {
            Issue.record("a connection to nobody stands")
            return
        }
    }
}
