internal import MeshEngine
internal import MeshIdentity
internal import MeshTransport
internal import Synchronization

/// What strangers and peers did wrong on the wire: counted for each peer, and logged once for each kind.
///
/// Strangers cost nothing here but a line for each kind; of peers only so many are remembered, because
/// identities are free.
final class WireFaults: Sendable {
    static let peerCountMax = 1024

    private struct State {
        var isLogged: Set<TransportFailure> = []
        var counts: [DID: [TransportFailure: Int]] = [:]
    }

    private let state = Mutex(State())
    private let log: Logger

    init(log: Logger) { self.log = log }

    /// Whether the other side is to blame.
    private static func isFault(_ failure: TransportFailure) -> Bool {
        switch failure {
        case .handshakeFailed, .handshakeTimeout, .wrongCertificate, .notAdmitted, .linkLimit, .halfOpenLimit,
            .rateLimited, .oversized, .unknownFrame, .malformedFrame, .frameTimeout, .truncated, .idle,
            .overflow:
            true
        default: false
        }
    }

    /// Notes why a connection was refused or a link was ended; `peer` is who it was, if that was proved.
    func note(_ failure: TransportFailure, peer: DID?, from origin: String) {
        guard Self.isFault(failure) else { return }
        let isFirst = state.withLock { state in
            if let peer, state.counts[peer] != nil || state.counts.count < Self.peerCountMax {
                state.counts[peer, default: [:]][failure, default: 0] += 1
            }
            return state.isLogged.insert(failure).inserted
        }
        if isFirst { log(.warning, "\(origin): \(failure.rawValue); more of this kind are only counted") }
    }

    /// What a peer did, by names like `wire_frame-oversized`.
    func counters(_ peer: DID) -> [String: Int] {
        let counts = state.withLock { $0.counts[peer] ?? [:] }
        var named: [String: Int] = [:]
        for (failure, count) in counts {
            named["wire_" + failure.rawValue.replacing("transport.", with: "")] = count
        }
        return named
    }
}
