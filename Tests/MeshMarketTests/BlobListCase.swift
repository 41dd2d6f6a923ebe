import IPLD
import MeshCore
import MeshDAG
import MeshIdentity
import MeshMarket
import MeshRuntime

/// Jobs of one identity, outside any federation.
enum BlobListCase {
    static func blocks(_ bytes: [UInt8]) -> [Block] { BlobList.split(bytes) }

    static func manifest(_ identity: Identity, code: CID, input: CID, size: Int) -> JobManifest {
        JobManifest(
            nonce: [1, 2, 3], submitter: identity.did, placer: identity.did,
            created: Timestamp(milliseconds: 0), expires: Timestamp(milliseconds: 1000), description: "",
            code: code, inputs: [.init(name: "stdin", cid: input, size: UInt64(size))],
            limits: RunLimits(
                fuel: 1_000_000, memoryBytes: 1 << 20, outputBytes: 1 << 20, wallMilliseconds: 1000),
            trust: .init(federation: nil, method: .none, quorum: 0),
            market: .init(mode: .auto, windowMilliseconds: 0, maxBid: 0))
    }
}
