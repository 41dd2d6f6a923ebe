internal import IPLD
internal import MeshCore

/// An item that somebody announced and that is not here yet.
struct MissingItem: Sendable {
    struct Announcer: Sendable {
        let link: PeerLink
        let hops: UInt8
        /// When it was asked last.
        var askedAt: Timestamp?
    }

    let announcedAt: Timestamp
    let isLarge: Bool
    var announcers: [Announcer]
    /// Who is asked next; beyond the last the round starts again.
    var turn = 0
    var rounds = 0
    var due: Timestamp
}

/// Names by when they are due, as a binary heap; a name may stand in it more than once.
struct DueQueue: Sendable {
    private var heap: [(due: Timestamp, id: CID)] = []

    var earliest: Timestamp? { heap.first?.due }
    var count: Int { heap.count }

    private static func precedes(_ a: (due: Timestamp, id: CID), _ b: (due: Timestamp, id: CID)) -> Bool {
        a.due == b.due ? a.id < b.id : a.due < b.due
    }

    mutating func insert(_ id: CID, due: Timestamp) {
        heap.append((due: due, id: id))
        var child = heap.count - 1
        while child > 0, Self.precedes(heap[child], heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the earliest off when it is due.
    mutating func pop(until now: Timestamp) -> (due: Timestamp, id: CID)? {
        guard let first = heap.first, first.due <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { break }
            let right = left + 1
            let child = right < heap.count && Self.precedes(heap[right], heap[left]) ? right : left
            guard Self.precedes(heap[child], heap[parent]) else { break }
            heap.swapAt(child, parent)
            parent = child
        }
        return first
    }
}

extension BroadcastTree {
    /// How long an announced item may still come by the tree.
    private var patience: Int64 {
        // The way by the tree may be twenty links long, each of half a round trip: five are the depth of a
        // good tree, up and down again, and a tree that is still forming is not good.
        let usual =
            roundTrip.map {
                min(settings.patienceMilliseconds, settings.patienceMinMilliseconds + 10 * max(0, $0))
            } ?? settings.patienceMilliseconds
        guard let lag else { return usual }
        return min(settings.patienceMaxMilliseconds, max(usual, lag.mean + 4 * lag.deviation))
    }

    mutating func announced(_ announcements: [BroadcastAnnouncement], by link: PeerLink, now: Timestamp) {
        guard let index = index(link) else { return }
        // Each neighbour has its share of the table, so that one cannot fill it for all.
        let share = max(settings.announcementCountMax, settings.missingCountMax / 4)
        for announcement in announcements.prefix(settings.announcementCountMax) {
            let id = announcement.id
            if seen.hops(id) != nil {
                announcedLate(announcement, by: link, now: now)
                continue
            }
            guard neighbours[index].openCount < share else { continue }
            let announcer = MissingItem.Announcer(link: link, hops: announcement.hops)
            if let item = missing[id] {
                guard item.announcers.count < settings.announcerCountMax,
                    !item.announcers.contains(where: { $0.link == link })
                else { continue }
                missing[id]?.announcers.append(announcer)
            } else {
                guard missing.count < settings.missingCountMax else { continue }
                let isUrgent = announcement.isLarge || !neighbours.contains(where: \.isEager)
                let due = isUrgent ? now : now + patience
                missing[id] = MissingItem(
                    announcedAt: now, isLarge: announcement.isLarge, announcers: [announcer], due: due)
                dues.insert(id, due: due)
            }
            neighbours[index].openCount += 1
        }
    }

    /// Reconciliation has brought an item that the tree was to bring a while ago: its announcer is to push.
    ///
    /// Without it a node that the tree has lost would never be back in it where reconciliation is quicker than
    /// patience. A few such items among many that the tree brings are chance, and each graft bends the tree.
    mutating func repair(_ id: CID, now: Timestamp) {
        guard let item = missing[id], !item.isLarge,
            now - item.announcedAt >= settings.patienceMilliseconds / 2,
            item.announcers.allSatisfy({ $0.askedAt == nil })
        else { return }
        strays = min(settings.strayMax, strays + settings.strayWeight)
        guard strays == settings.strayMax,
            repairedAt.map({ now - $0 >= settings.patienceMilliseconds }) ?? true,
            let other = item.announcers.compactMap({ index($0.link) }).first, !neighbours[other].isEager
        else { return }
        repairedAt = now
        strays = 0
        neighbours[other].isEager = true
        effects.append(.graft(neighbours[other].link, []))
    }

