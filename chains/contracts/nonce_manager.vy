# pragma version 0.4.3
# NonceManager 1.6.0: counts the ordered messages of each sender per lane, outbound for the on-ramp and inbound for the
# off-ramp (spec section 16). A chain may continue the counts of its version 1.5 ramps.
# It knows nothing of what messages contain.

from modules import authorized_callers
from modules import ownable_2step as ownable
from modules import refusal

initializes: ownable
initializes: authorized_callers[ownable := ownable]
exports: (
    ownable.owner,
    ownable.transferOwnership,
    ownable.acceptOwnership,
    authorized_callers.getAllAuthorizedCallers,
    authorized_callers.applyAuthorizedCallerUpdates,
)

interface PreviousRamp:
    def getSenderNonce(sender: address) -> uint64: view

struct PreviousRamps:
    prevOnRamp: address
    prevOffRamp: address

struct PreviousRampsArgs:
    remoteChainSelector: uint64
    overrideExistingRamps: bool
    prevRamps: PreviousRamps

event PreviousRampsUpdated:
    remoteChainSelector: indexed(uint64)
    prevRamp: PreviousRamps

event SkippedIncorrectNonce:
    sourceChainSelector: uint64
    nonce: uint64
    sender: Bytes[256]

# destination -> sender -> last nonce given out
_outbound: HashMap[uint64, HashMap[address, uint64]]
# source -> keccak of the sender's bytes -> last nonce taken
_inbound: HashMap[uint64, HashMap[bytes32, uint64]]
_previous: HashMap[uint64, PreviousRamps]


@deploy
def __init__(authorizedCallers: DynArray[address, 32]):
    ownable.__init__()
    authorized_callers.__init__(authorizedCallers)


@external
@view
def typeAndVersion() -> String[32]:
    return "NonceManager 1.6.0"


@internal
@view
def _outbound_nonce(dest: uint64, sender: address) -> uint64:
    nonce: uint64 = self._outbound[dest][sender]
    if nonce == 0:
        ramp: address = self._previous[dest].prevOnRamp
        if ramp != empty(address):
            return staticcall PreviousRamp(ramp).getSenderNonce(sender)
    return nonce


@internal
@view
def _previous_inbound(source: uint64, sender: Bytes[256]) -> uint64:
    """The count that the previous off-ramp left, if there was one."""
    ramp: address = self._previous[source].prevOffRamp
    if ramp == empty(address):
        return 0
    # Version 1.5 lanes join EVM chains only: the sender is one word with an address in it.
    return staticcall PreviousRamp(ramp).getSenderNonce(abi_decode(sender, address))


@external
@view
def getOutboundNonce(destChainSelector: uint64, sender: address) -> uint64:
    return self._outbound_nonce(destChainSelector, sender)


@external
@view
def getInboundNonce(sourceChainSelector: uint64, sender: Bytes[256]) -> uint64:
    nonce: uint64 = self._inbound[sourceChainSelector][keccak256(sender)]
    if nonce == 0:
        return self._previous_inbound(sourceChainSelector, sender)
    return nonce


@external
@view
def getPreviousRamps(chainSelector: uint64) -> PreviousRamps:
    return self._previous[chainSelector]


@external
def getIncrementedOutboundNonce(destChainSelector: uint64, sender: address) -> uint64:
    """The next nonce of the sender, which is thereby given out."""
    authorized_callers._check_caller()
    nonce: uint64 = self._outbound_nonce(destChainSelector, sender) + 1
    self._outbound[destChainSelector][sender] = nonce
    return nonce


@external
def incrementInboundNonce(sourceChainSelector: uint64, expectedNonce: uint64, sender: Bytes[256]) -> bool:
    """Takes `expectedNonce` if it is the next one of the sender; says no, and logs why, if it is not."""
    authorized_callers._check_caller()
    key: bytes32 = keccak256(sender)
    nonce: uint64 = self._inbound[sourceChainSelector][key]
    if nonce == 0:
        nonce = self._previous_inbound(sourceChainSelector, sender)
    if nonce + 1 != expectedNonce:
        log SkippedIncorrectNonce(sourceChainSelector=sourceChainSelector, nonce=expectedNonce, sender=sender)
        return False
    self._inbound[sourceChainSelector][key] = expectedNonce
    return True


@external
def applyPreviousRampsUpdates(previousRampsArgs: DynArray[PreviousRampsArgs, 32]):
    ownable._check_owner()
    for update: PreviousRampsArgs in previousRampsArgs:
        known: PreviousRamps = self._previous[update.remoteChainSelector]
        if known.prevOnRamp != empty(address) or known.prevOffRamp != empty(address):
            if not update.overrideExistingRamps:
                refusal._plain(convert(method_id("PreviousRampAlreadySet()", output_type=bytes4), uint32))
        self._previous[update.remoteChainSelector] = update.prevRamps
        log PreviousRampsUpdated(remoteChainSelector=update.remoteChainSelector, prevRamp=update.prevRamps)
