internal import CWasmtime
internal import MeshCore
internal import MeshRuntime

/// Puts work into frames for a worker, and takes its answers out of them.
enum JobEncoding {
    /// The bytes of `request` that its frame carries, without the header; `nil` when they pass the bound.
    static func inputBytes(_ request: RunRequest) -> Int? {
        var total = request.stdin.count + (request.entry?.utf8.count ?? 0) + 16
        for argument in request.arguments { total += argument.utf8.count + 1 }
        for (key, value) in request.environment { total += key.utf8.count + value.utf8.count + 2 }
        if let grant = request.grant { total += grant.resource.utf8.count }
        for file in request.files { total += file.name.utf8.count + file.bytes.count + 8 }
        return total < FrameLayout.bytesMax ? total : nil
    }

    static func module(_ image: ModuleImage, slot: Int, _ sequence: UInt64, into buffer: ByteBuffer) {
        let header = mesh_module_frame(
            frame: FrameLayout.frame(MESH_FRAME_MODULE, sequence, mesh_module_frame.self, image.code.count),
            slot: UInt32(slot), code_bytes: UInt32(image.code.count))
        buffer.append(value: header)
        buffer.append(image.code)
        buffer.pad(MemoryLayout<mesh_module_frame>.size + image.code.count)
    }

    static func check(_ check: ModuleCheck, slot: Int, _ sequence: UInt64, into buffer: ByteBuffer) {
        let entry = Array((check.entry ?? "").utf8.prefix(4096))
        let header = mesh_check_frame(
            frame: FrameLayout.frame(MESH_FRAME_CHECK, sequence, mesh_check_frame.self, entry.count),
            memory_bytes: check.memoryBytes, slot: UInt32(slot), has_entry: check.entry == nil ? 0 : 1,
            entry_bytes: UInt32(entry.count), padding: 0)
        buffer.append(value: header)
        buffer.append(entry)
        buffer.pad(MemoryLayout<mesh_check_frame>.size + entry.count)
    }

