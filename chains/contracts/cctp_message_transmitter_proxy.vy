# pragma version 0.4.3
# CCTPMessageTransmitterProxy 1.6.2: the one caller that CCTP messages between USDC pools name, so that pools can be
# exchanged behind it (spec section 20.1). It delivers for listed pools and knows nothing of messages.

from modules import ownable_2step as ownable
from modules import refusal

initializes: ownable
exports: ownable.__interface__

interface TokenMessenger:
    def localMessageTransmitter() -> address: view

interface MessageTransmitter:
    def receiveMessage(message: Bytes[MAX_MESSAGE], attestation: Bytes[MAX_ATTESTATION]) -> bool: nonpayable

struct AllowedCallerConfigArgs:
    caller: address
    allowed: bool

event AllowedCallerAdded:
    caller: indexed(address)

event AllowedCallerRemoved:
    caller: indexed(address)

# Most callers at a time, and in one update.
MAX_CALLERS: constant(uint256) = 64
# Longest message and attestation passed on.
MAX_MESSAGE: constant(uint256) = 4096
MAX_ATTESTATION: constant(uint256) = 1040

TRANSMITTER: immutable(address)

_callers: DynArray[address, MAX_CALLERS]
# Position in _callers plus one; zero is no member.
_places: HashMap[address, uint256]


@deploy
def __init__(tokenMessenger: address):
    ownable.__init__()
    TRANSMITTER = staticcall TokenMessenger(tokenMessenger).localMessageTransmitter()


@external
@view
def typeAndVersion() -> String[64]:
    return "CCTPMessageTransmitterProxy 1.6.2"


@external
@view
def i_cctpTransmitter() -> address:
    return TRANSMITTER


@external
@view
def getAllowedCallers() -> DynArray[address, MAX_CALLERS]:
    return self._callers


@external
@view
def isAllowedCaller(caller: address) -> bool:
    return self._places[caller] != 0


@external
def configureAllowedCallers(configArgs: DynArray[AllowedCallerConfigArgs, MAX_CALLERS]):
    """Adds or removes callers in the given order; only changes are reported. Owner only."""
    ownable._check_owner()
    for update: AllowedCallerConfigArgs in configArgs:
        place: uint256 = self._places[update.caller]
        if update.allowed == (place != 0):
            continue
        if update.allowed:
            self._callers.append(update.caller)
            self._places[update.caller] = len(self._callers)
            log AllowedCallerAdded(caller=update.caller)
            continue
        # The last member takes the place of the one that leaves.
        last: address = self._callers.pop()
        if last != update.caller:
            self._callers[unsafe_sub(place, 1)] = last
            self._places[last] = place
        self._places[update.caller] = 0
        log AllowedCallerRemoved(caller=update.caller)


@external
def receiveMessage(message: Bytes[MAX_MESSAGE], attestation: Bytes[MAX_ATTESTATION]) -> bool:
    """Delivers to the transmitter, for allowed callers."""
    if self._places[msg.sender] == 0:
        refusal._one(
            convert(method_id("Unauthorized(address)", output_type=bytes4), uint32), convert(msg.sender, uint256)
        )
    return extcall MessageTransmitter(TRANSMITTER).receiveMessage(message, attestation)
