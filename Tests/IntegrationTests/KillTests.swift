import ControlClient
import Foundation
import MeshAPI
import MeshCore
import MeshDevnet
import MeshTestSupport
import Synchronization
import Testing

/// Submits jobs to one node as fast as it is allowed to, through whatever happens to the node.
final class SubmissionStream: @unchecked Sendable {
    // Sendable because all mutable state is behind `condition`.

    private let node: TestNode
    private let request: SubmitRequest
    private let condition = NSCondition()
    private var allowance = 0
    private var attempts = 0
    private var acknowledged: [String] = []
    private var isStopped = false
    private var hasEnded = false

    init(_ node: TestNode, _ request: SubmitRequest) {
        self.node = node
        self.request = request
        let thread = Thread { [self] in run() }
        thread.name = "submissions"
        thread.start()
    }

    private func run() {
        let client = try? node.client()
        while true {
            condition.lock()
            while attempts >= allowance, !isStopped { condition.wait() }
            let stopped = isStopped
            attempts += 1
            let number = attempts
            condition.broadcast()
            condition.unlock()
            if stopped { break }
            var job = request
            job.description = "job \(number)"
            // A node that is down refuses; its answer is then no acknowledgement.
            let answer: SubmitResponse? = try? client?.post("/v1/jobs", job, timeout: .seconds(10))
            if let answer { condition.withLock { acknowledged.append(answer.jobID) } }
        }
        condition.withLock {
            hasEnded = true
            condition.broadcast()
        }
    }

    /// Allows `count` more submissions and returns when the first of them is under way.
    func allow(_ count: Int) throws {
        let deadline = Date(timeIntervalSinceNow: 30)
        condition.lock()
        defer { condition.unlock() }
        allowance = attempts + count
        let before = attempts
        condition.broadcast()
        while attempts == before {
            guard condition.wait(until: deadline) else { throw HarnessError("the submissions have stopped") }
        }
    }

    /// Ends the stream and returns the ids that were acknowledged.
    func stop() throws -> [String] {
        let deadline = Date(timeIntervalSinceNow: 30)
        condition.lock()
        defer { condition.unlock() }
        isStopped = true
        condition.broadcast()
        while !hasEnded {
            guard condition.wait(until: deadline) else { throw HarnessError("the submissions do not end") }
        }
        return acknowledged
    }
}

extension WholeNodes {
    @Suite("A hundred killings", .tags(.Size.large))
    struct Killings {
        static let count = 100

        @Test(
            "nodes killed at a hundred chosen moments lose no job that was acknowledged, and agree in the end",
            arguments: Seed.sample(1))
        func killings(_ seed: Seed) throws {
            print("MESH_SEED=\(seed.rawValue)")
            var plan = Cluster.Plan()
            plan.cpu = 256
            try withCluster(plan) { cluster in
                // A node that comes back is where it was: three that all move at once would lose each other.
                for node in cluster.nodes {
                    try node.edit { $0.replacing("listen: '127.0.0.1:0'", with: "listen: '\(node.address)'") }
                }
                var generator = seed.generator
                let stream = SubmissionStream(cluster[1], try Losses.short(cluster[1]))
                var completed: [String: String] = [:]
                for _ in 0..<Self.count {
                    try stream.allow(Int.random(in: 1...6, using: &generator))
                    let victim = cluster[Int.random(in: 1...3, using: &generator)]
                    // The chosen moment: so many milliseconds after a submission has begun.
                    let moment = Double(Int.random(in: 0...60, using: &generator)) / 1000
                    let pause = NSCondition()
                    pause.withLock { _ = pause.wait(until: Date(timeIntervalSinceNow: moment)) }
                    try victim.kill()
                    try victim.start()
                    for job in try victim.jobs() where job.settledStatus == "Completed" {
                        completed[job.jobID] = job.receiptCID
                    }
                }
                let acknowledged = try stream.stop()
                #expect(acknowledged.count >= Self.count / 4, "hardly a job was taken")
                try cluster.awaitLinked()

                // Every acknowledged job is known where it was submitted, and ends.
                var left: [JobStatusView] = []
                let jobs: [String: JobStatusView]
                do {
                    jobs = try eventually("\(left.count) jobs have not ended", within: 120) {
                        let all = try cluster[1].jobs()
                        left = all.filter { !$0.hasEnded || !$0.verification.final }
                        return left.isEmpty
                            ? Dictionary(all.map { ($0.jobID, $0) }) { first, _ in first } : nil
                    }
                } catch {
                    for job in left.prefix(2) {
                        print(job)
                        for node in cluster.nodes {
                            print(node.name, try node.ctl("history", job.jobID).output)
                        }
                        print(try cluster[1].ctl("explain", job.jobID).output)
                    }
                    throw error
                }
                let lost = acknowledged.filter { jobs[$0] == nil }
                #expect(lost.isEmpty, "acknowledged and not known: \(lost)")
                for (id, receipt) in completed {
                    #expect(jobs[id]?.status == "Completed" && jobs[id]?.receiptCID == receipt, "\(id)")
                }
                #expect(!completed.isEmpty)
                let outcomes = Dictionary(
                    grouping: jobs, by: { "\($0.value.status)/\($0.value.verification.state)" }
                )
                .mapValues(\.count)
                print("\(acknowledged.count) acknowledged, \(jobs.count) known: \(outcomes)")

                let heads = try cluster.awaitEqualHeads(within: 120)
                #expect(heads.count == 3 && heads.allSatisfy { !$0.frozen })

                // What the folds say follows from the feeds alone.
                for node in cluster.nodes {
                    let list = try node.ctl("list", "--limit", "10000", "-o", "json")
                    let before = try node.ctl("dag", "heads", "-o", "json")
                    #expect(try node.stop() == .exited(0))
                    try node.start(["--rebuild"])
                    try cluster.awaitLinked()
                    let rebuilt = try node.ctl("list", "--limit", "10000", "-o", "json")
                    #expect(list.status == 0 && rebuilt.status == 0)
                    #expect(try rebuilt.objects().count == jobs.count)
                    #expect(rebuilt.outputBytes == list.outputBytes, "\(node.name) tells another story")
                    #expect(try node.ctl("dag", "heads", "-o", "json").outputBytes == before.outputBytes)
                }
            }
        }
    }
}
