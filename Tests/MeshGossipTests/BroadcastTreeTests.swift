import IPLD
import MeshCore
import MeshGossip
import MeshTestSupport
import Testing

private let now = Timestamp(milliseconds: 1000)

private func link(_ number: UInt64) -> PeerLink { PeerLink(rawValue: number) }
private func item(_ number: UInt8) -> CID { CID(of: [number], codec: .raw) }
private func offer(_ number: UInt8, hops: UInt8 = 0, isLarge: Bool = false) -> BroadcastAnnouncement {
    BroadcastAnnouncement(id: item(number), hops: hops, isLarge: isLarge)
}

@Suite("The broadcast tree", .tags(.Size.small))
struct BroadcastTreeTests {
    private var settings = BroadcastTreeSettings()
    private var tree = BroadcastTree()

    init() {
        for number: UInt64 in 1...3 { _ = tree.step(.neighbourUp(link(number)), now: now) }
    }

    private mutating func receive(
        _ number: UInt8, from: UInt64, isNew: Bool, hops: UInt8 = 1, at: Timestamp = now
    )
        -> [BroadcastTreeEffect]
    {
        tree.step(
            .received(item(number), author: nil, hops: hops, isLarge: false, from: link(from), isNew: isNew),
            now: at)
    }

    /// Leaves link 1 alone eager.
    private mutating func pruneAllButFirst() {
        _ = receive(1, from: 1, isNew: true)
        _ = receive(1, from: 2, isNew: false)
        _ = receive(1, from: 3, isNew: false)
        _ = tree.step(.deadlineReached, now: now + 100)
    }

    @Test("An item goes on to everyone but its sender, and a link that repeats it is pruned")
    mutating func floodAndPrune() {
        #expect(receive(1, from: 1, isNew: true) == [.push([link(2), link(3)], item(1), hops: 2)])
        #expect(receive(1, from: 2, isNew: false) == [.prune(link(2))])
        #expect(receive(1, from: 3, isNew: false) == [.prune(link(3))])
        #expect(tree.eagerLinks == [link(1)])
        #expect(tree.lazyLinks == [link(2), link(3)])
    }

    @Test("The last link that items come by is never pruned")
    mutating func lastEager() {
        pruneAllButFirst()
        for _ in 0..<10 { #expect(receive(1, from: 1, isNew: false) == []) }
        #expect(tree.eagerLinks == [link(1)])
    }

    @Test("A prune that was lost is said again, and not for every item on its way")
    mutating func repeatedPrune() {
        pruneAllButFirst()
        #expect(receive(1, from: 2, isNew: false, at: now + 50) == [])
        #expect(receive(1, from: 2, isNew: false, at: now + 5000) == [.prune(link(2))])
    }

    @Test("Announcements are gathered for some milliseconds, or until a frame is full")
    mutating func gathering() {
        pruneAllButFirst()
        #expect(receive(2, from: 1, isNew: true) == [])
        #expect(receive(3, from: 1, isNew: true) == [])
        #expect(tree.nextDeadline == now + settings.gatherMilliseconds)
        let offers = [offer(2, hops: 1), offer(3, hops: 1)]
        #expect(
            tree.step(.deadlineReached, now: now + settings.gatherMilliseconds)
                == [.announce(link(2), offers), .announce(link(3), offers)])
        #expect(tree.nextDeadline == nil)
        var announced = 0
        for number in 10..<UInt8(10 + settings.announcementCountMax) {
            announced = receive(number, from: 1, isNew: true).count
        }
        #expect(announced == 2)
    }

    @Test("What is announced and does not come is asked of one announcer after the other")
    mutating func graft() throws {
        pruneAllButFirst()
        _ = tree.step(.announced(link(2), [offer(9)]), now: now)
        _ = tree.step(.announced(link(3), [offer(9)]), now: now + 5)
        let first = try #require(tree.nextDeadline)
        #expect(first == now + settings.patienceMilliseconds)
        #expect(tree.step(.deadlineReached, now: first + -1) == [])
        #expect(tree.step(.deadlineReached, now: first) == [.graft(link(2), [item(9)])])
        let second = try #require(tree.nextDeadline)
        #expect(tree.step(.deadlineReached, now: second) == [.graft(link(3), [item(9)])])
        #expect(tree.eagerLinks == [link(1), link(2), link(3)])
        _ = receive(9, from: 3, isNew: true, at: second + 40)
        #expect(tree.missingCount == 0)
        #expect(tree.brokenPromises(link(2)) == 0)
    }

