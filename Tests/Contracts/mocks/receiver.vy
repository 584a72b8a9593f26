# pragma version 0.4.3
# A message receiver that remembers the hash of the call it got, or refuses it with chosen data.

seen: public(bytes32)
_refusal: Bytes[1024]


@external
def refuse(data: Bytes[1024]):
    self._refusal = data


@external
@pure
def supportsInterface(interfaceId: bytes4) -> bool:
    return interfaceId == 0x85572ffb or interfaceId == 0x01ffc9a7


@external
def __default__():
    if len(self._refusal) != 0:
        raw_revert(self._refusal)
    self.seen = keccak256(raw_call(0x0000000000000000000000000000000000000004, msg.data, max_outsize=40000))
