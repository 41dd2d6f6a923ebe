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
