internal import CWasmtime
internal import Glibc
internal import IPLD
internal import MeshCore
internal import MeshRuntime
internal import Synchronization

/// The thread that owns one worker: it starts it, reads its answers, watches it and replaces it.
///
/// `@unchecked Sendable`: ``received`` and ``sending`` are touched by one thread at a time; the first by
/// the lane's own, the second by whoever set ``LaneState/isSending`` under the pool's lock.
final class WorkerLane: @unchecked Sendable {
    let index: Int
    let pool: PoolCore
    private let wake = mesh_wake_new()
    private let received = ByteBuffer(capacity: 256 << 10)
    private var sending = ByteBuffer(capacity: 64 << 10)
    private var answers: [(sequence: UInt64, answer: JobEncoding.Answer)] = []
    private var watched: (sequence: UInt64, since: UInt64) = (0, 0)

    /// A job that runs longer than this gets the worker for itself.
    private static let stallNanoseconds: UInt64 = 50_000_000

    init(_ index: Int, _ pool: PoolCore) {
        self.index = index
        self.pool = pool
    }

    func start() -> Bool {
        let box = unsafe Unmanaged.passRetained(self)
        let failed = unsafe mesh_thread_start(
            2 << 20,
            { argument in
                guard let argument = unsafe argument else { return }
                unsafe Unmanaged<WorkerLane>.fromOpaque(argument).takeRetainedValue().run()
            }, box.toOpaque())
        if failed != 0 { unsafe box.release() }
        return failed == 0
    }

    func signal() { mesh_wake_signal(wake) }

    // MARK: The loop

    private func run() {
        var failures = 0
        while true {
            let (process, isBusy, isBlocked, isShutDown) = pool.state.withLock { state in
                let lane = state.lanes[index]
                return (lane.process, !lane.inFlight.isEmpty, lane.isBlocked, state.isShutDown)
            }
            if isShutDown { break }
            guard let process else {
                failures = restart() ? 0 : failures + 1
                if failures >= 3 { pool.giveUp() }
                if failures > 0 { _ = mesh_wait(-1, 0, wake, Int32(200 * min(failures, 10))) }
                continue
            }
            let interest = Int32(MESH_READABLE) | (isBlocked ? Int32(MESH_WRITABLE) : 0)
            let events = mesh_wait(process.socket, interest, wake, isBusy ? 50 : 500)
            var isAlive = true
            if events & Int32(MESH_READABLE | MESH_HUNG_UP) != 0 { isAlive = receive(process) }
            if isAlive, events & Int32(MESH_WRITABLE) != 0 { send(process) }
            if isAlive { supervise(process) } else { buryWorker(process, reason: "the worker died") }
        }
        leave()
    }

    private func leave() {
        let (process, orphans) = pool.state.withLock { state in
            let process = state.lanes[index].process
            state.lanes[index].process = nil
            let orphans = state.lanes[index].inFlight.removeAll().compactMap(\.job)
            return (process, orphans)
        }
        if let process {
            awaitSenders()
            process.end()
            pool.state.withLock { $0.lanes[index].reset(nil) }
        }
        for job in orphans { job.fail(.engine, "the runtime was shut down") }
        close(wake)
        pool.laneEnded()
    }

    // MARK: Reading

    /// Takes in everything that has arrived.
    ///
    /// - Returns: `false` when the worker is gone or answers nonsense.
    private func receive(_ process: WorkerProcess) -> Bool {
        var isAlive = true
        for _ in 0..<16 {
            let missing = received.front(as: mesh_frame.self).map { Int($0.length) - received.count } ?? 0
            let space = unsafe received.reserve(max(missing, 64 << 10))
            guard let base = space.baseAddress else { return false }
            let count = unsafe mesh_socket_receive(process.socket, base, space.count)
            if count < 0 { isAlive = false }
            guard count > 0 else { break }
            received.commit(count)
            if let next = received.front(as: mesh_frame.self), !FrameLayout.isPlausible(next) { return false }
            while let frame = FrameLayout.completeFrame(in: received) {
                guard FrameLayout.isPlausible(frame), let answer = JobEncoding.answer(frame, in: received)
                else { return false }
                answers.append((frame.sequence, answer))
                received.consume(Int(frame.length))
            }
            if count < space.count { break }
        }
        received.shrink(to: 4 << 20)
        if !answers.isEmpty, !deliver() { return false }
        return isAlive
    }

    /// Matches answers with what was asked, refills the worker, then tells those who wait.
    private func deliver() -> Bool {
        var finished: [(PendingJob, JobEncoding.Answer)] = []
        finished.reserveCapacity(answers.count)
        let isInOrder = pool.state.withLock { state in
            for (sequence, answer) in answers {
                guard let asked = state.lanes[index].inFlight.popFirst(), asked.sequence == sequence else {
                    return false
                }
                if case .result(_, let microseconds) = answer {
                    let average = state.lanes[index].averageMicroseconds
                    let took = Double(microseconds)
                    state.lanes[index].averageMicroseconds = average + (took - average) / 8
                }
                if let job = asked.job { finished.append((job, answer)) }
            }
            state.lanes[index].isStalled = false
            state.refill(index)
            return true
        }
        answers.removeAll(keepingCapacity: true)
        pool.flush(index)
        for (job, answer) in finished {
            switch (job.work, answer) {
            case (.run(let batch, let index), .result(let result, _)): batch.completion(index, result)
            case (.check(let check), .verdict(let refusal)): check.completion(refusal)
            default: job.fail(.engine, "the worker answered another question")
            }
        }
        return isInOrder
    }

