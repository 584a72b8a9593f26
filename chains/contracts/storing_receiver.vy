# pragma version 0.4.3
# An example CCIP receiver: keeps the last message its router delivered, counts them, and reports each in an event.
# Reads are cheap and writes few: whoever pays for delivery pays for every slot. It holds tokens but never moves them.

from modules import cursor

struct TokenAmount:
    token: address
    amount: uint256

struct Any2EVMMessage:
    messageId: bytes32
    sourceChainSelector: uint64
    sender: Bytes[64]
    data: Bytes[32768]
    destTokenAmounts: DynArray[TokenAmount, 32]

event MessageReceived:
    messageId: indexed(bytes32)
    sourceChainSelector: indexed(uint64)
    sender: Bytes[64]
    data: Bytes[KEPT_DATA]
    tokenCount: uint256

# The longest prefix of a message's data that is kept and reported.
KEPT_DATA: constant(uint256) = 1024
# Masks for the packed summary.
U64: constant(uint256) = 2**64 - 1
U32: constant(uint256) = 2**32 - 1

ROUTER: immutable(address)

_messageId: bytes32
# messages so far | source chain selector << 64 | tokens << 128 | data length << 160 | sender length << 192
_summary: uint256
_sender: bytes32[2]
_data: bytes32[32]


@deploy
def __init__(router: address):
    if router == empty(address):
        raw_revert(abi_encode(router, method_id=method_id("InvalidRouter(address)")))
    ROUTER = router
    # Filling the slots here spares the first message most of its cost; the empty summary hides what is in them.
    self._messageId = convert(1, bytes32)
    self._summary = 1 << 224
    self._sender[0] = convert(1, bytes32)
    self._data[0] = convert(1, bytes32)


@external
@pure
def supportsInterface(interfaceId: bytes4) -> bool:
    """ERC-165 itself and IAny2EVMMessageReceiver."""
    return interfaceId == 0x85572ffb or interfaceId == 0x01ffc9a7


@external
def ccipReceive(message: Any2EVMMessage):
    """Keeps the message; only the router may call."""
    if msg.sender != ROUTER:
        raw_revert(abi_encode(msg.sender, method_id=method_id("InvalidRouter(address)")))
    at: uint256 = cursor._follow(4, 0)
    self._messageId = message.messageId
    self._summary = (
        ((self._summary & U64) + 1)
        | (convert(message.sourceChainSelector, uint256) << 64)
        | (len(message.destTokenAmounts) << 128)
        | (len(message.data) << 160)
        | (len(message.sender) << 192)
    )
    # Only the words in use are written; the summary tells how many of them count.
    sender: bytes32[2] = empty(bytes32[2])
    for i: uint256 in range((len(message.sender) + 31) // 32, bound=2):
        sender[i] = convert(cursor._item(cursor._follow(at, 2), i + 1), bytes32)
        self._sender[i] = sender[i]
    data: bytes32[32] = empty(bytes32[32])
    length: uint256 = min(len(message.data), KEPT_DATA)
    for i: uint256 in range((length + 31) // 32, bound=32):
        data[i] = convert(cursor._item(cursor._follow(at, 3), i + 1), bytes32)
        self._data[i] = data[i]
    log MessageReceived(
        messageId=message.messageId,
        sourceChainSelector=message.sourceChainSelector,
        sender=slice(abi_encode(sender), 0, len(message.sender)),
        data=slice(abi_encode(data), 0, length),
        tokenCount=len(message.destTokenAmounts),
    )


@external
@view
def getRouter() -> address:
    return ROUTER


@external
@view
def count() -> uint256:
    """How many messages have been received."""
    return self._summary & U64


@external
@view
def lastMessageId() -> bytes32:
    """Zero before the first message."""
    if self._summary & U64 == 0:
        return empty(bytes32)
    return self._messageId


@external
@view
def lastSourceChainSelector() -> uint64:
    return convert((self._summary >> 64) & U64, uint64)


@external
@view
def lastTokenCount() -> uint256:
    return (self._summary >> 128) & U32


@external
@view
def lastDataLength() -> uint256:
    """The length of the last message's data, also where it exceeds what is kept."""
    return (self._summary >> 160) & U32


@external
@view
def lastSender() -> Bytes[64]:
    """The sender's bytes: a left-padded address when it comes from an EVM chain."""
    return slice(abi_encode(self._sender), 0, (self._summary >> 192) & U32)


@external
@view
def lastData() -> Bytes[KEPT_DATA]:
    """The last message's data, or its first KEPT_DATA bytes."""
    return slice(abi_encode(self._data), 0, min((self._summary >> 160) & U32, KEPT_DATA))
