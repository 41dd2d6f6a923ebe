internal import MeshDAG
internal import ExecutionDocuments
internal import IPLD
internal import MeshCore
internal import MeshIdentity
internal import MeshMarket
internal import MeshStorage

// Execution documents of the runs of this node: the start is in the store before anything runs, the end before the
// receipt that links both. Between the two the open job's row says what is under way, so that a restart begins from
// the start snapshot again.
extension NodeEngine {
    /// allow-self ‖ epoch ‖ start in ms ‖ digest of the start snapshot.
    private static let rowByteCount = 1 + 8 + 8 + 32

    /// Takes up a run that a restart has cut short, if there is one: it begins again from its start snapshot.
    mutating func takeUpExecution(_ manifest: CID, _ step: Step) throws(StorageError) {
        guard let execution = live[manifest]?.execution,
            let row = try step.storage.value(forKey: Self.openKey(manifest), in: .own),
            row.count == Self.rowByteCount, row.bigEndian(at: 1) == execution.epoch
        else { return }
        live[manifest]?.execution?.started = Timestamp(milliseconds: Int64(clamping: row.bigEndian(at: 9)))
        let start = CID(codec: .raw, digest: Bytes32(row, at: 17))
        effects.append(
            .log(
                .info,
                "execution \(JobExecution.uid(job: manifest, epoch: execution.epoch)) was cut short; it begins again from its start snapshot \(start)"
            ))
    }

    /// Snapshots the start of a run that is about to be ordered.
    mutating func beginExecution(
        _ manifest: CID, _ record: JobManifest, _ step: Step
    ) throws(StorageError) {
        guard let execution = live[manifest]?.execution, let engine = settings.engine else { return }
        let started = execution.started ?? step.now
        live[manifest]?.execution?.started = started
        let start = JobExecution(
            manifestCID: manifest, manifest: record, award: execution.award, epoch: execution.epoch,
            executor: signer.did, engine: engine, started: started
        ).start
        if !isPlanted(.startNotKept), try !step.storage.hasBlock(start.cid) {
            try step.storage.putBlock(start.bytes, cid: start.cid)
        }
        var row: [UInt8] = [live[manifest]?.allowSelf == true ? 1 : 0]
        row.append(bigEndian: execution.epoch)
        row.append(bigEndian: UInt64(clamping: started.milliseconds))
        start.cid.digest.append(to: &row)
        try step.storage.put(row, forKey: Self.openKey(manifest), in: .own)
    }

    /// Snapshots the end of a run.
    ///
    /// - Returns: What the receipt links.
    mutating func endExecution(
        _ receipt: JobReceipt, _ record: JobManifest, _ step: Step
    ) throws(StorageError) -> JobExecution.Links {
        let (start, end) = JobExecution.blocks(of: receipt, manifest: record)
        // A run that never began, such as for want of its inputs, has had no start.
        for block in isPlanted(.startNotKept) ? [end] : [start, end]
        where try !step.storage.hasBlock(block.cid) {
            try step.storage.putBlock(block.bytes, cid: block.cid)
        }
        return JobExecution.Links(start: start.cid, end: end.cid)
    }
}
