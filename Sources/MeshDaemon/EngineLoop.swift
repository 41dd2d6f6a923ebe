internal import IPLD
internal import MeshAPI
internal import MeshCore
internal import MeshDAG
internal import MeshEngine
internal import MeshGossip
internal import MeshIdentity
internal import MeshStorage
internal import MeshStore
internal import MeshTransport
internal import Synchronization

import Foundation

/// Drives the engine: one thread, one bounded stream of inputs, one transaction for each batch.
///
/// Frames are decoded and their signatures checked just before the step, on both cores when there
/// are several. Effects are performed after the commit, in order. When a commit fails, nothing that
/// was decided is told to anyone: the engine is made again from the store, and those who asked get
/// an answer that says so.
final class EngineLoop: @unchecked Sendable {
    // Sendable because all mutable state is either behind `condition` or touched by the loop's own
    // thread alone.

    /// Something for the engine, as it came.
    enum Item: Sendable {
        case input(EngineInput)
        case frame(PeerLink, FrameType, [UInt8])
        /// Ends the loop once everything that came before has been dealt with.
        case stop

        var isStop: Bool { if case .stop = self { true } else { false } }
    }

    static let batchCountMax = 512
    /// How many frames of one link may wait; more are dropped, and reconciliation brings them again.
    static let framesWaitingMax = 4096
    static let frameBytesWaitingMax = 32 << 20

    private let condition = NSCondition()
    private var items: [Item] = []
    private var framesWaiting: [PeerLink: (count: Int, bytes: Int)] = [:]
    private var droppedFrames = 0

    private let store: Store
    private let makeEngine: (Timestamp, any StorageWriter) throws(StorageError) -> NodeEngine
    private let perform: (EngineEffect) -> Void
    private let log: Logger
    private let verifier = Ed25519Verifier()
    /// The control requests that the engine has and has not answered.
    private var unanswered: Set<RequestID> = []
    private var links: [PeerLink: (peer: DID, address: String, outbound: Bool)] = [:]
    private var lastNow = Timestamp(milliseconds: 0)
    private var lastMaintenance = SystemClock.now

    init(
        store: Store, log: Logger,
        makeEngine: @escaping (Timestamp, any StorageWriter) throws(StorageError) -> NodeEngine,
        perform: @escaping (EngineEffect) -> Void
    ) {
        self.store = store
        self.log = log
        self.makeEngine = makeEngine
        self.perform = perform
    }

    // MARK: From other threads

    func enqueue(_ input: EngineInput) { enqueue([.input(input)]) }

    func enqueue(_ new: [Item]) {
        condition.lock()
        for item in new {
            if case .frame(let link, _, let body) = item {
                let waiting = framesWaiting[link] ?? (0, 0)
                guard waiting.count < Self.framesWaitingMax, waiting.bytes < Self.frameBytesWaitingMax else {
                    droppedFrames += 1
                    continue
                }
                framesWaiting[link] = (waiting.count + 1, waiting.bytes + body.count)
            }
            items.append(item)
        }
        condition.signal()
        condition.unlock()
    }

    // MARK: The loop

    /// Runs until ``Item/stop``.
    func run() {
        var engine: EngineBox?
        var retryAt = now()
        var lastFailure = ""
        while true {
            let (batch, backlog) = next(until: engine.map { $0.nextDeadline } ?? retryAt)
            let isStopping = batch.contains(where: \.isStop)
            let now = now()
            if engine == nil, now >= retryAt {
                do throws(StorageError) {
                    let made = try store.write { writer throws(StorageError) in try makeEngine(now, writer) }
                    engine = EngineBox(made)
                    if !lastFailure.isEmpty { log(.info, "the store takes writes again") }
                    lastFailure = ""
                    // The new engine knows no links: it is told of those that stand.
                    enqueue(
                        links.sorted { $0.key < $1.key }.map {
                            .input(
                                .linkOpened(
                                    $0.key, peer: $0.value.peer, address: $0.value.address,
                                    outbound: $0.value.outbound))
                        })
                } catch {
                    fail(error, &lastFailure)
                    retryAt = now + 1_000
                }
            }
            for item in batch { note(item) }
            guard let current = engine else {
                refuseUnanswered(lastFailure)
                if isStopping { return }
                continue
            }
            engine = nil
            var session = Session(first: batch, isBacklog: backlog, isStopping: isStopping)
            do throws(StorageError) {
                let deferred = try store.write { writer throws(StorageError) in
                    try run(current, &session, in: writer)
                }
                engine = current
                deliver(deferred)
            } catch {
                fail(error, &lastFailure)
                retryAt = now + 1_000
                // Those who waited in earlier steps have lost their engine as well.
                refuseUnanswered(lastFailure)
            }
            if session.isStopping { return }
            maintain(now)
        }
    }

    /// The steps that share one transaction.
    private struct Session {
        let first: [Item]
        let isBacklog: Bool
        var isStopping: Bool
    }

    /// How long steps that claim nothing may wait for a commit.
    private static let lingerMilliseconds: Int64 = 20
    private static let sessionStepsMax = 256

    /// Steps the engine until something must be durable before it is said, or for a few milliseconds.
    ///
    /// - Returns: The effects that wait for the commit.
    private func run(
        _ engine: EngineBox, _ session: inout Session, in writer: any StorageWriter
    ) throws(StorageError) -> [EngineEffect] {
        var batch = session.first
        var isBacklog = session.isBacklog
        let end = now() + Self.lingerMilliseconds
        // Who watches the graph reads snapshots, which hold a change once it is committed.
        var changes: [EngineEffect] = []
        for steps in 1... {
            let now = now()
            let inputs = prepare(batch, &engine.value, now: now)
            let effects = try engine.step(
                inputs, now: now, isIdle: !isBacklog, storage: writer, blobs: store.blobs)
            if engine.mustPersist { return changes + effects }
            changes += effects.filter(\.waitsForCommit)
            deliver(effects.filter { !$0.waitsForCommit })
            let deadline = min(end, engine.nextDeadline ?? end)
            guard !session.isStopping, steps < Self.sessionStepsMax, now < end,
                let more = next(within: deadline)
            else {
                return changes
            }
            (batch, isBacklog) = more
            for item in batch { note(item) }
            session.isStopping = batch.contains(where: \.isStop)
        }
        return changes
    }

