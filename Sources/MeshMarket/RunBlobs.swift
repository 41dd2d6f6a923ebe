public import IPLD
internal import MeshDAG
public import MeshRuntime

/// What a run leaves behind, as the blobs that a receipt names: stdout is an output, stderr a log.
///
/// Both are there even when they are empty, so that whoever repeats a run names the same. A run that did
/// something through its host, or was refused it, has a second output, `effects`, however it ended. Further files
/// of the run stand behind these, by name.
public struct RunBlobs: Hashable, Sendable {
    /// The output that lists a run's effects as JSON Lines (``RunEffect/lines(_:)``).
    public static let effectsName = "effects"

    public let outputs: [NamedBlob]
    public let logs: [NamedBlob]
    /// The blocks that hold them, each once.
    public let blocks: [Block]

    public init(_ result: RunResult) {
        let stdout = BlobList.split(result.stdout)
        let stderr = BlobList.split(result.stderr)
        var outputs = [NamedBlob(name: "stdout", cid: stdout[0].cid, size: UInt64(result.stdout.count))]
        var effects: [Block] = []
        if !result.effects.isEmpty {
            let lines = RunEffect.lines(result.effects)
            effects = BlobList.split(lines)
            outputs.append(
                NamedBlob(name: Self.effectsName, cid: effects[0].cid, size: UInt64(lines.count)))
        }
        var files: [Block] = []
        for file in result.files.sorted(by: { $0.name < $1.name }) {
            let blocks = BlobList.split(file.bytes)
            files += blocks
            outputs.append(NamedBlob(name: file.name, cid: blocks[0].cid, size: UInt64(file.bytes.count)))
        }
        self.outputs = outputs
        logs = [NamedBlob(name: "stderr", cid: stderr[0].cid, size: UInt64(result.stderr.count))]
        var seen: Set<CID> = []
        blocks = (stdout + effects + files + stderr).filter { seen.insert($0.cid).inserted }
    }

    /// The blobs of a run that repeats the one behind `receipt`: what is empty and not named there is left out.
    public init(_ result: RunResult, like receipt: JobReceipt) {
        let all = RunBlobs(result)
        func kept(_ blobs: [NamedBlob], _ named: [NamedBlob]) -> [NamedBlob] {
            blobs.filter { blob in blob.size > 0 || named.contains { $0.name == blob.name } }
        }
        outputs = kept(all.outputs, receipt.outputs)
        logs = kept(all.logs, receipt.logs)
        blocks = all.blocks
    }
}
