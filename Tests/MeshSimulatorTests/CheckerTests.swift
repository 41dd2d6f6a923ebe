import IPLD
import MeshCore
import MeshFederation
import MeshIdentity
import MeshMarket
import MeshRuntime
@testable import MeshSimulator
import MeshTestSupport
import Testing

/// The disks and the history of a good run, to be spoilt by each test in its own way.
private struct Scene {
    var replicas: [Replica]
    var history: History
    let members: [DID]

    init() throws {
        let world = World(Plan(smallScenario(), seed: 2), isTracing: false)
        world.run()
        try #require(world.convergedAt != nil)
        replicas = world.nodes.map { world.reader.read($0) }
        history = world.history
        members = try #require(world.bundle).members.map(\.did)
    }

    var judge: Judge { Judge(replicas: replicas, history: history, members: members, time: 1) }

    /// The checkers that find something.
    var found: Set<Checker> { Set(judge.findings(isFinal: true).map(\.checker)) }

    /// Appends an anchor with one more entry to an author's feed, on all disks.
    mutating func add(_ entry: Entry, _ bytes: [UInt8], by author: DID) {
        for index in replicas.indices {
            let last = replicas[index].feeds[author]?.last
            let anchor = ReadAnchor(
                cid: CID(of: Array("anchor".utf8) + bytes, codec: .dagCBOR), author: author,
                seq: (last?.seq ?? 0) + 1, prev: last?.cid,
                entries: [(CID(of: bytes, codec: .dagCBOR), entry)])
            replicas[index].feeds[author, default: []].append(anchor)
            replicas[index].rowCounts[author, default: 0] += 1
        }
    }

    /// Changes entries on all disks; their CIDs stay.
    mutating func change(_ body: (Entry) -> Entry) {
        for replica in replicas.indices {
            for author in replicas[replica].authors {
                replicas[replica].feeds[author] = replicas[replica].feeds[author]?.map { anchor in
                    ReadAnchor(
                        cid: anchor.cid, author: anchor.author, seq: anchor.seq, prev: anchor.prev,
                        entries: anchor.entries.map { ($0.cid, $0.entry.map(body)) })
                }
            }
        }
    }

    /// Changes all closes on all disks.
    mutating func changeCloses(_ body: (inout JobClose) -> Void) {
        change { entry in
            guard case .close(var close) = entry else { return entry }
            body(&close)
            return .close(close)
        }
    }

    var job: JobAccount {
        get throws { try #require(judge.jobs.first) }
    }
}

@Suite("The checkers find what they are there for", .tags(.Size.small))
struct CheckerTests {
    @Test("a good run gives them nothing to find")
    func good() throws { #expect(try Scene().found == []) }

    @Test("two awards in one epoch")
    func oneWinner() throws {
        var scene = try Scene()
        let job = try scene.job
        var award = try #require(job.awards.first?.award)
        award.leaseMilliseconds += 1
        scene.add(.award(award), award.encoded, by: job.manifest.placer)
        #expect(scene.found == [.oneWinner])
    }

    @Test("a confirmed entry that its node does not have")
    func acknowledged() throws {
        var scene = try Scene()
        scene.history.acknowledge(CID(of: [7], codec: .dagCBOR), by: 2, at: 5)
        #expect(scene.found == [.acknowledgedKept])
        #expect(scene.judge.findings(isFinal: false).map(\.checker) == [.acknowledgedKept])
    }

    @Test("a replica that lacks the end of a feed")
    func frontier() throws {
        var scene = try Scene()
        let author = scene.replicas[1].did
        scene.replicas[0].feeds[author]?.removeLast()
        scene.replicas[0].rowCounts[author]? -= 1
        #expect(scene.found.isSuperset(of: [.sameFrontier, .gapsExplained]))
        #expect(scene.judge.findings(isFinal: false) == [])
    }

    @Test("a replica that has made something else of the same feeds")
    func projections() throws {
        var scene = try Scene()
        scene.replicas[1].projections = Bytes32(Array(repeating: 1, count: 32))
        #expect(scene.found == [.sameProjections])
    }

    @Test("a status, an epoch or a verification that goes backwards, unless the node lost what it knew")
    func statusForward() throws {
        func stages(_ list: [(Int, String, String)], forgetting: Bool = false) -> Int {
            var history = History()
            for (epoch, status, verification) in list {
                history.observe(
                    job: 1, at: 1, .init(epoch: epoch, status: status, verification: verification), 9)
                if forgetting { history.forgetStatus(of: 1) }
            }
            return history.violations.count
        }
        #expect(
            stages([(-1, "Submitted", ""), (0, "Assigned", ""), (1, "Assigned", ""), (1, "Completed", "")])
                == 0)
        #expect(stages([(0, "Assigned", ""), (-1, "Submitted", "")]) == 1)
        #expect(stages([(1, "Assigned", ""), (0, "Assigned", "")]) == 1)
        #expect(stages([(1, "Assigned", ""), (0, "Completed", "")]) == 0)
        #expect(stages([(0, "Completed", ""), (0, "Failed", "")]) == 1)
        #expect(stages([(0, "Completed", "Verified"), (0, "Completed", "Verifying")]) == 1)
        #expect(stages([(0, "Assigned", ""), (-1, "Submitted", "")], forgetting: true) == 0)
    }

