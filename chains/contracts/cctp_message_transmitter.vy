# pragma version 0.4.3
# The message layer of Circle's transfer protocol, version 1, for networks of one's own: numbers and logs messages, and
# delivers those that attesters have signed, once each. Pausing and replacing of messages are left out.
# It knows nothing of tokens.

from modules import attesters
from modules import ownable_2step as ownable

initializes: ownable
initializes: attesters[ownable := ownable]
exports: (ownable.__interface__, attesters.__interface__)

interface MessageHandler:
    def handleReceiveMessage(sourceDomain: uint32, sender: bytes32, messageBody: Bytes[MAX_BODY]) -> bool: nonpayable

event MessageSent:
    message: Bytes[MAX_MESSAGE]

event MessageReceived:
    caller: indexed(address)
    sourceDomain: uint32
    nonce: indexed(uint64)
    sender: bytes32
    messageBody: Bytes[MAX_BODY]

# Header: version (4 bytes), source domain (4), destination domain (4), nonce (8), sender (32), recipient (32),
# destination caller (32). Then the body.
HEADER_BYTES: constant(uint256) = 116
MAX_BODY: constant(uint256) = 768
MAX_MESSAGE: constant(uint256) = 884

version: public(constant(uint32)) = 0

LOCAL_DOMAIN: immutable(uint32)

nextAvailableNonce: public(uint64)
# keccak of source domain and nonce -> 1 once delivered
usedNonces: public(HashMap[bytes32, uint256])


@deploy
def __init__(localDomain_: uint32, attester: address):
    ownable.__init__()
    attesters.__init__(attester)
    LOCAL_DOMAIN = localDomain_


@external
@view
def localDomain() -> uint32:
    return LOCAL_DOMAIN


@internal
def _send(
    destinationDomain: uint32, recipient: bytes32, destinationCaller: bytes32, messageBody: Bytes[MAX_BODY]
) -> uint64:
    assert recipient != empty(bytes32), "Recipient must be nonzero"
    nonce: uint64 = self.nextAvailableNonce
    self.nextAvailableNonce = nonce + 1
    log MessageSent(
        message=concat(
            convert(version, bytes4),
            convert(LOCAL_DOMAIN, bytes4),
            convert(destinationDomain, bytes4),
            convert(nonce, bytes8),
            convert(msg.sender, bytes32),
            recipient,
            destinationCaller,
            messageBody,
        )
    )
    return nonce


@external
def sendMessage(destinationDomain: uint32, recipient: bytes32, messageBody: Bytes[MAX_BODY]) -> uint64:
    """Anyone may deliver it."""
    return self._send(destinationDomain, recipient, empty(bytes32), messageBody)


@external
def sendMessageWithCaller(
    destinationDomain: uint32, recipient: bytes32, destinationCaller: bytes32, messageBody: Bytes[MAX_BODY]
) -> uint64:
    """Only `destinationCaller` may deliver it."""
    assert destinationCaller != empty(bytes32), "Destination caller must be nonzero"
    return self._send(destinationDomain, recipient, destinationCaller, messageBody)


@external
def receiveMessage(message: Bytes[MAX_MESSAGE], attestation: Bytes[attesters.MAX_ATTESTATION]) -> bool:
    """Delivers an attested message to its recipient."""
    attesters._verify(keccak256(message), attestation)
    assert len(message) >= HEADER_BYTES, "Invalid message: too short"
    assert convert(slice(message, 8, 4), uint256) == convert(LOCAL_DOMAIN, uint256), "Invalid destination domain"
    caller: bytes32 = extract32(message, 84)
    assert caller == empty(bytes32) or caller == convert(msg.sender, bytes32), "Invalid caller for message"
    assert convert(slice(message, 0, 4), uint256) == convert(version, uint256), "Invalid message version"
    source: uint32 = convert(convert(slice(message, 4, 4), uint256), uint32)
    nonce: uint64 = convert(convert(slice(message, 12, 8), uint256), uint64)
    used: bytes32 = keccak256(concat(slice(message, 4, 4), slice(message, 12, 8)))
    assert self.usedNonces[used] == 0, "Nonce already used"
    self.usedNonces[used] = 1
    sender: bytes32 = extract32(message, 20)
    recipient: address = convert(convert(extract32(message, 52), uint256), address)
    body: Bytes[MAX_BODY] = convert(slice(message, HEADER_BYTES, len(message) - HEADER_BYTES), Bytes[MAX_BODY])
    assert extcall MessageHandler(recipient).handleReceiveMessage(
        source, sender, body
    ), "handleReceiveMessage() failed"
    log MessageReceived(caller=msg.sender, sourceDomain=source, nonce=nonce, sender=sender, messageBody=body)
    return True
