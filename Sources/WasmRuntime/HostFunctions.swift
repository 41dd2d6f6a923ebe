internal import CWasmtime
internal import MeshCore
internal import MeshRuntime

/// The functions of WASI preview 1 and of a contract's host, as a linker offers them to modules.
///
/// Every function is one unchecked host call with a context pointer of its own, so that a call costs no
/// allocation, no closure and no reference count.
enum HostFunctions {
    /// What a host call finds behind its context pointer.
    @safe
    struct Target<Function> {
        let context: Unmanaged<GuestContext>
        let function: Function
    }

    /// Defines every function; the targets and the context live as long as the process.
    static func define(in linker: OpaquePointer, for context: GuestContext) -> Bool {
        let retained = unsafe Unmanaged.passRetained(context)
        for function in WASIPreview1.allCases {
            let target = UnsafeMutablePointer<Target<WASIPreview1>>.allocate(capacity: 1)
            unsafe target.initialize(to: Target(context: retained, function: function))
            let isDefined = unsafe define(
                WASIPreview1.moduleName, function.rawValue, function.parameters, function.returnsErrorNumber,
                callWASI, target, in: linker, context.library)
            guard isDefined else { return false }
        }
        for function in HostFunction.allCases {
            let target = UnsafeMutablePointer<Target<HostFunction>>.allocate(capacity: 1)
            unsafe target.initialize(to: Target(context: retained, function: function))
            let isDefined = unsafe define(
                HostFunction.moduleName, function.rawValue, function.parameters, function.returnsAnswer,
                callHost, target, in: linker, context.library)
            guard isDefined else { return false }
        }
        return true
    }

    /// Defines one function, which calls `call` with `target`.
    private static func define(
        _ module: String, _ name: String, _ signature: String, _ hasResult: Bool, _ call: mesh_host_function,
        _ target: UnsafeMutableRawPointer, in linker: OpaquePointer, _ library: WasmtimeLibrary
    ) -> Bool {
        let api = unsafe library.functions.pointee
        var parameters = unsafe wasm_valtype_vec_t()
        let kinds: [OpaquePointer?] = unsafe signature.utf8.map { kind in
            unsafe api.wasm_valtype_new(
                kind == UInt8(ascii: "I") ? UInt8(MESH_VALTYPE_I64) : UInt8(MESH_VALTYPE_I32))
        }
        unsafe api.wasm_valtype_vec_new(&parameters, kinds.count, kinds)
        var results = unsafe wasm_valtype_vec_t()
        let result: [OpaquePointer?] =
            unsafe hasResult ? [api.wasm_valtype_new(UInt8(MESH_VALTYPE_I32))] : []
        unsafe api.wasm_valtype_vec_new(&results, result.count, result)
        let type = unsafe api.wasm_functype_new(&parameters, &results)
        let error = unsafe api.wasmtime_linker_define_func_unchecked(
            linker, module, module.utf8.count, name, name.utf8.count, type, call, target, nil)
        unsafe api.wasm_functype_delete(type)
        guard let error = unsafe error else { return true }
        unsafe api.wasmtime_error_delete(error)
        return false
    }

    private static let callWASI: mesh_host_function = { environment, caller, values, _ in
        guard let environment = unsafe environment, let values = unsafe values else { return nil }
        let target = unsafe environment.assumingMemoryBound(to: Target<WASIPreview1>.self)
        let function = unsafe target.pointee.function
        return unsafe target.pointee.context._withUnsafeGuaranteedRef { context in
            unsafe context.call(function, caller, WASIArguments(values))
        }
    }

    private static let callHost: mesh_host_function = { environment, caller, values, _ in
        guard let environment = unsafe environment, let values = unsafe values else { return nil }
        let target = unsafe environment.assumingMemoryBound(to: Target<HostFunction>.self)
        let function = unsafe target.pointee.function
        return unsafe target.pointee.context._withUnsafeGuaranteedRef { context in
            unsafe context.call(function, caller, WASIArguments(values))
        }
    }
}

/// The arguments of one host call; the result takes the place of the first.
@safe
struct WASIArguments {
    private let values: UnsafeMutablePointer<wasmtime_val_raw_t>

    init(_ values: UnsafeMutablePointer<wasmtime_val_raw_t>) {
        unsafe self.values = values
    }

