# pragma version 0.4.3
# A token that names its administrator by a role only.

DEFAULT_ADMIN_ROLE: public(constant(bytes32)) = empty(bytes32)

_admin: address


@deploy
def __init__(admin: address):
    self._admin = admin


@external
@view
def hasRole(role: bytes32, account: address) -> bool:
    return role == DEFAULT_ADMIN_ROLE and account == self._admin
