#pragma once
#include <stddef.h>
#include <stdint.h>

// A hand-written codec for the one record shape that the codec benchmark uses, and the raw OpenSSL calls
// beside which it holds ours. Each loop runs in C, so that nothing of Swift is in its figure.

/// Reads one record, checking its form, and writes it again into `out`, which has room for `room` bytes.
/// Returns the number of bytes written, or 0 when `bytes` are not such a record.
size_t mesh_codec_round_trip(const uint8_t *bytes, size_t count, uint8_t *out, size_t room);

/// Reads the record `times` times; returns the sum of the ends it reached.
uint64_t mesh_codec_decode_loop(const uint8_t *bytes, size_t count, uint64_t times);

/// Reads the record once and writes it `times` times; returns the sum of the lengths.
uint64_t mesh_codec_encode_loop(const uint8_t *bytes, size_t count, uint64_t times);

/// Hashes the bytes `times` times with OpenSSL's SHA-256; returns the sum of the first bytes.
uint64_t mesh_codec_sha256_loop(const uint8_t *bytes, size_t count, uint64_t times);

/// Signs the bytes `times` times with one kept Ed25519 key; returns 0 when OpenSSL refuses.
uint64_t mesh_codec_sign_loop(const uint8_t *seed, const uint8_t *bytes, size_t count, uint64_t times);

/// Verifies `times` times, making the key object each time; returns how often it was valid.
uint64_t mesh_codec_verify_loop(
    const uint8_t *key, const uint8_t *signature, const uint8_t *bytes, size_t count, uint64_t times);
