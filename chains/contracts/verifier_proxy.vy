# pragma version 0.4.3
# VerifierProxy 2.0.1 (v0.5.1): the one address that consumers of the price streams verify reports at (data streams
# specification, section 6.2). It asks who may verify, lets the fee manager charge if there is one, and routes a report
# to the verifier of its configuration digest. It checks no signature.
#
# The bulk forms are served by __default__: decoded as typed arguments, a list would reserve the memory of its longest
# reports for each place in it.

from modules import cursor
from modules import ownable_2step_strings as ownable
from modules import refusal

initializes: ownable
exports: (ownable.owner, ownable.transferOwnership, ownable.acceptOwnership)

interface Verifier:
    def verify(signedReport: Bytes[MAX_REPORT], sender: address) -> Bytes[MAX_BLOB]: nonpayable
    def verifyView(signedReport: Bytes[MAX_REPORT]) -> Bytes[MAX_BLOB]: view

interface AccessController:
    def hasAccess(user: address, data: Bytes[MAX_CALL]) -> bool: view

interface BulkAccessController:
    def hasAccess(user: address, data: Bytes[MAX_BULK_CALL]) -> bool: view

interface FeeManager:
    def processFee(payload: Bytes[MAX_REPORT], parameterPayload: Bytes[MAX_PARAMETERS], subscriber: address): payable
    def setFeeRecipients(
        configDigest: bytes32, rewardRecipientAndWeights: DynArray[AddressAndWeight, MAX_RECIPIENTS]
    ): nonpayable

interface ERC165:
    def supportsInterface(interfaceId: bytes4) -> bool: view

struct AddressAndWeight:
    addr: address
    weight: uint64

event VerifierSet:
    oldConfigDigest: bytes32
    newConfigDigest: bytes32
    verifierAddress: address

event VerifierInitialized:
    verifierAddress: address

event VerifierUnset:
    configDigest: bytes32
    verifierAddress: address

event AccessControllerSet:
    oldAccessController: address
    newAccessController: address

event FeeManagerSet:
    oldFeeManager: address
    newFeeManager: address

# Longest signed report and longest blob within, in bytes; the verifier's bounds.
MAX_REPORT: constant(uint256) = 2048
MAX_BLOB: constant(uint256) = 1024
# Longest parameterPayload: a fee manager wants one word.
MAX_PARAMETERS: constant(uint256) = 512
# Longest call data that an access controller is shown or a fee manager charges for, single and bulk: of bulk about 40
# reports that two oracles signed.
MAX_CALL: constant(uint256) = 4096
MAX_BULK_CALL: constant(uint256) = 32768
# Most reports in one call, and most bytes of their blobs, each with its length and padding.
MAX_BULK: constant(uint256) = 64
MAX_BULK_BLOBS: constant(uint256) = 20480
# Call data of up to this many bytes, about five reports, have blobs of fewer: they get along with less memory.
FEW: constant(uint256) = 4352
# Longest blob as an item of a list: with its length.
MAX_ITEM: constant(uint256) = MAX_BLOB + 32
# Most recipients of fees in one call.
MAX_RECIPIENTS: constant(uint256) = 64
# The precompile that answers what it is called with: how to have all of the call data in memory.
IDENTITY: constant(address) = 0x0000000000000000000000000000000000000004
U160: constant(uint256) = 2**160 - 1

# What a verifier and a fee manager must support: verify(bytes,address); processFee and processFeeBulk.
VERIFIER_INTERFACE: constant(bytes4) = 0x3d3ac1b5
PROCESS_FEE: constant(bytes4) = 0xdba45fe0
PROCESS_FEE_BULK: constant(bytes4) = 0x6c2f1a17
# Selectors served by __default__.
VERIFY_BULK: constant(uint32) = 4168328732  # 0xf873a61c
VERIFY_BULK_VIEW: constant(uint32) = 1717290915  # 0x665bc7a3

