internal import CWasmtime
internal import Glibc
internal import MeshRuntime

/// The loop of a worker: one frame after the other, until the parent closes the socket.
///
/// Results are gathered while more frames are at hand and the last jobs were short; they leave at once
/// when the worker would otherwise wait, and with the next tick at the latest.
final class WorkerLoop {
    private enum Slot {
        case ready(WasmEngine.Module)
        case refused(ModuleRefusal)
    }

    private let engine: WasmEngine
    private let output: WorkerOutput
    private let page: SharedPage
    private let ticker: Ticker
    private let input = ByteBuffer(capacity: 256 << 10)
    private var slots: [Slot?] = []
    /// When the frame at hand was begun, in nanoseconds.
    private var now: UInt64 = 0
    private var flushed: UInt64 = 0

    /// A kill is due this long after a job should have been stopped by its own limits.
    private static let graceNanoseconds: UInt64 = 2_000_000_000

    init(engine: WasmEngine, output: WorkerOutput, page: SharedPage, ticker: Ticker) {
        self.engine = engine
        self.output = output
        self.page = page
        self.ticker = ticker
    }

    func run() {
        while true {
            now = mesh_monotonic_nanoseconds()
            flushed = now
            while let frame = FrameLayout.completeFrame(in: input) {
                serve(frame)
                input.consume(Int(frame.length))
            }
            output.flush()
            page.end()
            input.shrink(to: 4 << 20)
            receive()
            ticker.noteActivity()
        }
    }

    private func receive() {
        let waiting = input.front(as: mesh_frame.self).map { Int($0.length) - input.count } ?? 0
        let space = unsafe input.reserve(max(waiting, 64 << 10))
        guard let base = space.baseAddress else { exit(1) }
        let count = unsafe mesh_socket_receive_some(output.socket, base, space.count)
        guard count > 0 else { exit(0) }
        input.commit(count)
    }

    private func serve(_ frame: mesh_frame) {
        switch Int(frame.kind) {
        case MESH_FRAME_MODULE: load()
        case MESH_FRAME_JOB: runJob()
        case MESH_FRAME_CHECK: check()
        default: exit(1)
        }
    }

