public import IPLD
public import MeshCore

/// The bounds that a job's manifest sets for its run.
public struct RunLimits: Hashable, Sendable {
    /// Instructions, in the engine's fuel units.
    public var fuel: UInt64
    /// Linear memory, in bytes.
    public var memoryBytes: UInt64
    /// stdout, stderr and files together, in bytes.
    public var outputBytes: UInt64
    /// Real time, in milliseconds; running out is the one limit that cannot be replayed.
    public var wallMilliseconds: UInt64

    public init(fuel: UInt64, memoryBytes: UInt64, outputBytes: UInt64, wallMilliseconds: UInt64) {
        self.fuel = fuel
        self.memoryBytes = memoryBytes
        self.outputBytes = outputBytes
        self.wallMilliseconds = wallMilliseconds
    }
}

/// How a run ended.
///
/// The first six are the job's own doing and stay so wherever it runs; the rest are the node's and
/// are tried again elsewhere.
public enum OutcomeClass: String, Hashable, Sendable, CaseIterable {
    /// Returned normally, or exited with status 0.
    case ok
    /// Exited with another status.
    case exit
    /// Trapped.
    case trap
    case fuel
    case memory
    case output
    /// Ran out of real time.
    case time
    /// The runtime failed: a compilation that ran away, a worker that died.
    case engine
    /// The executor vanished.
    case lost
    /// The node lacked what it had promised.
    case nodeResources = "node_resources"

    /// Whether the node and not the job is to blame, so that another node may try.
    public var isNodeFault: Bool {
        switch self {
        case .engine, .lost, .nodeResources: true
        case .ok, .exit, .trap, .fuel, .memory, .output, .time: false
        }
    }
}

/// How a run ended, with what is needed to compare two runs.
public struct RunOutcome: Hashable, Sendable {
    public let outcomeClass: OutcomeClass
    /// The exit status, for `ok` after an explicit exit and for `exit`.
    public let exitCode: Int32?
    /// The trap's name, such as `unreachable` or `stack_overflow`; for `engine`, what went wrong.
    public let trap: String?

    public init(_ outcomeClass: OutcomeClass, exitCode: Int32? = nil, trap: String? = nil) {
        self.outcomeClass = outcomeClass
        self.exitCode = exitCode
        self.trap = trap
    }

    /// Whether the same run elsewhere must end the same way.
    ///
    /// Time limits and stack overflows depend on the machine, and node faults on the node.
    public var isReplayable: Bool {
        switch outcomeClass {
        case .ok, .exit, .fuel, .output, .memory: true
        case .trap: trap != "stack_overflow"
        case .time, .engine, .lost, .nodeResources: false
        }
    }
}

/// What a run consumed.
public struct Metering: Hashable, Sendable {
    /// Exact after a normal return or an exit; the whole limit after a trap or a limit, because the
    /// engine's count is not exact then.
    public var fuel: UInt64
    /// The largest size of linear memory, in bytes.
    public var memoryPeakBytes: UInt64
    public var hostCalls: UInt64
    /// Bytes read from inputs and written to outputs.
    public var ioBytes: UInt64
    public var wallMilliseconds: UInt64

    public init(
        fuel: UInt64 = 0, memoryPeakBytes: UInt64 = 0, hostCalls: UInt64 = 0, ioBytes: UInt64 = 0,
        wallMilliseconds: UInt64 = 0
    ) {
        self.fuel = fuel
        self.memoryPeakBytes = memoryPeakBytes
        self.hostCalls = hostCalls
        self.ioBytes = ioBytes
        self.wallMilliseconds = wallMilliseconds
    }
}

/// Which engine ran a job, and under which settings.
public struct EngineDescription: Hashable, Sendable {
    /// `wasmtime`.
    public let name: String
    /// `48.0.0`.
    public let version: String
    /// The CID of the DAG-CBOR map of all engine settings.
    public let profile: CID

    /// The languages of the jobs that it runs; a contract (`ccl`) is a module that asks its host for things, a
    /// `dataflow` a graph whose computes may be modules.
    public var languages: [String] { ["wasm", "ccl", "dataflow"] }

