# pragma version 0.4.3
# Keeps the last message that the router delivered, counts them, and reports each in an event. Reads are cheap and
# writes few: whoever pays for delivery pays for every slot. What comes of a message is the importer's business.
#
# ccipReceive is read where it lies, in the call data, because Vyper would decode it into memory laid out for the
# largest message. Importers serve it from __default__.

from modules import cursor

event MessageReceived:
    messageId: indexed(bytes32)
    sourceChainSelector: indexed(uint64)
    sender: Bytes[MAX_SENDER]
    data: Bytes[KEPT_DATA]
    tokenCount: uint256

# The longest sender, and the longest prefix of a message's data that is kept and reported.
MAX_SENDER: constant(uint256) = 64
KEPT_DATA: constant(uint256) = 1024
# Masks for the packed summary.
U64: constant(uint256) = 2**64 - 1
U32: constant(uint256) = 2**32 - 1
CCIP_RECEIVE: constant(bytes4) = 0x85572ffb
# Where the message, its sender and the sender's first word are in the call data.
MESSAGE: constant(uint256) = 36
SENDER: constant(uint256) = 196
SENDER_WORD: constant(uint256) = 228

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


@internal
@view
def _arrived() -> uint256[6]:
    """
    The head of the call: 32, the message's id, its source chain, and where from byte MESSAGE on its sender, data and
    tokens begin. Refuses, with no data, any other call and what is not a canonical encoding; only the router may call.
    """
    assert convert(slice(msg.data, 0, 4), bytes4) == CCIP_RECEIVE
    head: uint256[6] = abi_decode(slice(msg.data, 4, 192), uint256[6])
    assert head[0] == 32
    assert head[2] >> 64 == 0
    assert head[3] == 160
    assert cursor._word(SENDER) <= MAX_SENDER
    end: uint256 = cursor._bytes_end(SENDER)
    assert head[4] == unsafe_sub(end, MESSAGE)
    end = cursor._bytes_end(end)
    assert head[5] == unsafe_sub(end, MESSAGE)
    count: uint256 = cursor._count(end, cursor.MAX_TOKENS)
    assert unsafe_add(end, unsafe_add(32, count << 6)) <= len(msg.data)
    if msg.sender != ROUTER:
        raw_revert(abi_encode(msg.sender, method_id=method_id("InvalidRouter(address)")))
    return head


@internal
def _keep(head: uint256[6]):
    """Keeps and reports the message whose head that is."""
    dataAt: uint256 = unsafe_add(MESSAGE, head[4])
    dataLength: uint256 = cursor._word(dataAt)
    senderLength: uint256 = cursor._word(SENDER)
    tokenCount: uint256 = cursor._word(unsafe_add(MESSAGE, head[5]))
    self._messageId = convert(head[1], bytes32)
    self._summary = (
        ((self._summary & U64) + 1)
        | (head[2] << 64)
        | (tokenCount << 128)
        | (dataLength << 160)
        | (senderLength << 192)
    )
    # Only the words in use are written; the summary tells how many of them count.
    for i: uint256 in range(unsafe_add(senderLength, 31) >> 5, bound=2):
        self._sender[i] = convert(cursor._item(SENDER_WORD, i), bytes32)
    kept: uint256 = min(dataLength, KEPT_DATA)
    for i: uint256 in range(unsafe_add(kept, 31) >> 5, bound=32):
        self._data[i] = convert(cursor._item(dataAt, unsafe_add(i, 1)), bytes32)
    content: uint256 = unsafe_add(dataAt, 32)
    log MessageReceived(
        messageId=convert(head[1], bytes32),
        sourceChainSelector=convert(head[2], uint64),
        sender=convert(cursor._bytes_at(SENDER), Bytes[MAX_SENDER]),
        data=convert(cursor._range(content, unsafe_add(content, kept)), Bytes[KEPT_DATA]),
        tokenCount=tokenCount,
    )


@external
@pure
def supportsInterface(interfaceId: bytes4) -> bool:
    """ERC-165 itself and IAny2EVMMessageReceiver."""
    return interfaceId == 0x85572ffb or interfaceId == 0x01ffc9a7


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
def lastSender() -> Bytes[MAX_SENDER]:
    """The sender's bytes: a left-padded address when it comes from an EVM chain."""
    return slice(abi_encode(self._sender), 0, (self._summary >> 192) & U32)


@external
@view
def lastData() -> Bytes[KEPT_DATA]:
    """The last message's data, or its first KEPT_DATA bytes."""
    return slice(abi_encode(self._data), 0, min((self._summary >> 160) & U32, KEPT_DATA))
