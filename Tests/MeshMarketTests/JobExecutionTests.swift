import ExecutionDocuments
import IPLD
import MeshCore
import MeshFederation
import MeshMarket
import MeshRuntime
import MeshTestSupport
import Testing

@Suite("Execution documents of jobs", .tags(.Size.small))
struct JobExecutionTests {
    private static func sample(_ seed: Seed) -> (JobManifest, JobReceipt) {
        var samples = Samples(seed.generator)
        let manifest = samples.manifest()
        var receipt = samples.receipt()
        receipt.manifest = CID(of: manifest.encoded, codec: .dagCBOR)
        return (manifest, receipt)
    }

    @Test(
        "Both snapshots are canonical documents, and the execution is rehydrated from their CIDs alone",
        arguments: Seed.sample(200))
    func rehydrated(_ seed: Seed) throws {
        let (manifest, receipt) = Self.sample(seed)
        let (start, end) = JobExecution.blocks(of: receipt, manifest: manifest)
        let links = JobExecution.links(of: receipt, manifest: manifest)
        let store = [start.cid: start.bytes, end.cid: end.bytes]
        let execution = try RehydratedExecution(start: links.start, end: links.end) { store[$0] }
        #expect(execution.start.status == .running)
        #expect(execution.end.status == (receipt.outcome.outcomeClass == .ok ? .completed : .failed))
        #expect(execution.start.protocolName.description == "mesh.job")
        #expect(
            execution.start.uid.description == "\(JobID(manifest: receipt.manifest)).\(receipt.epoch)")
        #expect(execution.start.timestamp == JobExecution.instant(receipt.started))
        // What the run is repeated from: code, inputs, arguments and limits.
        let code = try #require(execution.start["input"]?["code"])
        #expect(try DataReference(code)?.cid == manifest.code)
        for input in manifest.inputs {
            let file = try #require(execution.start["input"]?["files"]?[DocumentText(input.name)])
            #expect(try DataReference(file)?.cid == input.cid)
        }
        #expect(
            execution.start["input"]?["args"] == .list(manifest.arguments.map { DocumentValue.string($0) }))
        #expect(
            execution.start["config"]?["limits"]?["fuel"] == .number(Self.number(manifest.limits.fuel)))
        // The change record is the run's: its result, its status and how it ended.
        let changed = Set(execution.changes.changes.map { $0.path })
        #expect(changed.isSubset(of: ["/result", "/status", "/completedAt", "/failedAt", "/error"]))
        #expect(
            execution.end["result"]?["metering"]?["fuel"] == .number(Self.number(receipt.metering.fuel)))
    }

    private static func number(_ value: UInt64) -> DocumentNumber { DocumentNumber(Int64(clamping: value)) }

    @Test("A child's execution carries the uid of the run that asked for it", arguments: Seed.sample(50))
    func parent(_ seed: Seed) throws {
        let (manifest, receipt) = Self.sample(seed)
        let document = try ExecutionDocument(
            decoding: JobExecution(of: receipt, manifest: manifest).start.bytes)
        #expect(
            document.parentUID?.description
                == manifest.parent.map { "\(JobID(manifest: $0.manifest)).\($0.epoch)" })
    }

    @Test("What a receipt says of its run cannot be changed under the links", arguments: Seed.sample(50))
    func bound(_ seed: Seed) {
        let (manifest, unlinked) = Self.sample(seed)
        let receipt = unlinked.linked(to: manifest)
        #expect(JobExecution.holds(receipt, manifest: manifest))
        let changes: [(String, (inout JobReceipt) -> Void)] = [
            ("fuel", { $0.metering.fuel += 1 }),
            ("wall time", { $0.metering.wallMilliseconds += 1 }),
            ("outcome", { $0.outcome = RunOutcome(.trap, trap: "unlike any other") }),
            ("outputs", { $0.outputs = [NamedBlob(name: "x", cid: $0.manifest, size: 1)] }),
            ("epoch", { $0.epoch += 1 }),
            ("start", { $0.started = Timestamp(milliseconds: $0.started.milliseconds / 2 + 1) }),
            ("submissions", { $0.submissions.append($0.manifest) }),
            ("link", { $0.execution?.start = $0.manifest }),
        ]
        for (what, change) in changes {
            var changed = receipt
            change(&changed)
            #expect(!JobExecution.holds(changed, manifest: manifest), "\(what), \(seed)")
        }
        var other = manifest
        other.arguments.append("one more")
        #expect(!JobExecution.holds(receipt, manifest: other))
    }

    @Test("Outputs whose names are one to Unicode and two in bytes are two, and one that stands twice is one")
    func names() throws {
        var samples = Samples(SeededGenerator(seed: 1))
        let manifest = samples.manifest()
        var receipt = samples.receipt()
        receipt.outputs = ["e\u{301}", "\u{e9}", "a", "a"].map {
            NamedBlob(name: $0, cid: manifest.code, size: 1)
        }
        let document = try ExecutionDocument(
            decoding: JobExecution.blocks(of: receipt, manifest: manifest).end.bytes)
        guard case .object(let outputs)? = document["result"]?["outputs"] else {
            Issue.record("the end has no outputs")
            return
        }
        #expect(outputs.map(\.key) == ["a", "e\u{301}", "\u{e9}"])
    }

    @Test("A receipt that links no documents is written as it was before there were any")
    func withoutLinks() throws {
        var samples = Samples(SeededGenerator(seed: 1))
        var receipt = samples.receipt()
        receipt.execution = nil
        #expect(try JobReceipt(decoding: receipt.encoded) == receipt)
        #expect(JobExecution.holds(receipt, manifest: samples.manifest()))
        #expect(!String(decoding: receipt.encoded, as: UTF8.self).contains("execution"))
    }

    @Test("A repetition that agrees finds a mismatch all the same where the links are of other documents")
    func judged() throws {
        let manifest = try #require(try ReceiptScene().records().ledger.manifest?.record)
        let good = try #require(try ReceiptScene().records().ledger.receipts.first?.record)
        let observed = Attestation.Observation(
            outcome: good.outcome, outputs: good.outputs, fuel: good.metering.fuel)
        func verdict(_ receipt: JobReceipt) -> Attestation.Verdict {
            Attestation.judge(receipt, of: manifest, engine: ReceiptScene.engine, observed: observed).verdict
        }
        #expect(verdict(good) == .verified)
        var bad = good
        bad.execution?.end = good.manifest
        #expect(verdict(bad) == .mismatch)
    }

    @Test("An archive holds both snapshots; one that links others, or lacks them, fails at the receipt")
    func archive() throws {
        let good = try ReceiptScene().verify()
        #expect(good.failures.isEmpty)
        #expect(good.contents?.hasExecution == true)
        let forged = try ReceiptScene.changed { scene in
            scene.hasExecution = false
            scene.changeExecution = { $0?.end = CID(of: [7], codec: .raw) }
        }.verify()
        #expect(forged.failures.map(\.name).contains("receipt"))
        #expect(
            forged[.receipt]?.detail == "the execution documents that it links are not those of its run")
        let lacking = try ReceiptScene.changed { $0.hasExecution = false }.verify()
        #expect(lacking[.receipt]?.detail == "the execution documents that it links are not in the file")
        let old = try ReceiptScene.changed { $0.changeExecution = { $0 = nil } }.verify()
        #expect(old.failures.isEmpty, "receipts of before there were documents are as good as they were")
    }
}
