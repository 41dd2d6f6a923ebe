import IPLD
import MeshCore
import MeshDAG
import MeshIdentity
import MeshMarket
import MeshRuntime

/// Jobs of one identity, outside any federation.
enum BlobListCase {
    static func blocks(_ bytes: [UInt8]) -> [Block] { BlobList.split(bytes) }

    /// Two lists, each naming the next 4,096 times; at the bottom a single byte.
    static var bomb: [Block] {
        var blocks = [Block([7], codec: .raw)]
        var size: UInt64 = 1
        for _ in 0..<2 {
            let chunk = BlobList.Chunk(cid: blocks[0].cid, size: size)
            size *= UInt64(BlobList.chunkCountMax)
            let list = BlobList(chunks: Array(repeating: chunk, count: BlobList.chunkCountMax))
            blocks.insert(Block(list.encoded, codec: .dagCBOR), at: 0)
        }
        return blocks
    }

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
