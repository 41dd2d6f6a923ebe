internal import IPLD
internal import MeshFederation
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime

/// All that disks say about one job: a slow fold of the checkers' own.
struct JobAccount {
    let cid: CID
    let manifest: JobManifest
    /// By the placer, in the order of its feed.
    var awards: [(cid: CID, award: JobAward)] = []
    var receipts: [(cid: CID, author: DID, receipt: JobReceipt)] = []
    var closes: [(cid: CID, close: JobClose)] = []
    var attestations: [(author: DID, attestation: Attestation)] = []

    /// The awards that count: the first of each epoch, in order.
    private var countingAwards: [(cid: CID, award: JobAward)] {
        var counting: [(cid: CID, award: JobAward)] = []
        for one in awards where one.award.epoch == UInt64(counting.count) { counting.append(one) }
        return counting
    }

    private func counts(_ author: DID, _ receipt: JobReceipt) -> Bool {
        author == receipt.executor
            && countingAwards.contains {
                $0.cid == receipt.award && $0.award.executor == author && $0.award.epoch == receipt.epoch
            }
    }

    /// The close that counts.
    var countingClose: JobClose? {
        closes.first { one in
            guard case .receipt(let cid) = one.close.result else { return true }
            return receipts.contains { $0.cid == cid && counts($0.author, $0.receipt) }
        }?.close
    }

    /// The status that the entries give, in the words of the control API.
    var status: String {
        switch countingClose?.result {
        case .receipt: settled?.outcome.outcomeClass == .ok ? "Completed" : "Failed"
        case .cancelled: "Cancelled"
        case .expired, .noBids: "Expired"
        case nil: countingAwards.isEmpty ? "Submitted" : "Assigned"
        }
    }

    /// What the members' word comes to; `nil` where nobody was asked to repeat the run.
    func verificationState(_ members: [DID]) -> String? {
        guard manifest.trust.method == .replay, manifest.trust.quorum > 0, !members.isEmpty else {
            return nil
        }
        guard case .receipt? = countingClose?.result, let settled else { return "Unverified" }
        if isVerified(members) { return "Verified" }
        let verdicts = self.verdicts(members)
        if verdicts.contains(where: { $0.value == .mismatch }) { return "Disputed" }
        let able = members.count { $0 != settled.executor && verdicts[$0] != .unverifiable }
        return UInt64(able) < manifest.trust.quorum ? "Unverifiable" : "Verifying"
    }

    /// What the settled run costs: the bid, by how much of its limit was used, rounded up.
    var due: UInt64? {
        guard let settled, let award = awards.first(where: { $0.cid == settled.award })?.award,
            let bid = award.considered.first?.amount, !settled.outcome.outcomeClass.isNodeFault
        else { return nil }
        let (used, limit) = (settled.metering.fuel, manifest.limits.fuel)
        guard used < limit else { return bid }
        let (quotient, remainder) = limit.dividingFullWidth(bid.multipliedFullWidth(by: used))
        return quotient + (remainder == 0 ? 0 : 1)
    }

    /// The receipt that the job was closed with, where that is a claim that counts.
    var settled: JobReceipt? {
        guard case .receipt(let cid)? = countingClose?.result else { return nil }
        return receipts.first { $0.cid == cid && $0.author == $0.receipt.executor }?.receipt
    }

    private var settledCID: CID? {
        guard case .receipt(let cid)? = countingClose?.result else { return nil }
        return cid
    }

    /// The members who gave each verdict on the settled receipt first.
    func verdicts(_ members: [DID]) -> [DID: Attestation.Verdict] {
        guard let settledCID, let settled else { return [:] }
        var verdicts: [DID: Attestation.Verdict] = [:]
        for (author, attestation) in attestations
        where attestation.receipt == settledCID && attestation.member == author
            && author != settled.executor && members.contains(author) && verdicts[author] == nil
            && (attestation.method == .replay || attestation.verdict == .unverifiable)
        {
            verdicts[author] = attestation.verdict
        }
        return verdicts
    }

    func isVerified(_ members: [DID]) -> Bool {
        let agreeing = verdicts(members).filter { $0.value == .verified }.count
        return manifest.trust.quorum > 0 && UInt64(agreeing) >= manifest.trust.quorum
    }

    /// Whether the settled receipt says what an honest run gives.
    var isTrue: Bool {
        guard let settled else { return true }
        let honest = HonestRun.result(of: manifest)
        let output = CID(of: honest.output, codec: .raw)
        return settled.outcome.outcomeClass != .ok
            || (settled.outputs.map(\.cid) == [output] && settled.metering.fuel == honest.fuel
                && settled.submissions == honest.submissionCIDs)
    }

    /// The jobs in a set of feeds, by the CIDs of their manifests.
    static func all(in anchors: [ReadAnchor]) -> [CID: JobAccount] {
        var jobs: [CID: JobAccount] = [:]
        var owners: [CID: CID] = [:]
        for anchor in anchors {
            for (cid, entry) in anchor.entries {
                if case .manifest(let manifest)? = entry, manifest.submitter == anchor.author,
                    jobs[cid] == nil
                {
                    jobs[cid] = JobAccount(cid: cid, manifest: manifest)
                }
                if case .receipt(let receipt)? = entry { owners[cid] = receipt.manifest }
            }
        }
        for anchor in anchors {
            for (cid, entry) in anchor.entries {
                switch entry {
                case .award(let award):
                    guard jobs[award.manifest]?.manifest.placer == anchor.author else { continue }
                    jobs[award.manifest]?.awards.append((cid, award))
                case .receipt(let receipt):
                    jobs[receipt.manifest]?.receipts.append((cid, anchor.author, receipt))
                case .close(let close):
                    guard jobs[close.manifest]?.manifest.placer == anchor.author else { continue }
                    jobs[close.manifest]?.closes.append((cid, close))
                case .attestation(let attestation):
                    if let owner = owners[attestation.receipt] {
                        jobs[owner]?.attestations.append((anchor.author, attestation))
                    }
                default: break
                }
            }
        }
        return jobs
    }
}
