public import IPLD
internal import MeshDAG
public import MeshRuntime

/// What a run leaves behind, as the blobs that a receipt names: stdout is an output, stderr a log.
///
/// Both are there even when they are empty, so that whoever repeats a run names the same.
public struct RunBlobs: Hashable, Sendable {
    public let outputs: [NamedBlob]
    public let logs: [NamedBlob]
    /// The blocks that hold them, each once.
    public let blocks: [Block]

    public init(_ result: RunResult) {
        let stdout = BlobList.split(result.stdout)
        let stderr = BlobList.split(result.stderr)
        outputs = [NamedBlob(name: "stdout", cid: stdout[0].cid, size: UInt64(result.stdout.count))]
        logs = [NamedBlob(name: "stderr", cid: stderr[0].cid, size: UInt64(result.stderr.count))]
        var seen: Set<CID> = []
        blocks = (stdout + stderr).filter { seen.insert($0.cid).inserted }
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
