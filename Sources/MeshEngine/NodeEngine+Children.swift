internal import IPLD
internal import MeshCore
internal import MeshDAG
internal import MeshFederation
internal import MeshIdentity
internal import MeshMarket
internal import MeshRuntime
internal import MeshStorage

// Jobs that runs have asked for: published by the parent's submitter, once the parent's receipt is verified.
extension NodeEngine {
    /// A job that a receipt asks for, whether it is published or not.
    struct Child {
        let index: Int
        let request: RunSubmission
        /// `nil` where the request cannot become a job.
        let manifest: JobManifest?
        let cid: CID?
    }

    /// The jobs that the settled receipt of a job asks for, in order; empty for a run that did not end well.
    func children(of ledger: JobLedger, _ step: Step) throws(StorageError) -> [Child] {
        guard let manifest = ledger.manifest?.record, let receipt = ledger.settledReceipt?.record,
            let close = ledger.close, receipt.outcome.outcomeClass == .ok
        else { return [] }
        var children: [Child] = []
        for (index, cid) in receipt.submissions.enumerated() {
            guard let bytes = try step.storage.block(cid),
                let submission = try? JobSubmission(decoding: bytes)
            else { continue }
            let child = JobManifest.child(
                of: manifest, cid: ledger.manifestCID, receipt: receipt,
                closed: close.position.time.timestamp,
                index: index, submission: submission)
            // What others could not read would never be a job.
            let encoded = child?.encoded
            let isReadable = encoded.map { (try? JobManifest(decoding: $0)) != nil } ?? false
            children.append(
                Child(
                    index: index, request: submission.request, manifest: isReadable ? child : nil,
                    cid: isReadable ? encoded.map { CID(of: $0, codec: .dagCBOR) } : nil))
        }
        return children
    }

    /// Publishes the jobs that a run of a job submitted here has asked for.
    ///
    /// Nobody else does it: the executor would spend another's resources, and every judge would submit again. What
    /// a child is follows from the entries, so that doing it once more after a crash adds nothing.
    ///
    /// - Returns: Whether nothing is left to do.
    mutating func publishChildren(
        _ manifest: CID, _ record: JobManifest, _ ledger: JobLedger, _ step: Step
    ) throws(StorageError) -> Bool {
        // A run outside the market has been asked for by nobody.
        guard record.submitter == signer.did, let receipt = ledger.settledReceipt,
            !receipt.record.submissions.isEmpty, receipt.record.award != nil
        else { return true }
        let children = try children(of: ledger, step)
        var unpublished: [(child: JobManifest, cid: CID)] = []
        for child in children {
            guard let manifest = child.manifest, let cid = child.cid else { continue }
            if try jobs.ledger(cid, in: step.storage).manifest == nil { unpublished.append((manifest, cid)) }
        }
        if unpublished.isEmpty { return true }
        guard step.now < record.expires else {
            effects.append(
                .log(
                    .warning,
                    "job \(JobID(manifest: manifest)) has expired; \(unpublished.count) of the jobs that it asks for were not submitted"
                ))
            return true
        }
        let (verification, _) = try verification(ledger, step)
        guard Self.isTrusted(verification, record), publishingRefusal == nil else {
            wakes.schedule(manifest, at: min(step.now + 1_000, record.expires))
            return false
        }
        for (child, cid) in unpublished where live[manifest]?.children.contains(cid) != true {
            let missing = try missingBlobs([child.code], step)
            guard missing.isEmpty else {
                try fetch(missing, for: manifest, from: receipt.record.executor, step)
                continue
            }
            live[manifest]?.children.insert(cid)
            try open(cid, allowSelf: live[manifest]?.allowSelf ?? false, step)
            publish(child.encoded, step)
            effects.append(
                .log(
                    .info,
                    "job \(JobID(manifest: manifest)) asked for job \(JobID(manifest: cid)); it is submitted")
            )
        }
        wakes.schedule(manifest, at: min(step.now + 1_000, record.expires))
        return false
    }

    /// Whether what a receipt asks for may be done: its verification is complete, or the job asked for none.
    static func isTrusted(_ verification: Verification, _ record: JobManifest) -> Bool {
        verification.state == .verified || record.trust.method == .none || record.trust.federation == nil
            || record.trust.quorum == 0 && verification.state != .disputed || isPlanted(.childrenUnverified)
    }
}
