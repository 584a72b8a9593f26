# pragma version 0.4.3
# Custom errors whose arguments are single words: the selector, then up to three words. Errors with dynamic arguments
# are encoded where they arise. Selectors come as numbers, which are short in the code, and so is every argument less.


@internal
@pure
def _plain(selector: uint32):
    raw_revert(slice(convert(selector, bytes32), 28, 4))


@internal
@pure
def _one(selector: uint32, a: uint256):
    words: uint256[2] = [convert(selector, uint256), a]
    raw_revert(slice(abi_encode(words), 28, 36))


@internal
@pure
def _two(selector: uint32, a: uint256, b: uint256):
    words: uint256[3] = [convert(selector, uint256), a, b]
    raw_revert(slice(abi_encode(words), 28, 68))


@internal
@pure
def _three(selector: uint32, a: uint256, b: uint256, c: uint256):
    words: uint256[4] = [convert(selector, uint256), a, b, c]
    raw_revert(slice(abi_encode(words), 28, 100))
