internal import MeshRuntime
internal import IPLD
internal import MeshIdentity
internal import MeshMarket

// Jobs that runs have asked for, as the disks tell of them.
extension Judge {
    private struct Place: Hashable {
        let parent: CID
        let index: UInt64
    }

    /// Whether honest members can be asked at all.
    private func isJudged(_ job: JobAccount) -> Bool {
        job.manifest.trust.method == .replay && job.manifest.trust.quorum > 0 && !members.isEmpty
    }

    var childrenEarned: [String] {
        var seen: Set<Place> = []
        return jobs.compactMap { job -> String? in
            guard let parent = job.manifest.parent, honestAuthors.contains(job.manifest.submitter) else {
                return nil
            }
            guard seen.insert(Place(parent: parent.manifest, index: parent.index)).inserted else {
                return "submission \(parent.index) of job \(parent.manifest) was made twice"
            }
            guard let account = jobs.first(where: { $0.cid == parent.manifest }) else {
                return "job \(job.cid) has a parent that is nowhere"
            }
            guard account.manifest.submitter == job.manifest.submitter else {
                return "job \(job.cid) was submitted by another than its parent"
            }
            guard let settled = account.settled, parent.index < UInt64(settled.submissions.count) else {
                return "job \(job.cid) was asked for by no receipt"
            }
            return account.isVerified(members) || !isJudged(account)
                ? nil : "job \(job.cid) was submitted by the receipt of \(account.cid), which is not verified"
        }
    }

    var childrenMade: [String] {
        jobs.flatMap { job -> [String] in
            guard honestAuthors.contains(job.manifest.submitter), isJudged(job), job.isVerified(members),
                let settled = job.settled, settled.outcome.outcomeClass == .ok,
                alive.contains(where: { $0.did == job.manifest.submitter })
            else { return [] }
            return settled.submissions.indices.filter { index in
                !jobs.contains {
                    $0.manifest.parent?.manifest == job.cid && $0.manifest.parent?.index == UInt64(index)
                }
            }.map { "submission \($0) of job \(job.cid) was never made" }
        }
    }
}