    func word(_ index: Int) -> UInt32 { UInt32(bitPattern: unsafe values[index].i32) }
    func long(_ index: Int) -> UInt64 { UInt64(bitPattern: unsafe values[index].i64) }

    func answer(_ number: UInt32) {
        unsafe values[0].i32 = Int32(bitPattern: number)
    }
}

extension GuestContext {
    /// Traps out of the program; the reason is in the context.
    var leave: OpaquePointer {
        unsafe library.functions.pointee.wasmtime_trap_new_code(9)
    }

    /// The memory of the program that calls, as it is at this moment.
    func currentMemory(_ caller: OpaquePointer) -> GuestMemory {
        let api = unsafe library.functions
        let store = unsafe api.pointee.wasmtime_caller_context(caller)
        if memory == nil {
            // The module's start function calls before the instance is known.
            var item = unsafe wasmtime_extern_t()
            if unsafe api.pointee.wasmtime_caller_export_get(caller, "memory", 6, &item) {
                if unsafe Int(item.kind) == MESH_EXTERN_MEMORY { memory = unsafe item.of.memory }
            }
        }
        guard var memory else { return unsafe GuestMemory(base: nil, size: 0) }
        let base = unsafe api.pointee.wasmtime_memory_data(store, &memory)
        let size = unsafe api.pointee.wasmtime_memory_data_size(store, &memory)
        return unsafe GuestMemory(base: base, size: size)
    }

    /// One call of `function`; returns the trap that ends the program, or `nil`.
    func call(_ function: WASIPreview1, _ caller: OpaquePointer, _ arguments: WASIArguments) -> OpaquePointer?
    {
        hostCalls += 1
        if function == .proc_exit {
            exitCode = Int32(bitPattern: arguments.word(0))
            return unsafe leave
        }
        do throws(WASIError) {
            try perform(function, unsafe currentMemory(caller), arguments)
            arguments.answer(0)
        } catch {
            arguments.answer(error.rawValue)
        }
        return outputExceeded ? unsafe leave : nil
    }

    private func perform(
        _ function: WASIPreview1, _ memory: GuestMemory, _ arguments: WASIArguments
    ) throws(WASIError) {
        func word(_ index: Int) -> UInt32 { arguments.word(index) }
        switch function {
        case .args_sizes_get: unsafe try storeSizes(argumentCount, unsafe self.arguments, memory, arguments)
        case .args_get: unsafe try storeStrings(unsafe self.arguments, memory, arguments)
        case .environ_sizes_get:
            unsafe try storeSizes(environmentCount, unsafe environment, memory, arguments)
        case .environ_get: unsafe try storeStrings(unsafe environment, memory, arguments)
        case .clock_res_get:
            guard word(0) < 4 else { throw .invalid }
            try memory.store(Self.clockStep, at: word(1))
        case .clock_time_get:
            guard word(0) < 4 else { throw .invalid }
            try memory.store(word(0) == 0 ? readWallClock() : readClock(), at: word(2))
        case .random_get: unsafe try fillRandom(try unsafe memory.bytes(at: word(0), count: word(1)))
        case .poll_oneoff: try poll(memory, word(0), word(1), word(2), word(3))
        case .sched_yield: break
        case .fd_write: try write(memory, word(0), word(1), word(2), word(3))
        case .fd_read: try read(memory, word(0), word(1), word(2), at: nil, word(3))
        case .fd_pread: try read(memory, word(0), word(1), word(2), at: arguments.long(3), word(4))
        case .fd_seek: try seek(memory, word(0), Int64(bitPattern: arguments.long(1)), word(2), word(3))
        case .fd_tell: try tell(memory, word(0), word(1))
        case .fd_close: try close(word(0))
        case .fd_fdstat_get: try descriptorStatus(memory, word(0), word(1))
        case .fd_fdstat_set_flags, .fd_advise, .fd_datasync, .fd_sync: _ = try descriptor(word(0))
        case .fd_filestat_get: try fileStatus(memory, try descriptor(word(0)), word(1))
        case .fd_prestat_get: try preopenStatus(memory, word(0), word(1))
        case .fd_prestat_dir_name: try preopenName(memory, word(0), word(1), word(2))
        case .fd_readdir: try readDirectory(memory, word(0), word(1), word(2), arguments.long(3), word(4))
        case .path_open: try open(memory, arguments)
        case .path_filestat_get:
            let found = try resolve(memory, word(0), word(2), word(3))
            try fileStatus(memory, found, word(4))
        case .path_create_directory, .path_filestat_set_times, .path_link, .path_remove_directory,
            .path_rename, .path_symlink, .path_unlink_file, .fd_allocate, .fd_filestat_set_size,
            .fd_filestat_set_times, .fd_pwrite:
            throw .readOnly
        case .path_readlink: throw .invalid
        case .fd_fdstat_set_rights, .fd_renumber, .sock_accept, .sock_recv, .sock_send, .sock_shutdown:
            throw .notSupported
        case .proc_exit, .proc_raise: throw .notImplemented
        }
    }

