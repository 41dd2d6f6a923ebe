import Foundation
import MeshCore
import MeshCrypto
import MeshIdentity
import MeshTransport
import Synchronization
import Testing

/// The events of one transport, for tests that wait for one of them.
final class EventLog: @unchecked Sendable {
    // Sendable because the condition guards the array.
    private let condition = NSCondition()
    private var events: [TransportEvent] = []

    func append(_ batch: [TransportEvent]) {
        condition.withLock {
            events.append(contentsOf: batch)
            condition.broadcast()
        }
    }

    var all: [TransportEvent] { condition.withLock { events } }

    /// Waits until `pick` finds something, at most `seconds`.
    func wait<Value>(
        _ seconds: Double = 20, _ location: SourceLocation = #_sourceLocation,
        for pick: ([TransportEvent]) -> Value?
    ) throws -> Value {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let value = pick(events) { return value }
            guard condition.wait(until: deadline) else {
                Issue.record("nothing of that kind among \(events.suffix(20))", sourceLocation: location)
                throw Missing()
            }
        }
    }

    struct Missing: Error {}

    func opened(_ count: Int = 1) throws -> (link: LinkID, peer: DID, address: SocketAddress, outbound: Bool)
    {
        try wait { events in
            let opened = events.compactMap { event in
                if case .linkOpened(let link, let peer, let address, let outbound) = event {
                    return (link: link, peer: peer, address: address, outbound: outbound)
                }
                return nil
            }
            return opened.count >= count ? opened[count - 1] : nil
        }
    }

    func frames(_ count: Int) throws -> [(link: LinkID, type: UInt8, body: [UInt8])] {
        try wait { events in
            let frames = events.compactMap { event in
                if case .frame(let link, let type, let body) = event {
                    return (link: link, type: type, body: body)
                }
                return nil
            }
            return frames.count >= count ? frames : nil
        }
    }

    func closed(_ link: LinkID) throws -> TransportFailure {
        try wait { events in
            for case .linkClosed(link, _, let reason) in events { return reason }
            return nil
        }
    }

    func refusal(after count: Int = 0) throws -> TransportFailure {
        try wait { events in
            let refusals = events.compactMap { event in
                if case .refused(_, let failure) = event { return failure }
                return nil
            }
            return refusals.count > count ? refusals[count] : nil
        }
    }

    func dialFailure() throws -> TransportError {
        try wait { events in
            for case .dialFailed(_, let error) in events { return error }
            return nil
        }
    }
}

/// One transport with its log; shut down when released.
final class Node: Sendable {
    let identity: Identity
    let log: EventLog
    let transport: TLSTransport

    /// - Parameters:
    ///   - number: Stands for the identity.
    ///   - ignored: A type of frames that the log leaves out.
    ///   - change: Adjusts the configuration.
    /// - Throws: What the transport throws.
    init(
        _ number: UInt8, ignoring ignored: UInt8? = nil,
        _ change: (inout TransportConfiguration) -> Void = { _ in }
    ) throws {
        identity = try Identity(Ed25519PrivateKey(seed: Bytes32([UInt8](repeating: number, count: 32))))
        var configuration = TransportConfiguration(
            identity: identity, listen: try SocketAddress("127.0.0.1:0"),
            frameByteCountMax: { $0 < 12 ? ($0 == 8 ? 1 << 20 : 64 << 10) : nil })
        change(&configuration)
        let log = EventLog()
        self.log = log
        transport = try TLSTransport(configuration) { events in
            guard let ignored else { return log.append(events) }
            log.append(
                events.filter { event in
                    if case .frame(_, ignored, _) = event { return false }
                    return true
                })
        }
    }

    deinit { transport.shutdown() }

    var did: DID { identity.did }

    var address: SocketAddress {
        get throws { try #require(transport.listeningAddress) }
    }

    /// Dials `other` and returns the link at both ends.
    func connect(to other: Node) throws -> (here: LinkID, there: LinkID) {
        transport.dial(try other.address, expecting: other.did)
        let did = did
        let here: LinkID = try log.wait { events in
            for case .linkOpened(let link, other.did, _, true) in events { return link }
            return nil
        }
        let there: LinkID = try other.log.wait { events in
            for case .linkOpened(let link, did, _, false) in events { return link }
            return nil
        }
        return (here, there)
    }
}

/// Something that one thread says to another, once.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
