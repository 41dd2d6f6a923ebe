internal import MeshCore
internal import MeshIdentity

/// The members that an ``Overlay`` knows and is not a neighbour of, at most as many as it was made for.
///
/// Half of the places are for members that were neighbours once, or come from our own disk: hearsay
/// cannot push those out, so nobody fills the whole view by talking.
struct OverlayPassive: Sendable {
    struct Candidate: Sendable {
        var member: SignedMember
        /// Was a neighbour, or was restored.
        var isTried: Bool
        var failures: UInt8 = 0
        var notBefore: Timestamp
        var prefix: OverlayPrefix?
    }

    private(set) var candidates: [Candidate] = []
    /// What the last shuffle gave away: the first to go when there is no room.
    var given: [DID] = []
    private let countMax: Int
    private let prefixCountMax: Int

    init(countMax: Int, prefixCountMax: Int) {
        self.countMax = countMax
        self.prefixCountMax = prefixCountMax
    }

    var count: Int { candidates.count }

    func member(_ did: DID) -> SignedMember? {
        index(did).map { candidates[$0].member }
    }

    private func index(_ did: DID) -> Int? {
        candidates.firstIndex { $0.member.record.did == did }
    }

    /// Keeps `member`, or its newer record, making room among those that are hearsay.
    mutating func add(
        _ member: SignedMember, isTried: Bool, notBefore: Timestamp, using generator: inout SeededGenerator
    ) {
        guard let address = member.record.addresses.first else { return }
        if let index = index(member.record.did) {
            if candidates[index].member.record.incarnation < member.record.incarnation {
                candidates[index].member = member
                candidates[index].failures = 0
            }
            if isTried, !candidates[index].isTried, triedCount < countMax / 2 {
                candidates[index].isTried = true
            }
            return
        }
        let prefix = OverlayPrefix(address)
        if let prefix {
            let sharing = candidates.reduce(0) { $0 + ($1.prefix == prefix ? 1 : 0) }
            guard sharing < prefixCountMax else { return }
        }
        var candidate = Candidate(member: member, isTried: isTried, notBefore: notBefore, prefix: prefix)
        let tried = triedCount
        if isTried, tried >= countMax / 2 {
            // The oldest tried one becomes hearsay again: those who answered lately are worth more.
            if let oldest = candidates.firstIndex(where: \.isTried) { candidates[oldest].isTried = false }
        }
        if candidates.count >= countMax {
            guard let place = placeToFree(using: &generator) else { return }
            candidates.remove(at: place)
        }
        candidate.isTried = isTried
        candidates.append(candidate)
    }

    private var triedCount: Int { candidates.reduce(0) { $0 + ($1.isTried ? 1 : 0) } }

    private mutating func placeToFree(using generator: inout SeededGenerator) -> Int? {
        while let did = given.popLast() {
            if let index = index(did), !candidates[index].isTried { return index }
        }
        let hearsay = candidates.indices.filter { !candidates[$0].isTried }
        return hearsay.randomElement(using: &generator)
    }

    mutating func remove(_ did: DID) {
        if let index = index(did) { candidates.remove(at: index) }
    }

    /// A random member that may be asked now; it will not be named again before `until`.
    mutating func take(
        now: Timestamp, until: Timestamp, using generator: inout SeededGenerator
    ) -> SignedMember? {
        let ready = candidates.indices.filter { candidates[$0].notBefore <= now }
        guard let index = ready.randomElement(using: &generator) else { return nil }
        candidates[index].notBefore = until
        return candidates[index].member
    }

    /// It could not be reached: hearsay is forgotten at once, the tried after four failures.
    mutating func failed(_ did: DID, retry: Timestamp) {
        guard let index = index(did) else { return }
        candidates[index].failures += 1
        if !candidates[index].isTried || candidates[index].failures >= 4 {
            candidates.remove(at: index)
        } else {
            candidates[index].notBefore = retry
        }
    }

    /// It is there but has no place.
    mutating func postpone(_ did: DID, until: Timestamp) {
        if let index = index(did) { candidates[index].notBefore = until }
    }

    /// When the next member may be asked.
    var readyAt: Timestamp? { candidates.map(\.notBefore).min() }
}
