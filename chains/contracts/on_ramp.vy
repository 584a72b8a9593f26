# pragma version 0.4.3
# pragma optimize codesize
# OnRamp 1.6.0: takes messages from the router, has their tokens locked or burned, gives them a sequence number, a nonce
# and an id, and logs them for the relayers (spec sections 7 and 8.1). Fees stay here until they are withdrawn.
#
# getFee and forwardFromRouter are served by __default__, because Vyper would decode their messages into memory laid out
# for the largest one. The call data is checked and read in place: small messages through small buffers, large ones
# through buffers that cost nothing until a large message touches them.

from modules import cursor
from modules import outgoing
from modules import ownable_2step as ownable
from modules import refusal
from modules import safe_erc20

initializes: ownable
exports: (ownable.owner, ownable.transferOwnership, ownable.acceptOwnership)

interface RMN:
    def isCursed(subject: bytes16) -> bool: view

interface NonceManager:
    def getIncrementedOutboundNonce(dest: uint64, sender: address) -> uint64: nonpayable

interface TokenAdminRegistry:
    def getPool(token: address) -> address: view

interface Token:
    def balanceOf(account: address) -> uint256: view

interface Pool:
    def supportsInterface(interfaceId: bytes4) -> bool: view
    def lockOrBurn(lockOrBurnIn: LockOrBurnInV1) -> LockOrBurnOutV1: nonpayable

interface FeeQuoter:
    def processMessageArgs(
        dest: uint64,
        feeToken: address,
        feeTokenAmount: uint256,
        extraArgs: Bytes[MAX_EXTRA_ARGS],
        messageReceiver: Bytes[MAX_ADDRESS],
    ) -> (uint256, bool, Bytes[MAX_EXTRA_ARGS], Bytes[MAX_ADDRESS]): view
    def processPoolReturnData(
        dest: uint64,
        transfers: DynArray[TokenTransfer, outgoing.MAX_TOKENS],
        amounts: DynArray[TokenAmount, outgoing.MAX_TOKENS],
    ) -> DynArray[Bytes[MAX_EXEC_DATA], outgoing.MAX_TOKENS]: view

struct StaticConfig:
    chainSelector: uint64
    rmnRemote: address
    nonceManager: address
    tokenAdminRegistry: address

struct DynamicConfig:
    feeQuoter: address
    reentrancyGuardEntered: bool
    messageInterceptor: address
    feeAggregator: address
    allowlistAdmin: address

struct DestChainConfigArgs:
    destChainSelector: uint64
    router: address
    allowlistEnabled: bool

struct AllowlistConfigArgs:
    destChainSelector: uint64
    allowlistEnabled: bool
    addedAllowlistedSenders: DynArray[address, MAX_SENDERS_AT_ONCE]
    removedAllowlistedSenders: DynArray[address, MAX_SENDERS_AT_ONCE]

struct TokenAmount:
    token: address
    amount: uint256

struct LockOrBurnInV1:
    receiver: Bytes[MAX_ADDRESS]
    remoteChainSelector: uint64
    originalSender: address
    amount: uint256
    localToken: address

struct LockOrBurnOutV1:
    destTokenAddress: Bytes[MAX_TOKEN_ADDRESS]
    destPoolData: Bytes[MAX_POOL_DATA]

struct TokenTransfer:
    sourcePoolAddress: address
    destTokenAddress: Bytes[MAX_TOKEN_ADDRESS]
    extraData: Bytes[MAX_POOL_DATA]
    amount: uint256
    destExecData: Bytes[MAX_EXEC_DATA]

struct RampMessageHeader:
    messageId: bytes32
    sourceChainSelector: uint64
    destChainSelector: uint64
    sequenceNumber: uint64
    nonce: uint64

struct EVM2AnyRampMessage:
    header: RampMessageHeader
    sender: address
    data: Bytes[32]
    receiver: Bytes[32]
    extraArgs: Bytes[32]
    feeToken: address
    feeTokenAmount: uint256
    feeValueJuels: uint256
    tokenAmounts: DynArray[TokenTransfer, 1]

