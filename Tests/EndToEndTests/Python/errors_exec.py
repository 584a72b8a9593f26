"""Everything that can be wrong with an execution by hand: one message, committed by oracles of the test's own, failing
in every way.

What lives here: the message and its root, and the table: (errors from the outermost to the innermost, what is changed
at the destination, words, exit code).
"""

from eth_account import Account
from eth_utils import keccak, to_checksum_address
from errors_network import ZERO, selector, stand_in, thrown, word
from foreign_proofs import leaf

REFUSED, FAILED = 1, 4
SECRETS = [keccak(text=f"errors signer {i}") for i in range(4)]
SIGNERS = [Account.from_key(secret).address for secret in SECRETS]
# Accounts in whose name the test sends without their keys.
TRANSMITTERS = [to_checksum_address(keccak(text=f"errors transmitter {i}")[12:]) for i in range(4)]
STRANGER = "0x00000000000000000000000000000000000A11CE"
WAIT = 10**6


class Message:
    """One message with data and a token from `here` to `there`; committed when `commit` is called."""

    def __init__(self, network, here, there, symbol):
        self.here, self.there, self.symbol = here, there, symbol
        sent = network.good(
            "send", here.name, there.name, "--text", "x", "--token", f"{symbol}=1", "--gas-limit", 300_000)
        self.id = sent["messages"][0]["messageId"]
        events = here.contract("onRamp").events("CCIPMessageSent")
        [self.message] = [m for _, _, (m,) in events if "0x" + m[0][0].hex() == self.id]
        self.token_gas = int.from_bytes(self.message[8][0][4], "big")

    def commit(self):
        from reference import commit_report, signed
        digests = [bytes.fromhex("000a") + keccak(text=f"errors {plugin}")[2:] for plugin in (0, 1)]
        there, number = self.there, self.message[0][3]
        there.do("offRamp", "setOCR3Configs", [
            (digests[0], 0, 1, True, SIGNERS, TRANSMITTERS), (digests[1], 1, 1, False, [], TRANSMITTERS)])
        there.node.rpc("anvil_setBalance", TRANSMITTERS[0], hex(10**20))
        ramp = self.here.at["onRamp"]
        report = commit_report([(self.here.selector, word(ramp), number, number, leaf(self.message, ramp))])
        context = [digests[0], (1).to_bytes(32, "big")]
        there.do("offRamp", "commit", context, report, *signed(report, context, SECRETS[:2]), sender=TRANSMITTERS[0])

    def report(self):
        """As manuallyExecute takes it."""
        from reference import padded
        header, sender, data, receiver, _, _, _, _, transfers = self.message
        tokens = [(padded(pool), "0x" + token[-20:].hex(), int.from_bytes(gas, "big"), pool_data, amount)
                  for pool, token, pool_data, amount, gas in transfers]
        converted = (header, padded(sender), data, "0x" + receiver[-20:].hex(), 300_000, tokens)
        return (self.here.selector, [converted], [[b""]], [], 0)


def rows_before(message):
    """While the relayers have time. Each is refused before it is sent."""
    return [
        ("ManualExecutionNotYetEnabled", lambda: None, [], REFUSED),
    ]


def rows_once(message):
    """The first attempt of all: it is sent, and fails."""
    there = message.there
    return [
        (["ReceiverError", "Error"],
         lambda: there.put("receiver", stand_in({}, (False, thrown("Error(string)", "no")))), [], FAILED),
    ]


def rows(message):
    """After an attempt that failed, with all well but for what is changed."""
    here, there, symbol = message.here, message.there, message.symbol
    token, pool = there.at[symbol], f"{symbol} pool"
    receiver = lambda data: lambda: there.put("receiver", stand_in({}, (False, data)))
    balance, mint = selector("balanceOf(address)"), selector("mint(address,uint256)")

    def interceptor():
        there.deploy("interceptor", "weth9")
        there.put("interceptor", stand_in({}, (False, thrown("Error(string)", "intercepted"))))
        quoter, threshold, _ = there.call("offRamp", "getDynamicConfig")
        there.do("offRamp", "setDynamicConfig", (quoter, threshold, there.at["interceptor"]))

    def source(enabled):
        router, _, _, unblessed, on_ramp = there.call("offRamp", "getSourceChainConfig", here.selector)
        there.do("offRamp", "applySourceChainConfigUpdates", [(router, here.selector, enabled, unblessed, on_ramp)])

    def inbound(*limits):
        for each in limits:
            there.do(pool, "setChainRateLimiterConfig", here.selector, (False, 0, 0), (True, *each))

    handling = ["ExecutionError", "TokenHandlingError"]
    return [
        # The receiver
        (["ExecutionError", "ReceiverError"], receiver(b""), [], FAILED),
        (["ExecutionError", "ReceiverError", "Error"], receiver(thrown("Error(string)", "no")), [], FAILED),
        (["ExecutionError", "ReceiverError", "Panic"], receiver(thrown("Panic(uint256)", 0x11)), [], FAILED),
        (["ExecutionError", "MessageValidationError", "Error"], interceptor, [], FAILED),
        # The token and its pool
        ([*handling, "SenderNotMinter"], lambda: there.do(symbol, "revokeMintRole", there.at[pool]), [], FAILED),
        ([*handling, "InvalidSourcePoolAddress"], lambda: there.do(
            pool, "removeRemotePool", here.selector, word(here.at[pool])), [], FAILED),
        ([*handling, "ChainNotAllowed"], lambda: there.do(pool, "applyChainUpdates", [here.selector], []), [], FAILED),
        ([*handling, "TokenMaxCapacityExceeded"], lambda: inbound((5, 1)), [], FAILED),
        ([*handling, "TokenRateLimitReached"], lambda: inbound((5, 1), (10**30, 1)), [], FAILED),
        ([*handling, "ERC20InvalidReceiver"], lambda: there.put(symbol, stand_in({
            balance: (True, bytes(32)),
            mint: (False, thrown("ERC20InvalidReceiver(address)", STRANGER))})), [], FAILED),
        (["ExecutionError", "NotACompatiblePool"],
         lambda: there.do("tokenAdminRegistry", "setPool", token, ZERO), [], FAILED),
        (["ExecutionError", "ReleaseOrMintBalanceMismatch"], lambda: there.put(symbol, stand_in({
            balance: (True, bytes(32))})), [], FAILED),
        (["ExecutionError", "NoContract"], lambda: there.put(symbol, b""), [], FAILED),
        # The lane
        ("CursedByRMN(uint64)", lambda: there.curse(here), [], REFUSED),
        ("SourceChainNotEnabled", lambda: source(False), [], REFUSED),
        # Gas
        ("InvalidManualExecutionGasLimit", lambda: None, ["--gas-limit", "1"], REFUSED),
        ("InvalidManualExecutionTokenGasOverride", lambda: None, ["--token-gas", "1"], REFUSED),
        ("ManualExecutionGasAmountCountMismatch", lambda: None, ["--token-gas", "0,0"], REFUSED),
    ]
