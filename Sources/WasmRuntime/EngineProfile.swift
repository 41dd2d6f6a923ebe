internal import CWasmtime
internal import IPLD
internal import MeshCore
internal import MeshRuntime

/// The fixed settings under which every job runs, here and on every other node.
///
/// Two nodes whose profiles are the same give the same result, and charge the same fuel, for the same
/// job. Everything the library offers is set, so that no default of another version slips in.
struct EngineProfile: Sendable {
    static let version = "48.0.0"
    /// The bytes of native stack that a program may use.
    static let stackBytes: UInt64 = 512 << 10
    static let poolSlots: UInt64 = 256
    static let tableElements: UInt64 = 20_000
    static let tablesPerModule: UInt64 = 4
    static let memoryReservation: UInt64 = 4 << 30
    static let memoryGuard: UInt64 = 32 << 20
    static let instanceBytes: UInt64 = 1 << 20

    let memoryBytesMax: UInt64

    private enum Setting {
        case flag(Bool)
        case number(UInt64)
        case text(String)
    }

    private var settings: [(String, Setting)] {
        let on = [
            "consume_fuel", "epoch_interruption", "wasm_tail_call", "wasm_reference_types", "wasm_simd",
            "wasm_bulk_memory", "wasm_multi_value", "cranelift_nan_canonicalization", "signals_based_traps",
            "memory_init_cow", "native_unwind_info",
        ]
        let off = [
            "debug_info", "wasm_threads", "shared_memory", "wasm_function_references", "wasm_gc",
            "gc_support", "wasm_relaxed_simd", "wasm_multi_memory", "wasm_memory64", "wasm_wide_arithmetic",
            "wasm_branch_hinting", "wasm_exceptions", "wasm_custom_page_sizes", "wasm_stack_switching",
            "wasm_component_model", "concurrency_support", "parallel_compilation", "cranelift_debug_verifier",
            "memory_may_move",
        ]
        return on.map { ($0, .flag(true)) } + off.map { ($0, .flag(false)) }
            + [
                ("wasm_relaxed_simd_deterministic", .flag(true)),
                ("engine", .text("wasmtime")), ("version", .text(Self.version)),
                ("strategy", .text("cranelift")), ("opt_level", .text("speed")),
                ("regalloc", .text("backtracking")), ("profiler", .text("none")),
                ("max_wasm_stack", .number(Self.stackBytes)),
                ("memory_bytes_max", .number(memoryBytesMax)),
                ("table_elements", .number(Self.tableElements)),
                ("tables_per_module", .number(Self.tablesPerModule)),
                ("memories_per_module", .number(1)),
                ("memory_reservation", .number(Self.memoryReservation)),
                ("memory_guard_size", .number(Self.memoryGuard)),
                ("core_instance_bytes", .number(Self.instanceBytes)),
                ("wasi", .text("planetary-mesh/1")), ("host", .text("planetary-mesh/1")),
                ("random", .text("splitmix64,xoshiro256**")),
                ("clock_step_nanoseconds", .number(GuestContext.clockStep)),
                ("memory_growth", .text(MemoryInstrument.revision)),
                ("dataflow", .text(EngineRevision.dataflow)),
            ]
    }

    /// The CID of the DAG-CBOR map of all settings that can change a result.
    var cid: CID {
        let sorted = settings.sorted { DAGCBOREncoder.MapWriter.canonicalOrder($0.0, $1.0) }
        var encoder = DAGCBOREncoder()
        encoder.map { map in
            for (key, setting) in sorted {
                map.field(key) { value in
                    switch setting {
                    case .flag(let flag): value.bool(flag)
                    case .number(let number): value.unsigned(number)
                    case .text(let text): value.text(text)
                    }
                }
            }
        }
        return CID(of: encoder.bytes, codec: .dagCBOR)
    }

    var description: EngineDescription {
        EngineDescription(name: "wasmtime", version: Self.version, profile: cid)
    }

