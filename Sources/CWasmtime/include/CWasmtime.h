// Our own declarations of the part of libwasmtime's C interface that we use, and a table of its
// functions that is filled when the library is loaded. The layouts are those of the 48 line on x86-64.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "WorkerProcess.h"

#pragma clang assume_nonnull begin

typedef struct wasm_config_t wasm_config_t;
typedef struct wasm_engine_t wasm_engine_t;
typedef struct wasm_trap_t wasm_trap_t;
typedef struct wasm_valtype_t wasm_valtype_t;
typedef struct wasm_functype_t wasm_functype_t;
typedef struct wasmtime_error wasmtime_error_t;
typedef struct wasmtime_store wasmtime_store_t;
typedef struct wasmtime_context wasmtime_context_t;
typedef struct wasmtime_module wasmtime_module_t;
typedef struct wasmtime_linker wasmtime_linker_t;
typedef struct wasmtime_instance_pre wasmtime_instance_pre_t;
typedef struct wasmtime_caller wasmtime_caller_t;
typedef struct wasmtime_pooling_allocation_config wasmtime_pooling_allocation_config_t;

typedef struct { size_t size; char *_Nullable data; } wasm_byte_vec_t;
typedef struct { size_t size; wasm_valtype_t *_Nullable *_Nullable data; } wasm_valtype_vec_t;

typedef struct { uint64_t store_id; void *_Nullable hidden; } wasmtime_func_t;
typedef struct { uint64_t store_id; uint32_t hidden; } wasmtime_place_t;
typedef struct { wasmtime_place_t place; uint32_t hidden; } wasmtime_memory_t;
typedef struct { uint64_t store_id; uint32_t hidden1, hidden2, hidden3; } wasmtime_global_t;
typedef struct { uint64_t store_id; size_t hidden; } wasmtime_instance_t;
typedef union {
    wasmtime_func_t func;
    wasmtime_global_t global;
    wasmtime_memory_t memory;
    void *_Nullable sharedmemory;
} wasmtime_extern_union_t;
typedef struct { uint8_t kind; wasmtime_extern_union_t of; } wasmtime_extern_t;
typedef struct { uint64_t store_id; uint32_t hidden1, hidden2; void *_Nullable hidden3; } wasmtime_anyref_t;
typedef union {
    int32_t i32; int64_t i64; float f32; double f64; wasmtime_anyref_t anyref; wasmtime_func_t funcref;
    uint8_t v128[16];
} wasmtime_valunion_t;
typedef struct { uint8_t kind; wasmtime_valunion_t of; } wasmtime_val_t;
typedef union { int32_t i32; int64_t i64; float f32; double f64; uint8_t v128[16]; void *_Nullable funcref; }
    wasmtime_val_raw_t;

_Static_assert(sizeof(wasmtime_func_t) == 16 && sizeof(wasmtime_memory_t) == 24, "layout");
_Static_assert(sizeof(wasmtime_extern_t) == 32 && offsetof(wasmtime_extern_t, of) == 8, "layout");
_Static_assert(sizeof(wasmtime_val_t) == 32 && sizeof(wasmtime_val_raw_t) == 16, "layout");
_Static_assert(sizeof(wasmtime_global_t) == 24 && sizeof(wasmtime_instance_t) == 16, "layout");

enum {
    MESH_EXTERN_FUNC = 0, MESH_EXTERN_GLOBAL = 1, MESH_EXTERN_MEMORY = 3,
    MESH_VALTYPE_I32 = 0, MESH_VALTYPE_I64 = 1,
    MESH_STRATEGY_CRANELIFT = 1, MESH_OPT_LEVEL_SPEED = 1, MESH_REGALLOC_BACKTRACKING = 0,
};

typedef wasm_trap_t *_Nullable (*mesh_host_function)(
    void *_Nullable env, wasmtime_caller_t *caller, wasmtime_val_raw_t *_Nullable values, size_t count);
typedef void (*mesh_finalizer)(void *_Nullable);

