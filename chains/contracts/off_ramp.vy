# pragma version 0.4.3
# pragma optimize codesize
# OffRamp 1.6.0: takes committed roots from every source chain and executes the messages proven against them
# (spec sections 11 to 13). Here: execution. Commits are in modules/committing, storage in modules/ramp_state, oracle
# sets in modules/multi_ocr3.
#
# execute, manuallyExecute and executeSingleMessage are served by __default__, because Vyper would decode their typed
# arguments into memory laid out for the largest report. The call data is read in place instead, and ranges of it are
# copied as they came. Memory is paid for by how far it reaches, and frames lie above those of the functions they call.
# So _batch and _trial are functions of their own, whose frames begin low, and __default__ touches none; buffers for
# large messages are the last of their frames and cost nothing until a large message touches them.

from modules import committing
from modules import cursor
from modules import delivering
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
initializes: delivering[ramp_state := ramp_state]
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
# The most revert data of a message that is kept in its event.
MAX_RETURN_DATA: constant(uint256) = 512
# The longest message behind its gas limit, in bytes: 32768 of data, and 6144 for sender and tokens.
LARGE: constant(uint256) = 38912
# Room for a count and 32 token amounts, and for a releaseOrMint call with three ranges of the message.
MAX_AMOUNTS: constant(uint256) = 2080
MAX_RELEASE: constant(uint256) = 292 + 3 * cursor.WINDOW

# Selectors served by __default__, and those it calls with payloads built by hand.
EXECUTE: constant(bytes4) = 0xf58e03fc
MANUALLY_EXECUTE: constant(bytes4) = 0x5e7bb008
EXECUTE_SINGLE_MESSAGE: constant(bytes4) = 0x60987c20
ROUTE_MESSAGE: constant(bytes4) = 0x3cf97983
ON_INBOUND_MESSAGE: constant(bytes4) = 0x08d450a1
RELEASE_OR_MINT: constant(bytes4) = 0x39077537

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
def _admit(
    source: uint256, message: uint256, seq: uint256, nonce: uint256, manual: bool, committedAt: uint256
) -> uint256:
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
            convert(method_id("ManualExecutionNotYetEnabled(uint64)", output_type=bytes4), uint32), source
        )
    if skipped != empty(bytes32):
        raw_log([skipped], abi_encode(source, seq))
        return SKIP
    if nonce != 0 and state == UNTOUCHED:
        accepted: bool = extcall NonceManager(ramp_state.NONCE_MANAGER).incrementInboundNonce(
            convert(source, uint64), convert(nonce, uint64), cursor._bytes_at(unsafe_add(message, 320))
        )
        if not accepted:
            return SKIP
    return state


@internal
def _settle(
    source: uint256,
    seq: uint256,
    messageId: uint256,
    leaf: bytes32,
    state: uint256,
    manual: bool,
    ok: bool,
    answer: Bytes[MAX_RETURN_DATA],
    startGas: uint256,
):
    """Records and reports the result of a trial (spec section 13.2, steps 7.5 to 7.7)."""
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
        sourceChainSelector=convert(source, uint64),
        sequenceNumber=convert(seq, uint64),
        messageId=convert(messageId, bytes32),
        messageHash=leaf,
        state=convert(result, uint8),
        # A trial that succeeds answers nothing.
        returnData=answer,
        gasUsed=unsafe_sub(startGas, msg.gas),
    )


# ------------------------------------------------------------------------------------------------- a batch of reports


@internal
def _attempt(
    fixed: Bytes[388],
    rest: uint256,
    messageEnd: uint256,
    tokenData: uint256,
    tokenDataEnd: uint256,
    override: uint256,
    overrideEnd: uint256,
) -> (bool, Bytes[MAX_RETURN_DATA]):
    """The trial of a small message: its fixed words, the rest of it, its token data and gas overrides."""
    return raw_call(
        self,
        concat(
            fixed,
            cursor._range(rest, messageEnd),
            cursor._range(tokenData, tokenDataEnd),
            cursor._range(override, overrideEnd),
            # Without overrides this is their empty array; after overrides it is beyond the arguments.
            empty(bytes32),
        ),
        max_outsize=MAX_RETURN_DATA,
        revert_on_failure=False,
    )


