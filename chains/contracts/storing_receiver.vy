# pragma version 0.4.3
# An example CCIP receiver: keeps the last message its router delivered, counts them, and reports each in an event. It
# holds tokens but never moves them.

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


@deploy
def __init__(router: address):
    inbox.__init__(router)


@external
def __default__():
    """ccipReceive: keeps the message; only the router may call."""
    inbox._keep(inbox._arrived())
