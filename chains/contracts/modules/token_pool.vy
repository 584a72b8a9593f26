# pragma version 0.4.3
# TokenPool: what every pool shares: its remote chains, allowlist, rate limits, the checks before tokens move and the
# translation of decimals (spec sections 19.1 to 19.5). How tokens move is the concrete pool's business, and so is the
# order in which it asks: 1.6.1 limits and reports local amounts, 1.5.1 limits what arrives by its source amount.

from modules import ownable_2step as ownable
from modules import rate_limiter
from modules import refusal

uses: ownable
initializes: rate_limiter

interface RMN:
    def isCursed(subject: bytes16) -> bool: view

interface Router:
    def getOnRamp(destChainSelector: uint64) -> address: view
    def isOffRamp(sourceChainSelector: uint64, offRamp: address) -> bool: view

struct LockOrBurnInV1:
    receiver: Bytes[256]
    remoteChainSelector: uint64
    originalSender: address
    amount: uint256
    localToken: address

struct LockOrBurnOutV1:
    destTokenAddress: Bytes[64]
    destPoolData: Bytes[32]

struct ReleaseOrMintInV1:
    originalSender: Bytes[256]
    remoteChainSelector: uint64
    receiver: address
    sourceDenominatedAmount: uint256
    localToken: address
    sourcePoolAddress: Bytes[64]
    sourcePoolData: Bytes[1024]
    offchainTokenData: Bytes[2048]

struct ReleaseOrMintOutV1:
    destinationAmount: uint256

struct ChainUpdate:
    remoteChainSelector: uint64
    remotePoolAddresses: DynArray[Bytes[64], 8]
    remoteTokenAddress: Bytes[64]
    outboundRateLimiterConfig: rate_limiter.Config
    inboundRateLimiterConfig: rate_limiter.Config

event LockedOrBurned:
    remoteChainSelector: indexed(uint64)
    token: address
    sender: address
    amount: uint256

event ReleasedOrMinted:
    remoteChainSelector: indexed(uint64)
    token: address
    sender: address
    recipient: address
    amount: uint256

event OutboundRateLimitConsumed:
    remoteChainSelector: indexed(uint64)
    token: address
    amount: uint256

event InboundRateLimitConsumed:
    remoteChainSelector: indexed(uint64)
    token: address
    amount: uint256

event ChainAdded:
    remoteChainSelector: uint64
    remoteToken: Bytes[64]
    outboundRateLimiterConfig: rate_limiter.Config
    inboundRateLimiterConfig: rate_limiter.Config

event ChainConfigured:
    remoteChainSelector: uint64
    outboundRateLimiterConfig: rate_limiter.Config
    inboundRateLimiterConfig: rate_limiter.Config

event ChainRemoved:
    remoteChainSelector: uint64

event RemotePoolAdded:
    remoteChainSelector: indexed(uint64)
    remotePoolAddress: Bytes[64]

event RemotePoolRemoved:
    remoteChainSelector: indexed(uint64)
    remotePoolAddress: Bytes[64]

event AllowListAdd:
    sender: address

event AllowListRemove:
    sender: address

# What pools of version 1.5.1 report instead of the four above.

event Locked:
    sender: indexed(address)
    amount: uint256

event Released:
    sender: indexed(address)
    recipient: indexed(address)
    amount: uint256

event TokensConsumed:
    tokens: uint256

event RouterUpdated:
    oldRouter: address
    newRouter: address

event RateLimitAdminSet:
    rateLimitAdmin: address

# How a pool refuses a zero address: by version.
ZERO_NOT_ALLOWED: constant(uint32) = 2239348478  # 0x8579befe, ZeroAddressNotAllowed()
ZERO_INVALID: constant(uint32) = 348684490  # 0x14c880ca, ZeroAddressInvalid()

TOKEN: immutable(address)
DECIMALS: immutable(uint8)
# Whether the rate of a limit must lie between zero and its capacity, both excluded: the rule of version 1.5.1.
STRICT_RATES: immutable(bool)
ZERO_REFUSAL: immutable(uint32)
RMN_PROXY: immutable(address)
ALLOWLIST_ENABLED: immutable(bool)

_router: address
_rateLimitAdmin: address
_chains: DynArray[uint64, 128]
# chain -> its place in _chains, from 1
_chainIndex: HashMap[uint64, uint256]
_remoteTokens: HashMap[uint64, Bytes[64]]
_remotePools: HashMap[uint64, DynArray[Bytes[64], 16]]
# chain -> keccak of the pool's bytes -> its place in _remotePools, from 1
_poolIndex: HashMap[uint64, HashMap[bytes32, uint256]]
_allowList: DynArray[address, 128]
# sender -> its place in _allowList, from 1
_allowIndex: HashMap[address, uint256]