    /// An engine under these settings; the caller owns it.
    ///
    /// An inconsistent configuration ends the process inside the library, which is why this runs in
    /// workers only.
    func makeEngine(_ library: WasmtimeLibrary) -> OpaquePointer {
        let api = unsafe library.functions.pointee
        let config = unsafe api.wasm_config_new()
        for (name, setting) in settings {
            guard case .flag(let flag) = setting else { continue }
            unsafe Self.setter(of: name, api)?(config, flag)
        }
        unsafe api.wasmtime_config_strategy_set(config, UInt8(MESH_STRATEGY_CRANELIFT))
        unsafe api.wasmtime_config_cranelift_opt_level_set(config, UInt8(MESH_OPT_LEVEL_SPEED))
        unsafe api.wasmtime_config_cranelift_regalloc_algorithm_set(
            config, UInt8(MESH_REGALLOC_BACKTRACKING))
        unsafe api.wasmtime_config_profiler_set(config, 0)
        unsafe api.wasmtime_config_max_wasm_stack_set(config, Int(Self.stackBytes))
        unsafe api.wasmtime_config_memory_reservation_set(config, Self.memoryReservation)
        unsafe api.wasmtime_config_memory_guard_size_set(config, Self.memoryGuard)
        unsafe api.wasmtime_config_memory_reservation_for_growth_set(config, 0)

        let pool = unsafe api.wasmtime_pooling_allocation_config_new()
        let slots = UInt32(Self.poolSlots)
        unsafe api.wasmtime_pooling_allocation_config_max_unused_warm_slots_set(pool, slots)
        unsafe api.wasmtime_pooling_allocation_config_total_core_instances_set(pool, slots)
        unsafe api.wasmtime_pooling_allocation_config_total_memories_set(pool, slots)
        unsafe api.wasmtime_pooling_allocation_config_total_tables_set(pool, slots)
        unsafe api.wasmtime_pooling_allocation_config_max_tables_per_module_set(
            pool, UInt32(Self.tablesPerModule))
        unsafe api.wasmtime_pooling_allocation_config_max_memories_per_module_set(pool, 1)
        unsafe api.wasmtime_pooling_allocation_config_decommit_batch_size_set(pool, 1)
        unsafe api.wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(pool, 64 << 10)
        unsafe api.wasmtime_pooling_allocation_config_table_keep_resident_set(pool, 64 << 10)
        unsafe api.wasmtime_pooling_allocation_config_max_core_instance_size_set(
            pool, Int(Self.instanceBytes))
        unsafe api.wasmtime_pooling_allocation_config_table_elements_set(pool, Int(Self.tableElements))
        unsafe api.wasmtime_pooling_allocation_config_max_memory_size_set(pool, Int(memoryBytesMax))
        unsafe api.wasmtime_pooling_allocation_strategy_set(config, pool)
        unsafe api.wasmtime_pooling_allocation_config_delete(pool)
        return unsafe api.wasm_engine_new_with_config(config)
    }
}

extension EngineProfile {
    private typealias Setter = @convention(c) (OpaquePointer, Bool) -> Void

    /// The library's function for the boolean setting `name`.
    private static func setter(of name: String, _ api: mesh_wasmtime) -> Setter? {
        switch name {
        case "debug_info": unsafe api.wasmtime_config_debug_info_set
        case "consume_fuel": unsafe api.wasmtime_config_consume_fuel_set
        case "epoch_interruption": unsafe api.wasmtime_config_epoch_interruption_set
        case "wasm_threads": unsafe api.wasmtime_config_wasm_threads_set
        case "shared_memory": unsafe api.wasmtime_config_shared_memory_set
        case "wasm_tail_call": unsafe api.wasmtime_config_wasm_tail_call_set
        case "wasm_reference_types": unsafe api.wasmtime_config_wasm_reference_types_set
        case "wasm_function_references": unsafe api.wasmtime_config_wasm_function_references_set
        case "wasm_gc": unsafe api.wasmtime_config_wasm_gc_set
        case "gc_support": unsafe api.wasmtime_config_gc_support_set
        case "wasm_simd": unsafe api.wasmtime_config_wasm_simd_set
        case "wasm_relaxed_simd": unsafe api.wasmtime_config_wasm_relaxed_simd_set
        case "wasm_relaxed_simd_deterministic": unsafe api.wasmtime_config_wasm_relaxed_simd_deterministic_set
        case "wasm_bulk_memory": unsafe api.wasmtime_config_wasm_bulk_memory_set
        case "wasm_multi_value": unsafe api.wasmtime_config_wasm_multi_value_set
        case "wasm_multi_memory": unsafe api.wasmtime_config_wasm_multi_memory_set
        case "wasm_memory64": unsafe api.wasmtime_config_wasm_memory64_set
        case "wasm_wide_arithmetic": unsafe api.wasmtime_config_wasm_wide_arithmetic_set
        case "wasm_branch_hinting": unsafe api.wasmtime_config_wasm_branch_hinting_set
        case "wasm_exceptions": unsafe api.wasmtime_config_wasm_exceptions_set
        case "wasm_custom_page_sizes": unsafe api.wasmtime_config_wasm_custom_page_sizes_set
        case "wasm_stack_switching": unsafe api.wasmtime_config_wasm_stack_switching_set
        case "wasm_component_model": unsafe api.wasmtime_config_wasm_component_model_set
        case "concurrency_support": unsafe api.wasmtime_config_concurrency_support_set
        case "parallel_compilation": unsafe api.wasmtime_config_parallel_compilation_set
        case "cranelift_debug_verifier": unsafe api.wasmtime_config_cranelift_debug_verifier_set
        case "cranelift_nan_canonicalization": unsafe api.wasmtime_config_cranelift_nan_canonicalization_set
        case "memory_may_move": unsafe api.wasmtime_config_memory_may_move_set
        case "native_unwind_info": unsafe api.wasmtime_config_native_unwind_info_set
        case "signals_based_traps": unsafe api.wasmtime_config_signals_based_traps_set
        case "memory_init_cow": unsafe api.wasmtime_config_memory_init_cow_set
        default: nil
        }
    }
}