event ConfigSet:
    staticConfig: StaticConfig
    dynamicConfig: DynamicConfig

event DestChainConfigSet:
    destChainSelector: indexed(uint64)
    sequenceNumber: uint64
    router: address
    allowlistEnabled: bool

event AllowListSendersAdded:
    destChainSelector: indexed(uint64)
    senders: DynArray[address, MAX_SENDERS_AT_ONCE]

event AllowListSendersRemoved:
    destChainSelector: indexed(uint64)
    senders: DynArray[address, MAX_SENDERS_AT_ONCE]

event AllowListAdminSet:
    allowlistAdmin: indexed(address)

event FeeTokenWithdrawn:
    feeAggregator: indexed(address)
    feeToken: indexed(address)
    amount: uint256

# Declared for the published ABI; emitted by raw_log, with bounds that fit the message at hand.
event CCIPMessageSent:
    destChainSelector: indexed(uint64)
    sequenceNumber: indexed(uint64)
    message: EVM2AnyRampMessage

# Longest extra arguments: those of 64 accounts (2,276 bytes) and some slack, for trailing bytes are tolerated.
MAX_EXTRA_ARGS: constant(uint256) = 2560
# Longest receiver, which is 32 or 36 bytes for the families there are.
MAX_ADDRESS: constant(uint256) = 256
# Longest answers of a pool and of the fee quoter, per token.
MAX_TOKEN_ADDRESS: constant(uint256) = 64
MAX_POOL_DATA: constant(uint256) = 512
MAX_EXEC_DATA: constant(uint256) = 64
# Most allowed senders per destination, those of one update, and most updates in one call.
MAX_SENDERS: constant(uint256) = 1024
MAX_SENDERS_AT_ONCE: constant(uint256) = 64
MAX_UPDATES: constant(uint256) = 16
MAX_FEE_TOKENS: constant(uint256) = 64
U64: constant(uint256) = 2**64 - 1
U160: constant(uint256) = 2**160 - 1

# Selectors served by __default__, and those it calls with payloads built by hand.
GET_FEE: constant(uint32) = 541621741  # 0x20487ded
FORWARD_FROM_ROUTER: constant(uint32) = 3742018025  # 0xdf0aa9e9
GET_VALIDATED_FEE: constant(bytes4) = 0xd8694ccd
ON_OUTBOUND_MESSAGE: constant(bytes4) = 0xe0a0e506
# Interface id of a pool, asked directly.
POOL_INTERFACE: constant(bytes4) = 0xaff2afbf

EVM_2_ANY_MESSAGE_HASH: constant(bytes32) = keccak256("EVM2AnyMessageHashV1")
CCIP_MESSAGE_SENT: constant(bytes32) = 0x192442a2b2adb6a7948f097023cb6b57d29d3a7a5dd33e6666d33c39cc456f32
# Where the message of a forwardFromRouter call begins.
MESSAGE: constant(uint256) = 132

CHAIN_SELECTOR: immutable(uint64)
RMN_REMOTE: immutable(address)
NONCE_MANAGER: immutable(address)
TOKEN_ADMIN_REGISTRY: immutable(address)

# feeQuoter | reentrancyGuardEntered << 160
_quoter: uint256
_messageInterceptor: address
_feeAggregator: address
_allowlistAdmin: address
# sequenceNumber | allowlistEnabled << 64 | router << 72
_dests: HashMap[uint64, uint256]
_allowed: HashMap[uint64, DynArray[address, MAX_SENDERS]]
# destination -> sender -> its place in _allowed, from 1
_allowedIndex: HashMap[uint64, HashMap[address, uint256]]