    /// The item is here: nobody need be asked, and those who were and kept silent are noted.
    mutating func arrived(_ id: CID, from link: PeerLink?, now: Timestamp) {
        guard let item = missing.removeValue(forKey: id) else { return }
        if !item.isLarge, item.announcers.allSatisfy({ $0.askedAt == nil }) {
            measure(now - item.announcedAt)
        }
        settle(item, from: link, now: now)
    }

    private mutating func settle(_ item: MissingItem, from link: PeerLink?, now: Timestamp) {
        for announcer in item.announcers {
            guard let index = index(announcer.link) else { continue }
            neighbours[index].openCount -= 1
            if announcer.link != link, let askedAt = announcer.askedAt,
                now - askedAt >= settings.promiseMilliseconds
            {
                neighbours[index].brokenPromises += 1
            }
        }
    }

    private mutating func measure(_ sample: Int64) {
        let sample = min(settings.patienceMaxMilliseconds, max(0, sample))
        guard let held = lag else {
            // The first is no base for a judgement: it counts as if it varied by half of the usual patience.
            lag = (mean: sample, deviation: settings.patienceMilliseconds / 4)
            return
        }
        let difference = abs(sample - held.mean)
        lag = (
            mean: (held.mean * 7 + sample) / 8, deviation: (held.deviation * 3 + difference) / 4
        )
    }

    /// No eager link is left: whatever was announced is asked for at once.
    mutating func hurry(now: Timestamp) {
        for id in missing.keys.sorted() {
            guard let item = missing[id], item.due > now else { continue }
            missing[id]?.due = now
            dues.insert(id, due: now)
        }
    }

    /// Asks the next announcer of each item that is due, in one frame for each peer.
    mutating func askForMissing(now: Timestamp) {
        var grafts: [(link: PeerLink, ids: [CID])] = []
        var pulls: [(link: PeerLink, ids: [CID])] = []
        while let (due, id) = dues.pop(until: now) {
            guard var item = missing[id], item.due == due else { continue }
            guard let turn = nextTurn(of: &item) else {
                if let askedAt = item.announcers.compactMap(\.askedAt).max(),
                    now - askedAt < settings.promiseMilliseconds
                {
                    // Everyone was asked; what is on its way gets its time before the promises count as broken.
                    item.due = askedAt + settings.promiseMilliseconds
                    missing[id] = item
                    dues.insert(id, due: item.due)
                } else {
                    missing[id] = nil
                    settle(item, from: nil, now: now)
                }
                continue
            }
            item.announcers[turn].askedAt = item.announcers[turn].askedAt ?? now
            let link = item.announcers[turn].link
            // Before the same peers are asked again, their answers get time to come.
            let isLast = item.turn >= item.announcers.count
            let pause = isLast ? settings.promiseMilliseconds / 2 : settings.nextAnnouncerMilliseconds
            item.due = now + (item.isLarge ? settings.nextPullMilliseconds : pause)
            missing[id] = item
            dues.insert(id, due: item.due)
            if item.isLarge {
                Self.add(id, for: link, to: &pulls, atMost: settings.announcementCountMax)
            } else {
                if let index = index(link) { neighbours[index].isEager = true }
                Self.add(id, for: link, to: &grafts, atMost: settings.announcementCountMax)
            }
        }
        for pull in pulls { effects.append(.pull(pull.link, pull.ids)) }
        for graft in grafts { effects.append(.graft(graft.link, graft.ids)) }
    }

    /// The announcer to ask now, among those that still are neighbours.
    private func nextTurn(of item: inout MissingItem) -> Int? {
        while item.rounds < settings.roundCountMax {
            while item.turn < item.announcers.count {
                let turn = item.turn
                item.turn += 1
                if index(item.announcers[turn].link) != nil { return turn }
            }
            item.turn = 0
            item.rounds += 1
        }
        return nil
    }

    private static func add(
        _ id: CID, for link: PeerLink, to frames: inout [(link: PeerLink, ids: [CID])], atMost countMax: Int
    ) {
        if let index = frames.lastIndex(where: { $0.link == link }), frames[index].ids.count < countMax {
            frames[index].ids.append(id)
        } else {
            frames.append((link: link, ids: [id]))
        }
    }
}
