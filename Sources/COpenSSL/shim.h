// Only what Swift cannot import, each with its reason.
#pragma once
// SHA256_Init and its siblings are deprecated in OpenSSL 3 but cost a third less than a fetched
// EVP digest on records of a few hundred bytes.
#define OPENSSL_SUPPRESS_DEPRECATED 1
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/// TLS 1.3 only, no tickets, no session cache, no renegotiation, at most `certificate_bytes_max` of
/// certificates from a peer. The options are function-like macros and most setters are macros over
/// SSL_CTX_ctrl; Swift imports neither.
static inline int mesh_ssl_ctx_restrict(SSL_CTX *ctx, long certificate_bytes_max) {
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(ctx, 0);
    SSL_CTX_set_max_cert_list(ctx, certificate_bytes_max);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1
        && SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1
        && SSL_CTX_set_num_tickets(ctx, 0) == 1
        && SSL_CTX_set1_groups_list(ctx, "X25519:P-256") == 1;
}

/// How many certificates the peer sent. STACK_OF(X509) and sk_X509_num are macros.
static inline int mesh_x509_chain_count(X509_STORE_CTX *store) {
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(store);
    return chain == NULL ? 0 : sk_X509_num(chain);
}

/// A fresh P-256 key. EVP_EC_gen is a macro over a variadic function.
static inline EVP_PKEY *mesh_evp_p256_generate(void) {
    return EVP_EC_gen("P-256");
}
