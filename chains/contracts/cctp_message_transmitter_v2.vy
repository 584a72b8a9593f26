# pragma version 0.4.3
# The message layer of Circle's transfer protocol, version 2, for networks of one's own: logs messages without a number,
# and delivers those that attesters have numbered, marked with the finality they reached, and signed; once each.
# Pausing is left out. It knows nothing of tokens.

from modules import attesters
from modules import ownable_2step as ownable

initializes: ownable
initializes: attesters[ownable := ownable]
exports: (ownable.__interface__, attesters.__interface__)

interface MessageHandler:
    def handleReceiveFinalizedMessage(
        sourceDomain: uint32, sender: bytes32, finalityThresholdExecuted: uint32, messageBody: Bytes[MAX_BODY]
    ) -> bool: nonpayable
    def handleReceiveUnfinalizedMessage(
        sourceDomain: uint32, sender: bytes32, finalityThresholdExecuted: uint32, messageBody: Bytes[MAX_BODY]
    ) -> bool: nonpayable

event MessageSent:
    message: Bytes[MAX_MESSAGE]

event MessageReceived:
    caller: indexed(address)
    sourceDomain: uint32
    nonce: indexed(bytes32)
    sender: bytes32
    finalityThresholdExecuted: indexed(uint32)
    messageBody: Bytes[MAX_BODY]

# Header: version (4 bytes), source domain (4), destination domain (4), nonce (32), sender (32), recipient (32),
# destination caller (32), finality asked for (4), finality reached (4). Then the body. Nonce and finality reached are
# zero when a message is sent: whoever attests it fills them in.
HEADER_BYTES: constant(uint256) = 148
MAX_BODY: constant(uint256) = 736
MAX_MESSAGE: constant(uint256) = 884
# From this threshold on a message counts as finalized.
FINALIZED: constant(uint256) = 2000

version: public(constant(uint32)) = 1

LOCAL_DOMAIN: immutable(uint32)

# nonce -> 1 once delivered
usedNonces: public(HashMap[bytes32, uint256])


@deploy
def __init__(localDomain_: uint32, attester: address):
    ownable.__init__()
    attesters.__init__(attester)
    LOCAL_DOMAIN = localDomain_
    # No message is delivered as it was sent, without a nonce.
    self.usedNonces[empty(bytes32)] = 1


@external
@view
def localDomain() -> uint32:
    return LOCAL_DOMAIN


@external
def sendMessage(
    destinationDomain: uint32,
    recipient: bytes32,
    destinationCaller: bytes32,
    minFinalityThreshold: uint32,
    messageBody: Bytes[MAX_BODY],
):
    """A zero `destinationCaller` lets anyone deliver it."""
    assert destinationDomain != LOCAL_DOMAIN, "Domain is local domain"
    assert recipient != empty(bytes32), "Recipient must be nonzero"
    log MessageSent(
        message=concat(
            convert(version, bytes4),
            convert(LOCAL_DOMAIN, bytes4),
            convert(destinationDomain, bytes4),
            empty(bytes32),
            convert(msg.sender, bytes32),
            recipient,
            destinationCaller,
            convert(minFinalityThreshold, bytes4),
            empty(bytes4),
            messageBody,
        )
    )


@external
def receiveMessage(message: Bytes[MAX_MESSAGE], attestation: Bytes[attesters.MAX_ATTESTATION]) -> bool:
    """Delivers an attested message to its recipient."""
    attesters._verify(keccak256(message), attestation)
    assert len(message) >= HEADER_BYTES, "Invalid message: too short"
    assert convert(slice(message, 8, 4), uint256) == convert(LOCAL_DOMAIN, uint256), "Invalid destination domain"
    caller: bytes32 = extract32(message, 108)
    assert caller == empty(bytes32) or caller == convert(msg.sender, bytes32), "Invalid caller for message"
    assert convert(slice(message, 0, 4), uint256) == convert(version, uint256), "Invalid message version"
    nonce: bytes32 = extract32(message, 12)
    assert self.usedNonces[nonce] == 0, "Nonce already used"
    self.usedNonces[nonce] = 1
    source: uint32 = convert(convert(slice(message, 4, 4), uint256), uint32)
    sender: bytes32 = extract32(message, 44)
    handler: MessageHandler = MessageHandler(convert(convert(extract32(message, 76), uint256), address))
    finality: uint256 = convert(slice(message, 144, 4), uint256)
    reached: uint32 = convert(finality, uint32)
    body: Bytes[MAX_BODY] = convert(slice(message, HEADER_BYTES, len(message) - HEADER_BYTES), Bytes[MAX_BODY])
    if finality >= FINALIZED:
        assert extcall handler.handleReceiveFinalizedMessage(
            source, sender, reached, body
        ), "handleReceiveFinalizedMessage() failed"
    else:
        assert extcall handler.handleReceiveUnfinalizedMessage(
            source, sender, reached, body
        ), "handleReceiveUnfinalizedMessage() failed"
    log MessageReceived(
        caller=msg.sender,
        sourceDomain=source,
        nonce=nonce,
        sender=sender,
        finalityThresholdExecuted=reached,
        messageBody=body,
    )
    return True
