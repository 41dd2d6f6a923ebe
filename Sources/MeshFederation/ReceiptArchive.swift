public import IPLD
internal import MeshDAG
public import MeshMarket

/// The order of the blocks in a receipt's CAR.
///
/// One root, the receipt; then its anchor, the award, its anchor and the envelope of the winning
/// bid, the manifest and its anchor, the close and its anchor, the bundle's entry and body, the
/// attestations in CID order, each with its anchor, then code, inputs, outputs and logs, lists before
/// their chunks. A block that has been named already is not repeated. Since every block has its
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
        if let award = ledger.validAwards.first(where: { $0.cid == receipt.record.award }) {
            add(award.cid, award.anchor, award.record.bids)
        }
        if let manifest = ledger.manifest { add(manifest.cid, manifest.anchor) }
        if let close = ledger.close, case .receipt(receipt.cid) = close.record.result { add(close.cid, close.anchor) }
        if let bundleEntry, let bundleBody { add(bundleEntry, bundleBody) }
        for attestation in attestations.sorted(by: { $0.cid < $1.cid }) { add(attestation.cid, attestation.anchor) }
        return order
    }

    /// The blocks of a blob, the naming one first.
    ///
    /// - Returns: `nil` when a block is missing.
    public static func blocks(of blob: CID, block: (CID) -> [UInt8]?) -> [Block]? {
        var blocks: [Block] = []
        var queue = [blob]
        while let cid = queue.popLast() {
            guard let bytes = block(cid) else { return nil }
            blocks.append(Block(cid: cid, bytes: bytes))
            if cid.codec == .dagCBOR, let list = try? BlobList(decoding: bytes) {
                queue.append(contentsOf: list.chunks.reversed().map(\.cid))
            }
        }
        return blocks
    }
}