@deploy
def __init__(
    token: address,
    localTokenDecimals: uint8,
    allowlist: DynArray[address, 128],
    rmnProxy: address,
    router: address,
    strictRates: bool,
    zeroRefusal: uint32,
):
    if token == empty(address) or router == empty(address) or rmnProxy == empty(address):
        refusal._plain(zeroRefusal)
    ok: bool = False
    answer: Bytes[32] = b""
    ok, answer = raw_call(
        token, method_id("decimals()"), max_outsize=32, is_static_call=True, revert_on_failure=False
    )
    if ok and len(answer) == 32:
        actual: uint256 = convert(answer, uint256)
        if actual != convert(localTokenDecimals, uint256):
            raw_revert(abi_encode(localTokenDecimals, actual, method_id=method_id("InvalidDecimalArgs(uint8,uint8)")))
    TOKEN = token
    DECIMALS = localTokenDecimals
    STRICT_RATES = strictRates
    ZERO_REFUSAL = zeroRefusal
    RMN_PROXY = rmnProxy
    ALLOWLIST_ENABLED = len(allowlist) > 0
    self._router = router
    for sender: address in allowlist:
        self._allow(sender)


# ------------------------------------------------------------------------------------------------------------ views


@external
@view
def getToken() -> address:
    return TOKEN


@external
@view
def getTokenDecimals() -> uint8:
    return DECIMALS


@external
@view
def getRmnProxy() -> address:
    return RMN_PROXY


@external
@view
def getRouter() -> address:
    return self._router


@external
@view
def getRateLimitAdmin() -> address:
    return self._rateLimitAdmin


@external
@view
def isSupportedToken(token: address) -> bool:
    return token == TOKEN


@external
@view
def isSupportedChain(remoteChainSelector: uint64) -> bool:
    return self._chainIndex[remoteChainSelector] != 0


@external
@pure
def supportsInterface(interfaceId: bytes4) -> bool:
    """CCIP_POOL_V1, IPoolV1 and ERC-165."""
    return interfaceId == 0xaff2afbf or interfaceId == 0x0e64dd29 or interfaceId == 0x01ffc9a7


@external
@view
def getSupportedChains() -> DynArray[uint64, 128]:
    return self._chains


@external
@view
def getRemotePools(remoteChainSelector: uint64) -> DynArray[Bytes[64], 16]:
    return self._remotePools[remoteChainSelector]


@external
@view
def getRemoteToken(remoteChainSelector: uint64) -> Bytes[64]:
    return self._remoteTokens[remoteChainSelector]


@external
@view
def isRemotePool(remoteChainSelector: uint64, remotePoolAddress: Bytes[64]) -> bool:
    return self._poolIndex[remoteChainSelector][keccak256(remotePoolAddress)] != 0


@external
@view
def getAllowListEnabled() -> bool:
    return ALLOWLIST_ENABLED


@external
@view
def getAllowList() -> DynArray[address, 128]:
    return self._allowList


@external
@view
def getCurrentOutboundRateLimiterState(remoteChainSelector: uint64) -> rate_limiter.TokenBucket:
    return rate_limiter._bucket(rate_limiter.OUTBOUND, remoteChainSelector)


@external
@view
def getCurrentInboundRateLimiterState(remoteChainSelector: uint64) -> rate_limiter.TokenBucket:
    return rate_limiter._bucket(rate_limiter.INBOUND, remoteChainSelector)


# ---------------------------------------------------------------------------------------------------- configuration


@internal
@view
def _check_chain(selector: uint64):
    if self._chainIndex[selector] == 0:
        refusal._one(
            convert(method_id("NonExistentChain(uint64)", output_type=bytes4), uint32), convert(selector, uint256)
        )


@internal
@view
def _refuse_zero():
    refusal._plain(ZERO_REFUSAL)


@internal
def _add_remote_pool(selector: uint64, pool: Bytes[64]):
    if len(pool) == 0:
        self._refuse_zero()
    if self._poolIndex[selector][keccak256(pool)] != 0:
        raw_revert(abi_encode(selector, pool, method_id=method_id("PoolAlreadyAdded(uint64,bytes)")))
    self._remotePools[selector].append(pool)
    self._poolIndex[selector][keccak256(pool)] = len(self._remotePools[selector])
    log RemotePoolAdded(remoteChainSelector=selector, remotePoolAddress=pool)


