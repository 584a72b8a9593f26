// Keccak-256 (the pre-standard padding that Ethereum uses) over one contiguous buffer.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Writes the 32-byte Keccak-256 of `length` bytes at `input` to `output`. The two may overlap.
void causeway_keccak256(const uint8_t *input, size_t length, uint8_t *output);