    private func body<Header>(behind header: Header.Type) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: input.bytes[MemoryLayout<Header>.size...])
    }

    private func load() {
        guard let header = input.front(as: mesh_module_frame.self) else { exit(1) }
        output.flush()
        page.begin(MESH_WORKER_COMPILING, header.frame.sequence, deadline: mesh_monotonic_nanoseconds())
        let code = unsafe Array(body(behind: mesh_module_frame.self).prefix(Int(header.code_bytes)))
        let slot = Int(header.slot)
        while slots.count <= slot { slots.append(nil) }
        slots[slot] = nil
        do throws(ModuleRefusal) {
            slots[slot] = .ready(try engine.compile(code))
        } catch {
            slots[slot] = .refused(error)
        }
        now = mesh_monotonic_nanoseconds()
    }

    private func runJob() {
        guard let job = input.front(as: mesh_job_frame.self) else { exit(1) }
        // What came before must not wait behind a job that may be long.
        if now - flushed > 200_000 {
            output.flush()
            flushed = now
        }
        let allowed = min(job.wall_milliseconds, 1 << 40) * 1_000_000 + Self.graceNanoseconds
        page.begin(MESH_WORKER_RUNNING, job.frame.sequence, deadline: now + allowed)
        let rest = unsafe body(behind: mesh_job_frame.self)
        var entry: String?
        if job.has_entry != 0 {
            entry = unsafe String(decoding: rest.prefix(Int(job.entry_bytes)), as: UTF8.self)
        }
        let context = engine.context
        unsafe context.reset(job, body: UnsafeRawBufferPointer(rebasing: rest[Int(job.entry_bytes)...]))
        let ending: WasmEngine.Ending
        switch slots[Int(job.slot)] {
        case .ready(let module): ending = engine.run(module, job, entry: entry)
        case .refused(let refusal):
            let outcome: OutcomeClass = refusal.reason == .memory ? .memory : .trap
            ending = .init(
                outcome: outcome, trap: refusal.reason.rawValue, fuel: job.fuel, memoryPeakBytes: 0)
        case nil: exit(1)
        }
        let finished = mesh_monotonic_nanoseconds()
        answer(job.frame.sequence, ending, wallMicroseconds: (finished - now) / 1000)
        now = finished
    }

    private func answer(_ sequence: UInt64, _ ending: WasmEngine.Ending, wallMicroseconds: UInt64) {
        let context = engine.context
        let trap = ending.trap.map { Array($0.utf8.prefix(400)) } ?? []
        // Most programs have no host to speak of.
        let effects = context.host == nil ? [] : EffectEncoding.encode(context.host?.effects ?? [])
        let body = context.output.count + context.errors.count + trap.count + effects.count
        let header = mesh_result_frame(
            frame: FrameLayout.frame(MESH_FRAME_RESULT, sequence, mesh_result_frame.self, body),
            fuel: ending.fuel, memory_peak_bytes: ending.memoryPeakBytes, host_calls: context.hostCalls,
            io_bytes: context.ioBytes, wall_microseconds: wallMicroseconds, outcome: ending.outcome.number,
            has_exit_code: ending.exitCode == nil ? 0 : 1, exit_code: ending.exitCode ?? 0,
            stdout_bytes: UInt32(context.output.count), stderr_bytes: UInt32(context.errors.count),
            message_bytes: UInt32(trap.count), effects_bytes: UInt32(effects.count), padding: 0)
        output.append(flushing: false) { buffer in
            buffer.append(value: header)
            unsafe buffer.append(context.output.bytes)
            unsafe buffer.append(context.errors.bytes)
            buffer.append(trap)
            if !effects.isEmpty { buffer.append(effects) }
            buffer.pad(MemoryLayout<mesh_result_frame>.size + body)
        }
    }

    private func check() {
        guard let header = input.front(as: mesh_check_frame.self) else { exit(1) }
        let refusal = verdict(header)
        let text = refusal.map { Array($0.message.utf8.prefix(400)) } ?? []
        let reason = refusal.flatMap { ModuleRefusal.Reason.allCases.firstIndex(of: $0.reason) } ?? 0
        let verdict = mesh_verdict_frame(
            frame: FrameLayout.frame(
                MESH_FRAME_VERDICT, header.frame.sequence, mesh_verdict_frame.self, text.count),
            offset: UInt64(refusal?.offset ?? 0), refused: refusal == nil ? 0 : 1, reason: UInt32(reason),
            message_bytes: UInt32(text.count), padding: 0)
        output.append(flushing: true) { buffer in
            buffer.append(value: verdict)
            buffer.append(text)
            buffer.pad(MemoryLayout<mesh_verdict_frame>.size + text.count)
        }
    }

    private func verdict(_ header: mesh_check_frame) -> ModuleRefusal? {
        switch slots[Int(header.slot)] {
        case .refused(let refusal): return refusal
        case nil: exit(1)
        case .ready(let module):
            var entry: String?
            if header.has_entry != 0 {
                let bytes = unsafe body(behind: mesh_check_frame.self).prefix(Int(header.entry_bytes))
                entry = unsafe String(decoding: bytes, as: UTF8.self)
            }
            do throws(ModuleRefusal) {
                try WasmModuleInspector.requireEntry(entry, module.facts)
                let needed = module.facts.memoryMinimumPages << 16
                if needed > header.memory_bytes {
                    throw ModuleRefusal(
                        .memory,
                        "the module starts with \(needed) bytes of memory; the job allows \(header.memory_bytes)",
                        offset: module.facts.memoryOffset)
                }
                return nil
            } catch {
                return error
            }
        }
    }
}