    // MARK: Strings, clocks and chance

    private func storeSizes(
        _ count: UInt32, _ strings: UnsafeRawBufferPointer, _ memory: GuestMemory, _ arguments: WASIArguments
    ) throws(WASIError) {
        try memory.store(count, at: arguments.word(0))
        try memory.store(UInt32(strings.count), at: arguments.word(1))
    }

    private func storeStrings(
        _ strings: UnsafeRawBufferPointer, _ memory: GuestMemory, _ arguments: WASIArguments
    ) throws(WASIError) {
        let target = arguments.word(1)
        unsafe try memory.store(strings, at: target)
        var place = arguments.word(0)
        var isStart = true
        for index in strings.indices {
            if isStart {
                try memory.store(target + UInt32(index), at: place)
                // The pointer was stored below 2^32, so only the one behind the last can wrap; it is checked.
                place &+= 4
            }
            isStart = unsafe strings[index] == 0
        }
    }

    private func fillRandom(_ bytes: UnsafeMutableRawBufferPointer) throws(WASIError) {
        var offset = 0
        while offset < bytes.count {
            var word = nextRandom()
            for _ in 0..<min(8, bytes.count - offset) {
                unsafe bytes[offset] = UInt8(truncatingIfNeeded: word)
                word >>= 8
                offset += 1
            }
        }
    }

    /// Waits on the virtual clock only: with a descriptor among the subscriptions that one is ready at
    /// once, else the clock moves on to the earliest deadline.
    private func poll(
        _ memory: GuestMemory, _ subscriptions: UInt32, _ events: UInt32, _ count: UInt32, _ result: UInt32
    ) throws(WASIError) {
        guard (1...Self.vectorsMax).contains(count) else { throw .invalid }
        _ = try unsafe memory.bytes(at: subscriptions, count: count * 48)
        _ = try unsafe memory.bytes(at: events, count: count * 32)
        var deadlines: [UInt64?] = []
        for index in 0..<count {
            let place = subscriptions + index * 48
            guard try memory.load(UInt8.self, at: place + 8) == 0 else {
                deadlines.append(nil)
                continue
            }
            let clock = try memory.load(UInt32.self, at: place + 16)
            let timeout = try memory.load(UInt64.self, at: place + 24)
            let isAbsolute = try memory.load(UInt16.self, at: place + 40) & 1 == 1
            if isAbsolute {
                deadlines.append(clock == 0 ? elapsed(atWall: timeout) : timeout)
            } else {
                let (sum, overflow) = elapsed.addingReportingOverflow(timeout)
                deadlines.append(overflow ? .max : sum)
            }
        }
        let hasDescriptors = deadlines.contains { $0 == nil }
        let earliest = deadlines.compactMap { $0 }.min() ?? 0
        if !hasDescriptors, earliest > elapsed { advanceClock(by: earliest - elapsed) }
        var ready: UInt32 = 0
        for index in 0..<count {
            let place = subscriptions + index * 48
            let deadline = deadlines[Int(index)]
            if let deadline, deadline > elapsed { continue }
            let userData = try memory.load(UInt64.self, at: place)
            let tag = try memory.load(UInt8.self, at: place + 8)
            let event = events + ready * 32
            try memory.clear(at: event, count: 32)
            try memory.store(userData, at: event)
            try memory.store(tag, at: event + 10)
            ready += 1
        }
        try memory.store(ready, at: result)
    }
}
