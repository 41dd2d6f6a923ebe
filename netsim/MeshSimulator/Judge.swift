internal import MeshRuntime
internal import MeshFederation
internal import IPLD
internal import MeshCore
internal import MeshIdentity
internal import MeshMarket

/// Holds disks and history against the invariants; see ``Checker``.
struct Judge {
    let replicas: [Replica]
    let history: History
    /// Who may attest.
    let members: [DID]
    let time: Int64
    /// The jobs in all that honest nodes hold and that counts, sorted by CID.
    let jobs: [JobAccount]
    /// What went wrong in the run; `nil` where nothing is held against when it did.
    var faults: [Fault]?

    /// How long what is published while nothing goes wrong may take to reach everyone, in microseconds.
    static let deliveryLimit = 10 * Duration.second
    /// How long a fault may be felt after its end: dials are tried again every thirty seconds at worst.
    private static let aftermath = 60 * Duration.second

    private let honest: [Replica]
    let alive: [Replica]
    let honestAuthors: Set<DID>

    init(replicas: [Replica], history: History, members: [DID], time: Int64) {
        self.replicas = replicas
        self.history = history
        self.members = members
        self.time = time
        let honest = replicas.filter(\.isHonest)
        self.honest = honest
        alive = honest.filter(\.isUp)
        honestAuthors = Set(honest.map(\.did))
        jobs = Self.jobs(in: honest)
    }

    init(_ world: World) {
        self.init(
            replicas: world.nodes.map { world.reader.read($0) }, history: world.history,
            members: world.bundle?.members.map(\.did) ?? [], time: world.time)
        // Losses, liars and limits on bandwidth delay what they do not stop.
        let network = world.scenario.network
        if network.loss == 0, network.bandwidth == nil, world.plan.behaviours.isEmpty {
            faults = world.plan.faults
        }
    }

    /// What is found broken.
    ///
    /// - Parameter isFinal: Whether the faults are over, so that liveness counts as well.
    /// - Returns: At most three findings of each checker.
    func findings(isFinal: Bool) -> [Violation] {
        Checker.allCases.filter { isFinal || !$0.isLiveness }.flatMap { checker in
            violations(of: checker).prefix(3).map { Violation(checker, time: time, $0) }
        }
    }

    /// What breaks one invariant, in words.
    func violations(of checker: Checker) -> [String] {
        switch checker {
        case .oneWinner: oneWinner
        case .acknowledgedKept: acknowledgedKept
        case .sameFrontier: sameFrontier
        case .sameProjections: sameProjections
        case .sameGraph: sameGraph
        // Seen as it happens.
        case .statusForward: history.violations.filter { $0.checker == checker }.map(\.detail)
        case .balance: balance
        case .honestUnfrozen: honestUnfrozen
        case .equivocatorsFrozen: equivocatorsFrozen
        case .noWrongVerified: noWrongVerified
        case .childrenEarned: childrenEarned
        case .childrenMade: childrenMade
        case .executionsKept: honest.flatMap { one in one.executionFaults.map { "\(one.name): \($0)" } }
        case .gapsExplained: gapsExplained
        case .jobsEnd: jobsEnd
        case .liveKnown: liveKnown
        case .shownTrue: shownTrue
        }
    }

    /// The jobs in all that these hold and that counts, sorted by CID.
    private static func jobs(in replicas: [Replica]) -> [JobAccount] {
        var seen: Set<CID> = []
        var anchors: [ReadAnchor] = []
        for replica in replicas {
            for author in replica.authors {
                for anchor in replica.counting(author) where seen.insert(anchor.cid).inserted {
                    anchors.append(anchor)
                }
            }
        }
        anchors.sort { ($0.author, $0.seq, $0.cid) < ($1.author, $1.seq, $1.cid) }
        return JobAccount.all(in: anchors).map(\.value).sorted { $0.cid < $1.cid }
    }

    // MARK: Safety

    private var oneWinner: [String] {
        jobs.filter { honestAuthors.contains($0.manifest.placer) }.flatMap { job -> [String] in
            var winners: [UInt64: CID] = [:]
            return job.awards.compactMap { cid, award -> String? in
                guard let first = winners.updateValue(cid, forKey: award.epoch), first != cid else {
                    return nil
                }
                return "job \(job.cid) has two awards in epoch \(award.epoch)"
            }
        }
    }

