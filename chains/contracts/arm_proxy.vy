# pragma version 0.4.3
# ARMProxy 1.0.0: a fixed address in front of the risk management contract, which can be exchanged behind it (spec
# section 17.3). It passes every other call on as a plain CALL and knows nothing of what it passes.

from modules import ownable_2step_strings as ownable
from modules import refusal

initializes: ownable
exports: (ownable.owner, ownable.transferOwnership, ownable.acceptOwnership)

event ARMSet:
    arm: address

# Most answer bytes passed back, and those reserved for the calls that messages and commits pay for, whose answer is one
# word at most: memory is paid for when it is reserved. An answer that does not fit is refused, never cut.
MAX_ANSWER: constant(uint256) = 8192
SMALL_ANSWER: constant(uint256) = 96
# isCursed(), isCursed(bytes16), and verify, which answers nothing.
IS_CURSED: constant(uint32) = 964138743  # 0x397796f7
IS_SUBJECT_CURSED: constant(uint32) = 750528187  # 0x2cbc26bb
VERIFY: constant(uint32) = 1890125982  # 0x70a9089e

_arm: address


@deploy
def __init__(arm: address):
    ownable.__init__()
    self._set_arm(arm)


@external
@view
def typeAndVersion() -> String[32]:
    return "ARMProxy 1.0.0"


@external
@view
def getARM() -> address:
    return self._arm


@external
def setARM(arm: address):
    ownable._check_owner()
    self._set_arm(arm)


@internal
def _set_arm(arm: address):
    if arm == empty(address):
        refusal._plain(convert(method_id("ZeroAddressNotAllowed()", output_type=bytes4), uint32))
    self._arm = arm
    log ARMSet(arm=arm)


@external
@raw_return
def __default__() -> Bytes[MAX_ANSWER]:
    """Forwards all gas and the call data as they came; a refusal comes back whole."""
    arm: address = self._arm
    assert arm.codesize > 0
    if len(msg.data) >= 4:
        selector: uint32 = convert(convert(slice(msg.data, 0, 4), bytes4), uint32)
        if selector == IS_CURSED or selector == IS_SUBJECT_CURSED or selector == VERIFY:
            short: Bytes[SMALL_ANSWER] = raw_call(arm, msg.data, max_outsize=SMALL_ANSWER)
            assert len(short) < SMALL_ANSWER
            return short
    answer: Bytes[MAX_ANSWER] = raw_call(arm, msg.data, max_outsize=MAX_ANSWER)
    assert len(answer) < MAX_ANSWER
    return answer
