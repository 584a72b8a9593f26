# pragma version 0.4.3
# An example application: two of these, on two chains, answer each other's message for ever, each from its own funds. It
# shows the whole way of a message in both directions, and keeps a lane busy.

from modules import application
from modules import ownable_2step as ownable
from modules import safe_erc20

initializes: ownable
initializes: application
exports: (ownable.__interface__, application.__interface__)

event Ping:
    pingPongCount: uint256

event Pong:
    pingPongCount: uint256

event OutOfOrderExecutionChange:
    isOutOfOrder: bool

# Gas for the counterpart to receive and to answer.
ANSWER_GAS: constant(uint256) = 600_000

FEE_TOKEN: immutable(address)

_counterpartChainSelector: uint64
_counterpartAddress: address
_paused: bool
_outOfOrder: bool


@deploy
def __init__(router: address, feeToken: address):
    """Fees are paid from this contract's balance of `feeToken`, or of native coins where that is zero."""
    ownable.__init__()
    application.__init__(router)
    FEE_TOKEN = feeToken
    if feeToken != empty(address):
        safe_erc20._approve(feeToken, router, max_value(uint256))


@external
@payable
def __default__():
    """Takes native coins for fees; no unknown function is."""
    assert len(msg.data) == 0


@external
@pure
def typeAndVersion() -> String[32]:
    return "PingPongDemo 1.6.0"


@external
def setCounterpart(counterpartChainSelector: uint64, counterpartAddress: address):
    ownable._check_owner()
    self._counterpartChainSelector = counterpartChainSelector
    self._counterpartAddress = counterpartAddress


@external
def startPingPong():
    """Sends the first ball; owner only."""
    ownable._check_owner()
    self._paused = False
    self._respond(1)


@internal
def _respond(count: uint256):
    if count & 1 == 1:
        log Ping(pingPongCount=count)
    else:
        log Pong(pingPongCount=count)
    message: application.EVM2AnyMessage = application.EVM2AnyMessage(
        receiver=abi_encode(self._counterpartAddress),
        data=abi_encode(count),
        tokenAmounts=[],
        feeToken=FEE_TOKEN,
        extraArgs=application._extra_args(ANSWER_GAS, self._outOfOrder),
    )
    router: application.Router = application.Router(application.ROUTER)
    dest: uint64 = self._counterpartChainSelector
    fee: uint256 = 0
    if FEE_TOKEN == empty(address):
        fee = staticcall router.getFee(dest, message)
    extcall router.ccipSend(dest, message, value=fee)


@external
def ccipReceive(message: application.Any2EVMMessage):
    """Answers the counterpart; others are refused, and nobody is while paused."""
    application._check_router()
    assert message.sourceChainSelector == self._counterpartChainSelector, "Not the counterpart's chain"
    assert abi_decode(message.sender, address) == self._counterpartAddress, "Not the counterpart"
    count: uint256 = abi_decode(message.data, uint256)
    if not self._paused:
        self._respond(count + 1)


@external
@view
def getCounterpartChainSelector() -> uint64:
    return self._counterpartChainSelector


@external
def setCounterpartChainSelector(chainSelector: uint64):
    ownable._check_owner()
    self._counterpartChainSelector = chainSelector


@external
@view
def getCounterpartAddress() -> address:
    return self._counterpartAddress


@external
def setCounterpartAddress(addr: address):
    ownable._check_owner()
    self._counterpartAddress = addr


@external
@view
def getFeeToken() -> address:
    return FEE_TOKEN


@external
@view
def isPaused() -> bool:
    return self._paused


@external
def setPaused(pause: bool):
    """A paused player keeps the ball: the game ends until it is started again."""
    ownable._check_owner()
    self._paused = pause


@external
@view
def getOutOfOrderExecution() -> bool:
    return self._outOfOrder


@external
def setOutOfOrderExecution(outOfOrderExecution: bool):
    ownable._check_owner()
    self._outOfOrder = outOfOrderExecution
    log OutOfOrderExecutionChange(isOutOfOrder=outOfOrderExecution)
