internal import CWasmtime
internal import MeshRuntime

/// One engine with its linker, as a worker process owns it.
///
/// A module is compiled once and linked once; every job gets a store of its own, which is the only state
/// that a job can leave behind and is deleted with it.
@safe
final class WasmEngine {
    /// A module that is ready to be instantiated.
    @safe
    final class Module {
        let facts: WasmModuleFacts
        fileprivate let library: WasmtimeLibrary
        fileprivate let module: OpaquePointer
        fileprivate let linked: OpaquePointer
        fileprivate let standardEntry: WasmModuleFacts.Entry?
        fileprivate let initializer: WasmModuleFacts.Entry?
        fileprivate let isContract: Bool

        fileprivate init(
            _ facts: WasmModuleFacts, _ library: WasmtimeLibrary, module: OpaquePointer, linked: OpaquePointer
        ) {
            self.facts = facts
            self.library = library
            unsafe self.module = module
            unsafe self.linked = linked
            standardEntry = facts.entry(named: nil)
            initializer = facts.entry(named: "_initialize")
            isContract = facts.contract != nil
        }

        deinit {
            unsafe library.functions.pointee.wasmtime_instance_pre_delete(linked)
            unsafe library.functions.pointee.wasmtime_module_delete(module)
        }

        fileprivate func entry(named name: String?) -> WasmModuleFacts.Entry? {
            name == nil ? standardEntry : facts.entry(named: name)
        }
    }

    /// How a job ended, before it is put into a frame.
    struct Ending {
        var outcome: OutcomeClass
        var trap: String?
        var exitCode: Int32?
        var fuel: UInt64
        var memoryPeakBytes: UInt64
    }

    let context: GuestContext
    private let library: WasmtimeLibrary
    private let engine: OpaquePointer
    private let linker: OpaquePointer
    private let memoryBytesMax: UInt64

    /// How often the epoch moves on, in milliseconds.
    static let tickMilliseconds: UInt64 = 10

    /// Builds the engine under `profile`.
    ///
    /// - Returns: `nil` when the library refuses a host function.
    init?(_ library: WasmtimeLibrary, _ profile: EngineProfile) {
        self.library = library
        memoryBytesMax = profile.memoryBytesMax
        unsafe engine = profile.makeEngine(library)
        unsafe linker = library.functions.pointee.wasmtime_linker_new(engine)
        context = GuestContext(library)
        guard unsafe HostFunctions.define(in: linker, for: context) else { return nil }
    }

    /// Moves the epoch on; safe to call from any thread.
    var advanceEpoch: @Sendable () -> Void {
        let box = unsafe EngineReference(engine: unsafe engine, library: library)
        return { box.advance() }
    }

    /// `@unchecked Sendable`: the engine lives as long as the process, and moving its epoch on is allowed
    /// from every thread.
    @safe
    private struct EngineReference: @unchecked Sendable {
        let engine: OpaquePointer
        let library: WasmtimeLibrary

        func advance() {
            unsafe library.functions.pointee.wasmtime_engine_increment_epoch(engine)
        }
    }

    /// The version that the library stamps into compiled modules: the major one, such as `48`.
    ///
    /// The C interface has no function for it.
    func libraryVersion() -> String? {
        let api = unsafe library.functions
        let empty: [UInt8] = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
        var module: OpaquePointer?
        if let error = unsafe api.pointee.wasmtime_module_new(engine, empty, empty.count, &module) {
            _ = unsafe message(error)
            return nil
        }
        guard let module = unsafe module else { return nil }
        defer { unsafe api.pointee.wasmtime_module_delete(module) }
        var image = unsafe wasm_byte_vec_t()
        if let error = unsafe api.pointee.wasmtime_module_serialize(module, &image) {
            _ = unsafe message(error)
            return nil
        }
        defer { unsafe api.pointee.wasm_byte_vec_delete(&image) }
        // The first section of the image starts behind the 64 bytes of the ELF header: a zero, the
        // length of the version, the version.
        let bytes = unsafe UnsafeRawBufferPointer(start: image.data, count: image.size)
        guard bytes.count > 80, unsafe bytes[64] == 0 else { return nil }
        let count = Int(unsafe bytes[65])
        guard (1...12).contains(count) else { return nil }
        return unsafe String(decoding: bytes[66..<66 + count], as: UTF8.self)
    }

    // MARK: Compiling

