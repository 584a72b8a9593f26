# pragma version 0.4.3
# MultiAggregateRateLimiter 1.6.0: a message interceptor that limits what all listed tokens together are worth, in US
# dollars, for each remote chain and direction (spec section 22). It moves nothing; ramps ask it before they go on.
#
# onInboundMessage and onOutboundMessage are served by __default__: of a message they read the token amounts only, and
# Vyper would copy all of it.

from modules import authorized_callers
from modules import cursor
from modules import ownable_2step as ownable
from modules import rate_limiter
from modules import refusal

initializes: ownable
initializes: authorized_callers[ownable := ownable]
initializes: rate_limiter
exports: (ownable.__interface__, authorized_callers.__interface__)

interface FeeQuoter:
    def getTokenPrice(token: address) -> TimestampedPrice: view

struct TimestampedPrice:
    usdPerToken: uint224
    timestamp: uint32

struct RateLimiterConfigArgs:
    remoteChainSelector: uint64
    isOutboundLane: bool
    rateLimiterConfig: rate_limiter.Config

struct LocalRateLimitToken:
    remoteChainSelector: uint64
    localToken: address

struct RateLimitTokenArgs:
    localTokenArgs: LocalRateLimitToken
    remoteToken: Bytes[MAX_ADDRESS]

event RateLimiterConfigUpdated:
    remoteChainSelector: indexed(uint64)
    isOutboundLane: bool
    config: rate_limiter.Config

event FeeQuoterSet:
    newFeeQuoter: address

event TokenAggregateRateLimitAdded:
    remoteChainSelector: uint64
    remoteToken: Bytes[MAX_ADDRESS]
    localToken: address

event TokenAggregateRateLimitRemoved:
    remoteChainSelector: uint64
    localToken: address

event TokensConsumed:
    tokens: uint256

# Most tokens limited for one chain, and most entries of one update.
MAX_TOKENS: constant(uint256) = 128
MAX_UPDATES: constant(uint256) = 32
MAX_ADDRESS: constant(uint256) = 64

# Selectors served by __default__.
ON_INBOUND_MESSAGE: constant(uint32) = 148132001  # 0x08d450a1
ON_OUTBOUND_MESSAGE: constant(uint32) = 3768640774  # 0xe0a0e506

_feeQuoter: address
_tokens: HashMap[uint64, DynArray[address, MAX_TOKENS]]
# chain -> token here -> its place in _tokens, from 1
_places: HashMap[uint64, HashMap[address, uint256]]
_remoteTokens: HashMap[uint64, HashMap[address, Bytes[MAX_ADDRESS]]]


@deploy
def __init__(feeQuoter: address, authorizedCallers: DynArray[address, 32]):
    ownable.__init__()
    authorized_callers.__init__(authorizedCallers)
    self._set_fee_quoter(feeQuoter)


@external
@view
def typeAndVersion() -> String[64]:
    return "MultiAggregateRateLimiter 1.6.0"


@internal
@pure
def _refuse_zero():
    refusal._plain(convert(method_id("ZeroAddressNotAllowed()", output_type=bytes4), uint32))


@internal
@pure
def _direction(isOutboundLane: bool) -> uint256:
    if isOutboundLane:
        return rate_limiter.OUTBOUND
    return rate_limiter.INBOUND


@internal
def _set_fee_quoter(feeQuoter: address):
    if feeQuoter == empty(address):
        self._refuse_zero()
    self._feeQuoter = feeQuoter
    log FeeQuoterSet(newFeeQuoter=feeQuoter)


@external
@view
def getFeeQuoter() -> address:
    return self._feeQuoter


@external
def setFeeQuoter(newFeeQuoter: address):
    """Whose prices count; owner only."""
    ownable._check_owner()
    self._set_fee_quoter(newFeeQuoter)


@external
@view
def currentRateLimiterState(remoteChainSelector: uint64, isOutboundLane: bool) -> rate_limiter.TokenBucket:
    return rate_limiter._bucket(self._direction(isOutboundLane), remoteChainSelector)


@external
def applyRateLimiterConfigUpdates(rateLimiterUpdates: DynArray[RateLimiterConfigArgs, MAX_UPDATES]):
    """A bucket is full the first time it is set and keeps what it holds later. Owner only."""
    ownable._check_owner()
    for update: RateLimiterConfigArgs in rateLimiterUpdates:
        selector: uint64 = update.remoteChainSelector
        if selector == 0:
            refusal._plain(convert(method_id("ZeroChainSelectorNotAllowed()", output_type=bytes4), uint32))
        rate_limiter._check(update.rateLimiterConfig, True)
        direction: uint256 = self._direction(update.isOutboundLane)
        if rate_limiter._levels[direction][selector] == 0:
            rate_limiter._fill(direction, selector, update.rateLimiterConfig)
        else:
            rate_limiter._reconfigure(direction, selector, update.rateLimiterConfig)
        log RateLimiterConfigUpdated(
            remoteChainSelector=selector, isOutboundLane=update.isOutboundLane, config=update.rateLimiterConfig
        )


