# pragma version 0.4.3
# Lets one account verify, and only with the call data that it was told to expect, if it was.

_user: address
_expected: bytes32


@external
def allow(user: address, expected: bytes32):
    self._user = user
    self._expected = expected


@external
@view
def hasAccess(user: address, data: Bytes[32768]) -> bool:
    return user == self._user and self._expected in [empty(bytes32), keccak256(data)]
