# pragma version 0.4.3
# USDCTokenPoolCCTPV2 1.6.5: burns and mints USDC through version 2 of Circle's transfer protocol, without fees and
# after finality only (spec section 20.2). Its callers are listed, not asked for at the router: in the field a pool
# proxy, in a network of its own the ramps. What USDC pools share is in modules/usdc, what all pools share in
# modules/token_pool.

from modules import authorized_callers
from modules import ownable_2step as ownable
from modules import refusal
from modules import token_pool
from modules import usdc

initializes: ownable
initializes: authorized_callers[ownable := ownable]
initializes: token_pool[ownable := ownable]
initializes: usdc[ownable := ownable]
exports: (
    ownable.__interface__,
    authorized_callers.__interface__,
    token_pool.__interface__,
    usdc.__interface__,
)

interface TokenMessenger:
    def depositForBurn(
        amount: uint256,
        destinationDomain: uint32,
        mintRecipient: bytes32,
        burnToken: address,
        destinationCaller: bytes32,
        maxFee: uint256,
        minFinalityThreshold: uint32,
    ): nonpayable

struct LockOrBurnOutV1:
    destTokenAddress: Bytes[64]
    destPoolData: Bytes[64]

i_supportedUSDCVersion: public(constant(uint32)) = 1
# What a burn may cost, and the finality it waits for, which is that of a standard transfer.
MAX_FEE: public(constant(uint32)) = 0
FINALITY_THRESHOLD: public(constant(uint32)) = 2000
# The shortest message that has all members that are read.
MIN_USDC_MESSAGE_LENGTH: public(constant(uint256)) = 280
# Begins the data of a version 2 pool; then source domain (4 bytes) and deposit hash (32).
DATA_TAG: constant(bytes4) = 0xb148ea5f


@deploy
def __init__(
    tokenMessenger: address,
    cctpMessageTransmitterProxy: address,
    token: address,
    allowlist: DynArray[address, 128],
    rmnProxy: address,
    router: address,
):
    ownable.__init__()
    authorized_callers.__init__([])
    token_pool.__init__(token, usdc.USDC_DECIMALS, allowlist, rmnProxy, router, False, token_pool.ZERO_INVALID)
    transmitter: address = empty(address)
    version: uint32 = 0
    bodyVersion: uint32 = 0
    transmitter, version, bodyVersion = usdc._transmitter(tokenMessenger)
    self._check_version(version)
    usdc._check_same(
        convert(method_id("InvalidTokenMessengerVersion(uint32,uint32)", output_type=bytes4), uint32),
        convert(i_supportedUSDCVersion, uint256),
        convert(bodyVersion, uint256),
    )
    usdc.__init__(token, tokenMessenger, cctpMessageTransmitterProxy, transmitter)


@internal
@pure
def _check_version(version: uint32):
    usdc._check_same(
        convert(method_id("InvalidMessageVersion(uint32,uint32)", output_type=bytes4), uint32),
        convert(i_supportedUSDCVersion, uint256),
        convert(version, uint256),
    )


@external
@pure
def typeAndVersion() -> String[32]:
    return "USDCTokenPoolCCTPV2 1.6.5"


@internal
@pure
def _deposit_hash(
    source: uint32,
    amount: uint256,
    destination: uint32,
    mintRecipient: bytes32,
    burnToken: bytes32,
    destinationCaller: bytes32,
) -> bytes32:
    """What names a burn: its nonce is not known on the chain."""
    return keccak256(
        abi_encode(
            source, amount, destination, mintRecipient, burnToken, destinationCaller, MAX_FEE, FINALITY_THRESHOLD
        )
    )


@internal
@view
def _check_caller(selector: uint64):
    if token_pool._chainIndex[selector] == 0:
        token_pool._refuse_chain(selector)
    authorized_callers._check_caller()


