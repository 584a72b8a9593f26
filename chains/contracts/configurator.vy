# pragma version 0.4.3
# Configurator 0.5.0: the configurations of price stream clusters, a production and a staging one for each id, and the
# handover between them (data streams specification, sections 3.3 and 5.6). It verifies nothing: the digests it makes
# are registered at verifiers by their owners.

from modules import ownable_2step_strings as ownable
from modules import refusal
from modules import signer_count

initializes: ownable
exports: (ownable.owner, ownable.transferOwnership, ownable.acceptOwnership)

struct State:
    configCount: uint64
    latestConfigBlockNumber: uint32
    isGreenProduction: bool

event ProductionConfigSet:
    configId: indexed(bytes32)
    previousConfigBlockNumber: uint32
    configDigest: bytes32
    configCount: uint64
    signers: DynArray[Bytes[MAX_KEY], SIGNER_SLOTS]
    offchainTransmitters: DynArray[bytes32, SIGNER_SLOTS]
    f: uint8
    onchainConfig: Bytes[MAX_ONCHAIN]
    offchainConfigVersion: uint64
    offchainConfig: Bytes[MAX_OFFCHAIN]
    isGreenProduction: bool

event StagingConfigSet:
    configId: indexed(bytes32)
    previousConfigBlockNumber: uint32
    configDigest: bytes32
    configCount: uint64
    signers: DynArray[Bytes[MAX_KEY], SIGNER_SLOTS]
    offchainTransmitters: DynArray[bytes32, SIGNER_SLOTS]
    f: uint8
    onchainConfig: Bytes[MAX_ONCHAIN]
    offchainConfigVersion: uint64
    offchainConfig: Bytes[MAX_OFFCHAIN]
    isGreenProduction: bool

event PromoteStagingConfig:
    configId: indexed(bytes32)
    retiredConfigDigest: indexed(bytes32)
    isGreenProduction: bool

# Signers that still decode, so that too many are refused by name; longest public key of one, in bytes.
SIGNER_SLOTS: constant(uint256) = 64
MAX_KEY: constant(uint256) = 128
# Longest configurations, in bytes; the on-chain one has a version and the predecessor's digest at least.
MAX_ONCHAIN: constant(uint256) = 1024
MIN_ONCHAIN: constant(uint256) = 64
MAX_OFFCHAIN: constant(uint256) = 8192
# Oldest version of the on-chain configuration.
MIN_VERSION: constant(uint256) = 1
# First two bytes of a digest: ConfigDigestPrefixLLO.
PREFIX: constant(uint256) = 9 << 240
# The exclusive or of the selectors of the three functions below that change something.
CONFIGURATOR_INTERFACE: constant(bytes4) = 0x40569294

_states: HashMap[bytes32, State]
# id -> whether green -> digest
_digests: HashMap[bytes32, HashMap[bool, bytes32]]


@deploy
def __init__():
    ownable.__init__()


@external
@view
def typeAndVersion() -> String[32]:
    return "Configurator 0.5.0"


@external
@view
def supportsInterface(interfaceId: bytes4) -> bool:
    return interfaceId == CONFIGURATOR_INTERFACE


@external
def setProductionConfig(
    configId: bytes32,
    signers: DynArray[Bytes[MAX_KEY], SIGNER_SLOTS],
    offchainTransmitters: DynArray[bytes32, SIGNER_SLOTS],
    f: uint8,
    onchainConfig: Bytes[MAX_ONCHAIN],
    offchainConfigVersion: uint64,
    offchainConfig: Bytes[MAX_OFFCHAIN],
):
    """The first configuration, or one in place of a cluster that cannot hand over: coverage has a gap then."""
    signer_count._check(len(signers), f)
    ownable._check_owner()
    predecessor: bytes32 = self._predecessor(onchainConfig)
    if predecessor != empty(bytes32):
        self._refuse_digest(
            convert(method_id("NonZeroPredecessorConfigDigest(bytes32)", output_type=bytes4), uint32), predecessor
        )
    state: State = self._counted(configId)
    digest: bytes32 = self._digest(
        configId,
        state.configCount,
        signers,
        offchainTransmitters,
        f,
        onchainConfig,
        offchainConfigVersion,
        offchainConfig,
    )
    self._digests[configId][state.isGreenProduction] = digest
    log ProductionConfigSet(
        configId=configId,
        previousConfigBlockNumber=state.latestConfigBlockNumber,
        configDigest=digest,
        configCount=state.configCount,
        signers=signers,
        offchainTransmitters=offchainTransmitters,
        f=f,
        onchainConfig=onchainConfig,
        offchainConfigVersion=offchainConfigVersion,
        offchainConfig=offchainConfig,
        isGreenProduction=state.isGreenProduction,
    )


