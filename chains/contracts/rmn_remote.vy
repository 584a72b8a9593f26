# pragma version 0.4.3
# RMNRemote 1.6.0: curses that stop lanes, and the risk management nodes' signatures over committed roots (spec sections
# 17.1 and 17.2). It holds no messages and moves nothing.
#
# The list forms of curse and uncurse and verify are served by __default__: the former because a Vyper function cannot
# be overloaded by argument type, the latter because its digest covers the roots as they lie in the call data.

from modules import cursor
from modules import ownable_2step as ownable
from modules import refusal

initializes: ownable
exports: (ownable.owner, ownable.transferOwnership, ownable.acceptOwnership)

interface LegacyRMN:
    def isBlessed(taggedRoot: TaggedRoot) -> bool: view

struct TaggedRoot:
    commitStore: address
    root: bytes32

struct Signer:
    onchainPublicKey: address
    nodeIndex: uint64

struct Config:
    rmnHomeContractConfigDigest: bytes32
    signers: DynArray[Signer, MAX_SIGNERS]
    fSign: uint64

event ConfigSet:
    version: indexed(uint32)
    config: Config

event Cursed:
    subjects: DynArray[bytes16, MAX_SUBJECTS]

event Uncursed:
    subjects: DynArray[bytes16, MAX_SUBJECTS]

# Most risk management nodes.
MAX_SIGNERS: constant(uint256) = 128
# Most subjects cursed at a time, and in one call: one for each chain that has lanes, with room.
MAX_SUBJECTS: constant(uint256) = 192
# The subject that stops everything.
GLOBAL_CURSE_SUBJECT: constant(bytes16) = 0x01000000000000000000000000000001
# The most call data of verify: the roots and signatures of the longest commit report.
MAX_VERIFY: constant(uint256) = 4736

# Selectors served by __default__.
CURSE_LIST: constant(uint32) = 4173039470  # 0xf8bb876e
UNCURSE_LIST: constant(uint32) = 2585375529  # 0x9a19b329
VERIFY: constant(uint32) = 1890125982  # 0x70a9089e

RMN_V1_6_ANY2EVM_REPORT: constant(bytes32) = keccak256("RMN_V1_6_ANY2EVM_REPORT")

LOCAL_CHAIN_SELECTOR: immutable(uint64)
LEGACY_RMN: immutable(address)

_version: uint32
_config: Config
_isSigner: HashMap[address, bool]
_subjects: DynArray[bytes16, MAX_SUBJECTS]
# Position in _subjects plus one; zero is not cursed.
_places: HashMap[bytes16, uint256]


@deploy
def __init__(localChainSelector: uint64, legacyRMN: address):
    ownable.__init__()
    if localChainSelector == 0:
        refusal._plain(convert(method_id("ZeroValueNotAllowed()", output_type=bytes4), uint32))
    LOCAL_CHAIN_SELECTOR = localChainSelector
    LEGACY_RMN = legacyRMN


@external
@view
def typeAndVersion() -> String[32]:
    return "RMNRemote 1.6.0"


@external
@view
def getLocalChainSelector() -> uint64:
    return LOCAL_CHAIN_SELECTOR


@external
@pure
def getReportDigestHeader() -> bytes32:
    return RMN_V1_6_ANY2EVM_REPORT


@external
@view
def isBlessed(taggedRoot: TaggedRoot) -> bool:
    """Asks the contract of earlier CCIP versions, if there is one."""
    if LEGACY_RMN == empty(address):
        refusal._plain(convert(method_id("IsBlessedNotAvailable()", output_type=bytes4), uint32))
    return staticcall LegacyRMN(LEGACY_RMN).isBlessed(taggedRoot)


# -------------------------------------------------------------------------------------------------------------- curses


@external
@view
def isCursed(subject: bytes16 = GLOBAL_CURSE_SUBJECT) -> bool:
    """Whether the subject, or everything, is cursed. Without curses this reads one word of storage."""
    if len(self._subjects) == 0:
        return False
    return self._places[subject] != 0 or self._places[GLOBAL_CURSE_SUBJECT] != 0


@external
@view
def getCursedSubjects() -> DynArray[bytes16, MAX_SUBJECTS]:
    return self._subjects


@external
def curse(subject: bytes16):
    ownable._check_owner()
    self._curse(subject)
    log Cursed(subjects=[subject])


@external
def uncurse(subject: bytes16):
    ownable._check_owner()
    self._uncurse(subject)
    log Uncursed(subjects=[subject])


@internal
def _curse(subject: bytes16):
    if self._places[subject] != 0:
        self._refuse_subject(convert(method_id("AlreadyCursed(bytes16)", output_type=bytes4), uint32), subject)
    self._subjects.append(subject)
    self._places[subject] = len(self._subjects)


@internal
def _uncurse(subject: bytes16):
    place: uint256 = self._places[subject]
    if place == 0:
        self._refuse_subject(convert(method_id("NotCursed(bytes16)", output_type=bytes4), uint32), subject)
    # The last subject takes the place of the one that leaves.
    last: bytes16 = self._subjects.pop()
    if last != subject:
        self._subjects[unsafe_sub(place, 1)] = last
        self._places[last] = place
    self._places[subject] = 0


