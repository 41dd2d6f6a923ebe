import IPLD
import MeshCore
import MeshDAG
import MeshFederation
import MeshIdentity
import MeshMarket
import MeshRuntime
import MeshTestSupport
import Testing

@Suite("Verifying a receipt's archive", .tags(.Size.small))
struct ReceiptVerifierTests {
    private static let names = [
        "container", "blocks", "receipt", "anchor-signature", "award", "manifest", "job-id", "close",
        "federation", "attestations", "quorum",
    ]

    @Test("a whole archive passes every check, in order, and names who attested it")
    func whole() throws {
        let scene = ReceiptScene()
        let trust = try scene.bundle.cid
        let verification = try scene.verify(trust: trust)
        #expect(verification.checks.map(\.name) == Self.names)
        #expect(verification.checks.allSatisfy { $0.ok == true }, "\(verification.failures)")
        #expect(verification.pinned)
        #expect(verification.federation == trust)
        #expect(verification.attestedBy == [scene.first.did, scene.second.did].sorted())
        #expect(verification.quorum == 2)
        #expect(
            verification.jobID
                == verification.contents.map { JobID(manifest: $0.receipt.manifest).description })
        #expect(verification.contents?.blob(CID(of: ReceiptScene.code, codec: .raw)) == ReceiptScene.code)
    }

    @Test("the exporter writes the blocks in the order that the verifier asks for")
    func exporterOrder() throws {
        let scene = ReceiptScene()
        let records = try scene.records()
        #expect(
            ReceiptArchive.records(
                of: records.receipt, in: records.ledger, attestations: records.attestations,
                bundleEntry: records.bundleEntry, bundleBody: records.bundleBody)
                == records.blocks.map(\.cid))
        let foreign = ReceiptScene.changed { $0.attesters = [$0.first, $0.outsider, $0.executor] }
        let all = try foreign.records()
        let counted = ReceiptArchive.counted(
            all.attestations, for: all.receipt, in: all.ledger, bundle: try foreign.bundle)
        #expect(counted.map(\.position.author) == [foreign.first.did])
    }

    @Test("without a pin the federation is named and not confirmed, and nothing fails")
    func unpinned() throws {
        let scene = ReceiptScene()
        let verification = try scene.verify()
        #expect(verification.ok)
        #expect(!verification.pinned)
        #expect(verification[.federation]?.ok == nil)
        #expect(verification[.federation]?.detail == "federation \(try scene.bundle.cid) not pinned")
        let other = try scene.verify(trust: CID(of: [7], codec: .dagCBOR))
        #expect(other.failures.map(\.name) == ["federation"])
        #expect(!other.pinned)
    }

    @Test("every changed byte makes a check fail", arguments: [UInt8(0x01), 0xff])
    func flippedBytes(_ pattern: UInt8) throws {
        var file = try ReceiptScene().file()
        let verifier = ReceiptVerifier()
        var survivors: [Int] = []
        for offset in file.indices {
            file[offset] ^= pattern
            let verification = verifier.verify(file)
            if verification.ok || verification.failures.isEmpty { survivors.append(offset) }
            file[offset] ^= pattern
        }
        #expect(survivors.isEmpty)
        #expect(verifier.verify(file).ok)
    }

    @Test("every shortened file fails, and so does one byte more")
    func truncated() throws {
        let file = try ReceiptScene().file()
        for count in 0..<file.count {
            let verification = ReceiptVerifier().verify(Array(file.prefix(count)))
            #expect(!verification.ok, "\(count) bytes")
        }
        #expect(ReceiptVerifier().verify(file + [0]).failures.map(\.name) == ["container"])
    }

    @Test("blocks that are swapped, doubled, missing or superfluous fail the check of the blocks")
    func places() throws {
        let (root, blocks) = try ReceiptScene().archive()
        func failures(_ blocks: [Block]) -> [String] {
            ReceiptVerifier().verify(CAR(roots: [root], blocks: blocks).encoded).failures.map(\.name)
        }
        #expect(failures(blocks).isEmpty)
        for place in blocks.indices {
            var changed = blocks
            changed.remove(at: place)
            #expect(failures(changed) == ["blocks"], "without block \(place)")
            changed = blocks
            changed.insert(Block([0xa0], codec: .dagCBOR), at: place)
            #expect(failures(changed) == ["blocks"], "one more at \(place)")
            changed = blocks
            changed.insert(blocks[place], at: place)
            #expect(failures(changed) == ["blocks"], "block \(place) twice")
            changed = blocks
            changed.swapAt(place, (place + 1) % blocks.count)
            #expect(failures(changed) == ["blocks"], "block \(place) and the next swapped")
        }
        #expect(failures(blocks + [Block([1, 2], codec: .raw)]) == ["blocks"])
    }

    @Test("a file with two roots, or rooted in another record, fails")
    func roots() throws {
        let (root, blocks) = try ReceiptScene().archive()
        let two = CAR(roots: [root, root], blocks: blocks).encoded
        #expect(ReceiptVerifier().verify(two).failures.map(\.name) == ["container"])
        let none = CAR(roots: [], blocks: blocks).encoded
        #expect(ReceiptVerifier().verify(none).failures.map(\.name) == ["container"])
        let award = CAR(roots: [blocks[2].cid], blocks: Array(blocks[2...])).encoded
        #expect(ReceiptVerifier().verify(award).failures.map(\.name) == ["receipt"])
    }

    @Test("a blob larger than a chunk is checked chunk by chunk")
    func largeBlob() throws {
        let zeros = [UInt8](repeating: 0, count: 3 << 20) + [1, 2, 3]
        let split = BlobListCase.blocks(zeros)
        let identity = ReceiptScene.identity(8)
        let code = Block(ReceiptScene.code, codec: .raw)
        let manifest = BlobListCase.manifest(identity, code: code.cid, input: split[0].cid, size: zeros.count)
        let archive = try #require(
            LocalRun.archive(
                manifest, inputs: [code] + split, result: ReceiptScene.result, engine: ReceiptScene.engine,
                started: Timestamp(milliseconds: 1), finished: Timestamp(milliseconds: 2), signer: identity))
        let verification = ReceiptVerifier().verify(archive.file)
        #expect(verification.ok, "\(verification.failures)")
        #expect(verification.contents?.blob(split[0].cid) == zeros)
        #expect(verification.contents?.blob(split[0].cid, atMost: 1000) == nil)
        let lying = BlobListCase.manifest(identity, code: code.cid, input: split[0].cid, size: 5)
        let other = try #require(
            LocalRun.archive(
                lying, inputs: [code] + split, result: ReceiptScene.result, engine: ReceiptScene.engine,
                started: Timestamp(milliseconds: 1), finished: Timestamp(milliseconds: 2), signer: identity))
        #expect(ReceiptVerifier().verify(other.file).failures.map(\.name) == ["manifest"])
    }

    @Test("lists that name one byte millions of times are not put together")
    func listBomb() throws {
        let bomb = BlobListCase.bomb
        let identity = ReceiptScene.identity(8)
        let code = Block(ReceiptScene.code, codec: .raw)
        let manifest = BlobListCase.manifest(identity, code: code.cid, input: bomb[0].cid, size: 1 << 24)
        let archive = try #require(
            LocalRun.archive(
                manifest, inputs: [code] + bomb, result: ReceiptScene.result, engine: ReceiptScene.engine,
                started: Timestamp(milliseconds: 1), finished: Timestamp(milliseconds: 2), signer: identity))
        let verification = ReceiptVerifier().verify(archive.file) { _, _, _ in
            Issue.record("the run was repeated")
            return nil
        }
        #expect(verification.failures.map(\.name) == ["replay"], "\(verification.failures)")
        #expect(verification.contents?.blob(bomb[0].cid) == nil)
    }
}
