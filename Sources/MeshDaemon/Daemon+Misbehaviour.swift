internal import MeshEngine
internal import MeshGossip
internal import MeshTransport
internal import Synchronization

import Foundation

/// What a daemon that misbehaves keeps besides.
final class Misdeeds: Sendable {
    let kind: Misbehaviour
    /// Links that something was sent on; those that are closed do no harm.
    private let links = Mutex<Set<PeerLink>>([])

    init(_ kind: Misbehaviour) { self.kind = kind }

    func note(_ used: [PeerLink]) {
        guard kind == .flood else { return }
        links.withLock { known in
            if known.count > 1024 { known.removeAll() }
            known.formUnion(used)
        }
    }

    var targets: [PeerLink] { links.withLock { $0.sorted() } }
}

extension Daemon {
    /// Sends one frame, or what a node that misbehaves sends in its place.
    func send(_ type: FrameType, _ body: [UInt8], to links: [PeerLink]) {
        guard let misdeeds else {
            for link in links { transport?.send(type.rawValue, body, to: LinkID(rawValue: link.rawValue)) }
            return
        }
        misdeeds.note(links)
        for (type, body) in misdeeds.kind.outgoing(type, body, by: identity) {
            for link in links { transport?.send(type.rawValue, body, to: LinkID(rawValue: link.rawValue)) }
        }
    }

    /// Starts what a node that misbehaves does unasked.
    ///
    /// - Returns: What keeps it going.
    func startMisdeeds() -> (any DispatchSourceTimer)? {
        guard let misdeeds else { return nil }
        log(.warning, "this node misbehaves on purpose: \(misdeeds.kind.rawValue)")
        guard misdeeds.kind == .flood else { return nil }
        let timer = DispatchSource.makeTimerSource(queue: .global())
        let sent = Atomic<UInt64>(0)
        let identity = identity
        timer.setEventHandler { [weak self] in
            guard let self else { return }
            let start = sent.add(UInt64(Misbehaviour.floodMessageCount), ordering: .relaxed).oldValue
            let targets = misdeeds.targets
            for (type, body) in Misbehaviour.flood(from: start, by: identity) {
                for link in targets {
                    transport?.send(type.rawValue, body, to: LinkID(rawValue: link.rawValue))
                }
            }
        }
        timer.schedule(deadline: .now() + .milliseconds(50), repeating: .milliseconds(50))
        timer.resume()
        return timer
    }
}
