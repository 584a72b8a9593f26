# pragma version 0.4.3
# The checks of the gas overrides that a manual execution brings along (spec section 13.1). No storage.

from modules import cursor
from modules import refusal


@internal
@view
def _check_overrides(reports: uint256, overrides: uint256):
    """The gas overrides of manuallyExecute against the messages (spec section 13.1)."""
    mismatch: bool = cursor._word(reports) != cursor._word(overrides)
    for r: uint256 in range(cursor._word(reports), bound=cursor.MAX_REPORTS):
        if mismatch:
            break
        report: uint256 = cursor._element(reports, r)
        inner: uint256 = cursor._element(overrides, r)
        mismatch = cursor._item(report, 5) != cursor._word(inner)
        if not mismatch:
            for m: uint256 in range(cursor._word(inner), bound=cursor.MAX_MESSAGES):
                self._check_override(
                    cursor._word(report), cursor._element(unsafe_add(report, 160), m), cursor._element(inner, m)
                )
    if mismatch:
        refusal._plain(convert(method_id("ManualExecutionGasLimitMismatch()", output_type=bytes4), uint32))


@internal
@view
def _check_override(source: uint256, message: uint256, at: uint256):
    limit: uint256 = cursor._word(at)
    messageId: uint256 = cursor._word(message)
    if limit != 0 and limit < cursor._item(message, 8):
        refusal._three(
            convert(method_id("InvalidManualExecutionGasLimit(uint64,bytes32,uint256)", output_type=bytes4), uint32),
            source,
            messageId,
            limit,
        )
    tokens: uint256 = cursor._follow(message, 9)
    count: uint256 = cursor._item(at, 2)
    if count != cursor._word(tokens):
        refusal._two(
            convert(method_id("ManualExecutionGasAmountCountMismatch(bytes32,uint64)", output_type=bytes4), uint32),
            messageId,
            cursor._item(message, 3),
        )
    for i: uint256 in range(count, bound=cursor.MAX_TOKENS):
        given: uint256 = cursor._item(at, unsafe_add(i, 3))
        asked: uint256 = cursor._item(cursor._element(tokens, i), 2)
        if given != 0 and given < asked:
            raw_revert(
                abi_encode(
                    messageId,
                    i,
                    asked,
                    given,
                    method_id=method_id("InvalidManualExecutionTokenGasOverride(bytes32,uint256,uint256,uint256)"),
                )
            )
