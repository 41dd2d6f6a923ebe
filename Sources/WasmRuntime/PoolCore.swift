internal import CWasmtime
internal import Dispatch
internal import IPLD
internal import MeshCore
internal import MeshRuntime
internal import Synchronization

/// What the lanes of a pool share: the queue, the modules at hand and the state of every worker.
///
///     submit ──▶ the worker with the fewest jobs ──▶ its socket
///        └──▶ the queue, when every worker has its window full ──▶ refilled with every batch of answers
///
/// One lock guards it all and is held for as long as it takes to copy a job into a buffer; sending,
/// receiving and completions happen outside.
final class PoolCore: Sendable {
    struct State {
        var lanes: [LaneState]
        var queue = WorkQueue<PendingJob>()
        var images: [CID: ModuleImage] = [:]
        /// Modules in the order in which they came.
        var imageOrder: [CID] = []
        var imageBytes = 0
        var lastImage: ModuleImage?
        var isShutDown = false

        /// Gives the worker what fits into its window.
        mutating func refill(_ index: Int) {
            while lanes[index].canTake, let job = queue.popFirst() { lanes[index].take(job) }
        }

        /// Gives `job` to a worker with room.
        ///
        /// - Returns: The worker, and whether it had nothing to do; `nil` when the job must wait.
        mutating func place(_ job: PendingJob) -> (lane: Int, wasIdle: Bool)? {
            guard queue.isEmpty else {
                queue.append(job)
                return nil
            }
            var best: Int?
            for index in lanes.indices where lanes[index].canTake {
                if let found = best, lanes[found].inFlight.count <= lanes[index].inFlight.count { continue }
                best = index
            }
            guard let best else {
                queue.append(job)
                return nil
            }
            let wasIdle = lanes[best].inFlight.isEmpty
            lanes[best].take(job)
            return (best, wasIdle)
        }

        /// Returns what waits behind the job `sequence` of a worker to the queue.
        mutating func takeBack(_ index: Int, behind sequence: UInt64) {
            var returned: [PendingJob] = []
            for var asked in lanes[index].inFlight.removeAll() {
                if asked.sequence > sequence, let job = asked.job {
                    returned.append(job)
                    asked.job = nil
                }
                lanes[index].inFlight.append(asked)
            }
            queue.prepend(returned)
        }

        mutating func keep(_ image: ModuleImage) {
            guard images[image.cid] == nil else { return }
            images[image.cid] = image
            imageOrder.append(image.cid)
            imageBytes += image.code.count
            while imageBytes > PoolCore.imageBytesMax, imageOrder.count > 1 {
                if let evicted = images.removeValue(forKey: imageOrder.removeFirst()) {
                    imageBytes -= evicted.code.count
                }
            }
        }
    }

    /// Jobs beyond this many are refused.
    static let queueMax = 1 << 17
    /// Modules are kept up to this many bytes together.
    static let imageBytesMax = 64 << 20

    let configuration: WasmRuntimeConfiguration
    let state: Mutex<State>
    let laneCount: Int
    private let libraryPath: String
    private let executable: String
    private let lanes = Mutex<[WorkerLane]>([])
    private let ended = DispatchSemaphore(value: 0)

    init(_ configuration: WasmRuntimeConfiguration) throws(WasmRuntimeError) {
        guard (1...256).contains(configuration.workers), configuration.memoryBytesMax >= 1 << 16,
            configuration.memoryBytesMax <= 4 << 30, configuration.moduleBytesMax > 8,
            configuration.moduleBytesMax < FrameLayout.bytesMax, configuration.compileMillisecondsMax > 0
        else {
            throw WasmRuntimeError(
                .configuration, "the settings of the WebAssembly runtime are out of range",
                hint: "1 to 256 workers, 64 KiB to 4 GiB of memory, modules below 1 GiB")
        }
        self.configuration = configuration
        laneCount = configuration.workers
        libraryPath = try WasmtimeLibrary.locate(configuration.libraryPath)
        executable = configuration.workerExecutable ?? WasmtimeLibrary.executablePath()
        let count = configuration.workers
        state = Mutex(State(lanes: (0..<count).map { _ in LaneState() }))
    }

