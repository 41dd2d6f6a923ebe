internal import MeshCore
internal import IPLD
internal import MeshStorage
internal import Synchronization

/// A node's blobs, in memory; as on disk, a put is durable when it returns.
final class SimulatedBlobs: BlobStorage {
    private struct State {
        var blobs: [CID: [UInt8]] = [:]
        var isFull = false
    }

    private let state = Mutex(State())

    /// Whether puts fail for want of room.
    var isFull: Bool {
        get { state.withLock { $0.isFull } }
        set { state.withLock { $0.isFull = newValue } }
    }

    func blob(_ cid: CID) throws(StorageError) -> [UInt8]? { state.withLock { $0.blobs[cid] } }
    func hasBlob(_ cid: CID) throws(StorageError) -> Bool { state.withLock { $0.blobs[cid] != nil } }

    func putBlobs(_ list: [Block]) throws(StorageError) {
        let isFull = state.withLock { state in
            if state.isFull { return true }
            for block in list { state.blobs[block.cid] = block.bytes }
            return false
        }
        if isFull { throw StorageError(.full, "no room is left on the disk for a blob") }
    }
}
