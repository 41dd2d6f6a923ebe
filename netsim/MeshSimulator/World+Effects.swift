internal import IPLD
internal import MeshCore
internal import MeshEngine
internal import MeshGossip
internal import MeshMarket
internal import MeshRuntime
internal import MeshStorage

extension World {
    /// Does what an engine asks for.
    func perform(_ effect: EngineEffect, of node: SimulatedNode) {
        switch effect {
        case .send(let links, let type, let body): say(links, type, body, of: node)
        case .dial(let address, let did):
            note("\(node.name) dials \(address)")
            dial(node, address, did)
        case .close(let link, let code, let text):
            guard let open = node.links[link.rawValue] else { return }
            note("\(node.name) closes \(NodeName.text(open.other(than: node.index))): \(code): \(text)")
            close(open, at: node, isOrderly: true)
            later(.linkClosed(link, isOrderly: true), node)
        case .run(let order): run(order, on: node)
        case .storeBlobs(let blocks):
            let cids = blocks.map(\.cid)
            do throws(StorageError) {
                try node.blobs.putBlobs(blocks)
                later(.blobsStored(cids), node)
            } catch {
                later(.blobsNotStored(cids), node)
            }
        case .reply(let request, let reply): replied(request, reply, node)
        case .log(let level, let text):
            if level >= .info { note("\(node.name) \(level.rawValue): \(text)") }
        case .event(let kind, let job, let subject, _, let detail):
            note(
                "\(node.name) event \(kind)\(job.map { " \($0)" } ?? "")\(subject.flatMap { didOrder[$0] }.map { " " + NodeName.text($0) } ?? "")\(detail.map { " \($0)" } ?? "")"
            )
            if kind == "member.gone", let index = subject.flatMap({ didOrder[$0] }), nodes[index].isUp,
                nodes[index].pauses == 0, !isBlocked(from: index, to: node.index),
                !isBlocked(from: node.index, to: index)
            {
                statistics.falseDeaths += 1
            }
            if kind == "frozen" { history.forgetStatus(of: node.index) }
            guard kind.hasPrefix("member."), let subject else { return }
            if kind == "member.gone" { node.gone.insert(subject) } else { node.gone.remove(subject) }
        case .graphChanged: break
        case .foreignEntry(let author, let cid, _):
            note("\(node.name) has \(cid) of \(didOrder[author].map(NodeName.text) ?? "?")")
            history.delivered(cid, to: node.index, at: time)
        }
    }

    /// Gives the engine something as soon as it is done with what it is at.
    func later(_ input: EngineInput, _ node: SimulatedNode) {
        queue.push(.input(node: node.index, life: node.life, input), at: time)
    }

    // MARK: Runs

    private func run(_ order: RunOrder, on node: SimulatedNode) {
        let span = scenario.run.draw(&node.generator)
        var result = HonestRun.result(of: order.manifest)
        var isLying = false
        switch (activeBehaviour(of: node), order.ticket.purpose) {
        case (.vanisher, .execute): return
        case (.wrongOutput, .execute), (.falseAttester, .replay), (.colluder, .execute): isLying = true
        case (.wrongFuel, .execute): result.fuel += 7
        case (.colluder, .replay(let receipt)): isLying = isByColluder(receipt, node)
        default: break
        }
        if isLying { result = HonestRun.lie(about: order.manifest, insteadOf: result) }
        let output = Block(result.output, codec: .raw)
        let started = node.now(time)
        let isStored = (try? node.blobs.putBlobs([output])) != nil
        let report = RunReport(
            outcome: isStored ? RunOutcome(.ok) : RunOutcome(.nodeResources, trap: "no room for the outputs"),
            metering: Metering(fuel: result.fuel),
            outputs: isStored
                ? [NamedBlob(name: "stdout", cid: output.cid, size: UInt64(output.bytes.count))] : [],
            logs: [], submissions: isStored ? result.submissions : [], started: started,
            finished: started + span / 1_000)
        note("\(node.name) runs \(JobID(manifest: order.ticket.manifest))\(isLying ? ", and lies" : "")")
        queue.push(
            .input(node: node.index, life: node.life, .runFinished(order.ticket, report)), at: time + span)
    }

    private func isByColluder(_ receipt: CID, _ node: SimulatedNode) -> Bool {
        guard let bytes = try? node.disk.block(receipt), let record = try? JobReceipt(decoding: bytes),
            let executor = didOrder[record.executor]
        else { return false }
        return nodes[executor].behaviour == .colluder
    }
}

/// What every honest node gets when it runs a job: digests of its code and inputs.
enum HonestRun {
    static let engine = EngineDescription(
        name: "simulated", version: "1", profile: CID(of: [1], codec: .dagCBOR))

    /// The arguments of a job whose run submits one.
    static let submitting = ["submit"]

    struct Result {
        var output: [UInt8]
        var fuel: UInt64
        var submissions: [RunSubmission] = []

        /// What a receipt names for them.
        var submissionCIDs: [CID] { JobSubmission.blocks(submissions).map(\.cid) }
    }

    static func result(of manifest: JobManifest) -> Result {
        let digest = self.digest(manifest)
        var result = Result(
            output: Array("ran \(digest)".utf8), fuel: 1_000 + digest.digest.prefix % 1_000)
        if manifest.arguments == submitting {
            result.submissions = [
                RunSubmission(
                    code: manifest.code, description: "child of \(manifest.description)", resource: "compute",
                    amount: 10, priority: "low")
            ]
        }
        return result
    }

    /// What liars say: a job that was not asked for where jobs are, else another output; the same of one manifest.
    static func lie(about manifest: JobManifest, insteadOf result: Result) -> Result {
        var lie = result
        if result.submissions.isEmpty {
            lie.output = Array("made up \(digest(manifest))".utf8)
        } else {
            lie.submissions[0].amount = 90
        }
        return lie
    }

    private static func digest(_ manifest: JobManifest) -> CID {
        var bytes = manifest.code.bytes
        for input in manifest.inputs { bytes += input.cid.bytes }
        for argument in manifest.arguments { bytes += [0] + Array(argument.utf8) }
        return CID(of: bytes, codec: .raw)
    }
}
