internal import IPLD
internal import MEW
internal import MeshAPI
internal import MeshCore
internal import MeshCrypto
internal import MeshEngine
internal import MeshMarket
internal import MeshStorage

extension World {
    /// How often a client asks again that got no answer, or was told to.
    private static let attemptMax = 120

    /// Asks a node what the plan says.
    func perform(_ work: Plan.Work, attempt: Int) {
        let node = nodes[work.node]
        guard node.isUp else {
            again(work, attempt)
            return
        }
        switch work.kind {
        case .job(let number):
            let code = Block(Array("code of job \(number)".utf8), codec: .raw)
            guard (try? node.blobs.putBlobs([code])) != nil else {
                again(work, attempt)
                return
            }
            // With a key of its own, so that asking again makes no second job.
            let request = SubmitRequest(
                wasm: "\(code.cid)", description: "job \(number)",
                args: scenario.workload.children && number % 2 == 0 ? HonestRun.submitting : nil, auto: true,
                bidWindowMs: scenario.workload.bidWindow, idempotencyKey: "job \(number)")
            let nonce = SHA256.hash(Array("nonce \(number)".utf8)).bytes
            note("\(node.name) is asked to run job \(number)")
            ask(node, .submit(request, nonce: nonce), .job(number, work, attempt: attempt))
        case .entry(let number):
            var encoder = DAGCBOREncoder()
            encoder.map { map in
                map.field("kind") { $0.text("simulated.entry") }
                map.field("number") { $0.unsigned(UInt64(number)) }
            }
            let bytes = encoder.bytes
            let cid = CID(of: bytes, codec: .dagCBOR)
            note("\(node.name) is asked to publish entry \(number)")
            ask(node, .publish(entry: bytes), .entry(number, work, cid, attempt: attempt))
        case .graph(let number):
            guard
                let script = GraphWork.script(
                    number, plan.chance, takesAway: node.behaviour == .equivocator)
            else { return }
            note("\(node.name) is asked to change the graph, \(number)")
            ask(node, .graph(script), .graph(number, work, attempt: attempt))
        case .cancel(let job):
            guard let known = history.jobs[job] else {
                again(work, attempt)
                return
            }
            note("\(node.name) is asked to cancel job \(job)")
            ask(node, .cancel(known.id), .cancel(job: job))
        }
    }

    private func again(_ work: Plan.Work, _ attempt: Int) {
        guard attempt < Self.attemptMax else { return }
        queue.push(.work(work, attempt: attempt + 1), at: time + Duration.second)
    }

    private func ask(_ node: SimulatedNode, _ command: ControlCommand, _ purpose: Purpose) {
        let request = RequestID(rawValue: nextRequest)
        nextRequest += 1
        requests[request.rawValue] = purpose
        node.unanswered.append(request)
        enqueue(.input(.control(request, command)), node)
    }

    func replied(_ request: RequestID, _ reply: ControlReply, _ node: SimulatedNode) {
        node.unanswered.removeAll { $0 == request }
        guard let purpose = requests.removeValue(forKey: request.rawValue) else { return }
        switch (purpose, reply) {
        case (.job(let number, _, _), .submitted(let response)):
            guard let manifest = try? CID(response.manifestCID) else { return }
            note("\(node.name) has accepted job \(number): \(manifest)")
            history.jobs[number] = History.Job(
                manifest: manifest, id: response.jobID, node: node.index, accepted: time)
            history.acknowledge(manifest, by: node.index, at: time)
        case (.entry(let number, _, _, _), .published(let cid)):
            note("\(node.name) has published entry \(number): \(cid)")
            history.acknowledge(cid, by: node.index, at: time)
        case (.graph(let number, _, _), .graph(let run)):
            note("\(node.name) answers graph \(number): \(run.failure?.code.rawValue ?? "done")")
            if run.failure == nil, node.isHonest { history.marked(number, at: node.index) }
        case (.cancel(let job), .job): history.jobs[job]?.isCancelled = true
        case (.probe(let job), .job(let view)):
            let stage = History.Stage(
                epoch: view.epoch ?? -1, status: view.settledStatus, verification: view.verification.state)
            history.observe(job: job, at: node.index, stage, time)
        case (.job(_, let work, let attempt), .failure(_, let error)),
            (.entry(_, let work, _, let attempt), .failure(_, let error)),
            (.graph(_, let work, let attempt), .failure(_, let error)):
            note("\(node.name) refuses: \(error.error.message)")
            if error.error.retryable { again(work, attempt) }
        default: break
        }
    }

    /// Answers for an engine that can answer no more.
    func refuseUnanswered(_ node: SimulatedNode) { abandonRequests(of: node) }

    /// Those who wait for an answer get none, and ask again later.
    func abandonRequests(of node: SimulatedNode) {
        let waiting = node.unanswered
        node.unanswered = []
        for request in waiting {
            switch requests.removeValue(forKey: request.rawValue) {
            case .job(_, let work, let attempt)?, .entry(_, let work, _, let attempt)?,
                .graph(_, let work, let attempt)?:
                again(work, attempt)
            default: break
            }
        }
    }

    // MARK: Looking

    /// Asks for the status of jobs, at their submitters and at one other node each.
    func probe() {
        queue.push(.probe, at: time + 5 * Duration.second)
        if time % (30 * Duration.second) == 0 { findings += Judge(self).findings(isFinal: false) }
        for number in history.jobs.keys.sorted() {
            guard let job = history.jobs[number],
                time >= scenario.duration || !(history.isSettled(number) && number % 4 != 0)
            else {
                continue
            }
            let other = (job.node + 1 + number) % nodes.count
            // In the end everyone must show the same.
            for index in time < scenario.duration ? [job.node, other] : Array(nodes.indices)
            where nodes[index].isUp && nodes[index].isHonest {
                guard nodes[index].pauses == 0, nodes[index].engine != nil else { continue }
                ask(nodes[index], .job(job.id, waitMilliseconds: 0, after: nil), .probe(job: number))
            }
        }
    }

    /// Once the faults are over: looks every second whether all is well.
    func check() {
        if isWell {
            convergedAt = time
            note("all is well")
        } else {
            // Looking reads every disk: less often the longer it takes.
            let past = time - scenario.duration
            queue.push(.check, at: time + max(Duration.second, min(10 * Duration.second, past / 4)))
        }
    }

    private var isWell: Bool {
        let honest = nodes.filter { $0.isHonest && $0.isUp }
        guard let first = honest.first?.engine?.frontierFingerprint else { return false }
        guard honest.allSatisfy({ $0.engine?.frontierFingerprint == first && !$0.isCommitting }) else {
            return false
        }
        let isAskedFor = requests.values.contains { purpose in
            switch purpose {
            case .job, .entry, .cancel, .graph: true
            case .probe: false
            }
        }
        guard !isAskedFor else { return false }
        let expected = scenario.expectation.violations
        return Judge(self).findings(isFinal: true).allSatisfy { expected.contains($0.checker) }
    }
}
