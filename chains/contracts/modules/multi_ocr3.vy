# pragma version 0.4.3
# MultiOCR3Base: one signer and transmitter set per plugin type, the checks every transmission passes, and the digest
# its signatures cover (spec section 10). It does not know what a report says; the off-ramp does.

from modules import refusal

struct ConfigInfo:
    configDigest: bytes32
    F: uint8
    n: uint8
    isSignatureVerificationEnabled: bool

struct OCRConfig:
    configInfo: ConfigInfo
    signers: DynArray[address, ORACLE_SLOTS]
    transmitters: DynArray[address, ORACLE_SLOTS]

struct OCRConfigArgs:
    configDigest: bytes32
    ocrPluginType: uint8
    F: uint8
    isSignatureVerificationEnabled: bool
    signers: DynArray[address, ORACLE_SLOTS]
    transmitters: DynArray[address, ORACLE_SLOTS]

event ConfigSet:
    ocrPluginType: uint8
    configDigest: bytes32
    signers: DynArray[address, ORACLE_SLOTS]
    transmitters: DynArray[address, ORACLE_SLOTS]
    F: uint8

event Transmitted:
    ocrPluginType: indexed(uint8)
    configDigest: bytes32
    sequenceNumber: uint64

# Plugin types.
COMMIT: constant(uint8) = 0
EXECUTION: constant(uint8) = 1
# Most oracles of one kind; one more still decodes, so that it is refused by name.
MAX_ORACLES: constant(uint256) = 256
ORACLE_SLOTS: constant(uint256) = MAX_ORACLES + 1
# What a sender may be: roles of one address within one plugin type.
ROLE_SIGNER: constant(uint256) = 1
ROLE_TRANSMITTER: constant(uint256) = 2
# InvalidConfig(uint8) reasons.
F_MUST_BE_POSITIVE: constant(uint8) = 0
TOO_MANY_TRANSMITTERS: constant(uint8) = 1
TOO_MANY_SIGNERS: constant(uint8) = 2
F_TOO_HIGH: constant(uint8) = 3
REPEATED_ORACLE_ADDRESS: constant(uint8) = 4
NO_TRANSMITTERS: constant(uint8) = 5
# The sender that gas estimates come from: let through the transmitter check, never trusted otherwise.
GAS_ESTIMATION_SENDER: constant(address) = 0x00c11c11c11C11c11C11c11c11C11C11c11C11c1

CHAIN_ID: immutable(uint256)

_digests: HashMap[uint8, bytes32]
# F | n << 8 | signatures enabled << 16
_shapes: HashMap[uint8, uint256]
_signers: HashMap[uint8, DynArray[address, ORACLE_SLOTS]]
_transmitters: HashMap[uint8, DynArray[address, ORACLE_SLOTS]]
# plugin type -> oracle -> role | index << 8
_oracles: HashMap[uint8, HashMap[address, uint256]]


@deploy
def __init__():
    CHAIN_ID = chain.id


@internal
@pure
def _refuse_config(reason: uint8):
    refusal._one(convert(method_id("InvalidConfig(uint8)", output_type=bytes4), uint32), convert(reason, uint256))


@internal
def _clear_roles(kind: uint8, oracles: DynArray[address, ORACLE_SLOTS]):
    for oracle: address in oracles:
        self._oracles[kind][oracle] = 0


@internal
def _assign_roles(kind: uint8, role: uint256, oracles: DynArray[address, ORACLE_SLOTS]):
    index: uint256 = 0
    for oracle: address in oracles:
        if self._oracles[kind][oracle] != 0:
            self._refuse_config(REPEATED_ORACLE_ADDRESS)
        if oracle == empty(address):
            refusal._plain(convert(method_id("OracleCannotBeZeroAddress()", output_type=bytes4), uint32))
        self._oracles[kind][oracle] = role | (index << 8)
        index = unsafe_add(index, 1)


