import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
import MeshIdentity
import MeshMarket
import MeshRuntime
import MeshTestSupport
import Testing

/// The entries of one job as its parties publish them, each in its own feed.
struct Story {
    enum Item: Hashable {
        case manifest(Contribution<JobManifest>)
        case award(Contribution<JobAward>)
        case receipt(Contribution<JobReceipt>)
        case close(Contribution<JobClose>)
    }

    static func party(_ number: UInt8) -> DID { DID(publicKey: SHA256.hash([number])) }
    let placer = party(0)
    let manifest: JobManifest
    let manifestCID: CID
    private(set) var items: [Item] = []
    private var seqs: [DID: UInt64] = [:]
    private var clock: Int64 = 1_000

    init() {
        var samples = Samples(SeededGenerator(seed: 7))
        var manifest = samples.manifest()
        manifest.submitter = placer
        manifest.placer = placer
        self.manifest = manifest
        manifestCID = CID(of: manifest.encoded, codec: .dagCBOR)
    }

    private mutating func contribution<Record>(_ record: Record, _ bytes: [UInt8], by author: DID)
        -> Contribution<Record>
    {
        let seq = seqs[author, default: 0]
        seqs[author] = seq + 1
        clock += 1
        let position = EntryPosition(
            author: author, scope: "s", seq: seq, index: 0, time: HybridTime(milliseconds: clock, counter: 0))
        return Contribution(
            cid: CID(of: bytes, codec: .dagCBOR), anchor: CID(of: bytes + [1], codec: .dagCBOR),
            position: position,
            record: record)
    }

    mutating func submit(by author: DID? = nil) {
        items.append(.manifest(contribution(manifest, manifest.encoded, by: author ?? placer)))
    }

    @discardableResult
    mutating func award(_ epoch: UInt64, to executor: DID, by author: DID? = nil) -> CID {
        let record = JobAward(
            manifest: manifestCID, epoch: epoch, executor: executor, bids: manifestCID,
            index: UInt64(items.count % 64),
            considered: [], leaseMilliseconds: UInt64(items.count))
        let made = contribution(record, record.encoded, by: author ?? placer)
        items.append(.award(made))
        return made.cid
    }

    @discardableResult
    mutating func receipt(
        _ award: CID?, _ epoch: UInt64, by executor: DID, signedBy author: DID? = nil,
        _ outcome: OutcomeClass = .ok
    ) -> CID {
        let record = JobReceipt(
            manifest: manifestCID, award: award, epoch: epoch, executor: executor,
            outcome: RunOutcome(outcome),
            outputs: [], logs: [], metering: Metering(fuel: UInt64(items.count)),
            engine: EngineDescription(name: "e", version: "1", profile: manifestCID),
            started: Timestamp(milliseconds: 1), finished: Timestamp(milliseconds: 2))
        let made = contribution(record, record.encoded, by: author ?? executor)
        items.append(.receipt(made))
        return made.cid
    }

    mutating func close(_ result: JobClose.Result, by author: DID? = nil) {
        let record = JobClose(
            manifest: manifestCID, result: result, charged: UInt64(items.count), credited: 0)
        items.append(.close(contribution(record, record.encoded, by: author ?? placer)))
    }

    /// The ledger of some of the items, in the order given.
    func ledger(_ items: [Item]? = nil) -> JobLedger {
        var ledger = JobLedger(manifestCID: manifestCID)
        for item in items ?? self.items { ledger.insert(item) }
        return ledger
    }

    /// A random story, right and wrong entries mixed.
    init(_ generator: inout SeededGenerator) {
        self.init()
        let parties = (0...3).map { Self.party($0) }
        func anyone(_ generator: inout SeededGenerator) -> DID {
            parties.randomElement(using: &generator) ?? parties[0]
        }
        var awards: [CID] = []
        var receipts: [CID] = []
        submit()
        for _ in 0..<Int.random(in: 3...20, using: &generator) {
            let epoch = UInt64.random(in: 0...3, using: &generator)
            let byPlacer = Int.random(in: 0..<4, using: &generator) > 0
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: submit(by: anyone(&generator))
            case 1...3:
                awards.append(award(epoch, to: anyone(&generator), by: byPlacer ? nil : anyone(&generator)))
            case 4...6:
                let outcome = OutcomeClass.allCases.randomElement(using: &generator) ?? .ok
                receipts.append(
                    receipt(awards.randomElement(using: &generator), epoch, by: anyone(&generator), outcome))
            default:
                let words: [JobClose.Result] = [.cancelled, .expired, .noBids]
                let result =
                    receipts.randomElement(using: &generator).map { JobClose.Result.receipt($0) }
                    ?? words.randomElement(using: &generator) ?? .expired
                close(result, by: byPlacer ? nil : anyone(&generator))
            }
        }
    }
}

extension Story.Item {
    var position: EntryPosition {
        switch self {
        case .manifest(let made): made.position
        case .award(let made): made.position
        case .receipt(let made): made.position
        case .close(let made): made.position
        }
    }
}

extension JobLedger {
    mutating func insert(_ item: Story.Item) {
        switch item {
        case .manifest(let made): insert(made)
        case .award(let made): insert(made)
        case .receipt(let made): insert(made)
        case .close(let made): insert(made)
        }
    }
}

@Suite("Job ledgers", .tags(.Size.small))
struct JobLedgerTests {
    @Test("a ledger is a set: neither order nor repetition matters", arguments: Seed.sample(200))
    func orders(_ seed: Seed) {
        var generator = seed.generator
        let story = Story(&generator)
        let expected = story.ledger()
        for _ in 0..<5 {
            let ledger = story.ledger((story.items + story.items.prefix(5)).shuffled(using: &generator))
            #expect(ledger == expected)
            #expect(ledger.status == expected.status)
            #expect(ledger.settledReceipt == expected.settledReceipt)
        }
    }

