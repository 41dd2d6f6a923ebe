public import MeshCore

/// Why the runtime cannot be started.
public enum WasmRuntimeFailure: String, Sendable, CaseIterable {
    /// libwasmtime is nowhere to be found.
    case libraryMissing = "wasm.library-missing"
    /// libwasmtime was found and is not the one that is needed.
    case libraryUnusable = "wasm.library-unusable"
    /// A worker process could not be started or did not answer.
    case workerFailed = "wasm.worker-failed"
    /// A setting is out of its range.
    case configuration = "wasm.configuration"
}

/// Thrown where the runtime is started; what happens to a job is a ``MeshRuntime/RunOutcome``.
public typealias WasmRuntimeError = CodedError<WasmRuntimeFailure>
