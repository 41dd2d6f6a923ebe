import IPLD
import MeshCore
import MeshStorage
import MeshStore
import MeshTestSupport
import Testing

@Suite("BlobStore", .tags(.Size.medium))
struct BlobStoreTests {
    private let directory: TemporaryDirectory
    private let options = StoreOptions(mapBytes: 256 << 10)

    init() throws { directory = try TemporaryDirectory() }

    @Test("blobs come back under their CIDs, also after opening again")
    func reopening() throws {
        let chunks = (0..<4).map { block($0, byteCount: 1 << 20, codec: .raw) }
        do {
            let store = try Store(directory: directory.path, options: options)
            try store.blobs.putBlobs(chunks)
            try store.blobs.putBlobs(chunks + [Block([], codec: .raw)])
            #expect(try store.blobs.hasBlob(chunks[3].cid))
            #expect(try !store.blobs.hasBlob(block(9, codec: .raw).cid))
        }
        let store = try Store(directory: directory.path, options: options)
        for chunk in chunks { #expect(try store.blobs.blob(chunk.cid) == chunk.bytes) }
        #expect(try store.blobs.blob(Block([], codec: .raw).cid) == [])
        #expect(try store.blobs.blob(block(9, codec: .raw).cid) == nil)
        #expect(try store.read { reader throws(StorageError) in try reader.hasBlock(chunks[0].cid) } == false)
    }

    @Test("callers on many tasks all find what they put")
    func concurrentPuts() async throws {
        let store = try Store(directory: directory.path, options: options)
        let found = try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<8 {
                group.addTask {
                    var found = 0
                    for number in 0..<20 {
                        let blob = block(caller * 100 + number, byteCount: 20_000, codec: .raw)
                        try store.blobs.putBlobs([blob])
                        if try store.blobs.blob(blob.cid) == blob.bytes { found += 1 }
                    }
                    return found
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(found == 160)
    }

    @Test("blobs beyond the largest size are refused, and those before them stay")
    func largestSize() throws {
        let small = StoreOptions(mapBytesMax: 2 << 20, mapBytes: 256 << 10)
        let store = try Store(directory: directory.path, options: small)
        let kept = block(1, byteCount: 1 << 20, codec: .raw)
        let lost = block(2, byteCount: 2 << 20, codec: .raw)
        try store.blobs.putBlobs([kept])
        #expect(throws: StorageError(.full, "")) { try store.blobs.putBlobs([lost]) }
        #expect(try store.blobs.blob(kept.cid) == kept.bytes)
        #expect(try !store.blobs.hasBlob(lost.cid))
        let little = block(3, codec: .raw)
        try store.blobs.putBlobs([little])
        #expect(try store.blobs.hasBlob(little.cid))
    }
}
