#include "CBaselineStore.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CID_BYTES = 36, HEADER_BYTES = 5 + CID_BYTES, INDEX_KEY_BYTES = 37, PLACE_BYTES = 16 };

typedef struct {
    uint8_t key[INDEX_KEY_BYTES];
    uint8_t place[PLACE_BYTES];
} entry;

typedef struct {
    MDB_env *env;
    MDB_dbi store, log, index, feeds, frontier, arrival, jobs, job_entries;
} database;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void big_endian(uint8_t *target, uint64_t number, int bytes) {
    for (int i = 0; i < bytes; i++) target[i] = (uint8_t)(number >> (8 * (bytes - 1 - i)));
}

static uint64_t from_big_endian(const uint8_t *source, int bytes) {
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++) number = number << 8 | source[i];
    return number;
}

static void cid(uint8_t *target, const uint8_t *digest) {
    static const uint8_t prefix[4] = {0x01, 0x71, 0x12, 0x20};
    memcpy(target, prefix, 4);
    memcpy(target + 4, digest, 32);
}

static void index_key(uint8_t *target, const uint8_t *digest) {
    static const uint8_t suffix[5] = {0x01, 0, 0, 0, 0x71};
    memcpy(target, digest, 32);
    memcpy(target + 32, suffix, 5);
}

static int by_key(const void *a, const void *b) { return memcmp(a, b, INDEX_KEY_BYTES); }

static int open_database(const char *directory, database *db) {
    int result = mdb_env_create(&db->env);
    if (result) return result;
    MDB_txn *txn = NULL;
    mdb_env_set_mapsize(db->env, (size_t)8 << 30);
    mdb_env_set_maxdbs(db->env, 32);
    if ((result = mdb_env_open(db->env, directory, MDB_NOTLS | MDB_NORDAHEAD, 0600)) ||
        (result = mdb_txn_begin(db->env, NULL, 0, &txn))) {
        mdb_env_close(db->env);
        return result;
    }
    (void)((result = mdb_dbi_open(txn, "store", MDB_CREATE, &db->store)) ||
           (result = mdb_dbi_open(txn, "log", MDB_CREATE | MDB_INTEGERKEY, &db->log)) ||
           (result = mdb_dbi_open(txn, "blocks", MDB_CREATE, &db->index)) ||
           (result = mdb_dbi_open(txn, "t_feeds", MDB_CREATE, &db->feeds)) ||
           (result = mdb_dbi_open(txn, "t_frontier", MDB_CREATE, &db->frontier)) ||
           (result = mdb_dbi_open(txn, "t_arrival", MDB_CREATE, &db->arrival)) ||
           (result = mdb_dbi_open(txn, "t_jobs", MDB_CREATE, &db->jobs)) ||
           (result = mdb_dbi_open(txn, "t_jobEntries", MDB_CREATE, &db->job_entries)));
    if (result) {
        mdb_txn_abort(txn);
    } else {
        result = mdb_txn_commit(txn);
    }
    if (result) mdb_env_close(db->env);
    return result;
}

static int put(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_bytes, const void *value, size_t bytes) {
    MDB_val k = {key_bytes, (void *)key}, v = {bytes, (void *)value};
    return mdb_put(txn, dbi, &k, &v, 0);
}

/// The rows that an engine writes beside the blocks; the Swift side writes the same.
static int put_tables(MDB_txn *txn, const database *db, const mesh_store_load *load, size_t commit) {
    const uint8_t *digests = load->digests + commit * load->records_per_commit * 32;
    uint8_t key[72], value[300];
    memcpy(key, load->author, 32);
    memcpy(key + 32, load->scope, 32);
    big_endian(key + 64, commit, 8);
    cid(value, digests);
    int result = put(txn, db->feeds, key, 72, value, CID_BYTES);
    if (result) return result;
    big_endian(value + CID_BYTES, commit, 8);
    if ((result = put(txn, db->frontier, key, 64, value, CID_BYTES + 8))) return result;
    if ((result = put(txn, db->arrival, key + 64, 8, value, CID_BYTES))) return result;
    for (size_t i = 0; i < load->records_per_commit; i++) {
        uint8_t entry_key[40];
        big_endian(entry_key, commit, 8);
        memcpy(entry_key + 8, digests + i * 32, 32);
        uint8_t status = 1;
        if ((result = put(txn, db->job_entries, entry_key, 40, &status, 1))) return result;
        if (i % 4 == 0) {
            memset(value, (int)(i & 0xff), sizeof value);
            if ((result = put(txn, db->jobs, digests + i * 32, 32, value, sizeof value))) return result;
        }
    }
    return 0;
}

/// Appends the blocks of one commit as one value and notes their places.
static int put_log(MDB_txn *txn, const database *db, const mesh_store_load *load, size_t commit, entry *entries) {
    size_t records = load->records_per_commit;
    size_t step = commit + 1;
    MDB_val key = {sizeof step, &step};
    MDB_val place = {records * (HEADER_BYTES + load->block_bytes), NULL};
    int result = mdb_put(txn, db->log, &key, &place, MDB_APPEND | MDB_RESERVE);
    if (result) return result;
    uint8_t *target = place.mv_data;
    size_t offset = 0;
    for (size_t i = 0; i < records; i++) {
        size_t record = commit * records + i;
        const uint8_t *digest = load->digests + record * 32;
        big_endian(target + offset, load->block_bytes, 4);
        target[offset + 4] = CID_BYTES;
        cid(target + offset + 5, digest);
        offset += HEADER_BYTES;
        memcpy(target + offset, load->blocks + record * load->block_bytes, load->block_bytes);
        index_key(entries[i].key, digest);
        big_endian(entries[i].place, step, 8);
        big_endian(entries[i].place + 8, offset, 4);
        big_endian(entries[i].place + 12, load->block_bytes, 4);
        offset += load->block_bytes;
    }
    return 0;
}

