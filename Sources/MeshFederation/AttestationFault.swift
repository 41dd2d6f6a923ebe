public import IPLD
internal import MeshCore
public import MeshIdentity
public import MeshMarket
internal import MeshRuntime

extension Attestation {
    /// Why this attestation does not count for a receipt; `nil` when it does.
    ///
    /// - Parameters:
    ///   - author: Who published it.
    ///   - receiptCID: The receipt that it must be about.
    ///   - receipt: Its record.
    ///   - close: The job's close, where there is one.
    ///   - manifest: The job, which names the bundle and the method.
    ///   - bundle: The bundle that the manifest names.
    /// - Returns: What is wrong, to be read behind "the attestation of did:key:…".
    public func fault(
        by author: DID, of receiptCID: CID, _ receipt: JobReceipt, close: CID?, manifest: JobManifest,
        bundle: FederationBundle
    ) -> String? {
        guard member == author else { return "was made by \(member)" }
        guard self.receipt == receiptCID else { return "is about another receipt" }
        guard self.bundle == manifest.trust.federation else { return "was made under another bundle" }
        if let named = self.close, let close, named != close { return "names another close" }
        guard bundle.member(author) != nil else { return "does not count: no member of the federation" }
        guard author != receipt.executor else { return "does not count: nobody attests for themselves" }
        guard bundle.eligible(for: receipt.executor).contains(where: { $0.did == author }) else {
            return "does not count: nobody attests for their own organisation"
        }
        if verdict == .unverifiable { return nil }
        guard method == .replay || manifest.trust.method == .signature else {
            return "says \(verdict.rawValue) without having repeated the run"
        }
        guard method == .replay else { return nil }
        guard let observed else { return "does not say what it observed" }
        var judged = Self.compare(receipt, engine: receipt.engine, observed: observed).verdict
        // The links are worked out where somebody says that they are wrong: this is asked often.
        if judged == .verified, verdict == .mismatch, !JobExecution.holds(receipt, manifest: manifest) {
            judged = .mismatch
        }
        return judged == verdict
            ? nil : "says \(verdict.rawValue), but what it observed makes that \(judged.rawValue)"
    }
}