@internal
@pure
def _refuse_subject(selector: uint32, subject: bytes16):
    # bytes16 is left-aligned in its word.
    refusal._one(selector, convert(convert(subject, uint128), uint256) << 128)


# ------------------------------------------------------------------------------------------------------------- signers


@external
@view
def getVersionedConfig() -> (uint32, Config):
    return self._version, self._config


@external
def setConfig(newConfig: Config):
    ownable._check_owner()
    if newConfig.rmnHomeContractConfigDigest == empty(bytes32):
        refusal._plain(convert(method_id("ZeroValueNotAllowed()", output_type=bytes4), uint32))
    count: uint256 = len(newConfig.signers)
    for i: uint256 in range(count, bound=MAX_SIGNERS):
        if i > 0 and newConfig.signers[unsafe_sub(i, 1)].nodeIndex >= newConfig.signers[i].nodeIndex:
            refusal._plain(convert(method_id("InvalidSignerOrder()", output_type=bytes4), uint32))
    # The count is doubled in 64 bits: a larger fSign cannot be meant.
    if count < convert(2 * newConfig.fSign + 1, uint256):
        refusal._plain(convert(method_id("NotEnoughSigners()", output_type=bytes4), uint32))
    for old: Signer in self._config.signers:
        self._isSigner[old.onchainPublicKey] = False
    for signer: Signer in newConfig.signers:
        if self._isSigner[signer.onchainPublicKey]:
            refusal._plain(convert(method_id("DuplicateOnchainPublicKey()", output_type=bytes4), uint32))
        self._isSigner[signer.onchainPublicKey] = True
    self._config = newConfig
    self._version += 1
    log ConfigSet(version=self._version, config=newConfig)


@internal
@view
def _verify():
    """verify(address offRamp, MerkleRoot[] roots, (bytes32 r, bytes32 s)[] signatures), read in place."""
    offRamp: uint256 = cursor._word(4)
    assert offRamp >> 160 == 0
    # The roots are hashed as they came, so only their canonical encoding will do.
    roots: uint256 = 100
    assert cursor._word(36) == 96
    end: uint256 = cursor._roots_end(roots)
    assert cursor._word(68) == unsafe_sub(end, 4)
    if self._version == 0:
        refusal._plain(convert(method_id("ConfigNotSet()", output_type=bytes4), uint32))
    count: uint256 = cursor._count(end, MAX_SIGNERS)
    if count < unsafe_add(convert(self._config.fSign, uint256), 1):
        refusal._plain(convert(method_id("ThresholdNotMet()", output_type=bytes4), uint32))
    fixed: Bytes[256] = abi_encode(
        RMN_V1_6_ANY2EVM_REPORT,
        convert(64, uint256),
        chain.id,
        LOCAL_CHAIN_SELECTOR,
        self,
        offRamp,
        self._config.rmnHomeContractConfigDigest,
        convert(192, uint256),
    )
    digest: bytes32 = empty(bytes32)
    if unsafe_sub(end, roots) <= cursor.WINDOW:
        digest = keccak256(concat(fixed, cursor._range(roots, end)))
    else:
        digest = keccak256(
            concat(
                fixed,
                slice(
                    raw_call(cursor.IDENTITY, msg.data, max_outsize=MAX_VERIFY, is_static_call=True),
                    roots,
                    unsafe_sub(end, roots),
                ),
            )
        )
    previous: uint256 = 0
    at: uint256 = unsafe_add(end, 32)
    for i: uint256 in range(count, bound=MAX_SIGNERS):
        # v is not sent: nodes choose s such that it is 27.
        signer: address = ecrecover(digest, 27, cursor._item(at, 0), cursor._item(at, 1))
        at = unsafe_add(at, 64)
        if signer == empty(address):
            refusal._plain(convert(method_id("InvalidSignature()", output_type=bytes4), uint32))
        if convert(signer, uint256) <= previous:
            refusal._plain(convert(method_id("OutOfOrderSignatures()", output_type=bytes4), uint32))
        if not self._isSigner[signer]:
            refusal._plain(convert(method_id("UnexpectedSigner()", output_type=bytes4), uint32))
        previous = convert(signer, uint256)


@external
def __default__():
    """verify, and curse and uncurse of lists; any other selector is refused with no data."""
    selector: uint32 = convert(convert(slice(msg.data, 0, 4), bytes4), uint32)
    if selector == VERIFY:
        self._verify()
        return
    assert selector == CURSE_LIST or selector == UNCURSE_LIST
    ownable._check_owner()
    assert cursor._word(4) == 32
    subjects: DynArray[bytes16, MAX_SUBJECTS] = []
    for i: uint256 in range(cursor._count(36, MAX_SUBJECTS), bound=MAX_SUBJECTS):
        word: uint256 = cursor._item(68, i)
        assert word << 128 == 0
        subject: bytes16 = convert(convert(word >> 128, uint128), bytes16)
        if selector == CURSE_LIST:
            self._curse(subject)
        else:
            self._uncurse(subject)
        subjects.append(subject)
    if selector == CURSE_LIST:
        log Cursed(subjects=subjects)
    else:
        log Uncursed(subjects=subjects)
