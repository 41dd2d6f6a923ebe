internal import MeshCore
internal import MeshFederation
internal import MeshMarket
internal import MeshRuntime
internal import WasmRuntime

/// One worker of this program's own, for runs outside the mesh.
struct LocalRuntime {
    let pool: WasmWorkerPool

    /// Starts the worker.
    init() throws {
        do throws(WasmRuntimeError) {
            pool = try WasmWorkerPool(WasmRuntimeConfiguration(workers: 1))
        } catch {
            throw CommandFailure(code: error.code.rawValue, error.message, hint: error.hint)
        }
    }

    /// Repeats a job; a module that cannot be run here is not repeated.
    var replay: ReceiptReplay {
        { [pool] _, request, code in (pool.run(request, code: code), pool.engine) }
    }
}
