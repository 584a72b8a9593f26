# pragma version 0.4.3
# Transfers of ERC-20 tokens that return true, nothing, or revert (spec section 6.2). Refusals are the strings that
# wallets know. No storage; whose tokens move is the caller's business.

# Most revert data of a token that is passed on.
MAX_REASON: constant(uint256) = 512


@internal
def _transfer(token: address, to: address, amount: uint256):
    self._call(token, abi_encode(to, amount, method_id=method_id("transfer(address,uint256)")))


@internal
def _transfer_from(token: address, sender: address, to: address, amount: uint256):
    self._call(token, abi_encode(sender, to, amount, method_id=method_id("transferFrom(address,address,uint256)")))


@internal
def _approve(token: address, spender: address, amount: uint256):
    self._call(token, abi_encode(spender, amount, method_id=method_id("approve(address,uint256)")))


@internal
def _call(token: address, payload: Bytes[100]):
    ok: bool = False
    answer: Bytes[MAX_REASON] = b""
    ok, answer = raw_call(token, payload, max_outsize=MAX_REASON, revert_on_failure=False)
    if not ok:
        if len(answer) != 0:
            raw_revert(answer)
        raise "SafeERC20: low-level call failed"
    if len(answer) == 0:
        assert token.codesize > 0, "Address: call to non-contract"
    else:
        result: uint256 = extract32(answer, 0, output_type=uint256)
        assert result < 2
        assert result == 1, "SafeERC20: ERC20 operation did not succeed"
