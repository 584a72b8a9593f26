# pragma version 0.4.3
# BurnToAddressTokenPool 1.6.1: for tokens that cannot be burned: what leaves goes to an address that nobody holds.
# Everything but the burning and minting is in modules/token_pool.

from modules import ownable_2step as ownable
from modules import safe_erc20
from modules import token_pool

initializes: ownable
initializes: token_pool[ownable := ownable]
exports: (ownable.__interface__, token_pool.__interface__)

interface Token:
    def mint(account: address, amount: uint256): nonpayable

BURN_ADDRESS: immutable(address)


@deploy
def __init__(
    token: address,
    localTokenDecimals: uint8,
    allowlist: DynArray[address, 128],
    rmnProxy: address,
    router: address,
    burnAddress: address,
):
    ownable.__init__()
    token_pool.__init__(
        token, localTokenDecimals, allowlist, rmnProxy, router, False, token_pool.ZERO_NOT_ALLOWED
    )
    BURN_ADDRESS = burnAddress


@external
@view
def typeAndVersion() -> String[32]:
    return "BurnToAddressTokenPool 1.6.1"


@external
@view
def getBurnAddress() -> address:
    return BURN_ADDRESS


@external
@view
def i_burnAddress() -> address:
    return BURN_ADDRESS


@external
def lockOrBurn(lockOrBurnIn: token_pool.LockOrBurnInV1) -> token_pool.LockOrBurnOutV1:
    """Burns the amount, which the router has already put into the pool."""
    answer: token_pool.LockOrBurnOutV1 = token_pool._validate_lock_or_burn(lockOrBurnIn)
    safe_erc20._transfer(token_pool.TOKEN, BURN_ADDRESS, lockOrBurnIn.amount)
    token_pool._log_lock_or_burn(lockOrBurnIn.remoteChainSelector, lockOrBurnIn.amount)
    return answer


@external
def releaseOrMint(releaseOrMintIn: token_pool.ReleaseOrMintInV1) -> token_pool.ReleaseOrMintOutV1:
    """Mints the local amount to the receiver."""
    amount: uint256 = token_pool._validate_release_or_mint(releaseOrMintIn)
    extcall Token(token_pool.TOKEN).mint(releaseOrMintIn.receiver, amount)
    token_pool._log_release_or_mint(releaseOrMintIn.remoteChainSelector, releaseOrMintIn.receiver, amount)
    return token_pool.ReleaseOrMintOutV1(destinationAmount=amount)
