# pragma version 0.4.3
# How many signers a configuration of the price streams may have, and how many of them may be faulty (data streams
# specification, section 6.3). No storage, and no knowledge of who they are.

from modules import refusal

# Most signers: what a word of 32 recovery bytes leaves room for.
MAX_SIGNERS: constant(uint256) = 31


@internal
@pure
def _check(signers: uint256, f: uint8):
    """F is positive, and 3F+1 <= signers <= 31."""
    if f == 0:
        refusal._plain(convert(method_id("FaultToleranceMustBePositive()", output_type=bytes4), uint32))
    if signers > MAX_SIGNERS:
        refusal._two(
            convert(method_id("ExcessSigners(uint256,uint256)", output_type=bytes4), uint32), signers, MAX_SIGNERS
        )
    tripled: uint256 = unsafe_mul(3, convert(f, uint256))
    if signers <= tripled:
        refusal._two(
            convert(method_id("InsufficientSigners(uint256,uint256)", output_type=bytes4), uint32),
            signers,
            unsafe_add(tripled, 1),
        )
