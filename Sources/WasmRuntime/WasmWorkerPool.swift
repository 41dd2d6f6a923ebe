internal import Dispatch
public import IPLD
public import MeshCore
public import MeshRuntime
internal import Synchronization

/// Runs WebAssembly jobs in worker processes, one engine in each.
///
/// ```swift
/// let pool = try WasmWorkerPool(WasmRuntimeConfiguration())
/// let result = pool.run(request, code: module)
/// ```
///
/// A worker that dies, or a compilation that takes too long, costs the one job that was at it: the
/// worker is replaced, that job ends with the outcome `engine`, and what waited behind it runs elsewhere.
/// Many small jobs travel together; a single one travels at once.
///
/// Start here: ``run(_:code:)``, ``submit(_:code:completion:)``, ``check(_:entry:limits:)``.
public final class WasmWorkerPool: Sendable {
    private let core: PoolCore
    /// The engine and the settings under which every job runs, as receipts name them.
    public let engine: EngineDescription

    /// Starts the workers and waits until each is ready.
    ///
    /// - Throws: ``WasmRuntimeFailure/libraryMissing`` or ``WasmRuntimeFailure/libraryUnusable`` without a
    ///   fitting libwasmtime, ``WasmRuntimeFailure/workerFailed`` when a worker does not come up.
    public init(_ configuration: WasmRuntimeConfiguration) throws(WasmRuntimeError) {
        core = try PoolCore(configuration)
        engine = EngineProfile(memoryBytesMax: configuration.memoryBytesMax).description
        do throws(WasmRuntimeError) {
            try core.start()
        } catch {
            core.shutdown(waiting: false)
            throw error
        }
    }

    deinit {
        core.shutdown(waiting: false)
    }

    /// The process identifiers of the workers that live at this moment.
    public var workerProcesses: [Int32] {
        core.state.withLock { $0.lanes.compactMap { $0.process?.identifier } }
    }

    /// The workers that are inside a program at this moment; for tests that wait for it.
    var runningProcesses: [Int32] {
        core.state.withLock { state in
            state.lanes.compactMap { lane in
                guard let process = lane.process, process.page.isRunning else { return nil }
                return process.identifier
            }
        }
    }

    /// Says why a module cannot be run here, or `nil`; blocks until a worker has compiled it.
    ///
    /// - Parameters:
    ///   - code: The module.
    ///   - entry: The exported function to call; `nil` asks for `_start`, `run` or `main`.
    ///   - limits: The limits of the job at hand; `nil` checks against the largest that are allowed.
    /// - Returns: The first reason found, with its byte, or `nil`.
    public func check(_ code: [UInt8], entry: String?, limits: RunLimits?) -> ModuleRefusal? {
        let most = core.configuration.moduleBytesMax
        if let refusal = WasmModuleInspector.inspect(code, entry: entry, moduleBytesMax: most) {
            return refusal
        }
        guard let image = core.keep(CID(of: code, codec: .raw), code) else {
            return ModuleRefusal(.compilation, "the module could not be named", offset: 0)
        }
        let memoryBytes = min(limits?.memoryBytes ?? .max, core.configuration.memoryBytesMax)
        return wait { done in
            let check = ModuleCheck(entry: entry, memoryBytes: memoryBytes, completion: done)
            core.submit([PendingJob(work: .check(check), image: image)])
        }
    }

    /// Queues one job.
    ///
    /// - Parameters:
    ///   - request: The job.
    ///   - code: Gives the module's bytes; asked for only when they are not at hand, on the caller's
    ///     thread. `nil` ends the job with the outcome `engine`.
    ///   - completion: Called once, on a thread of the pool or, when the job is refused at once, on the
    ///     caller's; must not block.
    public func submit(
        _ request: RunRequest, code: @Sendable () -> [UInt8]?,
        completion: @escaping @Sendable (RunResult) -> Void
    ) {
        submitBatch([request], code: { _ in code() }) { _, result in completion(result) }
    }

    /// Queues many jobs for the price of little more than one.
    ///
    /// - Parameters:
    ///   - requests: The jobs.
    ///   - code: Gives the bytes of a module that is not at hand, on the caller's thread.
    ///   - completion: Called once for every job with its place in `requests`, in no particular order and
    ///     from several threads; must not block.
    public func submitBatch(
        _ requests: [RunRequest], code: (CID) -> [UInt8]?,
        completion: @escaping @Sendable (Int, RunResult) -> Void
    ) {
        let batch = JobBatch(requests, completion)
        var jobs: [PendingJob] = []
        jobs.reserveCapacity(requests.count)
        var last: ModuleImage?
        for index in requests.indices {
            func refuse(_ outcome: OutcomeClass, _ reason: String) {
                let fuel = outcome.isNodeFault ? 0 : requests[index].limits.fuel
                completion(
                    index,
                    RunResult(outcome: RunOutcome(outcome, trap: reason), metering: Metering(fuel: fuel)))
            }
            let cid = requests[index].code
            if last?.cid != cid { last = core.image(cid) }
            if last == nil {
                guard let bytes = code(cid) else {
                    refuse(.engine, "the module is not at hand")
                    continue
                }
                guard bytes.count <= core.configuration.moduleBytesMax else {
                    refuse(.trap, ModuleRefusal.Reason.tooLarge.rawValue)
                    continue
                }
                last = core.keep(cid, bytes)
            }
            guard let image = last else {
                refuse(.engine, "the module's bytes are not those that its CID names")
                continue
            }
            guard JobEncoding.inputBytes(requests[index]) != nil else {
                refuse(.nodeResources, "the inputs are too large to be sent to a worker")
                continue
            }
            jobs.append(PendingJob(work: .run(batch, index), image: image))
        }
        core.submit(jobs)
    }

    /// Runs one job and waits for it; not for use on a thread of the pool or of Swift concurrency.
    public func run(_ request: RunRequest, code: [UInt8]) -> RunResult {
        wait { done in submit(request, code: { code }, completion: done) }
    }

    /// Ends the workers.
    ///
    /// Jobs that are not finished get the outcome `engine`. Safe to call again.
    public func shutdown() {
        core.shutdown(waiting: true)
    }

    /// Blocks until `start`'s callback was called.
    private func wait<Value: Sendable>(_ start: (@escaping @Sendable (Value) -> Void) -> Void) -> Value {
        let box = Mailbox<Value>()
        start { box.put($0) }
        return box.take()
    }
}

/// One value that one thread waits for.
private final class Mailbox<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let arrived = DispatchSemaphore(value: 0)

    func put(_ new: Value) {
        value.withLock { $0 = new }
        arrived.signal()
    }

    func take() -> Value {
        while true {
            arrived.wait()
            if let found = value.withLock({ $0 }) { return found }
        }
    }
}
