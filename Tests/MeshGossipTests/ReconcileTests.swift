import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
@testable import MeshGossip
import MeshIdentity
import MeshStorage
import MeshTestSupport
import Testing

@Suite("Reconciling by ranges", .tags(.Size.small))
struct ReconcileTests {
    /// The anchors that one replica is missing of what the other holds.
    private func missing(_ here: FeedGraph, _ there: FeedGraph) -> Set<String> {
        var missing: Set<String> = []
        for (feed, head) in there.frontier {
            let first = here.head(feed).map { $0.seq + 1 } ?? 0
            guard first <= head.seq else { continue }
            for seq in first...head.seq { missing.insert("\(feed) \(seq)") }
        }
        return missing
    }

    private func names(_ spans: [FeedSpan]) -> [String] {
        spans.flatMap { span in span.range.map { "\(span.feed) \($0)" } }
    }

    @Test(
        "random replicas end equal, and each asks for exactly what it was missing, once",
        arguments: Seed.sample(12))
    func twins(_ seed: Seed) throws {
        var generator = seed.generator
        let (a, b) = (Replica(0), Replica(1))
        let feedCount = [0, 1, 40, 257, 700, 2_000].randomElement(using: &generator) ?? 0
        // From nearly equal to nothing in common.
        let equality = Int.random(in: 0...100, using: &generator)
        for author in 0..<feedCount {
            let list = try anchors(of: author, Int.random(in: 1...3, using: &generator))
            if Int.random(in: 0..<100, using: &generator) < equality {
                try a.take(list)
                try b.take(list)
            } else {
                try a.take(list.prefix(Int.random(in: 0...list.count, using: &generator)))
                try b.take(list.prefix(Int.random(in: 0...list.count, using: &generator)))
            }
        }
        let (ofA, ofB) = (missing(a.graph, b.graph), missing(b.graph, a.graph))
        let exchange = Exchange([a, b])
        exchange.connect(0, 1)
        try exchange.settle()
        #expect(a.graph.fingerprint == b.graph.fingerprint)
        #expect(a.graph.frontier.elementsEqual(b.graph.frontier) { $0.feed == $1.feed && $0.head == $1.head })
        let asked = [names(exchange.wanted[0] ?? []), names(exchange.wanted[1] ?? [])]
        #expect(Set(asked[0]) == ofA && asked[0].count == ofA.count)
        #expect(Set(asked[1]) == ofB && asked[1].count == ofB.count)
        print(
            "\(seed.testDescription): \(feedCount) feeds, \(ofA.count) + \(ofB.count) anchors missing:",
            "\(exchange.byteCount) bytes beside them, \(exchange.rounds) one-way trips")
    }

    @Test("equal replicas of 2,000 feeds tell each other so in less than 100 bytes")
    func equal() throws {
        let (a, b) = (Replica(0), Replica(1))
        for author in 0..<2_000 {
            let list = try anchors(of: author, 1)
            try a.take(list)
            try b.take(list)
        }
        let exchange = Exchange([a, b])
        exchange.connect(0, 1)
        try exchange.settle()
        let before = exchange.byteCount
        try exchange.pass(GossipMachine.syncMilliseconds)
        #expect(exchange.byteCount > before)
        #expect(exchange.byteCount - before <= 100)
    }

    @Test(
        "one anchor among 2,000 feeds is found with less than 10 KB, and 1,000 over 100 feeds with less than 30"
    )
    func few() throws {
        for (feeds, length, lacking) in [(2_000, 1, 1), (100, 20, 1_000)] {
            let (a, b) = (Replica(0), Replica(1))
            for author in 0..<feeds {
                let list = try anchors(of: author, length)
                try a.take(list)
                let count = lacking / feeds + (author < lacking % feeds ? 1 : 0)
                try b.take(list.dropLast(count))
            }
            let exchange = Exchange([a, b])
            exchange.connect(0, 1)
            try exchange.settle()
            #expect(a.graph.fingerprint == b.graph.fingerprint)
            #expect(exchange.byteCount < (lacking == 1 ? 10_000 : 30_000))
            print(
                "\(lacking) of \(feeds) feeds: \(exchange.byteCount) bytes, \(exchange.rounds) one-way trips")
        }
    }

