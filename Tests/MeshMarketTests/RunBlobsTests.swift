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

    @Test("further files stand behind stdout and effects, by name, and a repetition names each")
    func files() {
        var result = result([.anchored("x")])
        result.files = [("b", "2"), ("a", "1"), ("c", "")].map {
            RunResult.OutputFile(name: $0.0, bytes: Array($0.1.utf8))
        }
        let blobs = RunBlobs(result)
        #expect(blobs.outputs.map(\.name) == ["stdout", "effects", "a", "b", "c"])
        #expect(
            blobs.outputs[2] == NamedBlob(name: "a", cid: CID(of: Array("1".utf8), codec: .raw), size: 1))
        #expect(blobs.blocks.contains { $0.bytes == Array("2".utf8) })
        let receipt = receipt(blobs)
        #expect(RunBlobs(result, like: receipt).outputs == receipt.outputs)
        result.files[0] = RunResult.OutputFile(name: "b", bytes: Array("3".utf8))
        #expect(RunBlobs(result, like: receipt).outputs != receipt.outputs)
        result.files.remove(at: 0)
        #expect(RunBlobs(result, like: receipt).outputs != receipt.outputs)
    }

    @Test("a run's request says its language, and what the manifest calls its inputs")
    func request() throws {
        let cids = ["in", "a"].map { CID(of: Array($0.utf8), codec: .dagCBOR) }
        var manifest = BlobListCase.manifest(ReceiptScene().submitter, code: cids[0], input: cids[1], size: 1)
        manifest.language = "dataflow"
        manifest.inputs = [
            .init(name: "stdin", cid: cids[0], size: 2), .init(name: "a", cid: cids[1], size: 1),
        ]
        let request = try #require(manifest.request(cid: cids[0], input: { $0.bytes }))
        #expect(request.language == "dataflow" && request.stdinCID == cids[0])
        #expect(request.stdin == cids[0].bytes)
        #expect(
            request.files == [RunRequest.InputFile(name: "a", bytes: cids[1].bytes, cid: cids[1])])
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
