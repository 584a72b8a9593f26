# pragma version 0.4.3
# pragma optimize codesize
# OffRamp 1.6.0: takes committed roots from every source chain and executes the messages proven against them
# (spec sections 11 to 13). Here: execution. Commits are in modules/committing, storage in modules/ramp_state, oracle
# sets in modules/multi_ocr3.
#
# execute, manuallyExecute and executeSingleMessage are served by __default__, because Vyper would decode their typed
# arguments into memory laid out for the largest report. The call data is read in place instead. Small messages go
# through internal functions with small frames; the buffers for large ones lie at the far end of __default__'s own
# frame, above everything else, and cost nothing until a large message touches them.

from modules import committing
from modules import cursor
from modules import gas_exact
from modules import gas_overrides
from modules import merkle
from modules import multi_ocr3
from modules import ownable_2step as ownable
from modules import ramp_state
from modules import refusal
from modules import releasing

initializes: ownable
initializes: multi_ocr3
initializes: ramp_state[ownable := ownable]
initializes: committing[multi_ocr3 := multi_ocr3, ramp_state := ramp_state]
initializes: releasing[ramp_state := ramp_state]
exports: (
    ownable.owner,
    ownable.transferOwnership,
    ownable.acceptOwnership,
    multi_ocr3.latestConfigDetails,
    ramp_state.getStaticConfig,
    ramp_state.getDynamicConfig,
    ramp_state.getSourceChainConfig,
    ramp_state.getAllSourceChainConfigs,
    ramp_state.getMerkleRoot,
    ramp_state.getLatestPriceSequenceNumber,
    ramp_state.getExecutionState,
    ramp_state.applySourceChainConfigUpdates,
    ramp_state.setDynamicConfig,
    committing.commit,
)

interface NonceManager:
    def incrementInboundNonce(source: uint64, expectedNonce: uint64, sender: Bytes[256]) -> bool: nonpayable

struct MerkleRoot:
    sourceChainSelector: uint64
    onRampAddress: Bytes[64]
    minSeqNr: uint64
    maxSeqNr: uint64
    merkleRoot: bytes32

struct TokenPriceUpdate:
    sourceToken: address
    usdPerToken: uint224

struct GasPriceUpdate:
    destChainSelector: uint64
    usdPerUnitGas: uint224

struct PriceUpdates:
    tokenPriceUpdates: DynArray[TokenPriceUpdate, 192]
    gasPriceUpdates: DynArray[GasPriceUpdate, 192]

struct TokenAmount:
    token: address
    amount: uint256

# This event, SkippedAlreadyExecutedMessage and AlreadyAttempted are emitted by raw_log.
event CommitReportAccepted:
    blessedMerkleRoots: DynArray[MerkleRoot, 64]
    unblessedMerkleRoots: DynArray[MerkleRoot, 64]
    priceUpdates: PriceUpdates

event ExecutionStateChanged:
    sourceChainSelector: indexed(uint64)
    sequenceNumber: indexed(uint64)
    messageId: indexed(bytes32)
    messageHash: bytes32
    state: uint8
    returnData: Bytes[512]
    gasUsed: uint256

event SkippedAlreadyExecutedMessage:
    sourceChainSelector: uint64
    sequenceNumber: uint64

event AlreadyAttempted:
    sourceChainSelector: uint64
    sequenceNumber: uint64

event SkippedReportExecution:
    sourceChainSelector: uint64

event RootRemoved:
    root: bytes32

# Execution states of a message.
UNTOUCHED: constant(uint256) = 0
IN_PROGRESS: constant(uint256) = 1
SUCCESS: constant(uint256) = 2
FAILURE: constant(uint256) = 3
# What _admit says of a message that is not to be tried.
SKIP: constant(uint256) = 255
# Interface ids asked by ERC-165.
RECEIVER_INTERFACE: constant(uint32) = 2237083643  # 0x85572ffb
# The most revert data of a message that is kept in its event.
MAX_RETURN_DATA: constant(uint256) = 512
# The longest self-call and delivery, in bytes of call data, that go through cursor._gather.
SMALL_TRIAL: constant(uint256) = 4480
SMALL_DELIVERY: constant(uint256) = 4480
# The largest ones, and the largest data hashed, in words.
LARGE_TRIAL: constant(uint256) = 1536
LARGE_DELIVERY: constant(uint256) = 1104
LARGE_HASH: constant(uint256) = 1025
# Room for a routeMessage answer: three head words, a length and 132 bytes rounded up.
ROUTE_ANSWER: constant(uint256) = 288

