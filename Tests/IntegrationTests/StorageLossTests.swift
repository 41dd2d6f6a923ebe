import ControlClient
import Foundation
import MeshDevnet
import Glibc
import MeshAPI
import MeshCore
import MeshTestSupport
import Testing

/// A request on a thread of its own.
final class LongPoll: @unchecked Sendable {
    // Sendable because all mutable state is behind `condition`.

    private let condition = NSCondition()
    private var outcome: Result<Int, any Error>?

    init(_ client: HTTPControlClient, _ path: String, query: [String: String]) {
        let thread = Thread { [self] in
            let result = Result {
                try client.request("GET", path, query: query, timeout: .seconds(90)).status
            }
            condition.withLock {
                outcome = result
                condition.broadcast()
            }
        }
        thread.start()
    }

    /// The status of the answer, which must come within `seconds`.
    func status(within seconds: Double) throws -> Int {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while outcome == nil {
            guard condition.wait(until: deadline) else { throw HarnessError("no answer within \(seconds) s") }
        }
        return try outcome?.get() ?? 0
    }
}

extension WholeNodes {
    @Suite("Disks that fail", .tags(.Size.large))
    struct Disks {
        @Test("a node restored from an old backup fetches its own feed first and does not fork itself")
        func backup() throws {
            try withCluster { cluster in
                let node = cluster[2]
                func job() throws {
                    let id = try node.submit(Losses.short(node))
                    #expect(try node.job(id) { $0.verification.final }.status == "Completed")
                }
                try job()
                try cluster.awaitEqualHeads()
                try node.stop()
                let old = cluster.directory + "/old"
                try FileManager.default.copyItem(atPath: node.directory, toPath: old)
                try node.start()
                try cluster.awaitLinked()
                let before = try #require(try node.ownHead()).seq
                for _ in 0..<3 { try job() }
                try cluster.awaitEqualHeads()
                let reached = try #require(try node.ownHead()).seq
                #expect(reached >= before + 3)
                try node.kill()

                func restore() throws {
                    try FileManager.default.removeItem(atPath: node.directory)
                    try FileManager.default.copyItem(atPath: old, toPath: node.directory)
                }
                try restore()
                try node.start()
                try cluster.awaitLinked()
                try job()
                #expect(try #require(try node.ownHead()).seq > reached)
                let heads = try cluster.awaitEqualHeads()
                #expect(heads.allSatisfy { !$0.frozen })
                #expect(try node.jobs().count == 5)

                // With nobody to ask it publishes nothing, and says so.
                try node.kill()
                try FileManager.default.removeItem(atPath: node.socketPath)
                let copy = cluster.directory + "/newest"
                try FileManager.default.copyItem(atPath: node.directory, toPath: copy)
                try cluster[1].stop()
                try cluster[3].stop()
                try restore()
                try node.start()
                let status = try node.status()
                #expect(!status.publishingAllowed)
                #expect(status.publishingRefusal?.contains("no peer") == true)
                #expect {
                    try node.submit(Losses.short(node))
                } throws: { error in
                    guard let refusal = error as? ControlRefusal else { return false }
                    return refusal.status == 503 && refusal.error.code == "node.not-publishing"
                        && refusal.error.retryable && refusal.error.hint?.contains("--alone") == true
                }
                try node.stop()
                // Unless its operator answers for it; the newest copy, so that nothing is forked.
                try FileManager.default.removeItem(atPath: node.directory)
                try FileManager.default.copyItem(atPath: copy, toPath: node.directory)
                try node.start(["--alone"])
                #expect(try node.status().publishingAllowed)
                _ = try node.submit(Losses.short(node))
                #expect(try #require(try node.ownHead()).frozen == false)
            }
        }

        @Test("a full disk is said in a sentence, reads go on, and nothing is lost when there is room again")
        func full() throws {
            try withCluster(.init(count: 1), isStarted: false) { cluster in
                let node = cluster[1]
                try cluster.configure(0)
                try node.start(["--alone"])
                var first = try Losses.short(node)
                first.allowSelf = true
                let good = try node.submit(first)
                #expect(try node.job(good) { $0.hasEnded }.status == "Completed")
                try node.stop()
                func size(_ name: String) throws -> Int {
                    let attributes = try FileManager.default.attributesOfItem(
                        atPath: node.directory + "/" + name)
                    return (attributes[.size] as? Int) ?? 0
                }
                let largest = try max(size("records/data.mdb"), size("blobs/data.mdb"))
                let kibibytes = largest / 1024 + 600
                try node.start(["--alone"], shellPrefix: "ulimit -f \(kibibytes)")
                let client = try node.client()

                // Jobs with large environments, until the store is full.
                var accepted = [good]
                var refusal: ControlRefusal?
                for number in 0..<200 where refusal == nil {
                    var request = first
                    request.env = ["FILL": String(repeating: "x", count: 60_000), "NUMBER": "\(number)"]
                    request.auto = nil
                    do {
                        accepted.append(try node.submit(request))
                    } catch let error as ControlRefusal {
                        refusal = error
                    }
                }
                let refused = try #require(refusal, "the store never became full")
                #expect(accepted.count > 1, "not one job fitted")
                #expect(refused.status == 503, "\(refused)")
                #expect(refused.error.message.contains(" ") && !refused.error.message.isEmpty)
                #expect(refused.error.retryable)
                #expect(node.process?.hasEnded == nil)
                // Blobs are in a store of their own, which can become full as well.
                var blobRefusal: ControlRefusal?
                for number in 0..<40 where blobRefusal == nil {
                    do {
                        let bytes = [UInt8](repeating: UInt8(number), count: 100_000)
                        let _: BlobView = try client.post("/v1/blobs", bytes: bytes)
                    } catch let error as ControlRefusal {
                        blobRefusal = error
                    }
                }
                #expect(try #require(blobRefusal).status == 503)

                // Reads go on: from snapshots at once, and from the engine once it stands again.
                let heads: [HeadView] = try eventually("no heads", within: 20) { try? node.heads() }
                #expect(heads.count == 1)
                #expect(try client.bytes("/v1/dag/\(heads[0].cid ?? "")").isEmpty == false)
                let jobs: [JobStatusView] = try eventually("no jobs", within: 20) { try? node.jobs() }
                #expect(Set(jobs.map(\.jobID)).isSuperset(of: accepted))
                #expect(try client.bytes("/v1/jobs/\(good)/outputs/stdout", timeout: .seconds(20)).isEmpty)

                // Who waits while a commit fails gets an answer, not silence until the time is up.
                let open = try #require(accepted.last)
                let waiting = LongPoll(
                    try node.client(), "/v1/jobs/\(open)",
                    query: ["wait": "60000", "after": try node.job(open) { _ in true }.pollState])
                try eventually("nobody waits") {
                    ((try? node.status())?.queueLengths["requests_waiting"] ?? 0) > 0 ? () : nil
                }
                var another = first
                another.env = ["FILL": String(repeating: "y", count: 60_000)]
                #expect(throws: ControlRefusal.self) { try node.submit(another) }
                #expect(try waiting.status(within: 20) == 503)

                #expect(try node.stop() == .exited(0))
                try node.start(["--alone"])
                let after = try node.jobs()
                #expect(Set(after.map(\.jobID)).isSuperset(of: accepted))
                #expect(try node.job(good) { $0.hasEnded }.status == "Completed")
                let again = try node.submit(first)
                #expect(try node.job(again) { $0.hasEnded }.status == "Completed")
                #expect(try #require(try node.ownHead()).frozen == false)
            }
        }
    }
}