    // MARK: Sending

    /// Sends what waits, unless somebody is at it; never blocks.
    func flush() {
        let (process, mustWatch): (WorkerProcess?, Bool) = pool.state.withLock { state in
            let mustWatch = state.lanes[index].mustWatch
            state.lanes[index].mustWatch = false
            guard let process = state.lanes[index].process, !state.lanes[index].isSending,
                !state.lanes[index].outgoing.isEmpty
            else {
                return (nil, mustWatch)
            }
            state.lanes[index].isSending = true
            swap(&state.lanes[index].outgoing, &sending)
            return (process, mustWatch)
        }
        if mustWatch { signal() }
        if let process { send(process) }
    }

    /// Goes on sending ``sending``, and what came after it; the caller holds ``LaneState/isSending``.
    private func send(_ process: WorkerProcess) {
        while true {
            while !sending.isEmpty {
                let bytes = unsafe sending.bytes
                guard let base = bytes.baseAddress else { break }
                let count = unsafe mesh_socket_send(process.socket, base, bytes.count)
                if count > 0 {
                    sending.consume(count)
                    continue
                }
                // Full, or the worker is gone: the lane's thread goes on when it can, or finds out.
                pool.state.withLock { $0.lanes[index].isBlocked = true }
                signal()
                return
            }
            sending.shrink(to: 4 << 20)
            let isDone = pool.state.withLock { state in
                state.lanes[index].isBlocked = false
                if state.lanes[index].outgoing.isEmpty {
                    state.lanes[index].isSending = false
                    return true
                }
                swap(&state.lanes[index].outgoing, &sending)
                return false
            }
            if isDone { return }
        }
    }

    /// Waits until nobody else is sending; a sender never blocks, so this is short.
    private func awaitSenders() {
        while pool.state.withLock({ $0.lanes[index].isSending && !$0.lanes[index].isBlocked }) {
            sched_yield()
        }
        sending.removeAll()
        pool.state.withLock { $0.lanes[index].isSending = false }
    }

    // MARK: Watching

    /// Kills a worker that is over its time, and takes away what waits behind a long job.
    private func supervise(_ process: WorkerProcess) {
        let now = mesh_monotonic_nanoseconds()
        let phase = process.page.phase
        let sequence = process.page.sequence
        let deadline = process.page.deadline
        guard phase != MESH_WORKER_IDLE else {
            watched = (0, now)
            return
        }
        if phase == MESH_WORKER_COMPILING {
            let most = UInt64(pool.configuration.compileMillisecondsMax) * 1_000_000
            if now > deadline &+ most {
                let limit = pool.configuration.compileMillisecondsMax
                buryWorker(process, reason: "the compilation took more than \(limit) ms", ranAway: true)
                return
            }
        } else if now > deadline {
            buryWorker(process, reason: "the job could not be stopped in time")
            return
        }
        if watched.sequence != sequence {
            watched = (sequence, now)
        } else if now - watched.since > Self.stallNanoseconds, pool.laneCount > 1 {
            pool.state.withLock { state in
                guard !state.lanes[index].isStalled else { return }
                state.lanes[index].isStalled = true
                state.takeBack(index, behind: sequence)
            }
            pool.pumpAll()
        }
    }

    /// Ends a worker, answers the job it was at, and gives the others back to the queue.
    private func buryWorker(_ process: WorkerProcess, reason: String, ranAway: Bool = false) {
        pool.state.withLock { $0.lanes[index].process = nil }
        mesh_worker_kill(process.identifier)
        awaitSenders()
        // What it had said before it ended still counts.
        while receive(process), mesh_wait(process.socket, Int32(MESH_READABLE), -1, 0) != 0 {}
        let phase = process.page.phase
        let sequence = process.page.sequence
        process.end()
        received.removeAll()
        answers.removeAll()
        let victims: [PendingJob] = pool.state.withLock { state in
            var victims: [PendingJob] = []
            var innocent: [PendingJob] = []
            let all = state.lanes[index].inFlight.removeAll()
            // A module is sent under the number of the job that needed it.
            let culprit = phase == MESH_WORKER_IDLE ? nil : all.first { $0.sequence == sequence }
            for asked in all {
                guard var job = asked.job else { continue }
                let isAtFault = asked.sequence == culprit?.sequence
                if isAtFault, ranAway { job.image.ranAway.store(true, ordering: .relaxed) }
                // Without a culprit nobody may come back for ever.
                if culprit == nil { job.returns += 1 }
                if isAtFault || job.returns > 3 { victims.append(job) } else { innocent.append(job) }
            }
            state.lanes[index].reset(nil)
            state.queue.prepend(innocent)
            return victims
        }
        for job in victims { job.fail(.engine, reason) }
        pool.pumpAll()
    }

    private func restart() -> Bool {
        do throws(WasmRuntimeError) {
            let process = try pool.startProcess()
            do throws(WasmRuntimeError) {
                try process.awaitHello(milliseconds: 10_000)
            } catch {
                process.end()
                throw error
            }
            pool.state.withLock { state in
                state.lanes[index].reset(process)
                state.refill(index)
            }
            watched = (0, mesh_monotonic_nanoseconds())
            pool.flush(index)
            return true
        } catch {
            return false
        }
    }
}