    private var acknowledgedKept: [String] {
        history.acknowledged.compactMap { acknowledged in
            guard let replica = replicas.first(where: { $0.index == acknowledged.node }) else { return nil }
            let stands = (replica.feeds[replica.did] ?? []).contains { anchor in
                anchor.entries.contains { $0.cid == acknowledged.cid }
            }
            return stands
                ? nil
                : "\(replica.name) confirmed \(acknowledged.cid) at \(Duration.seconds(acknowledged.time)) and does not have it"
        }
    }

    private var sameGraph: [String] {
        var found: [String] = []
        var first: [Bytes32: Replica] = [:]
        for replica in alive {
            guard let fingerprint = replica.fingerprint else { continue }
            if let other = first[fingerprint] {
                if other.graph != replica.graph {
                    found.append(
                        "\(other.name) and \(replica.name) have made different graphs of the same feeds")
                }
            } else {
                first[fingerprint] = replica
            }
        }
        for number in history.marks.keys.sorted() {
            guard let replica = honest.first(where: { $0.index == history.marks[number] }),
                !replica.graph.marks.contains(GraphWork.mark(number))
            else { continue }
            found.append("\(replica.name) confirmed change \(number) of the graph and does not have it")
        }
        return found
    }

    private var balance: [String] {
        var found: [String] = []
        var credits: [CID: UInt64] = [:]
        for job in jobs {
            guard let (cid, close) = job.closes.first else { continue }
            credits[cid] = close.credited
            if close.charged > job.manifest.market.maxBid {
                found.append(
                    "job \(job.cid) was charged \(close.charged), and \(job.manifest.market.maxBid) were reserved"
                )
            }
            if close.credited > close.charged {
                found.append("job \(job.cid) credits \(close.credited) of \(close.charged)")
            }
            if let due = job.due, honestAuthors.contains(job.manifest.placer), close.charged > due {
                found.append("job \(job.cid) was charged \(close.charged) for what comes to \(due)")
            }
        }
        for job in jobs {
            for draw in job.manifest.draws {
                guard let left = credits[draw] else { continue }
                let spent = job.closes.first?.close.charged ?? 0
                credits[draw] = left >= spent ? left - spent : 0
                if left < spent { found.append("job \(job.cid) draws \(spent) of the \(left) that are left") }
            }
        }
        return found
    }

    private var honestUnfrozen: [String] {
        honest.flatMap { replica in
            honest.filter { replica.frozen[$0.did] != nil }.map { "\(replica.name) has frozen \($0.name)" }
        }
    }

    private var noWrongVerified: [String] {
        jobs.filter { !$0.isTrue && $0.isVerified(members) }.map { "job \($0.cid) is verified and wrong" }
    }

    // MARK: Liveness

    private var sameFrontier: [String] {
        guard let first = alive.first else { return [] }
        return alive.dropFirst().flatMap { other -> [String] in
            let differing: [String] = Set(first.authors + other.authors).sorted().compactMap {
                author -> String? in
                let mine = first.counting(author)
                let theirs = other.counting(author)
                guard mine.last?.cid != theirs.last?.cid || first.frozen[author] != other.frozen[author]
                else {
                    return nil
                }
                return
                    "\(first.name) has \(mine.count) anchors of \(name(author)) and \(other.name) has \(theirs.count)"
            }
            // They compare fingerprints for ever when these differ over the same feeds.
            guard differing.isEmpty, let mine = first.fingerprint, let theirs = other.fingerprint,
                mine != theirs
            else { return differing }
            return ["\(first.name) and \(other.name) hold the same feeds under different fingerprints"]
        }
    }

    private var sameProjections: [String] {
        guard let first = alive.first else { return [] }
        return alive.dropFirst().filter { $0.projections != first.projections }.map {
            "\(first.name) and \($0.name) have made different things of their feeds"
        }
    }

    private var equivocatorsFrozen: [String] {
        history.equivocations.keys.sorted().flatMap { index -> [String] in
            guard let did = replicas.first(where: { $0.index == index })?.did,
                let seq = history.equivocations[index]
            else { return [] }
            // When one of the two has reached nobody honest, nobody can know.
            let seen = Set(
                honest.compactMap { replica in
                    replica.feeds[did].flatMap { $0.indices.contains(Int(seq)) ? $0[Int(seq)].cid : nil }
                })
            guard seen.count > 1 || honest.contains(where: { $0.frozen[did] != nil }) else { return [] }
            return alive.filter { $0.frozen[did] == nil }.map {
                "\($0.name) has not frozen \(NodeName.text(index)), which signed two anchors \(seq)"
            }
        }
    }

