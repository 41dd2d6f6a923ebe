import Foundation
import IPLD
import LMDB
import MeshCore
import MeshStorage
import MeshStore
import MeshTestSupport
import Testing

@Suite("Store, when things go wrong", .tags(.Size.large))
struct CrashTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Commits numbered steps and notes each one in a file once it is acknowledged.
    private static func commitUntilKilled(_ path: String, seed: UInt64) throws {
        let options = StoreOptions(mapBytes: 256 << 10, mergeThreshold: 32, mergeSlice: 8)
        let store = try Store(directory: path + "/node", options: options)
        let acknowledged = unsafe open(path + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard acknowledged >= 0 else { throw POSIXError(.EIO) }
        var generator = SeededGenerator(seed: seed)
        let delay = UInt32.random(in: 200...60_000, using: &generator)
        Thread.detachNewThread {
            usleep(delay)
            kill(getpid(), SIGKILL)
        }
        let first = try store.read { reader throws(StorageError) in
            try reader.value(forKey: [1], in: .own).map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 } ?? 0
        }
        for step in (first + 1)... {
            try store.write { writer throws(StorageError) in
                for index in 0..<3 { try writer.put(block(step * 3 + index, byteCount: 500)) }
                try writer.put([UInt8](String(step).utf8), forKey: [1], in: .own)
            }
            let line = Array("\(step)\n".utf8)
            guard unsafe Glibc.write(acknowledged, line, line.count) == line.count else { return }
        }
    }

    @Test("twenty times killed in the middle of commits, every acknowledged step is there")
    func killed() async throws {
        var greatest = 0
        for seed in 1...20 as ClosedRange<UInt64> {
            let path = directory.path
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, seed = seed as UInt64] in
                try Self.commitUntilKilled(path, seed: seed)
            }
            let text = (try? String(contentsOfFile: path + "/acknowledged", encoding: .utf8)) ?? ""
            let acknowledged = text.split(separator: "\n").compactMap { Int($0) }.last ?? 0
            let store = try Store(directory: path + "/node")
            let last = try store.read { reader throws(StorageError) in
                let value = try reader.value(forKey: [1], in: .own)
                let last = value.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
                for step in stride(from: 1, through: last, by: 1) {
                    for index in 0..<3 {
                        let expected = block(step * 3 + index, byteCount: 500)
                        let found = try reader.block(expected.cid)
                        #expect(found == expected.bytes, "MESH_SEED=\(seed), step \(step)")
                    }
                }
                // Nothing of a step that was not committed.
                let next = try reader.hasBlock(block((last + 1) * 3, byteCount: 500).cid)
                #expect(!next, "MESH_SEED=\(seed)")
                return last
            }
            #expect(last >= acknowledged, "MESH_SEED=\(seed)")
            #expect(last <= acknowledged + 1, "MESH_SEED=\(seed)")
            greatest = last
        }
        #expect(greatest > 20, "the children were killed before they had committed anything")
    }

    @Test("a full disk fails the write with a code, reads go on, and writes succeed once there is room")
    func fullDisk() async throws {
        let path = directory.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let store = try Store(directory: path + "/node", options: StoreOptions(mergeThreshold: 8))
            func fill(_ key: UInt8, _ number: Int) throws(StorageError) {
                try store.write { writer throws(StorageError) in
                    try writer.put([UInt8](repeating: key, count: 30_000), forKey: [key], in: .own)
                    try writer.put(block(number))
                }
            }
            for number in 0..<20 { try fill(1, number) }
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit()
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let before = limit.rlim_cur
            limit.rlim_cur = rlim_t(store.statistics().usedBytes + 150_001)
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            var written: [UInt8] = []
            var failures = 0
            for key in 2..<40 as Range<UInt8> {
                do throws(StorageError) {
                    try fill(key, 100 + Int(key))
                    written.append(key)
                } catch {
                    precondition(error.code == .full, "\(error.code): \(error)")
                    failures += 1
                }
                let (kept, lost) = try store.read { reader throws(StorageError) in
                    let kept = try reader.block(block(5).cid) == block(5).bytes
                    let has = try reader.hasBlock(block(100 + Int(key)).cid)
                    return (kept, try has != (reader.value(forKey: [key], in: .own) != nil))
                }
                precondition(kept && !lost)
            }
            precondition(failures > 0)
            do throws(StorageError) {
                try store.blobs.putBlobs([block(7, byteCount: 4 << 20, codec: .raw)])
                preconditionFailure("the blob found room")
            } catch {
                precondition(error.code == .full, "\(error.code): \(error)")
            }
            limit.rlim_cur = before
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            for key in 2..<40 as Range<UInt8> { try fill(key, 100 + Int(key)) }
            try store.blobs.putBlobs([block(7, byteCount: 4 << 20, codec: .raw)])
            let all = try store.read { reader throws(StorageError) in
                for key in 2..<40 as Range<UInt8> {
                    guard try reader.hasBlock(block(100 + Int(key)).cid),
                        try reader.value(forKey: [key], in: .own)?.count == 30_000
                    else { return false }
                }
                return true
            }
            precondition(all)
        }
        let store = try Store(directory: path + "/node")
        try store.read { reader throws(StorageError) in
            for key in 2..<40 as Range<UInt8> {
                let found = try reader.block(block(100 + Int(key)).cid)
                #expect(found == block(100 + Int(key)).bytes)
            }
        }
    }

    @Test("a directory that a newer program wrote is refused, and says so")
    func newerFormat() throws {
        let path = directory.file("node")
        do { _ = try Store(directory: path) }
        do {
            let records = try Environment(directory: path + "/records", options: .init())
            var transaction = try records.beginWrite()
            let database = try transaction.open("store")
            try transaction.put([0, 0, 0, 0, 0, 0, 0, 2], forKey: Array("format".utf8), in: database)
            try transaction.commit()
        }
        let error = #expect(throws: StorageError.self) { try Store(directory: path) }
        #expect(error?.code == .newerFormat)
        #expect(error?.message.contains("format 2") == true)
    }
}
