internal import IPLD
public import MeshCore
internal import MeshIdentity

/// Spreads items to everyone over the neighbours' links: pushed along a tree, announced on all other links
/// (Plumtree, Leitão and others 2007).
///
/// The tree grows by itself: a link that brings an item twice is pruned, and one whose announcement comes
/// long before the item is grafted. It holds names alone; the owner has the items. What neither pushes nor
/// announcements bring is left to reconciliation.
public struct BroadcastTree: Sendable {
    struct Neighbour: Sendable {
        let link: PeerLink
        var isEager = true
        var gathered: [BroadcastAnnouncement] = []
        /// Items that it announced and that are still missing.
        var openCount = 0
        var prunedAt: Timestamp?
        /// What it brought first, less what it brought again; at nothing the next repetition prunes it.
        ///
        /// In a mesh where many publish at once each edge of a circle repeats the items of somebody. Were
        /// one repetition enough, the circle would be cut in several places and the tree fall apart.
        var credit = 0
        var brokenPromises = 0
        /// How many announcements in a row told of a way so much shorter than ours, and when one counted last.
        var shorterCount = 0
        var shorterAt: Timestamp?
    }

    let settings: BroadcastTreeSettings
    /// Sorted by link.
    var neighbours: [Neighbour] = []
    var seen: BroadcastTreeSeen
    /// Items that other means brought a moment before the tree: it still has to carry them past this node.
    private var unspread = RecentSet<CID>(capacity: 256)
    var missing: [CID: MissingItem] = [:]
    /// The missing items by when they are due, the earliest first; entries that no longer hold are skipped.
    var dues = DueQueue()
    var effects: [BroadcastTreeEffect] = []
    var flushAt: Timestamp?
    /// Items in a row of one author that one link brought.
    private struct Run: Sendable {
        var link: PeerLink?
        var author: DID?
        var count = 0
        var countedAt = Timestamp(milliseconds: 0)
        /// The last of them, for announcements that come late.
        var items: [CID] = []

        static let itemCountMax = 8
    }

    private var run = Run()
    /// The shorter way that was asked for, and the link that it takes the place of.
    ///
    /// Nothing is pushed to the new link before it has brought something: its peer has what we have, would take
    /// it for a circle and prune us.
    private var exchange: (new: PeerLink, old: PeerLink)?
    /// When reconciliation last showed that the tree does not reach us.
    var repairedAt: Timestamp?
    /// Rises with each item that reconciliation brought before the tree, and falls with each that the tree brought.
    var strays = 0
    /// Smoothed time by which items come later than their announcement, and its deviation, as TCP does.
    var lag: (mean: Int64, deviation: Int64)?

    /// How long neighbours have taken to answer of late, in milliseconds; `nil` while nothing is known of it.
    public var roundTrip: Int64?

    public init(settings: BroadcastTreeSettings = BroadcastTreeSettings()) {
        self.settings = settings
        seen = BroadcastTreeSeen(capacity: settings.seenCountMax)
    }

    /// Takes in what happened and says what is to be done about it, in that order.
    public mutating func step(_ input: BroadcastTreeInput, now: Timestamp) -> [BroadcastTreeEffect] {
        switch input {
        case .neighbourUp(let link):
            let place = neighbours.firstIndex { $0.link >= link } ?? neighbours.endIndex
            if place == neighbours.endIndex || neighbours[place].link != link {
                neighbours.insert(Neighbour(link: link), at: place)
            }
        case .neighbourDown(let link):
            neighbourDown(link, now: now)
        case .publish(let id, let isLarge):
            publish(id, isLarge: isLarge, now: now)
        case .received(let id, let author, let hops, let isLarge, let link, let isNew):
            received(id, author, hops: hops, isLarge: isLarge, from: link, isNew: isNew, now: now)
        case .announced(let link, let announcements):
            announced(announcements, by: link, now: now)
        case .grafted(let link, let ids):
            guard let index = index(link) else { break }
            neighbours[index].isEager = true
            serve(ids, to: link)
        case .pulled(let link, let ids):
            serve(ids, to: link)
        case .pruned(let link):
            guard let index = index(link) else { break }
            neighbours[index].isEager = false
            neighbours[index].credit = 0
        case .known(let id):
            if seen.insert(id, hops: 0) { unspread.insert(id) }
            repair(id, now: now)
            arrived(id, from: nil, now: now)
        case .deadlineReached:
            break
        }
        if let at = flushAt, at <= now { flush() }
        askForMissing(now: now)
        let result = effects
        effects = []
        return result
    }