    /// Validates, compiles and links a module.
    func compile(_ code: [UInt8]) throws(ModuleRefusal) -> Module {
        let facts = try WasmModuleInspector.facts(code, moduleBytesMax: .max)
        guard facts.memoryMinimumPages << 16 <= memoryBytesMax else {
            throw ModuleRefusal(
                .memory,
                "the module starts with \(facts.memoryMinimumPages << 16) bytes of memory; \(memoryBytesMax) are allowed",
                offset: facts.memoryOffset)
        }
        let api = unsafe library.functions
        if let error = unsafe api.pointee.wasmtime_module_validate(engine, code, code.count) {
            let text = unsafe message(error)
            throw ModuleRefusal(.invalid, text, offset: Self.offset(in: text) ?? 0)
        }
        guard let prepared = MemoryInstrument.apply(code, facts) else {
            throw ModuleRefusal(
                .compilation, "the module uses an instruction that is not supported", offset: 0)
        }
        var module: OpaquePointer?
        if let error = unsafe api.pointee.wasmtime_module_new(engine, prepared, prepared.count, &module) {
            let text = unsafe message(error)
            throw ModuleRefusal(.compilation, text, offset: Self.offset(in: text) ?? 0)
        }
        guard let module = unsafe module else {
            throw ModuleRefusal(.compilation, "the engine gave no module", offset: 0)
        }
        var linked: OpaquePointer?
        if let error = unsafe api.pointee.wasmtime_linker_instantiate_pre(linker, module, &linked) {
            let text = unsafe message(error)
            unsafe api.pointee.wasmtime_module_delete(module)
            throw ModuleRefusal(.unknownImport, text, offset: 0)
        }
        guard let linked = unsafe linked else {
            unsafe api.pointee.wasmtime_module_delete(module)
            throw ModuleRefusal(.compilation, "the engine linked nothing", offset: 0)
        }
        return unsafe Module(facts, library, module: module, linked: linked)
    }

