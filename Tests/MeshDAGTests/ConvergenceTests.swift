import IPLD
import MeshCore
import MeshDAG
import MeshIdentity
import MeshTestSupport
import Testing

@Suite("Convergence", .tags(.Size.small))
struct ConvergenceTests {
    /// Anchors of several authors who have seen each other's, with the blocks that entries rest on.
    private struct World {
        var anchors: [ReceivedAnchor] = []
        var blocks: [CID: [UInt8]] = [:]
        /// Where one author forks its feed.
        var fork: (feed: FeedID, seq: UInt64)?
        let now: Timestamp

        init(_ generator: inout SeededGenerator, forks: Bool) throws {
            let authors = (1...UInt8.random(in: 2...5, using: &generator)).map { DigestSigner($0) }
            let replicas = try authors.map { _ in try Replica() }
            var clock = noon
            for step in 0..<Int.random(in: 8...30, using: &generator) {
                clock = clock + Int64.random(in: 0...3, using: &generator)
                let index = Int.random(in: authors.indices, using: &generator)
                // Hears some of what there is, in the order in which it was made.
                for anchor in anchors where Bool.random(using: &generator) {
                    try replicas[index].receive(anchor, now: clock)
                }
                var entries: [[UInt8]] = []
                for number in 0..<Int.random(in: 1...3, using: &generator) {
                    var attached: [CID] = []
                    if Int.random(in: 0..<3, using: &generator) == 0 {
                        let block = entry("block \(step) \(number)")
                        let cid = CID(of: block, codec: .dagCBOR)
                        blocks[cid] = block
                        attached.append(cid)
                    }
                    entries.append(entry("entry \(step) \(number)", restingOn: attached))
                }
                for block in blocks.keys.sorted() {
                    if let bytes = blocks[block] { try replicas[index].receive(block: bytes, now: clock) }
                }
                if let anchor = try replicas[index].publish(entries, by: authors[index], now: clock) {
                    anchors.append(anchor)
                }
            }
            if forks, let victim = anchors.randomElement(using: &generator) {
                // One author signs a second history from some point on, of any length.
                var forge = Forge(0)
                forge.signer = try #require(authors.first { $0.did == victim.anchor.author })
                fork = (victim.anchor.feed, victim.anchor.seq)
                let feed = anchors.filter { $0.anchor.author == victim.anchor.author }
                var previous = feed.first { $0.anchor.seq + 1 == victim.anchor.seq }
                for seq in victim.anchor.seq..<victim.anchor.seq + UInt64.random(in: 1...4, using: &generator)
                {
                    let made = try forge.make(
                        seq, after: previous, "fork", time: clock.milliseconds + Int64(seq))
                    anchors.append(made)
                    previous = made
                }
            }
            now = clock
        }
    }

    private func converge(
        _ kind: StorageKind, _ world: World, _ generator: inout SeededGenerator
    ) throws -> Replica {
        let replica = try Replica(kind)
        var wanted: Set<CID> = []
        func take(_ outcome: FeedOutcome) {
            for case .blocks(let cids) in outcome.wants { wanted.formUnion(cids) }
        }
        // The first delivery loses and repeats; later ones bring what was lost.
        for round in 0..<64 {
            let before = replica.frontier
            for anchor in world.anchors.shuffled(using: &generator) {
                if round < 3, Int.random(in: 0..<3, using: &generator) == 0 { continue }
                for _ in 0..<Int.random(in: 1...2, using: &generator) {
                    take(try replica.receive(anchor, now: world.now))
                }
            }
            for cid in wanted.sorted() where round >= 3 || Bool.random(using: &generator) {
                let bytes = world.blocks[cid] ?? world.anchors.first { $0.cid == cid }?.envelope.bytes
                take(try replica.receive(block: try #require(bytes), now: world.now))
                wanted.remove(cid)
            }
            if round >= 3, before == replica.frontier, wanted.isEmpty { break }
        }
        return replica
    }

    @Test(
        "honest feeds end in the same state whatever the order, the losses and the repetitions",
        arguments: Seed.sample(200))
    func honest(_ seed: Seed) throws {
        var generator = seed.generator
        let world = try World(&generator, forks: false)
        let everything = Set(world.anchors.map(\.cid.bytes))
        let kind: StorageKind = seed.rawValue % 20 == 0 ? .disk : .memory
        let first = try converge(kind, world, &generator)
        #expect(try first.arrivals() == everything)
        #expect(first.counted.count == world.anchors.reduce(0) { $0 + $1.entries.count })
        #expect(first.graph.waitingCount == 0)
        #expect(first.graph.missingBlocks.isEmpty)
        for _ in 0..<2 {
            let other = try converge(.memory, world, &generator)
            #expect(other.frontier == first.frontier)
            #expect(other.counted == first.counted)
            #expect(try other.arrivals() == everything)
        }
        #expect(try first.restored().frontier.map(\.head) == first.graph.frontier.map(\.head))
    }

    @Test("with a fork among them replicas still count the same", arguments: Seed.sample(200))
    func forked(_ seed: Seed) throws {
        var generator = seed.generator
        let world = try World(&generator, forks: true)
        let kind: StorageKind = seed.rawValue % 20 == 0 ? .disk : .memory
        let first = try converge(kind, world, &generator)
        for _ in 0..<3 {
            let other = try converge(.memory, world, &generator)
            #expect(other.frontier == first.frontier)
            #expect(other.counted == first.counted)
        }
        #expect(first.graph.waitingCount == 0)
        let fork = try #require(world.fork)
        #expect(first.graph.freezePoint(fork.feed) == fork.seq)
        #expect(try first.restored().frontier.map(\.head) == first.graph.frontier.map(\.head))
    }
}