@external
def addRemotePool(remoteChainSelector: uint64, remotePoolAddress: Bytes[64]):
    ownable._check_owner()
    self._check_chain(remoteChainSelector)
    self._add_remote_pool(remoteChainSelector, remotePoolAddress)


@external
def removeRemotePool(remoteChainSelector: uint64, remotePoolAddress: Bytes[64]):
    ownable._check_owner()
    self._check_chain(remoteChainSelector)
    index: uint256 = self._poolIndex[remoteChainSelector][keccak256(remotePoolAddress)]
    if index == 0:
        raw_revert(
            abi_encode(
                remoteChainSelector,
                remotePoolAddress,
                method_id=method_id("InvalidRemotePoolForChain(uint64,bytes)"),
            )
        )
    last: Bytes[64] = self._remotePools[remoteChainSelector].pop()
    if index != len(self._remotePools[remoteChainSelector]) + 1:
        self._remotePools[remoteChainSelector][index - 1] = last
        self._poolIndex[remoteChainSelector][keccak256(last)] = index
    self._poolIndex[remoteChainSelector][keccak256(remotePoolAddress)] = 0
    log RemotePoolRemoved(remoteChainSelector=remoteChainSelector, remotePoolAddress=remotePoolAddress)


@internal
def _remove_chain(selector: uint64):
    self._check_chain(selector)
    for pool: Bytes[64] in self._remotePools[selector]:
        self._poolIndex[selector][keccak256(pool)] = 0
    self._remotePools[selector] = []
    self._remoteTokens[selector] = b""
    rate_limiter._clear(selector)
    index: uint256 = self._chainIndex[selector]
    last: uint64 = self._chains.pop()
    if last != selector:
        self._chains[index - 1] = last
        self._chainIndex[last] = index
    self._chainIndex[selector] = 0
    log ChainRemoved(remoteChainSelector=selector)


@internal
def _add_chain(update: ChainUpdate):
    selector: uint64 = update.remoteChainSelector
    rate_limiter._check(update.outboundRateLimiterConfig, STRICT_RATES)
    rate_limiter._check(update.inboundRateLimiterConfig, STRICT_RATES)
    if len(update.remoteTokenAddress) == 0:
        self._refuse_zero()
    if self._chainIndex[selector] != 0:
        raw_revert(abi_encode(selector, method_id=method_id("ChainAlreadyExists(uint64)")))
    self._chains.append(selector)
    self._chainIndex[selector] = len(self._chains)
    self._remoteTokens[selector] = update.remoteTokenAddress
    rate_limiter._fill(rate_limiter.OUTBOUND, selector, update.outboundRateLimiterConfig)
    rate_limiter._fill(rate_limiter.INBOUND, selector, update.inboundRateLimiterConfig)
    for pool: Bytes[64] in update.remotePoolAddresses:
        self._add_remote_pool(selector, pool)
    log ChainAdded(
        remoteChainSelector=selector,
        remoteToken=update.remoteTokenAddress,
        outboundRateLimiterConfig=update.outboundRateLimiterConfig,
        inboundRateLimiterConfig=update.inboundRateLimiterConfig,
    )


@external
def applyChainUpdates(
    remoteChainSelectorsToRemove: DynArray[uint64, 32], chainsToAdd: DynArray[ChainUpdate, 16]
):
    ownable._check_owner()
    for selector: uint64 in remoteChainSelectorsToRemove:
        self._remove_chain(selector)
    for update: ChainUpdate in chainsToAdd:
        self._add_chain(update)


@internal
def _allow(sender: address):
    if sender == empty(address) or self._allowIndex[sender] != 0:
        return
    self._allowList.append(sender)
    self._allowIndex[sender] = len(self._allowList)
    log AllowListAdd(sender=sender)


@external
def applyAllowListUpdates(removes: DynArray[address, 128], adds: DynArray[address, 128]):
    ownable._check_owner()
    if not ALLOWLIST_ENABLED:
        refusal._plain(convert(method_id("AllowListNotEnabled()", output_type=bytes4), uint32))
    for sender: address in removes:
        index: uint256 = self._allowIndex[sender]
        if index == 0:
            continue
        last: address = self._allowList.pop()
        if last != sender:
            self._allowList[index - 1] = last
            self._allowIndex[last] = index
        self._allowIndex[sender] = 0
        log AllowListRemove(sender=sender)
    for sender: address in adds:
        self._allow(sender)


