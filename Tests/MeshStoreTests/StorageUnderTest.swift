import IPLD
import MeshCore
import MeshStorage
import MeshStore
import MeshTestSupport
import Testing

/// The stores that must behave alike.
enum StorageKind: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case memory
    case disk

    var testDescription: String { rawValue }
}

/// One of the two stores behind the calls that both have.
final class StorageUnderTest {
    private enum Backend {
        case memory(MemoryStorage)
        case disk(Store, TemporaryDirectory)
    }

    private let backend: Backend

    init(_ kind: StorageKind) throws {
        switch kind {
        case .memory: backend = .memory(MemoryStorage())
        case .disk:
            let directory = try TemporaryDirectory()
            // Small enough that the map grows and generations end within a test.
            let options = StoreOptions(mapBytes: 256 << 10, mergeThreshold: 16, mergeSlice: 4)
            backend = .disk(try Store(directory: directory.file("node"), options: options), directory)
        }
    }

    func write<Value>(_ body: (any StorageWriter) throws(StorageError) -> Value) throws(StorageError) -> Value
    {
        switch backend {
        case .memory(let storage): try storage.write(body)
        case .disk(let store, _): try store.write(body)
        }
    }

    func read<Value>(_ body: (any StorageReader) throws(StorageError) -> Value) throws(StorageError) -> Value
    {
        switch backend {
        case .memory(let storage): try body(storage)
        case .disk(let store, _): try store.read(body)
        }
    }

    /// The keys that a scan meets.
    func keys(
        _ table: StorageTable, prefix: [UInt8] = [], from start: [UInt8] = [], reversed: Bool = false
    ) throws(StorageError) -> [[UInt8]] {
        try read { reader throws(StorageError) in
            var keys: [[UInt8]] = []
            try reader.scan(table, prefix: prefix, from: start, reversed: reversed) { key, _ in
                keys.append(key)
                return true
            }
            return keys
        }
    }
}

/// A block whose bytes follow from a number.
func block(_ number: Int, byteCount: Int = 64, codec: CID.Codec = .dagCBOR) -> Block {
    var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: max(byteCount, 8))
    for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
    return Block(bytes, codec: codec)
}

extension StorageWriter {
    func put(_ block: Block) throws(StorageError) { try putBlock(block.bytes, cid: block.cid) }
}
