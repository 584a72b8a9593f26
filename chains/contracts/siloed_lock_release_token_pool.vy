# pragma version 0.4.3
# SiloedLockReleaseTokenPool 1.6.0: keeps what leaves and pays out what arrives, with the liquidity of some remote
# chains apart from that of all others, so that no chain can drain another's silo (spec section 19.6). It checks, limits
# and reports by the rules of the 1.5.1 pools. Everything shared with other pools is in modules/token_pool.

from modules import ownable_2step as ownable
from modules import rate_limiter
from modules import refusal
from modules import safe_erc20
from modules import token_pool

initializes: ownable
initializes: token_pool[ownable := ownable]
exports: (ownable.__interface__, token_pool.__interface__)

struct SiloConfigUpdate:
    remoteChainSelector: uint64
    rebalancer: address

event LiquidityAdded:
    remoteChainSelector: uint64
    provider: indexed(address)
    amount: uint256

event LiquidityRemoved:
    remoteChainSelector: uint64
    remover: indexed(address)
    amount: uint256

event ChainSiloed:
    remoteChainSelector: uint64
    rebalancer: address

event ChainUnsiloed:
    remoteChainSelector: uint64
    amountUnsiloed: uint256

event SiloRebalancerSet:
    remoteChainSelector: indexed(uint64)
    oldRebalancer: address
    newRebalancer: address

event UnsiloedRebalancerSet:
    oldRebalancer: address
    newRebalancer: address

# Declared for the published ABI: a pool that locks never emits them.
event Burned:
    sender: indexed(address)
    amount: uint256

event Minted:
    sender: indexed(address)
    recipient: indexed(address)
    amount: uint256

# Most chains of one kind in one update.
MAX_UPDATES: constant(uint256) = 32
# The chain that stands for all chains without a silo; no real chain has this selector.
SHARED: constant(uint64) = 0

# Liquidity and rebalancers by chain, those of SHARED for every chain without a silo.
_balances: HashMap[uint64, uint256]
_rebalancers: HashMap[uint64, address]
_siloed: HashMap[uint64, bool]


@deploy
def __init__(
    token: address, localTokenDecimals: uint8, allowlist: DynArray[address, 128], rmnProxy: address, router: address
):
    ownable.__init__()
    token_pool.__init__(
        token, localTokenDecimals, allowlist, rmnProxy, router, True, token_pool.ZERO_NOT_ALLOWED
    )


@external
@view
def typeAndVersion() -> String[64]:
    return "SiloedLockReleaseTokenPool 1.6.0"


# -------------------------------------------------------------------------------------------------------- messages


@internal
@view
def _silo(selector: uint64) -> uint64:
    """Where the liquidity of a chain is counted."""
    if self._siloed[selector]:
        return selector
    return SHARED


@internal
@pure
def _refuse_chain(selector: uint32, remoteChainSelector: uint64):
    refusal._one(selector, convert(remoteChainSelector, uint256))


@internal
def _take(silo: uint64, amount: uint256):
    """Counts liquidity out; what a silo does not have is not taken from elsewhere."""
    available: uint256 = self._balances[silo]
    if amount > available:
        refusal._two(
            convert(method_id("InsufficientLiquidity(uint256,uint256)", output_type=bytes4), uint32), available, amount
        )
    self._balances[silo] = unsafe_sub(available, amount)


@external
def lockOrBurn(lockOrBurnIn: token_pool.LockOrBurnInV1) -> token_pool.LockOrBurnOutV1:
    """Keeps the amount, which the router has already put into the pool, in the silo of its chain."""
    selector: uint64 = lockOrBurnIn.remoteChainSelector
    token_pool._check_lane(lockOrBurnIn.localToken, selector)
    token_pool._check_outgoing(selector, lockOrBurnIn.originalSender)
    token_pool._consume_as_1_5(rate_limiter.OUTBOUND, selector, lockOrBurnIn.amount)
    self._balances[self._silo(selector)] += lockOrBurnIn.amount
    log token_pool.Locked(sender=msg.sender, amount=lockOrBurnIn.amount)
    return token_pool._answer(selector)


@external
def releaseOrMint(releaseOrMintIn: token_pool.ReleaseOrMintInV1) -> token_pool.ReleaseOrMintOutV1:
    """Pays the local amount to the receiver from the silo of its chain."""
    selector: uint64 = releaseOrMintIn.remoteChainSelector
    token_pool._check_lane(releaseOrMintIn.localToken, selector)
    token_pool._check_incoming(selector)
    token_pool._check_source_pool(selector, releaseOrMintIn.sourcePoolAddress)
    token_pool._consume_as_1_5(rate_limiter.INBOUND, selector, releaseOrMintIn.sourceDenominatedAmount)
    amount: uint256 = token_pool._local_amount(
        releaseOrMintIn.sourceDenominatedAmount, releaseOrMintIn.sourcePoolData
    )
    self._take(self._silo(selector), amount)
    safe_erc20._transfer(token_pool.TOKEN, releaseOrMintIn.receiver, amount)
    log token_pool.Released(sender=msg.sender, recipient=releaseOrMintIn.receiver, amount=amount)
    return token_pool.ReleaseOrMintOutV1(destinationAmount=amount)