@external
def setStagingConfig(
    configId: bytes32,
    signers: DynArray[Bytes[MAX_KEY], SIGNER_SLOTS],
    offchainTransmitters: DynArray[bytes32, SIGNER_SLOTS],
    f: uint8,
    onchainConfig: Bytes[MAX_ONCHAIN],
    offchainConfigVersion: uint64,
    offchainConfig: Bytes[MAX_OFFCHAIN],
):
    """What shall follow the present production configuration, which it must name as its predecessor."""
    signer_count._check(len(signers), f)
    ownable._check_owner()
    predecessor: bytes32 = self._predecessor(onchainConfig)
    if (
        predecessor == empty(bytes32)
        or predecessor != self._digests[configId][self._states[configId].isGreenProduction]
    ):
        self._refuse_digest(
            convert(method_id("InvalidPredecessorConfigDigest(bytes32)", output_type=bytes4), uint32), predecessor
        )
    state: State = self._counted(configId)
    digest: bytes32 = self._digest(
        configId,
        state.configCount,
        signers,
        offchainTransmitters,
        f,
        onchainConfig,
        offchainConfigVersion,
        offchainConfig,
    )
    self._digests[configId][not state.isGreenProduction] = digest
    log StagingConfigSet(
        configId=configId,
        previousConfigBlockNumber=state.latestConfigBlockNumber,
        configDigest=digest,
        configCount=state.configCount,
        signers=signers,
        offchainTransmitters=offchainTransmitters,
        f=f,
        onchainConfig=onchainConfig,
        offchainConfigVersion=offchainConfigVersion,
        offchainConfig=offchainConfig,
        isGreenProduction=state.isGreenProduction,
    )


@external
def promoteStagingConfig(configId: bytes32, isGreenProduction: bool):
    """Retires the production configuration; the argument is the present state, so that nothing is flipped twice."""
    ownable._check_owner()
    state: State = self._states[configId]
    if isGreenProduction != state.isGreenProduction:
        self._refuse_flag(
            convert(method_id("IsGreenProductionMustMatchContractState(bytes32,bool)", output_type=bytes4), uint32),
            configId,
            state.isGreenProduction,
        )
    if state.configCount == 0:
        self._refuse_digest(convert(method_id("ConfigUnset(bytes32)", output_type=bytes4), uint32), configId)
    if self._digests[configId][not isGreenProduction] == empty(bytes32):
        self._refuse_flag(
            convert(method_id("ConfigUnsetStaging(bytes32,bool)", output_type=bytes4), uint32),
            configId,
            isGreenProduction,
        )
    retired: bytes32 = self._digests[configId][isGreenProduction]
    if retired == empty(bytes32):
        self._refuse_flag(
            convert(method_id("ConfigUnsetProduction(bytes32,bool)", output_type=bytes4), uint32),
            configId,
            isGreenProduction,
        )
    self._states[configId].isGreenProduction = not isGreenProduction
    log PromoteStagingConfig(
        configId=configId, retiredConfigDigest=retired, isGreenProduction=not isGreenProduction
    )


@internal
@pure
def _predecessor(onchainConfig: Bytes[MAX_ONCHAIN]) -> bytes32:
    """The predecessor's digest of an on-chain configuration whose version is known."""
    if len(onchainConfig) < MIN_ONCHAIN:
        refusal._one(
            convert(method_id("InvalidOnchainLength(uint256)", output_type=bytes4), uint32), len(onchainConfig)
        )
    version: uint256 = convert(extract32(onchainConfig, 0), uint256)
    if version < MIN_VERSION:
        refusal._one(
            convert(method_id("UnsupportedOnchainConfigVersion(uint256)", output_type=bytes4), uint32), version
        )
    return extract32(onchainConfig, 32)


@internal
def _counted(configId: bytes32) -> State:
    """The state with this configuration counted, and the block of the previous one."""
    state: State = self._states[configId]
    state.configCount += 1
    self._states[configId] = State(
        configCount=state.configCount,
        latestConfigBlockNumber=convert(block.number & (2**32 - 1), uint32),
        isGreenProduction=state.isGreenProduction,
    )
    return state


@internal
@view
def _digest(
    configId: bytes32,
    configCount: uint64,
    signers: DynArray[Bytes[MAX_KEY], SIGNER_SLOTS],
    offchainTransmitters: DynArray[bytes32, SIGNER_SLOTS],
    f: uint8,
    onchainConfig: Bytes[MAX_ONCHAIN],
    offchainConfigVersion: uint64,
    offchainConfig: Bytes[MAX_OFFCHAIN],
) -> bytes32:
    hashed: uint256 = convert(
        keccak256(
            abi_encode(
                configId,
                chain.id,
                self,
                configCount,
                signers,
                offchainTransmitters,
                f,
                onchainConfig,
                offchainConfigVersion,
                offchainConfig,
            )
        ),
        uint256,
    )
    return convert(PREFIX | (hashed << 16 >> 16), bytes32)


@internal
@pure
def _refuse_digest(selector: uint32, digest: bytes32):
    refusal._one(selector, convert(digest, uint256))


@internal
@pure
def _refuse_flag(selector: uint32, configId: bytes32, flag: bool):
    refusal._two(selector, convert(configId, uint256), convert(flag, uint256))
