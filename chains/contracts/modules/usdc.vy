# pragma version 0.4.3
# What the USDC pools share: the messenger that burns, the proxy that mints, the domain of each remote chain, and how
# the attested message comes with a delivery (spec section 20). What a message must say is the concrete pool's business.

from modules import ownable_2step as ownable
from modules import refusal
from modules import safe_erc20

uses: ownable

interface TokenMessenger:
    def localMessageTransmitter() -> address: view
    def messageBodyVersion() -> uint32: view

interface MessageTransmitter:
    def version() -> uint32: view
    def localDomain() -> uint32: view

interface TransmitterProxy:
    def i_cctpTransmitter() -> address: view
    def receiveMessage(message: Bytes[MAX_MESSAGE], attestation: Bytes[MAX_ATTESTATION]) -> bool: nonpayable

struct Domain:
    allowedCaller: bytes32
    mintRecipient: bytes32
    domainIdentifier: uint32
    enabled: bool

struct DomainUpdate:
    allowedCaller: bytes32
    mintRecipient: bytes32
    domainIdentifier: uint32
    destChainSelector: uint64
    enabled: bool

struct MessageAndAttestation:
    message: Bytes[MAX_MESSAGE]
    attestation: Bytes[MAX_ATTESTATION]

event DomainsSet:
    domains: DynArray[DomainUpdate, MAX_UPDATES]

event ConfigSet:
    tokenMessenger: address

# Decimals of USDC, on every chain: amounts are never translated.
USDC_DECIMALS: constant(uint8) = 6
# Most domains in one update.
MAX_UPDATES: constant(uint256) = 32
# Longest CCTP message, which has 248 bytes in version 1 and 376 and a hook in version 2, and longest attestation, of
# sixteen signatures.
MAX_MESSAGE: constant(uint256) = 832
MAX_ATTESTATION: constant(uint256) = 1040
# Bytes of a receiver that CCTP can mint to.
RECEIVER_BYTES: constant(uint256) = 32

TOKEN_MESSENGER: immutable(address)
TRANSMITTER_PROXY: immutable(address)
LOCAL_DOMAIN: immutable(uint32)

_domains: HashMap[uint64, Domain]


@deploy
def __init__(token: address, tokenMessenger: address, proxy: address, transmitter: address):
    """`transmitter` is the messenger's, whose versions the pool has checked; the proxy must speak to the same one."""
    if staticcall TransmitterProxy(proxy).i_cctpTransmitter() != transmitter:
        refusal._plain(convert(method_id("InvalidTransmitterInProxy()", output_type=bytes4), uint32))
    TOKEN_MESSENGER = tokenMessenger
    TRANSMITTER_PROXY = proxy
    LOCAL_DOMAIN = staticcall MessageTransmitter(transmitter).localDomain()
    safe_erc20._approve(token, tokenMessenger, max_value(uint256))
    log ConfigSet(tokenMessenger=tokenMessenger)


@internal
@view
def _transmitter(tokenMessenger: address) -> (address, uint32, uint32):
    """The messenger's transmitter, and the versions of both; for constructors."""
    if tokenMessenger == empty(address):
        refusal._plain(convert(method_id("InvalidConfig()", output_type=bytes4), uint32))
    transmitter: address = staticcall TokenMessenger(tokenMessenger).localMessageTransmitter()
    return (
        transmitter,
        staticcall MessageTransmitter(transmitter).version(),
        staticcall TokenMessenger(tokenMessenger).messageBodyVersion(),
    )


@external
@view
def i_tokenMessenger() -> address:
    return TOKEN_MESSENGER


@external
@view
def i_messageTransmitterProxy() -> address:
    return TRANSMITTER_PROXY


@external
@view
def i_localDomainIdentifier() -> uint32:
    return LOCAL_DOMAIN


@external
@view
def getDomain(chainSelector: uint64) -> Domain:
    return self._domains[chainSelector]


@external
def setDomains(domains: DynArray[DomainUpdate, MAX_UPDATES]):
    """Which CCTP domain a chain is, who may deliver there, and who is minted to if not the receiver; owner only."""
    ownable._check_owner()
    for update: DomainUpdate in domains:
        if update.allowedCaller == empty(bytes32) or update.destChainSelector == 0:
            raw_revert(
                abi_encode(update, method_id=method_id("InvalidDomain((bytes32,bytes32,uint32,uint64,bool))"))
            )
        self._domains[update.destChainSelector] = Domain(
            allowedCaller=update.allowedCaller,
            mintRecipient=update.mintRecipient,
            domainIdentifier=update.domainIdentifier,
            enabled=update.enabled,
        )
    log DomainsSet(domains=domains)


@internal
@view
def _destination(selector: uint64, receiver: Bytes[256]) -> (Domain, bytes32):
    """The domain of a remote chain, and who is minted to there."""
    domain: Domain = self._domains[selector]
    if not domain.enabled:
        refusal._one(
            convert(method_id("UnknownDomain(uint64)", output_type=bytes4), uint32), convert(selector, uint256)
        )
    if len(receiver) != RECEIVER_BYTES:
        raw_revert(abi_encode(receiver, method_id=method_id("InvalidReceiver(bytes)")))
    if domain.mintRecipient != empty(bytes32):
        return domain, domain.mintRecipient
    return domain, extract32(receiver, 0)


@internal
@pure
def _u32(message: Bytes[MAX_MESSAGE], at: uint256) -> uint32:
    """The 32-bit number at byte `at`, which must lie within the message."""
    return convert(convert(slice(message, at, 4), bytes4), uint32)


@internal
@pure
def _check_length(message: Bytes[MAX_MESSAGE], least: uint256):
    if len(message) < least:
        refusal._one(convert(method_id("InvalidMessageLength(uint256)", output_type=bytes4), uint32), len(message))


@internal
@pure
def _check_same(selector: uint32, expected: uint256, got: uint256):
    if expected != got:
        refusal._two(selector, expected, got)


@internal
@view
def _check_domains(message: Bytes[MAX_MESSAGE], source: uint32):
    """Source and destination of a message; they lie at the same bytes in both versions of CCTP."""
    self._check_same(
        convert(method_id("InvalidSourceDomain(uint32,uint32)", output_type=bytes4), uint32),
        convert(source, uint256),
        convert(self._u32(message, 4), uint256),
    )
    self._check_same(
        convert(method_id("InvalidDestinationDomain(uint32,uint32)", output_type=bytes4), uint32),
        convert(LOCAL_DOMAIN, uint256),
        convert(self._u32(message, 8), uint256),
    )


@internal
def _mint(parts: MessageAndAttestation):
    """Has the attested message delivered, which mints to its recipient."""
    if not extcall TransmitterProxy(TRANSMITTER_PROXY).receiveMessage(parts.message, parts.attestation):
        refusal._plain(convert(method_id("UnlockingUSDCFailed()", output_type=bytes4), uint32))
