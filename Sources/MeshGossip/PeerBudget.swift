public import MeshCore

/// What peers may cost this node each second, kept for each link.
///
/// The allowances are far above what an honest peer needs under full load; they end what a node
/// that means harm can make its neighbours read, check and answer. A frame over budget is for its owner
/// to drop, and to count against the peer's ``PeerScore``.
public struct PeerBudget: Sendable {
    /// Units for each second; a burst may be ``burstSeconds`` times as large.
    public struct Limits: Hashable, Sendable {
        public var bytes: Int64
        public var frames: Int64
        public var signatureChecks: Int64

        public init(
            bytes: Int64 = 64 * 1024 * 1024, frames: Int64 = 20_000, signatureChecks: Int64 = 4_000
        ) {
            self.bytes = bytes
            self.frames = frames
            self.signatureChecks = signatureChecks
        }
    }

    public static let burstSeconds: Int64 = 4
    /// Links that are kept account of; a node has fewer.
    public static let linkCountMax = 4_096

    /// Which allowance a frame exceeded.
    public enum Excess: String, Hashable, Sendable, CaseIterable {
        case bytes
        case frames
        case signatureChecks = "signature_checks"
    }

    private struct Account: Sendable {
        var bytes: TokenBucket
        var frames: TokenBucket
        var signatureChecks: TokenBucket

        mutating func charge(_ byteCount: Int, _ signatures: Int, _ now: Timestamp) -> Excess? {
            guard frames.take(1, now: now) else { return .frames }
            guard bytes.holds(byteCount, now: now) else { return .bytes }
            guard signatureChecks.take(signatures, now: now) else { return .signatureChecks }
            _ = bytes.take(byteCount, now: now)
            return nil
        }
    }

    private let limits: Limits
    private var accounts: [PeerLink: Account] = [:]

    public init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Charges a link for a frame that has come.
    ///
    /// - Parameters:
    ///   - link: Who sent it.
    ///   - type: Decides how many signatures it is charged for, unless `signatureCount` says.
    ///   - byteCount: The length of its body.
    ///   - signatureCount: How many signatures must be checked for it; `nil` for what the type
    ///     carries at least.
    ///   - now: The shell's clock.
    /// - Returns: `nil` when it is within budget; else what it exceeds, and then nothing is charged but the
    ///   frame.
    public mutating func charge(
        _ link: PeerLink, type: FrameType, byteCount: Int, signatureCount: Int? = nil, now: Timestamp
    ) -> Excess? {
        let signatures = signatureCount ?? Self.signatureCount(type)
        if let index = accounts.index(forKey: link) {
            return accounts.values[index].charge(byteCount, signatures, now)
        }
        guard accounts.count < Self.linkCountMax else { return .frames }
        var account = fresh(now)
        defer { accounts[link] = account }
        return account.charge(byteCount, signatures, now)
    }

    /// Whether a frame is within budget, which it is charged to.
    public mutating func admit(
        _ link: PeerLink, type: FrameType, byteCount: Int, signatureCount: Int? = nil, now: Timestamp
    ) -> Bool {
        charge(link, type: type, byteCount: byteCount, signatureCount: signatureCount, now: now) == nil
    }

    /// Forgets a link that is gone.
    public mutating func remove(_ link: PeerLink) { accounts[link] = nil }

    private func fresh(_ now: Timestamp) -> Account {
        func bucket(_ rate: Int64) -> TokenBucket {
            TokenBucket(rate: rate, burst: rate * Self.burstSeconds, now: now)
        }
        return Account(
            bytes: bucket(limits.bytes), frames: bucket(limits.frames),
            signatureChecks: bucket(limits.signatureChecks))
    }

    /// The signatures that a frame of a type carries at least.
    private static func signatureCount(_ type: FrameType) -> Int {
        switch type {
        case .push, .message: 1
        default: 0
        }
    }
}
