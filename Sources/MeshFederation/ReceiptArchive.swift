public import IPLD
internal import MeshDAG
public import MeshMarket

/// The order of the blocks in a receipt's CAR.
///
/// One root, the receipt; then its anchor, the blocks of the jobs that the run asked for, the two snapshots of the run's
/// execution document (unless the receipt links others than follow from it), the award, its anchor and the envelope of
/// the winning bid, the manifest and its anchor, the close and its anchor, the bundle's entry and body, the attestations
/// in CID order, each with its anchor, then code, inputs, outputs and logs, lists before their chunks. A block that has been named already is not repeated. Since every block has its
/// place, a verifier refuses whatever it did not expect.
public enum ReceiptArchive {
    /// The records that prove a receipt, in order.
    public static func records(
        of receipt: Contribution<JobReceipt>, in ledger: JobLedger, attestations: [Contribution<Attestation>],
        bundleEntry: CID?, bundleBody: CID?
    ) -> [CID] {
        var order: [CID] = []
        func add(_ cids: CID...) { for cid in cids where !order.contains(cid) { order.append(cid) } }
        add(receipt.cid, receipt.anchor)
        for submission in receipt.record.submissions { add(submission) }
        if let links = receipt.record.execution, let manifest = ledger.manifest?.record,
            JobExecution.holds(receipt.record, manifest: manifest)
        {
            add(links.start, links.end)
        }
        if let award = ledger.validAwards.first(where: { $0.cid == receipt.record.award }) {
            add(award.cid, award.anchor, award.record.bids)
        }
        if let manifest = ledger.manifest { add(manifest.cid, manifest.anchor) }
        if let close = ledger.close, case .receipt(receipt.cid) = close.record.result {
            add(close.cid, close.anchor)
        }
        if let bundleEntry, let bundleBody { add(bundleEntry, bundleBody) }
        // A member may have published the same attestation twice; the anchors follow it in order.
        let sorted = attestations.sorted { $0.cid != $1.cid ? $0.cid < $1.cid : $0.position < $1.position }
        for attestation in sorted { add(attestation.cid, attestation.anchor) }
        return order
    }

    /// The attestations that a verifier counts, of all that name the receipt.
    ///
    /// Anyone may publish an attestation; one that does not count would make the archive invalid.
    public static func counted(
        _ attestations: [Contribution<Attestation>], for receipt: Contribution<JobReceipt>,
        in ledger: JobLedger, bundle: FederationBundle?
    ) -> [Contribution<Attestation>] {
        guard let bundle, let manifest = ledger.manifest?.record else { return [] }
        return attestations.filter { one in
            one.record.fault(
                by: one.position.author, of: receipt.cid, receipt.record, close: ledger.close?.cid,
                manifest: manifest, bundle: bundle) == nil
        }
    }

    /// The file's bytes.
    ///
    /// - Parameters:
    ///   - root: The receipt.
    ///   - records: What ``records(of:in:attestations:bundleEntry:bundleBody:)`` names, with the bytes.
    ///   - blobs: Code, inputs, outputs and logs, in this order.
    ///   - block: Finds a blob's block.
    /// - Returns: `nil` when a block is missing.
    public static func file(
        root: CID, records: [Block], blobs: [CID], block: (CID) -> [UInt8]?
    ) -> [UInt8]? {
        var all: [Block] = []
        var seen: Set<CID> = []
        for record in records where seen.insert(record.cid).inserted { all.append(record) }
        for blob in blobs {
            guard let blocks = blocks(of: blob, block: block) else { return nil }
            for block in blocks where seen.insert(block.cid).inserted { all.append(block) }
        }
        return CAR(roots: [root], blocks: all).encoded
    }

    /// The blocks of a blob, the naming one first, each once: where it is named first.
    ///
    /// - Returns: `nil` when a block is missing.
    public static func blocks(of blob: CID, block: (CID) -> [UInt8]?) -> [Block]? {
        var blocks: [Block] = []
        var queue = [blob]
        var seen: Set<CID> = []
        while let cid = queue.popLast() {
            guard seen.insert(cid).inserted else { continue }
            guard let bytes = block(cid) else { return nil }
            blocks.append(Block(cid: cid, bytes: bytes))
            if cid.codec == .dagCBOR, let list = try? BlobList(decoding: bytes) {
                queue.append(contentsOf: list.chunks.reversed().map(\.cid))
            }
        }
        return blocks
    }
}