# Selectors served by __default__, and those it calls with payloads built by hand.
EXECUTE: constant(uint32) = 4119725052  # 0xf58e03fc
MANUALLY_EXECUTE: constant(uint32) = 1585164296  # 0x5e7bb008
EXECUTE_SINGLE_MESSAGE: constant(uint32) = 1620605984  # 0x60987c20
ROUTE_MESSAGE: constant(uint32) = 1022982531  # 0x3cf97983
ROUTE_MESSAGE_BYTES: constant(bytes4) = 0x3cf97983
ON_INBOUND_MESSAGE: constant(bytes4) = 0x08d450a1

ANY_2_EVM_MESSAGE_HASH: constant(bytes32) = keccak256("Any2EVMMessageHashV1")
SKIPPED_ALREADY_EXECUTED: constant(bytes32) = keccak256("SkippedAlreadyExecutedMessage(uint64,uint64)")
ALREADY_ATTEMPTED: constant(bytes32) = keccak256("AlreadyAttempted(uint64,uint64)")


@deploy
def __init__(
    staticConfig: ramp_state.StaticConfig,
    dynamicConfig: ramp_state.DynamicConfig,
    sourceChainConfigs: DynArray[ramp_state.SourceChainConfigArgs, 32],
):
    ownable.__init__()
    multi_ocr3.__init__()
    ramp_state.__init__(staticConfig, dynamicConfig, sourceChainConfigs)


@external
def setOCR3Configs(ocrConfigArgs: DynArray[multi_ocr3.OCRConfigArgs, 4]):
    ownable._check_owner()
    for config: multi_ocr3.OCRConfigArgs in ocrConfigArgs:
        multi_ocr3._set_config(config)
        if config.ocrPluginType == multi_ocr3.COMMIT:
            if not config.isSignatureVerificationEnabled:
                refusal._plain(
                    convert(method_id("SignatureVerificationRequiredInCommitPlugin()", output_type=bytes4), uint32)
                )
            ramp_state._latestPriceSequenceNumber = 0
        elif config.ocrPluginType == multi_ocr3.EXECUTION and config.isSignatureVerificationEnabled:
            refusal._plain(
                convert(method_id("SignatureVerificationNotAllowedInExecutionPlugin()", output_type=bytes4), uint32)
            )


@external
@view
def typeAndVersion() -> String[32]:
    return "OffRamp 1.6.0"


# -------------------------------------------------------------------------------------------------------- execution


@internal
@view
def _check_selectors(source: uint256, message: uint256):
    target: uint256 = cursor._item(message, 2)
    if target != convert(ramp_state.CHAIN_SELECTOR, uint256):
        refusal._one(convert(method_id("InvalidMessageDestChainSelector(uint64)", output_type=bytes4), uint32), target)
    origin: uint256 = cursor._item(message, 1)
    if origin != source:
        refusal._two(
            convert(method_id("SourceChainSelectorMismatch(uint64,uint64)", output_type=bytes4), uint32), source, origin
        )


@internal
@view
def _leaf(metadataHash: bytes32, message: uint256, dataHash: bytes32, end: uint256) -> bytes32:
    """The leaf of a message (spec section 8.2)."""
    head: uint256[10] = abi_decode(slice(msg.data, message, 320), uint256[10])
    fixedHash: bytes32 = keccak256(abi_encode(head[0], head[7], head[3], head[8], head[4]))
    senderHash: bytes32 = cursor._hash_bytes(unsafe_add(message, 320))
    tokensHash: bytes32 = cursor._hash_array(cursor._follow(message, 9), end)
    return keccak256(abi_encode(empty(bytes32), metadataHash, fixedHash, senderHash, dataHash, tokensHash))


