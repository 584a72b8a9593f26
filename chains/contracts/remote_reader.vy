# pragma version 0.4.3
# An example application: asks a contract on another chain a question, and gets the answer back in a message of its own.
# The same contract stands on both sides. Whoever asks pays the way there; the way back is paid from the coins that the
# answering side holds.

from modules import application
from modules import ownable_2step as ownable
from modules import refusal

initializes: ownable
initializes: application
exports: (ownable.__interface__, application.__interface__)

struct Answer:
    asked: bool
    answered: bool
    ok: bool
    result: Bytes[MAX_RESULT]

event Asked:
    questionId: indexed(bytes32)
    destChainSelector: indexed(uint64)
    target: address

event Replied:
    questionId: indexed(bytes32)
    replyId: indexed(bytes32)
    ok: bool

event Answered:
    questionId: indexed(bytes32)
    ok: bool
    result: Bytes[MAX_RESULT]

# What the first word of a message's data says it is.
QUESTION: constant(uint256) = 1
REPLY: constant(uint256) = 2
# Longest call asked for, and most of its answer that is sent back.
MAX_CALL: constant(uint256) = 512
MAX_RESULT: constant(uint256) = 512
# Gas for the asker to store an answer, and what the answering side keeps for sending it.
REPLY_GAS: constant(uint256) = 500_000
SEND_GAS: constant(uint256) = 400_000

# chain -> the same application there
peers: public(HashMap[uint64, address])
_answers: HashMap[bytes32, Answer]


@deploy
def __init__(router: address):
    ownable.__init__()
    application.__init__(router)


@external
@payable
def __default__():
    """Takes native coins for replies; no unknown function is."""
    assert len(msg.data) == 0


@external
def setPeer(chainSelector: uint64, peer: address):
    """Owner only."""
    ownable._check_owner()
    self.peers[chainSelector] = peer


@external
def withdraw(to: address, amount: uint256):
    """Takes back coins meant for replies; owner only."""
    ownable._check_owner()
    raw_call(to, b"", value=amount)


@external
@view
def getAnswer(questionId: bytes32) -> Answer:
    return self._answers[questionId]


@internal
@view
def _peer(chainSelector: uint64) -> address:
    peer: address = self.peers[chainSelector]
    if peer == empty(address):
        refusal._one(
            convert(method_id("UnknownPeer(uint64)", output_type=bytes4), uint32), convert(chainSelector, uint256)
        )
    return peer


@internal
@view
def _question(
    destChainSelector: uint64, target: address, payload: Bytes[MAX_CALL], gasLimit: uint256
) -> application.EVM2AnyMessage:
    return application.EVM2AnyMessage(
        receiver=abi_encode(self._peer(destChainSelector)),
        data=abi_encode(QUESTION, target, payload),
        tokenAmounts=[],
        feeToken=empty(address),
        extraArgs=application._extra_args(gasLimit + SEND_GAS, True),
    )


@external
@view
def getFee(destChainSelector: uint64, target: address, payload: Bytes[MAX_CALL], gasLimit: uint256) -> uint256:
    """What asking costs, in native coins."""
    return staticcall application.Router(application.ROUTER).getFee(
        destChainSelector, self._question(destChainSelector, target, payload, gasLimit)
    )


@external
@payable
def ask(destChainSelector: uint64, target: address, payload: Bytes[MAX_CALL], gasLimit: uint256) -> bytes32:
    """Has `target` called there, without effects, with about `gasLimit` gas; returns what the answer will be named."""
    questionId: bytes32 = extcall application.Router(application.ROUTER).ccipSend(
        destChainSelector, self._question(destChainSelector, target, payload, gasLimit), value=msg.value
    )
    self._answers[questionId].asked = True
    log Asked(questionId=questionId, destChainSelector=destChainSelector, target=target)
    return questionId


@external
def ccipReceive(message: application.Any2EVMMessage):
    """Answers the questions of peers, and keeps their replies."""
    application._check_router()
    source: uint64 = message.sourceChainSelector
    if abi_decode(message.sender, address) != self._peer(source):
        raw_revert(abi_encode(source, message.sender, method_id=method_id("UntrustedSender(uint64,bytes)")))
    kind: uint256 = extract32(message.data, 0, output_type=uint256)
    if kind == QUESTION:
        self._reply(source, message.messageId, message.data)
        return
    assert kind == REPLY
    questionId: bytes32 = empty(bytes32)
    ok: bool = False
    result: Bytes[MAX_RESULT] = b""
    kind, questionId, ok, result = abi_decode(message.data, (uint256, bytes32, bool, Bytes[MAX_RESULT]))
    if not self._answers[questionId].asked or self._answers[questionId].answered:
        refusal._one(
            convert(method_id("UnexpectedReply(bytes32)", output_type=bytes4), uint32), convert(questionId, uint256)
        )
    self._answers[questionId] = Answer(asked=True, answered=True, ok=ok, result=result)
    log Answered(questionId=questionId, ok=ok, result=result)


@internal
def _reply(source: uint64, questionId: bytes32, data: Bytes[application.MAX_DATA]):
    """Calls what was asked for, and sends back what came of it: a revert is an answer too."""
    kind: uint256 = 0
    target: address = empty(address)
    payload: Bytes[MAX_CALL] = b""
    kind, target, payload = abi_decode(data, (uint256, address, Bytes[MAX_CALL]))
    ok: bool = False
    result: Bytes[MAX_RESULT] = b""
    # Whatever the target does with its gas, enough is left to send the reply.
    assert msg.gas > SEND_GAS, "Too little gas to reply"
    ok, result = raw_call(
        target,
        payload,
        max_outsize=MAX_RESULT,
        gas=msg.gas - SEND_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    reply: application.EVM2AnyMessage = application.EVM2AnyMessage(
        receiver=abi_encode(self._peer(source)),
        data=abi_encode(REPLY, questionId, ok, result),
        tokenAmounts=[],
        feeToken=empty(address),
        extraArgs=application._extra_args(REPLY_GAS, True),
    )
    router: application.Router = application.Router(application.ROUTER)
    fee: uint256 = staticcall router.getFee(source, reply)
    replyId: bytes32 = extcall router.ccipSend(source, reply, value=fee)
    log Replied(questionId=questionId, replyId=replyId, ok=ok)
