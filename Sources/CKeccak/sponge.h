// What the two sponges share: the block size of Keccak-256, its padding, and one state continued alone.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define RATE 136

/// The last block of a message: what is left of it (less than RATE bytes), then the padding.
static inline void padLastBlock(uint8_t block[RATE], const uint8_t *rest, size_t length) {
    memset(block, 0, RATE);
    if (length) memcpy(block, rest, length);
    block[length] = 0x01;
    block[RATE - 1] |= 0x80;
}

/// Absorbs all of `input` and its padding into the state `s`, and writes the digest.
void causeway_keccak_finish(uint64_t s[25], const uint8_t *input, size_t length, uint8_t *output);
