// Keccak-256 (the pre-standard padding that Ethereum uses) over one contiguous buffer.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Writes the 32-byte Keccak-256 of `length` bytes at `input` to `output`. The two may overlap.
void causeway_keccak256(const uint8_t *input, size_t length, uint8_t *output);

/// Four digests at once: writes the Keccak-256 of `length[i]` bytes at `in[i]` to `out[i]`. An output of NULL leaves its
/// lane out. Inputs of equal block counts (length / 136) are fastest; the longer ones of unequal four go on alone.
/// An output may be its own input, but must not overlap another one.
void causeway_keccak256_x4(const uint8_t *const in[4], const size_t length[4], uint8_t *const out[4]);
