# pragma version 0.4.3
# BurnMintTokenPool 1.6.1: burns what leaves and mints what arrives (spec section 19).
# Everything but the burning and minting is in modules/token_pool.

from modules import ownable_2step as ownable
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

interface BurnMintERC20:
    def burn(amount: uint256): nonpayable
    def mint(account: address, amount: uint256): nonpayable


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
    return "BurnMintTokenPool 1.6.1"


@external
def lockOrBurn(lockOrBurnIn: token_pool.LockOrBurnInV1) -> token_pool.LockOrBurnOutV1:
    """Burns the amount, which the router has already put into the pool."""
    answer: token_pool.LockOrBurnOutV1 = token_pool._validate_lock_or_burn(lockOrBurnIn)
    extcall BurnMintERC20(token_pool.TOKEN).burn(lockOrBurnIn.amount)
    token_pool._log_lock_or_burn(lockOrBurnIn.remoteChainSelector, lockOrBurnIn.amount)
    return answer


@external
def releaseOrMint(releaseOrMintIn: token_pool.ReleaseOrMintInV1) -> token_pool.ReleaseOrMintOutV1:
    """Mints the local amount to the receiver."""
    amount: uint256 = token_pool._validate_release_or_mint(releaseOrMintIn)
    extcall BurnMintERC20(token_pool.TOKEN).mint(releaseOrMintIn.receiver, amount)
    token_pool._log_release_or_mint(releaseOrMintIn.remoteChainSelector, releaseOrMintIn.receiver, amount)
    return token_pool.ReleaseOrMintOutV1(destinationAmount=amount)
