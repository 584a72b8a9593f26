# pragma version 0.4.3
# A message interceptor that shows what it was given, refuses, or calls somewhere first.

event Saw:
    payload: Bytes[40000]

_refusing: bool
_target: address
_payload: Bytes[40000]
IDENTITY: constant(address) = 0x0000000000000000000000000000000000000004


@external
def refuse(state: bool):
    self._refusing = state


@external
def reenter(target: address, payload: Bytes[40000]):
    self._target = target
    self._payload = payload


@external
def __default__():
    assert not self._refusing, "intercepted"
    if self._target != empty(address):
        raw_call(self._target, self._payload)
    log Saw(payload=raw_call(IDENTITY, msg.data, max_outsize=40000, is_static_call=True))
