# pragma version 0.4.3
# The set of callers that may do what only trusted contracts may (spec section 24.3). The owner edits it and is not in
# it by itself. Which functions are guarded is the importer's business.

from modules import ownable_2step as ownable
from modules import refusal

uses: ownable

struct AuthorizedCallerArgs:
    addedCallers: DynArray[address, 32]
    removedCallers: DynArray[address, 32]

event AuthorizedCallerAdded:
    caller: address

event AuthorizedCallerRemoved:
    caller: address

# Most callers at a time: a chain has one ramp pair per version and a few price updaters.
MAX_CALLERS: constant(uint256) = 64

_callers: DynArray[address, MAX_CALLERS]
# Position in _callers plus one; zero is no member.
_places: HashMap[address, uint256]


@deploy
def __init__(callers: DynArray[address, 32]):
    self._apply(AuthorizedCallerArgs(addedCallers=callers, removedCallers=[]))


@external
@view
def getAllAuthorizedCallers() -> DynArray[address, MAX_CALLERS]:
    return self._callers


@external
def applyAuthorizedCallerUpdates(authorizedCallerArgs: AuthorizedCallerArgs):
    """Removals first. Adding a member again is reported again; removing a stranger is not."""
    ownable._check_owner()
    self._apply(authorizedCallerArgs)


@internal
def _apply(updates: AuthorizedCallerArgs):
    for caller: address in updates.removedCallers:
        place: uint256 = self._places[caller]
        if place == 0:
            continue
        # The last member takes the place of the one that leaves.
        last: address = self._callers.pop()
        if last != caller:
            self._callers[unsafe_sub(place, 1)] = last
            self._places[last] = place
        self._places[caller] = 0
        log AuthorizedCallerRemoved(caller=caller)
    for caller: address in updates.addedCallers:
        if caller == empty(address):
            refusal._plain(convert(method_id("ZeroAddressNotAllowed()", output_type=bytes4), uint32))
        if self._places[caller] == 0:
            self._callers.append(caller)
            self._places[caller] = len(self._callers)
        log AuthorizedCallerAdded(caller=caller)


@internal
@view
def _check_caller():
    if self._places[msg.sender] == 0:
        refusal._one(
            convert(method_id("UnauthorizedCaller(address)", output_type=bytes4), uint32), convert(msg.sender, uint256)
        )