@internal
@view
def _check_fee(amount: uint256):
    """A messenger that takes a fee of every transfer would mint less than the message says; older ones know no fee."""
    ok: bool = False
    answer: Bytes[32] = b""
    ok, answer = raw_call(
        usdc.TOKEN_MESSENGER,
        abi_encode(amount, method_id=method_id("getMinFeeAmount(uint256)")),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    if ok and len(answer) == 32 and convert(answer, uint256) > convert(MAX_FEE, uint256):
        refusal._two(
            convert(method_id("InvalidMinFee(uint256,uint256)", output_type=bytes4), uint32),
            convert(MAX_FEE, uint256),
            convert(answer, uint256),
        )


@external
def lockOrBurn(lockOrBurnIn: token_pool.LockOrBurnInV1) -> LockOrBurnOutV1:
    """Burns the amount through CCTP; the pool data is this chain's domain and the hash that names the burn."""
    selector: uint64 = lockOrBurnIn.remoteChainSelector
    token_pool._check_lane(lockOrBurnIn.localToken, selector)
    if token_pool.ALLOWLIST_ENABLED and token_pool._allowIndex[lockOrBurnIn.originalSender] == 0:
        token_pool._refuse_sender(lockOrBurnIn.originalSender)
    self._check_caller(selector)
    token_pool._consume_outbound(selector, lockOrBurnIn.amount)
    domain: usdc.Domain = empty(usdc.Domain)
    recipient: bytes32 = empty(bytes32)
    domain, recipient = usdc._destination(selector, lockOrBurnIn.receiver)
    self._check_fee(lockOrBurnIn.amount)
    extcall TokenMessenger(usdc.TOKEN_MESSENGER).depositForBurn(
        lockOrBurnIn.amount,
        domain.domainIdentifier,
        recipient,
        token_pool.TOKEN,
        domain.allowedCaller,
        convert(MAX_FEE, uint256),
        FINALITY_THRESHOLD,
    )
    token_pool._log_lock_or_burn(selector, lockOrBurnIn.amount)
    deposit: bytes32 = self._deposit_hash(
        usdc.LOCAL_DOMAIN,
        lockOrBurnIn.amount,
        domain.domainIdentifier,
        recipient,
        convert(token_pool.TOKEN, bytes32),
        domain.allowedCaller,
    )
    return LockOrBurnOutV1(
        destTokenAddress=token_pool._remoteTokens[selector],
        destPoolData=concat(DATA_TAG, convert(usdc.LOCAL_DOMAIN, bytes4), deposit),
    )


@external
def releaseOrMint(releaseOrMintIn: token_pool.ReleaseOrMintInV1) -> token_pool.ReleaseOrMintOutV1:
    """Delivers the attested message of this very burn to CCTP, which mints to the receiver."""
    selector: uint64 = releaseOrMintIn.remoteChainSelector
    amount: uint256 = releaseOrMintIn.sourceDenominatedAmount
    token_pool._check_lane(releaseOrMintIn.localToken, selector)
    self._check_caller(selector)
    token_pool._check_source_pool(selector, releaseOrMintIn.sourcePoolAddress)
    token_pool._consume_inbound(selector, amount)
    parts: usdc.MessageAndAttestation = abi_decode(
        releaseOrMintIn.offchainTokenData, usdc.MessageAndAttestation
    )
    self._check_message(parts.message, releaseOrMintIn.sourcePoolData)
    usdc._mint(parts)
    token_pool._log_release_or_mint(selector, releaseOrMintIn.receiver, amount)
    return token_pool.ReleaseOrMintOutV1(destinationAmount=amount)


@internal
@view
def _check_message(message: Bytes[usdc.MAX_MESSAGE], sourcePoolData: Bytes[1024]):
    """
    Only the message of the burn that the source pool reported will do: anyone may bring a message when executing
    manually. Caller at byte 108, finality asked for at 140 and reached at 144; of the body, which begins at 148, the
    burned token at 152, recipient at 184, amount at 216.
    """
    tag: bytes4 = convert(slice(sourcePoolData, 0, 4), bytes4)
    if tag != DATA_TAG:
        refusal._one(
            convert(method_id("InvalidVersion(bytes4)", output_type=bytes4), uint32),
            convert(convert(tag, uint32), uint256) << 224,
        )
    source: uint32 = convert(convert(slice(sourcePoolData, 4, 4), bytes4), uint32)
    expected: bytes32 = extract32(sourcePoolData, 8)
    usdc._check_length(message, MIN_USDC_MESSAGE_LENGTH)
    self._check_version(usdc._u32(message, 0))
    usdc._check_domains(message, source)
    threshold: uint256 = convert(FINALITY_THRESHOLD, uint256)
    usdc._check_same(
        convert(method_id("InvalidMinFinalityThreshold(uint32,uint32)", output_type=bytes4), uint32),
        threshold,
        convert(usdc._u32(message, 140), uint256),
    )
    usdc._check_same(
        convert(method_id("InvalidExecutionFinalityThreshold(uint32,uint32)", output_type=bytes4), uint32),
        threshold,
        convert(usdc._u32(message, 144), uint256),
    )
    deposit: bytes32 = self._deposit_hash(
        source,
        extract32(message, 216, output_type=uint256),
        usdc.LOCAL_DOMAIN,
        extract32(message, 184),
        extract32(message, 152),
        extract32(message, 108),
    )
    usdc._check_same(
        convert(method_id("InvalidDepositHash(bytes32,bytes32)", output_type=bytes4), uint32),
        convert(expected, uint256),
        convert(deposit, uint256),
    )