@deploy
def __init__(
    staticConfig: StaticConfig,
    dynamicConfig: DynamicConfig,
    destChainConfigArgs: DynArray[DestChainConfigArgs, MAX_UPDATES],
):
    ownable.__init__()
    if (
        staticConfig.chainSelector == 0
        or staticConfig.rmnRemote == empty(address)
        or staticConfig.nonceManager == empty(address)
        or staticConfig.tokenAdminRegistry == empty(address)
    ):
        refusal._plain(convert(method_id("InvalidConfig()", output_type=bytes4), uint32))
    CHAIN_SELECTOR = staticConfig.chainSelector
    RMN_REMOTE = staticConfig.rmnRemote
    NONCE_MANAGER = staticConfig.nonceManager
    TOKEN_ADMIN_REGISTRY = staticConfig.tokenAdminRegistry
    self._check_dynamic_config(dynamicConfig)
    self._store_dynamic_config(dynamicConfig)
    # Immutables cannot be read back here, so the event takes the arguments.
    log ConfigSet(staticConfig=staticConfig, dynamicConfig=dynamicConfig)
    for update: DestChainConfigArgs in destChainConfigArgs:
        self._apply_dest(update)


# ------------------------------------------------------------------------------------------------------------ views


@external
@view
def typeAndVersion() -> String[32]:
    return "OnRamp 1.6.0"


@internal
@view
def _static_config() -> StaticConfig:
    return StaticConfig(
        chainSelector=CHAIN_SELECTOR,
        rmnRemote=RMN_REMOTE,
        nonceManager=NONCE_MANAGER,
        tokenAdminRegistry=TOKEN_ADMIN_REGISTRY,
    )


@external
@view
def getStaticConfig() -> StaticConfig:
    return self._static_config()


@external
@view
def getDynamicConfig() -> DynamicConfig:
    return DynamicConfig(
        feeQuoter=convert(self._quoter & U160, address),
        reentrancyGuardEntered=self._quoter >> 160 != 0,
        messageInterceptor=self._messageInterceptor,
        feeAggregator=self._feeAggregator,
        allowlistAdmin=self._allowlistAdmin,
    )


@external
@view
def getDestChainConfig(destChainSelector: uint64) -> (uint64, bool, address):
    """Last sequence number, whether only listed senders may send, router."""
    packed: uint256 = self._dests[destChainSelector]
    return convert(packed & U64, uint64), (packed >> 64) & 1 == 1, convert(packed >> 72, address)


@external
@view
def getExpectedNextSequenceNumber(destChainSelector: uint64) -> uint64:
    return convert((self._dests[destChainSelector] & U64) + 1, uint64)


@external
@view
def getAllowedSendersList(destChainSelector: uint64) -> (bool, DynArray[address, MAX_SENDERS]):
    return (self._dests[destChainSelector] >> 64) & 1 == 1, self._allowed[destChainSelector]


@external
@view
def getPoolBySourceToken(_destChainSelector: uint64, sourceToken: address) -> address:
    return staticcall TokenAdminRegistry(TOKEN_ADMIN_REGISTRY).getPool(sourceToken)


@external
@pure
def getSupportedTokens(_destChainSelector: uint64) -> DynArray[address, 1]:
    refusal._plain(
        convert(
            method_id("GetSupportedTokensFunctionalityRemovedCheckAdminRegistry()", output_type=bytes4), uint32
        )
    )
    return []


# ---------------------------------------------------------------------------------------------------- configuration


@internal
@pure
def _check_dynamic_config(config: DynamicConfig):
    if config.feeQuoter == empty(address) or config.feeAggregator == empty(address) or config.reentrancyGuardEntered:
        refusal._plain(convert(method_id("InvalidConfig()", output_type=bytes4), uint32))


@internal
def _store_dynamic_config(config: DynamicConfig):
    self._quoter = convert(config.feeQuoter, uint256)
    self._messageInterceptor = config.messageInterceptor
    self._feeAggregator = config.feeAggregator
    self._allowlistAdmin = config.allowlistAdmin


@external
def setDynamicConfig(dynamicConfig: DynamicConfig):
    ownable._check_owner()
    self._check_dynamic_config(dynamicConfig)
    self._store_dynamic_config(dynamicConfig)
    log ConfigSet(staticConfig=self._static_config(), dynamicConfig=dynamicConfig)


