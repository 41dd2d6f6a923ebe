internal import IPLD
internal import MeshCore
internal import MeshDAG
public import MeshIdentity
public import MeshMarket

/// What the federation says about a receipt, as a function of the attestations alone.
public struct Verification: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, CaseIterable {
        case unverified = "Unverified"
        case verifying = "Verifying"
        case verified = "Verified"
        case unverifiable = "Unverifiable"
        case disputed = "Disputed"
    }

    public let state: State
    /// Who found the receipt right, sorted; never the executor or its organisation.
    public let verifiedBy: [DID]
    public let mismatchedBy: [DID]
    /// How many must agree.
    public let quorum: UInt64

    /// Judges a settled receipt.
    ///
    /// - Parameters:
    ///   - receipt: The receipt that the job was closed with; `nil` while there is none.
    ///   - manifest: Names the bundle, the method and the quorum.
    ///   - attestations: All that name the receipt; those of outsiders are ignored.
    ///   - bundle: The bundle that the manifest names; `nil` while it is not here.
    public init(
        receipt: Contribution<JobReceipt>?, manifest: JobManifest?,
        attestations: [Contribution<Attestation>], bundle: FederationBundle?
    ) {
        let quorum = manifest.map { $0.trust.quorum } ?? bundle?.threshold ?? 0
        self.quorum = quorum
        guard let receipt, let manifest, let bundle, manifest.trust.method != .none,
            let body = manifest.trust.federation
        else {
            state = .unverified
            verifiedBy = []
            mismatchedBy = []
            return
        }
        let eligible = bundle.eligible(for: receipt.record.executor).map(\.did)
        var verdicts: [DID: Attestation.Verdict] = [:]
        for attestation in attestations.sorted(by: { $0.position < $1.position }) {
            let record = attestation.record
            let author = attestation.position.author
            guard record.member == author, record.receipt == receipt.cid, record.bundle == body,
                eligible.contains(author),
                verdicts[author] == nil,
                manifest.trust.method == .signature || record.method == .replay
                    || record.verdict == .unverifiable
            else { continue }
            verdicts[author] =
                record.verdict == .mismatch && isPlanted(.mismatchAgrees) ? .verified : record.verdict
        }
        func members(_ verdict: Attestation.Verdict) -> [DID] {
            verdicts.filter { $0.value == verdict }.map(\.key).sorted()
        }
        verifiedBy = members(.verified)
        mismatchedBy = members(.mismatch)
        // One mismatch disputes the receipt until one side reaches the threshold.
        if UInt64(verifiedBy.count) >= quorum, quorum > 0 {
            state = .verified
        } else if !mismatchedBy.isEmpty {
            state = .disputed
        } else if eligible.count - members(.unverifiable).count < Int(clamping: quorum) {
            state = .unverifiable
        } else {
            state = .verifying
        }
    }

    /// Whether further attestations cannot change it, for those who wait.
    public var isFinal: Bool { state != .verifying }
}
