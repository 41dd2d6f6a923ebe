internal import CBaseline
internal import Dispatch
internal import IPLD
internal import MeshCore
internal import MeshRuntime
internal import Synchronization
internal import WasmRuntime

/// Small fuel-metered jobs through the workers, beside the raw C loop over the same library.
struct WasmBench: Bench {
    let name = "wasm"
    let summary = "fuel-metered WebAssembly jobs through two workers, beside a raw C loop"

    /// How long each side is measured, in seconds.
    private let seconds = 4.0
    private static let workers = 2
    /// Jobs that are under way at any time, in batches as a busy node has them.
    private static let batches = 16
    private static let batchSize = 256

    func run() throws -> [BenchRow] {
        let module = try WasmTextAssembler().assemble(
            """
            (module (memory (export "memory") 1)
              (func (export "run") (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))))
            """)
        var configuration = WasmRuntimeConfiguration(workers: Self.workers)
        let library = try WasmTextAssembler.libraryPath()
        configuration.libraryPath = library
        let baseline = unsafe mesh_baseline_wasm(
            library, module, UInt64(module.count), Int32(Self.workers), seconds, configuration.memoryBytesMax)
        guard baseline > 0 else { throw BenchFailure("the raw loop could not use \(library)") }
        let pool = try WasmWorkerPool(configuration)
        defer { pool.shutdown() }
        _ = try rate(pool, module, seconds: 0.5)
        let ours = try rate(pool, module, seconds: seconds)
        let single = try roundTrip(pool, module)
        return [
            BenchRow(
                what: "wasm jobs, \(Self.workers) workers, fuel-metered, own memory each", ours: ours,
                unit: "jobs/s", beside: "raw C loop, \(Self.workers) processes", besideValue: baseline,
                gate: 200_000, higherIsBetter: true),
            BenchRow(
                what: "one wasm job at a time, p50", ours: single, unit: "µs", beside: nil, besideValue: nil,
                gate: nil, higherIsBetter: false),
        ]
    }

    private func request(_ module: [UInt8]) -> RunRequest {
        RunRequest(
            code: CID(of: module, codec: .raw),
            limits: RunLimits(
                fuel: 1_000_000, memoryBytes: 1 << 20, outputBytes: 1 << 20, wallMilliseconds: 10_000),
            clockStart: Timestamp(milliseconds: 0), randomSeed: .zero)
    }

    /// Keeps batches under way until the time is over; jobs per second.
    private func rate(_ pool: WasmWorkerPool, _ module: [UInt8], seconds: Double) throws -> Double {
        let load = Load(pool, module, Array(repeating: request(module), count: Self.batchSize))
        let start = ContinuousClock.now
        load.deadline = start + .seconds(seconds)
        for _ in 0..<Self.batches { load.submit() }
        for _ in 0..<Self.batches { load.ended.wait() }
        let elapsed = ContinuousClock.now - start
        guard load.failures.load(ordering: .relaxed) == 0 else {
            throw BenchFailure("\(load.failures.load(ordering: .relaxed)) jobs did not end well")
        }
        let took = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        return Double(load.done.load(ordering: .relaxed)) / took
    }

    private func roundTrip(_ pool: WasmWorkerPool, _ module: [UInt8]) throws -> Double {
        let request = request(module)
        var times: [Duration] = []
        for _ in 0..<2000 {
            let start = ContinuousClock.now
            guard pool.run(request, code: module).outcome.outcomeClass == .ok else {
                throw BenchFailure("a job did not end well")
            }
            times.append(ContinuousClock.now - start)
        }
        times.sort()
        return Double(times[times.count / 2].components.attoseconds) / 1e12
    }
}

/// A closed loop of batches: whoever finishes the last job of a batch submits the next.
///
/// `@unchecked Sendable`: ``deadline`` is set before the first batch is submitted.
private final class Load: @unchecked Sendable {
    let done = Atomic(0)
    let failures = Atomic(0)
    let ended = DispatchSemaphore(value: 0)
    var deadline = ContinuousClock.now
    private let pool: WasmWorkerPool
    private let module: [UInt8]
    private let requests: [RunRequest]

    init(_ pool: WasmWorkerPool, _ module: [UInt8], _ requests: [RunRequest]) {
        self.pool = pool
        self.module = module
        self.requests = requests
    }

    func submit() {
        let left = Counter(requests.count)
        pool.submitBatch(requests, code: { _ in self.module }) { _, result in
            if result.outcome.outcomeClass != .ok || result.metering.fuel == 0 {
                self.failures.wrappingAdd(1, ordering: .relaxed)
            }
            guard left.isLast() else { return }
            self.done.wrappingAdd(self.requests.count, ordering: .relaxed)
            if ContinuousClock.now < self.deadline { self.submit() } else { self.ended.signal() }
        }
    }
}

private final class Counter: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) {
        left = Atomic(count)
    }

    func isLast() -> Bool { left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}
