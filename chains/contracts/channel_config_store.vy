# pragma version 0.4.3
# ChannelConfigStore 1.0.0: where the channel definitions of a price stream cluster are found, and the hash they have
# (data streams specification, section 5.2). The definitions themselves are fetched and judged by the oracles.

from modules import ownable_2step_strings as ownable
from modules import refusal

initializes: ownable
exports: (ownable.owner, ownable.transferOwnership, ownable.acceptOwnership)

event NewChannelDefinition:
    donId: indexed(uint256)
    version: uint32
    url: String[MAX_URL]
    sha: bytes32

event ChannelDefinitionAdded:
    donId: indexed(uint256)
    channelAdderId: indexed(uint32)
    url: String[MAX_URL]
    sha: bytes32

event ChannelAdderSet:
    donId: indexed(uint256)
    channelAdderId: indexed(uint32)
    allowed: bool

event ChannelAdderAddressSet:
    channelAdderId: indexed(uint32)
    adderAddress: address

# Longest URL, in bytes.
MAX_URL: constant(uint256) = 2048
# Ids below are reserved; 1 stands for the owner in what oracles agree on.
MIN_ADDER: constant(uint32) = 1000
# Most adders of one cluster.
MAX_ADDERS: constant(uint256) = 64
# The exclusive or of the selectors of the seven functions below that are not of ownership, type or interface.
STORE_INTERFACE: constant(bytes4) = 0x9b6823f2

_versions: HashMap[uint32, uint32]
_addresses: HashMap[uint32, address]
_allowed: HashMap[uint32, DynArray[uint32, MAX_ADDERS]]
# cluster -> adder -> place in _allowed plus one
_places: HashMap[uint32, HashMap[uint32, uint256]]


@deploy
def __init__():
    ownable.__init__()


@external
@view
def typeAndVersion() -> String[32]:
    return "ChannelConfigStore 1.0.0"


@external
@view
def supportsInterface(interfaceId: bytes4) -> bool:
    return interfaceId == STORE_INTERFACE


@external
def setChannelDefinitions(donId: uint32, url: String[MAX_URL], sha: bytes32):
    """The owner's definitions, which may change and remove; `sha` is the SHA3-256 of the file."""
    ownable._check_owner()
    version: uint32 = self._versions[donId] + 1
    self._versions[donId] = version
    log NewChannelDefinition(donId=convert(donId, uint256), version=version, url=url, sha=sha)


@external
def addChannelDefinitions(donId: uint32, channelAdderId: uint32, url: String[MAX_URL], sha: bytes32):
    """Definitions of an adder, which oracles let add only."""
    if msg.sender != self._addresses[channelAdderId] or self._places[donId][channelAdderId] == 0:
        refusal._plain(convert(method_id("UnauthorizedChannelAdder()", output_type=bytes4), uint32))
    log ChannelDefinitionAdded(donId=convert(donId, uint256), channelAdderId=channelAdderId, url=url, sha=sha)


@external
def setChannelAdderAddress(channelAdderId: uint32, adderAddress: address):
    """Who an adder is; the zero address is nobody."""
    ownable._check_owner()
    self._check_adder(channelAdderId)
    self._addresses[channelAdderId] = adderAddress
    log ChannelAdderAddressSet(channelAdderId=channelAdderId, adderAddress=adderAddress)


@external
def setChannelAdder(donId: uint32, channelAdderId: uint32, allowed: bool):
    ownable._check_owner()
    self._check_adder(channelAdderId)
    place: uint256 = self._places[donId][channelAdderId]
    if allowed and place == 0:
        self._allowed[donId].append(channelAdderId)
        self._places[donId][channelAdderId] = len(self._allowed[donId])
    elif place != 0 and not allowed:
        # The last adder takes the place of the one that leaves.
        last: uint32 = self._allowed[donId].pop()
        if last != channelAdderId:
            self._allowed[donId][unsafe_sub(place, 1)] = last
            self._places[donId][last] = place
        self._places[donId][channelAdderId] = 0
    log ChannelAdderSet(donId=convert(donId, uint256), channelAdderId=channelAdderId, allowed=allowed)


@external
@view
def getChannelAdderAddress(channelAdderId: uint32) -> address:
    return self._addresses[channelAdderId]


@external
@view
def isChannelAdderAllowed(donId: uint32, channelAdderId: uint32) -> bool:
    return self._places[donId][channelAdderId] != 0


@external
@view
def getAllowedChannelAdders(donId: uint32) -> DynArray[uint32, MAX_ADDERS]:
    return self._allowed[donId]


@internal
@pure
def _check_adder(channelAdderId: uint32):
    if channelAdderId < MIN_ADDER:
        refusal._plain(convert(method_id("ReservedChannelAdderId()", output_type=bytes4), uint32))