    @Test("a charge above what was reserved, a credit above the charge, and one credit drawn twice")
    func balance() throws {
        var scene = try Scene()
        let job = try scene.job
        var manifest = job.manifest
        manifest.nonce = Array(manifest.nonce.reversed())
        manifest.draws = [try #require(job.closes.first?.cid)]
        let cid = CID(of: manifest.encoded, codec: .dagCBOR)
        scene.add(.manifest(manifest), manifest.encoded, by: manifest.submitter)
        let close = JobClose(
            manifest: cid, result: .cancelled, charged: manifest.market.maxBid + 1,
            credited: manifest.market.maxBid + 2)
        scene.add(.close(close), close.encoded, by: manifest.placer)
        #expect(scene.judge.violations(of: .balance).count == 3)
    }

    @Test("an honest node whose feed is frozen")
    func honestUnfrozen() throws {
        var scene = try Scene()
        for index in scene.replicas.indices { scene.replicas[index].frozen[scene.replicas[4].did] = 90 }
        #expect(scene.found == [.honestUnfrozen])
    }

    @Test("a node that has not frozen one who signed two histories, once either is known")
    func equivocators() throws {
        var scene = try Scene()
        scene.replicas[4].isHonest = false
        scene.history.equivocations[4] = 0
        // Nobody honest has met the second history yet: nobody can know.
        #expect(!scene.found.contains(.equivocatorsFrozen))
        scene.replicas[0].frozen[scene.replicas[4].did] = 0
        #expect(scene.judge.violations(of: .equivocatorsFrozen).count == 3)
    }

    @Test("a wrong result with a quorum's word")
    func wrongVerified() throws {
        var scene = try Scene()
        let job = try scene.job
        #expect(job.isVerified(scene.members) && job.isTrue)
        scene.change { entry in
            guard case .receipt(var receipt) = entry else { return entry }
            receipt.metering.fuel += 1
            return .receipt(receipt)
        }
        #expect(scene.found == [.noWrongVerified])
    }

    @Test("a feed with a hole, or with anchors that do not join")
    func gaps() throws {
        var scene = try Scene()
        scene.replicas[3].rowCounts[scene.replicas[0].did]? += 1
        #expect(scene.found == [.gapsExplained])
    }

    @Test("an entry that takes too long while nothing goes wrong, and not one that a fault explains")
    func late() throws {
        var scene = try Scene()
        let entry = try #require(scene.history.acknowledged.last { scene.history.deliveries[$0.cid] != nil })
        var history = History()
        history.acknowledge(entry.cid, by: entry.node, at: entry.time)
        for node in 0..<4 { history.delivered(entry.cid, to: node, at: entry.time) }
        scene.history = history
        func found(_ faults: [Fault]?) -> [String] {
            var judge = Judge(
                replicas: scene.replicas, history: scene.history, members: scene.members, time: 100_000_000)
            judge.faults = faults
            return judge.violations(of: .gapsExplained)
        }
        #expect(found([]).count == 1)
        #expect(found([]).first?.hasPrefix("n05 did not have") == true)
        #expect(found(nil) == [])
        #expect(found([Fault(.pause, start: entry.time, end: entry.time, nodes: [4])]) == [])
        scene.history.delivered(entry.cid, to: 4, at: entry.time + 9_000_000)
        #expect(found([]) == [])
    }

    @Test("an accepted job that is nowhere, open, or not judged")
    func jobsEnd() throws {
        var scene = try Scene()
        scene.history.jobs[9] = .init(manifest: CID(of: [9], codec: .dagCBOR), id: "9", node: 1, accepted: 1)
        #expect(scene.judge.violations(of: .jobsEnd) == ["job 9 is nowhere"])
        let job = try scene.job
        var manifest = job.manifest
        manifest.nonce = Array(manifest.nonce.reversed())
        let cid = CID(of: manifest.encoded, codec: .dagCBOR)
        scene.add(.manifest(manifest), manifest.encoded, by: manifest.submitter)
        scene.history.jobs[9]?.manifest = cid
        #expect(scene.judge.violations(of: .jobsEnd).first?.hasPrefix("job 9 is open") == true)
    }

    @Test("a job that nobody ran while nothing was wrong, unless it was cancelled or a fault explains it")
    func nobodyRan() throws {
        var scene = try Scene()
        scene.changeCloses { $0.result = .noBids }
        func found(_ faults: [Fault]?) -> Int {
            var judge = scene.judge
            judge.faults = faults
            return judge.violations(of: .jobsEnd).count
        }
        #expect(found([]) == 2)
        #expect(found(nil) == 0)
        let first = try #require(scene.history.jobs[0]).accepted
        #expect(found([Fault(.pause, start: first, end: first + 1, nodes: [4])]) < 2)
        scene.history.jobs[0]?.isCancelled = true
        scene.history.jobs[1]?.isCancelled = true
        #expect(found([]) == 0)
    }

    @Test("a charge for more than the run has used")
    func charge() throws {
        var scene = try Scene()
        let due = try #require(try scene.job.due)
        #expect(try scene.job.countingClose?.charged == due)
        scene.changeCloses { $0.charged += 1 }
        #expect(scene.found == [.balance])
    }

    @Test("the same feeds under different fingerprints")
    func fingerprint() throws {
        var scene = try Scene()
        scene.replicas[1].fingerprint = Bytes32(Array(repeating: 1, count: 32))
        #expect(scene.found == [.sameFrontier])
        // A node that is down has none.
        scene.replicas[1].fingerprint = nil
        #expect(scene.found == [])
    }

    @Test("a node that takes a live one for gone, and not one that takes a dead one for gone")
    func live() throws {
        var scene = try Scene()
        scene.replicas[0].gone = [scene.replicas[3].did]
        #expect(scene.found == [.liveKnown])
        #expect(scene.judge.findings(isFinal: false) == [])
        scene.replicas[3].isUp = false
        #expect(scene.found == [])
    }

    @Test("a node that shows of a job what its entries do not say, or nothing")
    func shown() throws {
        var scene = try Scene()
        let stage = try #require(scene.history.stage(of: 0, at: 1))
        #expect(stage.status == "Completed" && stage.verification == "Verified")
        scene.history.forgetStatus(of: 1)
        #expect(scene.found == [.shownTrue])
        for job in 0..<2 {
            scene.history.observe(
                job: job, at: 1, .init(epoch: 0, status: "Completed", verification: "Disputed"), 9)
        }
        #expect(scene.judge.violations(of: .shownTrue).count == 2)
        for job in 0..<2 {
            scene.history.observe(
                job: job, at: 1, .init(epoch: 0, status: "Completed", verification: "Verified"), 9)
        }
        #expect(scene.found == [])
    }

    @Test("no mistake is made in a build that does not ask for it")
    func planted() {
        #expect(!PlantedBug.isPossible)
        for bug in PlantedBug.allCases {
            PlantedBug.plant(bug)
            #expect(!isPlanted(bug))
        }
    }
}