    static func job(_ request: RunRequest, slot: Int, _ sequence: UInt64, into buffer: ByteBuffer) {
        var body: [UInt8] = []
        var header = mesh_job_frame()
        header.slot = UInt32(slot)
        header.fuel = request.limits.fuel
        header.memory_bytes = request.limits.memoryBytes
        // Outputs travel in one frame.
        header.output_bytes = min(request.limits.outputBytes, UInt64(FrameLayout.bytesMax))
        header.wall_milliseconds = request.limits.wallMilliseconds
        header.clock_start_milliseconds = request.clockStart.milliseconds
        header.seed = unsafe withUnsafeBytes(of: request.randomSeed) {
            unsafe $0.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64).self)
        }
        // No program can name a resource that is longer than that, so nothing is lost with its name.
        var resource = ""
        if let grant = request.grant {
            header.has_grant = 1
            header.grant_amount = grant.amount
            header.submission_count_max = grant.submissionCountMax
            if grant.resource.utf8.count <= RunEffectLimits.resourceByteCountMax { resource = grant.resource }
            header.resource_bytes = UInt32(resource.utf8.count)
        }
        if request.entry == nil, request.arguments.isEmpty, request.environment.isEmpty, request.files.isEmpty
        {
            // The common small job, without anything on the side.
            header.argument_count = 1
            header.argument_bytes = 4
            header.stdin_bytes = UInt32(request.stdin.count)
            let count = 4 + request.stdin.count + Int(header.resource_bytes)
            header.frame = FrameLayout.frame(MESH_FRAME_JOB, sequence, mesh_job_frame.self, count)
            buffer.append(value: header)
            buffer.append(value: 0x00_62_6f_6a as UInt32)
            buffer.append(request.stdin)
            if header.resource_bytes > 0 {
                resource.withUTF8 { unsafe buffer.append(UnsafeRawBufferPointer($0)) }
            }
            buffer.pad(MemoryLayout<mesh_job_frame>.size + count)
            return
        }
        if let entry = request.entry {
            header.has_entry = 1
            body += entry.utf8
            header.entry_bytes = UInt32(body.count)
        }
        var mark = body.count
        // A program's arguments start with its own name.
        body += "job\0".utf8
        for argument in request.arguments { append(argument, to: &body) }
        header.argument_count = UInt32(request.arguments.count + 1)
        header.argument_bytes = UInt32(body.count - mark)
        if !request.environment.isEmpty {
            mark = body.count
            for key in request.environment.keys.sorted() {
                append(key + "=" + (request.environment[key] ?? ""), to: &body)
            }
            header.environment_count = UInt32(request.environment.count)
            header.environment_bytes = UInt32(body.count - mark)
        }
        if !request.files.isEmpty {
            mark = body.count
            for file in request.files {
                for count in [file.name.utf8.count, file.bytes.count] {
                    for shift in stride(from: 0, to: 32, by: 8) {
                        body.append(UInt8(truncatingIfNeeded: count >> shift))
                    }
                }
                body += file.name.utf8
                body += file.bytes
            }
            header.file_count = UInt32(request.files.count)
            header.file_bytes = UInt32(body.count - mark)
        }
        header.stdin_bytes = UInt32(request.stdin.count)
        let count = body.count + request.stdin.count + resource.utf8.count
        header.frame = FrameLayout.frame(MESH_FRAME_JOB, sequence, mesh_job_frame.self, count)
        buffer.append(value: header)
        buffer.append(body)
        buffer.append(request.stdin)
        resource.withUTF8 { unsafe buffer.append(UnsafeRawBufferPointer($0)) }
        buffer.pad(MemoryLayout<mesh_job_frame>.size + count)
    }

    /// Strings end with a zero byte for the program, so one within is left out.
    private static func append(_ string: String, to body: inout [UInt8]) {
        for byte in string.utf8 where byte != 0 { body.append(byte) }
        body.append(0)
    }

    // MARK: Answers

    /// What a worker says about one piece of work.
    enum Answer {
        /// With the time that it took, in microseconds.
        case result(RunResult, UInt64)
        case verdict(ModuleRefusal?)
    }

    /// Reads the complete frame at the front of `buffer`.
    ///
    /// - Returns: `nil` when it is not an answer or does not hold what it announces; the worker is then
    ///   not to be trusted any longer.
    static func answer(_ frame: mesh_frame, in buffer: ByteBuffer) -> Answer? {
        switch Int(frame.kind) {
        case MESH_FRAME_RESULT:
            guard let header = buffer.front(as: mesh_result_frame.self) else { return nil }
            return result(header, in: buffer, length: Int(frame.length))
        case MESH_FRAME_VERDICT:
            guard let header = buffer.front(as: mesh_verdict_frame.self),
                MemoryLayout<mesh_verdict_frame>.size + Int(header.message_bytes) <= Int(frame.length),
                Int(header.reason) < ModuleRefusal.Reason.allCases.count
            else { return nil }
            guard header.refused != 0 else { return .verdict(nil) }
            let start = MemoryLayout<mesh_verdict_frame>.size
            let bytes = unsafe buffer.bytes[start..<start + Int(header.message_bytes)]
            return .verdict(
                ModuleRefusal(
                    ModuleRefusal.Reason.allCases[Int(header.reason)],
                    unsafe String(decoding: bytes, as: UTF8.self), offset: Int(clamping: header.offset)))
        default: return nil
        }
    }

    private static func result(
        _ header: mesh_result_frame, in buffer: ByteBuffer, length: Int
    ) -> Answer? {
        let start = MemoryLayout<mesh_result_frame>.size
        let errors = start + Int(header.stdout_bytes)
        let message = errors + Int(header.stderr_bytes)
        let effects = message + Int(header.message_bytes)
        let end = effects + Int(header.effects_bytes)
        guard end <= length else { return nil }
        let metering = Metering(
            fuel: header.fuel, memoryPeakBytes: header.memory_peak_bytes, hostCalls: header.host_calls,
            ioBytes: header.io_bytes, wallMilliseconds: header.wall_microseconds / 1000)
        let exitCode = header.has_exit_code != 0 ? header.exit_code : nil
        if end == start {
            let outcome = RunOutcome(OutcomeClass(number: header.outcome), exitCode: exitCode)
            return .result(RunResult(outcome: outcome, metering: metering), header.wall_microseconds)
        }
        let bytes = unsafe buffer.bytes
        let trap = unsafe message < effects ? String(decoding: bytes[message..<effects], as: UTF8.self) : nil
        var found: [RunEffect] = []
        if effects < end {
            guard end - effects <= EffectEncoding.byteCountMax,
                let decoded = EffectEncoding.decode(unsafe Array(bytes[effects..<end]))
            else { return nil }
            found = decoded
        }
        return .result(
            RunResult(
                outcome: RunOutcome(OutcomeClass(number: header.outcome), exitCode: exitCode, trap: trap),
                metering: metering, stdout: unsafe Array(bytes[start..<errors]),
                stderr: unsafe Array(bytes[errors..<message]), effects: found), header.wall_microseconds)
    }
}
