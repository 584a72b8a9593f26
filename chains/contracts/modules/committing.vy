# pragma version 0.4.3
# Commit reports: blessings verified, prices passed on, roots stored (spec section 12).
# The report is checked in place; what is passed on of it is copied as it came.

from modules import cursor
from modules import multi_ocr3
from modules import ramp_state
from modules import refusal

uses: multi_ocr3
uses: ramp_state

# Longest commit report in bytes.
MAX_COMMIT_REPORT: constant(uint256) = 4608
# verify(address,MerkleRoot[],(bytes32,bytes32)[]) and updatePrices(PriceUpdates).
VERIFY: constant(bytes4) = 0x70a9089e
UPDATE_PRICES: constant(bytes4) = 0x3937306f
# Where the content of the report begins in the call data.
REPORT: constant(uint256) = 228
# Where its prices begin in the report.
PRICES: constant(uint256) = 160
# keccak-256 of CommitReportAccepted(MerkleRoot[],MerkleRoot[],PriceUpdates) with the tuples of spec section 4.2.
COMMIT_REPORT_ACCEPTED: constant(bytes32) = 0xb967c9b9e1b7af9a61ca71ff00e9f5b89ec6f2e268de8dacf12f0de8e51f3e47


@internal
def _commit_root(at: uint256, blessed: bool):
    """Stores the (already checked) MerkleRoot at `at`."""
    head: uint256[5] = abi_decode(slice(msg.data, at, 160), uint256[5])
    source: uint64 = convert(head[0], uint64)
    if ramp_state._is_cursed(source):
        refusal._one(convert(method_id("CursedByRMN(uint64)", output_type=bytes4), uint32), head[0])
    packed: uint256 = ramp_state._enabled(source)
    if blessed == ((packed >> 232) & 1 == 1):
        refusal._three(
            convert(method_id("RootBlessingMismatch(uint64,bytes32,bool)", output_type=bytes4), uint32),
            head[0],
            head[4],
            convert(blessed, uint256),
        )
    if cursor._hash_bytes(unsafe_add(at, 160)) != ramp_state._onRampHashes[source]:
        raw_revert(
            abi_encode(
                cursor._bytes_at(unsafe_add(at, 160)),
                ramp_state._onRamps[source],
                method_id=method_id("CommitOnRampMismatch(bytes,bytes)"),
            )
        )
    if (packed >> 168) & ramp_state.U64 != head[2] or head[2] > head[3]:
        refusal._three(
            convert(method_id("InvalidInterval(uint64,uint64,uint64)", output_type=bytes4), uint32),
            head[0],
            head[2],
            head[3],
        )
    if head[4] == 0:
        refusal._plain(convert(method_id("InvalidRoot()", output_type=bytes4), uint32))
    root: bytes32 = convert(head[4], bytes32)
    if ramp_state._roots[source][root] != 0:
        refusal._two(
            convert(method_id("RootAlreadyCommitted(uint64,bytes32)", output_type=bytes4), uint32), head[0], head[4]
        )
    assert head[3] < ramp_state.U64
    ramp_state._sources[source] = (packed & ~(ramp_state.U64 << 168)) | (unsafe_add(head[3], 1) << 168)
    ramp_state._roots[source][root] = block.timestamp


@external
def commit(
    reportContext: bytes32[2],
    report: Bytes[MAX_COMMIT_REPORT],
    rs: DynArray[bytes32, 32],
    ss: DynArray[bytes32, 32],
    rawVs: bytes32,
):
    ocrSequence: uint64 = convert(convert(reportContext[1], uint256) & ramp_state.U64, uint64)
    # The report, its prices and the token prices are at bytes 260, 388 and 452 of the call data.
    assert cursor._word(68) == 192
    assert cursor._word(REPORT) == 32
    head: uint256[7] = abi_decode(slice(msg.data, 260, 224), uint256[7])
    assert head[0] == 128
    assert head[4] == 64
    gasPrices: uint256 = cursor._prices_end(452, 160)
    assert head[5] == unsafe_sub(gasPrices, 388)
    roots: uint256 = cursor._prices_end(gasPrices, 64)
    assert head[1] == unsafe_sub(roots, 260)
    unblessed: uint256 = cursor._roots_end(roots)
    assert head[2] == unsafe_sub(unblessed, 260)
    signatures: uint256 = cursor._roots_end(unblessed)
    assert head[3] == unsafe_sub(signatures, 260)
    end: uint256 = unsafe_add(signatures, unsafe_add(32, cursor._count(signatures, 128) << 6))
    assert end == unsafe_add(REPORT, len(report))
    blessedCount: uint256 = cursor._word(roots)
    unblessedCount: uint256 = cursor._word(unblessed)
    if blessedCount != 0:
        raw_call(
            ramp_state.RMN_REMOTE,
            concat(
                abi_encode(self, convert(96, uint256), unsafe_add(96, unsafe_sub(unblessed, roots)), method_id=VERIFY),
                slice(report, unsafe_sub(roots, REPORT), unsafe_sub(unblessed, roots)),
                slice(report, unsafe_sub(signatures, REPORT), unsafe_sub(end, signatures)),
            ),
            is_static_call=True,
        )
    if head[6] != 0 or cursor._word(gasPrices) != 0:
        if ramp_state._latestPriceSequenceNumber < ocrSequence:
            ramp_state._latestPriceSequenceNumber = ocrSequence
            quoter: address = ramp_state._dynamicConfig.feeQuoter
            assert quoter.codesize > 0
            raw_call(
                quoter,
                concat(UPDATE_PRICES, convert(32, bytes32), slice(report, PRICES, unsafe_sub(roots, 388))),
            )
        elif blessedCount == 0 and unblessedCount == 0:
            refusal._plain(convert(method_id("StaleCommitReport()", output_type=bytes4), uint32))
    for i: uint256 in range(blessedCount, bound=64):
        self._commit_root(cursor._element(roots, i), True)
    for i: uint256 in range(unblessedCount, bound=64):
        self._commit_root(cursor._element(unblessed, i), False)
    raw_log(
        [COMMIT_REPORT_ACCEPTED],
        concat(
            abi_encode(
                convert(96, uint256),
                unsafe_add(96, unsafe_sub(unblessed, roots)),
                unsafe_add(96, unsafe_sub(signatures, roots)),
            ),
            slice(report, unsafe_sub(roots, REPORT), unsafe_sub(signatures, roots)),
            slice(report, PRICES, unsafe_sub(roots, 388)),
        ),
    )
    multi_ocr3._check_transmission(
        multi_ocr3.COMMIT, unsafe_add(unsafe_add(292, len(report)), unsafe_add(len(rs), len(ss)) << 5), reportContext[0]
    )
    signed: bytes32 = keccak256(concat(keccak256(report), reportContext[0], reportContext[1]))
    multi_ocr3._check_signatures(multi_ocr3.COMMIT, signed, rs, ss, rawVs)
    multi_ocr3._log_transmitted(multi_ocr3.COMMIT, reportContext[0], ocrSequence)