    @Test("the fingerprint is the same whatever way the marks came, and another for other marks")
    func fingerprint() throws {
        let lists = try (0..<50).map { try anchors(of: $0, 3) }
        let (a, b) = (Replica(0), Replica(1))
        for list in lists { try a.take(list) }
        for list in lists.reversed() { try b.take(list.prefix(1)) }
        #expect(a.graph.fingerprint != b.graph.fingerprint)
        for list in lists { try b.take(list) }
        #expect(a.graph.fingerprint == b.graph.fingerprint)
        // After a restart it is computed from the store alone.
        let restored = try FeedGraph(restoring: a.storage)
        #expect(restored.fingerprint == a.graph.fingerprint)
        for (low, high) in [(0, 50), (0, 20), (7, 8), (20, 20)] {
            #expect(restored.sum(of: low..<high) == b.graph.sum(of: low..<high))
        }
    }

    @Test("a sum gives back what is taken out of it", arguments: Seed.sample(20))
    func sums(_ seed: Seed) {
        var generator = seed.generator
        var digests = (0..<20).map { _ in SHA256.hash([UInt8.random(in: 0...255, using: &generator)]) }
        digests.append(Bytes32([UInt8](repeating: 255, count: 32)))
        var sum = FrontierSum()
        for digest in digests { sum.add(digest) }
        let whole = sum
        sum.subtract(digests[3])
        #expect(sum != whole && sum.fingerprint != whole.fingerprint)
        sum.add(digests[3])
        #expect(sum == whole)
        for digest in digests.shuffled(using: &generator) { sum.subtract(digest) }
        #expect(sum == FrontierSum())
    }
}

@Suite("Fetching from several peers", .tags(.Size.small))
struct FetchTests {
    @Test("a long feed is fetched from all who hold it, in slices")
    func parallel() throws {
        let list = try anchors(of: 7, 3_000)
        let replicas = (0..<4).map { Replica($0) }
        for holder in 1...3 { try replicas[holder].take(list) }
        let exchange = Exchange(replicas)
        for holder in 1...3 { exchange.connect(0, holder) }
        try exchange.settle()
        #expect(replicas[0].graph.fingerprint == replicas[1].graph.fingerprint)
        #expect(replicas[0].graph.waitingCount == 0)
        for holder in 1...3 { #expect((exchange.served[holder] ?? 0) >= 256, "peer \(holder)") }
        let asked = (exchange.wanted[0] ?? []).reduce(0) { $0 + $1.range.count }
        #expect(asked == 3_000, "each anchor is asked of one peer")
    }

    @Test("what a silent peer was asked for, the others give")
    func silence() throws {
        let list = try anchors(of: 7, 3_000)
        let replicas = (0..<3).map { Replica($0) }
        for holder in 1...2 { try replicas[holder].take(list) }
        let exchange = Exchange(replicas)
        exchange.silent = [1]
        for holder in 1...2 { exchange.connect(0, holder) }
        try exchange.settle()
        for _ in 0..<12 { try exchange.pass(1_000) }
        #expect(replicas[0].graph.fingerprint == replicas[2].graph.fingerprint)
        #expect(exchange.served[1] == nil && exchange.served[2] == 3_000)
    }

    @Test("a peer that promises what it does not have is asked once for each comparison, not without end")
    func emptyPromise() throws {
        let replicas = [Replica(0), Replica(1)]
        let exchange = Exchange(replicas)
        exchange.connect(0, 1)
        try exchange.settle()
        let feed = FeedID(author: SilentSigner(9).did, scope: "default")
        let mark = FrontierMark(feed: feed, seq: 1 << 53, cid: CID(of: [1], codec: .dagCBOR), frozenAt: nil)
        let link = PeerLink(rawValue: 1)
        var wants = 0
        func count(_ effects: [GossipEffect]) {
            for case .send(_, .want) in effects { wants += 1 }
        }
        let graph = replicas[0].graph
        for round in 1...3 {
            count(
                replicas[0].machine.step(
                    .frame(link, .frontier([FrontierRange(upTo: nil, .differing([mark]))]), members: []),
                    now: exchange.now, graph: graph))
            for _ in 0..<8 {
                count(
                    replicas[0].machine.step(
                        .frame(link, .have([]), members: []), now: exchange.now, graph: graph))
            }
            #expect(wants == 2 * round, "two slices are under way, and nothing follows them")
        }
    }
}
