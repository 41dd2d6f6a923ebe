internal import MeshCore
internal import MeshIdentity

extension Membership {
    /// One member that is known.
    struct Entry: Sendable {
        /// `nil` for a peer that is linked and has not shown its record yet.
        var member: SignedMember?
        /// Where ``Membership/drawing`` names it.
        var position: Int
        var wasLinked = false
        /// When the last link to it broke, if none has come since.
        var lostAt: Timestamp?
        var dialFailures = 0
    }

    /// How many strangers are drawn in search of one to forget.
    private static let drawCount = 8

    /// Takes over a member's record where it is newer than ours.
    mutating func take(_ member: SignedMember, _ effects: inout [MembershipEffect], now: Timestamp) {
        let record = member.record
        guard record.time - now <= settings.clockLead else { return }
        if record.did == own.record.did {
            if member != own { outgrow(record.incarnation, &effects, now: now) }
            return
        }
        guard let entry = table[record.did] else {
            if insert(record.did, member) {
                effects.append(.changed(record.did, .alive, previous: nil))
                effects.append(.learned(record.did))
            }
            return
        }
        if let held = entry.member {
            guard member.isNewer(than: held) else {
                if held.isNewer(than: member) { remind(record.did, of: held, &effects) }
                return
            }
        }
        if let tombstone = gone[record.did] {
            // Before the first record there was no incarnation that could have been refuted.
            guard record.incarnation > tombstone.incarnation || tombstone.envelope == nil else { return }
            gone[record.did] = nil
            effects.append(.changed(record.did, .alive, previous: .gone))
        } else if cases[record.did] != nil {
            acquit(record.did, now: now)
            effects.append(.changed(record.did, .alive, previous: .suspect))
        }
        table[record.did]?.member = member
        table[record.did]?.dialFailures = 0
        effects.append(.learned(record.did))
    }

    /// Shows a linked peer its own newer record, once for each link: it may have lost what it had stored.
    private mutating func remind(_ did: DID, of held: SignedMember, _ effects: inout [MembershipEffect]) {
        for link in linksByPeer[did] ?? [] where links[link]?.wasReminded == false {
            links[link]?.wasReminded = true
            effects.append(.send(link, envelope: held.envelope))
        }
    }

    /// Makes room where it must and adds a member.
    ///
    /// - Returns: Whether there was room.
    mutating func insert(_ did: DID, _ member: SignedMember?) -> Bool {
        if table.count >= settings.capacity, !evict() { return false }
        table[did] = Entry(member: member, position: drawing.count)
        drawing.append(did)
        return true
    }

    /// Forgets the member that has been gone longest, else some stranger.
    private mutating func evict() -> Bool {
        // Orders differ, so the least is the same in any order.
        var oldest: (did: DID, order: UInt64)?
        for (did, tombstone) in gone where linksByPeer[did] == nil {
            if oldest.map({ tombstone.order < $0.order }) ?? true { oldest = (did, tombstone.order) }
        }
        if let oldest {
            remove(oldest.did)
            return true
        }
        for _ in 0..<Self.drawCount where !drawing.isEmpty {
            let did = drawing[Int.random(in: drawing.indices, using: &generator)]
            guard let entry = table[did], !entry.wasLinked, linksByPeer[did] == nil, cases[did] == nil else {
                continue
            }
            remove(did)
            return true
        }
        return false
    }

    /// Forgets a member that nothing is held against, or that is gone.
    mutating func remove(_ did: DID) {
        guard let entry = table.removeValue(forKey: did), let last = drawing.popLast() else { return }
        if last != did {
            drawing[entry.position] = last
            table[last]?.position = entry.position
        }
        gone[did] = nil
        reputations[did] = nil
    }
}
