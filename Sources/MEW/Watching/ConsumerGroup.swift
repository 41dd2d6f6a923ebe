internal import MeshCore
internal import MeshGraph

/// Consumers that share the matches of one pattern: each match is one consumer's at a time.
///
/// A match is *available*, then *assigned* to a consumer in turn, *delivered* when that one fetches it, and *ending*
/// when it is acknowledged or given up, until it is no match any more.
final class ConsumerGroup {
    enum State: Equatable {
        case available
        case assigned(member: String)
        case delivered(String)
        case ending
        /// Nobody is to have it: it was there before a watch that wants only what is new.
        case ignored
    }

    /// What its members have in common, as text; a group without a name has a member's key.
    let identity: String
    let detector: WatchDetector
    /// In the order in which they came.
    var members: [String] = []
    private var turn = 0
    private(set) var states: [MatchKey: State] = [:]
    private(set) var attempts: [MatchKey: Int] = [:]
    private var available: ArraySlice<MatchKey> = []
    private var assigned: [String: ArraySlice<MatchKey>] = [:]
    /// How many matches each member has in its hands, delivered or about to be.
    private var held: [String: Int] = [:]

    init(identity: String, detector: WatchDetector) {
        self.identity = identity
        self.detector = detector
    }

    func add(_ key: MatchKey, isIgnored: Bool) {
        states[key] = isIgnored ? .ignored : .available
        if !isIgnored { available.append(key) }
    }

    /// Takes a change of the matches over.
    func take(_ change: MatchChange) {
        detector.apply(change)
        switch change.kind {
        case .added: add(change.key, isIgnored: false)
        case .removed:
            release(change.key)
            states[change.key] = nil
            attempts[change.key] = nil
        case .changed:
            // Something else than what was taken to its end, or ignored.
            guard states[change.key] == .ignored else { return }
            states[change.key] = .available
            available.append(change.key)
        }
    }

    /// Gives what is available to the members in turn, up to what each may hold.
    func distribute(_ room: (String) -> Int) {
        while let key = available.first {
            guard states[key] == .available else {
                available.removeFirst()
                continue
            }
            guard
                let offset = members.indices.first(where: { step in
                    let member = members[(turn + step) % members.count]
                    return held[member, default: 0] < room(member)
                })
            else { return }
            let place = (turn + offset) % members.count
            let member = members[place]
            turn = (place + 1) % members.count
            available.removeFirst()
            states[key] = .assigned(member: member)
            assigned[member, default: []].append(key)
            held[member, default: 0] += 1
        }
    }

    /// The next match that is assigned to a member; it is delivered with the id that is given.
    func next(_ member: String, delivery: String) -> (key: MatchKey, match: KeptMatch, attempt: Int)? {
        while let key = assigned[member]?.popFirst() {
            guard states[key] == .assigned(member: member), let match = detector.matches[key] else { continue }
            states[key] = .delivered(delivery)
            attempts[key, default: 0] += 1
            holder[key] = member
            return (key, match, attempts[key] ?? 1)
        }
        return nil
    }

    /// Who has what was delivered.
    private var holder: [MatchKey: String] = [:]

    func isAssigned(_ member: String) -> Bool {
        assigned[member]?.contains { states[$0] == .assigned(member: member) } ?? false
    }

    /// Nobody has it in hand any more.
    private func release(_ key: MatchKey) {
        switch states[key] {
        case .assigned(let member): held[member, default: 1] -= 1
        case .delivered: if let member = holder.removeValue(forKey: key) { held[member, default: 1] -= 1 }
        default: break
        }
    }

    /// Makes a match available again, if it is one still.
    func giveBack(_ key: MatchKey) {
        guard states[key] != nil, states[key] != .available else { return }
        release(key)
        states[key] = .available
        available.append(key)
    }

    func end(_ key: MatchKey) {
        guard states[key] != nil else { return }
        release(key)
        states[key] = .ending
    }

    /// Takes back what a member was to fetch next, before all others.
    func withdraw(_ member: String) {
        let keys = (assigned.removeValue(forKey: member) ?? []).filter {
            states[$0] == .assigned(member: member)
        }
        for key in keys {
            release(key)
            states[key] = .available
        }
        available = keys + available
    }

    func remove(_ member: String) {
        withdraw(member)
        if let place = members.firstIndex(of: member) {
            members.remove(at: place)
            if place < turn { turn -= 1 }
            turn = members.isEmpty ? 0 : turn % members.count
        }
        held[member] = nil
    }

    /// How many matches wait for a member to have a hand free.
    var waitingCount: Int { available.count { states[$0] == .available } }
}
