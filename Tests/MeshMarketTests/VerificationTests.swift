import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
import MeshFederation
import MeshIdentity
import MeshMarket
import MeshRuntime
import MeshTestSupport
import Testing

@Suite("Verification", .tags(.Size.small))
struct VerificationTests {
    /// Five members; 3 and 4 are of one organisation.
    ///
    /// Member 0 executed.
    private func bundle(threshold: UInt64 = 2, organisations: [String?] = [nil, nil, nil, nil, nil]) throws
        -> FederationBundle
    {
        try FederationBundle.genesis(
            name: "f",
            members: organisations.enumerated().map {
                .init(did: Story.party(UInt8($0.offset)), organisation: $0.element)
            },
            threshold: threshold)
    }

    private func judge(
        _ verdicts: [(author: UInt8, verdict: Attestation.Verdict)], in bundle: FederationBundle,
        quorum: UInt64 = 2,
        method: JobManifest.Trust.Method = .replay, by attested: Attestation.Method = .replay,
        namedBundle: CID? = nil, namedReceipt: CID? = nil, namedMember: DID? = nil
    ) -> Verification {
        var samples = Samples(SeededGenerator(seed: 5))
        var manifest = samples.manifest()
        manifest.trust = .init(federation: bundle.cid, method: method, quorum: quorum)
        var record = samples.receipt()
        record.executor = Story.party(0)
        let cid = CID(of: record.encoded, codec: .dagCBOR)
        func position(_ author: UInt8, _ seq: Int) -> EntryPosition {
            EntryPosition(
                author: Story.party(author), scope: "s", seq: UInt64(seq), index: 0,
                time: HybridTime(milliseconds: Int64(seq) + 10, counter: 0))
        }
        let receipt = Contribution(cid: cid, anchor: cid, position: position(0, 0), record: record)
        let attestations = verdicts.enumerated().map { index, one in
            Contribution(
                cid: CID(of: [UInt8(index)], codec: .dagCBOR), anchor: cid,
                position: position(one.author, index + 1),
                record: Attestation(
                    member: namedMember ?? Story.party(one.author), receipt: namedReceipt ?? cid, close: nil,
                    bundle: namedBundle ?? bundle.cid,
                    verdict: one.verdict,
                    method: attested, observed: nil, reason: nil))
        }
        let ways = [attestations, attestations.reversed()].map {
            Verification(receipt: receipt, manifest: manifest, attestations: $0, bundle: bundle)
        }
        #expect(ways[0] == ways[1], "the order of arrival does not matter")
        return ways[0]
    }

    @Test("a receipt is verified once enough other members agree")
    func threshold() throws {
        let bundle = try bundle()
        #expect(judge([], in: bundle).state == .verifying)
        #expect(judge([(1, .verified)], in: bundle).state == .verifying)
        let two = judge([(1, .verified), (2, .verified)], in: bundle)
        #expect(two.state == .verified)
        #expect(two.verifiedBy == [Story.party(1), Story.party(2)].sorted())
        #expect(judge([(1, .verified), (1, .verified)], in: bundle).state == .verifying, "each member once")
    }

    @Test("the executor, outsiders and other bundles, receipts and methods are not heard")
    func ignored() throws {
        let bundle = try bundle()
        #expect(judge([(0, .verified), (1, .verified)], in: bundle).verifiedBy == [Story.party(1)])
        #expect(judge([(9, .verified), (1, .verified)], in: bundle).verifiedBy == [Story.party(1)])
        let copied = judge([(1, .verified), (2, .verified)], in: bundle, namedMember: Story.party(1))
        #expect(copied.verifiedBy == [Story.party(1)], "a verdict that somebody else gave")
        let other = CID(of: [9], codec: .dagCBOR)
        #expect(judge([(1, .verified), (2, .verified)], in: bundle, namedBundle: other).verifiedBy.isEmpty)
        #expect(judge([(1, .verified), (2, .verified)], in: bundle, namedReceipt: other).verifiedBy.isEmpty)
        #expect(judge([(1, .verified), (2, .verified)], in: bundle, by: .signature).verifiedBy.isEmpty)
        #expect(
            judge([(1, .verified), (2, .verified)], in: bundle, method: .signature, by: .signature).state
                == .verified)
        #expect(judge([(1, .verified), (2, .verified)], in: bundle, method: .none).state == .unverified)
    }

    @Test("nobody attests for their own organisation")
    func organisations() throws {
        let bundle = try bundle(organisations: ["a", "a", "b", "b", nil])
        #expect(bundle.eligible(for: Story.party(0)).count == 3)
        #expect(bundle.eligible(for: Story.party(4)).count == 4)
        let verdict = judge([(1, .verified), (2, .verified)], in: bundle)
        #expect(verdict.verifiedBy == [Story.party(2)])
        #expect(judge([(2, .verified), (4, .verified)], in: bundle).state == .verified)
    }

    @Test("one mismatch disputes a receipt until the other side has its quorum")
    func mismatch() throws {
        let bundle = try bundle()
        let disputed = judge([(1, .verified), (2, .mismatch)], in: bundle)
        #expect(disputed.state == .disputed)
        #expect(disputed.mismatchedBy == [Story.party(2)])
        #expect(judge([(1, .verified), (2, .mismatch), (3, .verified)], in: bundle).state == .verified)
        #expect(judge([(2, .mismatch), (3, .mismatch)], in: bundle).state == .disputed)
        #expect(judge([(0, .mismatch)], in: bundle).state == .verifying)
    }

    @Test("a member's first verdict stands")
    func firstVerdict() throws {
        let bundle = try bundle()
        #expect(judge([(1, .mismatch), (1, .verified), (2, .verified)], in: bundle).state == .disputed)
        #expect(judge([(1, .verified), (1, .mismatch), (2, .verified)], in: bundle).state == .verified)
    }

    @Test("a receipt is unverifiable once too few are left who could agree")
    func unverifiable() throws {
        let bundle = try bundle()
        #expect(judge([(1, .unverifiable), (2, .unverifiable)], in: bundle).state == .verifying)
        #expect(
            judge([(1, .unverifiable), (2, .unverifiable), (3, .unverifiable)], in: bundle).state
                == .unverifiable)
        #expect(judge([], in: bundle, quorum: 5).state == .unverifiable)
        #expect(judge([], in: bundle, quorum: .max).state == .unverifiable)
    }

    @Test("without a receipt, a manifest or its bundle nothing is verified")
    func nothing() throws {
        let bundle = try bundle()
        #expect(
            Verification(receipt: nil, manifest: nil, attestations: [], bundle: bundle).state == .unverified)
        #expect(Verification(receipt: nil, manifest: nil, attestations: [], bundle: nil).quorum == 0)
    }
}

