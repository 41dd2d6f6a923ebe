import IPLD
import MeshCore
import MeshIdentity
import MeshMarket
import MeshRuntime
import MeshTestSupport
import Testing

@Suite("The blobs of a run", .tags(.Size.small))
struct RunBlobsTests {
    private func result(_ effects: [RunEffect], _ outcome: RunOutcome = RunOutcome(.ok)) -> RunResult {
        RunResult(
            outcome: outcome, metering: Metering(), stdout: Array("out".utf8), stderr: Array("log".utf8),
            effects: effects)
    }

    private func receipt(_ blobs: RunBlobs) -> JobReceipt {
        JobReceipt(
            manifest: CID(of: [1], codec: .dagCBOR), award: nil, epoch: 0,
            executor: ReceiptScene().executor.did, outcome: RunOutcome(.ok), outputs: blobs.outputs,
            logs: blobs.logs, metering: Metering(), engine: ReceiptScene.engine,
            started: Timestamp(milliseconds: 1), finished: Timestamp(milliseconds: 2))
    }

    @Test("a run with effects lists them as a second output, also when it failed")
    func effects() {
        let effects: [RunEffect] = [.anchored("x"), .refused(.submitJob, reason: "no")]
        let lines = RunEffect.lines(effects)
        let expected = NamedBlob(
            name: "effects", cid: CID(of: lines, codec: .raw), size: UInt64(lines.count))
        let failed = RunOutcome(.trap, trap: "not_authorised")
        for outcome in [RunOutcome(.ok), failed] {
            let blobs = RunBlobs(result(effects, outcome))
            #expect(blobs.outputs.map(\.name) == ["stdout", "effects"])
            #expect(blobs.outputs.last == expected)
            #expect(blobs.blocks.contains { $0.bytes == lines })
            #expect(blobs.logs.map(\.name) == ["stderr"])
        }
        #expect(result(effects, failed).submissions.isEmpty)
        #expect(RunBlobs(result([])).outputs.map(\.name) == ["stdout"])
    }

    @Test("a repetition with other effects, more or none, names other outputs than the receipt")
    func repeated() {
        let original = result([.used(resource: "compute", amount: 5)])
        let receipt = receipt(RunBlobs(original))
        #expect(RunBlobs(original, like: receipt).outputs == receipt.outputs)
        for effects: [RunEffect] in [
            [], [.used(resource: "compute", amount: 6)],
            [.used(resource: "compute", amount: 5), .anchored("")],
        ] {
            #expect(RunBlobs(result(effects), like: receipt).outputs != receipt.outputs)
        }
        let plain = self.receipt(RunBlobs(result([])))
        #expect(RunBlobs(original, like: plain).outputs != plain.outputs)
    }
}
