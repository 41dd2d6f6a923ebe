import IPLD
import MeshCore
import MeshGossip
import MeshTestSupport
import Testing

private let now = Timestamp(milliseconds: 1000)

private func link(_ number: UInt64) -> PeerLink { PeerLink(rawValue: number) }
private func item(_ number: UInt8) -> CID { CID(of: [number], codec: .raw) }

/// A node with three neighbours that gets everything by link 1, over nine links.
@Suite("The broadcast tree's exchange of a long way for a short one", .tags(.Size.small))
struct BroadcastTreeExchangeTests {
    private var settings = BroadcastTreeSettings()
    private var tree = BroadcastTree()
    private let hops: UInt8 = 9
    /// Items of a longer way than wanted that it takes: the count, and half of the excess.
    private var needed: Int { settings.shortenAfterCount + (Int(hops) - settings.hopCountWanted) / 2 }

    init() {
        for number: UInt64 in 1...3 { _ = tree.step(.neighbourUp(link(number)), now: now) }
        _ = push(0, by: 1, hops: hops, at: now)
        _ = push(0, by: 2, isNew: false, at: now)
        _ = push(0, by: 3, isNew: false, at: now)
    }

    private mutating func push(
        _ number: UInt8, of author: Int? = 1, by sender: UInt64, isNew: Bool = true, hops: UInt8 = 9,
        at: Timestamp
    ) -> [BroadcastTreeEffect] {
        tree.step(
            .received(
                item(number), author: author.map { PlainSigner($0).did }, hops: hops, isLarge: false,
                from: link(sender), isNew: isNew), now: at)
    }

    private mutating func announce(
        _ number: UInt8, by sender: UInt64, hops: UInt8, at: Timestamp
    ) -> [BroadcastTreeEffect] {
        tree.step(
            .announced(link(sender), [BroadcastAnnouncement(id: item(number), hops: hops)]), now: at)
    }

    /// What is asked of a neighbour, without announcements.
    private func asked(_ effects: [BroadcastTreeEffect]) -> [BroadcastTreeEffect] {
        effects.filter {
            if case .announce = $0 { false } else { true }
        }
    }

    /// Items a second apart that link 1 brings and link 2 announces from `hops` on, until something is grafted.
    ///
    /// - Returns: How many there were, or `nil` when it was never.
    private mutating func itemsUntilGraft(hops: UInt8, isLate: Bool, atMost count: UInt8 = 40) -> Int? {
        for number in 1...count {
            let at = now + Int64(number) * 1000
            var effects: [BroadcastTreeEffect] = []
            if !isLate { effects += announce(number, by: 2, hops: hops, at: at) }
            effects += push(number, by: 1, at: at + 5)
            if isLate { effects += announce(number, by: 2, hops: hops, at: at + 10) }
            if effects.contains(.graft(link(2), [])) { return Int(number) }
        }
        return nil
    }

    @Test(
        "A neighbour that was nearer for several items is grafted, early or late", arguments: [false, true])
    mutating func several(isLate: Bool) {
        #expect(itemsUntilGraft(hops: 3, isLate: isLate) == needed)
    }

    @Test("A neighbour that is no nearer is not")
    mutating func noNearer() {
        #expect(itemsUntilGraft(hops: hops - UInt8(settings.shorterHopCount), isLate: false) == nil)
    }

    @Test("Nothing is sought where the way is as short as wanted")
    mutating func shortEnough() {
        for number: UInt8 in 1...40 {
            let at = now + Int64(number) * 1000
            #expect(asked(announce(number, by: 2, hops: 0, at: at)) == [])
            let effects = push(number, by: 1, hops: UInt8(settings.hopCountWanted), at: at + 5)
            #expect(!effects.contains(.graft(link(2), [])))
        }
    }

    @Test("The new link is pushed nothing until it has brought something, and then the old one is pruned")
    mutating func exchange() throws {
        let count = try #require(itemsUntilGraft(hops: 3, isLate: false))
        #expect(tree.eagerLinks == [link(1)])
        let at = now + Int64(count + 1) * 1000
        #expect(asked(push(100, by: 2, hops: 4, at: at)) == [.prune(link(1))])
        #expect(tree.eagerLinks == [link(2)])
        // What was on its way over the old one is no reason to say it again.
        #expect(asked(push(100, by: 1, isNew: false, at: at + 5)) == [])
    }

    @Test("The new link takes the old one's place even where it is the slower")
    mutating func slower() throws {
        let count = try #require(itemsUntilGraft(hops: 3, isLate: true))
        let at = now + Int64(count + 1) * 1000
        #expect(asked(push(100, by: 1, at: at)) == [])
        #expect(asked(push(100, by: 2, isNew: false, hops: 4, at: at + 30)) == [.prune(link(1))])
        #expect(tree.eagerLinks == [link(2)])
    }

    @Test("A graft that was lost is sent again")
    mutating func lostGraft() throws {
        #expect(itemsUntilGraft(hops: 3, isLate: false) == needed)
        for number in 101..<UInt8(101 + needed) {
            let at = now + Int64(number) * 1000
            _ = announce(number, by: 2, hops: 3, at: at)
            let effects = push(number, by: 1, at: at + 5)
            #expect(effects.contains(.graft(link(2), [])) == (number == 100 + UInt8(needed)))
        }
    }

    @Test("One item for which the neighbour is no nearer begins the count anew")
    mutating func unanimous() {
        for number: UInt8 in 1...60 {
            let at = now + Int64(number) * 1000
            _ = announce(number, by: 2, hops: number % UInt8(needed) == 0 ? hops : 3, at: at)
            #expect(!push(number, by: 1, at: at + 5).contains(.graft(link(2), [])))
        }
    }

    @Test(
        "Where several publish by turns, or nobody knows who, nothing is exchanged",
        arguments: [[1, 2], [nil, nil]] as [[Int?]])
    mutating func turns(authors: [Int?]) {
        for number: UInt8 in 1...60 {
            let at = now + Int64(number) * 1000
            _ = announce(number, by: 2, hops: 3, at: at)
            let effects = push(number, of: authors[Int(number) % 2], by: 1, at: at + 5)
            #expect(!effects.contains(.graft(link(2), [])))
        }
    }

    @Test("A burst counts for little more than one item")
    mutating func burst() {
        for number: UInt8 in 1...200 {
            let at = now + 1000 + Int64(number)
            _ = announce(number, by: 2, hops: 3, at: at)
            #expect(!push(number, by: 1, at: at).contains(.graft(link(2), [])))
        }
    }

    @Test("Where items come from several sides nothing is exchanged")
    mutating func severalSides() {
        _ = tree.step(.grafted(link(3), []), now: now)
        for number: UInt8 in 1...60 {
            let at = now + Int64(number) * 1000
            _ = announce(number, by: 2, hops: 3, at: at)
            let effects = push(number, by: number % 3 == 0 ? 3 : 1, at: at + 5)
            #expect(!effects.contains(.graft(link(2), [])))
        }
    }
}
