# pragma version 0.4.3
# BurnWithFromMintTokenPool 1.6.1: for tokens that burn by burn(address,uint256) (spec section 19.2).
# Everything but the burning and minting is in modules/token_pool.

from modules import ownable_2step as ownable
from modules import safe_erc20
from modules import token_pool

initializes: ownable
initializes: token_pool[ownable := ownable]
exports: (ownable.__interface__, token_pool.__interface__)

interface Token:
    def burn(account: address, amount: uint256): nonpayable
    def mint(account: address, amount: uint256): nonpayable


@deploy
def __init__(
    token: address, localTokenDecimals: uint8, allowlist: DynArray[address, 128], rmnProxy: address, router: address
):
    ownable.__init__()
    token_pool.__init__(
        token, localTokenDecimals, allowlist, rmnProxy, router, False, token_pool.ZERO_NOT_ALLOWED
    )
    # The token takes from an allowance even where the pool burns its own.
    safe_erc20._approve(token, self, max_value(uint256))


@external
@view
def typeAndVersion() -> String[32]:
    return "BurnWithFromMintTokenPool 1.6.1"


@external
def lockOrBurn(lockOrBurnIn: token_pool.LockOrBurnInV1) -> token_pool.LockOrBurnOutV1:
    """Burns the amount, which the router has already put into the pool."""
    answer: token_pool.LockOrBurnOutV1 = token_pool._validate_lock_or_burn(lockOrBurnIn)
    extcall Token(token_pool.TOKEN).burn(self, lockOrBurnIn.amount)
    token_pool._log_lock_or_burn(lockOrBurnIn.remoteChainSelector, lockOrBurnIn.amount)
    return answer


@external
def releaseOrMint(releaseOrMintIn: token_pool.ReleaseOrMintInV1) -> token_pool.ReleaseOrMintOutV1:
    """Mints the local amount to the receiver."""
    amount: uint256 = token_pool._validate_release_or_mint(releaseOrMintIn)
    extcall Token(token_pool.TOKEN).mint(releaseOrMintIn.receiver, amount)
    token_pool._log_release_or_mint(releaseOrMintIn.remoteChainSelector, releaseOrMintIn.receiver, amount)
    return token_pool.ReleaseOrMintOutV1(destinationAmount=amount)
