public import IPLD
public import MeshCore
internal import MeshDAG
public import MeshIdentity
public import MeshMarket
public import MeshRuntime

/// A run outside the market, by somebody who is submitter, placer and executor in one.
public enum LocalRun {
    /// The archive of a run: manifest, receipt and close under one anchor.
    ///
    /// The anchor is the first and last of a feed of its own, so that one key can sign any number of
    /// archives without ever forking a feed.
    ///
    /// - Parameters:
    ///   - manifest: Names `signer` as submitter and placer, and no federation.
    ///   - inputs: The blocks of the code and the inputs.
    ///   - result: What came of the run.
    ///   - engine: What ran it.
    ///   - started: When the run began.
    ///   - finished: When it ended; the anchor's time too.
    ///   - signer: Who answers for it.
    /// - Returns: The receipt's CID and the CAR; `nil` when a block of code or inputs is missing.
    public static func archive(
        _ manifest: JobManifest, inputs: [Block], result: RunResult, engine: EngineDescription,
        started: Timestamp, finished: Timestamp, signer: some Signer
    ) -> (receipt: CID, file: [UInt8])? {
        let blobs = RunBlobs(result)
        let manifestBlock = Block(manifest.encoded, codec: .dagCBOR)
        let submissions = JobSubmission.blocks(result.submissions)
        let receipt = JobReceipt(
            manifest: manifestBlock.cid, award: nil, epoch: 0, executor: signer.did, outcome: result.outcome,
            outputs: blobs.outputs, logs: blobs.logs, metering: result.metering, engine: engine,
            started: started, finished: finished, submissions: submissions.map(\.cid)
        ).linked(to: manifest)
        let execution = JobExecution.blocks(of: receipt, manifest: manifest)
        let receiptBlock = Block(receipt.encoded, codec: .dagCBOR)
        let close = JobClose(
            manifest: manifestBlock.cid, result: .receipt(receiptBlock.cid), charged: 0, credited: 0)
        let closeBlock = Block(close.encoded, codec: .dagCBOR)
        let anchor = Anchor(
            author: signer.did, scope: "execute-" + Hexadecimal.encode(Array(manifest.nonce.prefix(24))),
            seq: 0, prev: nil, parents: [], time: HybridTime(milliseconds: finished.milliseconds, counter: 0),
            entries: [manifestBlock.cid, receiptBlock.cid, closeBlock.cid])
        let envelope = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: signer)
        let anchorBlock = Block(cid: envelope.cid, bytes: envelope.bytes)
        let known = Dictionary((inputs + blobs.blocks).map { ($0.cid, $0.bytes) }) { first, _ in first }
        let named =
            [manifest.code] + manifest.inputs.map(\.cid) + receipt.outputs.map(\.cid)
            + receipt.logs.map(\.cid)
        let file = ReceiptArchive.file(
            root: receiptBlock.cid,
            records: [receiptBlock, anchorBlock] + submissions + [execution.start, execution.end]
                + [manifestBlock, closeBlock],
            blobs: named, block: { known[$0] })
        return file.map { (receiptBlock.cid, $0) }
    }

    /// A run that was found right, ready to be published by whoever repeated it.
    public struct Accepted: Sendable {
        public let manifest: JobManifest
        public let receipt: JobReceipt
        /// Code, inputs, outputs and logs.
        public let blobs: [Block]
    }

    /// Why an archive is not accepted.
    public enum Refusal: Error, Hashable, Sendable {
        /// A check fails; `receipt.invalid` to the control API.
        case invalid(String)
        /// The run, repeated, ended otherwise or cannot be repeated; `receipt.mismatch`.
        case mismatch(String)

        /// The control API's code.
        public var code: String {
            switch self {
            case .invalid: "receipt.invalid"
            case .mismatch: "receipt.mismatch"
            }
        }

        public var message: String {
            switch self {
            case .invalid(let message), .mismatch(let message): message
            }
        }
    }

    /// Checks an archive, repeats its run and compares.
    ///
    /// - Parameters:
    ///   - file: The CAR's bytes.
    ///   - replay: Runs the job.
    /// - Returns: The records and the blobs.
    /// - Throws: ``Refusal``; an award, or an outcome that cannot be repeated, is one too.
    public static func accept(
        _ file: [UInt8], replay: @escaping ReceiptReplay
    ) throws(Refusal) -> Accepted {
        let offline = ReceiptVerifier().verify(file)
        if let failure = offline.failures.first { throw .invalid("\(failure.name): \(failure.detail)") }
        guard let contents = offline.contents else { throw .invalid("the file cannot be read") }
        guard contents.receipt.award == nil else {
            throw .invalid("the receipt belongs to an award; only local runs are anchored this way")
        }
        let repeated = ReceiptVerifier().verify(file, replay: replay)
        guard let check = repeated[.replay], check.ok == true else {
            throw .mismatch(repeated[.replay]?.detail ?? "the run could not be repeated")
        }
        return Accepted(
            manifest: contents.manifest, receipt: contents.receipt, blobs: contents.blobBlocks)
    }
}
