internal import JobRuntime
internal import MeshCore
internal import MeshFederation
internal import MeshMarket
internal import MeshRuntime
internal import WasmRuntime

/// One worker of this program's own, for runs outside the mesh.
struct LocalRuntime {
    let jobs: JobRuntime
    var pool: WasmWorkerPool { jobs.pool }

    /// Starts the worker.
    init() throws {
        do throws(WasmRuntimeError) {
            jobs = JobRuntime(pool: try WasmWorkerPool(WasmRuntimeConfiguration(workers: 1)))
        } catch {
            throw CommandFailure(code: error.code.rawValue, error.message, hint: error.hint)
        }
    }

    /// Repeats a job of any language.
    var replay: ReceiptReplay {
        { [jobs] _, request, code in (jobs.run(request, code: code), jobs.engine) }
    }
}
