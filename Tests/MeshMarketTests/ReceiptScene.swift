import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
import MeshFederation
import MeshIdentity
import MeshMarket
import MeshRuntime

/// A closed and verified job with all its signed records, each open to one change before it is signed.
struct ReceiptScene {
    let submitter = Self.identity(1)
    let executor = Self.identity(2)
    let first = Self.identity(3)
    let second = Self.identity(4)
    /// A member of the executor's organisation.
    let colleague = Self.identity(5)
    let outsider = Self.identity(6)

    var changeManifest: (inout JobManifest) -> Void = { _ in }
    var changeBids: (inout Bids) -> Void = { _ in }
    var changeAward: (inout JobAward) -> Void = { _ in }
    var changeReceipt: (inout JobReceipt) -> Void = { _ in }
    /// Applied to what the receipt links, when the rest of it is final.
    var changeExecution: (inout JobExecution.Links?) -> Void = { _ in }
    /// Whether the execution's snapshots are in the file.
    var hasExecution = true
    var changeClose: (inout JobClose) -> Void = { _ in }
    /// Applied to the second attestation only, so that the first stays as it is.
    var changeAttestation: (inout Attestation) -> Void = { _ in }
    var attesters: [Identity]
    var bidSigner: Identity
    /// Whose key signs the executor's anchor.
    var receiptSigner: Identity
    /// Who claims to publish the receipt.
    var receiptAuthor: Identity
    /// Whose keys make the signatures under the bundle, in the order of `bundleMembers`.
    var bundleSigners: [Identity]
    var isClosed = true

    init() {
        attesters = [first, second]
        bidSigner = executor
        receiptSigner = executor
        receiptAuthor = executor
        bundleSigners = [executor, first, second]
    }

    static func identity(_ number: UInt8) -> Identity {
        do {
            return Identity(try Ed25519PrivateKey(seed: Bytes32([UInt8](repeating: number, count: 32))))
        } catch {
            preconditionFailure("a fixed seed makes a key: \(error)")
        }
    }

    static let engine = EngineDescription(
        name: "wasmtime", version: "48.0.0", profile: CID(of: [1], codec: .dagCBOR))
    static let code: [UInt8] = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
    static let input = Array("one two".utf8)
    static let result = RunResult(
        outcome: RunOutcome(.ok), metering: Metering(fuel: 250_000), stdout: Array("2".utf8), stderr: [])

    var bundle: FederationBundle {
        get throws {
            try FederationBundle.genesis(
                name: "friends",
                members: [
                    .init(did: executor.did, organisation: "east"),
                    .init(did: colleague.did, organisation: "east"),
                    .init(did: first.did, organisation: "west"), .init(did: second.did, organisation: nil),
                ], threshold: 2)
        }
    }

    /// Everything about the job, for building files and for the exporter's own order.
    struct Records {
        var root: CID
        var blocks: [Block]
        var blobs: [CID]
        var blobBlocks: [CID: [UInt8]]
        var ledger: JobLedger
        var receipt: Contribution<JobReceipt>
        var attestations: [Contribution<Attestation>]
        var bundleEntry: CID
        var bundleBody: CID
    }

