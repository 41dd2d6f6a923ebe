import ExecutionDocuments
import ExecutionStore
import Foundation
import Glibc
import MeshCore
import MeshTestSupport
import Synchronization
import Testing

/// Creates and completes executions until `count` have ended, or for ever.
private func work(_ root: String, prefix: String, count: Int) throws {
    let store = try ExecutionStore(root: root) { _ in }
    let protocolName = try ProtocolName("mesh.job")
    for number in 0..<count {
        let document = ExecutionDocument(
            uid: try ExecutionUID("\(prefix)\(number)"), protocolName: protocolName,
            context: try ContextPath("/work-\(prefix)"), timestamp: Timestamp(milliseconds: 0))
        _ = try store.commit([.create(document)])
        _ = try store.complete(document)
    }
}

@Suite("Crashes, other processes and full disks", .tags(.Size.medium))
struct CrashTests {
    @Test("a log cut at any byte of its last record is repaired when the store opens, and that is said")
    func tornLog() throws {
        let bench = try Bench()
        let store = try bench.open()
        _ = try store.complete(try store.create(try job(), context: place))
        let whole = try Data(contentsOf: URL(fileURLWithPath: bench.logPath))
        let last = try bench.logLines().last?.utf8.count ?? 0
        for cut in 1...last {
            try whole.dropLast(cut).write(to: URL(fileURLWithPath: bench.logPath))
            bench.repairs.withLock { $0 = [] }
            let log = try bench.open().log()
            #expect(log.findings.isEmpty)
            #expect(log.map(\.status) == [cut == 1 ? .completed : .running])
            let repairs = bench.repairs.withLock { $0 }
            #expect(repairs.count == 1)
            #expect(repairs.allSatisfy { !$0.sentence.isEmpty && !$0.isWhole })
        }
    }

    @Test("a store that is open repairs what another's crash leaves before it appends")
    func tornByAnother() throws {
        let bench = try Bench()
        let store = try bench.open()
        let document = try store.create(try job(), context: place)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: bench.logPath))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data([UInt8](repeating: 0, count: 100_000)))
        try handle.close()
        _ = try store.complete(document)
        #expect(try store.log().findings.isEmpty && store.list().map(\.status) == [.completed])
        #expect(bench.repairs.withLock { $0.map(\.cut.count) } == [100_000])
    }

    @Test(
        "a process that is killed while it appends leaves a log that is whole, and snapshots behind each line"
    )
    func killed() async throws {
        for lines in [5, 23] {
            let bench = try Bench()
            let root = bench.root
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [root = root as String, lines = lines as Int] in
                // Kills when the log has that many lines, wherever the work is then.
                let killer = Thread {
                    let log = URL(fileURLWithPath: root + "/.spl/exec/log")
                    while (try? Data(contentsOf: log))?.count(where: { $0 == 0x0A }) ?? 0 < lines {
                        usleep(100)
                    }
                    kill(getpid(), SIGKILL)
                }
                killer.start()
                try work(root, prefix: "k", count: .max)
            }
            let store = try bench.open()
            let log = try store.log()
            #expect(log.findings.isEmpty && !log.isEmpty)
            for execution in log {
                #expect(try store.read(execution.uid, .start).uid == execution.uid)
                if execution.status == .completed {
                    #expect(try store.read(execution.uid, .end).status == .completed)
                } else {
                    #expect(try store.recover(execution.uid).start.uid == execution.uid)
                }
            }
            // What was begun can be ended, and the uid of one whose line was never written is free.
            _ = try store.complete(try store.create(try job(), context: place))
            #expect(try store.log().findings.isEmpty)
        }
    }

    @Test("two processes at once lose nothing of each other's")
    func twoProcesses() async throws {
        let bench = try Bench()
        let root = bench.root
        async let first = #expect(processExitsWith: .success) { [root = root as String] in
            try work(root, prefix: "a", count: 30)
        }
        async let second = #expect(processExitsWith: .success) { [root = root as String] in
            try work(root, prefix: "b", count: 30)
        }
        _ = await (first, second)
        let log = try bench.open().log()
        #expect(log.findings.isEmpty && log.lineCount == 180)
        #expect(log.count == 60 && log.allSatisfy { $0.status == .completed })
        #expect(bench.repairs.withLock { $0.isEmpty })
    }

    @Test("an execution is claimed by one at a time, and the claim falls with the process that had it")
    func claims() async throws {
        let bench = try Bench()
        let store = try bench.open()
        let document = try store.create(try job(), context: place)
        var claim = try store.claim(document)
        #expect(claim != nil)
        #expect(try store.claim(document) == nil && bench.open().claim(document) == nil)
        #expect(try store.labels(document.uid) == [.start], "a claim is no snapshot")
        claim = nil
        let (root, uid) = (bench.root, document.uid.description)
        await #expect(processExitsWith: .signal(SIGKILL)) { [root = root as String, uid = uid as String] in
            let store = try ExecutionStore(root: root) { _ in }
            let claim = try store.claim(try store.read(try ExecutionUID(uid), .start))
            guard claim != nil else { exit(2) }
            kill(getpid(), SIGKILL)
        }
        #expect(try store.claim(document) != nil)
        let other = ExecutionDocument(
            uid: try ExecutionUID("nobody"), protocolName: try job(), context: place,
            timestamp: Timestamp(milliseconds: 0))
        #expect(failure { _ = try store.claim(other) } == .missingSnapshot)
    }

    @Test("a disk that is full at any byte of a record leaves the log as it was")
    func fullDisk() async throws {
        let bench = try Bench()
        let root = bench.root
        await #expect(processExitsWith: .success) { [root = root as String] in
            signal(SIGXFSZ, SIG_IGN)
            let store = try ExecutionStore(root: root) { _ in }
            let protocolName = try ProtocolName("mesh.job")
            // Longer than any snapshot, so that only the log meets the bound.
            for _ in 0..<20 { _ = try store.create(protocolName, context: .root) }
            let path = root + "/.spl/exec/log"
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            for room in [0, 1, 50, 150] {
                var limit = rlimit(rlim_cur: rlim_t(before.count + room), rlim_max: rlim_t.max)
                guard unsafe setrlimit(__rlimit_resource_t(1), &limit) == 0 else { exit(2) }
                var code: ExecutionFailure?
                do { _ = try store.create(protocolName, context: .root) } catch {
                    code = (error as? ExecutionError)?.code
                }
                guard code == .full, try Data(contentsOf: URL(fileURLWithPath: path)) == before else {
                    exit(3)
                }
            }
            var limit = rlimit(rlim_cur: rlim_t.max, rlim_max: rlim_t.max)
            guard unsafe setrlimit(__rlimit_resource_t(1), &limit) == 0 else { exit(4) }
            _ = try store.create(protocolName, context: .root)
        }
        let store = try bench.open()
        #expect(try store.log().count == 21 && store.log().findings.isEmpty)
    }
}
