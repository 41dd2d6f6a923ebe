public import IPLD
public import MeshCore
internal import MeshIdentity
internal import MeshRuntime

extension JobManifest {
    /// The manifest of a job that a run of `parent` has asked for.
    ///
    /// It is a pure function of what the DAG says: whoever knows the parent's close knows the CIDs of its children,
    /// published or not, and publishing one twice is publishing it once. The parent's submitter pays for it and
    /// its placer places it, by the parent's rules for trust, scope and market; it is awarded by itself, because
    /// nobody sits and waits for its bids.
    ///
    /// - Parameters:
    ///   - parent: The job whose run asked.
    ///   - cid: The parent's CID.
    ///   - receipt: The receipt that the parent was closed with.
    ///   - closed: When the placer closed the parent, by its clock: the child's creation.
    ///   - index: Which of the receipt's submissions it is.
    ///   - submission: What the block says that the receipt names there.
    /// - Returns: `nil` when the submission does not stand at `index`, asks for more than its parent was given, or
    ///   stands deeper than jobs of jobs may.
    public static func child(
        of parent: JobManifest, cid: CID, receipt: JobReceipt, closed: Timestamp, index: Int,
        submission: JobSubmission
    ) -> JobManifest? {
        let request = submission.request
        let depth = (parent.parent?.depth ?? 0) + 1
        guard submission.index == UInt64(index), depth <= RunEffectLimits.depthMax,
            receipt.manifest == cid, request.amount > 0, request.amount <= amountMax / 1_000_000,
            let priority = Priority.allCases.first(where: { "\($0)" == request.priority })
        else { return nil }
        let needs = request.requirements
        let memory = min(max(needs.memoryMiB ?? 64, 1), 4_096)
        let wall = needs.maxSeconds.map { min($0, 86_400) * 1_000 } ?? parent.limits.wallMilliseconds
        return JobManifest(
            nonce: nonce(parent: cid, epoch: receipt.epoch, index: UInt64(index)),
            submitter: parent.submitter,
            placer: parent.placer, created: closed, expires: closed + (parent.expires - parent.created),
            description: request.description, code: request.code,
            limits: RunLimits(
                fuel: request.amount * 1_000_000, memoryBytes: memory << 20,
                outputBytes: parent.limits.outputBytes, wallMilliseconds: wall),
            needs: Needs(
                cpu: min(max(needs.cpu ?? 1, 1), 4_096), memoryMiB: memory,
                location: needs.location ?? parent.needs.location, labels: parent.needs.labels,
                minReputation: min(needs.minReputation ?? parent.needs.minReputation, 100)),
            priority: priority,
            resource: Resource(type: request.resource, amount: request.amount, scope: parent.resource.scope),
            draws: parent.draws, trust: parent.trust,
            market: Market(
                mode: .auto, windowMilliseconds: parent.market.windowMilliseconds,
                maxBid: min(needs.maxBid ?? request.amount, amountMax)),
            retry: parent.retry,
            parent: Parent(manifest: cid, index: UInt64(index), depth: depth, epoch: receipt.epoch))
    }

    /// What makes a child one and the same however often it is worked out: SHA-256(parent ‖ epoch ‖ index).
    static func nonce(parent: CID, epoch: UInt64, index: UInt64) -> [UInt8] {
        var bytes = parent.bytes
        for number in [epoch, index] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> shift))
            }
        }
        return CID(of: bytes, codec: .raw).digest.bytes
    }
}
