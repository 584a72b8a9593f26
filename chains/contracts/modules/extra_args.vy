# pragma version 0.4.3
# The senders' extra arguments and the addresses of other chains, read where they lie in the call data (spec sections 5
# and 15.6). No storage: limits come from the caller. What does not decode is refused with no data.

import fee_version
from modules import cursor
from modules import fee_config
from modules import refusal

# Tags, the first four bytes.
EVM_V1: constant(uint256) = 2544261065  # 0x97a657c9
GENERIC_V2: constant(uint256) = 404606736  # 0x181dcf10
SVM_V1: constant(uint256) = 523975354  # 0x1f3b3aba
SUI_V1: constant(uint256) = 569003177  # 0x21ea4ca9
# Lowest addresses that are no precompiles.
EVM_LOWEST: constant(uint256) = 1024
MOVE_LOWEST: constant(uint256) = 11
SUI_LOWEST: constant(uint256) = 57065  # 0xdee9
# Bytes of an address of the TVM family: two of flags and workchain, a hash of 32, a checksum of two.
TVM_BYTES: constant(uint256) = 36
# Most accounts of a message to a chain of the SVM family, and most object ids of one to the Sui family.
MAX_ACCOUNTS: constant(uint256) = 64
U32: constant(uint256) = 2**32 - 1


@internal
@view
def _length(at: uint256) -> uint256:
    """The length of the byte string at `at`, which must lie within the call data."""
    length: uint256 = cursor._word(at)
    assert length <= len(msg.data) and unsafe_add(unsafe_add(at, 32), length) <= len(msg.data)
    return length


@internal
@view
def _generic(at: uint256, defaultGasLimit: uint256) -> (uint256, uint256):
    """Gas limit and out-of-order flag (0 or 1) of the EVM-like families."""
    length: uint256 = self._length(at)
    if length == 0:
        return defaultGasLimit, 0
    assert length > 3
    if length > 67:
        # The word that ends with the tag, and the two after it.
        words: uint256[3] = abi_decode(slice(msg.data, unsafe_add(at, 4), 96), uint256[3])
        if words[0] & U32 == GENERIC_V2:
            assert words[2] < 2
            return words[1], words[2]
    tag: uint256 = convert(slice(msg.data, unsafe_add(at, 32), 4), uint256)
    if tag == EVM_V1:
        assert length > 35
        return cursor._word(unsafe_add(at, 36)), 0
    # A body that is too short for its tag does not decode; any other tag is refused by name.
    assert tag != GENERIC_V2
    refusal._plain(convert(method_id("InvalidExtraArgsTag()", output_type=bytes4), uint32))
    return 0, 0


@internal
@view
def _svm(at: uint256, enforceOutOfOrder: bool, maxUnits: uint256) -> uint256[5]:
    """Compute units, writable bitmap, out-of-order flag, token receiver, and number of accounts."""
    length: uint256 = self._length(at)
    if length == 0:
        refusal._plain(convert(method_id("InvalidExtraArgsData()", output_type=bytes4), uint32))
    if length < 4 or convert(slice(msg.data, unsafe_add(at, 32), 4), uint256) != SVM_V1:
        refusal._plain(convert(method_id("InvalidExtraArgsTag()", output_type=bytes4), uint32))
    body: uint256 = unsafe_add(at, 36)
    end: uint256 = unsafe_add(unsafe_add(at, 32), length)
    args: uint256 = body + cursor._word(body)
    assert args + 160 <= end
    words: uint256[5] = abi_decode(slice(msg.data, args, 160), uint256[5])
    assert words[0] >> 32 | words[1] >> 64 | words[2] >> 1 == 0
    accounts: uint256 = args + words[4]
    assert accounts + 32 <= end
    words[4] = cursor._word(accounts)
    assert words[4] <= length and unsafe_add(unsafe_add(accounts, 32), words[4] << 5) <= end
    if enforceOutOfOrder and words[2] == 0:
        refusal._plain(convert(method_id("ExtraArgOutOfOrderExecutionMustBeTrue()", output_type=bytes4), uint32))
    if words[0] > maxUnits:
        refusal._plain(convert(method_id("MessageComputeUnitLimitTooHigh()", output_type=bytes4), uint32))
    return words


@internal
@view
def _sui(at: uint256, enforceOutOfOrder: bool, maxGas: uint256) -> uint256[5]:
    """Gas limit, zero, out-of-order flag, token receiver, and number of object ids; of version 1.6.3 only."""
    length: uint256 = self._length(at)
    if length == 0:
        refusal._plain(convert(method_id("InvalidExtraArgsData()", output_type=bytes4), uint32))
    if length < 4 or convert(slice(msg.data, unsafe_add(at, 32), 4), uint256) != SUI_V1:
        refusal._plain(convert(method_id("InvalidExtraArgsTag()", output_type=bytes4), uint32))
    body: uint256 = unsafe_add(at, 36)
    end: uint256 = unsafe_add(unsafe_add(at, 32), length)
    args: uint256 = body + cursor._word(body)
    assert args + 128 <= end
    words: uint256[4] = abi_decode(slice(msg.data, args, 128), uint256[4])
    assert words[1] < 2
    ids: uint256 = args + words[3]
    assert ids + 32 <= end
    words[3] = cursor._word(ids)
    assert words[3] <= length and unsafe_add(unsafe_add(ids, 32), words[3] << 5) <= end
    if enforceOutOfOrder and words[1] == 0:
        refusal._plain(convert(method_id("ExtraArgOutOfOrderExecutionMustBeTrue()", output_type=bytes4), uint32))
    if words[0] > maxGas:
        refusal._plain(convert(method_id("MessageGasLimitTooHigh()", output_type=bytes4), uint32))
    return [words[0], 0, words[1], words[2], words[3]]


@internal
@view
def _is_address(at: uint256, family: uint256, called: uint256) -> bool:
    """
    Whether the byte string at `at` is an address of that family. With `called` 0 the SVM family, and in version 1.6.3
    the Sui family, allow the zero address, which means that nothing is called there; otherwise it is 1.
    """
    words: uint256[2] = abi_decode(slice(msg.data, at, 64), uint256[2])
    if fee_version.IS_1_6_3:
        if family == fee_config.FAMILY_TVM:
            return words[0] == TVM_BYTES and cursor._word(unsafe_add(at, 34)) != 0
    if words[0] != 32:
        return False
    value: uint256 = words[1]
    if family == fee_config.FAMILY_EVM:
        return value >= EVM_LOWEST and value >> 160 == 0
    if family == fee_config.FAMILY_SVM:
        return value >= called
    if fee_version.IS_1_6_3:
        if family == fee_config.FAMILY_SUI:
            return value >= unsafe_mul(called, SUI_LOWEST)
    return value >= MOVE_LOWEST