    /// Starts every worker and waits until each is ready.
    func start() throws(WasmRuntimeError) {
        var started: [WorkerProcess] = []
        do throws(WasmRuntimeError) {
            for _ in 0..<laneCount { started.append(try startProcess()) }
            for process in started { try process.awaitHello(milliseconds: 20_000) }
        } catch {
            for process in started { process.end() }
            throw error
        }
        let processes = started
        state.withLock { state in
            for (index, process) in processes.enumerated() { state.lanes[index].reset(process) }
        }
        let all = (0..<laneCount).map { WorkerLane($0, self) }
        lanes.withLock { $0 = all }
        for lane in all where !lane.start() {
            throw WasmRuntimeError(.workerFailed, "no thread could be started for a worker")
        }
    }

    func startProcess() throws(WasmRuntimeError) -> WorkerProcess {
        let arguments =
            configuration.workerArguments + [libraryPath, String(configuration.memoryBytesMax)]
        return try WorkerProcess(executable: executable, arguments: arguments)
    }

    func lane(_ index: Int) -> WorkerLane? {
        lanes.withLock { $0.indices.contains(index) ? $0[index] : nil }
    }

    func flush(_ index: Int) { lane(index)?.flush() }

    /// Gives every worker what it can take.
    func pumpAll() {
        state.withLock { state in
            for index in state.lanes.indices { state.refill(index) }
        }
        for index in 0..<laneCount { flush(index) }
    }

    /// Fails what waits when no worker is left to do it.
    func giveUp() {
        let orphans: [PendingJob] = state.withLock { state in
            guard state.lanes.allSatisfy({ $0.process == nil }) else { return [] }
            return state.queue.removeAll()
        }
        for job in orphans { job.fail(.engine, "no worker can be started") }
    }

    // MARK: Submitting

    /// The module `cid`, when it is at hand.
    func image(_ cid: CID) -> ModuleImage? {
        state.withLock { state in
            if let last = state.lastImage, last.cid == cid { return last }
            let image = state.images[cid]
            if let image { state.lastImage = image }
            return image
        }
    }

    /// Keeps a module's bytes for the jobs that need them.
    ///
    /// A CID of another codec names a list of chunks, which the caller has put together and checked.
    ///
    /// - Returns: `nil` when the bytes are not those that the CID names.
    func keep(_ cid: CID, _ code: [UInt8]) -> ModuleImage? {
        guard cid.codec != .raw || CID(of: code, codec: .raw) == cid else { return nil }
        let image = ModuleImage(cid: cid, code: code)
        return state.withLock { state in
            state.keep(image)
            state.lastImage = state.images[cid] ?? image
            return state.lastImage
        }
    }

    /// Places every job under one lock and sends once.
    func submit(_ jobs: [PendingJob]) {
        var refused: [(PendingJob, OutcomeClass, String)] = []
        var touched: UInt64 = 0
        var touchedBeyond = false
        refused = state.withLock { state in
            var refused: [(PendingJob, OutcomeClass, String)] = []
            for job in jobs {
                if state.isShutDown {
                    refused.append((job, .engine, "the runtime was shut down"))
                } else if job.image.ranAway.load(ordering: .relaxed) {
                    refused.append((job, .engine, "the module's compilation ran away before"))
                } else if state.queue.count >= Self.queueMax {
                    refused.append((job, .nodeResources, "the queue is full"))
                } else if let (lane, wasIdle) = state.place(job) {
                    let isWorthSending = wasIdle || state.lanes[lane].outgoing.count >= 16 << 10
                    if isWorthSending, lane < 64 { touched |= 1 << UInt64(lane) }
                    if isWorthSending, lane >= 64 { touchedBeyond = true }
                }
            }
            return refused
        }
        for index in 0..<laneCount where index < 64 ? touched & 1 << UInt64(index) != 0 : touchedBeyond {
            flush(index)
        }
        for (job, outcome, reason) in refused { job.fail(outcome, reason) }
    }

    // MARK: Ending

    func laneEnded() { ended.signal() }

    /// Ends every worker; what is not finished fails.
    func shutdown(waiting: Bool) {
        let (orphans, isFirst): ([PendingJob], Bool) = state.withLock { state in
            defer { state.isShutDown = true }
            return (state.queue.removeAll(), !state.isShutDown)
        }
        for job in orphans { job.fail(.engine, "the runtime was shut down") }
        guard isFirst else { return }
        let all = lanes.withLock { lanes in
            defer { lanes = [] }
            return lanes
        }
        for lane in all { lane.signal() }
        if waiting { for _ in all { _ = ended.wait(timeout: .now() + 10) } }
    }
}