@Suite("Federation bundles", .tags(.Size.small))
struct FederationBundleTests {
    private func members(_ count: UInt8) -> [FederationBundle.Member] {
        (0..<count).map { .init(did: Story.party($0), organisation: nil) }
    }

    @Test("the same settings give the same federation, in whatever order the members are named")
    func identity() throws {
        let one = try FederationBundle.genesis(name: "f", members: members(4), threshold: 2)
        let two = try FederationBundle.genesis(name: "f", members: members(4).reversed(), threshold: 2)
        #expect(one.cid == two.cid)
        #expect(try FederationBundle.genesis(name: "g", members: members(4), threshold: 2).cid != one.cid)
        #expect(try FederationBundle.genesis(name: "f", members: members(4), threshold: 3).cid != one.cid)
        #expect(try FederationBundle.genesis(name: "f", members: members(5), threshold: 2).cid != one.cid)
    }

    @Test("thresholds that cannot be met and member lists that are none are refused")
    func rules() {
        func refused(_ members: [FederationBundle.Member], _ threshold: UInt64) -> Bool {
            do throws(FederationError) {
                _ = try FederationBundle.genesis(name: "f", members: members, threshold: threshold)
                return false
            } catch { return error.code == .invalid }
        }
        #expect(!refused(members(2), 1))
        #expect(refused(members(2), 2))
        #expect(refused(members(2), 0))
        #expect(refused(members(4), 4))
        #expect(refused(members(4), .max))
        #expect(refused(members(1), 1))
        #expect(refused([], 1))
        #expect(refused(members(2) + members(1), 1), "one member twice")
        let crowd = (0..<257).map {
            FederationBundle.Member(did: DID(publicKey: SHA256.hash(Array("\($0)".utf8))), organisation: nil)
        }
        #expect(refused(crowd, 1))
        #expect(!refused(Array(crowd.dropLast()), 1))
    }

    @Test("a block that breaks the rules is no bundle")
    func decoding() throws {
        let good = try FederationBundle.genesis(name: "f", members: members(3), threshold: 1)
        var unsorted = good
        unsorted.members.reverse()
        #expect(throws: FederationError.self) { try FederationBundle(decoding: unsorted.encoded) }
        var greedy = good
        greedy.threshold = 3
        #expect(throws: FederationError.self) { try FederationBundle(decoding: greedy.encoded) }
        #expect(try FederationBundle(decoding: good.encoded) == good)
    }

    @Test("only members' valid signatures count, each once")
    func signatures() throws {
        let identities = try (0..<4).map { Identity(try Ed25519PrivateKey(seed: SHA256.hash([$0]))) }
        let bundle = try FederationBundle.genesis(
            name: "f", members: identities[..<3].map { .init(did: $0.did, organisation: nil) }, threshold: 2)
        func signature(_ index: Int, _ body: CID? = nil) -> BundleEntry.Signature {
            .init(
                did: identities[index].did,
                signature: BundleEntry.signatureEnvelope(body ?? bundle.cid, by: identities[index]).signature)
        }
        func signers(_ signatures: [BundleEntry.Signature]) -> [DID] {
            BundleEntry(body: bundle.cid, signatures: signatures).signers(
                of: bundle, verifier: Ed25519Verifier())
        }
        #expect(signers([signature(0), signature(1)]) == [identities[0].did, identities[1].did])
        #expect(signers([signature(0), signature(0)]) == [identities[0].did])
        #expect(signers([signature(3)]).isEmpty, "an outsider")
        #expect(signers([signature(0, CID(of: [1], codec: .dagCBOR))]).isEmpty, "another bundle")
        #expect(signers([.init(did: identities[0].did, signature: signature(1).signature)]).isEmpty)
    }
}
