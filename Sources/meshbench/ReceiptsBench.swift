import IPLD
import MeshCore
import MeshCrypto
import MeshDAG
import MeshFederation
import MeshIdentity
import MeshMarket
import MeshRuntime

/// The receipts of one executor, 256 under each anchor, verified from a CAR in memory on one core.
///
/// Beside it stands what a signature on each receipt would cost, and the hashing of the same bytes alone.
struct ReceiptsBench: Bench {
    let name = "receipts"
    let summary = "receipts verified offline from a CAR, 256 per anchor, beside a signature on each"

    private let anchorCount = 200
    private let rounds = 5

    func run() throws -> [BenchRow] {
        let identity = Identity(try Ed25519PrivateKey(seed: Bytes32([UInt8](repeating: 5, count: 32))))
        let (file, receipts) = makeFile(identity)
        let count = Double(receipts.count)
        let verified = try seconds {
            let verification = FeedArchiveVerifier().verify(file)
            guard verification.ok, verification.receiptCount == receipts.count else {
                throw BenchFailure("the file does not verify: \(verification.faults.first?.detail ?? "")")
            }
        }
        let index = try CARIndex(decoding: file)
        let hashed = try seconds {
            for place in index.sections.indices where !index.isIntact(place) {
                throw BenchFailure("a block does not hash to its CID")
            }
        }
        let signed = receipts.prefix(2_000).map { (bytes: $0, signature: identity.key.sign($0)) }
        let checked = try seconds {
            for one in signed
            where !Ed25519.isValid(
                one.signature, of: one.bytes, in: 0..<one.bytes.count, by: identity.key.publicKey)
            {
                throw BenchFailure("a signature is not valid")
            }
        }
        return [
            BenchRow(
                what: "receipts verified from a CAR, one core", ours: count / verified, unit: "receipts/s",
                beside: "one Ed25519 check for each", besideValue: Double(signed.count) / checked,
                gate: 300_000, higherIsBetter: true),
            BenchRow(
                what: "the same receipts, hashed only", ours: count / hashed, unit: "receipts/s", beside: nil,
                besideValue: nil, gate: nil, higherIsBetter: true),
        ]
    }

    private func makeFile(_ identity: Identity) -> (file: [UInt8], receipts: [[UInt8]]) {
        let engine = EngineDescription(
            name: "wasmtime", version: "48.0.0", profile: CID(of: [1], codec: .dagCBOR))
        var blocks: [Block] = []
        var receipts: [[UInt8]] = []
        var previous: CID?
        var number: UInt64 = 0
        for seq in 0..<UInt64(anchorCount) {
            var entries: [Block] = []
            for _ in 0..<Anchor.entryCountMax {
                number += 1
                var text: [UInt8] = []
                text.append(bigEndian: number)
                let receipt = JobReceipt(
                    manifest: CID(of: text, codec: .dagCBOR), award: CID(of: text + [1], codec: .dagCBOR),
                    epoch: 0, executor: identity.did, outcome: RunOutcome(.ok, exitCode: 0),
                    outputs: [NamedBlob(name: "stdout", cid: CID(of: text, codec: .raw), size: 4096)],
                    logs: [NamedBlob(name: "stderr", cid: CID(of: [], codec: .raw), size: 0)],
                    metering: Metering(
                        fuel: 1_000_000 + number, memoryPeakBytes: 1_114_112, hostCalls: 17, ioBytes: 4096,
                        wallMilliseconds: 250), engine: engine,
                    started: Timestamp(milliseconds: 1_795_262_400_000),
                    finished: Timestamp(milliseconds: 1_795_262_400_250),
                    execution: JobExecution.Links(
                        start: CID(of: text + [2], codec: .raw), end: CID(of: text + [3], codec: .raw)))
                entries.append(Block(receipt.encoded, codec: .dagCBOR))
            }
            let anchor = Anchor(
                author: identity.did, scope: "default", seq: seq, prev: previous, parents: [],
                time: HybridTime(milliseconds: 1_795_262_400_300 + Int64(seq), counter: 0),
                entries: entries.map(\.cid))
            let envelope = Envelope(signing: anchor.encoded, tag: Anchor.tag, by: identity)
            previous = envelope.cid
            blocks.append(Block(cid: envelope.cid, bytes: envelope.bytes))
            blocks += entries
            receipts += entries.map(\.bytes)
        }
        return (CAR(roots: previous.map { [$0] } ?? [], blocks: blocks).encoded, receipts)
    }

    /// The best of several runs of `work`, in seconds.
    private func seconds(_ work: () throws -> Void) throws -> Double {
        var best = Double.infinity
        for _ in 0..<rounds {
            let start = ContinuousClock.now
            try work()
            best = min(best, (ContinuousClock.now - start) / .seconds(1))
        }
        return best
    }
}