# ------------------------------------------------------------------------------------------------------------ silos


@external
@view
def isSiloed(remoteChainSelector: uint64) -> bool:
    return self._siloed[remoteChainSelector]


@external
@view
def getAvailableTokens(remoteChainSelector: uint64) -> uint256:
    """Liquidity of the chain's silo, or of all chains without one."""
    if token_pool._chainIndex[remoteChainSelector] == 0:
        self._refuse_chain(
            convert(method_id("InvalidChainSelector(uint64)", output_type=bytes4), uint32), remoteChainSelector
        )
    return self._balances[self._silo(remoteChainSelector)]


@external
@view
def getUnsiloedLiquidity() -> uint256:
    return self._balances[SHARED]


@external
@view
def getChainRebalancer(remoteChainSelector: uint64) -> address:
    return self._rebalancers[self._silo(remoteChainSelector)]


@external
@view
def getRebalancer() -> address:
    return self._rebalancers[SHARED]


@internal
@view
def _check_siloed(selector: uint64):
    if not self._siloed[selector]:
        self._refuse_chain(convert(method_id("ChainNotSiloed(uint64)", output_type=bytes4), uint32), selector)


@external
def updateSiloDesignations(
    removes: DynArray[uint64, MAX_UPDATES], adds: DynArray[SiloConfigUpdate, MAX_UPDATES]
):
    """Opens silos into the shared liquidity, then makes new, empty ones; owner only."""
    ownable._check_owner()
    for selector: uint64 in removes:
        self._check_siloed(selector)
        amount: uint256 = self._balances[selector]
        self._balances[selector] = 0
        self._balances[SHARED] += amount
        self._rebalancers[selector] = empty(address)
        self._siloed[selector] = False
        log ChainUnsiloed(remoteChainSelector=selector, amountUnsiloed=amount)
    for update: SiloConfigUpdate in adds:
        selector: uint64 = update.remoteChainSelector
        # Chain zero is never among the supported ones.
        if selector == SHARED or token_pool._chainIndex[selector] == 0 or self._siloed[selector]:
            self._refuse_chain(
                convert(method_id("InvalidChainSelector(uint64)", output_type=bytes4), uint32), selector
            )
        if update.rebalancer == empty(address):
            token_pool._refuse_zero()
        self._siloed[selector] = True
        self._rebalancers[selector] = update.rebalancer
        log ChainSiloed(remoteChainSelector=selector, rebalancer=update.rebalancer)


@external
def setSiloRebalancer(remoteChainSelector: uint64, newRebalancer: address):
    """Who may provide and withdraw the liquidity of one silo; owner only."""
    ownable._check_owner()
    self._check_siloed(remoteChainSelector)
    log SiloRebalancerSet(
        remoteChainSelector=remoteChainSelector,
        oldRebalancer=self._rebalancers[remoteChainSelector],
        newRebalancer=newRebalancer,
    )
    self._rebalancers[remoteChainSelector] = newRebalancer


@external
def setRebalancer(newRebalancer: address):
    """Who may provide and withdraw the shared liquidity; owner only."""
    ownable._check_owner()
    log UnsiloedRebalancerSet(oldRebalancer=self._rebalancers[SHARED], newRebalancer=newRebalancer)
    self._rebalancers[SHARED] = newRebalancer


# -------------------------------------------------------------------------------------------------------- liquidity


@internal
@view
def _check_rebalancer(silo: uint64, amount: uint256):
    if amount == 0:
        refusal._plain(convert(method_id("LiquidityAmountCannotBeZero()", output_type=bytes4), uint32))
    if msg.sender != self._rebalancers[silo]:
        refusal._one(
            convert(method_id("Unauthorized(address)", output_type=bytes4), uint32), convert(msg.sender, uint256)
        )


@internal
def _provide(silo: uint64, amount: uint256):
    self._check_rebalancer(silo, amount)
    self._balances[silo] += amount
    safe_erc20._transfer_from(token_pool.TOKEN, msg.sender, self, amount)
    log LiquidityAdded(remoteChainSelector=silo, provider=msg.sender, amount=amount)


@internal
def _withdraw(silo: uint64, amount: uint256):
    self._check_rebalancer(silo, amount)
    self._take(silo, amount)
    safe_erc20._transfer(token_pool.TOKEN, msg.sender, amount)
    log LiquidityRemoved(remoteChainSelector=silo, remover=msg.sender, amount=amount)


@external
def provideLiquidity(amount: uint256):
    self._provide(SHARED, amount)


@external
def provideSiloedLiquidity(remoteChainSelector: uint64, amount: uint256):
    self._check_siloed(remoteChainSelector)
    self._provide(remoteChainSelector, amount)


@external
def withdrawLiquidity(amount: uint256):
    self._withdraw(SHARED, amount)


@external
def withdrawSiloedLiquidity(remoteChainSelector: uint64, amount: uint256):
    self._check_siloed(remoteChainSelector)
    self._withdraw(remoteChainSelector, amount)