    /// Takes the text out of an error and deletes it.
    private func message(_ error: OpaquePointer) -> String {
        var text = unsafe wasm_byte_vec_t()
        unsafe library.functions.pointee.wasmtime_error_message(error, &text)
        let bytes = unsafe UnsafeRawBufferPointer(start: text.data, count: text.size)
        let string = unsafe String(decoding: bytes.prefix(400), as: UTF8.self)
        unsafe library.functions.pointee.wasm_byte_vec_delete(&text)
        unsafe library.functions.pointee.wasmtime_error_delete(error)
        return string.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// The number behind `at offset 0x…`.
    private static func offset(in text: String) -> Int? {
        let words = text.split { " ()".contains($0) }
        guard let place = words.lastIndex(of: "offset"), place + 1 < words.count else { return nil }
        return Int(words[place + 1].dropFirst(2), radix: 16)
    }

    // MARK: Running

    /// Runs one job whose inputs are in ``context`` already.
    func run(_ module: Module, _ job: mesh_job_frame, entry name: String?) -> Ending {
        let limit = job.fuel
        func ended(_ outcome: OutcomeClass, _ trap: String? = nil) -> Ending {
            Ending(outcome: outcome, trap: trap, fuel: limit, memoryPeakBytes: 0)
        }
        guard let entry = module.entry(named: name) else { return ended(.trap, "no_entry_point") }
        guard module.facts.memoryMinimumPages << 16 <= job.memory_bytes else { return ended(.memory) }

        let api = unsafe library.functions
        let store = unsafe api.pointee.wasmtime_store_new(engine, nil, nil)
        defer { unsafe api.pointee.wasmtime_store_delete(store) }
        let view = unsafe api.pointee.wasmtime_store_context(store)
        unsafe api.pointee.wasmtime_store_limiter(
            store, Int64(clamping: min(job.memory_bytes, memoryBytesMax)), Int64(EngineProfile.tableElements),
            1, Int64(EngineProfile.tablesPerModule), 1)
        if let error = unsafe api.pointee.wasmtime_context_set_fuel(view, limit) {
            return ended(.engine, unsafe message(error))
        }
        let ticks = min(job.wall_milliseconds / Self.tickMilliseconds, 1 << 40) + 2
        unsafe api.pointee.wasmtime_context_set_epoch_deadline(view, ticks)

        // A start function may call its host before the instance is there.
        if module.isContract { context.contract = module.facts.contract }
        var instance = wasmtime_instance_t()
        var trap: OpaquePointer?
        if let error = unsafe api.pointee.wasmtime_instance_pre_instantiate(
            module.linked, view, &instance, &trap)
        {
            return ended(.trap, unsafe "instantiation: " + message(error))
        }
        var memory: wasmtime_memory_t?
        if module.facts.hasMemory {
            let name = module.facts.memoryExport ?? MemoryInstrument.memoryExport
            var item = unsafe wasmtime_extern_t()
            if unsafe api.pointee.wasmtime_instance_export_get(view, &instance, name, name.utf8.count, &item),
                unsafe Int(item.kind) == MESH_EXTERN_MEMORY
            {
                memory = unsafe item.of.memory
            }
        }
        context.memory = memory
        var status: Int32 = 0
        if unsafe trap == nil, let initializer = module.initializer, entry.name != "_start" {
            if let failure = unsafe call(initializer, view, &instance, &status, &trap) {
                return ended(.engine, failure)
            }
        }
        if unsafe trap == nil {
            if let failure = unsafe call(entry, view, &instance, &status, &trap) {
                return ended(.engine, failure)
            }
        }
        var ending = ended(.ok)
        if var memory {
            ending.memoryPeakBytes = UInt64(unsafe api.pointee.wasmtime_memory_data_size(view, &memory))
        }
        var left: UInt64 = 0
        if let error = unsafe api.pointee.wasmtime_context_get_fuel(view, &left) {
            return ended(.engine, unsafe message(error))
        }
        guard let trap = unsafe trap else {
            ending.fuel = limit - min(limit, left)
            if entry.kind == .returnsStatus {
                ending.exitCode = status
                ending.outcome = status == 0 ? .ok : .exit
            }
            return ending
        }
        defer { unsafe api.pointee.wasm_trap_delete(trap) }
        if let code = context.exitCode {
            ending.fuel = limit - min(limit, left)
            ending.exitCode = code
            ending.outcome = code == 0 ? .ok : .exit
            return ending
        }
        var code: UInt8 = 255
        _ = unsafe api.pointee.wasmtime_trap_code(trap, &code)
        switch code {
        case 11: ending.outcome = .fuel
        case 10: ending.outcome = .time
        default:
            if context.outputExceeded {
                ending.outcome = .output
            } else if let hostTrap = context.hostTrap {
                ending.outcome = .trap
                ending.trap = hostTrap.rawValue
            } else if code != 0, unsafe growthWasRefused(view, &instance) {
                ending.outcome = .memory
            } else {
                ending.outcome = .trap
                ending.trap = TrapName.name(code)
            }
        }
        return ending
    }

    /// Whether the program asked for more memory than it may have.
    private func growthWasRefused(_ view: OpaquePointer, _ instance: inout wasmtime_instance_t) -> Bool {
        let api = unsafe library.functions
        let name = MemoryInstrument.refusalExport
        var item = unsafe wasmtime_extern_t()
        guard instance.store_id != 0,
            unsafe api.pointee.wasmtime_instance_export_get(view, &instance, name, name.utf8.count, &item),
            unsafe Int(item.kind) == MESH_EXTERN_GLOBAL
        else { return false }
        var value = unsafe wasmtime_val_t()
        unsafe api.pointee.wasmtime_global_get(view, &item.of.global, &value)
        return unsafe Int(value.kind) == MESH_VALTYPE_I32 && value.of.i32 != 0
    }

    /// Calls one exported function; a failure that is not a trap is the runtime's and is returned.
    private func call(
        _ entry: WasmModuleFacts.Entry, _ view: OpaquePointer, _ instance: inout wasmtime_instance_t,
        _ status: inout Int32, _ trap: inout OpaquePointer?
    ) -> String? {
        let api = unsafe library.functions
        var item = unsafe wasmtime_extern_t()
        let name = entry.name
        guard unsafe api.pointee.wasmtime_instance_export_get(view, &instance, name, name.utf8.count, &item),
            unsafe Int(item.kind) == MESH_EXTERN_FUNC
        else { return "the export \(name) is gone" }
        var value = unsafe wasmtime_val_raw_t()
        if let error = unsafe api.pointee.wasmtime_func_call_unchecked(view, &item.of.func, &value, 1, &trap)
        {
            return unsafe message(error)
        }
        if entry.kind == .returnsStatus { status = unsafe value.i32 }
        return nil
    }
}

/// The names that outcomes give to the engine's trap codes.
enum TrapName {
    private static let names = [
        "stack_overflow", "memory_out_of_bounds", "heap_misaligned", "table_out_of_bounds",
        "indirect_call_to_null", "bad_signature", "integer_overflow", "integer_division_by_zero",
        "bad_conversion_to_integer", "unreachable", "interrupt", "out_of_fuel",
        "atomic_wait_non_shared_memory", "null_reference", "array_out_of_bounds", "allocation_too_large",
        "cast_failure",
    ]

    static func name(_ code: UInt8) -> String {
        Int(code) < names.count ? names[Int(code)] : "trap_\(code)"
    }
}