# access controller | whether there is a fee manager << 160: one word tells a verification what it has to ask.
_hooks: uint256
s_feeManager: public(address)
_isVerifier: HashMap[address, bool]
_verifiers: HashMap[bytes32, address]


@deploy
def __init__(accessController: address):
    ownable.__init__()
    self._hooks = convert(accessController, uint256)


@external
@view
def typeAndVersion() -> String[32]:
    return "VerifierProxy 2.0.1"


@external
@view
def s_accessController() -> address:
    return convert(self._hooks & U160, address)


@external
@view
def getVerifier(configDigest: bytes32) -> address:
    return self._verifiers[configDigest]


# -------------------------------------------------------------------------------------------------------- verification


# What an access controller is shown, the call data, is copied within the functions below and not in one that they
# share: a block's memory is used again by what follows it, an internal function's is reserved for good.


@external
@payable
def verify(payload: Bytes[MAX_REPORT], parameterPayload: Bytes[MAX_PARAMETERS]) -> Bytes[MAX_BLOB]:
    """The blob of a report that its verifier accepts, after fees."""
    hooks: uint256 = self._hooks
    if hooks << 96 != 0:
        assert len(msg.data) <= MAX_CALL
        data: Bytes[MAX_CALL] = raw_call(IDENTITY, msg.data, max_outsize=MAX_CALL, is_static_call=True)
        self._require(staticcall AccessController(convert(hooks & U160, address)).hasAccess(msg.sender, data))
    if hooks >> 160 != 0:
        extcall FeeManager(self.s_feeManager).processFee(payload, parameterPayload, msg.sender, value=msg.value)
    else:
        self._require_no_value(msg.value)
    digest: bytes32 = empty(bytes32)
    if len(payload) >= 32:
        digest = extract32(payload, 0)
    return extcall Verifier(self._known(digest)).verify(payload, msg.sender)


@external
@view
def verifyView(payload: Bytes[MAX_REPORT]) -> Bytes[MAX_BLOB]:
    """The same without fees and without a log."""
    hooks: uint256 = self._hooks
    if hooks << 96 != 0:
        assert len(msg.data) <= MAX_CALL
        data: Bytes[MAX_CALL] = raw_call(IDENTITY, msg.data, max_outsize=MAX_CALL, is_static_call=True)
        self._require(staticcall AccessController(convert(hooks & U160, address)).hasAccess(msg.sender, data))
    digest: bytes32 = empty(bytes32)
    if len(payload) >= 32:
        digest = extract32(payload, 0)
    return staticcall Verifier(self._known(digest)).verifyView(payload)


@external
@payable
@raw_return
def __default__() -> Bytes[MAX_BULK * 32 + MAX_BULK_BLOBS + 64]:
    """verifyBulk(bytes[],bytes) and verifyBulkView(bytes[]); any other selector is refused without data."""
    selector: uint32 = convert(convert(slice(msg.data, 0, 4), bytes4), uint32)
    isView: bool = selector == VERIFY_BULK_VIEW
    assert selector == VERIFY_BULK or (isView and msg.value == 0)
    hooks: uint256 = self._hooks
    if hooks != 0:
        assert len(msg.data) <= MAX_BULK_CALL
        data: Bytes[MAX_BULK_CALL] = raw_call(IDENTITY, msg.data, max_outsize=MAX_BULK_CALL, is_static_call=True)
        if hooks << 96 != 0:
            self._require(
                staticcall BulkAccessController(convert(hooks & U160, address)).hasAccess(msg.sender, data)
            )
        if hooks >> 160 != 0 and not isView:
            # processFeeBulk takes the same two arguments and one more: all that follows the head moves by one word.
            raw_call(
                self.s_feeManager,
                concat(
                    PROCESS_FEE_BULK,
                    self._moved(extract32(data, 4)),
                    self._moved(extract32(data, 36)),
                    convert(convert(msg.sender, uint256), bytes32),
                    slice(data, 68, unsafe_sub(len(data), 68)),
                ),
                value=msg.value,
            )
    if hooks >> 160 == 0:
        self._require_no_value(msg.value)
    at: uint256 = 4 + cursor._word(4)
    count: uint256 = cursor._count(at, MAX_BULK)
    at = unsafe_add(at, 32)
    offsets: Bytes[MAX_BULK * 32] = b""
    item: Bytes[MAX_ITEM + 32] = b""
    if len(msg.data) <= FEW:
        few: Bytes[FEW] = b""
        for i: uint256 in range(count, bound=MAX_BULK):
            item = self._item(at + cursor._item(at, i), isView)
            offsets = convert(
                concat(offsets, convert(unsafe_add(count << 5, len(few)), bytes32)), Bytes[MAX_BULK * 32]
            )
            few = convert(concat(few, item), Bytes[FEW])
        return concat(convert(convert(32, uint256), bytes32), convert(count, bytes32), offsets, few)
    many: Bytes[MAX_BULK_BLOBS] = b""
    for i: uint256 in range(count, bound=MAX_BULK):
        item = self._item(at + cursor._item(at, i), isView)
        offsets = convert(
            concat(offsets, convert(unsafe_add(count << 5, len(many)), bytes32)), Bytes[MAX_BULK * 32]
        )
        many = convert(concat(many, item), Bytes[MAX_BULK_BLOBS])
    return concat(convert(convert(32, uint256), bytes32), convert(count, bytes32), offsets, many)


