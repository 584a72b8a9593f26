// The Keccak-256 sponge over one buffer. The permutation is compiled twice: for any CPU, and for x86-64 with BMI1/BMI2,
// whose and-not and rotate save a third of the time. keccak4.c hashes four buffers at once.
#include "CKeccak.h"
#include "permutation.h"
#include "sponge.h"

static void permutePortable(uint64_t *s) { PERMUTE_BODY(uint64_t, s); }

#if defined(__x86_64__)
__attribute__((target("bmi,bmi2"))) static void permuteBMI(uint64_t *s) { PERMUTE_BODY(uint64_t, s); }

static void (*permute)(uint64_t *) = permutePortable;

// Runs before main, so that no call pays for a test and no two threads race on the pointer.
__attribute__((constructor)) static void choosePermutation(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) permute = permuteBMI;
}
#else
#define permute permutePortable
#endif

static inline void absorb(uint64_t *s, const uint8_t *block) {
    for (int i = 0; i < RATE / 8; i++) {
        uint64_t lane;
        memcpy(&lane, block + 8 * i, 8);
        s[i] ^= lane; // little-endian hosts only, as Swift's Linux and macOS targets are
    }
}

void causeway_keccak_finish(uint64_t s[25], const uint8_t *input, size_t length, uint8_t *output) {
    while (length >= RATE) {
        absorb(s, input);
        permute(s);
        input += RATE;
        length -= RATE;
    }
    uint8_t last[RATE];
    padLastBlock(last, input, length);
    absorb(s, last);
    permute(s);
    memcpy(output, s, 32);
}

void causeway_keccak256(const uint8_t *input, size_t length, uint8_t *output) {
    uint64_t s[25] = {0};
    causeway_keccak_finish(s, input, length, output);
}
