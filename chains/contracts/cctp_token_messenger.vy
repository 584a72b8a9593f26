# pragma version 0.4.3
# The token layer of Circle's transfer protocol, version 1, for networks of one's own: burns here and mints what was
# burned elsewhere. Its minter is modules/token_minter. It needs minter's and burner's role at the token.

from modules import ownable_2step as ownable
from modules import token_minter

initializes: ownable
initializes: token_minter[ownable := ownable]
exports: (ownable.__interface__, token_minter.__interface__)

interface MessageTransmitter:
    def sendMessage(
        destinationDomain: uint32, recipient: bytes32, messageBody: Bytes[BODY_BYTES]
    ) -> uint64: nonpayable
    def sendMessageWithCaller(
        destinationDomain: uint32, recipient: bytes32, destinationCaller: bytes32, messageBody: Bytes[BODY_BYTES]
    ) -> uint64: nonpayable

event DepositForBurn:
    nonce: indexed(uint64)
    burnToken: indexed(address)
    amount: uint256
    depositor: indexed(address)
    mintRecipient: bytes32
    destinationDomain: uint32
    destinationTokenMessenger: bytes32
    destinationCaller: bytes32

event MintAndWithdraw:
    mintRecipient: indexed(address)
    amount: uint256
    mintToken: indexed(address)

# Body: version (4 bytes), burned token (32), mint recipient (32), amount (32), depositor (32).
BODY_BYTES: constant(uint256) = 132
MAX_BODY: constant(uint256) = 768

messageBodyVersion: public(constant(uint32)) = 0


@deploy
def __init__(messageTransmitter: address):
    ownable.__init__()
    token_minter.__init__(messageTransmitter)


@internal
def _deposit(
    amount: uint256, destinationDomain: uint32, mintRecipient: bytes32, burnToken: address, destinationCaller: bytes32
) -> uint64:
    messenger: bytes32 = token_minter._burn(amount, destinationDomain, mintRecipient, burnToken)
    body: Bytes[BODY_BYTES] = concat(
        convert(messageBodyVersion, bytes4),
        convert(burnToken, bytes32),
        mintRecipient,
        convert(amount, bytes32),
        convert(msg.sender, bytes32),
    )
    transmitter: MessageTransmitter = MessageTransmitter(token_minter.MESSAGE_TRANSMITTER)
    nonce: uint64 = 0
    if destinationCaller == empty(bytes32):
        nonce = extcall transmitter.sendMessage(destinationDomain, messenger, body)
    else:
        nonce = extcall transmitter.sendMessageWithCaller(destinationDomain, messenger, destinationCaller, body)
    log DepositForBurn(
        nonce=nonce,
        burnToken=burnToken,
        amount=amount,
        depositor=msg.sender,
        mintRecipient=mintRecipient,
        destinationDomain=destinationDomain,
        destinationTokenMessenger=messenger,
        destinationCaller=destinationCaller,
    )
    return nonce


@external
def depositForBurn(amount: uint256, destinationDomain: uint32, mintRecipient: bytes32, burnToken: address) -> uint64:
    """Burns the sender's tokens for a mint that anyone may deliver."""
    return self._deposit(amount, destinationDomain, mintRecipient, burnToken, empty(bytes32))


@external
def depositForBurnWithCaller(
    amount: uint256, destinationDomain: uint32, mintRecipient: bytes32, burnToken: address, destinationCaller: bytes32
) -> uint64:
    """Burns the sender's tokens for a mint that only `destinationCaller` may deliver."""
    assert destinationCaller != empty(bytes32), "Invalid destination caller"
    return self._deposit(amount, destinationDomain, mintRecipient, burnToken, destinationCaller)


@external
def handleReceiveMessage(remoteDomain: uint32, sender: bytes32, messageBody: Bytes[MAX_BODY]) -> bool:
    """Mints what a believed messenger says was burned; for the local transmitter only."""
    token_minter._check_remote(remoteDomain, sender)
    assert len(messageBody) == BODY_BYTES, "Invalid message length"
    assert convert(slice(messageBody, 0, 4), uint256) == convert(
        messageBodyVersion, uint256
    ), "Invalid message body version"
    token: address = token_minter._local_token(remoteDomain, extract32(messageBody, 4))
    recipient: address = convert(convert(extract32(messageBody, 36), uint256), address)
    amount: uint256 = extract32(messageBody, 68, output_type=uint256)
    extcall token_minter.Token(token).mint(recipient, amount)
    log MintAndWithdraw(mintRecipient=recipient, amount=amount, mintToken=token)
    return True
