import Foundation
import IPLD
import MeshCore
import MeshStorage
import MeshStore
import MeshTestSupport
import Testing

@Suite("Store", .tags(.Size.medium))
struct StoreTests {
    private let directory: TemporaryDirectory
    private var path: String { directory.file("node") }

    init() throws { directory = try TemporaryDirectory() }

    private func small(mergeThreshold: Int = 16, mapBytesMax: Int = 1 << 30) -> StoreOptions {
        StoreOptions(
            mapBytesMax: mapBytesMax, mapBytes: 256 << 10, mergeThreshold: mergeThreshold, mergeSlice: 4)
    }

    @Test("opening again finds everything, merged or not", arguments: [1, 7, 64, 1_000_000])
    func reopening(_ mergeThreshold: Int) throws {
        for session in 0..<4 {
            let store = try Store(directory: path, options: small(mergeThreshold: mergeThreshold))
            for number in 0..<session * 100 {
                let found = try store.read { reader throws(StorageError) in
                    try reader.block(block(number).cid)
                }
                #expect(found == block(number).bytes)
                let has = try store.read { reader throws(StorageError) in
                    try reader.hasBlock(block(number).cid)
                }
                #expect(has)
            }
            for commit in 0..<10 {
                try store.write { writer throws(StorageError) in
                    for index in 0..<10 { try writer.put(block(session * 100 + commit * 10 + index)) }
                    try writer.put([UInt8(session)], forKey: [UInt8(commit)], in: .own)
                }
            }
        }
        let store = try Store(directory: path, options: small(mergeThreshold: mergeThreshold))
        let value = try store.read { reader throws(StorageError) in try reader.value(forKey: [9], in: .own) }
        #expect(value == [3])
        if mergeThreshold == 1_000_000 { #expect(store.statistics().unmergedCount == 400) }
        if mergeThreshold == 1 { #expect(store.statistics().unmergedCount < 100) }
    }

    @Test("idle merging empties the table in memory and loses no block")
    func idleMerging() throws {
        do {
            let store = try Store(directory: path, options: small(mergeThreshold: 1_000))
            try store.write { writer throws(StorageError) in
                for number in 0..<100 { try writer.put(block(number)) }
            }
            #expect(store.statistics().unmergedCount == 100)
            #expect(try store.mergeIndex(atMost: 60) == 60)
            #expect(try store.mergeIndex(atMost: 60) == 40)
            #expect(try store.mergeIndex(atMost: 60) == 0)
            #expect(store.statistics().unmergedCount == 0)
        }
        let store = try Store(directory: path)
        #expect(store.statistics().unmergedCount == 0)
        try store.read { reader throws(StorageError) in
            for number in 0..<100 { #expect(try reader.block(block(number).cid) == block(number).bytes) }
        }
    }

    @Test("a block that was written lately is not appended again, and one of long ago may be")
    func knownBlocks() throws {
        let store = try Store(directory: path, options: small(mergeThreshold: 1_000))
        func write() throws {
            try store.write { writer throws(StorageError) in
                for number in 0..<40 { try writer.put(block(number, byteCount: 4_000)) }
            }
        }
        try write()
        let used = store.statistics().usedBytes
        for _ in 0..<10 { try write() }
        #expect(store.statistics().usedBytes == used)
        #expect(store.statistics().unmergedCount == 40)
        // Once it is in the index only it is appended again, which nobody sees.
        while try store.mergeIndex(atMost: 10) > 0 {}
        try write()
        while try store.mergeIndex(atMost: 10) > 0 {}
        try store.read { reader throws(StorageError) in
            for number in 0..<40 {
                let found = try reader.block(block(number, byteCount: 4_000).cid)
                #expect(found == block(number, byteCount: 4_000).bytes)
            }
        }
    }

    @Test("the map grows by itself, inside one transaction and over many")
    func growth() throws {
        let store = try Store(directory: path, options: small())
        let value = [UInt8](repeating: 1, count: 10_000)
        let start = store.statistics().mapBytes
        var runs = 0
        try store.write { writer throws(StorageError) in
            runs += 1
            for key in 0..<200 as Range<UInt8> { try writer.put(value, forKey: [1, key], in: .own) }
            for number in 0..<200 { try writer.put(block(number, byteCount: 10_000)) }
        }
        #expect(runs == 1, "the caller's closure runs once, whatever the map does")
        for key in 0..<200 as Range<UInt8> {
            try store.write { writer throws(StorageError) in
                try writer.put(value, forKey: [2, key], in: .own)
            }
        }
        #expect(store.statistics().mapBytes >= 16 * start)
        try store.read { reader throws(StorageError) in
            for key in 0..<200 as Range<UInt8> {
                #expect(try reader.value(forKey: [1, key], in: .own) == value)
                #expect(try reader.value(forKey: [2, key], in: .own) == value)
                #expect(try reader.hasBlock(block(Int(key), byteCount: 10_000).cid))
            }
        }
    }

    @Test("a scan that makes the map grow goes on where it was")
    func growthInsideScan() throws {
        let store = try Store(directory: path, options: small())
        try store.write { writer throws(StorageError) in
            for key in 0..<100 as Range<UInt8> { try writer.put([key], forKey: [key], in: .jobs) }
            var met: [UInt8] = []
            try writer.scan(.jobs, prefix: []) { key, _ throws(StorageError) in
                met += key
                try writer.put([UInt8](repeating: 2, count: 50_000), forKey: key, in: .own)
                return true
            }
            #expect(met == Array(0..<100))
        }
    }

    @Test("beyond its largest size the store is full, goes on reading, and takes what fits")
    func largestSize() throws {
        let store = try Store(directory: path, options: small(mapBytesMax: 1 << 20))
        let lost = block(1)
        try store.write { writer throws(StorageError) in try writer.put([1], forKey: [1], in: .own) }
        #expect(throws: StorageError(.full, "")) {
            try store.write { writer throws(StorageError) in
                try writer.put(lost)
                for key in 0..<200 as Range<UInt8> {
                    try writer.put([UInt8](repeating: 1, count: 10_000), forKey: [key], in: .own)
                }
            }
        }
        // A closure that carries on after a failure does not get half of it committed.
        #expect(throws: StorageError(.full, "")) {
            try store.write { writer throws(StorageError) in
                try writer.put([2], forKey: [1], in: .own)
                do throws(StorageError) {
                    try writer.put([UInt8](repeating: 1, count: 2 << 20), forKey: [2], in: .own)
                } catch {
                    #expect(error.code == .full)
                }
            }
        }
        try store.read { reader throws(StorageError) in
            #expect(try reader.value(forKey: [1], in: .own) == [1])
            #expect(try !reader.hasBlock(lost.cid))
        }
        try store.write { writer throws(StorageError) in try writer.put(lost) }
        #expect(try store.read { reader throws(StorageError) in try reader.block(lost.cid) } == lost.bytes)
    }

    @Test("a commit that fails takes its blocks out of memory again")
    func withdrawal() throws {
        let store = try Store(directory: path, options: small(mapBytesMax: 1 << 20))
        let little = block(1)
        let other = block(2)
        // The large block is appended at the commit, so it is the commit that fails.
        #expect(throws: StorageError(.full, "")) {
            try store.write { writer throws(StorageError) in
                try writer.put(little)
                try writer.put(block(3, byteCount: 2 << 20))
            }
        }
        #expect(store.statistics().unmergedCount == 0)
        try store.write { writer throws(StorageError) in try writer.put(other) }
        try store.read { reader throws(StorageError) in
            #expect(try !reader.hasBlock(little.cid))
            #expect(try reader.block(little.cid) == nil)
            #expect(try reader.block(other.cid) == other.bytes)
        }
        try store.write { writer throws(StorageError) in try writer.put(little) }
        #expect(
            try store.read { reader throws(StorageError) in try reader.block(little.cid) } == little.bytes)
    }

    @Test("a second store on the same directory is told that it is locked, and where")
    func locking() throws {
        do {
            let first = try Store(directory: path)
            let error = #expect(throws: StorageError.self) { try Store(directory: path) }
            #expect(error?.code == .locked)
            #expect(error?.message.contains(path) == true)
            try first.write { writer throws(StorageError) in try writer.put([1], forKey: [1], in: .own) }
        }
        let second = try Store(directory: path)
        #expect(
            try second.read { reader throws(StorageError) in try reader.value(forKey: [1], in: .own) } == [1])
    }

    @Test("the directory is made for its owner alone")
    func mode() throws {
        _ = try Store(directory: path + "/deep/er")
        for made in [path, path + "/deep/er", path + "/deep/er/records", path + "/deep/er/blobs"] {
            let mode = try FileManager.default.attributesOfItem(atPath: made)[.posixPermissions] as? Int
            #expect(mode == 0o700)
        }
    }

    @Test("a file where the directory should be is refused with a sentence that names it")
    func fileInPlace() throws {
        try Data([1]).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: StorageError.self) { try Store(directory: path) }
        #expect(error?.code == .access)
        #expect(error?.message.contains(path) == true)
    }

    @Test(
        "a directory that may not be written is refused",
        .enabled(if: geteuid() != 0, "the superuser may write everywhere"))
    func unwritableDirectory() throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o500])
        #expect(throws: StorageError(.access, "")) { try Store(directory: path) }
    }

    @Test("a data file that is not LMDB's is refused as damaged")
    func damage() throws {
        try FileManager.default.createDirectory(atPath: path + "/records", withIntermediateDirectories: true)
        try Data(repeating: 0x5a, count: 64 << 10).write(to: URL(fileURLWithPath: path + "/records/data.mdb"))
        #expect(throws: StorageError(.corrupt, "")) { try Store(directory: path) }
    }

    @Test("readers keep their snapshot while the writer goes on")
    func snapshots() throws {
        let store = try Store(directory: path, options: StoreOptions(mergeThreshold: 4))
        try store.write { writer throws(StorageError) in
            try writer.put([0], forKey: [1], in: .own)
            try writer.put(block(0))
        }
        try store.read { old throws(StorageError) in
            // The same thread writes while it reads: a writer that waited for readers would hang here.
            for number in 1..<40 {
                try store.write { writer throws(StorageError) in
                    try writer.put([UInt8(number)], forKey: [1], in: .own)
                    try writer.put(block(number))
                }
            }
            #expect(try old.value(forKey: [1], in: .own) == [0])
            #expect(try old.block(block(0).cid) == block(0).bytes)
            for number in 1..<40 {
                #expect(try old.block(block(number).cid) == nil)
                #expect(try !old.hasBlock(block(number).cid))
            }
        }
        #expect(
            try store.read { reader throws(StorageError) in try reader.value(forKey: [1], in: .own) } == [39])
    }

    @Test("every snapshot holds the blocks that its tables name, whatever is merged meanwhile")
    func concurrentReaders() async throws {
        let store = try Store(directory: path, options: small(mergeThreshold: 8))
        let last = 600
        try store.write { writer throws(StorageError) in
            try writer.put(block(0))
            try writer.put(block(0).cid.bytes, forKey: [1], in: .frontier)
        }
        let missing = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    var missing = 0
                    while true {
                        let (found, isLast) = try store.snapshot { reader in
                            let head = try reader.value(forKey: [1], in: .frontier) ?? []
                            let bytes = try reader.block(try CID(bytes: head))
                            return (bytes != nil, head == block(last).cid.bytes)
                        }
                        if !found { missing += 1 }
                        if isLast { return missing }
                        await Task.yield()
                    }
                }
            }
            group.addTask {
                for number in 1...last {
                    try store.write { writer throws(StorageError) in
                        try writer.put(block(number))
                        try writer.put(block(number).cid.bytes, forKey: [1], in: .frontier)
                    }
                    await Task.yield()
                }
                return 0
            }
            return try await group.reduce(0, +)
        }
        #expect(missing == 0)
    }

    @Test("a reader that was kept gives errors, not stale bytes")
    func keptReader() throws {
        let store = try Store(directory: path)
        let reader = try store.read { reader throws(StorageError) in reader }
        #expect(throws: StorageError(.access, "")) { try reader.value(forKey: [1], in: .own) }
        let writer = try store.write { writer throws(StorageError) in writer }
        #expect(throws: StorageError(.access, "")) { try writer.put([1], forKey: [1], in: .own) }
    }
}
