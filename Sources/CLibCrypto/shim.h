// What Swift needs of libcrypto: digests, big numbers, the curve P-256, scrypt, PBKDF2, AES-CTR, Ed25519, random bytes.
#pragma once
#include <openssl/crypto.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>