@external
@view
def getAllRateLimitTokens(
    remoteChainSelector: uint64
) -> (DynArray[address, MAX_TOKENS], DynArray[Bytes[MAX_ADDRESS], MAX_TOKENS]):
    """The tokens limited for a chain, by their addresses here and there."""
    remoteTokens: DynArray[Bytes[MAX_ADDRESS], MAX_TOKENS] = []
    for token: address in self._tokens[remoteChainSelector]:
        remoteTokens.append(self._remoteTokens[remoteChainSelector][token])
    return self._tokens[remoteChainSelector], remoteTokens


@external
def updateRateLimitTokens(
    removes: DynArray[LocalRateLimitToken, MAX_UPDATES], adds: DynArray[RateLimitTokenArgs, MAX_UPDATES]
):
    """Which tokens count for which chain; removals first, and only changes are reported. Owner only."""
    ownable._check_owner()
    for removal: LocalRateLimitToken in removes:
        selector: uint64 = removal.remoteChainSelector
        place: uint256 = self._places[selector][removal.localToken]
        if place == 0:
            continue
        # The last token takes the place of the one that leaves.
        last: address = self._tokens[selector].pop()
        if last != removal.localToken:
            self._tokens[selector][unsafe_sub(place, 1)] = last
            self._places[selector][last] = place
        self._places[selector][removal.localToken] = 0
        self._remoteTokens[selector][removal.localToken] = b""
        log TokenAggregateRateLimitRemoved(remoteChainSelector=selector, localToken=removal.localToken)
    for update: RateLimitTokenArgs in adds:
        selector: uint64 = update.localTokenArgs.remoteChainSelector
        token: address = update.localTokenArgs.localToken
        if token == empty(address) or len(update.remoteToken) == 0:
            self._refuse_zero()
        self._remoteTokens[selector][token] = update.remoteToken
        if self._places[selector][token] == 0:
            self._tokens[selector].append(token)
            self._places[selector][token] = len(self._tokens[selector])
            log TokenAggregateRateLimitAdded(
                remoteChainSelector=selector, remoteToken=update.remoteToken, localToken=token
            )


@internal
@view
def _worth(selector: uint64, tokens: uint256) -> uint256:
    """What the listed ones of the token amounts at `tokens` are worth, in US dollars with 18 decimals."""
    total: uint256 = 0
    at: uint256 = unsafe_add(tokens, 32)
    for i: uint256 in range(cursor._count(tokens, cursor.MAX_TOKENS), bound=cursor.MAX_TOKENS):
        word: uint256 = cursor._word(at)
        assert word >> 160 == 0
        token: address = convert(word, address)
        if self._places[selector][token] != 0:
            price: uint256 = convert(
                (staticcall FeeQuoter(self._feeQuoter).getTokenPrice(token)).usdPerToken, uint256
            )
            if price == 0:
                refusal._one(convert(method_id("PriceNotFoundForToken(address)", output_type=bytes4), uint32), word)
            total += price * cursor._item(at, 1) // 10**18
        at = unsafe_add(at, 64)
    return total


@external
def __default__():
    """
    onInboundMessage(Any2EVMMessage) and onOutboundMessage(uint64,EVM2AnyMessage), for authorized callers; any other
    selector is refused with no data.
    """
    authorized_callers._check_caller()
    selector: uint32 = convert(convert(slice(msg.data, 0, 4), bytes4), uint32)
    direction: uint256 = rate_limiter.INBOUND
    chain_: uint256 = 0
    tokens: uint256 = 0
    if selector == ON_OUTBOUND_MESSAGE:
        direction = rate_limiter.OUTBOUND
        chain_ = cursor._word(4)
        message: uint256 = 4 + cursor._word(36)
        tokens = message + cursor._item(message, 2)
    else:
        assert selector == ON_INBOUND_MESSAGE
        message: uint256 = 4 + cursor._word(4)
        chain_ = cursor._item(message, 1)
        tokens = message + cursor._item(message, 4)
    remote: uint64 = convert(chain_, uint64)
    # A bucket that does not limit asks for no prices.
    if not rate_limiter._counts(direction, remote):
        return
    worth: uint256 = self._worth(remote, tokens)
    if worth != 0:
        rate_limiter._consume_worth(direction, remote, worth)
        log TokensConsumed(tokens=worth)