    /// When ``BroadcastTreeInput/deadlineReached`` is wanted next.
    public var nextDeadline: Timestamp? {
        let due = dues.earliest
        guard let flushAt else { return due }
        return min(flushAt, due ?? flushAt)
    }

    /// How often the link's peer announced an item and did not send it when asked.
    public func brokenPromises(_ link: PeerLink) -> Int {
        index(link).map { neighbours[$0].brokenPromises } ?? 0
    }

    /// The links that items are pushed to.
    public var eagerLinks: [PeerLink] { neighbours.filter(\.isEager).map(\.link) }

    /// The links that items are only announced to.
    public var lazyLinks: [PeerLink] { neighbours.filter { !$0.isEager }.map(\.link) }

    /// Items announced to us and not here.
    public var missingCount: Int { missing.count }

    func index(_ link: PeerLink) -> Int? {
        neighbours.firstIndex { $0.link == link }
    }

    private mutating func neighbourDown(_ link: PeerLink, now: Timestamp) {
        guard let index = index(link) else { return }
        let wasEager = neighbours.remove(at: index).isEager
        if exchange?.new == link { exchange = nil }
        if wasEager, !neighbours.contains(where: \.isEager) { hurry(now: now) }
    }

    // MARK: Items

    private mutating func publish(_ id: CID, isLarge: Bool, now: Timestamp) {
        guard seen.insert(id, hops: 0) else { return }
        if !isLarge, !neighbours.contains(where: \.isEager) {
            // Pruned by everyone: announcing alone would cost every item the announcements' patience.
            for index in neighbours.indices.prefix(2) { neighbours[index].isEager = true }
        }
        spread(id, hops: 1, isLarge: isLarge, sparing: nil, now: now)
    }

    private mutating func received(
        _ id: CID, _ author: DID?, hops: UInt8, isLarge: Bool, from link: PeerLink, isNew: Bool,
        now: Timestamp
    ) {
        var isFirst = seen.insert(id, hops: hops) && isNew
        if unspread.contains(id) {
            // Those behind this node wait for it, wherever this node has it from.
            unspread.forget(id)
            isFirst = true
        }
        let index = index(link)
        guard isFirst else {
            arrived(id, from: link, now: now)
            if endExchange(by: link, now: now) { return }
            if !isLarge, let index {
                neighbours[index].credit -= 1
                if neighbours[index].credit < 0 { prune(at: index, now: now) }
            }
            return
        }
        if let index, !isLarge {
            strays = max(0, strays - 1)
            neighbours[index].isEager = true
            neighbours[index].credit = min(settings.creditMax, neighbours[index].credit + 1)
            if !endExchange(by: link, now: now), let author {
                shorten(id, of: author, hops: hops, by: link, now: now)
            }
        }
        arrived(id, from: link, now: now)
        spread(id, hops: hops == .max ? hops : hops + 1, isLarge: isLarge, sparing: link, now: now)
    }

    /// The link brought what was here: items go elsewhere from now on, unless it is the last that brings any.
    private mutating func prune(at index: Int, now: Timestamp) {
        neighbours[index].credit = 0
        guard neighbours.contains(where: { $0.isEager && $0.link != neighbours[index].link }) else { return }
        // What was under way when we pruned is no reason to say it again.
        if !neighbours[index].isEager, let last = neighbours[index].prunedAt,
            now - last < settings.patienceMilliseconds
        {
            return
        }
        cut(at: index, now: now)
    }

    /// Takes a link out of the tree, and asks its peer to do the same.
    private mutating func cut(at index: Int, now: Timestamp) {
        neighbours[index].isEager = false
        neighbours[index].credit = 0
        neighbours[index].prunedAt = now
        effects.append(.prune(neighbours[index].link))
    }

    /// Counts what link new items come by, and weighs those that announced this one before it came.
    ///
    /// It is the first half of exchanging a long way for a short one: the new link is grafted, and once it has
    /// brought something the old one is pruned. Cutting that at once would lose what is on its way.
    private mutating func shorten(
        _ id: CID, of author: DID, hops: UInt8, by link: PeerLink, now: Timestamp
    ) {
        if run.link != link || run.author != author {
            run = Run(link: link, author: author, count: 1, countedAt: now)
            for index in neighbours.indices { neighbours[index].shorterCount = 0 }
        } else if now - run.countedAt >= settings.shortenPaceMilliseconds {
            run.count = min(run.count + 1, 64)
            run.countedAt = now
        }
        if run.items.count == Run.itemCountMax { run.items.removeFirst() }
        run.items.append(id)
        var nearest: MissingItem.Announcer?
        for announcer in missing[id]?.announcers ?? []
        where weigh(announcer.link, announcer.hops, against: hops, now: now) {
            if nearest.map({ announcer.hops < $0.hops }) ?? true { nearest = announcer }
        }
        if let nearest { exchange(for: nearest.link) }
    }

