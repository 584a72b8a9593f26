# pragma version 0.4.3
# An example CCIP receiver that refuses every message until its owner mends it; then it behaves as storing_receiver.
# For rehearsing a FAILURE on the off-ramp and the manual execution that cures it. It never moves the tokens it gets.

from modules import inbox

initializes: inbox
exports: (
    inbox.supportsInterface,
    inbox.getRouter,
    inbox.count,
    inbox.lastMessageId,
    inbox.lastSourceChainSelector,
    inbox.lastTokenCount,
    inbox.lastDataLength,
    inbox.lastSender,
    inbox.lastData,
)

event RevertingSet:
    reverting: bool

# Whether messages are refused. A new receiver refuses.
reverting: public(bool)
owner: public(address)


@deploy
def __init__(router: address):
    inbox.__init__(router)
    self.owner = msg.sender
    self.reverting = True


@external
def __default__():
    """ccipReceive: keeps the message, unless messages are refused; only the router may call."""
    head: uint256[6] = inbox._arrived()
    if self.reverting:
        raw_revert(abi_encode(head[1], method_id=method_id("ReceiverOutOfOrder(bytes32)")))
    inbox._keep(head)


@external
def setReverting(reverting: bool):
    """Breaks or mends the receiver; owner only."""
    if msg.sender != self.owner:
        raw_revert(method_id("OnlyCallableByOwner()", output_type=Bytes[4]))
    self.reverting = reverting
    log RevertingSet(reverting=reverting)
