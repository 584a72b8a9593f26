# pragma version 0.4.3
# Releasing or minting one token of a message through its pool, within its gas (spec section 13.4).
# No storage of its own.

from modules import cursor
from modules import gas_exact
from modules import ramp_state
from modules import refusal

uses: ramp_state

interface TokenAdminRegistry:
    def getPool(token: address) -> address: view

# Interface id of a pool, asked by ERC-165.
POOL_INTERFACE: constant(uint32) = 2951917503  # 0xaff2afbf


@internal
def _ask(target: address, payload: Bytes[cursor.GATHER_BYTES], budget: uint256) -> (uint256, uint256):
    """A gas-exact call that must answer one word: the word, and the gas that is left of the budget."""
    gas_exact._check_gas(target, budget, convert(ramp_state.GAS_FOR_CALL_EXACT_CHECK, uint256))
    ok: bool = False
    answer: Bytes[132] = b""
    before: uint256 = msg.gas
    ok, answer = raw_call(target, payload, gas=budget, max_outsize=132, revert_on_failure=False)
    used: uint256 = unsafe_sub(before, msg.gas)
    if not ok:
        raw_revert(abi_encode(target, answer, method_id=method_id("TokenHandlingError(address,bytes)")))
    if len(answer) != 32:
        refusal._two(
            convert(method_id("InvalidDataLength(uint256,uint256)", output_type=bytes4), uint32), 32, len(answer)
        )
    return convert(slice(answer, 0, 32), uint256), unsafe_sub(budget, min(used, budget))


@internal
@view
def _release_payload(message: uint256, token: uint256, tokenData: uint256) -> Bytes[cursor.GATHER_BYTES]:
    """pool.releaseOrMint for the token at `token`."""
    head: uint256[12] = empty(uint256[12])
    # The source pool's address and data lie side by side in the token, and do so here.
    tokenEnd: uint256 = cursor._span(cursor._follow(token, 3))
    head[0] = 32
    head[1] = 256
    head[2] = cursor._item(message, 1)
    head[3] = cursor._item(message, 7)
    head[4] = cursor._item(token, 4)
    head[5] = cursor._item(token, 1)
    head[6] = unsafe_sub(cursor._item(message, 6), 64)
    head[7] = unsafe_add(head[6], unsafe_sub(cursor._item(token, 3), 160))
    head[8] = unsafe_add(head[6], unsafe_sub(unsafe_sub(tokenEnd, token), 160))
    return cursor._gather(
        convert(
            method_id(
                "releaseOrMint((bytes,uint64,address,uint256,address,bytes,bytes,bytes))", output_type=bytes4
            ),
            uint32,
        ),
        head,
        9,
        unsafe_add(message, 320),
        cursor._follow(message, 6),
        unsafe_add(token, 160),
        tokenEnd,
        tokenData,
        cursor._span(tokenData),
    )


@internal
def _release(message: uint256, token: uint256, tokenData: uint256, override: uint256) -> uint256:
    """Releases or mints one token to the receiver and returns its local amount (spec section 13.4)."""
    budget: uint256 = override
    if budget == 0:
        budget = cursor._item(token, 2)
    local: address = convert(cursor._item(token, 1), address)
    receiver: address = convert(cursor._item(message, 7), address)
    pool: address = staticcall TokenAdminRegistry(ramp_state.TOKEN_ADMIN_REGISTRY).getPool(local)
    compatible: bool = False
    if pool != empty(address):
        compatible = gas_exact._supports(pool, POOL_INTERFACE)
    if not compatible:
        refusal._one(
            convert(method_id("NotACompatiblePool(address)", output_type=bytes4), uint32), convert(pool, uint256)
        )
    balanceOf: Bytes[36] = abi_encode(receiver, method_id=method_id("balanceOf(address)"))
    before: uint256 = 0
    amount: uint256 = 0
    before, budget = self._ask(local, balanceOf, budget)
    amount, budget = self._ask(pool, self._release_payload(message, token, tokenData), budget)
    if receiver != pool:
        after: uint256 = 0
        after, budget = self._ask(local, balanceOf, budget)
        if after < before or unsafe_sub(after, before) != amount:
            refusal._three(
                convert(method_id("ReleaseOrMintBalanceMismatch(uint256,uint256,uint256)", output_type=bytes4), uint32),
                amount,
                before,
                after,
            )
    return amount