@internal
def _apply_dest(update: DestChainConfigArgs):
    dest: uint64 = update.destChainSelector
    if dest == 0:
        refusal._one(convert(method_id("InvalidDestChainConfig(uint64)", output_type=bytes4), uint32), 0)
    sequenceNumber: uint256 = self._dests[dest] & U64
    packed: uint256 = sequenceNumber | convert(update.router, uint256) << 72
    if update.allowlistEnabled:
        packed |= 1 << 64
    self._dests[dest] = packed
    log DestChainConfigSet(
        destChainSelector=dest,
        sequenceNumber=convert(sequenceNumber, uint64),
        router=update.router,
        allowlistEnabled=update.allowlistEnabled,
    )


@external
def applyDestChainConfigUpdates(destChainConfigArgs: DynArray[DestChainConfigArgs, MAX_UPDATES]):
    """Sets router and allowlist of destinations; the zero router pauses one. Sequence numbers go on."""
    ownable._check_owner()
    for update: DestChainConfigArgs in destChainConfigArgs:
        self._apply_dest(update)


@internal
@pure
def _refuse_allowlist(dest: uint64):
    refusal._one(
        convert(method_id("InvalidAllowListRequest(uint64)", output_type=bytes4), uint32), convert(dest, uint256)
    )


@external
def applyAllowlistUpdates(allowlistConfigArgsItems: DynArray[AllowlistConfigArgs, MAX_UPDATES]):
    if msg.sender != self._allowlistAdmin and msg.sender != ownable._owner:
        refusal._plain(convert(method_id("OnlyCallableByOwnerOrAllowlistAdmin()", output_type=bytes4), uint32))
    for update: AllowlistConfigArgs in allowlistConfigArgsItems:
        dest: uint64 = update.destChainSelector
        packed: uint256 = self._dests[dest] & ~(1 << 64)
        if update.allowlistEnabled:
            packed |= 1 << 64
        self._dests[dest] = packed
        if len(update.addedAllowlistedSenders) != 0:
            if not update.allowlistEnabled:
                self._refuse_allowlist(dest)
            for sender: address in update.addedAllowlistedSenders:
                if sender == empty(address):
                    self._refuse_allowlist(dest)
                if self._allowedIndex[dest][sender] == 0:
                    self._allowed[dest].append(sender)
                    self._allowedIndex[dest][sender] = len(self._allowed[dest])
            log AllowListSendersAdded(destChainSelector=dest, senders=update.addedAllowlistedSenders)
        if len(update.removedAllowlistedSenders) != 0:
            for sender: address in update.removedAllowlistedSenders:
                index: uint256 = self._allowedIndex[dest][sender]
                if index == 0:
                    continue
                # The last sender takes the place of the one that leaves.
                last: address = self._allowed[dest].pop()
                if last != sender:
                    self._allowed[dest][unsafe_sub(index, 1)] = last
                    self._allowedIndex[dest][last] = index
                self._allowedIndex[dest][sender] = 0
            log AllowListSendersRemoved(destChainSelector=dest, senders=update.removedAllowlistedSenders)


@external
def withdrawFeeTokens(feeTokens: DynArray[address, MAX_FEE_TOKENS]):
    """Sends all fees of these tokens to the aggregator; anyone may ask for it."""
    aggregator: address = self._feeAggregator
    for token: address in feeTokens:
        amount: uint256 = staticcall Token(token).balanceOf(self)
        if amount > 0:
            safe_erc20._transfer(token, aggregator, amount)
            log FeeTokenWithdrawn(feeAggregator=aggregator, feeToken=token, amount=amount)


# ---------------------------------------------------------------------------------------------------------- sending


@internal
@view
def _check_curse(dest: uint64):
    if staticcall RMN(RMN_REMOTE).isCursed(convert(convert(dest, uint128), bytes16)):
        refusal._one(convert(method_id("CursedByRMN(uint64)", output_type=bytes4), uint32), convert(dest, uint256))


