# pragma version 0.4.3
# Verifier 2.0.1 (v0.5.1): checks that F+1 different signers of a configuration signed a report of the price streams
# (data streams specification, sections 3 and 6.3). It answers its proxy only. Expiry, age and identity of a feed are
# the business of whoever consumes the report; fees and access that of the proxy.

from modules import ownable_2step_strings as ownable
from modules import refusal
from modules import signer_count

initializes: ownable
exports: (ownable.owner, ownable.transferOwnership, ownable.acceptOwnership)

interface Proxy:
    def setVerifier(
        currentConfigDigest: bytes32,
        newConfigDigest: bytes32,
        addressesAndWeights: DynArray[AddressAndWeight, MAX_RECIPIENTS],
    ): nonpayable

struct AddressAndWeight:
    addr: address
    weight: uint64

event ReportVerified:
    feedId: indexed(bytes32)
    requester: address

event ConfigSet:
    configDigest: indexed(bytes32)
    signers: DynArray[address, SIGNER_SLOTS]
    f: uint8

event ConfigUpdated:
    configDigest: indexed(bytes32)
    prevSigners: DynArray[address, SIGNER_SLOTS]
    newSigners: DynArray[address, SIGNER_SLOTS]

event ConfigDeactivated:
    configDigest: indexed(bytes32)

event ConfigActivated:
    configDigest: indexed(bytes32)

# Longest signed report and longest blob within, in bytes: the longest published schema has 448, and eleven signatures,
# the most that are due, make 1,024 of any envelope. Memory is paid for by the bound, so it is no larger.
MAX_REPORT: constant(uint256) = 2048
MAX_BLOB: constant(uint256) = 1024
# Signers that still decode, so that too many are refused by name.
SIGNER_SLOTS: constant(uint256) = 64
# Most recipients of fees in one call.
MAX_RECIPIENTS: constant(uint256) = 64
# verify(bytes,address), by which a proxy knows a verifier.
VERIFY: constant(bytes4) = 0x3d3ac1b5
# The largest recovery byte that still has a v; above it the published contract's addition overflows.
MAX_RECOVERY: constant(uint256) = 228

PROXY: immutable(address)

# digest -> f | active << 8 | number of signers << 16 | block of the latest configuration << 24; zero is unknown.
_states: HashMap[bytes32, uint256]
# digest -> signer -> index plus one
_signers: HashMap[bytes32, HashMap[address, uint256]]


@deploy
def __init__(verifierProxyAddr: address):
    ownable.__init__()
    if verifierProxyAddr == empty(address):
        refusal._plain(convert(method_id("ZeroAddress()", output_type=bytes4), uint32))
    PROXY = verifierProxyAddr


@external
@view
def typeAndVersion() -> String[32]:
    return "Verifier 2.0.1"


@external
@view
def supportsInterface(interfaceId: bytes4) -> bool:
    return interfaceId == VERIFY


# -------------------------------------------------------------------------------------------------------- verification


@external
def verify(signedReport: Bytes[MAX_REPORT], sender: address) -> Bytes[MAX_BLOB]:
    blob: Bytes[MAX_BLOB] = self._verified(signedReport)
    feedId: bytes32 = empty(bytes32)
    if len(blob) < 32:
        # A blob this short is no report of any schema; signed by a quorum, it is logged as it is, like everything else.
        feedId = convert(convert(slice(blob, 0, len(blob)), Bytes[32]), bytes32)
    else:
        feedId = extract32(blob, 0)
    log ReportVerified(feedId=feedId, requester=sender)
    return blob


@external
@view
def verifyView(signedReport: Bytes[MAX_REPORT]) -> Bytes[MAX_BLOB]:
    return self._verified(signedReport)


@internal
@view
def _verified(report: Bytes[MAX_REPORT]) -> Bytes[MAX_BLOB]:
    """
    The blob of a report that holds against its configuration. Read with a cursor over the report's bytes: a word
    outside of them reverts without data, offsets may lie anywhere within, and what follows the report is let be.
    """
    if msg.sender != PROXY:
        refusal._plain(convert(method_id("AccessForbidden()", output_type=bytes4), uint32))
    digest: bytes32 = extract32(report, 0)
    rawVs: uint256 = convert(extract32(report, 192), uint256)
    blobAt: uint256 = convert(extract32(report, 96), uint256)
    size: uint256 = convert(extract32(report, blobAt), uint256)
    assert size <= MAX_BLOB
    blob: Bytes[MAX_BLOB] = convert(slice(report, unsafe_add(blobAt, 32), size), Bytes[MAX_BLOB])
    rsAt: uint256 = convert(extract32(report, 128), uint256)
    rs: uint256 = convert(extract32(report, rsAt), uint256)
    assert rs <= unsafe_sub(len(report), unsafe_add(rsAt, 32)) >> 5
    ssAt: uint256 = convert(extract32(report, 160), uint256)
    ss: uint256 = convert(extract32(report, ssAt), uint256)
    assert ss <= unsafe_sub(len(report), unsafe_add(ssAt, 32)) >> 5

    state: uint256 = self._states[digest]
    if (state >> 8) & 1 == 0:
        refusal._one(
            convert(method_id("DigestInactive(bytes32)", output_type=bytes4), uint32), convert(digest, uint256)
        )
    due: uint256 = unsafe_add(state & 255, 1)
    if rs != due:
        refusal._two(
            convert(method_id("IncorrectSignatureCount(uint256,uint256)", output_type=bytes4), uint32), rs, due
        )
    if rs != ss:
        refusal._two(convert(method_id("MismatchedSignatures(uint256,uint256)", output_type=bytes4), uint32), rs, ss)

    signed: bytes32 = keccak256(concat(keccak256(blob), slice(report, 0, 96)))
    seen: uint256 = 0
    twice: uint256 = 0
    for i: uint256 in range(rs, bound=signer_count.MAX_SIGNERS):
        rsAt = unsafe_add(rsAt, 32)
        ssAt = unsafe_add(ssAt, 32)
        v: uint256 = (rawVs >> unsafe_sub(248, i << 3)) & 255
        if v > MAX_RECOVERY:
            refusal._one(convert(method_id("Panic(uint256)", output_type=bytes4), uint32), 17)
        signer: address = ecrecover(
            signed,
            unsafe_add(v, 27),
            convert(extract32(report, rsAt), uint256),
            convert(extract32(report, ssAt), uint256),
        )
        index: uint256 = self._signers[digest][signer]
        if index == 0:
            self._refuse()
        twice |= seen & (1 << index)
        seen |= 1 << index
    # As in the published contract, a signer that came twice is told after all signatures were looked at.
    if twice != 0:
        self._refuse()
    return blob


