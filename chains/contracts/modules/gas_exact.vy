# pragma version 0.4.3
# Calls with an exact gas stipend and capped return data, and the ERC-165 probe (spec section 14).
# No storage; who is called and why is the caller's business.

from modules import refusal

# The most return data kept of a gas-exact call.
MAX_RET_BYTES: constant(uint256) = 132
# Gas given to one supportsInterface call, and the gas that must be left before it.
PROBE_GAS: constant(uint256) = 30000
PROBE_RESERVE: constant(uint256) = 31000
# Interface ids, as numbers: what nobody may support, and ERC-165 itself.
NO_INTERFACE: constant(uint32) = max_value(uint32)  # 0xffffffff
ERC165_INTERFACE: constant(uint32) = 33540519  # 0x01ffc9a7


@internal
@view
def _check_gas(target: address, gasLimit: uint256, gasForCallExactCheck: uint256):
    """Refuses a target without code and a frame that could not hand over `gasLimit` whole."""
    if target.codesize == 0:
        refusal._plain(convert(method_id("NoContract()", output_type=bytes4), uint32))
    left: uint256 = msg.gas
    if left < gasForCallExactCheck:
        refusal._plain(convert(method_id("NoGasForCallExactCheck()", output_type=bytes4), uint32))
    left = unsafe_sub(left, gasForCallExactCheck)
    if unsafe_sub(left, left >> 6) <= gasLimit:
        refusal._plain(convert(method_id("NotEnoughGasForCall()", output_type=bytes4), uint32))


@internal
@view
def _probe(target: address, interfaceId: uint32) -> bool:
    if msg.gas < PROBE_RESERVE:
        refusal._plain(convert(method_id("InsufficientGasForStaticCall()", output_type=bytes4), uint32))
    ok: bool = False
    answer: Bytes[32] = b""
    ok, answer = raw_call(
        target,
        abi_encode(convert(interfaceId, bytes4), method_id=method_id("supportsInterface(bytes4)")),
        gas=PROBE_GAS,
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    return ok and len(answer) == 32 and convert(answer, uint256) != 0


@internal
@view
def _supports(target: address, interfaceId: uint32) -> bool:
    """ERC-165: says yes to the interface, no to 0xffffffff, yes to ERC-165 itself; asked in this order."""
    return (
        self._probe(target, interfaceId)
        and not self._probe(target, NO_INTERFACE)
        and self._probe(target, ERC165_INTERFACE)
    )