@internal
def _batch():
    """execute and manuallyExecute (spec sections 13.1 and 13.2)."""
    selector: bytes4 = convert(slice(msg.data, 0, 4), bytes4)
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
        if selector == EXECUTE_SINGLE_MESSAGE:
            refusal._plain(convert(method_id("CanOnlySelfCall()", output_type=bytes4), uint32))
        assert selector == EXECUTE
        assert cursor._word(68) == 96
        assert cursor._word(132) == 32
        assert cursor._reports_end(reports) == unsafe_add(132, cursor._word(100))

    reportCount: uint256 = cursor._word(reports)
    if reportCount == 0:
        refusal._plain(convert(method_id("EmptyBatch()", output_type=bytes4), uint32))
    for r: uint256 in range(reportCount, bound=cursor.MAX_REPORTS):
        report: uint256 = cursor._element(reports, r)
        # Source chain, then where messages, token data and proofs begin, then the flags of the proof.
        parts: uint256[5] = abi_decode(slice(msg.data, report, 160), uint256[5])
        source: uint256 = parts[0]
        chainSelector: uint64 = convert(source, uint64)
        if ramp_state._is_cursed(chainSelector):
            if manual:
                refusal._one(convert(method_id("CursedByRMN(uint64)", output_type=bytes4), uint32), source)
            log SkippedReportExecution(sourceChainSelector=chainSelector)
            continue
        messages: uint256 = unsafe_add(report, 160)
        count: uint256 = cursor._word(messages)
        if count == 0:
            refusal._one(convert(method_id("EmptyReport(uint64)", output_type=bytes4), uint32), source)
        tokenDatas: uint256 = unsafe_add(report, parts[2])
        proofs: uint256 = unsafe_add(report, parts[3])
        if count != cursor._word(tokenDatas):
            refusal._plain(convert(method_id("UnexpectedTokenData()", output_type=bytes4), uint32))
        ramp_state._enabled(chainSelector)
        metadataHash: bytes32 = keccak256(
            abi_encode(
                ANY_2_EVM_MESSAGE_HASH,
                source,
                ramp_state.CHAIN_SELECTOR,
                ramp_state._onRampHashes[chainSelector],
            )
        )
        leaves: DynArray[bytes32, merkle.MAX_LEAVES] = []
        committedAt: uint256 = 0
        # Twice over the messages: first for their leaves and then, when these have proved a root, for their trials.
        for k: uint256 in range(count << 1, bound=2 * merkle.MAX_LEAVES):
            startGas: uint256 = msg.gas
            trying: bool = k >= count
            m: uint256 = k
            if trying:
                m = unsafe_sub(k, count)
                if m == 0:
                    root: bytes32 = leaves[0]
                    if count != 1 or cursor._word(proofs) != 0:
                        root = merkle._merkle_root(leaves, proofs, parts[4])
                    committedAt = ramp_state._roots[chainSelector][root]
                    if committedAt == 0:
                        refusal._one(
                            convert(method_id("RootNotCommitted(uint64)", output_type=bytes4), uint32), source
                        )
                    startGas = msg.gas
            message: uint256 = cursor._element(messages, m)
            messageEnd: uint256 = tokenDatas
            if unsafe_add(m, 1) < count:
                messageEnd = cursor._element(messages, unsafe_add(m, 1))
            head: uint256[10] = abi_decode(slice(msg.data, message, 320), uint256[10])
            # Behind the fixed words and the gas limit.
            rest: uint256 = unsafe_add(message, 288)
            data: uint256 = unsafe_add(message, head[6])
            tokens: uint256 = unsafe_add(message, head[9])
            state: uint256 = 0
            tokenData: uint256 = 0
            tokenDataEnd: uint256 = 0
            override: uint256 = 0
            overrideEnd: uint256 = 0
            fixed: Bytes[388] = b""
            if not trying:
                if head[2] != convert(ramp_state.CHAIN_SELECTOR, uint256):
                    refusal._one(
                        convert(method_id("InvalidMessageDestChainSelector(uint64)", output_type=bytes4), uint32),
                        head[2],
                    )
                if head[1] != source:
                    refusal._two(
                        convert(method_id("SourceChainSelectorMismatch(uint64,uint64)", output_type=bytes4), uint32),
                        source,
                        head[1],
                    )
            else:
                state = self._admit(source, message, head[3], head[4], manual, committedAt)
                if state == SKIP:
                    continue
                tokenData = cursor._element(tokenDatas, m)
                if cursor._word(tokens) != cursor._word(tokenData):
                    refusal._two(
                        convert(method_id("TokenDataMismatch(uint64,uint64)", output_type=bytes4), uint32),
                        source,
                        head[3],
                    )
                ramp_state._set_state(source, head[3], IN_PROGRESS)
                tokenDataEnd = proofs
                if unsafe_add(m, 1) < count:
                    tokenDataEnd = cursor._element(tokenDatas, unsafe_add(m, 1))
                if manual:
                    override = cursor._element(cursor._element(overrides, r), m)
                    if cursor._word(override) != 0:
                        head[8] = cursor._word(override)
                    override = unsafe_add(override, 64)
                    overrideEnd = unsafe_add(override, unsafe_add(32, cursor._word(override) << 5))
                gasLimit: uint256 = head[8]
                tokenDataAt: uint256 = unsafe_add(96, unsafe_sub(messageEnd, message))
                fixed = concat(
                    abi_encode(
                        convert(96, uint256),
                        tokenDataAt,
                        unsafe_add(tokenDataAt, unsafe_sub(tokenDataEnd, tokenData)),
                        method_id=EXECUTE_SINGLE_MESSAGE,
                    ),
                    slice(msg.data, message, 256),
                    convert(gasLimit, bytes32),
                )
            dataHash: bytes32 = empty(bytes32)
            tokensHash: bytes32 = empty(bytes32)
            ok: bool = False
            answer: Bytes[MAX_RETURN_DATA] = b""
            if unsafe_sub(messageEnd, rest) <= cursor.WINDOW and unsafe_sub(tokenDataEnd, tokenData) <= cursor.WINDOW:
                if trying:
                    ok, answer = self._attempt(
                        fixed, rest, messageEnd, tokenData, tokenDataEnd, override, overrideEnd
                    )
                else:
                    dataHash = cursor._hash_bytes(data)
                    tokensHash = cursor._hash_array(tokens, messageEnd)
            else:
                start: uint256 = 0
                window: Bytes[LARGE] = b""
                if len(msg.data) <= LARGE:
                    window = raw_call(cursor.IDENTITY, msg.data, max_outsize=LARGE, is_static_call=True)
                else:
                    start = min(rest, unsafe_sub(len(msg.data), LARGE))
                    window = slice(msg.data, start, LARGE)
                if trying:
                    half: uint256 = min(unsafe_add(tokenData, cursor.WINDOW), tokenDataEnd)
                    ok, answer = raw_call(
                        self,
                        concat(
                            fixed,
                            slice(window, unsafe_sub(rest, start), unsafe_sub(messageEnd, rest)),
                            cursor._range(tokenData, half),
                            cursor._range(half, tokenDataEnd),
                            cursor._range(override, overrideEnd),
                            empty(bytes32),
                        ),
                        max_outsize=MAX_RETURN_DATA,
                        revert_on_failure=False,
                    )
                else:
                    dataHash = keccak256(
                        slice(window, unsafe_sub(unsafe_add(data, 32), start), cursor._word(data))
                    )
                    tokensHash = cursor.EMPTY_ARRAY_HASH
                    if cursor._word(tokens) != 0:
                        tokensHash = keccak256(
                            concat(
                                convert(32, bytes32),
                                slice(window, unsafe_sub(tokens, start), unsafe_sub(messageEnd, tokens)),
                            )
                        )
            if trying:
                self._settle(source, head[3], head[0], leaves[m], state, manual, ok, answer, startGas)
            else:
                # The leaf of a message (spec section 8.2).
                leaves.append(
                    keccak256(
                        abi_encode(
                            empty(bytes32),
                            metadataHash,
                            keccak256(abi_encode(head[0], head[7], head[3], head[8], head[4])),
                            cursor._hash_bytes(unsafe_add(message, 320)),
                            dataHash,
                            tokensHash,
                        )
                    )
                )

    if not manual:
        # The context of the report: config digest and sequence number; then where the report begins, and its length.
        context: uint256[4] = abi_decode(slice(msg.data, 4, 128), uint256[4])
        digest: bytes32 = convert(context[0], bytes32)
        multi_ocr3._check_transmission(multi_ocr3.EXECUTION, unsafe_add(132, context[3]), digest)
        multi_ocr3._log_transmitted(multi_ocr3.EXECUTION, digest, convert(context[1] & ramp_state.U64, uint64))