@internal
def _admit(source: uint64, message: uint256, seq: uint256, manual: bool, committedAt: uint256) -> uint256:
    """The state a message is tried from, or SKIP (spec section 13.2, steps 7.1 to 7.3)."""
    state: uint256 = ramp_state._state(source, seq)
    skipped: bytes32 = empty(bytes32)
    if state == IN_PROGRESS or state == SUCCESS:
        skipped = SKIPPED_ALREADY_EXECUTED
    elif not manual:
        if state == FAILURE:
            skipped = ALREADY_ATTEMPTED
    elif state == UNTOUCHED and unsafe_sub(block.timestamp, committedAt) <= convert(
        ramp_state._dynamicConfig.permissionLessExecutionThresholdSeconds, uint256
    ):
        refusal._one(
            convert(method_id("ManualExecutionNotYetEnabled(uint64)", output_type=bytes4), uint32),
            convert(source, uint256),
        )
    if skipped != empty(bytes32):
        raw_log([skipped], abi_encode(source, seq))
        return SKIP
    nonce: uint256 = cursor._item(message, 4)
    if nonce != 0 and state == UNTOUCHED:
        accepted: bool = extcall NonceManager(ramp_state.NONCE_MANAGER).incrementInboundNonce(
            source, convert(nonce, uint64), cursor._bytes_at(unsafe_add(message, 320))
        )
        if not accepted:
            return SKIP
    return state


@internal
def _settle(
    source: uint64,
    message: uint256,
    leaf: bytes32,
    state: uint256,
    manual: bool,
    ok: bool,
    answer: Bytes[MAX_RETURN_DATA],
    startGas: uint256,
):
    """Records and reports the result of a trial (spec section 13.2, steps 7.5 to 7.7)."""
    seq: uint256 = cursor._item(message, 3)
    messageId: bytes32 = convert(cursor._word(message), bytes32)
    result: uint256 = SUCCESS
    if not ok:
        result = FAILURE
        if msg.sender == multi_ocr3.GAS_ESTIMATION_SENDER and len(answer) >= 4:
            reason: uint32 = convert(convert(slice(answer, 0, 4), bytes4), uint32)
            if (
                reason == convert(method_id("NotEnoughGasForCall()", output_type=bytes4), uint32)
                or reason == convert(method_id("NoGasForCallExactCheck()", output_type=bytes4), uint32)
                or reason == convert(method_id("InsufficientGasForStaticCall()", output_type=bytes4), uint32)
            ):
                refusal._one(
                    convert(method_id("InsufficientGasToCompleteTx(bytes4)", output_type=bytes4), uint32),
                    convert(reason, uint256) << 224,
                )
        if manual and state == FAILURE:
            raw_revert(abi_encode(messageId, answer, method_id=method_id("ExecutionError(bytes32,bytes)")))
    ramp_state._set_state(source, seq, result)
    log ExecutionStateChanged(
        sourceChainSelector=source,
        sequenceNumber=convert(seq, uint64),
        messageId=messageId,
        messageHash=leaf,
        state=convert(result, uint8),
        # A trial that succeeds answers nothing.
        returnData=answer,
        gasUsed=unsafe_sub(startGas, msg.gas),
    )


@internal
@view
def _wants_call(message: uint256) -> bool:
    """Whether the receiver is to be called at all (spec section 13.3, step 4)."""
    if cursor._word(cursor._follow(message, 6)) == 0 and cursor._item(message, 8) == 0:
        return False
    receiver: address = convert(cursor._item(message, 7), address)
    if receiver.codesize == 0:
        return False
    return gas_exact._supports(receiver, RECEIVER_INTERFACE)


@internal
@view
def _router(message: uint256) -> address:
    packed: uint256 = ramp_state._sources[convert(cursor._item(message, 1), uint64)]
    router: address = convert(packed & ramp_state.U160, address)
    assert router.codesize > 0
    return router


