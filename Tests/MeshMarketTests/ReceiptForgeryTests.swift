import IPLD
import MeshCore
import MeshFederation
import MeshIdentity
import MeshMarket
import MeshRuntime
import MeshTestSupport
import Testing

@Suite("Forged receipts, properly packed", .tags(.Size.small))
struct ReceiptForgeryTests {
    private func failures(_ change: (inout ReceiptScene) -> Void) throws -> [String] {
        try ReceiptScene.changed(change).verify().failures.map(\.name)
    }

    @Test("an anchor that another key signed fails")
    func wrongSigner() throws {
        #expect(try failures { $0.receiptSigner = $0.outsider } == ["anchor-signature"])
    }

    @Test("a receipt that somebody else published fails")
    func wrongAuthor() throws {
        #expect(
            try failures {
                $0.receiptAuthor = $0.outsider
                $0.receiptSigner = $0.outsider
                $0.attesters = [$0.first, $0.second]
            }.first == "anchor-signature")
    }

    @Test("an award for another epoch, executor or job fails")
    func award() throws {
        #expect(try failures { $0.changeReceipt = { $0.epoch = 1 } } == ["award"])
        #expect(try failures { $0.changeAward = { $0.epoch = 1 } } == ["award"])
        let outsider = ReceiptScene().outsider.did
        #expect(try failures { $0.changeAward = { $0.executor = outsider } } == ["award"])
        #expect(
            try failures { $0.changeAward = { $0.manifest = CID(of: [5], codec: .dagCBOR) } } == ["award"])
    }

    @Test("a winning bid that is forged, of another amount or not there fails")
    func bid() throws {
        #expect(try failures { $0.bidSigner = $0.outsider } == ["award"])
        #expect(try failures { $0.changeBids = { $0.bids[0].amount = 9 } } == ["award"])
        #expect(try failures { $0.changeBids = { $0.bids[0].epoch = 3 } } == ["award"])
        #expect(
            try failures { $0.changeBids = { $0.bids[0].manifest = CID(of: [5], codec: .dagCBOR) } }
                == ["award"])
        #expect(try failures { $0.changeAward = { $0.index = 1 } } == ["award"])
        #expect(try failures { $0.changeAward = { $0.considered = [] } }.first == "award")
    }

    @Test("a run without an award by anyone but its submitter fails")
    func unawarded() throws {
        #expect(try failures { $0.changeReceipt = { $0.award = nil } }.first == "award")
    }

    @Test("sizes that are not those of the blobs fail")
    func sizes() throws {
        #expect(
            try failures {
                $0.changeReceipt = { receipt in
                    receipt.outputs = receipt.outputs.map {
                        NamedBlob(name: $0.name, cid: $0.cid, size: $0.size + 1)
                    }
                }
            } == ["manifest"])
        #expect(try failures { $0.changeManifest = { $0.inputs[0].size = 0 } } == ["manifest"])
    }

    @Test("a charge that the bid and the fuel do not make fails")
    func charge() throws {
        #expect(try failures { $0.changeClose = { $0.charged = 4 } } == ["close"])
        #expect(try failures { $0.changeClose = { $0.credited = 10 } } == ["close"])
    }

    @Test("a close that names another receipt fails")
    func close() throws {
        let other = JobClose.Result.receipt(CID(of: [5], codec: .dagCBOR))
        #expect(try failures { $0.changeClose = { $0.result = other } } == ["close"])
        #expect(try failures { $0.changeClose = { $0.result = .cancelled } } == ["close"])
    }

    @Test("a bundle without enough members' signatures fails, and nobody's attestation is judged by it")
    func threshold() throws {
        let scene = ReceiptScene.changed { $0.bundleSigners = [$0.executor, $0.outsider, $0.outsider] }
        let verification = try scene.verify(trust: try scene.bundle.cid)
        #expect(verification.failures.map(\.name) == ["federation"])
        #expect(!verification.pinned)
        #expect(verification[.attestations] == nil)
        #expect(verification[.quorum] == nil)
    }

    @Test("attestations by outsiders, by the executor and by its organisation fail")
    func attesters() throws {
        for attester in [
            ReceiptScene().outsider, ReceiptScene().executor, ReceiptScene().colleague,
        ] {
            let found = try failures { $0.attesters = [$0.first, attester] }
            #expect(found == ["attestations", "quorum"], "\(attester.did)")
        }
        // Even where enough others agree.
        #expect(try failures { $0.attesters = [$0.first, $0.second, $0.outsider] } == ["attestations"])
    }

    @Test("an attestation of another receipt, bundle or close, or one that contradicts itself, fails")
    func attestation() throws {
        let other = CID(of: [5], codec: .dagCBOR)
        let changes: [(inout Attestation) -> Void] = [
            { $0.member = ReceiptScene().first.did }, { $0.receipt = other }, { $0.bundle = other },
            { $0.close = other }, { $0.observed = nil },
            { $0.method = .signature }, { $0.observed?.fuel += 1 }, { $0.verdict = .mismatch },
        ]
        for (index, change) in changes.enumerated() {
            let found = try failures { $0.changeAttestation = change }
            #expect(found == ["attestations", "quorum"], "change \(index)")
        }
    }

    @Test("fewer members than the quorum fail, and a mismatch is shown")
    func quorum() throws {
        let one = try ReceiptScene.changed { $0.attesters = [$0.first] }.verify()
        #expect(one.failures.map(\.name) == ["quorum"])
        #expect(one[.quorum]?.detail == "1 of 2")
        let disputed = try ReceiptScene.changed {
            $0.changeAttestation = {
                $0.observed?.fuel += 1
                $0.verdict = .mismatch
            }
        }.verify()
        #expect(disputed.failures.map(\.name) == ["quorum"])
        #expect(disputed[.attestations]?.detail == "1 verified, 1 mismatch")
        #expect(disputed.mismatchedBy == [ReceiptScene().second.did])
    }

    @Test("a job that is not closed says so and has no quorum")
    func open() throws {
        let verification = try ReceiptScene.changed {
            $0.isClosed = false
            $0.attesters = []
        }.verify()
        let close = try #require(verification[.close])
        #expect(close.ok == nil)
        #expect(close.detail == "not closed when this file was written")
        #expect(verification.failures.map(\.name) == ["quorum"])
    }
}