@internal
@pure
def _refuse():
    refusal._plain(convert(method_id("BadVerification()", output_type=bytes4), uint32))


# ------------------------------------------------------------------------------------------------------- configuration


@external
def setConfig(
    configDigest: bytes32,
    signers: DynArray[address, SIGNER_SLOTS],
    f: uint8,
    recipientAddressesAndWeights: DynArray[AddressAndWeight, MAX_RECIPIENTS],
):
    """A new configuration, active at once; the proxy routes its digest here from then on."""
    signer_count._check(len(signers), f)
    ownable._check_owner()
    self._check_digest(configDigest)
    if self._states[configDigest] != 0:
        refusal._plain(convert(method_id("ConfigDigestAlreadySet()", output_type=bytes4), uint32))
    self._set_signers(configDigest, signers, f)
    extcall Proxy(PROXY).setVerifier(empty(bytes32), configDigest, recipientAddressesAndWeights)
    log ConfigSet(configDigest=configDigest, signers=signers, f=f)


@external
def updateConfig(
    configDigest: bytes32,
    prevSigners: DynArray[address, SIGNER_SLOTS],
    newSigners: DynArray[address, SIGNER_SLOTS],
    f: uint8,
):
    """Other signers under the same digest. All present ones must be named; the configuration is active afterwards."""
    signer_count._check(len(newSigners), f)
    ownable._check_owner()
    state: uint256 = self._known(configDigest)
    if (state >> 16) & 255 != len(prevSigners):
        self._refuse_repeated()
    for signer: address in prevSigners:
        if self._signers[configDigest][signer] == 0:
            self._refuse_repeated()
        self._signers[configDigest][signer] = 0
    self._set_signers(configDigest, newSigners, f)
    log ConfigUpdated(configDigest=configDigest, prevSigners=prevSigners, newSigners=newSigners)


@external
def activateConfig(configDigest: bytes32):
    ownable._check_owner()
    self._check_digest(configDigest)
    self._states[configDigest] = self._known(configDigest) | (1 << 8)
    log ConfigActivated(configDigest=configDigest)


@external
def deactivateConfig(configDigest: bytes32):
    """Reports under this digest are refused until it is activated again."""
    ownable._check_owner()
    self._check_digest(configDigest)
    self._states[configDigest] = self._known(configDigest) & ~convert(1 << 8, uint256)
    log ConfigDeactivated(configDigest=configDigest)


@external
@view
def latestConfigDetails(configDigest: bytes32) -> uint32:
    """The block in which the digest's signers were last set."""
    return convert(self._states[configDigest] >> 24, uint32)


@internal
def _set_signers(digest: bytes32, signers: DynArray[address, SIGNER_SLOTS], f: uint8):
    index: uint256 = 0
    for signer: address in signers:
        if signer == empty(address):
            refusal._plain(convert(method_id("ZeroAddress()", output_type=bytes4), uint32))
        if self._signers[digest][signer] != 0:
            self._refuse_repeated()
        index = unsafe_add(index, 1)
        self._signers[digest][signer] = index
    self._states[digest] = (
        convert(f, uint256) | (1 << 8) | (len(signers) << 16) | ((block.number & (2**32 - 1)) << 24)
    )


@internal
@pure
def _check_digest(digest: bytes32):
    if digest == empty(bytes32):
        refusal._plain(convert(method_id("DigestEmpty()", output_type=bytes4), uint32))


@internal
@view
def _known(digest: bytes32) -> uint256:
    state: uint256 = self._states[digest]
    if state == 0:
        refusal._one(convert(method_id("DigestNotSet(bytes32)", output_type=bytes4), uint32), convert(digest, uint256))
    return state


@internal
@pure
def _refuse_repeated():
    refusal._plain(convert(method_id("NonUniqueSignatures()", output_type=bytes4), uint32))
