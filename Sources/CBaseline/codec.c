#define OPENSSL_SUPPRESS_DEPRECATED 1
#include "CBaselineCodec.h"
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

struct text { const uint8_t *bytes; size_t count; };
struct link { uint8_t codec; uint8_t digest[32]; };

struct record {
    struct text kind;
    uint64_t logs;
    uint64_t epoch;
    struct text engine_name, engine_version;
    struct link engine_profile;
    int64_t exit;
    struct text class;
    struct link output;
    struct text output_name;
    uint64_t output_size;
    uint64_t started, finished;
    uint8_t executor[32];
    struct link manifest;
    uint64_t fuel, wall_ms, io_bytes, host_calls, memory_peak;
    uint64_t submissions;
};

struct in { const uint8_t *next, *end; int good; };

static uint64_t take(struct in *in, unsigned major) {
    if (in->next >= in->end || *in->next >> 5 != major) { in->good = 0; return 0; }
    unsigned low = *in->next++ & 31;
    if (low < 24) return low;
    if (low > 27) { in->good = 0; return 0; }
    unsigned width = 1u << (low - 24);
    if ((size_t)(in->end - in->next) < width) { in->good = 0; return 0; }
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++) value = value << 8 | *in->next++;
    if (value < (width == 1 ? 24 : 1ull << (width * 4))) in->good = 0;
    return value;
}

static struct text take_text(struct in *in, unsigned major) {
    uint64_t count = take(in, major);
    struct text text = {in->next, 0};
    if (!in->good || count > (size_t)(in->end - in->next)) { in->good = 0; return text; }
    text.count = count;
    in->next += count;
    if (major == 3)
        for (size_t i = 0; i < text.count; i++) in->good &= text.bytes[i] < 0x80;
    return text;
}

static void key(struct in *in, const char *name, size_t count) {
    struct text text = take_text(in, 3);
    if (!in->good || text.count != count || memcmp(text.bytes, name, count) != 0) in->good = 0;
}
#define KEY(name) key(in, name, sizeof(name) - 1)
#define FIELDS(n) do { if (take(in, 5) != (n)) in->good = 0; } while (0)

static struct link take_link(struct in *in) {
    static const uint8_t prefix[6] = {0xd8, 0x2a, 0x58, 0x25, 0x00, 0x01};
    struct link link = {0};
    if (in->end - in->next < 41 || memcmp(in->next, prefix, 6) != 0 || in->next[7] != 0x12 || in->next[8] != 0x20) {
        in->good = 0;
        return link;
    }
    link.codec = in->next[6];
    memcpy(link.digest, in->next + 9, 32);
    in->next += 41;
    return link;
}

static int decode(struct in *in, struct record *r) {
    FIELDS(12);
    KEY("kind"); r->kind = take_text(in, 3);
    KEY("logs"); r->logs = take(in, 4);
    KEY("epoch"); r->epoch = take(in, 0);
    KEY("engine");
    FIELDS(3);
    KEY("name"); r->engine_name = take_text(in, 3);
    KEY("profile"); r->engine_profile = take_link(in);
    KEY("version"); r->engine_version = take_text(in, 3);
    KEY("outcome");
    FIELDS(2);
    KEY("exit"); r->exit = (int64_t)take(in, 0);
    KEY("class"); r->class = take_text(in, 3);
    KEY("outputs");
    if (take(in, 4) != 1) in->good = 0;
    FIELDS(3);
    KEY("cid"); r->output = take_link(in);
    KEY("name"); r->output_name = take_text(in, 3);
    KEY("size"); r->output_size = take(in, 0);
    KEY("started"); r->started = take(in, 0);
    KEY("executor");
    struct text did = take_text(in, 2);
    if (!in->good || did.count != 34 || did.bytes[0] != 0xed || did.bytes[1] != 0x01) return 0;
    memcpy(r->executor, did.bytes + 2, 32);
    KEY("finished"); r->finished = take(in, 0);
    KEY("manifest"); r->manifest = take_link(in);
    KEY("metering");
    FIELDS(5);
    KEY("fuel"); r->fuel = take(in, 0);
    KEY("wall_ms"); r->wall_ms = take(in, 0);
    KEY("io_bytes"); r->io_bytes = take(in, 0);
    KEY("host_calls"); r->host_calls = take(in, 0);
    KEY("memory_peak"); r->memory_peak = take(in, 0);
    KEY("submissions"); r->submissions = take(in, 4);
    return in->good && in->next == in->end;
}

static uint8_t *put(uint8_t *out, unsigned major, uint64_t value) {
    if (value < 24) { *out++ = major << 5 | value; return out; }
    unsigned low = value <= 0xff ? 24 : value <= 0xffff ? 25 : value <= 0xffffffff ? 26 : 27;
    *out++ = major << 5 | low;
    for (int shift = (8 << (low - 24)) - 8; shift >= 0; shift -= 8) *out++ = value >> shift;
    return out;
}

static uint8_t *put_text(uint8_t *out, const void *bytes, size_t count) {
    out = put(out, 3, count);
    memcpy(out, bytes, count);
    return out + count;
}
#define PUT_KEY(name) out = put_text(out, name, sizeof(name) - 1)