@internal
def _set_config(config: OCRConfigArgs):
    kind: uint8 = config.ocrPluginType
    if config.F == 0:
        self._refuse_config(F_MUST_BE_POSITIVE)
    shape: uint256 = self._shapes[kind]
    if shape != 0 and ((shape >> 16) & 1 == 1) != config.isSignatureVerificationEnabled:
        refusal._one(
            convert(method_id("StaticConfigCannotBeChanged(uint8)", output_type=bytes4), uint32), convert(kind, uint256)
        )
    if len(config.transmitters) > MAX_ORACLES:
        self._refuse_config(TOO_MANY_TRANSMITTERS)
    if len(config.transmitters) == 0:
        self._refuse_config(NO_TRANSMITTERS)
    self._clear_roles(kind, self._transmitters[kind])
    flag: uint256 = 0
    n: uint256 = 0
    if config.isSignatureVerificationEnabled:
        flag = 1
        self._clear_roles(kind, self._signers[kind])
        n = len(config.signers)
        if n > MAX_ORACLES:
            self._refuse_config(TOO_MANY_SIGNERS)
        # 3F is compared in eight bits: a larger F cannot be meant.
        assert config.F <= 85
        if n <= unsafe_mul(3, convert(config.F, uint256)):
            self._refuse_config(F_TOO_HIGH)
        if n < len(config.transmitters):
            self._refuse_config(TOO_MANY_TRANSMITTERS)
        self._assign_roles(kind, ROLE_SIGNER, config.signers)
        self._signers[kind] = config.signers
    self._assign_roles(kind, ROLE_TRANSMITTER, config.transmitters)
    self._transmitters[kind] = config.transmitters
    self._digests[kind] = config.configDigest
    self._shapes[kind] = convert(config.F, uint256) | ((n & 255) << 8) | (flag << 16)
    log ConfigSet(
        ocrPluginType=kind,
        configDigest=config.configDigest,
        signers=self._signers[kind],
        transmitters=config.transmitters,
        F=config.F,
    )


@external
@view
def latestConfigDetails(ocrPluginType: uint8) -> OCRConfig:
    shape: uint256 = self._shapes[ocrPluginType]
    return OCRConfig(
        configInfo=ConfigInfo(
            configDigest=self._digests[ocrPluginType],
            F=convert(shape & 255, uint8),
            n=convert((shape >> 8) & 255, uint8),
            isSignatureVerificationEnabled=(shape >> 16) & 1 == 1,
        ),
        signers=self._signers[ocrPluginType],
        transmitters=self._transmitters[ocrPluginType],
    )


@internal
@view
def _check_fork():
    if chain.id != CHAIN_ID:
        refusal._two(convert(method_id("ForkedChain(uint256,uint256)", output_type=bytes4), uint32), CHAIN_ID, chain.id)


@internal
@view
def _check_transmission(kind: uint8, expectedLength: uint256, digest: bytes32):
    """Length of the call data, config digest, chain, transmitter: in this order (spec section 10.3)."""
    if expectedLength != len(msg.data):
        refusal._two(
            convert(method_id("WrongMessageLength(uint256,uint256)", output_type=bytes4), uint32),
            expectedLength,
            len(msg.data),
        )
    expected: bytes32 = self._digests[kind]
    if digest != expected:
        refusal._two(
            convert(method_id("ConfigDigestMismatch(bytes32,bytes32)", output_type=bytes4), uint32),
            convert(expected, uint256),
            convert(digest, uint256),
        )
    self._check_fork()
    if self._oracles[kind][msg.sender] & 255 != ROLE_TRANSMITTER and msg.sender != GAS_ESTIMATION_SENDER:
        refusal._plain(convert(method_id("UnauthorizedTransmitter()", output_type=bytes4), uint32))


@internal
def _log_transmitted(kind: uint8, digest: bytes32, sequence: uint64):
    log Transmitted(ocrPluginType=kind, configDigest=digest, sequenceNumber=sequence)


@internal
@view
def _check_signatures(
    kind: uint8, signed: bytes32, rs: DynArray[bytes32, 32], ss: DynArray[bytes32, 32], rawVs: bytes32
):
    """Exactly F+1 signatures by different signers over `signed`."""
    if len(rs) != unsafe_add(self._shapes[kind] & 255, 1):
        refusal._plain(convert(method_id("WrongNumberOfSignatures()", output_type=bytes4), uint32))
    if len(rs) != len(ss):
        refusal._plain(convert(method_id("SignaturesOutOfRegistration()", output_type=bytes4), uint32))
    seen: uint256 = 0
    for i: uint256 in range(len(rs), bound=32):
        v: uint256 = (convert(rawVs, uint256) >> unsafe_sub(248, i << 3)) & 255
        signer: address = ecrecover(signed, unsafe_add(v, 27), convert(rs[i], uint256), convert(ss[i], uint256))
        oracle: uint256 = self._oracles[kind][signer]
        if oracle & 255 != ROLE_SIGNER:
            refusal._plain(convert(method_id("UnauthorizedSigner()", output_type=bytes4), uint32))
        if (seen >> (oracle >> 8)) & 1 == 1:
            refusal._plain(convert(method_id("NonUniqueSignatures()", output_type=bytes4), uint32))
        seen |= 1 << (oracle >> 8)
