# pragma version 0.4.3
# Custom errors whose arguments are single words: selector, then the first `count` of three words.
# Errors with dynamic arguments are encoded where they arise. Selectors come as numbers, which are short in the code.


@internal
@pure
def _refuse(selector: uint32, count: uint256, a: uint256, b: uint256, c: uint256):
    words: uint256[4] = [convert(selector, uint256), a, b, c]
    raw_revert(slice(abi_encode(words), 28, 4 + 32 * count))


@internal
@pure
def _plain(selector: uint32):
    raw_revert(slice(convert(selector, bytes32), 28, 4))
