# pragma version 0.4.3
# Multi-proofs over the binary Merkle tree of message hashes (spec section 9.3). No storage.

from modules import cursor
from modules import refusal


# Most leaves, and most hashes that a multi-proof computes.
MAX_LEAVES: constant(uint256) = 257
MAX_HASHES: constant(uint256) = 256


@internal
@view
def _merkle_root(leaves: DynArray[bytes32, MAX_LEAVES], proofs: uint256, flags: uint256) -> bytes32:
    """
    The root that the leaves and the array of proofs at `proofs` lead to (spec section 9.3). Computed hashes follow
    the leaves: `used` counts what has been taken of both. A single leaf without proofs is its own root and is not for
    this function.
    """
    count: uint256 = len(leaves)
    proofCount: uint256 = cursor._word(proofs)
    total: uint256 = unsafe_sub(count + proofCount, 1)
    if proofCount > 257 or total > MAX_HASHES:
        refusal._plain(convert(method_id("InvalidProof()", output_type=bytes4), uint32))
    hashes: DynArray[bytes32, MAX_HASHES] = []
    used: uint256 = 0
    proved: uint256 = 0
    last: uint256 = unsafe_add(count, total)
    for i: uint256 in range(count, last, bound=MAX_HASHES):
        first: bytes32 = empty(bytes32)
        second: bytes32 = empty(bytes32)
        for side: uint256 in range(2):
            first = second
            if side == 0 and (flags >> unsafe_sub(i, count)) & 1 == 0:
                self._check_index(proved, proofCount)
                proved = unsafe_add(proved, 1)
                second = convert(cursor._item(proofs, proved), bytes32)
            else:
                if used >= i:
                    # Past what is computed so far there are empty words, past the last hash there is nothing.
                    self._check_index(used, last)
                    second = empty(bytes32)
                elif used < count:
                    second = leaves[used]
                else:
                    second = hashes[unsafe_sub(used, count)]
                used = unsafe_add(used, 1)
        if used > i:
            refusal._plain(convert(method_id("InvalidProof()", output_type=bytes4), uint32))
        if convert(first, uint256) < convert(second, uint256):
            hashes.append(keccak256(abi_encode(convert(1, uint256), first, second)))
        else:
            hashes.append(keccak256(abi_encode(convert(1, uint256), second, first)))
    if used != unsafe_sub(last, 1) or proved != proofCount:
        refusal._plain(convert(method_id("InvalidProof()", output_type=bytes4), uint32))
    return hashes[unsafe_sub(total, 1)]


@internal
@pure
def _check_index(i: uint256, length: uint256):
    """Reading past the end of an array panics with code 0x32, as in the reference contract."""
    if i >= length:
        refusal._one(convert(method_id("Panic(uint256)", output_type=bytes4), uint32), 50)
