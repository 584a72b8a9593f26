# pragma version 0.4.3
# An example application: receives tokens for others and never fails as a delivery. What cannot be processed is kept
# with its tokens, and can be tried again by anyone or claimed by whom it was meant for.
#
# A message's data is the beneficiary's address, as one word. Only the hash of a failed message is stored: whoever tries
# or claims it brings the message, which its event and the router's call data hold.

from modules import application
from modules import ownable_2step as ownable
from modules import refusal
from modules import safe_erc20

initializes: ownable
initializes: application
exports: (ownable.__interface__, application.__interface__)

event MessageReceived:
    messageId: indexed(bytes32)
    beneficiary: indexed(address)

event MessageFailed:
    messageId: indexed(bytes32)
    reason: Bytes[MAX_REASON]

event MessageRecovered:
    messageId: indexed(bytes32)
    recipient: indexed(address)

# Most revert data that is reported.
MAX_REASON: constant(uint256) = 256
# Gas that a try leaves over, however it ends: enough to keep the message.
KEEP_GAS: constant(uint256) = 60_000

# message -> hash of its encoding while it has failed
_failed: HashMap[bytes32, bytes32]
_refusing: bool
_trusted: HashMap[uint64, HashMap[bytes32, bool]]


@deploy
def __init__(router: address):
    ownable.__init__()
    application.__init__(router)


@external
def setTrustedSender(sourceChainSelector: uint64, sender: Bytes[64], trusted: bool):
    """Whose messages are processed; those of all others fail and are kept. Owner only."""
    ownable._check_owner()
    self._trusted[sourceChainSelector][keccak256(sender)] = trusted


@external
def setRefusing(refusing: bool):
    """Stops processing: what arrives is kept. Owner only."""
    ownable._check_owner()
    self._refusing = refusing


@external
@view
def isFailed(messageId: bytes32) -> bool:
    return self._failed[messageId] != empty(bytes32)


@internal
@pure
def _hash(message: application.Any2EVMMessage) -> bytes32:
    return keccak256(abi_encode(message))


@external
def ccipReceive(message: application.Any2EVMMessage):
    """Tries the message in a call of its own, so that a failure undoes nothing but itself."""
    application._check_router()
    assert msg.gas > KEEP_GAS, "Too little gas to keep a message"
    ok: bool = False
    reason: Bytes[MAX_REASON] = b""
    ok, reason = raw_call(
        self,
        abi_encode(
            message,
            method_id=method_id("processMessage((bytes32,uint64,bytes,bytes,(address,uint256)[]))"),
        ),
        max_outsize=MAX_REASON,
        gas=msg.gas - KEEP_GAS,
        revert_on_failure=False,
    )
    if ok:
        return
    self._failed[message.messageId] = self._hash(message)
    log MessageFailed(messageId=message.messageId, reason=reason)


@external
def processMessage(message: application.Any2EVMMessage):
    """Pays the tokens to the beneficiary; for this contract only."""
    if msg.sender != self:
        refusal._plain(convert(method_id("OnlySelf()", output_type=bytes4), uint32))
    self._process(message)


@internal
def _process(message: application.Any2EVMMessage):
    if self._refusing:
        refusal._plain(convert(method_id("Refusing()", output_type=bytes4), uint32))
    if not self._trusted[message.sourceChainSelector][keccak256(message.sender)]:
        raw_revert(
            abi_encode(
                message.sourceChainSelector, message.sender, method_id=method_id("UntrustedSender(uint64,bytes)")
            )
        )
    beneficiary: address = abi_decode(message.data, address)
    self._pay(beneficiary, message)
    log MessageReceived(messageId=message.messageId, beneficiary=beneficiary)


@internal
def _pay(to: address, message: application.Any2EVMMessage):
    for item: application.TokenAmount in message.destTokenAmounts:
        safe_erc20._transfer(item.token, to, item.amount)


@internal
def _take(message: application.Any2EVMMessage):
    """Ends the failure of a message: its tokens leave once."""
    if self._failed[message.messageId] != self._hash(message):
        refusal._one(
            convert(method_id("MessageNotFailed(bytes32)", output_type=bytes4), uint32),
            convert(message.messageId, uint256),
        )
    self._failed[message.messageId] = empty(bytes32)


@external
def retryFailedMessage(message: application.Any2EVMMessage):
    """Processes a failed message again; anyone may ask for it."""
    self._take(message)
    self._process(message)
    log MessageRecovered(messageId=message.messageId, recipient=abi_decode(message.data, address))


@external
def claimFailedMessage(message: application.Any2EVMMessage, to: address):
    """
    Pays out the tokens of a failed message without processing it: for its beneficiary, and for the owner where the data
    names none.
    """
    claimant: address = ownable._owner
    if len(message.data) == 32:
        word: uint256 = extract32(message.data, 0, output_type=uint256)
        if word != 0 and word >> 160 == 0:
            claimant = convert(word, address)
    if msg.sender != claimant:
        refusal._one(
            convert(method_id("OnlyClaimant(address)", output_type=bytes4), uint32), convert(claimant, uint256)
        )
    self._take(message)
    self._pay(to, message)
    log MessageRecovered(messageId=message.messageId, recipient=to)
