# pragma version 0.4.3
# What the off-ramp remembers: its configuration, its source chains, committed roots, execution states
# (spec section 11). What may change them, and why, is the business of off_ramp and modules/committing.

from modules import ownable_2step as ownable
from modules import refusal

uses: ownable

interface RMN:
    def isCursed(subject: bytes16) -> bool: view

struct StaticConfig:
    chainSelector: uint64
    gasForCallExactCheck: uint16
    rmnRemote: address
    tokenAdminRegistry: address
    nonceManager: address

struct DynamicConfig:
    feeQuoter: address
    permissionLessExecutionThresholdSeconds: uint32
    messageInterceptor: address

struct SourceChainConfig:
    router: address
    isEnabled: bool
    minSeqNr: uint64
    isRMNVerificationDisabled: bool
    onRamp: Bytes[64]

struct SourceChainConfigArgs:
    router: address
    sourceChainSelector: uint64
    isEnabled: bool
    isRMNVerificationDisabled: bool
    onRamp: Bytes[64]

event StaticConfigSet:
    staticConfig: StaticConfig

event DynamicConfigSet:
    dynamicConfig: DynamicConfig

event SourceChainSelectorAdded:
    sourceChainSelector: uint64

event SourceChainConfigSet:
    sourceChainSelector: indexed(uint64)
    sourceConfig: SourceChainConfig

# Masks for packed words.
U64: constant(uint256) = 2**64 - 1
U160: constant(uint256) = 2**160 - 1

CHAIN_SELECTOR: immutable(uint64)
GAS_FOR_CALL_EXACT_CHECK: immutable(uint16)
RMN_REMOTE: immutable(address)
TOKEN_ADMIN_REGISTRY: immutable(address)
NONCE_MANAGER: immutable(address)

_dynamicConfig: DynamicConfig
# router | isEnabled << 160 | minSeqNr << 168 | isRMNVerificationDisabled << 232
_sources: HashMap[uint64, uint256]
_onRamps: HashMap[uint64, Bytes[64]]
_onRampHashes: HashMap[uint64, bytes32]
_selectors: DynArray[uint64, 128]
_roots: HashMap[uint64, HashMap[bytes32, uint256]]
# source << 64 | sequence number / 128 -> 128 states of two bits
_states: HashMap[uint256, uint256]
_latestPriceSequenceNumber: uint64


@deploy
def __init__(
    staticConfig: StaticConfig,
    dynamicConfig: DynamicConfig,
    sourceChainConfigs: DynArray[SourceChainConfigArgs, 32],
):
    if (
        staticConfig.rmnRemote == empty(address)
        or staticConfig.tokenAdminRegistry == empty(address)
        or staticConfig.nonceManager == empty(address)
    ):
        refusal._plain(convert(method_id("ZeroAddressNotAllowed()", output_type=bytes4), uint32))
    if staticConfig.chainSelector == 0:
        refusal._plain(convert(method_id("ZeroChainSelectorNotAllowed()", output_type=bytes4), uint32))
    CHAIN_SELECTOR = staticConfig.chainSelector
    GAS_FOR_CALL_EXACT_CHECK = staticConfig.gasForCallExactCheck
    RMN_REMOTE = staticConfig.rmnRemote
    TOKEN_ADMIN_REGISTRY = staticConfig.tokenAdminRegistry
    NONCE_MANAGER = staticConfig.nonceManager
    log StaticConfigSet(staticConfig=staticConfig)
    self._set_dynamic_config(dynamicConfig)
    for update: SourceChainConfigArgs in sourceChainConfigs:
        self._apply_source(update)


@internal
def _set_dynamic_config(config: DynamicConfig):
    if config.feeQuoter == empty(address):
        refusal._plain(convert(method_id("ZeroAddressNotAllowed()", output_type=bytes4), uint32))
    self._dynamicConfig = config
    log DynamicConfigSet(dynamicConfig=config)