@internal
def _enter() -> address:
    """Takes the guard and returns the fee quoter."""
    packed: uint256 = self._quoter
    if packed >> 160 != 0:
        refusal._plain(convert(method_id("ReentrancyGuardReentrantCall()", output_type=bytes4), uint32))
    self._quoter = packed | 1 << 160
    return convert(packed, address)


@internal
def _leave():
    self._quoter &= U160


@internal
@view
def _check_sender(dest: uint64, sender: address):
    if sender == empty(address):
        refusal._plain(convert(method_id("RouterMustSetOriginalSender()", output_type=bytes4), uint32))
    packed: uint256 = self._dests[dest]
    if (packed >> 64) & 1 == 1 and self._allowedIndex[dest][sender] == 0:
        refusal._one(
            convert(method_id("SenderNotAllowed(address)", output_type=bytes4), uint32), convert(sender, uint256)
        )
    if msg.sender != convert(packed >> 72, address):
        refusal._plain(convert(method_id("MustBeCalledByRouter()", output_type=bytes4), uint32))


@internal
def _lock_or_burn(dest: uint64, sender: address, receiver: Bytes[MAX_ADDRESS], at: uint256) -> TokenTransfer:
    """Has the token amount at `at` locked or burned by its pool, which holds it already."""
    token: address = convert(cursor._word(at), address)
    amount: uint256 = cursor._item(at, 1)
    if amount == 0:
        refusal._plain(convert(method_id("CannotSendZeroTokens()", output_type=bytes4), uint32))
    pool: address = staticcall TokenAdminRegistry(TOKEN_ADMIN_REGISTRY).getPool(token)
    supported: bool = False
    if pool != empty(address):
        supported = staticcall Pool(pool).supportsInterface(POOL_INTERFACE)
    if not supported:
        refusal._one(
            convert(method_id("UnsupportedToken(address)", output_type=bytes4), uint32), convert(token, uint256)
        )
    answer: LockOrBurnOutV1 = extcall Pool(pool).lockOrBurn(
        LockOrBurnInV1(
            receiver=receiver, remoteChainSelector=dest, originalSender=sender, amount=amount, localToken=token
        )
    )
    return TokenTransfer(
        sourcePoolAddress=pool,
        destTokenAddress=answer.destTokenAddress,
        extraData=answer.destPoolData,
        amount=amount,
        destExecData=b"",
    )


@internal
def _seal(
    head: uint256[14],
    outOfOrder: bool,
    receiverHash: bytes32,
    dataHash: bytes32,
    tokensHash: bytes32,
    extraArgsHash: bytes32,
) -> uint256[14]:
    """Fills nonce and message id (spec section 8.1) into the fixed part of the log."""
    sealed: uint256[14] = head
    if not outOfOrder:
        sealed[5] = convert(
            extcall NonceManager(NONCE_MANAGER).getIncrementedOutboundNonce(
                convert(head[3], uint64), convert(head[6], address)
            ),
            uint256,
        )
    metadataHash: bytes32 = keccak256(abi_encode(EVM_2_ANY_MESSAGE_HASH, CHAIN_SELECTOR, head[3], self))
    fixedHash: bytes32 = keccak256(abi_encode(head[6], head[4], sealed[5], head[10], head[11]))
    sealed[1] = convert(
        keccak256(
            abi_encode(
                empty(bytes32), metadataHash, fixedHash, receiverHash, dataHash, tokensHash, extraArgsHash
            )
        ),
        uint256,
    )
    return sealed


# The entry points read in place.


