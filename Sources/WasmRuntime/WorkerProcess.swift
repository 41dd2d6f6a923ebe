internal import CWasmtime
internal import Glibc
internal import MeshCore

/// One worker process as its parent holds it: the process, its socket and the shared page.
///
/// `@unchecked Sendable`: the descriptor and the page are set once; ``end()`` is called once, by the
/// thread that owns the worker, after it has made sure that nobody sends any longer.
@safe
final class WorkerProcess: @unchecked Sendable {
    private var process: mesh_worker_process
    let socket: Int32
    let identifier: Int32
    let page: SharedPage

    /// Starts a worker; ``awaitHello(milliseconds:)`` says whether it is ready.
    init(executable: String, arguments: [String]) throws(WasmRuntimeError) {
        var process = unsafe mesh_worker_process()
        var strings: [UnsafeMutablePointer<CChar>?] = unsafe ([executable] + arguments).map {
            unsafe strdup($0)
        }
        unsafe strings.append(nil)
        let failed = unsafe mesh_worker_spawn(executable, strings, &process)
        unsafe strings.forEach { unsafe free($0) }
        guard failed == 0, let page = unsafe process.page else {
            throw WasmRuntimeError(
                .workerFailed, "a worker could not be started from \(executable): error \(failed)")
        }
        unsafe self.process = process
        socket = unsafe process.socket
        identifier = unsafe process.pid
        self.page = unsafe SharedPage(unsafe page)
    }

    /// Waits for the worker's first word.
    func awaitHello(milliseconds: Int) throws(WasmRuntimeError) {
        let buffer = ByteBuffer(capacity: 4096)
        let deadline = mesh_monotonic_nanoseconds() + UInt64(milliseconds) * 1_000_000
        while true {
            if let frame = FrameLayout.completeFrame(in: buffer) {
                guard Int(frame.kind) == MESH_FRAME_HELLO, let hello = buffer.front(as: mesh_hello_frame.self)
                else {
                    throw WasmRuntimeError(
                        .workerFailed, "a worker speaks another protocol than this program")
                }
                if hello.ready != 0 { return }
                let text = unsafe buffer.bytes.dropFirst(MemoryLayout<mesh_hello_frame>.size)
                    .prefix(Int(hello.message_bytes))
                throw WasmRuntimeError(
                    .libraryUnusable, unsafe String(decoding: text, as: UTF8.self), hint: "run make setup")
            }
            let now = mesh_monotonic_nanoseconds()
            guard now < deadline else {
                throw WasmRuntimeError(.workerFailed, "a worker did not answer within \(milliseconds) ms")
            }
            _ = mesh_wait(socket, Int32(MESH_READABLE), -1, Int32((deadline - now) / 1_000_000) + 1)
            let space = unsafe buffer.reserve(1024)
            guard let base = space.baseAddress else { continue }
            let count = unsafe mesh_socket_receive(socket, base, space.count)
            guard count >= 0 else {
                throw WasmRuntimeError(
                    .workerFailed, "a worker ended before it was ready",
                    hint: "its program must call WasmWorker.runIfRequested() first thing")
            }
            buffer.commit(count)
        }
    }

    /// Kills and reaps the process and gives back what belongs to it.
    func end() {
        mesh_worker_kill(identifier)
        unsafe mesh_worker_release(&process)
    }
}
