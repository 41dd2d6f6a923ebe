#define _GNU_SOURCE
#include "CBaselineWasm.h"

#include <CWasmtime.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/// Loops in one process; the count of jobs, or -1.
static int64_t loop(const struct mesh_wasmtime *w, const uint8_t *bytes, size_t count, double seconds,
                    uint64_t memory_bytes_max) {
    wasm_config_t *config = w->wasm_config_new();
    w->wasmtime_config_consume_fuel_set(config, true);
    w->wasmtime_config_epoch_interruption_set(config, true);
    w->wasmtime_config_cranelift_nan_canonicalization_set(config, true);
    w->wasmtime_config_parallel_compilation_set(config, false);
    w->wasmtime_config_max_wasm_stack_set(config, 512 << 10);
    wasmtime_pooling_allocation_config_t *pool = w->wasmtime_pooling_allocation_config_new();
    w->wasmtime_pooling_allocation_config_total_core_instances_set(pool, 256);
    w->wasmtime_pooling_allocation_config_total_memories_set(pool, 256);
    w->wasmtime_pooling_allocation_config_total_tables_set(pool, 256);
    w->wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(pool, 64 << 10);
    w->wasmtime_pooling_allocation_config_table_keep_resident_set(pool, 64 << 10);
    w->wasmtime_pooling_allocation_config_max_memory_size_set(pool, memory_bytes_max);
    w->wasmtime_pooling_allocation_strategy_set(config, pool);
    w->wasmtime_pooling_allocation_config_delete(pool);
    wasm_engine_t *engine = w->wasm_engine_new_with_config(config);
    wasmtime_module_t *module = NULL;
    wasmtime_instance_pre_t *linked = NULL;
    if (w->wasmtime_module_new(engine, bytes, count, &module)) return -1;
    if (w->wasmtime_linker_instantiate_pre(w->wasmtime_linker_new(engine), module, &linked)) return -1;
    int64_t jobs = 0;
    uint64_t end = mesh_monotonic_nanoseconds() + (uint64_t)(seconds * 1e9);
    while (mesh_monotonic_nanoseconds() < end) {
        for (int batch = 0; batch < 256; batch++) {
            wasmtime_store_t *store = w->wasmtime_store_new(engine, NULL, NULL);
            wasmtime_context_t *context = w->wasmtime_store_context(store);
            wasmtime_instance_t instance;
            wasm_trap_t *trap = NULL;
            wasmtime_extern_t item;
            wasmtime_val_raw_t value;
            uint64_t fuel = 0;
            w->wasmtime_context_set_fuel(context, 1000000);
            w->wasmtime_context_set_epoch_deadline(context, 1000);
            if (w->wasmtime_instance_pre_instantiate(linked, context, &instance, &trap) || trap) return -1;
            if (!w->wasmtime_instance_export_get(context, &instance, "run", 3, &item)) return -1;
            if (w->wasmtime_func_call_unchecked(context, &item.of.func, &value, 1, &trap) || trap) return -1;
            w->wasmtime_context_get_fuel(context, &fuel);
            w->wasmtime_store_delete(store);
        }
        jobs += 256;
    }
    return jobs;
}

double mesh_baseline_wasm(const char *library, const uint8_t *module, uint64_t module_bytes, int processes,
                          double seconds, uint64_t memory_bytes_max) {
    if (processes < 1 || processes > 64) return -1;
    int64_t *jobs = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (jobs == MAP_FAILED) return -1;
    pid_t children[64];
    for (int index = 0; index < processes; index++) {
        children[index] = fork();
        if (children[index] == 0) {
            // Loaded here and not before: the library's threads and handlers do not survive a fork.
            struct mesh_wasmtime functions;
            char error[256];
            jobs[index] = -1;
            if (mesh_wasmtime_load(library, &functions, error, sizeof error) == 0)
                jobs[index] = loop(&functions, module, module_bytes, seconds, memory_bytes_max);
            _exit(0);
        }
    }
    double total = 0;
    for (int index = 0; index < processes; index++) {
        if (children[index] < 0 || waitpid(children[index], NULL, 0) < 0 || jobs[index] < 0) total = -1;
        else if (total >= 0) total += (double)jobs[index];
    }
    munmap(jobs, 4096);
    return total < 0 ? -1 : total / seconds;
}
