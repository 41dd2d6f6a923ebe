#include "CWasmtime.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int resolve(void *library, const char *name, void *field, char *error, size_t error_size) {
    void *symbol = dlsym(library, name);
    if (!symbol) {
        snprintf(error, error_size, "libwasmtime lacks %s", name);
        return -1;
    }
    memcpy(field, &symbol, sizeof symbol);
    return 0;
}

int mesh_wasmtime_load(const char *path, struct mesh_wasmtime *out, char *error, size_t error_size) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *reason = dlerror();
        snprintf(error, error_size, "%s", reason ? reason : "libwasmtime cannot be loaded");
        return -1;
    }
#define MESH_RESOLVE(result, name, parameters) \
    if (resolve(library, #name, &out->name, error, error_size)) return -1;
    MESH_WASMTIME_FUNCTIONS(MESH_RESOLVE)
#undef MESH_RESOLVE
#define MESH_RESOLVE(name)                                                                               \
    if (resolve(library, "wasmtime_config_" #name "_set", &out->wasmtime_config_##name##_set, error,    \
                error_size))                                                                             \
        return -1;
    MESH_CONFIG_BOOLEANS(MESH_RESOLVE)
#undef MESH_RESOLVE
    return 0;
}