@external
@raw_return
def __default__() -> Bytes[32]:
    """getFee and forwardFromRouter; anything else is refused with no data."""
    selector: uint32 = convert(convert(slice(msg.data, 0, 4), bytes4), uint32)
    small: bool = len(msg.data) <= outgoing.SMALL
    destWord: uint256 = cursor._word(4)
    dest: uint64 = convert(destWord, uint64)
    quoter: address = empty(address)
    if selector == GET_FEE:
        self._check_curse(dest)
        quoter = convert(self._quoter & U160, address)
        fee: uint256 = 0
        if small:
            fee = extract32(
                raw_call(
                    quoter,
                    concat(GET_VALIDATED_FEE, cursor._range(4, len(msg.data))),
                    max_outsize=32,
                    is_static_call=True,
                ),
                0,
                output_type=uint256,
            )
        else:
            fee = extract32(
                raw_call(
                    quoter,
                    concat(
                        GET_VALIDATED_FEE,
                        slice(
                            raw_call(cursor.IDENTITY, msg.data, max_outsize=outgoing.LARGE, is_static_call=True),
                            4,
                            unsafe_sub(len(msg.data), 4),
                        ),
                    ),
                    max_outsize=32,
                    is_static_call=True,
                ),
                0,
                output_type=uint256,
            )
        return abi_encode(fee)

    assert selector == FORWARD_FROM_ROUTER
    assert cursor._word(36) == 128
    sender: address = convert(cursor._word(100), address)
    end: uint256 = outgoing._message_end(MESSAGE)
    quoter = self._enter()
    self._check_sender(dest, sender)
    interceptor: address = self._messageInterceptor
    if interceptor != empty(address):
        assert interceptor.codesize > 0
        if small:
            raw_call(
                interceptor,
                concat(
                    ON_OUTBOUND_MESSAGE,
                    slice(msg.data, 4, 32),
                    convert(64, bytes32),
                    cursor._range(MESSAGE, end),
                ),
            )
        else:
            raw_call(
                interceptor,
                concat(
                    ON_OUTBOUND_MESSAGE,
                    slice(msg.data, 4, 32),
                    convert(64, bytes32),
                    slice(
                        raw_call(cursor.IDENTITY, msg.data, max_outsize=outgoing.LARGE, is_static_call=True),
                        MESSAGE,
                        unsafe_sub(end, MESSAGE),
                    ),
                ),
            )
    packed: uint256 = self._dests[dest] + 1
    self._dests[dest] = packed

    # Word 0 is the offset of the message in the log; the others are its members, offsets counted from word 1 on.
    head: uint256[14] = empty(uint256[14])
    head[0] = 32
    head[2] = convert(CHAIN_SELECTOR, uint256)
    head[3] = destWord
    head[4] = packed & U64
    head[6] = convert(sender, uint256)
    head[7] = 416
    head[10] = cursor._item(MESSAGE, 3)
    head[11] = cursor._word(68)
    # Where the members of the message lie in the call data: receiver, data, tokens, extra arguments.
    receiverAt: uint256 = unsafe_add(MESSAGE, 160)
    dataAt: uint256 = cursor._follow(MESSAGE, 1)
    tokensAt: uint256 = cursor._follow(MESSAGE, 2)
    extraArgsAt: uint256 = cursor._follow(MESSAGE, 4)
    tokenCount: uint256 = cursor._word(tokensAt)
    receiver: Bytes[MAX_ADDRESS] = b""
    extraArgs: Bytes[MAX_EXTRA_ARGS] = b""
    dataHash: bytes32 = empty(bytes32)
    if small:
        whole: Bytes[outgoing.SMALL] = raw_call(
            cursor.IDENTITY, msg.data, max_outsize=outgoing.SMALL, is_static_call=True
        )
        dataHash = keccak256(slice(whole, unsafe_add(dataAt, 32), cursor._word(dataAt)))
        receiver = convert(slice(whole, unsafe_add(receiverAt, 32), cursor._word(receiverAt)), Bytes[MAX_ADDRESS])
        extraArgs = slice(whole, unsafe_add(extraArgsAt, 32), cursor._word(extraArgsAt))
    else:
        whole: Bytes[outgoing.LARGE] = raw_call(
            cursor.IDENTITY, msg.data, max_outsize=outgoing.LARGE, is_static_call=True
        )
        dataHash = keccak256(slice(whole, unsafe_add(dataAt, 32), cursor._word(dataAt)))
        receiver = convert(slice(whole, unsafe_add(receiverAt, 32), cursor._word(receiverAt)), Bytes[MAX_ADDRESS])
        extraArgs = convert(
            slice(whole, unsafe_add(extraArgsAt, 32), cursor._word(extraArgsAt)), Bytes[MAX_EXTRA_ARGS]
        )
    receiverHash: bytes32 = keccak256(receiver)
    outOfOrder: bool = False
    tokenReceiver: Bytes[MAX_ADDRESS] = b""
    head[12], outOfOrder, extraArgs, tokenReceiver = staticcall FeeQuoter(quoter).processMessageArgs(
        dest, convert(head[10], address), head[11], extraArgs, receiver
    )
    extraArgsHash: bytes32 = keccak256(extraArgs)
    head[8] = unsafe_add(416, unsafe_sub(tokensAt, dataAt))
    head[9] = unsafe_add(head[8], unsafe_sub(dataAt, receiverAt))
    # Length word and content, padded.
    head[13] = unsafe_add(head[9], unsafe_add(32, unsafe_add(len(extraArgs), 31) >> 5 << 5))
    if tokenCount == 0 and small:
        head = self._seal(head, outOfOrder, receiverHash, dataHash, cursor.EMPTY_ARRAY_HASH, extraArgsHash)
        raw_log(
            [CCIP_MESSAGE_SENT, convert(destWord, bytes32), convert(head[4], bytes32)],
            concat(
                abi_encode(head),
                cursor._range(dataAt, tokensAt),
                cursor._range(receiverAt, dataAt),
                abi_encode(extraArgs, ensure_tuple=False),
                empty(bytes32),
            ),
        )
        self._leave()
        return abi_encode(head[1])

    transfers: DynArray[TokenTransfer, outgoing.MAX_TOKENS] = []
    if tokenCount != 0:
        amounts: DynArray[TokenAmount, outgoing.MAX_TOKENS] = []
        at: uint256 = unsafe_add(tokensAt, 32)
        for i: uint256 in range(tokenCount, bound=outgoing.MAX_TOKENS):
            transfers.append(self._lock_or_burn(dest, sender, tokenReceiver, at))
            amounts.append(
                TokenAmount(token=convert(cursor._word(at), address), amount=cursor._item(at, 1))
            )
            at = unsafe_add(at, 64)
        execDatas: DynArray[Bytes[MAX_EXEC_DATA], outgoing.MAX_TOKENS] = staticcall FeeQuoter(
            quoter
        ).processPoolReturnData(dest, transfers, amounts)
        for i: uint256 in range(tokenCount, bound=outgoing.MAX_TOKENS):
            transfers[i].destExecData = execDatas[i]
    head = self._seal(head, outOfOrder, receiverHash, dataHash, keccak256(abi_encode(transfers)), extraArgsHash)
    if small:
        raw_log(
            [CCIP_MESSAGE_SENT, convert(destWord, bytes32), convert(head[4], bytes32)],
            concat(
                abi_encode(head),
                cursor._range(dataAt, tokensAt),
                cursor._range(receiverAt, dataAt),
                abi_encode(extraArgs, ensure_tuple=False),
                abi_encode(transfers, ensure_tuple=False),
            ),
        )
    else:
        raw_log(
            [CCIP_MESSAGE_SENT, convert(destWord, bytes32), convert(head[4], bytes32)],
            concat(
                abi_encode(head),
                slice(
                    raw_call(cursor.IDENTITY, msg.data, max_outsize=outgoing.LARGE, is_static_call=True),
                    dataAt,
                    unsafe_sub(tokensAt, dataAt),
                ),
                abi_encode(receiver, ensure_tuple=False),
                abi_encode(extraArgs, ensure_tuple=False),
                abi_encode(transfers, ensure_tuple=False),
            ),
        )
    self._leave()
    return abi_encode(head[1])
