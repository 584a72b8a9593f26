# pragma version 0.4.3
# USDCTokenPool 1.6.2: burns and mints USDC through version 1 of Circle's transfer protocol; a delivery brings the
# attested CCTP message of its own burn (spec section 20.1). What USDC pools share is in modules/usdc, what all pools
# share in modules/token_pool.

from modules import ownable_2step as ownable
from modules import refusal
from modules import token_pool
from modules import usdc

initializes: ownable
initializes: token_pool[ownable := ownable]
initializes: usdc[ownable := ownable]
exports: (ownable.__interface__, token_pool.__interface__, usdc.__interface__)

interface TokenMessenger:
    def depositForBurnWithCaller(
        amount: uint256,
        destinationDomain: uint32,
        mintRecipient: bytes32,
        burnToken: address,
        destinationCaller: bytes32,
    ) -> uint64: nonpayable

interface Pool:
    def supportsInterface(interfaceId: bytes4) -> bool: view
    def releaseOrMint(
        releaseOrMintIn: token_pool.ReleaseOrMintInV1
    ) -> token_pool.ReleaseOrMintOutV1: nonpayable

struct LockOrBurnOutV1:
    destTokenAddress: Bytes[64]
    destPoolData: Bytes[64]

SUPPORTED_USDC_VERSION: public(constant(uint32)) = 0
# The shortest message that has all members of a header.
MIN_MESSAGE: constant(uint256) = 116
# Interface id of IPoolV1.
POOL_V1: constant(bytes4) = 0x0e64dd29

PREVIOUS_POOL: immutable(address)


@deploy
def __init__(
    tokenMessenger: address,
    cctpMessageTransmitterProxy: address,
    token: address,
    allowlist: DynArray[address, 128],
    rmnProxy: address,
    router: address,
    previousPool: address,
):
    """`previousPool`, if any, still delivers the messages that name it as their caller."""
    ownable.__init__()
    token_pool.__init__(
        token, usdc.USDC_DECIMALS, allowlist, rmnProxy, router, False, token_pool.ZERO_NOT_ALLOWED
    )
    transmitter: address = empty(address)
    version: uint32 = 0
    bodyVersion: uint32 = 0
    transmitter, version, bodyVersion = usdc._transmitter(tokenMessenger)
    self._check_version(convert(method_id("InvalidMessageVersion(uint32)", output_type=bytes4), uint32), version)
    self._check_version(
        convert(method_id("InvalidTokenMessengerVersion(uint32)", output_type=bytes4), uint32), bodyVersion
    )
    usdc.__init__(token, tokenMessenger, cctpMessageTransmitterProxy, transmitter)
    if previousPool != empty(address):
        valid: bool = previousPool != self
        if valid:
            valid = staticcall Pool(previousPool).supportsInterface(POOL_V1)
        if not valid:
            refusal._plain(convert(method_id("InvalidPreviousPool()", output_type=bytes4), uint32))
    PREVIOUS_POOL = previousPool


@internal
@pure
def _check_version(selector: uint32, version: uint32):
    if version != SUPPORTED_USDC_VERSION:
        refusal._one(selector, convert(version, uint256))


@external
@view
def typeAndVersion() -> String[32]:
    return "USDCTokenPool 1.6.2"


@external
@view
def i_previousPool() -> address:
    return PREVIOUS_POOL


@external
def lockOrBurn(lockOrBurnIn: token_pool.LockOrBurnInV1) -> LockOrBurnOutV1:
    """Burns the amount through CCTP; the pool data is the nonce of the burn and this chain's domain."""
    selector: uint64 = lockOrBurnIn.remoteChainSelector
    token_pool._check_lane(lockOrBurnIn.localToken, selector)
    token_pool._check_outgoing(selector, lockOrBurnIn.originalSender)
    token_pool._consume_outbound(selector, lockOrBurnIn.amount)
    domain: usdc.Domain = empty(usdc.Domain)
    recipient: bytes32 = empty(bytes32)
    domain, recipient = usdc._destination(selector, lockOrBurnIn.receiver)
    nonce: uint64 = extcall TokenMessenger(usdc.TOKEN_MESSENGER).depositForBurnWithCaller(
        lockOrBurnIn.amount, domain.domainIdentifier, recipient, token_pool.TOKEN, domain.allowedCaller
    )
    token_pool._log_lock_or_burn(selector, lockOrBurnIn.amount)
    return LockOrBurnOutV1(
        destTokenAddress=token_pool._remoteTokens[selector], destPoolData=abi_encode(nonce, usdc.LOCAL_DOMAIN)
    )


@external
def releaseOrMint(releaseOrMintIn: token_pool.ReleaseOrMintInV1) -> token_pool.ReleaseOrMintOutV1:
    """Delivers the attested message of this very burn to CCTP, which mints to the receiver."""
    selector: uint64 = releaseOrMintIn.remoteChainSelector
    amount: uint256 = releaseOrMintIn.sourceDenominatedAmount
    token_pool._check_lane(releaseOrMintIn.localToken, selector)
    token_pool._check_incoming(selector)
    token_pool._check_source_pool(selector, releaseOrMintIn.sourcePoolAddress)
    token_pool._consume_inbound(selector, amount)
    parts: usdc.MessageAndAttestation = abi_decode(
        releaseOrMintIn.offchainTokenData, usdc.MessageAndAttestation
    )
    usdc._check_length(parts.message, MIN_MESSAGE)
    if PREVIOUS_POOL != empty(address) and extract32(parts.message, 84) == convert(PREVIOUS_POOL, bytes32):
        return extcall Pool(PREVIOUS_POOL).releaseOrMint(releaseOrMintIn)
    self._check_message(parts.message, releaseOrMintIn.sourcePoolData)
    usdc._mint(parts)
    token_pool._log_release_or_mint(selector, releaseOrMintIn.receiver, amount)
    return token_pool.ReleaseOrMintOutV1(destinationAmount=amount)


@internal
@view
def _check_message(message: Bytes[usdc.MAX_MESSAGE], sourcePoolData: Bytes[1024]):
    """
    Only the message of the burn that the source pool reported will do: anyone may bring a message when executing
    manually. Version at byte 0, domains at 4 and 8, nonce at 12.
    """
    # Nonce and source domain; whatever follows them is not read.
    nonce: uint256 = extract32(sourcePoolData, 0, output_type=uint256)
    source: uint256 = extract32(sourcePoolData, 32, output_type=uint256)
    self._check_version(
        convert(method_id("InvalidMessageVersion(uint32)", output_type=bytes4), uint32), usdc._u32(message, 0)
    )
    usdc._check_domains(message, convert(source, uint32))
    usdc._check_same(
        convert(method_id("InvalidNonce(uint64,uint64)", output_type=bytes4), uint32),
        convert(convert(nonce, uint64), uint256),
        convert(slice(message, 12, 8), uint256),
    )