    @Test(
        "taking out a frozen suffix leaves what would be there had it never come", arguments: Seed.sample(200)
    )
    func removal(_ seed: Seed) {
        var generator = seed.generator
        let story = Story(&generator)
        let author = Story.party(UInt8.random(in: 0...3, using: &generator))
        let from = UInt64.random(in: 0...6, using: &generator)
        let remaining = story.items.filter { $0.position.author != author || $0.position.seq < from }
        // Removal at the end, and in between with the rest coming later.
        var ledger = story.ledger(story.items.shuffled(using: &generator))
        ledger.remove(FeedID(author: author, scope: "s"), from: from)
        #expect(ledger == story.ledger(remaining))
        #expect(ledger.status == story.ledger(remaining).status)
        var interleaved = JobLedger(manifestCID: story.manifestCID)
        for item in story.items.shuffled(using: &generator) {
            interleaved.insert(item)
            if Bool.random(using: &generator) {
                interleaved.remove(FeedID(author: author, scope: "s"), from: from)
            }
        }
        interleaved.remove(FeedID(author: author, scope: "s"), from: from)
        #expect(interleaved == story.ledger(remaining))
        ledger.remove(FeedID(author: author, scope: "other"), from: 0)
        #expect(ledger == story.ledger(remaining), "another scope is another feed")
    }

    @Test("while entries are added in causal order the status never goes back", arguments: Seed.sample(200))
    func forwards(_ seed: Seed) {
        var generator = seed.generator
        let story = Story(&generator)
        var ledger = JobLedger(manifestCID: story.manifestCID)
        func stage(_ ledger: JobLedger) -> (Int, Int) {
            let status = ledger.status
            let rank = status == .unknown ? 0 : status == .submitted ? 1 : status == .assigned ? 2 : 3
            return (rank, ledger.validAwards.count)
        }
        var before = stage(ledger)
        var final: SettledStatus?
        for item in story.items {
            ledger.insert(item)
            let now = stage(ledger)
            #expect(now >= before)
            if let final { #expect(ledger.status == final) }
            if ledger.status.isFinal { final = ledger.status }
            before = now
        }
    }

    private let one = Story.party(1)
    private let two = Story.party(2)

    @Test("a manifest counts only in its submitter's feed")
    func copiedManifest() {
        var story = Story()
        story.submit(by: one)
        #expect(story.ledger().status == .unknown)
        story.submit()
        #expect(story.ledger().status == .submitted)
    }

    @Test("awards of strangers, of wrong epochs and second ones of an epoch do not count")
    func awards() {
        var story = Story()
        story.submit()
        story.award(0, to: one, by: one)
        story.award(1, to: one)
        #expect(story.ledger().status == .submitted)
        let first = story.award(0, to: one)
        story.award(0, to: two)
        story.award(2, to: two)
        #expect(story.ledger().validAwards.map(\.cid) == [first])
        let second = story.award(1, to: two)
        #expect(story.ledger().validAwards.map(\.cid) == [first, second])
        #expect(story.ledger().status == .assigned)
    }

    @Test("a receipt counts when its executor's own feed holds it and the award it names is its own")
    func receipts() {
        var story = Story()
        story.submit()
        let first = story.award(0, to: one)
        story.receipt(first, 0, by: two)
        story.receipt(first, 1, by: one)
        story.receipt(first, 0, by: one, signedBy: two)
        story.receipt(nil, 0, by: one)
        story.receipt(story.manifestCID, 0, by: one)
        #expect(story.ledger().validReceipts.isEmpty)
        let good = story.receipt(first, 0, by: one)
        #expect(story.ledger().validReceipts.map(\.cid) == [good])
        let own = story.receipt(nil, 0, by: story.placer)
        #expect(
            story.ledger().validReceipts.map(\.cid) == [good, own],
            "outside the market the submitter runs it itself")
    }

    @Test("a receipt of an older epoch still counts when the placer closes with it")
    func olderEpoch() {
        var story = Story()
        story.submit()
        let first = story.award(0, to: one)
        story.award(1, to: two)
        let late = story.receipt(first, 0, by: one)
        #expect(story.ledger().status == .assigned)
        story.close(.receipt(late))
        #expect(story.ledger().status == .completed)
        #expect(story.ledger().settledReceipt?.record.executor == one)
    }

    @Test("the first close of the placer that names nothing unknown ends the job")
    func closes() {
        var story = Story()
        story.submit()
        let award = story.award(0, to: one)
        let failed = story.receipt(award, 0, by: one, .trap)
        let stranger = story.receipt(award, 0, by: two)
        story.close(.cancelled, by: one)
        story.close(.receipt(story.manifestCID))
        story.close(.receipt(stranger))
        #expect(story.ledger().status == .assigned)
        story.close(.receipt(failed))
        #expect(story.ledger().status == .failed)
        story.close(.cancelled)
        let good = story.receipt(award, 0, by: one)
        story.close(.receipt(good))
        #expect(story.ledger().status == .failed)
        #expect(story.ledger().settledReceipt?.cid == failed)
    }

    @Test(
        "each result of a close is a status",
        arguments: [
            (JobClose.Result.cancelled, SettledStatus.cancelled), (.expired, .expired), (.noBids, .expired),
        ])
    func results(_ result: JobClose.Result, _ status: SettledStatus) {
        var story = Story()
        story.submit()
        story.close(result)
        #expect(story.ledger().status == status)
        #expect(story.ledger().status.isFinal)
        #expect(story.ledger().settledReceipt == nil)
    }
}