    public init(name: String, version: String, profile: CID) {
        self.name = name
        self.version = version
        self.profile = profile
    }
}

/// Everything that decides a run: the same request gives the same result on every node.
public struct RunRequest: Sendable {
    /// What runs it: `wasm`, `ccl` or `dataflow`.
    public var language: String
    /// The CID of the module's bytes, or of the graph's file.
    public var code: CID
    /// The exported function to call; `nil` tries `_start`, then `run`, then `main`.
    public var entry: String?
    /// `argv`, without the program's name.
    public var arguments: [String]
    public var environment: [String: String]
    public var stdin: [UInt8]
    /// What the manifest calls ``stdin``, where it is not the CID of the bytes as one block.
    public var stdinCID: CID?
    /// Read-only files, seen by the program as `/in/<name>`.
    public var files: [InputFile]
    public var limits: RunLimits
    /// What the program's clocks start from.
    public var clockStart: Timestamp
    /// What the program's random numbers follow from.
    public var randomSeed: Bytes32
    /// What it may ask of the mesh; `nil` answers no to whatever it asks.
    public var grant: RunGrant?

    public struct InputFile: Hashable, Sendable {
        public let name: String
        public let bytes: [UInt8]
        /// What the manifest calls the bytes, where it is not the CID of them as one block.
        public let cid: CID?

        public init(name: String, bytes: [UInt8], cid: CID? = nil) {
            self.name = name
            self.bytes = bytes
            self.cid = cid
        }
    }

    public init(
        language: String = "wasm", code: CID, entry: String? = nil, arguments: [String] = [],
        environment: [String: String] = [:],
        stdin: [UInt8] = [], files: [InputFile] = [], limits: RunLimits,
        clockStart: Timestamp, randomSeed: Bytes32, grant: RunGrant? = nil
    ) {
        self.language = language
        self.code = code
        self.entry = entry
        self.arguments = arguments
        self.environment = environment
        self.stdin = stdin
        self.files = files
        self.limits = limits
        self.clockStart = clockStart
        self.randomSeed = randomSeed
        self.grant = grant
    }
}

/// What came of a run.
public struct RunResult: Hashable, Sendable {
    /// An output beside stdout.
    public struct OutputFile: Hashable, Sendable {
        public let name: String
        public let bytes: [UInt8]

        public init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    public var outcome: RunOutcome
    public var metering: Metering
    public var stdout: [UInt8]
    public var stderr: [UInt8]
    /// What it did through its host.
    public var effects: [RunEffect]
    /// Further outputs, each under a name of its own that is neither `stdout` nor `effects`.
    public var files: [OutputFile]

    public init(
        outcome: RunOutcome, metering: Metering, stdout: [UInt8] = [], stderr: [UInt8] = [],
        effects: [RunEffect] = [], files: [OutputFile] = []
    ) {
        self.outcome = outcome
        self.metering = metering
        self.stdout = stdout
        self.stderr = stderr
        self.effects = effects
        self.files = files
    }

    /// The jobs that the run asks for: those of a run that ended well, else none.
    public var submissions: [RunSubmission] {
        guard outcome.outcomeClass == .ok else { return [] }
        return effects.compactMap { if case .submitted(let submission) = $0 { submission } else { nil } }
    }
}

/// Why a module cannot be run here, found before anything is published.
public struct ModuleRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: String, Hashable, Sendable, CaseIterable {
        case notWasm = "module.not-wasm"
        case component = "module.component"
        case invalid = "module.invalid"
        case unknownImport = "module.unknown-import"
        case noEntryPoint = "module.no-entry-point"
        case tooLarge = "module.too-large"
        /// It asks for more memory at the start than the limit allows, or than a node may give.
        case memory = "module.memory"
        case compilation = "module.compilation"
    }

    public let reason: Reason
    /// What is wrong, for people.
    public let message: String
    /// The byte of the module at which it was found.
    public let offset: Int

    public init(_ reason: Reason, _ message: String, offset: Int) {
        self.reason = reason
        self.message = message
        self.offset = offset
    }

    public var description: String { "\(message) (at byte \(offset))" }
}
