"""What is sent in an acceptance run, and how each message should end.

What lives here: kinds of messages and their expected outcomes. Whether they came true is foreign_run.py.
"""

import dataclasses

from eth_abi import encode
from foreign_client import ZERO, Contract, Sender, topic, word
from foreign_deploy import address, key

SUCCESS, FAILURE = 2, 3
V1, V2 = bytes.fromhex("97a657c9"), bytes.fromhex("181dcf10")


def version_1(gas):
    return V1 + encode(["uint256"], [gas])


def version_2(gas, out_of_order):
    return V2 + encode(["uint256", "bool"], [gas, out_of_order])


@dataclasses.dataclass
class Kind:
    name: str
    receiver: str  # receiver, reverting, or account
    data: bytes = b""
    token: str | None = None
    extra: bytes = b""
    state: int = SUCCESS
    user: int = 0
    # The receiver counts it.
    counted: bool = True

    @property
    def is_ordered(self):
        """Out of order is allowed by version 2 alone."""
        return self.extra[:4] != V2 or self.extra[-1] == 0


def kinds():
    """The messages of one lane, in the order of sending."""
    free = version_2(600_000, True)
    return [
        Kind("data", "receiver", b"hello", extra=free),
        Kind("burnt token", "account", token="burn", extra=version_2(0, True), counted=False),
        Kind("locked token", "account", token="lock", extra=version_2(0, True), counted=False),
        Kind("ordered 1", "receiver", b"first", extra=version_2(600_000, False), user=1),
        Kind("ordered 2, fails", "reverting", b"second", extra=version_2(600_000, False), user=1, state=FAILURE),
        Kind("ordered 3", "receiver", b"third", extra=version_2(600_000, False), user=1),
        Kind("extra args 1", "receiver", b"version 1", extra=version_1(500_000), user=2),
        Kind("no extra args", "account", b"", extra=b"", user=2, counted=False),
        Kind("reverts", "reverting", b"no", extra=free, state=FAILURE),
        Kind("too little gas", "receiver", b"short of gas", extra=version_2(9_000, True), state=FAILURE),
        Kind("account", "account", b"nobody reads this", extra=free, counted=False),
        Kind("long data", "receiver", bytes(range(1, 201)) * 6, extra=version_2(2_500_000, True)),
        Kind("20 kB to account", "account", bytes(range(1, 251)) * 80, extra=version_2(50_000, True), counted=False),
        Kind("data and token", "receiver", b"with a token", token="lock", extra=version_2(700_000, True)),
    ]


@dataclasses.dataclass
class Sent:
    """A message on its way. The sequence number and the rest come from the source's log."""

    kind: Kind
    source: object
    destination: object
    sender: str
    transaction: str
    account: str
    number: int = 0
    nonce: int = 0
    identity: bytes = b""


class Users:
    """The accounts that send, one of each for each chain."""

    def __init__(self, chains, keys):
        self.keys = keys
        self.senders = {(c.index, i): Sender(c.node, k) for c in chains for i, k in enumerate(keys.users)}
        self.count = 0

    def approve(self, chains):
        for chain in chains:
            hashes = [
                self.senders[chain.index, i].send(
                    chain.at[token], chain.contract(token).data("approve", chain.at["router"], 2**256 - 1), gas=200_000)
                for i in range(len(self.keys.users)) for token in ("burn", "lock")]
            chain.node.wait(hashes)

    def send(self, source, destination, kind):
        """Hands one message to the source's Router."""
        self.count += 1
        user = self.senders[source.index, kind.user]
        fresh = address(key("account", self.count))
        receiver = destination.at.get(kind.receiver, fresh)
        # Whole units in both chains' decimals.
        tokens = [(source.at[kind.token], 2 * 10 ** source.decimals[kind.token])] if kind.token else []
        message = (word(receiver), kind.data, tokens, ZERO, kind.extra)
        router = source.contract("router")
        fee = router.call("getFee", destination.selector, message)
        transaction = user.send(
            router.address, router.data("ccipSend", destination.selector, message), value=fee * 2, gas=4_000_000)
        return Sent(kind, source, destination, user.address, transaction, receiver)

    @staticmethod
    def number(sent):
        """Fills in what the source's logs say of the messages."""
        for message in sent:
            (receipt,) = message.source.node.wait([message.transaction])
            ramp = message.source.contract("onRamp")
            entry = ramp.entry("event", "CCIPMessageSent")
            logs = [l for l in receipt["logs"] if l["topics"][0] == "0x" + topic(entry).hex()]
            if receipt["status"] != "0x1" or len(logs) != 1:
                raise RuntimeError(f"{message.kind.name}: the Router refused {message.transaction}")
            (_, message.number), (whole,) = Contract.decoded(entry, logs[0])
            message.identity, message.nonce = whole[0][0], whole[0][4]
