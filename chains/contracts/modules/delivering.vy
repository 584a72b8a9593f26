# pragma version 0.4.3
# Whether and through whom a message reaches its receiver, and what came of it (spec section 13.3). The call itself is
# the off-ramp's, whose memory holds its payload. No storage of its own.

from modules import cursor
from modules import gas_exact
from modules import ramp_state

uses: ramp_state

# Interface id of a receiver, asked by ERC-165.
RECEIVER_INTERFACE: constant(uint32) = 2237083643  # 0x85572ffb
# Room for a routeMessage answer: three head words, a length and 132 bytes rounded up.
ROUTE_ANSWER: constant(uint256) = 288


@internal
@view
def _wants_call(data: uint256, gasLimit: uint256, receiver: address) -> bool:
    """Whether the receiver is to be called at all (spec section 13.3, step 4)."""
    if gasLimit == 0 and cursor._word(data) == 0:
        return False
    if receiver.codesize == 0:
        return False
    return gas_exact._supports(receiver, RECEIVER_INTERFACE)


@internal
@view
def _router(source: uint256) -> address:
    router: address = convert(ramp_state._sources[convert(source, uint64)] & ramp_state.U160, address)
    assert router.codesize > 0
    return router


@internal
@pure
def _check_delivery(answer: Bytes[ROUTE_ANSWER]):
    """Refuses with the receiver's revert data when the router says that the receiver failed."""
    # Success flag, offset, gas used, then length and content of the receiver's return data.
    if extract32(answer, 0, output_type=uint256) == 0:
        length: uint256 = extract32(answer, 96, output_type=uint256)
        raw_revert(abi_encode(slice(answer, 128, length), method_id=method_id("ReceiverError(bytes)")))
