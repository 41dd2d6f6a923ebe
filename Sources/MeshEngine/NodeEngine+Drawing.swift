internal import IPLD
internal import MeshCore
internal import MeshCrypto
internal import MeshGossip
internal import MeshIdentity
internal import MeshMarket

// Who bids: what an auction costs must not grow with the mesh.
//
// Of the nodes whose published profile fits the job, the ``NodeEngine/bidderCountMax`` lowest in an order
// that each job draws anew bid at once; each time that the placer calls because it has had no acceptable
// bid, four times as many may. The order is that of SHA-256(manifest CID digest ‖ DID), so every node works
// out its own place, and nobody can choose a key that is always drawn. Nodes that know different profiles
// may differ a little about who is drawn; that costs a bid more or less and nothing else.
extension NodeEngine {
    /// As many as an award lists.
    static let bidderCountMax = JobAward.consideredCountMax

    /// Whether this node is among those who bid on the job now.
    func isDrawn(_ record: JobManifest, _ manifest: CID) -> Bool {
        guard profiles.count > Self.bidderCountMax, record.submitter != signer.did else { return true }
        let calls = live[manifest]?.calls ?? 0
        guard calls < 16 else { return true }
        let limit = Self.bidderCountMax << (2 * calls)
        guard limit < profiles.count else { return true }
        let own = Self.place(of: signer.did, manifest)
        var before = 0
        for (did, known) in profiles
        where did != signer.did && did != record.submitter && fits(known.profile, record)
            && gossip.membership.state(of: did) != .gone
        {
            if Self.place(of: did, manifest) < own { before += 1 }
            if before >= limit { return false }
        }
        return true
    }

    private static func place(of did: DID, _ manifest: CID) -> Bytes32 {
        var bytes = manifest.digest.bytes
        did.publicKey.append(to: &bytes)
        return SHA256.hash(bytes)
    }

    /// Whether a node that publishes this profile can run the job when it has nothing else to do.
    private func fits(_ profile: NodeProfile, _ record: JobManifest) -> Bool {
        profile.roles.contains(.executor) && profile.languages.contains(record.language)
            && record.needs.languages.allSatisfy { profile.languages.contains($0) }
            && record.needs.cpu <= profile.capacity.cpu
            && record.needs.memoryMiB <= profile.capacity.memoryMiB
            && (record.needs.location.map { $0 == profile.location } ?? true)
            && record.needs.labels.allSatisfy { profile.labels[$0.key] == $0.value }
            && NodeProfile.price(units: record.pricedUnits, perThousand: profile.computePrice)
                <= record.market.maxBid
    }
}
