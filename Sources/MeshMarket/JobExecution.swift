public import ExecutionDocuments
public import IPLD
public import MeshCore
public import MeshIdentity
public import MeshRuntime

/// The execution document of one run of a job.
///
/// Its two snapshots are a pure function of the job's manifest and the run's receipt. The executor keeps them as
/// blocks, the start before anything runs; its receipt links both; whoever has manifest and receipt can make them
/// again, and so judges the links of others by hashing.
///
/// Code and inputs are references (``DataReference``), which the node resolves before the run; the run is the inner
/// processing, to which nothing is known but what the document says.
public struct JobExecution: Sendable {
    /// The protocol of the documents of jobs in a language: what a graph's run leaves can be taken apart into passes.
    public static func protocolName(language: String) -> String {
        language == "dataflow" ? "mesh.dataflow" : "mesh.job"
    }

    /// The CIDs of both snapshots of a run, as its receipt links them.
    public struct Links: Hashable, Sendable {
        public var start: CID
        public var end: CID

        public init(start: CID, end: CID) {
            self.start = start
            self.end = end
        }
    }

    public let manifestCID: CID
    public let manifest: JobManifest
    /// The award that the run follows from; `nil` outside the market.
    public let award: CID?
    public let epoch: UInt64
    public let executor: DID
    public let engine: EngineDescription
    /// When the executor let the job run.
    public let started: Timestamp

    public init(
        manifestCID: CID, manifest: JobManifest, award: CID?, epoch: UInt64, executor: DID,
        engine: EngineDescription, started: Timestamp
    ) {
        self.manifestCID = manifestCID
        self.manifest = manifest
        self.award = award
        self.epoch = epoch
        self.executor = executor
        self.engine = engine
        self.started = started
    }

    /// The execution that a receipt speaks of.
    public init(of receipt: JobReceipt, manifest: JobManifest) {
        self.init(
            manifestCID: receipt.manifest, manifest: manifest, award: receipt.award, epoch: receipt.epoch,
            executor: receipt.executor, engine: receipt.engine, started: receipt.started)
    }

    // MARK: Identity

    /// What the execution of a job under an epoch is called: the job's id, a point, the epoch.
    public static func uid(job: CID, epoch: UInt64) -> String { "\(JobID(manifest: job)).\(epoch)" }

    public var uid: String { Self.uid(job: manifestCID, epoch: epoch) }

    /// The execution whose run asked for this job; the tree goes from node to node by it.
    public var parentUID: String? {
        manifest.parent.map { Self.uid(job: $0.manifest, epoch: $0.epoch) }
    }

    // MARK: Snapshots

    /// The document when code and inputs are here and the run begins.
    public var start: Block { Block(document(nil, written(writeConfig), written(writeInput)), codec: .raw) }

    /// Both snapshots of the run behind a receipt: the start, and the document when the run is over.
    public static func blocks(of receipt: JobReceipt, manifest: JobManifest) -> (start: Block, end: Block) {
        let execution = JobExecution(of: receipt, manifest: manifest)
        // Most of either is in both.
        let config = execution.written(execution.writeConfig)
        let input = execution.written(execution.writeInput)
        return (
            Block(execution.document(nil, config, input), codec: .raw),
            Block(execution.document(receipt, config, input), codec: .raw)
        )
    }

    private func written(_ body: (inout CanonicalWriter.Members) -> Void) -> CanonicalWriter {
        var writer = CanonicalWriter(capacity: 768)
        writer.object(body)
        return writer
    }

    /// What a receipt of this run must link.
    public static func links(of receipt: JobReceipt, manifest: JobManifest) -> Links {
        let (start, end) = blocks(of: receipt, manifest: manifest)
        return Links(start: start.cid, end: end.cid)
    }

    /// Whether the documents that a receipt links are those of its run; one that links none says nothing false.
    public static func holds(_ receipt: JobReceipt, manifest: JobManifest) -> Bool {
        receipt.execution == nil || receipt.execution == links(of: receipt, manifest: manifest)
    }

    /// The status with which a run of that outcome ends.
    public static func status(_ outcome: RunOutcome) -> ExecutionStatus {
        outcome.outcomeClass == .ok ? .completed : .failed
    }

    /// Why a run failed, in a few stable words; `nil` for one that did not.
    public static func error(_ outcome: RunOutcome) -> String? {
        guard outcome.outcomeClass != .ok else { return nil }
        var text = outcome.outcomeClass.rawValue
        if let code = outcome.exitCode { text += " \(code)" }
        if let trap = outcome.trap { text += ": \(trap)" }
        return text
    }