static uint8_t *put_link(uint8_t *out, const struct link *link) {
    const uint8_t prefix[9] = {0xd8, 0x2a, 0x58, 0x25, 0x00, 0x01, link->codec, 0x12, 0x20};
    memcpy(out, prefix, 9);
    memcpy(out + 9, link->digest, 32);
    return out + 41;
}

static size_t encode(const struct record *r, uint8_t *start) {
    uint8_t *out = put(start, 5, 12);
    PUT_KEY("kind"); out = put_text(out, r->kind.bytes, r->kind.count);
    PUT_KEY("logs"); out = put(out, 4, r->logs);
    PUT_KEY("epoch"); out = put(out, 0, r->epoch);
    PUT_KEY("engine");
    out = put(out, 5, 3);
    PUT_KEY("name"); out = put_text(out, r->engine_name.bytes, r->engine_name.count);
    PUT_KEY("profile"); out = put_link(out, &r->engine_profile);
    PUT_KEY("version"); out = put_text(out, r->engine_version.bytes, r->engine_version.count);
    PUT_KEY("outcome");
    out = put(out, 5, 2);
    PUT_KEY("exit"); out = put(out, 0, (uint64_t)r->exit);
    PUT_KEY("class"); out = put_text(out, r->class.bytes, r->class.count);
    PUT_KEY("outputs");
    out = put(out, 4, 1);
    out = put(out, 5, 3);
    PUT_KEY("cid"); out = put_link(out, &r->output);
    PUT_KEY("name"); out = put_text(out, r->output_name.bytes, r->output_name.count);
    PUT_KEY("size"); out = put(out, 0, r->output_size);
    PUT_KEY("started"); out = put(out, 0, r->started);
    PUT_KEY("executor");
    out = put(out, 2, 34);
    *out++ = 0xed;
    *out++ = 0x01;
    memcpy(out, r->executor, 32);
    out += 32;
    PUT_KEY("finished"); out = put(out, 0, r->finished);
    PUT_KEY("manifest"); out = put_link(out, &r->manifest);
    PUT_KEY("metering");
    out = put(out, 5, 5);
    PUT_KEY("fuel"); out = put(out, 0, r->fuel);
    PUT_KEY("wall_ms"); out = put(out, 0, r->wall_ms);
    PUT_KEY("io_bytes"); out = put(out, 0, r->io_bytes);
    PUT_KEY("host_calls"); out = put(out, 0, r->host_calls);
    PUT_KEY("memory_peak"); out = put(out, 0, r->memory_peak);
    PUT_KEY("submissions"); out = put(out, 4, r->submissions);
    return out - start;
}

size_t mesh_codec_round_trip(const uint8_t *bytes, size_t count, uint8_t *out, size_t room) {
    struct in in = {bytes, bytes + count, 1};
    struct record record;
    // The shape has no part that grows, so its encoding is never longer than what was read.
    if (room < count || !decode(&in, &record)) return 0;
    return encode(&record, out);
}

uint64_t mesh_codec_decode_loop(const uint8_t *bytes, size_t count, uint64_t times) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < times; i++) {
        struct in in = {bytes, bytes + count, 1};
        struct record record;
        if (!decode(&in, &record)) return 0;
        // Keeps the record from being optimised away.
        __asm__ volatile("" : : "r"(&record) : "memory");
        sum += in.next - bytes;
    }
    return sum;
}

uint64_t mesh_codec_encode_loop(const uint8_t *bytes, size_t count, uint64_t times) {
    struct in in = {bytes, bytes + count, 1};
    struct record record;
    uint64_t sum = 0;
    uint8_t *out = malloc(count + 64);
    if (out != NULL && decode(&in, &record))
        for (uint64_t i = 0; i < times; i++) {
            sum += encode(&record, out);
            __asm__ volatile("" : : "r"(out) : "memory");
        }
    free(out);
    return sum;
}

uint64_t mesh_codec_sha256_loop(const uint8_t *bytes, size_t count, uint64_t times) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < times; i++) {
        SHA256_CTX context;
        uint8_t digest[32];
        SHA256_Init(&context);
        SHA256_Update(&context, bytes, count);
        SHA256_Final(digest, &context);
        sum += digest[0];
    }
    return sum;
}

uint64_t mesh_codec_sign_loop(const uint8_t *seed, const uint8_t *bytes, size_t count, uint64_t times) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < times; i++) {
        uint8_t signature[64];
        size_t length = 64;
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        int done = EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1
            && EVP_DigestSign(context, signature, &length, bytes, count) == 1;
        EVP_MD_CTX_free(context);
        if (!done) { sum = 0; break; }
        sum += length;
    }
    EVP_PKEY_free(key);
    return sum;
}

uint64_t mesh_codec_verify_loop(
    const uint8_t *key_bytes, const uint8_t *signature, const uint8_t *bytes, size_t count, uint64_t times) {
    uint64_t valid = 0;
    for (uint64_t i = 0; i < times; i++) {
        EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key_bytes, 32);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        valid += EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1
            && EVP_DigestVerify(context, signature, 64, bytes, count) == 1;
        EVP_MD_CTX_free(context);
        EVP_PKEY_free(key);
    }
    return valid;
}