@external
def setRouter(newRouter: address):
    ownable._check_owner()
    if newRouter == empty(address):
        self._refuse_zero()
    log RouterUpdated(oldRouter=self._router, newRouter=newRouter)
    self._router = newRouter


@external
def setRateLimitAdmin(rateLimitAdmin: address):
    ownable._check_owner()
    self._rateLimitAdmin = rateLimitAdmin
    log RateLimitAdminSet(rateLimitAdmin=rateLimitAdmin)


@internal
@view
def _check_rate_limit_admin():
    if msg.sender != self._rateLimitAdmin and msg.sender != ownable._owner:
        refusal._one(
            convert(method_id("Unauthorized(address)", output_type=bytes4), uint32), convert(msg.sender, uint256)
        )


@internal
def _set_limits(selector: uint64, outbound: rate_limiter.Config, inbound: rate_limiter.Config):
    self._check_chain(selector)
    rate_limiter._check(outbound, STRICT_RATES)
    rate_limiter._reconfigure(rate_limiter.OUTBOUND, selector, outbound)
    rate_limiter._check(inbound, STRICT_RATES)
    rate_limiter._reconfigure(rate_limiter.INBOUND, selector, inbound)
    log ChainConfigured(
        remoteChainSelector=selector, outboundRateLimiterConfig=outbound, inboundRateLimiterConfig=inbound
    )


@external
def setChainRateLimiterConfig(
    remoteChainSelector: uint64, outboundConfig: rate_limiter.Config, inboundConfig: rate_limiter.Config
):
    self._check_rate_limit_admin()
    self._set_limits(remoteChainSelector, outboundConfig, inboundConfig)


@external
def setChainRateLimiterConfigs(
    remoteChainSelectors: DynArray[uint64, 32],
    outboundConfigs: DynArray[rate_limiter.Config, 32],
    inboundConfigs: DynArray[rate_limiter.Config, 32],
):
    self._check_rate_limit_admin()
    if len(remoteChainSelectors) != len(outboundConfigs) or len(remoteChainSelectors) != len(inboundConfigs):
        refusal._plain(convert(method_id("MismatchedArrayLengths()", output_type=bytes4), uint32))
    for i: uint256 in range(len(remoteChainSelectors), bound=32):
        self._set_limits(remoteChainSelectors[i], outboundConfigs[i], inboundConfigs[i])


# ----------------------------------------------------------------------------------------- checks before tokens move


@internal
@view
def _check_lane(token: address, selector: uint64):
    """The pool's own token, and a lane that is not cursed."""
    if token != TOKEN:
        refusal._one(convert(method_id("InvalidToken(address)", output_type=bytes4), uint32), convert(token, uint256))
    if staticcall RMN(RMN_PROXY).isCursed(convert(convert(selector, uint128), bytes16)):
        refusal._plain(convert(method_id("CursedByRMN()", output_type=bytes4), uint32))


@internal
@view
def _refuse_caller():
    refusal._one(
        convert(method_id("CallerIsNotARampOnRouter(address)", output_type=bytes4), uint32),
        convert(msg.sender, uint256),
    )


@internal
@view
def _refuse_chain(selector: uint64):
    refusal._one(convert(method_id("ChainNotAllowed(uint64)", output_type=bytes4), uint32), convert(selector, uint256))


@internal
@pure
def _refuse_sender(sender: address):
    refusal._one(convert(method_id("SenderNotAllowed(address)", output_type=bytes4), uint32), convert(sender, uint256))


@internal
@pure
def _refuse_source_pool(pool: Bytes[64]):
    raw_revert(abi_encode(pool, method_id=method_id("InvalidSourcePoolAddress(bytes)")))


@internal
@view
def _check_outgoing(selector: uint64, sender: address):
    """Allowlist, chain, and the caller, which is that chain's on-ramp."""
    if ALLOWLIST_ENABLED and self._allowIndex[sender] == 0:
        self._refuse_sender(sender)
    if self._chainIndex[selector] == 0:
        self._refuse_chain(selector)
    if msg.sender != staticcall Router(self._router).getOnRamp(selector):
        self._refuse_caller()


@internal
@view
def _check_incoming(selector: uint64):
    """Chain, and the caller, which is one of that chain's off-ramps."""
    if self._chainIndex[selector] == 0:
        self._refuse_chain(selector)
    if not staticcall Router(self._router).isOffRamp(selector, msg.sender):
        self._refuse_caller()


@internal
@view
def _check_source_pool(selector: uint64, pool: Bytes[64]):
    if self._poolIndex[selector][keccak256(pool)] == 0:
        self._refuse_source_pool(pool)