    /// Plain entries that were confirmed while nothing went wrong and have not reached everyone in time.
    private var late: [String] {
        guard let faults else { return [] }
        return history.acknowledged.compactMap { entry -> String? in
            let limit = entry.time + Self.deliveryLimit
            guard let arrivals = history.deliveries[entry.cid], limit <= time,
                faults.allSatisfy({ limit < $0.start || $0.end + Self.aftermath < entry.time }),
                let slow = alive.first(where: { arrivals[$0.index].map { $0 > limit } ?? true })
            else { return nil }
            return
                "\(slow.name) did not have \(entry.cid) \(Duration.text(Self.deliveryLimit)) after it was confirmed"
        }
    }

    private var gapsExplained: [String] {
        // Of ten thousand nodes few publish.
        let authors = honest.filter { $0.feeds[$0.did]?.isEmpty == false }
        return late
            + alive.flatMap { replica -> [String] in
                var found = replica.rowCounts.keys.sorted().filter {
                    replica.rowCounts[$0] != replica.feeds[$0]?.count
                }.map { "\(replica.name) has a gap in the feed of \(name($0))" }
                for anchors in replica.authors.compactMap({ replica.feeds[$0] }) {
                    for (anchor, next) in zip(anchors, anchors.dropFirst()) where next.prev != anchor.cid {
                        found.append(
                            "\(replica.name) has anchors \(anchor.seq) and \(next.seq) that do not join")
                    }
                }
                for author in authors {
                    let own = author.feeds[author.did]?.count ?? 0
                    let here = replica.feeds[author.did]?.count ?? 0
                    if here < own {
                        found.append("\(replica.name) has \(here) of \(own) anchors of \(author.name)")
                    }
                }
                return found
            }
    }

    private var jobsEnd: [String] {
        let accounts = jobs
        return history.jobs.keys.sorted().compactMap { number -> String? in
            guard let job = history.jobs[number] else { return nil }
            guard let account = accounts.first(where: { $0.cid == job.manifest }) else {
                return "job \(number) is nowhere"
            }
            guard let close = account.countingClose else {
                return
                    "job \(number) is open, with \(account.awards.count) awards and \(account.receipts.count) receipts"
            }
            if close.result == .noBids || close.result == .expired, let faults, !job.isCancelled,
                faults.allSatisfy({
                    job.accepted + Self.deliveryLimit < $0.start || $0.end + Self.aftermath < job.accepted
                })
            {
                return "job \(number) found nobody to run it, although nothing was wrong"
            }
            guard case .receipt = close.result, let settled = account.settled,
                settled.outcome.outcomeClass == .ok, account.manifest.trust.method == .replay,
                !members.isEmpty
            else { return nil }
            let verdicts = account.verdicts(members)
            // Those who misbehave in other ways than lying may be cut off or frozen, and judge nothing.
            let eligible = members.filter { $0 != settled.executor && honestAuthors.contains($0) }.count
            let unverifiable = verdicts.filter {
                $0.value == .unverifiable && $0.key != settled.executor && honestAuthors.contains($0.key)
            }.count
            let isJudged =
                account.isVerified(members) || verdicts.contains { $0.value == .mismatch }
                || UInt64(eligible - unverifiable) < account.manifest.trust.quorum
            return isJudged
                ? nil
                : "job \(number) has \(verdicts.count) verdicts, and a quorum of \(account.manifest.trust.quorum)"
        }
    }

    private var liveKnown: [String] {
        alive.filter { !$0.gone.isEmpty }.flatMap { replica in
            alive.filter { replica.gone.contains($0.did) }.map {
                "\(replica.name) takes \($0.name) for gone"
            }
        }
    }

    private var shownTrue: [String] {
        let accounts = jobs
        return history.jobs.keys.sorted().flatMap { number -> [String] in
            guard let manifest = history.jobs[number]?.manifest,
                let account = accounts.first(where: { $0.cid == manifest })
            else { return [] }
            let status = account.status
            let state = account.verificationState(members)
            return alive.compactMap { replica in
                guard let shown = history.stage(of: number, at: replica.index) else {
                    return "\(replica.name) does not show job \(number)"
                }
                let isTrue = shown.status == status && state.map { $0 == shown.verification } ?? true
                return isTrue
                    ? nil
                    : "\(replica.name) shows job \(number) as \(shown), and it is \(status)/\(state ?? "any")"
            }
        }
    }

    private func name(_ did: DID) -> String { replicas.first { $0.did == did }?.name ?? "\(did)" }
}