@internal
def _item(at: uint256, isView: bool) -> Bytes[MAX_ITEM + 32]:
    """The blob of the report at `at` of the call data, as an item of a list: length, content, padding."""
    payload: Bytes[MAX_REPORT] = self._payload(at)
    digest: bytes32 = empty(bytes32)
    if len(payload) >= 32:
        digest = extract32(payload, 0)
    verifier: Verifier = Verifier(self._known(digest))
    blob: Bytes[MAX_BLOB] = b""
    if isView:
        blob = staticcall verifier.verifyView(payload)
    else:
        blob = extcall verifier.verify(payload, msg.sender)
    # The encoding of bytes alone is the word 0x20, then the item.
    return slice(abi_encode(blob), 32, 32 + (unsafe_add(len(blob), 31) >> 5 << 5))


@internal
@view
def _payload(at: uint256) -> Bytes[MAX_REPORT]:
    """
    The byte string at `at` of the call data, which its padding follows there. Vyper cuts call data at constant lengths
    only: so in pieces of powers of two.
    """
    size: uint256 = cursor._count(at, MAX_REPORT - 32)
    left: uint256 = unsafe_add(size, 31) >> 5 << 5
    start: uint256 = unsafe_add(at, 32)
    a: Bytes[1024] = b""
    b: Bytes[512] = b""
    c: Bytes[256] = b""
    d: Bytes[128] = b""
    e: Bytes[64] = b""
    f: Bytes[32] = b""
    if left & 1024 != 0:
        a = slice(msg.data, start, 1024)
        start = unsafe_add(start, 1024)
    if left & 512 != 0:
        b = slice(msg.data, start, 512)
        start = unsafe_add(start, 512)
    if left & 256 != 0:
        c = slice(msg.data, start, 256)
        start = unsafe_add(start, 256)
    if left & 128 != 0:
        d = slice(msg.data, start, 128)
        start = unsafe_add(start, 128)
    if left & 64 != 0:
        e = slice(msg.data, start, 64)
        start = unsafe_add(start, 64)
    if left & 32 != 0:
        f = slice(msg.data, start, 32)
    if left == size:
        return concat(a, b, c, d, e, f)
    return slice(concat(a, b, c, d, e, f), 0, size)


@internal
@view
def _known(digest: bytes32) -> address:
    """Who verifies reports whose first word, the digest of their configuration, is this one."""
    verifier: address = self._verifiers[digest]
    if verifier == empty(address):
        refusal._one(
            convert(method_id("VerifierNotFound(bytes32)", output_type=bytes4), uint32), convert(digest, uint256)
        )
    return verifier


