public import MeshCore
public import MeshIdentity

/// Decides when to dial whom: configured peers for ever, learned addresses while they are useful.
///
/// After a failure it waits from 200 ms, doubling up to 30 s, with up to half of the delay taken
/// off at random so that nodes that lost each other together do not all come back at once.
public struct Dialer: Sendable {
    static let delayFirst: Int64 = 200
    static let delayMax: Int64 = 30_000
    static let learnedCountMax = 64

    private enum State: Sendable, Equatable {
        case due(Timestamp)
        case dialling
        case connected
    }

    private struct Target: Sendable {
        var did: DID?
        var isConfigured: Bool
        var state: State
        var failures = 0
    }

    private let own: DID
    /// By address; listed in sorted order.
    private var targets: [String: Target] = [:]
    private var generator: SeededGenerator

    public init(own: DID, seed: UInt64) {
        self.own = own
        generator = SeededGenerator(seed: seed)
    }

    /// Adds a peer that the operator named.
    public mutating func configure(_ address: String, did: DID?, now: Timestamp) {
        guard did != own else { return }
        targets[address] = Target(did: did, isConfigured: true, state: .due(now))
    }

    /// Takes over what `did` has published last: addresses that it published earlier are forgotten.
    public mutating func learn(_ addresses: [String], did: DID, linked: Bool, now: Timestamp) {
        guard did != own else { return }
        for key in targets.keys.sorted() where !addresses.contains(key) {
            if let target = targets[key], target.did == did, !target.isConfigured { targets[key] = nil }
        }
        for address in addresses {
            if targets[address] != nil {
                if targets[address]?.did == nil { targets[address]?.did = did }
                continue
            }
            guard targets.count < Self.learnedCountMax else { return }
            targets[address] = Target(did: did, isConfigured: false, state: linked ? .connected : .due(now))
        }
    }

    /// Whether there is anyone to ask for our own frontier.
    public var hasTargets: Bool { !targets.isEmpty }

    public mutating func linkOpened(_ peer: DID, address: String, outbound: Bool) {
        if outbound, targets[address] != nil, targets[address]?.did == nil { targets[address]?.did = peer }
        for key in targets.keys.sorted() where targets[key]?.did == peer {
            targets[key]?.state = .connected
            targets[key]?.failures = 0
        }
    }

    /// The peer is gone; `penalty` says whether it misbehaved and must wait longest.
    public mutating func linkClosed(_ peer: DID, penalty: Bool, now: Timestamp) {
        for key in targets.keys.sorted() where targets[key]?.did == peer {
            if penalty { targets[key]?.failures = 8 }
            postpone(key, now: now)
        }
    }

    public mutating func dialFailed(_ address: String, now: Timestamp) {
        guard targets[address]?.state == .dialling else { return }
        postpone(address, now: now)
        // A published address that never answers is forgotten after a while; the next profile brings it back.
        if let target = targets[address], !target.isConfigured, target.failures > 12 {
            targets[address] = nil
        }
    }

    private mutating func postpone(_ address: String, now: Timestamp) {
        guard var target = targets[address] else { return }
        let delay = min(Self.delayMax, Self.delayFirst << Int64(min(target.failures, 8)))
        target.failures += 1
        target.state = .due(now + (delay - Int64.random(in: 0...delay / 2, using: &generator)))
        targets[address] = target
    }

    /// The dials that are due, each at most once until it succeeds or fails.
    public mutating func due(now: Timestamp) -> [(address: String, did: DID?)] {
        var dials: [(address: String, did: DID?)] = []
        for address in targets.keys.sorted() {
            guard let target = targets[address], case .due(let instant) = target.state, instant <= now else {
                continue
            }
            targets[address]?.state = .dialling
            dials.append((address: address, did: target.did))
        }
        return dials
    }

    /// The targets that are not connected.
    public var waiting: [(address: String, did: DID?, isDialling: Bool)] {
        targets.sorted { $0.key < $1.key }.filter { $0.value.state != .connected }
            .map { (address: $0.key, did: $0.value.did, isDialling: $0.value.state == .dialling) }
    }

    /// When the next dial is due.
    public var nextDeadline: Timestamp? {
        targets.compactMap { if case .due(let instant) = $0.value.state { instant } else { nil } }.min()
    }
}
