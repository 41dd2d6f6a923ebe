import MeshIdentity
import Foundation
import MeshCore
import MeshTestSupport
import MeshTransport
import Testing

@Suite("Links", .tags(.Size.medium), .serialized)
struct LinkTests {
    @Test("two transports learn each other's DID and exchange frames both ways")
    func exchange() throws {
        let (a, b) = (try Node(1), try Node(2))
        let (here, there) = try a.connect(to: b)
        #expect(try a.log.opened().address == b.address)
        #expect(try b.log.opened().peer == a.did)
        #expect(a.transport.send(1, [1, 2, 3], to: here))
        #expect(b.transport.send(2, [], to: there))
        let atB = try b.log.frames(1)[0]
        #expect(atB.link == there && atB.type == 1 && atB.body == [1, 2, 3])
        let atA = try a.log.frames(1)[0]
        #expect(atA.link == here && atA.type == 2 && atA.body.isEmpty)
        #expect(b.transport.statistics.links.map(\.bytesIn) == [8])
        #expect(b.transport.statistics.links.map(\.framesIn) == [1])
    }

    @Test("a link comes from the address that the dialler was told to dial from")
    func dialFrom() throws {
        let source = try SocketAddress("127.77.9.1:4711")
        let (a, b) = (try Node(1) { $0.dialFrom = source }, try Node(2))
        _ = try a.connect(to: b)
        #expect(try b.log.opened().address.host == "127.77.9.1")
        // Many links from one address: the port is the system's choice.
        let c = try Node(3)
        _ = try a.connect(to: c)
        #expect(try c.log.opened().address.host == "127.77.9.1")
    }

    @Test("a dial from an address that this machine has not is a dial that fails")
    func dialFromElsewhere() throws {
        let elsewhere = try SocketAddress("192.0.2.7:0")
        let (a, b) = (try Node(1) { $0.dialFrom = elsewhere }, try Node(2))
        a.transport.dial(try b.address, expecting: b.did)
        #expect(try a.log.dialFailure().code == .connectFailed)
    }

    @Test("many frames of all sizes arrive whole and in order", arguments: Seed.sample(3))
    func order(_ seed: Seed) throws {
        let (a, b) = (try Node(1), try Node(2))
        let (here, _) = try a.connect(to: b)
        var generator = seed.generator
        let sent: [[UInt8]] = (0..<400).map { index in
            let most = index % 40 == 0 ? 1 << 20 : 3000
            return [UInt8](
                repeating: UInt8(truncatingIfNeeded: index),
                count: Int.random(in: 0...most, using: &generator))
        }
        var index = 0
        for body in sent {
            #expect(a.transport.send(8, body, to: here))
            index += 1
            // Stays within the queue: what is far behind must have arrived first.
            if index % 40 == 0 { _ = try b.log.frames(index - 10) }
        }
        let received = try b.log.frames(sent.count)
        #expect(received.map(\.body) == sent)
    }

    @Test("a frame at its cap passes, one over it is refused to the sender")
    func cap() throws {
        let (a, b) = (try Node(1), try Node(2))
        let (here, _) = try a.connect(to: b)
        #expect(!a.transport.send(8, [UInt8](repeating: 1, count: 1 << 20 + 1), to: here))
        #expect(a.transport.send(8, [UInt8](repeating: 1, count: 1 << 20), to: here))
        #expect(try b.log.frames(1)[0].body.count == 1 << 20)
        #expect(a.transport.statistics.count(.oversized) == 1)
    }

    @Test("the receiver closes a link that announces more than its own cap")
    func oversized() throws {
        let a = try Node(1) { $0.frameByteCountMax = { _ in 1 << 20 } }
        let b = try Node(2)
        let (here, there) = try a.connect(to: b)
        a.transport.send(1, [UInt8](repeating: 1, count: 65 << 10), to: here)
        #expect(try b.log.closed(there) == .oversized)
        _ = try a.log.closed(here)
        #expect(b.transport.statistics.count(.oversized) == 1)
        #expect(b.transport.statistics.links.isEmpty)
    }

    @Test("the receiver closes a link that sends an unknown type")
    func unknownType() throws {
        let a = try Node(1) { $0.frameByteCountMax = { _ in 1 << 20 } }
        let b = try Node(2)
        let (here, there) = try a.connect(to: b)
        a.transport.send(200, [], to: here)
        #expect(try b.log.closed(there) == .unknownFrame)
    }

    @Test("close sends what is queued and the farewell before the link ends")
    func farewell() throws {
        let (a, b) = (try Node(1), try Node(2))
        let (here, there) = try a.connect(to: b)
        for number in 0..<100 {
            a.transport.send(8, [UInt8](repeating: UInt8(number), count: 20_000), to: here)
        }
        a.transport.close(here, farewell: [9])
        #expect(try a.log.closed(here) == .closed)
        let received = try b.log.frames(101)
        #expect(received.last?.type == TLSTransport.farewellType)
        #expect(received.last?.body == [9])
        #expect(try b.log.closed(there) == .closedByPeer)
        #expect(!a.transport.send(1, [], to: here))
    }

