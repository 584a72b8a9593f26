// C kernels of the precompiled contracts: arithmetic of the prime fields of bn254 and BLS12-381 and of their quadratic
// extensions, and the rounds of BLAKE2b. Curves, towers and pairings are Swift's and never live here.
//
// Every element is kept in Montgomery form, fully reduced, so that two equal elements have equal limbs.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The base field of bn254 (alt_bn128, EIP-196), the base field of BLS12-381 and its scalar field (EIP-2537, EIP-4844).
typedef struct { uint64_t limbs[4]; } BN254Fp;
typedef struct { uint64_t limbs[6]; } BLS12Fp;
typedef struct { uint64_t limbs[4]; } BLS12Fr;

// c0 + c1 i with i^2 = -1: both base fields have this extension.
typedef struct { BN254Fp c0, c1; } BN254Fp2;
typedef struct { BLS12Fp c0, c1; } BLS12Fp2;

#define BN254Fp_MODULUS {0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}
#define BLS12Fp_MODULUS {0xb9feffffffffaaab, 0x1eabfffeb153ffff, 0x6730d2a0f6b0f624, 0x64774b84f38512bf, \
    0x4b1ba7b6434bacd7, 0x1a0111ea397fe69a}
#define BLS12Fr_MODULUS {0xffffffff00000001, 0x53bda402fffe5bfe, 0x3339d80809a1d805, 0x73eda753299d7d48}

// One in Montgomery form: 2^(64 limbs) mod p.
#define BN254Fp_RADIX {0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}
#define BLS12Fp_RADIX {0x760900000002fffd, 0xebf4000bc40c0002, 0x5f48985753c758ba, 0x77ce585370525745, \
    0x5c071a97a256ec6d, 0x15f65ec3fa80e493}
#define BLS12Fr_RADIX {0x00000001fffffffe, 0x5884b7fa00034802, 0x998c4fefecbc4ff5, 0x1824b159acc5056f}

#define FIELD BN254Fp
#define EXTENSION BN254Fp2
#define LIMBS 4
#include "FieldInterface.inc"

#define FIELD BLS12Fp
#define EXTENSION BLS12Fp2
#define LIMBS 6
#include "FieldInterface.inc"

#define FIELD BLS12Fr
#define LIMBS 4
#include "FieldInterface.inc"

/// The rounds of BLAKE2b's compression function F over the sixteen working words `v` with the message words `m`.
void causeway_blake2b_rounds(uint64_t *v, const uint64_t *m, uint32_t rounds);
