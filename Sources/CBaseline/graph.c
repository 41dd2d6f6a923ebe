#include "CBaselineGraph.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TABLES = 32 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int open_tables(const char *directory, MDB_env **env, MDB_dbi *tables) {
    int result = mdb_env_create(env);
    if (result) return result;
    MDB_txn *txn = NULL;
    mdb_env_set_mapsize(*env, (size_t)8 << 30);
    mdb_env_set_maxdbs(*env, TABLES);
    if ((result = mdb_env_open(*env, directory, MDB_NOTLS | MDB_NORDAHEAD, 0600))) return result;
    if ((result = mdb_txn_begin(*env, NULL, 0, &txn))) return result;
    for (int i = 0; i < TABLES && !result; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        result = mdb_dbi_open(txn, name, MDB_CREATE, tables + i);
    }
    if (result) {
        mdb_txn_abort(txn);
        return result;
    }
    return mdb_txn_commit(txn);
}

static int put_commit(MDB_txn *txn, const MDB_dbi *tables, const uint8_t **rows) {
    uint32_t count;
    memcpy(&count, *rows, 4);
    *rows += 4;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t key_size;
        uint32_t value_size;
        const uint8_t *row = *rows;
        memcpy(&key_size, row + 1, 2);
        memcpy(&value_size, row + 3, 4);
        MDB_val key = {key_size, (void *)(row + 7)}, value = {value_size, (void *)(row + 7 + key_size)};
        int result = mdb_put(txn, tables[row[0] % TABLES], &key, &value, 0);
        if (result) return result;
        *rows = row + 7 + key_size + value_size;
    }
    return 0;
}

int mesh_graph_write(
    const char *directory, const uint8_t *rows, size_t commits, size_t warm, double *seconds) {
    MDB_env *env = NULL;
    MDB_dbi tables[TABLES];
    int result = open_tables(directory, &env, tables);
    MDB_txn *txn = NULL;
    double start = 0;
    for (size_t commit = 0; commit < commits && !result; commit++) {
        if (commit == 0 || commit >= warm) {
            start = now();
            if ((result = mdb_txn_begin(env, NULL, 0, &txn))) break;
        }
        result = put_commit(txn, tables, &rows);
        if (!result && commit + 1 < warm) continue;
        if (result) {
            mdb_txn_abort(txn);
        } else {
            result = mdb_txn_commit(txn);
        }
        if (commit >= warm) seconds[commit - warm] = now() - start;
    }
    mdb_env_close(env);
    return result;
}
