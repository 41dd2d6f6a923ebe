// The raw LMDB loops that the store's figures are held against.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// What both sides write: for every record a digest of 32 bytes and a block.
typedef struct mesh_store_load {
    size_t commit_count;
    size_t records_per_commit;
    size_t block_bytes;
    /// commit_count * records_per_commit * 32 bytes.
    const uint8_t *digests;
    /// commit_count * records_per_commit * block_bytes.
    const uint8_t *blocks;
    /// 32 bytes each.
    const uint8_t *author;
    const uint8_t *scope;
    /// How many places gather before they are merged, and the least merged by a commit.
    size_t merge_threshold;
    size_t merge_slice;
} mesh_store_load;

/// Writes the load with liblmdb directly, in `directory`, which exists and is empty: each commit appends
/// its blocks to the log, merges a slice of the index, and writes the engine's tables.
///
/// `seconds` takes the time of every commit. Returns 0 or LMDB's or the system's number.
int mesh_store_write(const char *directory, const mesh_store_load *load, double *seconds);

/// Reads `count` blocks, by the digests at `order`'s positions, out of what `mesh_store_write` left, each in a
/// renewed snapshot, through the index and the log, into a buffer of its own. `*seconds` takes the time for all.
int mesh_store_read(
    const char *directory, const mesh_store_load *load, const uint32_t *order, size_t count, double *seconds);

/// Appends 4 KiB to a file and calls fdatasync, `count` times; `seconds` takes the time of each.
int mesh_store_fsync(const char *path, size_t count, double *seconds);
