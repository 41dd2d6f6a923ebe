import Foundation
import Glibc
import MeshAPI
import MeshDevnet
import MeshTestSupport
import Testing

extension WholeNodes {
    @Suite("Processes that are lost", .tags(.Size.large))
    struct Losses {
        /// A job that computes for about two seconds and then succeeds.
        static func long(_ node: TestNode) throws -> SubmitRequest {
            let code = try node.upload(Modules.counting(to: 4_000_000_000))
            var request = SubmitRequest(wasm: code)
            request.resourceAmount = 100_000
            request.auto = true
            request.bidWindowMs = 0
            request.verify = "none"
            return request
        }

        static func short(_ node: TestNode) throws -> SubmitRequest {
            var request = SubmitRequest(wasm: try node.upload(Modules.counting(to: 1_000)))
            request.auto = true
            request.bidWindowMs = 0
            return request
        }

        @Test("an executor that is killed at work loses the job to the other node, which completes it")
        func executor() throws {
            try withCluster { cluster in
                let id = try cluster[1].submit(Self.long(cluster[1]))
                let running = try cluster[1].job(id) {
                    $0.startedAt != nil || $0.status == "Running" || $0.epoch != nil
                }
                let victim = try #require(cluster.nodes.first { $0.did == running.executor.did })
                try victim.kill()
                let done = try cluster[1].job(id) { $0.hasEnded }
                #expect(done.status == "Completed", "\(done)")
                #expect(done.epoch == 1)
                #expect(done.executor.did != victim.did && done.executor.did != cluster[1].did)
                // The one that was killed comes back, learns of it and goes on.
                try victim.start()
                try cluster.awaitLinked()
                #expect(try victim.job(id) { $0.hasEnded }.receiptCID == done.receiptCID)
                let next = try cluster[1].submit(Self.short(cluster[1]))
                #expect(try cluster[1].job(next) { $0.verification.final }.status == "Completed")
                let heads = try cluster.awaitEqualHeads()
                #expect(heads.allSatisfy { !$0.frozen })
            }
        }

        @Test("a submitter that is killed before it awards takes its job up again")
        func submitter() throws {
            try withCluster { cluster in
                var request = try Self.short(cluster[1])
                request.bidWindowMs = 1_500
                let id = try cluster[1].submit(request)
                try cluster[1].kill()
                try cluster[1].start()
                let done = try cluster[1].job(id) { $0.hasEnded && $0.verification.final }
                #expect(done.status == "Completed", "\(done)")
                let heads = try cluster.awaitEqualHeads()
                #expect(heads.allSatisfy { !$0.frozen })
                // What it decided before is forgotten, and it says so rather than that it did not answer.
                try cluster[1].stop()
                try cluster[1].start()
                try cluster.awaitLinked()
                let explained = try cluster[1].ctl("explain", id, "-o", "json").objects()
                #expect(explained.count == 3)
                #expect(explained.allSatisfy { $0["stage"] as? String != "no_answer" }, "\(explained)")
            }
        }

        @Test("a worker process that is killed is replaced, and its job is awarded again")
        func worker() throws {
            try withCluster { cluster in
                let id = try cluster[1].submit(Self.long(cluster[1]))
                let running = try cluster[1].job(id) { $0.startedAt != nil || $0.status == "Running" }
                let executor = try #require(cluster.nodes.first { $0.did == running.executor.did })
                let workers = executor.workers()
                try #require(!workers.isEmpty, "the daemon has no child processes")
                for worker in workers { #expect(kill(worker, SIGKILL) == 0) }
                let done = try cluster[1].job(id) { $0.hasEnded }
                #expect(done.status == "Completed", "\(done)")
                #expect(done.epoch == 1)
                #expect(executor.process?.hasEnded == nil)
                // The node is unharmed: it wins and runs another job.
                var request = try Self.short(cluster[1])
                request.auto = nil
                request.bidWindowMs = 300
                let next = try cluster[1].submit(request)
                #expect(try cluster[1].ctl("get-bids", "-j", next).status == 0)
                let accepted = try cluster[1].ctl("accept-bid", "-j", next, "-n", executor.name)
                #expect(accepted.status == 0, "\(accepted)\n\(executor.log)")
                let replacements = executor.workers()
                #expect(!replacements.isEmpty && Set(replacements).isDisjoint(with: workers))
            }
        }

        @Test("SIGTERM ends a daemon with status 0, and its socket and workers are gone")
        func clean() throws {
            try withCluster(.init(count: 1)) { cluster in
                let node = cluster[1]
                var request = try Self.short(node)
                request.allowSelf = true
                let id = try node.submit(request)
                #expect(try node.job(id) { $0.hasEnded }.status == "Completed")
                let workers = node.workers()
                #expect(!workers.isEmpty)
                #expect(try node.stop() == .exited(0))
                #expect(!FileManager.default.fileExists(atPath: node.socketPath))
                try eventually("the workers live on", within: 10) {
                    workers.allSatisfy { kill($0, 0) != 0 } ? () : nil
                }
                #expect(node.log.contains("stopping"))
                try node.start(["--alone"])
                #expect(try node.job(id) { $0.hasEnded }.status == "Completed")
            }
        }
    }
}
