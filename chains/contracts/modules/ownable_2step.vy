# pragma version 0.4.3
# Two-step ownership with custom errors (spec section 24.1): the deployer owns until another accepts.
# Nothing but ownership; contracts with string reverts have their own module.

event OwnershipTransferRequested:
    _from: indexed(address)
    to: indexed(address)

event OwnershipTransferred:
    _from: indexed(address)
    to: indexed(address)

_owner: address
_pending: address


@deploy
def __init__():
    self._set_first(msg.sender)


@internal
def _set_first(first: address):
    """The first owner; the zero address, which a simulated creation may come from, could never hand on."""
    if first == empty(address):
        raw_revert(method_id("OwnerCannotBeZero()", output_type=Bytes[4]))
    self._owner = first


@external
@view
def owner() -> address:
    return self._owner


@external
def transferOwnership(to: address):
    self._check_owner()
    if to == msg.sender:
        raw_revert(method_id("CannotTransferToSelf()", output_type=Bytes[4]))
    self._pending = to
    log OwnershipTransferRequested(_from=self._owner, to=to)


@external
def acceptOwnership():
    if msg.sender != self._pending:
        raw_revert(method_id("MustBeProposedOwner()", output_type=Bytes[4]))
    previous: address = self._owner
    self._owner = msg.sender
    self._pending = empty(address)
    log OwnershipTransferred(_from=previous, to=msg.sender)


@internal
@view
def _check_owner():
    if msg.sender != self._owner:
        raw_revert(method_id("OnlyCallableByOwner()", output_type=Bytes[4]))