    private static func publish<Record>(
        _ record: Record, _ bytes: [UInt8], _ author: Identity, time: Int64, signer: Identity? = nil
    ) -> (entry: Block, anchor: Block, contribution: Contribution<Record>) {
        let entry = Block(bytes, codec: .dagCBOR)
        let time = HybridTime(milliseconds: time, counter: 0)
        let anchor = Anchor(
            author: author.did, scope: "default", seq: UInt64(time.milliseconds),
            prev: CID(of: [9], codec: .dagCBOR), parents: [], time: time, entries: [entry.cid])
        let envelope = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: signer ?? author)
        return (
            entry, Block(cid: envelope.cid, bytes: envelope.bytes),
            Contribution(
                cid: entry.cid, anchor: envelope.cid,
                position: EntryPosition(
                    author: author.did, scope: "default", seq: anchor.seq, index: 0, time: time),
                record: record)
        )
    }

    func records() throws -> Records {
        let bundle = try bundle
        let code = Block(Self.code, codec: .raw)
        let input = Block(Self.input, codec: .raw)
        var manifest = JobManifest(
            nonce: [1, 2, 3], submitter: submitter.did, placer: submitter.did,
            created: Timestamp(milliseconds: 1000), expires: Timestamp(milliseconds: 100_000),
            description: "count words", code: code.cid,
            inputs: [.init(name: "stdin", cid: input.cid, size: UInt64(input.bytes.count))],
            limits: RunLimits(
                fuel: 1_000_000, memoryBytes: 1 << 20, outputBytes: 1 << 20, wallMilliseconds: 1000),
            trust: .init(federation: bundle.cid, method: .replay, quorum: 2),
            market: .init(mode: .auto, windowMilliseconds: 0, maxBid: 100))
        changeManifest(&manifest)
        let submitted = Self.publish(manifest, manifest.encoded, submitter, time: 10)

        var bids = Bids(
            bidder: executor.did, time: Timestamp(milliseconds: 1100),
            bids: [
                .init(
                    manifest: submitted.entry.cid, epoch: 0, amount: 10, estimatedMilliseconds: 5, freeCPU: 1,
                    freeMemoryMiB: 64, engine: Self.engine.profile, validUntil: Timestamp(milliseconds: 9000))
            ])
        changeBids(&bids)
        let envelope = Envelope(signing: bids.encoded, tag: Bids.tag, by: bidSigner)
        var award = JobAward(
            manifest: submitted.entry.cid, epoch: 0, executor: executor.did, bids: envelope.cid, index: 0,
            considered: [
                .init(
                    bidder: executor.did, amount: 10, score: 900_000, parts: ["price": 400_000],
                    reason: "highest score")
            ], leaseMilliseconds: 5000)
        changeAward(&award)
        let awarded = Self.publish(award, award.encoded, submitter, time: 20)

        let blobs = RunBlobs(Self.result)
        var receipt = JobReceipt(
            manifest: submitted.entry.cid, award: awarded.entry.cid, epoch: 0, executor: executor.did,
            outcome: Self.result.outcome, outputs: blobs.outputs, logs: blobs.logs,
            metering: Self.result.metering, engine: Self.engine, started: Timestamp(milliseconds: 1200),
            finished: Timestamp(milliseconds: 1300))
        changeReceipt(&receipt)
        let execution = JobExecution.blocks(of: receipt, manifest: manifest)
        receipt = receipt.linked(to: manifest)
        changeExecution(&receipt.execution)
        let reported = Self.publish(
            receipt, receipt.encoded, receiptAuthor, time: 30, signer: receiptSigner)
        // A quarter of the fuel, a quarter of the bid, rounded up.
        var close = JobClose(
            manifest: submitted.entry.cid, result: .receipt(reported.entry.cid), charged: 3, credited: 3)
        changeClose(&close)
        let closed = Self.publish(close, close.encoded, submitter, time: 40)

        let body = Block(bundle.encoded, codec: .dagCBOR)
        let bundleEntry = Block(
            BundleEntry(
                body: body.cid,
                signatures: zip([executor, first, second], bundleSigners).map { member, signer in
                    .init(
                        did: member.did,
                        signature: BundleEntry.signatureEnvelope(body.cid, by: signer).signature)
                }
            ).encoded, codec: .dagCBOR)

        var attested: [(entry: Block, anchor: Block, contribution: Contribution<Attestation>)] = []
        for (index, attester) in attesters.enumerated() {
            var attestation = Attestation(
                member: attester.did, receipt: reported.entry.cid, close: isClosed ? closed.entry.cid : nil,
                bundle: body.cid,
                verdict: .verified, method: .replay,
                observed: .init(
                    outcome: receipt.outcome, outputs: receipt.outputs, fuel: receipt.metering.fuel),
                reason: nil)
            if index == 1 { changeAttestation(&attestation) }
            attested.append(
                Self.publish(attestation, attestation.encoded, attester, time: 50 + Int64(index)))
        }
        attested.sort {
            $0.entry.cid != $1.entry.cid
                ? $0.entry.cid < $1.entry.cid : $0.contribution.position < $1.contribution.position
        }

        var ledger = JobLedger(manifestCID: submitted.entry.cid)
        ledger.insert(submitted.contribution)
        ledger.insert(awarded.contribution)
        ledger.insert(reported.contribution)
        if isClosed { ledger.insert(closed.contribution) }
        var blocks = [reported.entry, reported.anchor]
        if hasExecution, receipt.execution != nil { blocks += [execution.start, execution.end] }
        if receipt.award != nil {
            blocks += [awarded.entry, awarded.anchor, Block(cid: envelope.cid, bytes: envelope.bytes)]
        }
        blocks += [submitted.entry, submitted.anchor]
        if isClosed { blocks += [closed.entry, closed.anchor] }
        if manifest.trust.federation != nil { blocks += [bundleEntry, body] }
        for one in attested {
            if !blocks.contains(where: { $0.cid == one.entry.cid }) { blocks.append(one.entry) }
            blocks.append(one.anchor)
        }
        let blobBlocks = [code, input] + blobs.blocks
        return Records(
            root: reported.entry.cid, blocks: blocks,
            blobs: [code.cid, input.cid] + receipt.outputs.map(\.cid) + receipt.logs.map(\.cid),
            blobBlocks: Dictionary(blobBlocks.map { ($0.cid, $0.bytes) }) { first, _ in first },
            ledger: ledger, receipt: reported.contribution, attestations: attested.map(\.contribution),
            bundleEntry: bundleEntry.cid, bundleBody: body.cid)
    }

    /// All blocks of the archive, in order.
    func archive() throws -> (root: CID, blocks: [Block]) {
        let records = try records()
        guard
            let file = ReceiptArchive.file(
                root: records.root, records: records.blocks, blobs: records.blobs,
                block: { records.blobBlocks[$0] })
        else { preconditionFailure("the scene holds all its blobs") }
        let car = try CAR(decoding: file)
        return (records.root, car.blocks)
    }

    func file() throws -> [UInt8] {
        let archive = try archive()
        return CAR(roots: [archive.root], blocks: archive.blocks).encoded
    }

    func verify(trust: CID? = nil, replay: ReceiptReplay? = nil) throws -> ReceiptVerification {
        ReceiptVerifier(trust: trust).verify(try file(), replay: replay)
    }

    /// The scene after `change`.
    static func changed(_ change: (inout ReceiptScene) -> Void) -> ReceiptScene {
        var scene = ReceiptScene()
        change(&scene)
        return scene
    }
}
