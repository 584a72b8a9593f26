# pragma version 0.4.3
# The steps of releasing or minting one token of a message through its pool, within its gas (spec section 13.4). The
# call of the pool itself is the off-ramp's, whose memory holds its payload. No storage of its own.

from modules import gas_exact
from modules import ramp_state
from modules import refusal

uses: ramp_state

interface TokenAdminRegistry:
    def getPool(token: address) -> address: view

# Interface id of a pool, asked by ERC-165.
POOL_INTERFACE: constant(uint32) = 2951917503  # 0xaff2afbf


@internal
@view
def _pool(local: address) -> address:
    """The pool of a token, which must be one."""
    pool: address = staticcall TokenAdminRegistry(ramp_state.TOKEN_ADMIN_REGISTRY).getPool(local)
    compatible: bool = False
    if pool != empty(address):
        compatible = gas_exact._supports(pool, POOL_INTERFACE)
    if not compatible:
        refusal._one(
            convert(method_id("NotACompatiblePool(address)", output_type=bytes4), uint32), convert(pool, uint256)
        )
    return pool


@internal
@view
def _check_budget(target: address, budget: uint256):
    gas_exact._check_gas(target, budget, convert(ramp_state.GAS_FOR_CALL_EXACT_CHECK, uint256))


@internal
@pure
def _answered(target: address, ok: bool, answer: Bytes[132]) -> uint256:
    """The one word that a gas-exact call must answer."""
    if not ok:
        raw_revert(abi_encode(target, answer, method_id=method_id("TokenHandlingError(address,bytes)")))
    if len(answer) != 32:
        refusal._two(
            convert(method_id("InvalidDataLength(uint256,uint256)", output_type=bytes4), uint32), 32, len(answer)
        )
    return extract32(answer, 0, output_type=uint256)


@internal
def _balance(token: address, holder: address, budget: uint256) -> (uint256, uint256):
    """What the holder has of the token, and the gas that is left of the budget."""
    self._check_budget(token, budget)
    ok: bool = False
    answer: Bytes[132] = b""
    before: uint256 = msg.gas
    ok, answer = raw_call(
        token,
        abi_encode(holder, method_id=method_id("balanceOf(address)")),
        gas=budget,
        max_outsize=132,
        revert_on_failure=False,
    )
    used: uint256 = unsafe_sub(before, msg.gas)
    return self._answered(token, ok, answer), unsafe_sub(budget, min(used, budget))


@internal
@pure
def _check_balances(amount: uint256, before: uint256, after: uint256):
    if after < before or unsafe_sub(after, before) != amount:
        refusal._three(
            convert(method_id("ReleaseOrMintBalanceMismatch(uint256,uint256,uint256)", output_type=bytes4), uint32),
            amount,
            before,
            after,
        )
