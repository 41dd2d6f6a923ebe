internal import Dispatch
internal import MeshIdentity
internal import Synchronization

/// Looks host names up on threads of Dispatch, because the system's resolver blocks.
final class Resolver: Sendable {
    private static let concurrentCountMax = 16
    private let board: Switchboard
    private let running = Mutex(0)

    init(board: Switchboard) {
        self.board = board
    }

    /// Posts the addresses of `address` to the switchboard; none when the name has none.
    ///
    /// - Returns: `false` when too many look-ups are under way.
    func resolve(_ address: SocketAddress, expecting: DID?) -> Bool {
        let isFree = running.withLock { count in
            guard count < Self.concurrentCountMax else { return false }
            count += 1
            return true
        }
        guard isFree else { return false }
        DispatchQueue.global().async { [self] in
            let names = SocketName.resolve(address)
            running.withLock { $0 -= 1 }
            board.command(.resolved(address, names, expecting: expecting))
        }
        return true
    }
}