    @Test("another identity than the expected one is refused on both sides")
    func wrongDID() throws {
        let (a, b, c) = (try Node(1), try Node(2), try Node(3))
        a.transport.dial(try b.address, expecting: c.did)
        #expect(try a.log.dialFailure().code == .wrongDID)
        #expect(try b.log.refusal() == .handshakeFailed)
        #expect(a.transport.statistics.links.isEmpty)
    }

    @Test("a transport does not link to itself")
    func ownIdentity() throws {
        let a = try Node(1)
        a.transport.dial(try a.address, expecting: nil)
        #expect(try a.log.dialFailure().code == .ownIdentity)
        #expect(try a.log.refusal() == .handshakeFailed)
    }

    @Test("who is not admitted gets no link")
    func admission() throws {
        let a = try Node(1)
        let stranger = a.did
        let b = try Node(2) { $0.admits = { $0 != stranger } }
        a.transport.dial(try b.address, expecting: b.did)
        #expect(try b.log.refusal() == .notAdmitted)
        // TLS 1.3 lets the dialler finish first; it learns of the refusal as the end of its link.
        _ = try a.log.closed(try a.log.opened().link)
        b.transport.dial(try a.address, expecting: nil)
        #expect(try b.log.dialFailure().code == .notAdmitted)
    }

    @Test("a dial to a port where nobody listens fails")
    func closedPort() throws {
        let a = try Node(1)
        let gone = try Node(2)
        let address = try gone.address
        gone.transport.shutdown()
        a.transport.dial(address, expecting: nil)
        let error = try a.log.dialFailure()
        #expect(error.code == .connectionRefused)
        #expect(error.message.contains(address.description))
    }

    @Test("a host name is looked up, and one that does not exist fails")
    func names() throws {
        let (a, b) = (try Node(1), try Node(2))
        a.transport.dial(try SocketAddress("does-not-exist.invalid:1"), expecting: nil)
        #expect(try a.log.dialFailure().code == .nameUnresolved)
        let port = try b.address.port
        a.transport.dial(try SocketAddress("localhost:\(port)"), expecting: b.did)
        #expect(try a.log.opened().peer == b.did)
    }

    @Test("a taken port is a clear error")
    func takenPort() throws {
        let a = try Node(1)
        let taken = try a.address
        #expect(throws: TransportError(.addressInUse, "")) { try Node(2) { $0.listen = taken } }
    }

    @Test(
        "links that both sides dial at once become one, the one that the smaller DID dialled",
        arguments: 1...12)
    func simultaneous(_ round: Int) throws {
        let (a, b) = (try Node(UInt8(round)), try Node(UInt8(100 + round)))
        a.transport.dial(try b.address, expecting: b.did)
        b.transport.dial(try a.address, expecting: a.did)
        let (smaller, larger) = a.did < b.did ? (a, b) : (b, a)
        let kept: LinkID = try smaller.log.wait { events in
            for case .linkOpened(let link, _, _, true) in events { return link }
            return nil
        }
        smaller.transport.send(1, [7], to: kept)
        let frame = try larger.log.frames(1)[0]
        let atLarger: LinkID = try larger.log.wait { events in
            for case .linkOpened(let link, _, _, false) in events { return link }
            return nil
        }
        #expect(frame.link == atLarger)
        // The other link is gone at both ends, and nothing closed the one that was kept.
        let _: Bool = try larger.log.wait { events in
            let open = events.reduce(into: Set<LinkID>()) { open, event in
                if case .linkOpened(let link, _, _, _) = event { open.insert(link) }
                if case .linkClosed(let link, _, _) = event { open.remove(link) }
            }
            return open == [atLarger] ? true : nil
        }
        larger.transport.send(2, [8], to: atLarger)
        #expect(try smaller.log.frames(1)[0].link == kept)
    }

    @Test("a second dial to the same peer keeps the first link")
    func secondDial() throws {
        let (a, b) = (try Node(1), try Node(2))
        let (here, there) = try a.connect(to: b)
        a.transport.dial(try b.address, expecting: nil)
        #expect(try a.log.dialFailure().code == .duplicate)
        a.transport.send(1, [1], to: here)
        #expect(try b.log.frames(1)[0].link == there)
        #expect(b.transport.statistics.links.map(\.id) == [there])
    }

    @Test("a peer that lost its link without a word takes it over with a new one")
    func takeover() throws {
        let b = try Node(2)
        let first = try Node(1)
        let (_, old) = try first.connect(to: b)
        // The same identity again, as after a crash whose end nobody saw.
        let second = try Node(1)
        second.transport.dial(try b.address, expecting: b.did)
        let link = try second.log.opened().link
        second.transport.send(1, [5], to: link)
        #expect(try b.log.closed(old) == .duplicate)
        let frame = try b.log.frames(1)[0]
        #expect(frame.body == [5])
        #expect(try b.log.opened(2).link == frame.link)
    }

