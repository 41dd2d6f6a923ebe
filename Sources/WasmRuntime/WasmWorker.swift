internal import CWasmtime
internal import Glibc
internal import IPLD
internal import MeshCore
internal import MeshRuntime
internal import Synchronization

/// The worker mode of our programs: a process that runs jobs for the one that started it.
///
/// A worker has no keys, no store and no peers: one socket to its parent, one shared page and the engine.
/// It leaves when its parent does.
public enum WasmWorker {
    /// Serves as a worker and never returns, if the program was started as one; else returns at once.
    ///
    /// Called first thing by every program whose executable a ``WasmWorkerPool`` may start.
    public static func runIfRequested() {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, arguments[1] == "wasm-worker", let memoryBytesMax = UInt64(arguments[3])
        else { return }
        serve(libraryPath: arguments[2], memoryBytesMax: memoryBytesMax)
    }

    private static func serve(libraryPath: String, memoryBytesMax: UInt64) -> Never {
        mesh_worker_prepare()
        guard let page = unsafe mesh_worker_page_attach(MESH_WORKER_PAGE.descriptor) else { exit(1) }
        let output = WorkerOutput(socket: MESH_WORKER_SOCKET.descriptor)
        let engine: WasmEngine
        do throws(WasmRuntimeError) {
            let library = try WasmtimeLibrary(path: libraryPath)
            guard let built = WasmEngine(library, EngineProfile(memoryBytesMax: memoryBytesMax)) else {
                throw WasmRuntimeError(.libraryUnusable, "libwasmtime refused a host function")
            }
            let version = built.libraryVersion() ?? "of an unknown version"
            guard EngineProfile.version.hasPrefix(version + ".") else {
                throw WasmRuntimeError(
                    .libraryUnusable,
                    "\(libraryPath) is libwasmtime \(version); \(EngineProfile.version) is needed")
            }
            engine = built
        } catch {
            output.hello(failure: error.message)
            exit(1)
        }
        output.hello(failure: nil)
        let ticker = unsafe Ticker(
            output: output, page: SharedPage(unsafe page), advance: engine.advanceEpoch)
        let loop = unsafe WorkerLoop(
            engine: engine, output: output, page: SharedPage(unsafe page), ticker: ticker)
        let box = unsafe Unmanaged.passRetained(loop)
        // Programs run on this thread's stack: the engine's limit and our own frames fit with room to spare.
        let failed = unsafe mesh_thread_start(
            4 << 20,
            { argument in
                guard let argument = unsafe argument else { return }
                unsafe Unmanaged<WorkerLoop>.fromOpaque(argument).takeUnretainedValue().run()
            }, box.toOpaque())
        guard failed == 0 else { exit(1) }
        ticker.run()
    }
}

extension Int {
    /// A descriptor's number, as C takes it.
    fileprivate var descriptor: Int32 { Int32(self) }
}

/// The page in which a worker says what it is at.
///
/// `@unchecked Sendable`: its fields are atomic, and it stays mapped for the life of its owner.
@safe
struct SharedPage: @unchecked Sendable {
    private let page: UnsafeMutablePointer<mesh_worker_page>

    init(_ page: UnsafeMutablePointer<mesh_worker_page>) {
        unsafe self.page = page
    }

    func begin(_ phase: Int, _ sequence: UInt64, deadline: UInt64) {
        unsafe mesh_worker_page_begin(page, UInt32(phase), sequence, deadline)
    }

    func end() { unsafe mesh_worker_page_end(page) }

    var phase: Int { Int(unsafe mesh_worker_page_phase(page)) }
    var isRunning: Bool { phase == MESH_WORKER_RUNNING }
    var sequence: UInt64 { unsafe mesh_worker_page_sequence(page) }
    var deadline: UInt64 { unsafe mesh_worker_page_deadline(page) }
}

/// Moves the epoch on, sends results that would otherwise wait, and ends an orphaned worker.
final class Ticker: Sendable {
    private let output: WorkerOutput
    private let page: SharedPage
    private let advance: @Sendable () -> Void
    private let isAsleep = Atomic(false)
    private let activity = Atomic<UInt64>(0)
    private let wake = mesh_wake_new()

    init(output: WorkerOutput, page: SharedPage, advance: @escaping @Sendable () -> Void) {
        self.output = output
        self.page = page
        self.advance = advance
    }

    /// Says that there is work; wakes the ticker if it rests.
    func noteActivity() {
        activity.wrappingAdd(1, ordering: .sequentiallyConsistent)
        if isAsleep.load(ordering: .sequentiallyConsistent) { mesh_wake_signal(wake) }
    }

    func run() -> Never {
        var idle = 0
        var seen: UInt64 = 0
        while true {
            mesh_sleep_milliseconds(UInt32(WasmEngine.tickMilliseconds))
            advance()
            output.flushIfFree()
            if mesh_wait(output.socket, Int32(MESH_HUNG_UP), -1, 0) & Int32(MESH_HUNG_UP) != 0 { exit(0) }
            let now = activity.load(ordering: .sequentiallyConsistent)
            idle = page.phase == MESH_WORKER_IDLE && now == seen ? idle + 1 : 0
            seen = now
            guard idle > 50 else { continue }
            isAsleep.store(true, ordering: .sequentiallyConsistent)
            if activity.load(ordering: .sequentiallyConsistent) == seen {
                let event = mesh_wait(output.socket, Int32(MESH_HUNG_UP), wake, -1)
                if event & Int32(MESH_HUNG_UP) != 0 { exit(0) }
            }
            isAsleep.store(false, ordering: .sequentiallyConsistent)
            idle = 0
        }
    }
}

/// The frames that a worker sends, gathered so that many results leave with one call.
final class WorkerOutput: Sendable {
    let socket: Int32
    private let buffer: Mutex<ByteBuffer>

    init(socket: Int32) {
        self.socket = socket
        buffer = Mutex(ByteBuffer(capacity: 128 << 10))
    }

    /// Sends at once whether the worker is ready.
    func hello(failure: String?) {
        let text = Array((failure ?? "").utf8.prefix(500))
        append(flushing: true) { buffer in
            let header = mesh_hello_frame(
                frame: FrameLayout.frame(MESH_FRAME_HELLO, 0, mesh_hello_frame.self, text.count),
                ready: failure == nil ? 1 : 0, message_bytes: UInt32(text.count))
            buffer.append(value: header)
            buffer.append(text)
            buffer.pad(MemoryLayout<mesh_hello_frame>.size + text.count)
        }
    }

    /// Appends frames through `body`; sends when asked to or when much is waiting.
    func append(flushing: Bool, _ body: (ByteBuffer) -> Void) {
        buffer.withLock { buffer in
            body(buffer)
            if flushing || buffer.count >= 16 << 10 { send(buffer) }
        }
    }

    func flush() {
        buffer.withLock { send($0) }
    }

    /// Sends what waits, unless a frame is being appended at this moment.
    func flushIfFree() {
        _ = buffer.withLockIfAvailable { send($0) }
    }

    private func send(_ buffer: ByteBuffer) {
        guard !buffer.isEmpty else { return }
        let bytes = unsafe buffer.bytes
        guard let base = bytes.baseAddress,
            unsafe mesh_socket_send_all(socket, base, bytes.count) == 0
        else { exit(0) }
        buffer.removeAll()
        buffer.shrink(to: 4 << 20)
    }
}
