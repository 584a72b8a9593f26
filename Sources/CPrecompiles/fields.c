// The three fields, each compiled twice: for any 64-bit CPU, and for x86-64 ones with MULX (BMI2) and ADX.
#include "CPrecompiles.h"
#include <string.h>

// -1/p mod 2^64, and 2^(64 LIMBS) squared and cubed mod p.
#define BN254Fp_NEGATED_INVERSE 0x87d20782e4866389
#define BN254Fp_RADIX_SQUARED {0xf32cfc5b538afa89, 0xb5e71911d44501fb, 0x47ab1eff0a417ff6, 0x06d89f71cab8351f}
#define BN254Fp_RADIX_CUBED {0xb1cd6dafda1530df, 0x62f210e6a7283db6, 0xef7f0b0c0ada0afb, 0x20fd6e902d592544}
#define BLS12Fp_NEGATED_INVERSE 0x89f3fffcfffcfffd
#define BLS12Fp_RADIX_SQUARED {0xf4df1f341c341746, 0x0a76e6a609d104f1, 0x8de5476c4c95b6d5, 0x67eb88a9939d83c0, \
    0x9a793e85b519952d, 0x11988fe592cae3aa}
#define BLS12Fp_RADIX_CUBED {0xed48ac6bd94ca1e0, 0x315f831e03a7adf8, 0x9a53352a615e29dd, 0x34c04e5e921e1761, \
    0x2512d43565724728, 0x0aa6346091755d4d}
#define BLS12Fr_NEGATED_INVERSE 0xfffffffeffffffff
#define BLS12Fr_RADIX_SQUARED {0xc999e990f3f29c6d, 0x2b6cedcb87925c23, 0x05d314967254398f, 0x0748d9d99f59ff11}
#define BLS12Fr_RADIX_CUBED {0xc62c1807439b73af, 0x1b3e0d188cf06990, 0x73d13c71c7b5f418, 0x6e2a5bb9c8db33e9}

#define TARGET
#define VARIANT portable
#define FIELD BN254Fp
#define EXTENSION BN254Fp2
#define LIMBS 4
#include "FieldKernel.inc"
#undef FIELD
#undef EXTENSION
#undef LIMBS
#define FIELD BLS12Fp
#define EXTENSION BLS12Fp2
#define LIMBS 6
#include "FieldKernel.inc"
#undef FIELD
#undef EXTENSION
#undef LIMBS
#define FIELD BLS12Fr
#define LIMBS 4
#include "FieldKernel.inc"
#undef FIELD
#undef LIMBS
#undef TARGET
#undef VARIANT

void (*BN254Fp_multiplyInto)(BN254Fp *, const BN254Fp *, const BN254Fp *) = BN254Fp_multiply_portable;
void (*BN254Fp2_multiplyInto)(BN254Fp2 *, const BN254Fp2 *, const BN254Fp2 *) = BN254Fp2_multiply_portable;
void (*BN254Fp2_squareInto)(BN254Fp2 *, const BN254Fp2 *) = BN254Fp2_square_portable;
void (*BLS12Fp_multiplyInto)(BLS12Fp *, const BLS12Fp *, const BLS12Fp *) = BLS12Fp_multiply_portable;
void (*BLS12Fp2_multiplyInto)(BLS12Fp2 *, const BLS12Fp2 *, const BLS12Fp2 *) = BLS12Fp2_multiply_portable;
void (*BLS12Fp2_squareInto)(BLS12Fp2 *, const BLS12Fp2 *) = BLS12Fp2_square_portable;
void (*BLS12Fr_multiplyInto)(BLS12Fr *, const BLS12Fr *, const BLS12Fr *) = BLS12Fr_multiply_portable;

#if defined(__x86_64__)
#define TARGET __attribute__((target("bmi,bmi2,adx")))
#define VARIANT wide
#define FIELD BN254Fp
#define EXTENSION BN254Fp2
#define LIMBS 4
#include "FieldKernel.inc"
#undef FIELD
#undef EXTENSION
#undef LIMBS
#define FIELD BLS12Fp
#define EXTENSION BLS12Fp2
#define LIMBS 6
#include "FieldKernel.inc"
#undef FIELD
#undef EXTENSION
#undef LIMBS
#define FIELD BLS12Fr
#define LIMBS 4
#include "FieldKernel.inc"
#undef FIELD
#undef LIMBS

// Runs before main, so that no call pays for a test and no two threads race on the pointers.
__attribute__((constructor)) static void chooseKernels(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("adx")) return;
    BN254Fp_multiplyInto = BN254Fp_multiply_wide;
    BN254Fp2_multiplyInto = BN254Fp2_multiply_wide;
    BN254Fp2_squareInto = BN254Fp2_square_wide;
    BLS12Fp_multiplyInto = BLS12Fp_multiply_wide;
    BLS12Fp2_multiplyInto = BLS12Fp2_multiply_wide;
    BLS12Fp2_squareInto = BLS12Fp2_square_wide;
    BLS12Fr_multiplyInto = BLS12Fr_multiply_wide;
}
#endif

#define WORD_MASK (UINT64_MAX >> 2)

/// The product of 62 division steps, times 2^62: f becomes (u f + v g) / 2^62 and g (q f + r g) / 2^62.
typedef struct { int64_t u, v, q, r; } Steps;

/// 62 division steps on the low words of f (odd) and g; as many at once as the low bits allow.
static int64_t divisionSteps(int64_t eta, uint64_t f, uint64_t g, Steps *t) {
    uint64_t u = 1, v = 0, q = 0, r = 1;
    int left = 62;
    for (;;) {
        // The bit above the steps that are left stops the count of zeros.
        const int zeros = __builtin_ctzll(g | (UINT64_MAX << left));
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        eta -= zeros;
        left -= zeros;
        if (left == 0) break;
        uint64_t mask, factor;
        const bool swap = eta < 0;
        if (swap) {
            const uint64_t oldF = f, oldU = u, oldV = v;
            eta = -eta;
            f = g, g = 0 - oldF;
            u = q, q = 0 - oldU;
            v = r, r = 0 - oldV;
        }
        // Adding factor f to g clears as many low bits of g as may be cleared before the next swap, at most six or four.
        const int limit = (int)eta + 1 > left ? left : (int)eta + 1;
        if (swap) {
            mask = (UINT64_MAX >> (64 - limit)) & 63;
            factor = (f * g * (f * f - 2)) & mask;
        } else {
            mask = (UINT64_MAX >> (64 - limit)) & 15;
            factor = f + (((f + 1) & 4) << 1);
            factor = ((0 - factor) * g) & mask;
        }
        g += f * factor;
        q += u * factor;
        r += v * factor;
    }
    *t = (Steps){(int64_t)u, (int64_t)v, (int64_t)q, (int64_t)r};
    return eta;
}

#define FIELD BN254Fp
#define LIMBS 4
#include "FieldConversion.inc"
#undef FIELD
#undef LIMBS
#define FIELD BLS12Fp
#define LIMBS 6
#include "FieldConversion.inc"
#undef FIELD
#undef LIMBS
#define FIELD BLS12Fr
#define LIMBS 4
#include "FieldConversion.inc"
#undef FIELD
#undef LIMBS