@internal
def _apply_source(update: SourceChainConfigArgs):
    source: uint64 = update.sourceChainSelector
    if source == 0:
        refusal._plain(convert(method_id("ZeroChainSelectorNotAllowed()", output_type=bytes4), uint32))
    if update.router == empty(address):
        refusal._plain(convert(method_id("ZeroAddressNotAllowed()", output_type=bytes4), uint32))
    onRampHash: bytes32 = keccak256(update.onRamp)
    minSeqNr: uint256 = (self._sources[source] >> 168) & U64
    if self._onRampHashes[source] == empty(bytes32):
        minSeqNr = 1
        self._selectors.append(source)
        log SourceChainSelectorAdded(sourceChainSelector=source)
    elif minSeqNr != 1 and onRampHash != self._onRampHashes[source]:
        refusal._one(
            convert(method_id("InvalidOnRampUpdate(uint64)", output_type=bytes4), uint32), convert(source, uint256)
        )
    if len(update.onRamp) == 0 or onRampHash == keccak256(empty(bytes32)):
        refusal._plain(convert(method_id("ZeroAddressNotAllowed()", output_type=bytes4), uint32))
    self._onRamps[source] = update.onRamp
    self._onRampHashes[source] = onRampHash
    packed: uint256 = convert(update.router, uint256) | (minSeqNr << 168)
    if update.isEnabled:
        packed |= 1 << 160
    if update.isRMNVerificationDisabled:
        packed |= 1 << 232
    self._sources[source] = packed
    log SourceChainConfigSet(sourceChainSelector=source, sourceConfig=self._source_config(source))


@internal
@view
def _source_config(source: uint64) -> SourceChainConfig:
    packed: uint256 = self._sources[source]
    return SourceChainConfig(
        router=convert(packed & U160, address),
        isEnabled=(packed >> 160) & 1 == 1,
        minSeqNr=convert((packed >> 168) & U64, uint64),
        isRMNVerificationDisabled=(packed >> 232) & 1 == 1,
        onRamp=self._onRamps[source],
    )


@internal
@view
def _state(source: uint256, seq: uint256) -> uint256:
    return (self._states[source << 64 | seq >> 7] >> ((seq & 127) << 1)) & 3


@internal
def _set_state(source: uint256, seq: uint256, state: uint256):
    place: uint256 = source << 64 | seq >> 7
    offset: uint256 = (seq & 127) << 1
    self._states[place] = (self._states[place] & ~(3 << offset)) | (state << offset)


@internal
@view
def _is_cursed(source: uint64) -> bool:
    return staticcall RMN(RMN_REMOTE).isCursed(convert(convert(source, uint128), bytes16))


@internal
@view
def _enabled(source: uint64) -> uint256:
    """The packed configuration of an enabled source chain; any other is refused."""
    packed: uint256 = self._sources[source]
    if (packed >> 160) & 1 == 0:
        refusal._one(
            convert(method_id("SourceChainNotEnabled(uint64)", output_type=bytes4), uint32), convert(source, uint256)
        )
    return packed


@external
@view
def getStaticConfig() -> StaticConfig:
    return StaticConfig(
        chainSelector=CHAIN_SELECTOR,
        gasForCallExactCheck=GAS_FOR_CALL_EXACT_CHECK,
        rmnRemote=RMN_REMOTE,
        tokenAdminRegistry=TOKEN_ADMIN_REGISTRY,
        nonceManager=NONCE_MANAGER,
    )


@external
@view
def getDynamicConfig() -> DynamicConfig:
    return self._dynamicConfig


@external
@view
def getSourceChainConfig(sourceChainSelector: uint64) -> SourceChainConfig:
    return self._source_config(sourceChainSelector)


@external
@view
def getAllSourceChainConfigs() -> (DynArray[uint64, 128], DynArray[SourceChainConfig, 128]):
    configs: DynArray[SourceChainConfig, 128] = []
    for source: uint64 in self._selectors:
        configs.append(self._source_config(source))
    return self._selectors, configs


@external
@view
def getMerkleRoot(sourceChainSelector: uint64, root: bytes32) -> uint256:
    return self._roots[sourceChainSelector][root]


@external
@view
def getLatestPriceSequenceNumber() -> uint64:
    return self._latestPriceSequenceNumber


@external
@view
def getExecutionState(sourceChainSelector: uint64, sequenceNumber: uint64) -> uint8:
    return convert(self._state(convert(sourceChainSelector, uint256), convert(sequenceNumber, uint256)), uint8)


@external
def applySourceChainConfigUpdates(sourceChainConfigUpdates: DynArray[SourceChainConfigArgs, 32]):
    ownable._check_owner()
    for update: SourceChainConfigArgs in sourceChainConfigUpdates:
        self._apply_source(update)


@external
def setDynamicConfig(dynamicConfig: DynamicConfig):
    ownable._check_owner()
    self._set_dynamic_config(dynamicConfig)
