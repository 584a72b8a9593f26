# pragma version 0.4.3
# Two-step ownership with string errors (spec section 24.2): the deployer owns until another accepts.
# Nothing but ownership; contracts with custom errors use ownable_2step.

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
    assert msg.sender != empty(address), "Cannot set owner to zero"
    self._owner = msg.sender


@external
@view
def owner() -> address:
    return self._owner


@external
def transferOwnership(to: address):
    self._check_owner()
    assert to != msg.sender, "Cannot transfer to self"
    self._pending = to
    log OwnershipTransferRequested(_from=self._owner, to=to)


@external
def acceptOwnership():
    assert msg.sender == self._pending, "Must be proposed owner"
    previous: address = self._owner
    self._owner = msg.sender
    self._pending = empty(address)
    log OwnershipTransferred(_from=previous, to=msg.sender)


@internal
@view
def _check_owner():
    assert msg.sender == self._owner, "Only callable by owner"