    @Test("A peer that never sends what it announced is counted, and the item is given up")
    mutating func brokenPromise() throws {
        pruneAllButFirst()
        _ = tree.step(.announced(link(2), [offer(9)]), now: now)
        var asked = 0
        while let deadline = tree.nextDeadline {
            for effect in tree.step(.deadlineReached, now: deadline)
            where effect == .graft(link(2), [item(9)]) {
                asked += 1
            }
        }
        #expect(asked == settings.roundCountMax)
        #expect(tree.brokenPromises(link(2)) == 1)
        #expect(tree.missingCount == 0)
    }

    @Test("With no eager link left, what is announced is asked for at once")
    mutating func noEager() {
        pruneAllButFirst()
        _ = tree.step(.announced(link(2), [offer(8)]), now: now)
        #expect(tree.step(.neighbourDown(link(1)), now: now) == [.graft(link(2), [item(8)])])
        _ = tree.step(.pruned(link(2)), now: now)
        #expect(tree.step(.announced(link(3), [offer(9)]), now: now) == [.graft(link(3), [item(9)])])
    }

    @Test("A large item is announced to all, pulled once, and prunes nobody")
    mutating func large() {
        #expect(tree.step(.publish(item(1), isLarge: true), now: now) == [])
        #expect(
            tree.step(.deadlineReached, now: now + settings.gatherMilliseconds)
                == (1...3).map { .announce(link($0), [offer(1, isLarge: true)]) })
        #expect(tree.step(.pulled(link(2), [item(1)]), now: now) == [.push([link(2)], item(1), hops: 1)])
        #expect(
            tree.step(.announced(link(1), [offer(2, isLarge: true)]), now: now) == [.pull(link(1), [item(2)])]
        )
        #expect(tree.step(.announced(link(2), [offer(2, isLarge: true)]), now: now) == [])
        #expect(
            tree.step(
                .received(item(2), author: nil, hops: 1, isLarge: true, from: link(2), isNew: false), now: now
            ) == []
        )
        #expect(tree.eagerLinks.count == 3)
    }

    @Test("One announcer cannot fill the table of missing items for the others")
    mutating func bounds() {
        settings.missingCountMax = 512
        tree = BroadcastTree(settings: settings)
        for number: UInt64 in 1...2 { _ = tree.step(.neighbourUp(link(number)), now: now) }
        for high in 0..<UInt8(40) {
            let ids = (0..<UInt8(100)).map {
                BroadcastAnnouncement(id: CID(of: [high, $0], codec: .raw), hops: 0)
            }
            _ = tree.step(.announced(link(1), ids), now: now)
        }
        #expect(tree.missingCount == 128)
        _ = tree.step(.announced(link(2), [offer(1)]), now: now)
        #expect(tree.missingCount == 129)
    }

    @Test("What came by reconciliation is neither asked for nor passed on")
    mutating func known() {
        _ = tree.step(.announced(link(2), [offer(9)]), now: now)
        #expect(tree.step(.known(item(9)), now: now) == [])
        #expect(tree.missingCount == 0)
        #expect(tree.step(.announced(link(3), [offer(9)]), now: now) == [])
        #expect(tree.missingCount == 0)
    }

    @Test("What reconciliation brought just before the tree is still carried on when the tree brings it")
    func outrun() {
        var tree = BroadcastTree()
        for number: UInt64 in 1...3 { _ = tree.step(.neighbourUp(link(number)), now: now) }
        #expect(tree.step(.known(item(9)), now: now) == [])
        func push(_ sender: UInt64) -> [BroadcastTreeEffect] {
            tree.step(
                .received(
                    item(9), author: nil, hops: 2, isLarge: false, from: link(sender), isNew: false),
                now: now)
        }
        #expect(push(1) == [.push([link(2), link(3)], item(9), hops: 3)])
        // Once: the next is a repetition like any other.
        #expect(push(2) == [.prune(link(2))])
    }
}