int mesh_store_write(const char *directory, const mesh_store_load *load, double *seconds) {
    database db;
    int result = open_database(directory, &db);
    if (result) return result;
    size_t records = load->records_per_commit;
    size_t capacity = load->commit_count * records;
    entry *filling = malloc(capacity * sizeof *filling), *merging = malloc(capacity * sizeof *merging);
    size_t filled = 0, merged = 0, to_merge = 0, merge_step = 0;
    if (!filling || !merging) result = ENOMEM;
    for (size_t commit = 0; commit < load->commit_count && !result; commit++) {
        double start = now();
        MDB_txn *txn = NULL;
        if ((result = mdb_txn_begin(db.env, NULL, 0, &txn))) break;
        if (merged == to_merge && filled >= load->merge_threshold) {
            entry *full = filling;
            filling = merging;
            merging = full;
            to_merge = filled;
            merged = filled = 0;
            merge_step = commit;
            qsort(merging, to_merge, sizeof *merging, by_key);
        }
        (void)((result = put_tables(txn, &db, load, commit)) ||
               (result = put_log(txn, &db, load, commit, filling + filled)));
        filled += records;
        size_t slice = records + records / 4;
        if (slice < load->merge_slice) slice = load->merge_slice;
        for (; slice > 0 && merged < to_merge && !result; slice--, merged++) {
            entry *e = merging + merged;
            result = put(txn, db.index, e->key, INDEX_KEY_BYTES, e->place, PLACE_BYTES);
            if (!result && merged + 1 == to_merge) {
                uint8_t step[8];
                big_endian(step, merge_step, 8);
                result = put(txn, db.store, "merged", 6, step, 8);
            }
        }
        if (result) {
            mdb_txn_abort(txn);
            break;
        }
        result = mdb_txn_commit(txn);
        seconds[commit] = now() - start;
    }
    // So that reading finds every block through the index.
    MDB_txn *txn = NULL;
    if (!result && !(result = mdb_txn_begin(db.env, NULL, 0, &txn))) {
        for (; merged < to_merge && !result; merged++) {
            result = put(txn, db.index, merging[merged].key, INDEX_KEY_BYTES, merging[merged].place, PLACE_BYTES);
        }
        for (size_t i = 0; i < filled && !result; i++) {
            result = put(txn, db.index, filling[i].key, INDEX_KEY_BYTES, filling[i].place, PLACE_BYTES);
        }
        if (result) {
            mdb_txn_abort(txn);
        } else {
            result = mdb_txn_commit(txn);
        }
    }
    free(filling);
    free(merging);
    mdb_env_close(db.env);
    return result;
}

int mesh_store_read(
    const char *directory, const mesh_store_load *load, const uint32_t *order, size_t count, double *seconds) {
    database db;
    int result = open_database(directory, &db);
    if (result) return result;
    MDB_txn *txn = NULL;
    if ((result = mdb_txn_begin(db.env, NULL, MDB_RDONLY, &txn))) {
        mdb_env_close(db.env);
        return result;
    }
    mdb_txn_reset(txn);
    double start = now();
    for (size_t i = 0; i < count && !result; i++) {
        if ((result = mdb_txn_renew(txn))) break;
        uint8_t bytes[INDEX_KEY_BYTES];
        index_key(bytes, load->digests + (size_t)order[i] * 32);
        MDB_val key = {INDEX_KEY_BYTES, bytes}, value;
        if (!(result = mdb_get(txn, db.index, &key, &value))) {
            const uint8_t *place = value.mv_data;
            size_t step = from_big_endian(place, 8);
            size_t offset = from_big_endian(place + 8, 4), length = from_big_endian(place + 12, 4);
            MDB_val log_key = {sizeof step, &step};
            if (!(result = mdb_get(txn, db.log, &log_key, &value))) {
                uint8_t *copy = malloc(length);
                if (!copy || offset + length > value.mv_size) {
                    result = EIO;
                } else {
                    memcpy(copy, (const uint8_t *)value.mv_data + offset, length);
                    if (memcmp(copy, load->blocks + (size_t)order[i] * load->block_bytes, 8)) result = EIO;
                }
                free(copy);
            }
        }
        mdb_txn_reset(txn);
    }
    *seconds = now() - start;
    mdb_txn_abort(txn);
    mdb_env_close(db.env);
    return result;
}

int mesh_store_fsync(const char *path, size_t count, double *seconds) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return errno;
    static const uint8_t page[4096];
    int result = 0;
    for (size_t i = 0; i < count && !result; i++) {
        double start = now();
        if (write(descriptor, page, sizeof page) != (ssize_t)sizeof page || fdatasync(descriptor)) {
            result = errno ? errno : EIO;
        }
        seconds[i] = now() - start;
    }
    close(descriptor);
    return result;
}