    /// An instant as documents can hold it: of the years 1970 to 9999, whatever a clock has claimed.
    public static func instant(_ claimed: Timestamp) -> Timestamp {
        Timestamp(milliseconds: min(max(0, claimed.milliseconds), 253_402_300_799_999))
    }

    private func document(
        _ receipt: JobReceipt?, _ config: borrowing CanonicalWriter, _ input: borrowing CanonicalWriter
    ) -> [UInt8] {
        var writer = CanonicalWriter(capacity: receipt == nil ? 1_536 : 2_560)
        writer.object { map in
            if let receipt, Self.status(receipt.outcome) == .completed {
                map.text("completedAt", Self.instant(receipt.finished).description)
            }
            map.object("config", config)
            map.text("context", "/")
            if let receipt, let error = Self.error(receipt.outcome) {
                map.text("error", error)
                map.text("failedAt", Self.instant(receipt.finished).description)
            }
            map.object("input", input)
            if let parentUID { map.text("parentUid", parentUID) } else { map.null("parentUid") }
            map.text("protocol", Self.protocolName(language: manifest.language))
            if let receipt { map.object("result") { Self.write(receipt, &$0) } }
            let status = receipt.map { Self.status($0.outcome) } ?? .running
            map.text("status", status.rawValue)
            map.text("timestamp", Self.instant(started).description)
            map.text("uid", uid)
        }
        return writer.bytes
    }

    private func writeConfig(_ map: inout CanonicalWriter.Members) {
        map.text("award", ifPresent: award?.description)
        map.object("engine") { map in
            map.text("name", engine.name)
            map.text("profile", engine.profile.description)
            map.text("version", engine.version)
        }
        map.text("executor", executor.description)
        map.text("language", manifest.language)
        map.object("limits") { map in
            map.integer("fuel", manifest.limits.fuel)
            map.integer("memory_bytes", manifest.limits.memoryBytes)
            map.integer("output_bytes", manifest.limits.outputBytes)
            map.integer("wall_ms", manifest.limits.wallMilliseconds)
        }
        map.text("manifest", manifestCID.description)
        map.text("snapshots", "ends")
    }

    private func writeInput(_ map: inout CanonicalWriter.Members) {
        map.texts("args", manifest.arguments)
        map.reference("code", DataReference(manifest.code, as: .base64))
        map.text("entry", ifPresent: manifest.entry)
        map.object("env") { map in
            for name in Self.sorted(manifest.environment.keys) {
                if let value = manifest.environment[name] { map.text(name, value) }
            }
        }
        map.object("files") { map in
            for input in manifest.inputs.sorted(by: { Self.precedes($0.name, $1.name) }) {
                map.reference(input.name, DataReference(input.cid, as: .base64))
            }
        }
    }

    private static func write(_ receipt: JobReceipt, _ map: inout CanonicalWriter.Members) {
        if let code = receipt.outcome.exitCode { map.integer("exit_code", code) }
        map.object("logs") { write(receipt.logs, &$0) }
        map.object("metering") { map in
            map.integer("fuel", receipt.metering.fuel)
            map.integer("host_calls", receipt.metering.hostCalls)
            map.integer("io_bytes", receipt.metering.ioBytes)
            map.integer("memory_peak_bytes", receipt.metering.memoryPeakBytes)
            map.integer("wall_ms", receipt.metering.wallMilliseconds)
        }
        map.text("outcome", receipt.outcome.outcomeClass.rawValue)
        map.object("outputs") { write(receipt.outputs, &$0) }
        map.texts("submissions", receipt.submissions.map(\.description))
        map.text("trap", ifPresent: receipt.outcome.trap)
    }

    private static func write(_ blobs: [NamedBlob], _ map: inout CanonicalWriter.Members) {
        var last: String?
        for blob in blobs.sorted(by: { precedes($0.name, $1.name) }) {
            // Which names are one must not depend on tables that change with Unicode.
            if let last, last.utf8.elementsEqual(blob.name.utf8) { continue }
            last = blob.name
            map.reference(blob.name, DataReference(blob.cid, as: .base64))
        }
    }

    private static func sorted(_ names: some Sequence<String>) -> [String] { names.sorted(by: precedes) }

    /// By UTF-8, as canonical documents have it; Swift's own order of text is another.
    private static func precedes(_ a: String, _ b: String) -> Bool {
        a.utf8.lexicographicallyPrecedes(b.utf8)
    }
}
