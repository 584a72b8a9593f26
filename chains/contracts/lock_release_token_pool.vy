# pragma version 0.4.3
# LockReleaseTokenPool 1.6.1: keeps what leaves and pays out what arrives, from liquidity that a rebalancer tends
# (spec sections 19 and 19.6). Everything shared with other pools is in modules/token_pool.

from modules import ownable_2step as ownable
from modules import refusal
from modules import token_pool

initializes: ownable
initializes: token_pool[ownable := ownable]
exports: (
    ownable.owner,
    ownable.transferOwnership,
    ownable.acceptOwnership,
    token_pool.getToken,
    token_pool.getTokenDecimals,
    token_pool.getRmnProxy,
    token_pool.getRouter,
    token_pool.getRateLimitAdmin,
    token_pool.isSupportedToken,
    token_pool.isSupportedChain,
    token_pool.supportsInterface,
    token_pool.getSupportedChains,
    token_pool.getRemotePools,
    token_pool.getRemoteToken,
    token_pool.isRemotePool,
    token_pool.getAllowListEnabled,
    token_pool.getAllowList,
    token_pool.getCurrentOutboundRateLimiterState,
    token_pool.getCurrentInboundRateLimiterState,
    token_pool.addRemotePool,
    token_pool.removeRemotePool,
    token_pool.applyChainUpdates,
    token_pool.applyAllowListUpdates,
    token_pool.setRouter,
    token_pool.setRateLimitAdmin,
    token_pool.setChainRateLimiterConfig,
    token_pool.setChainRateLimiterConfigs,
)

interface ERC20:
    def balanceOf(account: address) -> uint256: view
    def transfer(to: address, amount: uint256) -> bool: nonpayable
    def transferFrom(sender: address, to: address, amount: uint256) -> bool: nonpayable

interface LiquidityContainer:
    def withdrawLiquidity(amount: uint256): nonpayable

event LiquidityAdded:
    provider: indexed(address)
    amount: indexed(uint256)

event LiquidityRemoved:
    provider: indexed(address)
    amount: indexed(uint256)

event LiquidityTransferred:
    _from: indexed(address)
    amount: uint256

event RebalancerSet:
    oldRebalancer: address
    newRebalancer: address

_rebalancer: address


@deploy
def __init__(
    token: address, localTokenDecimals: uint8, allowlist: DynArray[address, 128], rmnProxy: address, router: address
):
    ownable.__init__()
    token_pool.__init__(
        token, localTokenDecimals, allowlist, rmnProxy, router, False, token_pool.ZERO_NOT_ALLOWED
    )


@external
@view
def typeAndVersion() -> String[32]:
    return "LockReleaseTokenPool 1.6.1"


@external
def lockOrBurn(lockOrBurnIn: token_pool.LockOrBurnInV1) -> token_pool.LockOrBurnOutV1:
    """Keeps the amount, which the router has already put into the pool."""
    answer: token_pool.LockOrBurnOutV1 = token_pool._validate_lock_or_burn(lockOrBurnIn)
    token_pool._log_lock_or_burn(lockOrBurnIn.remoteChainSelector, lockOrBurnIn.amount)
    return answer


@external
def releaseOrMint(releaseOrMintIn: token_pool.ReleaseOrMintInV1) -> token_pool.ReleaseOrMintOutV1:
    """Pays the local amount to the receiver."""
    amount: uint256 = token_pool._validate_release_or_mint(releaseOrMintIn)
    self._pay(releaseOrMintIn.receiver, amount)
    token_pool._log_release_or_mint(releaseOrMintIn.remoteChainSelector, releaseOrMintIn.receiver, amount)
    return token_pool.ReleaseOrMintOutV1(destinationAmount=amount)


@internal
def _pay(to: address, amount: uint256):
    assert extcall ERC20(token_pool.TOKEN).transfer(to, amount, default_return_value=True)


@internal
@view
def _check_rebalancer():
    if msg.sender != self._rebalancer:
        refusal._one(
            convert(method_id("Unauthorized(address)", output_type=bytes4), uint32), convert(msg.sender, uint256)
        )


@external
@view
def getRebalancer() -> address:
    return self._rebalancer


@external
def setRebalancer(rebalancer: address):
    """Who may provide and withdraw liquidity; owner only."""
    ownable._check_owner()
    log RebalancerSet(oldRebalancer=self._rebalancer, newRebalancer=rebalancer)
    self._rebalancer = rebalancer


@external
def provideLiquidity(amount: uint256):
    self._check_rebalancer()
    assert extcall ERC20(token_pool.TOKEN).transferFrom(msg.sender, self, amount, default_return_value=True)
    log LiquidityAdded(provider=msg.sender, amount=amount)


@external
def withdrawLiquidity(amount: uint256):
    self._check_rebalancer()
    if staticcall ERC20(token_pool.TOKEN).balanceOf(self) < amount:
        refusal._plain(convert(method_id("InsufficientLiquidity()", output_type=bytes4), uint32))
    self._pay(msg.sender, amount)
    log LiquidityRemoved(provider=msg.sender, amount=amount)


@external
def transferLiquidity(_from: address, amount: uint256):
    """Takes liquidity from an older pool that has this one as its rebalancer; the largest amount means all of it."""
    ownable._check_owner()
    taken: uint256 = amount
    if amount == max_value(uint256):
        taken = staticcall ERC20(token_pool.TOKEN).balanceOf(_from)
    extcall LiquidityContainer(_from).withdrawLiquidity(taken)
    log LiquidityTransferred(_from=_from, amount=taken)