// F(result, name, parameters)
#define MESH_CONFIG_BOOLEANS(B)                                                                            \
    B(debug_info) B(consume_fuel) B(epoch_interruption) B(wasm_threads) B(shared_memory) B(wasm_tail_call) \
    B(wasm_reference_types) B(wasm_function_references) B(wasm_gc) B(gc_support) B(wasm_simd)              \
    B(wasm_relaxed_simd) B(wasm_relaxed_simd_deterministic) B(wasm_bulk_memory) B(wasm_multi_value)        \
    B(wasm_multi_memory) B(wasm_memory64) B(wasm_wide_arithmetic) B(wasm_branch_hinting)                   \
    B(wasm_exceptions) B(wasm_custom_page_sizes) B(wasm_stack_switching) B(wasm_component_model)           \
    B(concurrency_support) B(parallel_compilation) B(cranelift_debug_verifier)                             \
    B(cranelift_nan_canonicalization) B(memory_may_move) B(native_unwind_info) B(signals_based_traps)      \
    B(memory_init_cow)

#define MESH_WASMTIME_FUNCTIONS(F)                                                                                     \
    F(wasm_config_t *_Nonnull, wasm_config_new, (void))                                                                \
    F(wasm_engine_t *_Nonnull, wasm_engine_new_with_config, (wasm_config_t *_Nonnull))                                 \
    F(void, wasm_engine_delete, (wasm_engine_t *_Nonnull))                                                             \
    F(void, wasmtime_engine_increment_epoch, (const wasm_engine_t *_Nonnull))                                          \
    F(void, wasmtime_config_strategy_set, (wasm_config_t *_Nonnull, uint8_t))                                          \
    F(void, wasmtime_config_cranelift_opt_level_set, (wasm_config_t *_Nonnull, uint8_t))                               \
    F(void, wasmtime_config_cranelift_regalloc_algorithm_set, (wasm_config_t *_Nonnull, uint8_t))                      \
    F(void, wasmtime_config_profiler_set, (wasm_config_t *_Nonnull, uint8_t))                                          \
    F(void, wasmtime_config_max_wasm_stack_set, (wasm_config_t *_Nonnull, size_t))                                     \
    F(void, wasmtime_config_memory_reservation_set, (wasm_config_t *_Nonnull, uint64_t))                               \
    F(void, wasmtime_config_memory_guard_size_set, (wasm_config_t *_Nonnull, uint64_t))                                \
    F(void, wasmtime_config_memory_reservation_for_growth_set, (wasm_config_t *_Nonnull, uint64_t))                    \
    F(wasmtime_pooling_allocation_config_t *_Nonnull, wasmtime_pooling_allocation_config_new, (void))                  \
    F(void, wasmtime_pooling_allocation_config_delete, (wasmtime_pooling_allocation_config_t *_Nonnull))               \
    F(void, wasmtime_pooling_allocation_config_max_unused_warm_slots_set,                                              \
      (wasmtime_pooling_allocation_config_t *_Nonnull, uint32_t))                                                      \
    F(void, wasmtime_pooling_allocation_config_total_core_instances_set,                                               \
      (wasmtime_pooling_allocation_config_t *_Nonnull, uint32_t))                                                      \
    F(void, wasmtime_pooling_allocation_config_total_memories_set,                                                     \
      (wasmtime_pooling_allocation_config_t *_Nonnull, uint32_t))                                                      \
    F(void, wasmtime_pooling_allocation_config_total_tables_set,                                                       \
      (wasmtime_pooling_allocation_config_t *_Nonnull, uint32_t))                                                      \
    F(void, wasmtime_pooling_allocation_config_max_tables_per_module_set,                                              \
      (wasmtime_pooling_allocation_config_t *_Nonnull, uint32_t))                                                      \
    F(void, wasmtime_pooling_allocation_config_max_memories_per_module_set,                                            \
      (wasmtime_pooling_allocation_config_t *_Nonnull, uint32_t))                                                      \
    F(void, wasmtime_pooling_allocation_config_decommit_batch_size_set,                                                \
      (wasmtime_pooling_allocation_config_t *_Nonnull, size_t))                                                        \
    F(void, wasmtime_pooling_allocation_config_linear_memory_keep_resident_set,                                        \
      (wasmtime_pooling_allocation_config_t *_Nonnull, size_t))                                                        \
    F(void, wasmtime_pooling_allocation_config_table_keep_resident_set,                                                \
      (wasmtime_pooling_allocation_config_t *_Nonnull, size_t))                                                        \
    F(void, wasmtime_pooling_allocation_config_max_core_instance_size_set,                                             \
      (wasmtime_pooling_allocation_config_t *_Nonnull, size_t))                                                        \
    F(void, wasmtime_pooling_allocation_config_table_elements_set,                                                     \
      (wasmtime_pooling_allocation_config_t *_Nonnull, size_t))                                                        \
    F(void, wasmtime_pooling_allocation_config_max_memory_size_set,                                                    \
      (wasmtime_pooling_allocation_config_t *_Nonnull, size_t))                                                        \
    F(void, wasmtime_pooling_allocation_strategy_set,                                                                  \
      (wasm_config_t *_Nonnull, const wasmtime_pooling_allocation_config_t *_Nonnull))                                 \
    F(wasmtime_error_t *_Nullable, wasmtime_module_new,                                                                \
      (wasm_engine_t *_Nonnull, const uint8_t *_Nonnull, size_t, wasmtime_module_t *_Nullable *_Nonnull))              \
    F(wasmtime_error_t *_Nullable, wasmtime_module_validate, (wasm_engine_t *_Nonnull, const uint8_t *_Nonnull, size_t))\
    F(wasmtime_error_t *_Nullable, wasmtime_module_serialize,                                                          \
      (const wasmtime_module_t *_Nonnull, wasm_byte_vec_t *_Nonnull))                                                  \
    F(void, wasmtime_module_delete, (wasmtime_module_t *_Nonnull))                                                     \
    F(wasmtime_error_t *_Nullable, wasmtime_wat2wasm, (const char *_Nonnull, size_t, wasm_byte_vec_t *_Nonnull))       \
    F(wasmtime_store_t *_Nonnull, wasmtime_store_new, (wasm_engine_t *_Nonnull, void *_Nullable, mesh_finalizer _Nullable))\
    F(wasmtime_context_t *_Nonnull, wasmtime_store_context, (wasmtime_store_t *_Nonnull))                              \
    F(void, wasmtime_store_limiter,                                                                                    \
      (wasmtime_store_t *_Nonnull, int64_t, int64_t, int64_t, int64_t, int64_t))                                       \
    F(void, wasmtime_store_delete, (wasmtime_store_t *_Nonnull))                                                       \
    F(wasmtime_error_t *_Nullable, wasmtime_context_set_fuel, (wasmtime_context_t *_Nonnull, uint64_t))                \
    F(wasmtime_error_t *_Nullable, wasmtime_context_get_fuel, (const wasmtime_context_t *_Nonnull, uint64_t *_Nonnull))\
    F(void, wasmtime_context_set_epoch_deadline, (wasmtime_context_t *_Nonnull, uint64_t))                             \
    F(wasmtime_linker_t *_Nonnull, wasmtime_linker_new, (wasm_engine_t *_Nonnull))                                     \
    F(void, wasmtime_linker_delete, (wasmtime_linker_t *_Nonnull))                                                     \
    F(wasmtime_error_t *_Nullable, wasmtime_linker_define_func_unchecked,                                              \
      (wasmtime_linker_t *_Nonnull, const char *_Nonnull, size_t, const char *_Nonnull, size_t, const wasm_functype_t *_Nonnull,\
       mesh_host_function, void *_Nullable, mesh_finalizer _Nullable))                                                 \
    F(wasmtime_error_t *_Nullable, wasmtime_linker_instantiate_pre,                                                    \
      (const wasmtime_linker_t *_Nonnull, const wasmtime_module_t *_Nonnull, wasmtime_instance_pre_t *_Nullable *_Nonnull))\
    F(wasmtime_error_t *_Nullable, wasmtime_instance_pre_instantiate,                                                  \
      (const wasmtime_instance_pre_t *_Nonnull, wasmtime_context_t *_Nonnull, wasmtime_instance_t *_Nonnull,           \
       wasm_trap_t *_Nullable *_Nonnull))                                                                              \
    F(void, wasmtime_instance_pre_delete, (wasmtime_instance_pre_t *_Nonnull))                                         \
    F(bool, wasmtime_instance_export_get,                                                                              \
      (wasmtime_context_t *_Nonnull, const wasmtime_instance_t *_Nonnull, const char *_Nonnull, size_t, wasmtime_extern_t *_Nonnull))\
    F(void, wasmtime_extern_delete, (wasmtime_extern_t *_Nonnull))                                                     \
    F(wasmtime_error_t *_Nullable, wasmtime_func_call_unchecked,                                                       \
      (wasmtime_context_t *_Nonnull, const wasmtime_func_t *_Nonnull, wasmtime_val_raw_t *_Nonnull, size_t,            \
       wasm_trap_t *_Nullable *_Nonnull))                                                                              \
    F(bool, wasmtime_caller_export_get, (wasmtime_caller_t *_Nonnull, const char *_Nonnull, size_t, wasmtime_extern_t *_Nonnull))\
    F(wasmtime_context_t *_Nonnull, wasmtime_caller_context, (wasmtime_caller_t *_Nonnull))                            \
    F(void, wasmtime_global_get, (wasmtime_context_t *_Nonnull, const wasmtime_global_t *_Nonnull, wasmtime_val_t *_Nonnull))\
    F(wasm_valtype_t *_Nonnull, wasm_valtype_new, (uint8_t))                                                           \
    F(void, wasm_valtype_vec_new, (wasm_valtype_vec_t *_Nonnull, size_t, wasm_valtype_t *_Nullable const *_Nullable))  \
    F(wasm_functype_t *_Nonnull, wasm_functype_new, (wasm_valtype_vec_t *_Nonnull, wasm_valtype_vec_t *_Nonnull))      \
    F(void, wasm_functype_delete, (wasm_functype_t *_Nonnull))                                                         \
    F(uint8_t *_Nullable, wasmtime_memory_data, (wasmtime_context_t *_Nonnull, const wasmtime_memory_t *_Nonnull))     \
    F(size_t, wasmtime_memory_data_size, (const wasmtime_context_t *_Nonnull, const wasmtime_memory_t *_Nonnull))      \
    F(void, wasmtime_error_delete, (wasmtime_error_t *_Nonnull))                                                       \
    F(void, wasmtime_error_message, (const wasmtime_error_t *_Nonnull, wasm_byte_vec_t *_Nonnull))                     \
    F(wasm_trap_t *_Nonnull, wasmtime_trap_new_code, (uint8_t))                                                        \
    F(bool, wasmtime_trap_code, (const wasm_trap_t *_Nonnull, uint8_t *_Nonnull))                                      \
    F(void, wasm_trap_delete, (wasm_trap_t *_Nonnull))                                                                 \
    F(void, wasm_byte_vec_delete, (wasm_byte_vec_t *_Nonnull))

/// The library's functions by their own names.
struct mesh_wasmtime {
#define MESH_FIELD(result, name, parameters) result(*_Nonnull name) parameters;
    MESH_WASMTIME_FUNCTIONS(MESH_FIELD)
#undef MESH_FIELD
#define MESH_FIELD(name) void (*_Nonnull wasmtime_config_##name##_set)(wasm_config_t *_Nonnull, bool);
    MESH_CONFIG_BOOLEANS(MESH_FIELD)
#undef MESH_FIELD
};

/// Loads the library at `path` and fills every field of `out`.
///
/// Returns 0, or -1 with one sentence in `error`. The library stays loaded for the life of the process.
int mesh_wasmtime_load(const char *path, struct mesh_wasmtime *out, char *error, size_t error_size);

#pragma clang assume_nonnull end
