// The raw C loop that the WebAssembly figures are held against.
#pragma once
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Runs `module` in as many forked processes as asked for, each looping over store, instance, call and
/// delete for `seconds`, with the settings that our workers use. Returns jobs per second of all
/// processes together, or a negative number when the library cannot be used.
double mesh_baseline_wasm(const char *library, const uint8_t *module, uint64_t module_bytes, int processes,
                          double seconds, uint64_t memory_bytes_max);

#pragma clang assume_nonnull end
