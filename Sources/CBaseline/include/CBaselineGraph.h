// The raw LMDB loop that a durable transaction of the graph is held against.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Writes rows with liblmdb directly, in `directory`, which exists and is empty.
///
/// `rows` is, for each commit, the count of its rows (u32, of this machine's order) and then each row: its table
/// (u8, below 32), the length of its key (u16) and of its value (u32), the key, the value. The first `warm` commits
/// are made as one and not timed. `seconds` takes the time of every other. Returns 0 or LMDB's or the system's number.
int mesh_graph_write(
    const char *directory, const uint8_t *rows, size_t commits, size_t warm, double *seconds);
