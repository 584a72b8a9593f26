"""The sending half of a lane with the real contracts only, and delivery through its own router, so that applications
can stand on both ends of one chain.

What lives here: wiring, and turning logged messages into deliveries. What is expected of it is in the tests.
"""

from eth_abi import decode, encode
from eth_utils import keccak, to_checksum_address

from chain import OWNER, ZERO, artifact
from lane import DEST, SENDER, SOURCE, Lane

REMOTE = encode(["address"], ["0x" + "00" * 18 + "d00d"])
EVM_FAMILY = bytes.fromhex("2812d52c")
DEST_CONFIG = (
    True, 3, 30_000, 3_000_000, 225_000, 16, 40, 3000, 0, 0, 0, EVM_FAMILY, False, 25, 90_000, 200_000,
    11 * 10**17, 90_000, 10,
)
OFF_RAMP = to_checksum_address(b"\x0f" * 20)
NO_LIMIT = (False, 0, 0)
SENT = keccak(
    text="CCIPMessageSent(uint64,uint64,((bytes32,uint64,uint64,uint64,uint64),address,bytes,bytes,bytes,address,"
    "uint256,uint256,(address,bytes,bytes,uint256,bytes)[]))"
)
SENT_TYPE = (
    "((bytes32,uint64,uint64,uint64,uint64),address,bytes,bytes,bytes,address,uint256,uint256,"
    "(address,bytes,bytes,uint256,bytes)[])"
)


class WholeLane:
    def __init__(self):
        self.lane = lane = Lane()
        self.chain = chain = lane.chain
        self.rmn = chain.deploy(artifact("rmn_remote"), SOURCE, ZERO)
        self.proxy = chain.deploy(artifact("arm_proxy"), self.rmn.address)
        self.link = link = chain.deploy(artifact("burn_mint_erc20"), "Link", "LINK", 18, 0, 10**24, SENDER)
        self.wrapped = lane.wrapped
        native = lane.wrapped.address
        self.quoter = chain.deploy(
            artifact("fee_quoter"),
            (200 * 10**18, link.address, 86_400),
            [OWNER], [link.address, native], [], [],
            [(link.address, 9 * 10**17), (native, 10**18)],
            [(DEST, DEST_CONFIG)],
        )
        self.quoter.send(
            "updatePrices", ([(link.address, 20 * 10**18), (native, 4000 * 10**18)], [(DEST, 4 * 10**12)])
        )
        self.router = chain.deploy(artifact("router"), native, self.proxy.address)
        self.on_ramp = chain.deploy(
            artifact("on_ramp"),
            (SOURCE, self.proxy.address, lane.nonces.address, lane.registry.address),
            (self.quoter.address, False, ZERO, OWNER, ZERO),
            [(DEST, self.router.address, False)],
        )
        lane.nonces.send("applyAuthorizedCallerUpdates", ([self.on_ramp.address], []))
        self.router.send("applyRampUpdates", [(DEST, self.on_ramp.address)], [], [(DEST, OFF_RAMP)])

    def add_token(self):
        """A token that leaves by burning, and its pool."""
        token = self.chain.deploy(artifact("burn_mint_erc20"), "Test", "TST", 18, 0, 10**24, SENDER)
        pool = self.chain.deploy(
            artifact("burn_mint_token_pool"), token.address, 18, [], self.proxy.address, self.router.address
        )
        pool.send("applyChainUpdates", [], [(DEST, [REMOTE], REMOTE, NO_LIMIT, NO_LIMIT)])
        token.send("grantMintAndBurnRoles", pool.address, sender=token.call("owner"))
        token.send("approve", self.router.address, 2**256 - 1, sender=SENDER)
        self.lane.list_token(token.address, pool.address)
        return token, pool

    def sent(self, result):
        """The message that a transaction sent, if it sent one."""
        for address, topics, data in result.logs:
            if address == self.on_ramp.address and topics[0] == SENT:
                return decode([SENT_TYPE], data)[0]
        return None

    def deliver(self, message, tokens=(), gas=None):
        """Hands a sent message to its receiver on this very chain, as coming from where it went to."""
        header, sender, data, receiver, extra = message[:5]
        arriving = (header[0], DEST, encode(["address"], [sender]), data, list(tokens))
        gas = gas if gas is not None else int.from_bytes(extra[4:36], "big")
        result = self.router.send(
            "routeMessage", arriving, 5000, gas, to_checksum_address(receiver[12:]), sender=OFF_RAMP
        )
        ok, answer, used = self.router.decoded("routeMessage", result.output)
        return ok, answer, result