# ------------------------------------------------------------------------------------------- the trial of one message


@internal
def _trial():
    """
    executeSingleMessage (spec section 13.3). The call data is our own copy of a checked message: at byte 100, then its
    token data and gas overrides.
    """
    assert convert(slice(msg.data, 0, 4), bytes4) == EXECUTE_SINGLE_MESSAGE
    head: uint256[10] = abi_decode(slice(msg.data, 100, 320), uint256[10])
    receiver: address = convert(head[7], address)
    data: uint256 = unsafe_add(100, head[6])
    tokensAt: uint256 = unsafe_add(100, head[9])
    count: uint256 = cursor._word(tokensAt)
    # What is delivered ends with the token amounts: their count, then pairs of token and amount.
    amounts: Bytes[MAX_AMOUNTS] = slice(msg.data, tokensAt, 32)
    for i: uint256 in range(count, bound=cursor.MAX_TOKENS):
        # Of the token: where the source pool is, the local token, its gas, where the extra data is, the amount.
        at: uint256 = cursor._element(tokensAt, i)
        token: uint256[5] = abi_decode(slice(msg.data, at, 160), uint256[5])
        local: address = convert(token[1], address)
        overrides: uint256 = cursor._follow(4, 2)
        budget: uint256 = token[2]
        if cursor._word(overrides) != 0:
            override: uint256 = cursor._item(overrides, unsafe_add(i, 1))
            if override != 0:
                budget = override
        pool: address = releasing._pool(local)
        before: uint256 = 0
        before, budget = releasing._balance(local, receiver, budget)
        # The source pool's address and data lie side by side in the token, and do so in what the pool gets.
        extra: uint256 = cursor._span(unsafe_add(at, token[3]))
        tokenData: uint256 = cursor._element(cursor._follow(4, 1), i)
        payload: Bytes[MAX_RELEASE] = concat(
            abi_encode(
                convert(32, uint256),
                convert(256, uint256),
                head[1],
                head[7],
                token[4],
                token[1],
                unsafe_sub(head[6], 64),
                unsafe_add(unsafe_sub(head[6], 224), token[3]),
                unsafe_add(unsafe_sub(head[6], 224), unsafe_sub(extra, at)),
                method_id=RELEASE_OR_MINT,
            ),
            cursor._range(420, data),
            cursor._range(unsafe_add(at, 160), extra),
            cursor._range(tokenData, cursor._span(tokenData)),
        )
        releasing._check_budget(pool, budget)
        ok: bool = False
        answer: Bytes[132] = b""
        used: uint256 = msg.gas
        ok, answer = raw_call(pool, payload, gas=budget, max_outsize=132, revert_on_failure=False)
        used = unsafe_sub(used, msg.gas)
        amount: uint256 = releasing._answered(pool, ok, answer)
        budget = unsafe_sub(budget, min(used, budget))
        if receiver != pool:
            after: uint256 = 0
            after, budget = releasing._balance(local, receiver, budget)
            releasing._check_balances(amount, before, after)
        amounts = convert(concat(amounts, abi_encode(local, amount)), Bytes[MAX_AMOUNTS])
    interceptor: address = ramp_state._dynamicConfig.messageInterceptor
    if interceptor == empty(address) and not delivering._wants_call(data, head[8], receiver):
        return
    # Sender and data lie side by side in the message, and do so in what the receiver gets.
    fixed: Bytes[292] = abi_encode(
        convert(128, uint256),
        convert(ramp_state.GAS_FOR_CALL_EXACT_CHECK, uint256),
        head[8],
        head[7],
        head[0],
        head[1],
        convert(160, uint256),
        unsafe_sub(head[6], 160),
        unsafe_sub(tokensAt, 260),
        method_id=ROUTE_MESSAGE,
    )
    if interceptor == empty(address) and unsafe_sub(tokensAt, 420) <= cursor.WINDOW:
        delivering._check_delivery(
            raw_call(
                delivering._router(head[1]), concat(fixed, cursor._range(420, tokensAt), amounts), max_outsize=delivering.ROUTE_ANSWER
            )
        )
        return
    # The same with buffers for the largest message, and with the interceptor asked first.
    whole: Bytes[LARGE] = raw_call(cursor.IDENTITY, msg.data, max_outsize=LARGE, is_static_call=True)
    if interceptor != empty(address):
        assert interceptor.codesize > 0
        accepted: bool = False
        refused: Bytes[MAX_RETURN_DATA] = b""
        accepted, refused = raw_call(
            interceptor,
            concat(
                ON_INBOUND_MESSAGE,
                convert(32, bytes32),
                slice(fixed, 132, 160),
                slice(whole, 420, unsafe_sub(tokensAt, 420)),
                amounts,
            ),
            max_outsize=MAX_RETURN_DATA,
            revert_on_failure=False,
        )
        if not accepted:
            raw_revert(abi_encode(refused, method_id=method_id("MessageValidationError(bytes)")))
        if not delivering._wants_call(data, head[8], receiver):
            return
    delivering._check_delivery(
        raw_call(
            delivering._router(head[1]),
            concat(fixed, slice(whole, 420, unsafe_sub(tokensAt, 420)), amounts),
            max_outsize=delivering.ROUTE_ANSWER,
        )
    )


@external
def __default__():
    """execute, manuallyExecute, executeSingleMessage; any other selector, ccipReceive too, is refused with no data."""
    if msg.sender == self:
        self._trial()
    else:
        self._batch()
