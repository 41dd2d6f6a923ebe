internal import Glibc

/// How a pool of workers is set up.
public struct WasmRuntimeConfiguration: Sendable {
    /// Where libwasmtime is; `nil` looks for it as ``WasmtimeLibrary`` says.
    public var libraryPath: String?
    /// Worker processes; one per core unless told otherwise.
    public var workers: Int
    /// The program whose worker mode is started; `nil` is the running program itself.
    public var workerExecutable: String?
    /// The arguments that put that program into worker mode.
    public var workerArguments: [String]
    /// The largest module, in bytes.
    public var moduleBytesMax: Int
    /// How long one compilation may take, in milliseconds, before its worker is killed.
    public var compileMillisecondsMax: Int
    /// The largest linear memory that any job may have, in bytes; part of the profile.
    ///
    /// A job whose own limit is higher gets this one.
    public var memoryBytesMax: UInt64

    public init(
        libraryPath: String? = nil, workers: Int? = nil, workerExecutable: String? = nil,
        workerArguments: [String] = ["wasm-worker"], moduleBytesMax: Int = 16 << 20,
        compileMillisecondsMax: Int = 10_000, memoryBytesMax: UInt64 = 256 << 20
    ) {
        self.libraryPath = libraryPath
        self.workers = workers ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        self.workerExecutable = workerExecutable
        self.workerArguments = workerArguments
        self.moduleBytesMax = moduleBytesMax
        self.compileMillisecondsMax = compileMillisecondsMax
        self.memoryBytesMax = memoryBytesMax
    }
}