    @Test("a peer holds one link and one in waiting, which follows when the first is gone")
    func waiting() throws {
        let a = try Node(1)
        let address = try a.address
        var first: RawPeer? = try RawPeer(2)
        try first?.connect(to: address)
        let old = try a.log.opened().link
        let second = try RawPeer(2)
        try second.connect(to: address)
        let third = try RawPeer(2)
        try third.connect(to: address)
        #expect(try a.log.refusal() == .duplicate)
        #expect(a.transport.statistics.links.map(\.id) == [old])
        first = nil
        #expect(try a.log.closed(old) == .connectionLost)
        let next = try a.log.opened(2)
        #expect(next.peer == second.did)
        #expect(a.transport.statistics.links.map(\.id) == [next.link])
        second.write([0, 0, 0, 2, 1, 77])
        #expect(try a.log.frames(1)[0].body == [77])
    }

    @Test(
        "IPv6 carries links as IPv4 does",
        .enabled(
            if: (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8))?.contains(" lo") == true,
            "this machine has no IPv6 loopback"))
    func ipv6() throws {
        let a = try Node(1) { $0.listen = try? SocketAddress("[::1]:0") }
        let b = try Node(2)
        let (here, _) = try b.connect(to: a)
        #expect(try a.log.opened().address.host == "::1")
        b.transport.send(1, [1], to: here)
        #expect(try a.log.frames(1)[0].body == [1])
    }

    @Test("a reader that does not read loses only its own link")
    func overflow() throws {
        let slow = try RawPeer(3)
        let a = try Node(1) { $0.sendQueueByteCountMax = 1 << 20 }
        let b = try Node(2)
        let (_, good) = try b.connect(to: a)
        try slow.connect(to: try a.address)
        let stuck: LinkID = try a.log.wait { events in
            for case .linkOpened(let link, slow.did, _, _) in events { return link }
            return nil
        }
        let body = [UInt8](repeating: 1, count: 60_000)
        var count = 0
        while a.transport.send(1, body, to: stuck), count < 2000 { count += 1 }
        #expect(count < 2000)
        #expect(try a.log.closed(stuck) == .overflow)
        a.transport.send(1, [4], to: good)
        #expect(try b.log.frames(1)[0].body == [4])
    }

    @Test("frames that may be dropped give way, oldest first, and the link lives")
    func dropping() throws {
        let a = try Node(1) {
            $0.sendQueueByteCountMax = 1 << 20
            $0.droppable = { $0 == 3 }
        }
        let slow = try RawPeer(3)
        try slow.connect(to: try a.address)
        let link = try a.log.opened().link
        let body = [UInt8](repeating: 1, count: 60_000)
        for _ in 0..<1000 { a.transport.send(3, body, to: link) }
        let statistics = try #require(a.transport.statistics.links.first)
        #expect(statistics.framesDropped > 0)
        #expect(statistics.queuedByteCount <= 1 << 20)
        #expect(a.transport.send(1, [6], to: link))
        // Whoever reads at last finds whole frames and the one that was not to be dropped.
        #expect(try slow.readFrames(untilType: 1) == [6])
    }

    @Test("a peer that floods us does not keep another from being heard")
    func fairness() throws {
        let a = try Node(1, ignoring: 3)
        let b = try Node(2)
        let flooder = try Node(3) { $0.droppable = { $0 == 3 } }
        let (here, there) = try b.connect(to: a)
        let (flood, _) = try flooder.connect(to: a)
        let stopped = DispatchSemaphore(value: 0)
        let flag = Flag()
        Thread.detachNewThread {
            let body = [UInt8](repeating: 5, count: 1000)
            while !flag.isSet { flooder.transport.send(3, body, to: flood) }
            stopped.signal()
        }
        func floodCount() -> UInt64 {
            a.transport.statistics.links.first { $0.peer == flooder.did }?.framesIn ?? 0
        }
        var number = 0
        while number < 50 || (floodCount() < 20_000 && number < 100_000) {
            number += 1
            a.transport.send(2, [], to: there)
            _ = try b.log.wait { $0.count > number ? true : nil }
            b.transport.send(2, [], to: here)
            _ = try a.log.wait { $0.count > number + 1 ? true : nil }
        }
        flag.set()
        #expect(stopped.wait(timeout: .now() + 20) == .success)
        #expect(floodCount() >= 20_000)
    }

    @Test("a link on which nothing is heard ends")
    func idle() throws {
        let a = try Node(1) { $0.idleDeadline = .milliseconds(100) }
        let b = try Node(2)
        let (here, there) = try a.connect(to: b)
        #expect(try a.log.closed(here) == .idle)
        #expect(try b.log.closed(there) == .closedByPeer)
    }
}
