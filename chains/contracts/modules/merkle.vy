# pragma version 0.4.3
# Multi-proofs over the binary Merkle tree of message hashes (spec section 9.3). No storage.

from modules import cursor
from modules import refusal


@internal
@view
def _merkle_root(leaves: bytes32[257], count: uint256, proofs: uint256, flags: uint256) -> bytes32:
    """
    The root that `count` leaves and the array of proofs at `proofs` lead to (spec section 9.3).
    Computed hashes follow the leaves: `used` counts what has been taken of both. A single leaf without proofs is its
    own root and is not for this function.
    """
    hashes: bytes32[256] = empty(bytes32[256])
    proofCount: uint256 = cursor._word(proofs)
    total: uint256 = unsafe_sub(count + proofCount, 1)
    if count > 257 or proofCount > 257 or total > 256:
        refusal._plain(convert(method_id("InvalidProof()", output_type=bytes4), uint32))
    used: uint256 = 0
    proved: uint256 = 0
    last: uint256 = unsafe_add(count, total)
    for i: uint256 in range(count, last, bound=256):
        pair: bytes32[2] = empty(bytes32[2])
        for side: uint256 in range(2):
            if side == 0 and (flags >> unsafe_sub(i, count)) & 1 == 0:
                self._check_index(proved, proofCount)
                proved = unsafe_add(proved, 1)
                pair[side] = convert(cursor._item(proofs, proved), bytes32)
            else:
                self._check_index(used, last)
                if used < count:
                    pair[side] = leaves[used]
                else:
                    pair[side] = hashes[unsafe_sub(used, count)]
                used = unsafe_add(used, 1)
        if used > i:
            refusal._plain(convert(method_id("InvalidProof()", output_type=bytes4), uint32))
        if convert(pair[0], uint256) > convert(pair[1], uint256):
            pair = [pair[1], pair[0]]
        hashes[unsafe_sub(i, count)] = keccak256(abi_encode(convert(1, uint256), pair))
    if used != unsafe_sub(last, 1) or proved != proofCount:
        refusal._plain(convert(method_id("InvalidProof()", output_type=bytes4), uint32))
    return hashes[unsafe_sub(total, 1)]


@internal
@pure
def _check_index(i: uint256, length: uint256):
    """Reading past the end of an array panics with code 0x32, as in the reference contract."""
    if i >= length:
        refusal._one(convert(method_id("Panic(uint256)", output_type=bytes4), uint32), 50)
