internal import IPLD
internal import JobRuntime
internal import MeshCore
internal import MeshDAG
internal import MeshEngine
internal import MeshMarket
internal import MeshRuntime
internal import MeshStorage

import Foundation

/// Runs what the engine orders, and stores what comes out before it reports.
///
/// Results are gathered and their outputs stored in one durable commit for all that are ready: a
/// receipt never names bytes that a crash could lose.
final class JobRunner: @unchecked Sendable {
    // Sendable because all mutable state is behind `condition`.

    /// The largest input that a job may bring, in bytes.
    static let inputByteCountMax = 256 << 20

    private let runtime: JobRuntime
    private let blobs: any BlobStorage
    private let report: @Sendable ([EngineInput]) -> Void
    private let log: Logger
    private let misbehaviour: Misbehaviour?
    private let gather = DispatchQueue(label: "mesh.inputs", attributes: .concurrent)
    private let condition = NSCondition()
    private var finished: [Finished] = []
    private var isStopped = false

    init(
        runtime: JobRuntime, blobs: any BlobStorage, log: Logger, misbehaviour: Misbehaviour? = nil,
        report: @escaping @Sendable ([EngineInput]) -> Void
    ) {
        self.runtime = runtime
        self.blobs = blobs
        self.log = log
        self.misbehaviour = misbehaviour
        self.report = report
        let thread = Thread { [self] in storeResults() }
        thread.name = "mesh.outputs"
        thread.start()
    }

    func start(_ order: RunOrder) {
        if misbehaviour?.withholds(order.ticket.purpose) == true { return }
        // Small jobs whose inputs are one chunk need no thread of their own.
        if order.manifest.inputs.allSatisfy({ $0.cid.codec == .raw }) {
            submit(order)
        } else {
            gather.async { [self] in submit(order) }
        }
    }

    private func submit(_ order: RunOrder) {
        let started = SystemClock.now
        let blobs = blobs
        let ticket = order.ticket
        func read(_ cid: CID) -> [UInt8]? {
            BlobList.assemble(cid, atMost: Self.inputByteCountMax) { try? blobs.blob($0) }
        }
        guard let request = order.manifest.request(cid: ticket.manifest, input: read) else {
            let outcome = RunOutcome(.nodeResources, trap: "an input could not be read")
            finish(ticket, RunResult(outcome: outcome, metering: Metering()), started)
            return
        }
        runtime.submit(
            request,
            code: {
                BlobList.assemble(order.manifest.code, atMost: Self.inputByteCountMax) { try? blobs.blob($0) }
            },
            completion: { [self] result in finish(ticket, result, started) })
    }

    private func finish(_ ticket: RunTicket, _ result: RunResult, _ started: Timestamp) {
        let result = misbehaviour?.alter(result, for: ticket.purpose) ?? result
        let one = Finished(ticket, result, started: started, finished: max(started, SystemClock.now))
        // What is here already, as it is when others have run the same, needs no commit and no thread.
        if one.blocks.allSatisfy({ (try? blobs.hasBlob($0.cid)) == true }) {
            report([one.input])
            return
        }
        condition.lock()
        finished.append(one)
        condition.signal()
        condition.unlock()
    }

    func stop() {
        condition.lock()
        isStopped = true
        condition.signal()
        condition.unlock()
    }

    // MARK: Results

    /// A run that has ended, with the blocks of what it wrote.
    private struct Finished {
        let ticket: RunTicket
        let input: EngineInput
        let blocks: [Block]

        init(_ ticket: RunTicket, _ result: RunResult, started: Timestamp, finished: Timestamp) {
            let written = RunBlobs(result)
            self.ticket = ticket
            blocks = written.blocks
            input = .runFinished(
                ticket,
                RunReport(
                    outcome: result.outcome, metering: result.metering, outputs: written.outputs,
                    logs: written.logs, submissions: result.submissions, started: started, finished: finished)
            )
        }
    }

    private func storeResults() {
        while true {
            condition.lock()
            while finished.isEmpty, !isStopped { condition.wait() }
            let batch = finished
            finished = []
            let stopped = isStopped
            condition.unlock()
            if stopped { return }
            var known: Set<CID> = []
            let blocks = batch.flatMap(\.blocks).filter { known.insert($0.cid).inserted }
            store(blocks, batch.map(\.ticket), batch.map(\.input))
        }
    }

    /// Stores outputs and reports; where there is no room the run counts as the node's fault.
    private func store(_ blocks: [Block], _ tickets: [RunTicket], _ inputs: [EngineInput]) {
        do throws(StorageError) {
            if !blocks.isEmpty { try blobs.putBlobs(blocks) }
            report(inputs)
        } catch {
            log(.error, "outputs could not be stored: \(error)")
            let now = SystemClock.now
            report(
                tickets.map {
                    .runFinished(
                        $0,
                        RunReport(
                            outcome: RunOutcome(
                                .nodeResources, trap: "the executor had no room for the outputs"),
                            metering: Metering(), outputs: [], logs: [], started: now, finished: now))
                })
        }
    }
}
