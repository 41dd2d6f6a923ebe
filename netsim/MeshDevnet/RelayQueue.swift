internal import MeshCore

/// What is on its way in one direction of a relayed connection, in the order in which it arrives.
struct RelayQueue {
    /// How many bytes may be on their way before the sender is left to wait.
    static let byteCountMax = 1 << 20

    enum Piece: Equatable {
        case bytes([UInt8])
        /// The sender has closed.
        case end
        /// The sender has broken off, or was lost.
        case reset
    }

    private var pieces: [(due: ContinuousClock.Instant, piece: Piece)] = []
    /// The place of the next piece in `pieces`.
    private var next = 0
    /// How much of the next piece has been handed on.
    private var handed = 0
    private(set) var byteCount = 0
    /// Whether nothing more will come.
    private(set) var isEnded = false
    private var latest: ContinuousClock.Instant?
    /// Until when the line is busy with what was sent before.
    private var busyUntil: ContinuousClock.Instant?

    var isFull: Bool { byteCount >= Self.byteCountMax }

    /// Lets nothing leave before `instant`: the connection is still being made.
    mutating func hold(until instant: ContinuousClock.Instant) { busyUntil = instant }

    /// Takes what was sent.
    mutating func push(
        _ piece: Piece, now: ContinuousClock.Instant, rule: LinkRule, _ generator: inout SeededGenerator
    ) {
        guard !isEnded else { return }
        var piece = piece
        var sent = max(now, busyUntil ?? now)
        if case .bytes(let bytes) = piece {
            if let rate = rule.bytesPerSecond, rate > 0 {
                sent += .nanoseconds(Int64(bytes.count) * 1_000_000_000 / Int64(rate))
            }
            if let repair = rule.repairTime(bytes.count, &generator) {
                sent += repair
            } else {
                piece = .reset
            }
            busyUntil = sent
        }
        // TCP keeps the order, so whatever is late holds up what is behind it.
        let due = max(sent + rule.latency.draw(&generator), latest ?? sent)
        latest = due
        if case .bytes(let bytes) = piece { byteCount += bytes.count } else { isEnded = true }
        pieces.append((due, piece))
    }

    /// When the next piece arrives; `nil` when nothing is on its way.
    var nextDue: ContinuousClock.Instant? { next < pieces.count ? pieces[next].due : nil }

    /// What has arrived by `now` and was not handed on yet.
    func arrived(_ now: ContinuousClock.Instant) -> (piece: Piece, from: Int)? {
        guard next < pieces.count, pieces[next].due <= now else { return nil }
        return (pieces[next].piece, handed)
    }

    /// Notes that `count` more bytes of the piece were handed on.
    mutating func consume(_ count: Int) {
        guard next < pieces.count, case .bytes(let bytes) = pieces[next].piece else { return }
        handed += count
        byteCount -= count
        guard handed >= bytes.count else { return }
        handed = 0
        next += 1
        if next == pieces.count || next > 256 {
            pieces.removeFirst(next)
            next = 0
        }
    }
}
