internal import Dataflow
internal import IPLD
public import MeshRuntime
public import WasmRuntime

/// Runs jobs whatever their language: modules and contracts in a pool of workers, graphs on threads of its own.
///
/// Everything that runs or repeats a job goes through one of these, so that a language is known to all or to none. A
/// graph's own threads wait for the pool where the graph calls modules; no thread of the pool ever waits for a graph.
///
/// Start here: ``run(_:code:)``, ``submit(_:code:completion:)``, ``refusal(of:)``.
public final class JobRuntime: Sendable {
    /// How many graphs run at once.
    public static let graphsMax = 2

    public let pool: WasmWorkerPool
    private let graphs = GraphThreads(countMax: graphsMax)

    /// - Parameter pool: The caller's, who also shuts it down.
    public init(pool: WasmWorkerPool) {
        self.pool = pool
    }

    /// The engine and the settings under which every job runs, as receipts name them.
    public var engine: EngineDescription { pool.engine }

    /// Queues one job.
    ///
    /// - Parameters:
    ///   - request: The job; one of a language that is not known ends with the trap ``unknownLanguage``.
    ///   - code: Gives the bytes of the module or graph, on the caller's thread; `nil` ends the job with the outcome
    ///     `engine`.
    ///   - completion: Called once, on a thread of the pool, one of this runtime's or the caller's; must not block.
    public func submit(
        _ request: RunRequest, code: @Sendable () -> [UInt8]?,
        completion: @escaping @Sendable (RunResult) -> Void
    ) {
        switch request.language {
        case "wasm", "ccl": pool.submit(request, code: code, completion: completion)
        case "dataflow":
            guard let bytes = code() else {
                completion(Self.ended(.engine, "the graph is not at hand", request))
                return
            }
            graphs.run { [pool] in completion(Self.runGraph(request, bytes, pool)) }
        default: completion(Self.ended(.trap, Self.unknownLanguage, request))
        }
    }

    /// Runs one job and waits for it; not for use on a thread of the pool or of Swift concurrency.
    public func run(_ request: RunRequest, code: [UInt8]) -> RunResult {
        switch request.language {
        case "wasm", "ccl": pool.run(request, code: code)
        case "dataflow": Self.runGraph(request, code, pool)
        default: Self.ended(.trap, Self.unknownLanguage, request)
        }
    }

    /// The trap of a job whose language nothing here runs.
    public static let unknownLanguage = "language.unknown"

    private static func ended(_ outcome: OutcomeClass, _ reason: String, _ request: RunRequest) -> RunResult {
        RunResult(
            outcome: RunOutcome(outcome, trap: reason),
            metering: Metering(fuel: outcome.isNodeFault ? 0 : request.limits.fuel))
    }

    /// Runs a graph on this thread.
    private static func runGraph(_ request: RunRequest, _ code: [UInt8], _ pool: WasmWorkerPool) -> RunResult
    {
        // Bytes of several blocks were put together by their names.
        if request.code.codec == .raw, CID(of: code, codec: .raw) != request.code {
            return ended(.engine, "the graph's bytes are not those that its CID names", request)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let limit = Duration.milliseconds(Int64(clamping: request.limits.wallMilliseconds))
        var result = FlowJob.run(
            request, code: code,
            wasm: { run, module in
                var run = run
                let left = limit - start.duration(to: clock.now)
                run.limits.wallMilliseconds = UInt64(clamping: max(1, left.milliseconds))
                return pool.run(run, code: module)
            }, isOutOfTime: { start.duration(to: clock.now) > limit })
        result.metering.wallMilliseconds = UInt64(
            clamping: max(0, start.duration(to: clock.now).milliseconds))
        return result
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return (seconds > Int64.max / 2_000 ? Int64.max / 2_000 : seconds) * 1_000
            + attoseconds / 1_000_000_000_000_000
    }
}
