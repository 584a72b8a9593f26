# pragma version 0.4.3
# The token layer of Circle's transfer protocol, version 2, for networks of one's own: burns here and mints what was
# burned elsewhere, less a fee, until the block at which the attestation expires. Its minter is modules/token_minter. It
# needs minter's and burner's role at the token. Hooks and the denylist are left out.

from modules import ownable_2step as ownable
from modules import token_minter

initializes: ownable
initializes: token_minter[ownable := ownable]
exports: (ownable.__interface__, token_minter.__interface__)

interface MessageTransmitter:
    def sendMessage(
        destinationDomain: uint32,
        recipient: bytes32,
        destinationCaller: bytes32,
        minFinalityThreshold: uint32,
        messageBody: Bytes[BODY_BYTES],
    ): nonpayable

event DepositForBurn:
    burnToken: indexed(address)
    amount: uint256
    depositor: indexed(address)
    mintRecipient: bytes32
    destinationDomain: uint32
    destinationTokenMessenger: bytes32
    destinationCaller: bytes32
    maxFee: uint256
    minFinalityThreshold: indexed(uint32)
    hookData: Bytes[32]

event MintAndWithdraw:
    mintRecipient: indexed(address)
    amount: uint256
    mintToken: indexed(address)
    feeCollected: uint256

event FeeRecipientSet:
    feeRecipient: address

event MinFeeSet:
    minFee: uint256

# Body: version (4 bytes), burned token (32), mint recipient (32), amount (32), depositor (32), highest fee (32), fee
# taken (32), block of expiry or zero (32). Whoever attests the message fills in the last two.
BODY_BYTES: constant(uint256) = 228
MAX_BODY: constant(uint256) = 736
# Parts that the least fee counts in: ten millionths of the amount.
FEE_PARTS: constant(uint256) = 10_000_000
# The finality that messages may at least ask for; below it nobody attests.
LEAST_FINALITY: constant(uint32) = 500
FINALIZED: constant(uint32) = 2000

messageBodyVersion: public(constant(uint32)) = 1
feeRecipient: public(address)
minFee: public(uint256)


@deploy
def __init__(messageTransmitter: address):
    ownable.__init__()
    token_minter.__init__(messageTransmitter)
    self.feeRecipient = msg.sender


@external
def setFeeRecipient(recipient: address):
    """Who is minted the fees; owner only."""
    ownable._check_owner()
    assert recipient != empty(address), "Zero address not allowed"
    self.feeRecipient = recipient
    log FeeRecipientSet(feeRecipient=recipient)


@external
def setMinFee(parts: uint256):
    """The least fee that a burn must allow, in ten millionths of its amount; owner only."""
    ownable._check_owner()
    assert parts < FEE_PARTS, "Min fee too high"
    self.minFee = parts
    log MinFeeSet(minFee=parts)


@internal
@view
def _min_fee_amount(amount: uint256) -> uint256:
    """At least one unit where there is a fee at all."""
    if self.minFee == 0:
        return 0
    return max(amount * self.minFee // FEE_PARTS, 1)


@external
@view
def getMinFeeAmount(amount: uint256) -> uint256:
    return self._min_fee_amount(amount)


@external
def depositForBurn(
    amount: uint256,
    destinationDomain: uint32,
    mintRecipient: bytes32,
    burnToken: address,
    destinationCaller: bytes32,
    maxFee: uint256,
    minFinalityThreshold: uint32,
):
    """Burns the sender's tokens; a zero `destinationCaller` lets anyone deliver the mint."""
    assert maxFee < amount, "Max fee must be less than amount"
    assert maxFee >= self._min_fee_amount(amount), "Insufficient max fee"
    messenger: bytes32 = token_minter._burn(amount, destinationDomain, mintRecipient, burnToken)
    extcall MessageTransmitter(token_minter.MESSAGE_TRANSMITTER).sendMessage(
        destinationDomain,
        messenger,
        destinationCaller,
        minFinalityThreshold,
        concat(
            convert(messageBodyVersion, bytes4),
            convert(burnToken, bytes32),
            mintRecipient,
            convert(amount, bytes32),
            convert(msg.sender, bytes32),
            convert(maxFee, bytes32),
            empty(bytes32),
            empty(bytes32),
        ),
    )
    log DepositForBurn(
        burnToken=burnToken,
        amount=amount,
        depositor=msg.sender,
        mintRecipient=mintRecipient,
        destinationDomain=destinationDomain,
        destinationTokenMessenger=messenger,
        destinationCaller=destinationCaller,
        maxFee=maxFee,
        minFinalityThreshold=minFinalityThreshold,
        hookData=b"",
    )


@internal
def _mint(remoteDomain: uint32, sender: bytes32, messageBody: Bytes[MAX_BODY]):
    token_minter._check_remote(remoteDomain, sender)
    assert len(messageBody) >= BODY_BYTES, "Invalid burn message: too short"
    assert convert(slice(messageBody, 0, 4), uint256) == convert(
        messageBodyVersion, uint256
    ), "Invalid message body version"
    expiry: uint256 = extract32(messageBody, 196, output_type=uint256)
    assert expiry == 0 or expiry > block.number, "Message expired and must be re-signed"
    token: address = token_minter._local_token(remoteDomain, extract32(messageBody, 4))
    recipient: address = convert(convert(extract32(messageBody, 36), uint256), address)
    amount: uint256 = extract32(messageBody, 68, output_type=uint256)
    fee: uint256 = extract32(messageBody, 164, output_type=uint256)
    assert fee == 0 or fee < amount, "Fee equals or exceeds amount"
    assert fee <= extract32(messageBody, 132, output_type=uint256), "Fee exceeds max fee"
    extcall token_minter.Token(token).mint(recipient, amount - fee)
    if fee != 0:
        extcall token_minter.Token(token).mint(self.feeRecipient, fee)
    log MintAndWithdraw(mintRecipient=recipient, amount=amount - fee, mintToken=token, feeCollected=fee)


@external
def handleReceiveFinalizedMessage(
    remoteDomain: uint32, sender: bytes32, finalityThresholdExecuted: uint32, messageBody: Bytes[MAX_BODY]
) -> bool:
    """Mints what a believed messenger says was burned; for the local transmitter only."""
    assert finalityThresholdExecuted >= FINALIZED, "Unsupported finality threshold"
    self._mint(remoteDomain, sender, messageBody)
    return True


@external
def handleReceiveUnfinalizedMessage(
    remoteDomain: uint32, sender: bytes32, finalityThresholdExecuted: uint32, messageBody: Bytes[MAX_BODY]
) -> bool:
    """The same for a burn that is not final yet, down to a threshold."""
    assert finalityThresholdExecuted >= LEAST_FINALITY, "Unsupported finality threshold"
    self._mint(remoteDomain, sender, messageBody)
    return True