    /// Takes in that an item had crossed `hops` links to this neighbour, and `own` to us.
    ///
    /// One item tells little of a link: where many publish, what is a short way for one is a long way for
    /// another, and neighbours would undo each other's work, or cut off what lies between them. So a link must be
    /// nearer for every item of a while, while all are of one author and come by one other link. The farther a node is from the origin the longer it waits: those before
    /// it may help it meanwhile.
    ///
    /// - Returns: Whether it is worth taking in place of the link that brings everything.
    private mutating func weigh(
        _ link: PeerLink, _ hops: UInt8, against own: UInt8, now: Timestamp
    ) -> Bool {
        // What reconciliation brought has crossed nothing.
        guard own > 0, let index = index(link) else { return false }
        let excess = Int(own) - settings.hopCountWanted
        guard excess > 0, Int(hops) + 1 + settings.shorterHopCount <= Int(own) else {
            neighbours[index].shorterCount = 0
            return false
        }
        if neighbours[index].shorterAt.map({ now - $0 >= settings.shortenPaceMilliseconds }) ?? true {
            neighbours[index].shorterCount = min(neighbours[index].shorterCount + 1, 64)
            neighbours[index].shorterAt = now
        }
        let needed = settings.shortenAfterCount + min(excess, 8) / 2
        return run.link != link && !neighbours[index].isEager
            && min(run.count, neighbours[index].shorterCount) >= needed
    }

    /// Grafts a link in place of the one that brings everything.
    private mutating func exchange(for new: PeerLink) {
        guard let old = run.link else { return }
        exchange = (new: new, old: old)
        run.count = 0
        effects.append(.graft(new, []))
    }

    /// A neighbour announces what came already: few hops are not quick ones.
    mutating func announcedLate(_ announcement: BroadcastAnnouncement, by link: PeerLink, now: Timestamp) {
        guard !announcement.isLarge, run.items.contains(announcement.id),
            let own = seen.hops(announcement.id)
        else { return }
        if weigh(link, announcement.hops, against: own, now: now) { exchange(for: link) }
    }

    /// Prunes the old link of an exchange when the new one has brought its first item, be it early or late.
    ///
    /// - Returns: Whether that was it.
    private mutating func endExchange(by link: PeerLink, now: Timestamp) -> Bool {
        guard let exchange, exchange.new == link else { return false }
        self.exchange = nil
        if let new = index(link) { neighbours[new].isEager = true }
        if let old = index(exchange.old), neighbours[old].isEager { cut(at: old, now: now) }
        return true
    }

    /// Pushes to the eager links and announces on the others; a large item is announced to all.
    private mutating func spread(_ id: CID, hops: UInt8, isLarge: Bool, sparing: PeerLink?, now: Timestamp) {
        var eager: [PeerLink] = []
        for index in neighbours.indices where neighbours[index].link != sparing {
            if neighbours[index].isEager, !isLarge {
                eager.append(neighbours[index].link)
            } else {
                gather(
                    BroadcastAnnouncement(id: id, hops: hops == 0 ? 0 : hops - 1, isLarge: isLarge),
                    for: index,
                    now: now)
            }
        }
        if !eager.isEmpty { effects.append(.push(eager, id, hops: hops)) }
    }

    private mutating func gather(_ announcement: BroadcastAnnouncement, for index: Int, now: Timestamp) {
        neighbours[index].gathered.append(announcement)
        if neighbours[index].gathered.count >= settings.announcementCountMax {
            effects.append(.announce(neighbours[index].link, neighbours[index].gathered))
            neighbours[index].gathered = []
        } else if flushAt == nil {
            flushAt = now + settings.gatherMilliseconds
        }
    }

    private mutating func flush() {
        flushAt = nil
        for index in neighbours.indices where !neighbours[index].gathered.isEmpty {
            effects.append(.announce(neighbours[index].link, neighbours[index].gathered))
            neighbours[index].gathered = []
        }
    }

    private mutating func serve(_ ids: [CID], to link: PeerLink) {
        for id in ids.prefix(settings.announcementCountMax) {
            guard let hops = seen.hops(id) else { continue }
            effects.append(.push([link], id, hops: hops == .max ? hops : hops + 1))
        }
    }
}
