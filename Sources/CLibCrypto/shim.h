// What Swift needs of libcrypto: digests, scrypt, PBKDF2, AES-CTR, Ed25519, random bytes.
#pragma once
#include <openssl/crypto.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
