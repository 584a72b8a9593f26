# pragma version 0.4.3
# The off-ramp's own code for multi-proofs, reached without messages.

from modules import cursor
from modules import merkle


@external
@view
def root(leaves: DynArray[bytes32, merkle.MAX_LEAVES], proofs: DynArray[bytes32, 300], flags: uint256) -> bytes32:
    at: uint256 = unsafe_add(4, cursor._word(36))
    # As in off_ramp: a single leaf without proofs is its own root.
    if len(leaves) == 1 and len(proofs) == 0:
        return leaves[0]
    return merkle._merkle_root(leaves, at, flags)