@internal
def _consume_outbound(selector: uint64, amount: uint256):
    rate_limiter._consume(rate_limiter.OUTBOUND, selector, amount, TOKEN)
    log OutboundRateLimitConsumed(remoteChainSelector=selector, token=TOKEN, amount=amount)


@internal
def _consume_inbound(selector: uint64, amount: uint256):
    rate_limiter._consume(rate_limiter.INBOUND, selector, amount, TOKEN)
    log InboundRateLimitConsumed(remoteChainSelector=selector, token=TOKEN, amount=amount)


@internal
def _consume_as_1_5(direction: uint256, selector: uint64, amount: uint256):
    """The event of version 1.5.1, which says nothing where nothing is limited."""
    rate_limiter._consume(direction, selector, amount, TOKEN)
    if amount != 0 and rate_limiter._counts(direction, selector):
        log TokensConsumed(tokens=amount)


@internal
@view
def _answer(selector: uint64) -> LockOrBurnOutV1:
    return LockOrBurnOutV1(
        destTokenAddress=self._remoteTokens[selector], destPoolData=abi_encode(convert(DECIMALS, uint256))
    )


# The two below are what every token of a message pays for: they call as little as they can.


@internal
def _validate_lock_or_burn(request: LockOrBurnInV1) -> LockOrBurnOutV1:
    """The checks of lockOrBurn in their order, the outbound limit, and what the pool answers (spec section 19.2)."""
    selector: uint64 = request.remoteChainSelector
    self._check_lane(request.localToken, selector)
    self._check_outgoing(selector, request.originalSender)
    rate_limiter._consume(rate_limiter.OUTBOUND, selector, request.amount, TOKEN)
    log OutboundRateLimitConsumed(remoteChainSelector=selector, token=TOKEN, amount=request.amount)
    return LockOrBurnOutV1(
        destTokenAddress=self._remoteTokens[selector], destPoolData=abi_encode(convert(DECIMALS, uint256))
    )


@internal
def _log_lock_or_burn(selector: uint64, amount: uint256):
    log LockedOrBurned(remoteChainSelector=selector, token=TOKEN, sender=msg.sender, amount=amount)


@internal
def _validate_release_or_mint(request: ReleaseOrMintInV1) -> uint256:
    """The checks of releaseOrMint in their order and the inbound limit; the local amount (spec section 19.3)."""
    amount: uint256 = self._local_amount(request.sourceDenominatedAmount, request.sourcePoolData)
    selector: uint64 = request.remoteChainSelector
    self._check_lane(request.localToken, selector)
    self._check_incoming(selector)
    if self._poolIndex[selector][keccak256(request.sourcePoolAddress)] == 0:
        self._refuse_source_pool(request.sourcePoolAddress)
    rate_limiter._consume(rate_limiter.INBOUND, selector, amount, TOKEN)
    log InboundRateLimitConsumed(remoteChainSelector=selector, token=TOKEN, amount=amount)
    return amount


@internal
def _log_release_or_mint(selector: uint64, recipient: address, amount: uint256):
    log ReleasedOrMinted(
        remoteChainSelector=selector, token=TOKEN, sender=msg.sender, recipient=recipient, amount=amount
    )


@internal
@view
def _local_amount(amount: uint256, sourcePoolData: Bytes[1024]) -> uint256:
    """The amount in local decimals; what does not divide is cut off (spec section 19.4)."""
    local: uint256 = convert(DECIMALS, uint256)
    remote: uint256 = local
    if len(sourcePoolData) != 0:
        if len(sourcePoolData) == 32:
            remote = extract32(sourcePoolData, 0, output_type=uint256)
        if len(sourcePoolData) != 32 or remote > 255:
            raw_revert(abi_encode(sourcePoolData, method_id=method_id("InvalidRemoteChainDecimals(bytes)")))
    if remote == local:
        return amount
    if remote > local:
        if remote - local > 77:
            self._refuse_overflow(remote, local, amount)
        return amount // 10 ** (remote - local)
    if local - remote > 77:
        self._refuse_overflow(remote, local, amount)
    factor: uint256 = 10 ** (local - remote)
    if amount > max_value(uint256) // factor:
        self._refuse_overflow(remote, local, amount)
    return amount * factor


@internal
@pure
def _refuse_overflow(remote: uint256, local: uint256, amount: uint256):
    refusal._three(
        convert(method_id("OverflowDetected(uint8,uint8,uint256)", output_type=bytes4), uint32), remote, local, amount
    )
