import Foundation
import MeshIdentity
import MeshTestSupport
import MeshTransport
import Synchronization
import Testing

/// Figures for people; what is asserted is only that everything arrived.
@Suite(
    "Measurements", .tags(.Size.large), .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["MESH_MEASURE"] != nil,
        "prints figures, which mean something only in a release build: set MESH_MEASURE=1"))
struct MeasurementTests {
    /// A transport that answers from inside its event handler.
    private final class Responder: Sendable {
        let transport = Mutex<TLSTransport?>(nil)
        let done = DispatchSemaphore(value: 0)
        let handler: @Sendable (TLSTransport, TransportEvent, DispatchSemaphore) -> Void

        init(_ handler: @escaping @Sendable (TLSTransport, TransportEvent, DispatchSemaphore) -> Void) {
            self.handler = handler
        }

        func start(_ number: UInt8) throws -> TLSTransport {
            let node = try Node(number)
            let identity = node.identity
            var configuration = TransportConfiguration(
                identity: identity, listen: try SocketAddress("127.0.0.1:0"),
                frameByteCountMax: { _ in 1 << 20 })
            configuration.sendQueueByteCountMax = 64 << 20
            let made = try TLSTransport(configuration) { [self] events in
                guard let transport = transport.withLock({ $0 }) else { return }
                for event in events { handler(transport, event, done) }
            }
            transport.withLock { $0 = made }
            return made
        }

        func stop() { transport.withLock { $0.take() }?.shutdown() }
    }

    @Test("round trips of 200-byte frames")
    func roundTrips() throws {
        let count = 50_000
        let echo = Responder { transport, event, _ in
            if case .frame(let link, let type, let body) = event { transport.send(type, body, to: link) }
        }
        let times = Mutex<[ContinuousClock.Instant]>([])
        let body = [UInt8](repeating: 7, count: 200)
        let caller = Responder { transport, event, done in
            let link: LinkID
            switch event {
            case .linkOpened(let opened, _, _, _): link = opened
            case .frame(let carrier, _, _): link = carrier
            default: return
            }
            let soFar = times.withLock { times in
                times.append(.now)
                return times.count
            }
            if soFar > count { done.signal() } else { transport.send(1, body, to: link) }
        }
        let server = try echo.start(1)
        let client = try caller.start(2)
        defer {
            caller.stop()
            echo.stop()
        }
        client.dial(try #require(server.listeningAddress), expecting: nil)
        #expect(caller.done.wait(timeout: .now() + 120) == .success)
        let instants = times.withLock { $0 }
        let trips = zip(instants, instants.dropFirst()).map { ($1 - $0) / .microseconds(1) }.sorted()
        #expect(trips.count == count)
        print("round trip of 200 B: p50 \(trips[count / 2]) µs, p99 \(trips[count / 100 * 99]) µs")
    }

    @Test("frames of 1 KiB in one direction")
    func frameRate() throws {
        let count = 1_000_000
        let received = Mutex(0)
        let sink = Responder { transport, event, done in
            guard case .frame(let link, _, _) = event else { return }
            let soFar = received.withLock { received in
                received += 1
                return received
            }
            if soFar % 4096 == 0 { transport.send(2, [], to: link) }
            if soFar == count { done.signal() }
        }
        let opened = Mutex<LinkID?>(nil)
        // One permit for each acknowledgement keeps the queue within bounds.
        let permits = DispatchSemaphore(value: 0)
        for _ in 0..<4 { permits.signal() }
        let source = Responder { _, event, done in
            switch event {
            case .linkOpened(let link, _, _, _):
                opened.withLock { $0 = link }
                done.signal()
            case .frame: permits.signal()
            default: return
            }
        }
        let server = try sink.start(1)
        let client = try source.start(2)
        defer {
            source.stop()
            sink.stop()
        }
        client.dial(try #require(server.listeningAddress), expecting: nil)
        #expect(source.done.wait(timeout: .now() + 20) == .success)
        let link = try #require(opened.withLock { $0 })
        let body = [UInt8](repeating: 7, count: 1024)
        let start = ContinuousClock.now
        for index in 0..<count {
            if index % 4096 == 0 { #expect(permits.wait(timeout: .now() + 20) == .success) }
            client.send(1, body, to: link)
        }
        #expect(sink.done.wait(timeout: .now() + 120) == .success)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        print("frames of 1 KiB: \(Int(Double(count) / seconds)) a second")
        #expect(received.withLock { $0 } == count)
    }

    @Test("handshakes, one after the other, both ends on one machine")
    func handshakes() throws {
        let server = try Node(1)
        let address = try server.address
        // Each with an identity of its own, or they would take each other's place.
        let count = 240
        let start = ContinuousClock.now
        for number in 0..<count {
            let peer = try RawPeer(UInt8(2 + number))
            try peer.connect(to: address)
        }
        _ = try server.log.opened(count)
        print("handshakes: \(Int(Double(count) / ((ContinuousClock.now - start) / .seconds(1)))) a second")
    }
}