@internal
@pure
def _check_delivery(answer: Bytes[ROUTE_ANSWER]):
    """Refuses with the receiver's revert data when the router says that the receiver failed."""
    # Success flag, offset, gas used, then length and content of the receiver's return data.
    if extract32(answer, 0, output_type=uint256) == 0:
        length: uint256 = extract32(answer, 96, output_type=uint256)
        raw_revert(abi_encode(slice(answer, 128, length), method_id=method_id("ReceiverError(bytes)")))


@internal
@pure
def _pairs(tokens: DynArray[TokenAmount, 32]) -> Bytes[2112]:
    """The token amounts as they end an encoded message: count, then pairs."""
    return slice(abi_encode(tokens), 32, unsafe_add(32, len(tokens) << 6))


# ---------------------------------------------------------------------------------------- entry points read in place


@external
def __default__():
    """execute, manuallyExecute, executeSingleMessage; any other selector, ccipReceive too, is refused with no data."""
    selector: uint32 = convert(convert(slice(msg.data, 0, 4), bytes4), uint32)
    head: uint256[12] = empty(uint256[12])
    if selector == EXECUTE_SINGLE_MESSAGE:
        if msg.sender != self:
            refusal._plain(convert(method_id("CanOnlySelfCall()", output_type=bytes4), uint32))
        # The call data is our own copy of a checked message: at byte 100, then its token data and gas overrides.
        message: uint256 = 100
        tokensAt: uint256 = cursor._follow(message, 9)
        overrides: uint256 = cursor._follow(4, 2)
        tokens: DynArray[TokenAmount, 32] = []
        for i: uint256 in range(cursor._word(tokensAt), bound=cursor.MAX_TOKENS):
            override: uint256 = 0
            if cursor._word(overrides) != 0:
                override = cursor._item(overrides, unsafe_add(i, 1))
            token: uint256 = cursor._element(tokensAt, i)
            amount: uint256 = releasing._release(message, token, cursor._element(cursor._follow(4, 1), i), override)
            tokens.append(TokenAmount(token=convert(cursor._item(token, 1), address), amount=amount))
        interceptor: address = ramp_state._dynamicConfig.messageInterceptor
        if interceptor == empty(address) and not self._wants_call(message):
            return
        head[0] = 128
        head[1] = convert(ramp_state.GAS_FOR_CALL_EXACT_CHECK, uint256)
        head[2] = cursor._item(message, 8)
        head[3] = cursor._item(message, 7)
        head[4] = cursor._word(message)
        head[5] = cursor._item(message, 1)
        # Sender and data lie side by side in the message, and do so in what the receiver gets.
        head[6] = 160
        head[7] = unsafe_sub(cursor._item(message, 6), 160)
        head[8] = unsafe_sub(tokensAt, 260)
        if interceptor == empty(address) and tokensAt <= SMALL_DELIVERY:
            self._check_delivery(
                raw_call(
                    self._router(message),
                    concat(
                        cursor._gather(ROUTE_MESSAGE, head, 9, 420, tokensAt, 0, 0, 0, 0), self._pairs(tokens)
                    ),
                    max_outsize=ROUTE_ANSWER,
                )
            )
            return
        # The same in a buffer for the largest message, and with the interceptor asked first.
        words: uint256[LARGE_DELIVERY] = empty(uint256[LARGE_DELIVERY])
        for i: uint256 in range(9):
            words[i] = head[i]
        size: uint256 = unsafe_sub(tokensAt, 420) >> 5
        for i: uint256 in range(size, bound=LARGE_DELIVERY):
            words[unsafe_add(9, i)] = cursor._item(420, i)
        size = unsafe_add(size << 5, 288)
        if interceptor != empty(address):
            assert interceptor.codesize > 0
            words[3] = 32
            accepted: bool = False
            refused: Bytes[MAX_RETURN_DATA] = b""
            accepted, refused = raw_call(
                interceptor,
                concat(ON_INBOUND_MESSAGE, slice(abi_encode(words), 96, unsafe_sub(size, 96)), self._pairs(tokens)),
                max_outsize=MAX_RETURN_DATA,
                revert_on_failure=False,
            )
            if not accepted:
                raw_revert(abi_encode(refused, method_id=method_id("MessageValidationError(bytes)")))
            if not self._wants_call(message):
                return
            words[3] = head[3]
        self._check_delivery(
            raw_call(
                self._router(message),
                concat(ROUTE_MESSAGE_BYTES, slice(abi_encode(words), 0, size), self._pairs(tokens)),
                max_outsize=ROUTE_ANSWER,
            )
        )
        return

    manual: bool = selector == MANUALLY_EXECUTE
    reports: uint256 = 164
    overrides: uint256 = 0
    if manual:
        reports = 68
        assert cursor._word(4) == 64
        overrides = cursor._reports_end(reports)
        assert cursor._word(36) == unsafe_sub(overrides, 4)
        cursor._overrides_end(overrides)
        multi_ocr3._check_fork()
        gas_overrides._check_overrides(reports, overrides)
    else:
        assert selector == EXECUTE
        assert cursor._word(68) == 96
        assert cursor._word(132) == 32
        assert cursor._reports_end(reports) == unsafe_add(132, cursor._word(100))

    reportCount: uint256 = cursor._word(reports)
    if reportCount == 0:
        refusal._plain(convert(method_id("EmptyBatch()", output_type=bytes4), uint32))
    for r: uint256 in range(reportCount, bound=cursor.MAX_REPORTS):
        report: uint256 = cursor._element(reports, r)
        sourceWord: uint256 = cursor._word(report)
        source: uint64 = convert(sourceWord, uint64)
        if ramp_state._is_cursed(source):
            if manual:
                refusal._one(convert(method_id("CursedByRMN(uint64)", output_type=bytes4), uint32), sourceWord)
            log SkippedReportExecution(sourceChainSelector=source)
            continue
        messages: uint256 = unsafe_add(report, 160)
        count: uint256 = cursor._word(messages)
        if count == 0:
            refusal._one(convert(method_id("EmptyReport(uint64)", output_type=bytes4), uint32), sourceWord)
        tokenDatas: uint256 = cursor._follow(report, 2)
        if count != cursor._word(tokenDatas):
            refusal._plain(convert(method_id("UnexpectedTokenData()", output_type=bytes4), uint32))
        ramp_state._enabled(source)
        metadataHash: bytes32 = keccak256(
            abi_encode(ANY_2_EVM_MESSAGE_HASH, source, ramp_state.CHAIN_SELECTOR, ramp_state._onRampHashes[source])
        )
        leaves: bytes32[257] = empty(bytes32[257])
        for m: uint256 in range(count, bound=257):
            message: uint256 = cursor._element(messages, m)
            self._check_selectors(sourceWord, message)
            end: uint256 = tokenDatas
            if unsafe_add(m, 1) < count:
                end = cursor._element(messages, unsafe_add(m, 1))
            data: uint256 = cursor._follow(message, 6)
            dataHash: bytes32 = empty(bytes32)
            if cursor._word(data) <= 32 * cursor.GATHER_WORDS:
                dataHash = cursor._hash_bytes(data)
            else:
                words: uint256[LARGE_HASH] = empty(uint256[LARGE_HASH])
                for i: uint256 in range(unsafe_sub(cursor._span(data), data) >> 5, bound=LARGE_HASH):
                    words[i] = cursor._item(data, i)
                dataHash = keccak256(slice(abi_encode(words), 32, cursor._word(data)))
            leaves[m] = self._leaf(metadataHash, message, dataHash, end)

        proofs: uint256 = cursor._follow(report, 3)
        root: bytes32 = leaves[0]
        if count != 1 or cursor._word(proofs) != 0:
            root = merkle._merkle_root(leaves, count, proofs, cursor._item(report, 4))
        committedAt: uint256 = ramp_state._roots[source][root]
        if committedAt == 0:
            refusal._one(convert(method_id("RootNotCommitted(uint64)", output_type=bytes4), uint32), sourceWord)

        for m: uint256 in range(count, bound=257):
            startGas: uint256 = msg.gas
            message: uint256 = cursor._element(messages, m)
            seq: uint256 = cursor._item(message, 3)
            state: uint256 = self._admit(source, message, seq, manual, committedAt)
            if state == SKIP:
                continue
            tokenData: uint256 = cursor._element(tokenDatas, m)
            if cursor._word(cursor._follow(message, 9)) != cursor._word(tokenData):
                refusal._two(
                    convert(method_id("TokenDataMismatch(uint64,uint64)", output_type=bytes4), uint32), sourceWord, seq
                )
            ramp_state._set_state(source, seq, IN_PROGRESS)

            messageEnd: uint256 = tokenDatas
            tokenDataEnd: uint256 = proofs
            if unsafe_add(m, 1) < count:
                messageEnd = cursor._element(messages, unsafe_add(m, 1))
                tokenDataEnd = cursor._element(tokenDatas, unsafe_add(m, 1))
            head[0] = 96
            head[1] = unsafe_add(96, unsafe_sub(messageEnd, message))
            head[2] = unsafe_add(head[1], unsafe_sub(tokenDataEnd, tokenData))
            for i: uint256 in range(9):
                head[unsafe_add(3, i)] = cursor._item(message, i)
            # Without overrides their array is empty: one zero word, which is appended after the copied ranges.
            override: uint256 = 0
            overrideEnd: uint256 = 0
            if manual:
                override = cursor._element(cursor._element(overrides, r), m)
                if cursor._word(override) != 0:
                    head[11] = cursor._word(override)
                override = unsafe_add(override, 64)
                overrideEnd = unsafe_add(override, unsafe_add(32, cursor._word(override) << 5))
            ok: bool = False
            answer: Bytes[MAX_RETURN_DATA] = b""
            if unsafe_add(head[2], unsafe_sub(overrideEnd, override)) <= SMALL_TRIAL:
                ok, answer = raw_call(
                    self,
                    concat(
                        cursor._gather(
                            EXECUTE_SINGLE_MESSAGE,
                            head,
                            12,
                            unsafe_add(message, 288),
                            messageEnd,
                            tokenData,
                            tokenDataEnd,
                            override,
                            overrideEnd,
                        ),
                        # With no overrides this is their empty array; after overrides it is beyond the arguments.
                        empty(bytes32),
                    ),
                    max_outsize=MAX_RETURN_DATA,
                    revert_on_failure=False,
                )
            else:
                words: uint256[LARGE_TRIAL] = empty(uint256[LARGE_TRIAL])
                words[0] = convert(EXECUTE_SINGLE_MESSAGE, uint256)
                for i: uint256 in range(12):
                    words[unsafe_add(1, i)] = head[i]
                n: uint256 = 13
                ranges: uint256[6] = [
                    unsafe_add(message, 288), messageEnd, tokenData, tokenDataEnd, override, overrideEnd
                ]
                for part: uint256 in [0, 2, 4]:
                    size: uint256 = unsafe_sub(ranges[unsafe_add(part, 1)], ranges[part]) >> 5
                    for i: uint256 in range(size, bound=LARGE_TRIAL):
                        words[n] = cursor._item(ranges[part], i)
                        n = unsafe_add(n, 1)
                ok, answer = raw_call(
                    self,
                    slice(abi_encode(words), 28, unsafe_add(n << 5, 4)),
                    max_outsize=MAX_RETURN_DATA,
                    revert_on_failure=False,
                )
            self._settle(source, message, leaves[m], state, manual, ok, answer, startGas)

    if not manual:
        digest: bytes32 = convert(cursor._word(4), bytes32)
        multi_ocr3._check_transmission(multi_ocr3.EXECUTION, unsafe_add(132, cursor._word(100)), digest)
        log multi_ocr3.Transmitted(
            ocrPluginType=multi_ocr3.EXECUTION,
            configDigest=digest,
            sequenceNumber=convert(cursor._word(36) & ramp_state.U64, uint64),
        )
