# pragma version 0.4.3
# As the receivers of the recorded lane: an event that tells what came and how much gas was left, and no storage; a
# fickle one refuses first if it was told to.

struct TokenAmount:
    token: address
    amount: uint256

struct Message:
    messageId: bytes32
    sourceChainSelector: uint64
    sender: Bytes[64]
    data: Bytes[1024]
    destTokenAmounts: DynArray[TokenAmount, 4]

event Got:
    messageId: bytes32
    gasLeft: uint256
    sender: Bytes[64]
    data: Bytes[1024]

FICKLE: immutable(bool)
_refusal: Bytes[256]


@deploy
def __init__(fickle: bool):
    FICKLE = fickle


@external
def refuse(data: Bytes[256]):
    self._refusal = data


@external
@pure
def supportsInterface(interfaceId: bytes4) -> bool:
    return interfaceId == 0x85572ffb or interfaceId == 0x01ffc9a7


@external
def ccipReceive(message: Message):
    if FICKLE and len(self._refusal) != 0:
        raw_revert(self._refusal)
    log Got(messageId=message.messageId, gasLeft=msg.gas, sender=message.sender, data=message.data)