    private func deliver(_ effects: [EngineEffect]) {
        for effect in effects {
            if case .reply(let request, _) = effect { unanswered.remove(request) }
            perform(effect)
        }
    }

    /// More to do before `deadline`, if there is any.
    private func next(within deadline: Timestamp) -> ([Item], isBacklog: Bool)? {
        condition.lock()
        defer { condition.unlock() }
        while items.isEmpty {
            guard SystemClock.now < deadline,
                condition.wait(until: Date(timeIntervalSince1970: Double(deadline.milliseconds) / 1000))
            else { return items.isEmpty ? nil : take(nil) }
        }
        return take(nil)
    }

    /// The wall clock, kept from running backwards.
    private func now() -> Timestamp {
        lastNow = max(lastNow, SystemClock.now)
        return lastNow
    }

    private func next(until deadline: Timestamp?) -> ([Item], backlog: Bool) {
        condition.lock()
        defer { condition.unlock() }
        while items.isEmpty {
            let limit = min(deadline ?? lastNow + 1_000, lastNow + 1_000)
            let due = SystemClock.now >= limit
            if due { return ([.input(.deadlineReached)], false) }
            let date = Date(timeIntervalSince1970: Double(limit.milliseconds) / 1000)
            if !condition.wait(until: date) { return ([.input(.deadlineReached)], false) }
        }
        return take(deadline)
    }

    /// Takes a batch off the queue; the caller holds the lock.
    private func take(_ deadline: Timestamp?) -> ([Item], Bool) {
        var batch = Array(items.prefix(Self.batchCountMax))
        items.removeFirst(batch.count)
        for case .frame(let link, _, let body) in batch {
            if let waiting = framesWaiting[link] {
                framesWaiting[link] =
                    waiting.count <= 1 ? nil : (waiting.count - 1, waiting.bytes - body.count)
            }
        }
        if let deadline, SystemClock.now >= deadline { batch.append(.input(.deadlineReached)) }
        return (batch, !items.isEmpty)
    }

    /// Decodes frames and checks signatures, in parallel when it is worth it.
    ///
    /// The engine is lent by address: a closure that held a copy of it, and were let go a moment late by
    /// one of the threads, would make the step that follows copy whole dictionaries.
    private func prepare(
        _ batch: [Item], _ engine: inout NodeEngine, now: Timestamp
    ) -> [EngineInput] {
        var inputs: [EngineInput?] = []
        var frames: [(index: Int, link: PeerLink, type: FrameType, body: [UInt8])] = []
        for item in batch {
            switch item {
            case .input(let input): inputs.append(input)
            case .frame(let link, let type, let body):
                guard engine.admits(type, byteCount: body.count, on: link, now: now) else { continue }
                frames.append((inputs.count, link, type, body))
                inputs.append(nil)
            case .stop: break
            }
        }
        if frames.isEmpty { return inputs.compactMap { $0 } }
        let verifier = verifier
        let work = frames
        let prepared = Mutex<[(index: Int, input: EngineInput)]>([])
        unsafe withUnsafePointer(to: &engine) { pointer in
            // Only read, and only until `concurrentPerform` returns.
            nonisolated(unsafe) let engine = unsafe pointer
            let run: @Sendable (Int) -> Void = { place in
                let (index, link, type, body) = work[place]
                let frame = PreparedFrame(
                    type: type, body: body, isKnown: { unsafe engine.pointee.isKnown($0) },
                    isChecked: { unsafe engine.pointee.isChecked($0) }, verifier: verifier)
                prepared.withLock { $0.append((index, .frame(link, frame))) }
            }
            if work.count > 3 {
                DispatchQueue.concurrentPerform(iterations: work.count, execute: run)
            } else {
                for place in work.indices { run(place) }
            }
        }
        prepared.withLock { for (index, input) in $0 { inputs[index] = input } }
        return inputs.compactMap { $0 }
    }

    private func note(_ item: Item) {
        switch item {
        case .input(.linkOpened(let link, let peer, let address, let outbound)):
            links[link] = (peer, address, outbound)
        case .input(.linkClosed(let link, _)): links[link] = nil
        case .input(.control(let request, _)): unanswered.insert(request)
        default: break
        }
    }

    private func fail(_ error: StorageError, _ last: inout String) {
        if last != error.message { log(.error, error.description) }
        last = error.message
    }

    /// Answers everyone who has asked and cannot be answered while nothing can be written.
    private func refuseUnanswered(_ reason: String) {
        for request in unanswered.sorted() {
            perform(
                .reply(
                    request,
                    .failure(
                        status: 503,
                        APIError(
                            code: "storage.unavailable",
                            message: reason.isEmpty ? "the store is not open yet" : reason,
                            hint: "try again when there is room", retryable: true))))
        }
        unanswered = []
    }

    private func maintain(_ now: Timestamp) {
        guard now - lastMaintenance > 60_000 else { return }
        lastMaintenance = now
        do throws(StorageError) { try store.clearStaleReaders() } catch { log(.warning, error.description) }
    }
}

extension EngineEffect {
    fileprivate var waitsForCommit: Bool { if case .graphChanged = self { true } else { false } }
}