@internal
@pure
def _moved(offset: bytes32) -> bytes32:
    """An offset that points behind a head of two words, for one of three."""
    assert convert(offset, uint256) >= 64
    return convert(convert(offset, uint256) + 32, bytes32)


@internal
@pure
def _require(access: bool):
    if not access:
        refusal._plain(convert(method_id("AccessForbidden()", output_type=bytes4), uint32))


@internal
@pure
def _require_no_value(amount: uint256):
    """Coins that nobody charges would stay here for ever."""
    if amount != 0:
        refusal._plain(convert(method_id("ValueWithoutFeeManager()", output_type=bytes4), uint32))


# ------------------------------------------------------------------------------------------------------ administration


@external
def initializeVerifier(verifierAddress: address):
    """Lets a contract register digests of its own."""
    ownable._check_owner()
    self._require_address(verifierAddress)
    if not staticcall ERC165(verifierAddress).supportsInterface(VERIFIER_INTERFACE):
        refusal._plain(convert(method_id("VerifierInvalid()", output_type=bytes4), uint32))
    if self._isVerifier[verifierAddress]:
        refusal._one(
            convert(method_id("VerifierAlreadyInitialized(address)", output_type=bytes4), uint32),
            convert(verifierAddress, uint256),
        )
    self._isVerifier[verifierAddress] = True
    log VerifierInitialized(verifierAddress=verifierAddress)


@external
def setVerifier(
    currentConfigDigest: bytes32,
    newConfigDigest: bytes32,
    addressesAndWeights: DynArray[AddressAndWeight, MAX_RECIPIENTS],
):
    """A verifier registers a digest as its own, with the recipients of the fees for it if there are any."""
    holder: address = self._verifiers[newConfigDigest]
    if holder != empty(address):
        refusal._two(
            convert(method_id("ConfigDigestAlreadySet(bytes32,address)", output_type=bytes4), uint32),
            convert(newConfigDigest, uint256),
            convert(holder, uint256),
        )
    self._require(self._isVerifier[msg.sender])
    self._verifiers[newConfigDigest] = msg.sender
    if len(addressesAndWeights) > 0:
        feeManager: address = self.s_feeManager
        self._require_address(feeManager)
        extcall FeeManager(feeManager).setFeeRecipients(newConfigDigest, addressesAndWeights)
    log VerifierSet(
        oldConfigDigest=currentConfigDigest, newConfigDigest=newConfigDigest, verifierAddress=msg.sender
    )


@external
def unsetVerifier(configDigest: bytes32):
    ownable._check_owner()
    verifier: address = self._known(configDigest)
    self._verifiers[configDigest] = empty(address)
    log VerifierUnset(configDigest=configDigest, verifierAddress=verifier)


@external
def setAccessController(accessController: address):
    """The zero address lets everybody verify."""
    ownable._check_owner()
    hooks: uint256 = self._hooks
    self._hooks = (hooks >> 160 << 160) | convert(accessController, uint256)
    log AccessControllerSet(
        oldAccessController=convert(hooks & U160, address), newAccessController=accessController
    )


@external
def setFeeManager(feeManager: address):
    """There is no way back to none: like the published proxy, this one wants a fee manager that charges nothing."""
    ownable._check_owner()
    self._require_address(feeManager)
    manager: ERC165 = ERC165(feeManager)
    if not (
        staticcall manager.supportsInterface(PROCESS_FEE) and staticcall manager.supportsInterface(PROCESS_FEE_BULK)
    ):
        refusal._plain(convert(method_id("FeeManagerInvalid()", output_type=bytes4), uint32))
    previous: address = self.s_feeManager
    self.s_feeManager = feeManager
    self._hooks |= 1 << 160
    log FeeManagerSet(oldFeeManager=previous, newFeeManager=feeManager)


@internal
@pure
def _require_address(given: address):
    if given == empty(address):
        refusal._plain(convert(method_id("ZeroAddress()", output_type=bytes4), uint32))
