// What Swift needs of libsecp256k1: signing, verifying, and recovery of a public key from a signature.
#pragma once
#include <secp256k1.h>
#include <secp256k1_recovery.h>
