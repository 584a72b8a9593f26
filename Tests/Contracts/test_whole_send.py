"""Sending through the real contracts only, fee quoter, pools and risk management included, and what it costs."""

import unittest

from eth_abi import decode, encode

from chain import OWNER, ZERO, artifact, error, selector
from lane import DEST, SENDER, SOURCE, Lane, message
from test_sending import MESSAGE_TYPE, Case, reference_id

REMOTE = encode(["address"], ["0x" + "00" * 18 + "d00d"])
EVM_FAMILY = bytes.fromhex("2812d52c")
DEST_CONFIG = (
    True, 3, 30_000, 3_000_000, 225_000, 16, 40, 3000, 0, 0, 0, EVM_FAMILY, False, 25, 90_000, 200_000,
    11 * 10**17, 90_000, 10,
)
OUT_OF_ORDER = bytes.fromhex("181dcf10") + encode(["uint256", "bool"], [100_000, True])
# Gas of a whole transaction: what it took when this was written, and about a tenth.
GAS_LIMITS = {
    "data": 165_000,
    "data again": 147_000,
    "in order": 178_000,
    "one token": 233_000,
    "30 kB": 1_200_000,
    "three tokens": 350_000,
}


class WholeSend(Case):
    def setUp(self):
        self.lane = Lane()
        lane, chain = self.lane, self.lane.chain
        rmn = chain.deploy(artifact("rmn_remote"), SOURCE, ZERO)
        self.proxy = chain.deploy(artifact("arm_proxy"), rmn.address)
        self.rmn = rmn
        link = chain.deploy(artifact("burn_mint_erc20"), "Link", "LINK", 18, 0, 10**24, SENDER)
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
        self.router.send("applyRampUpdates", [(DEST, self.on_ramp.address)], [], [])
        self.token = chain.deploy(artifact("burn_mint_erc20"), "Test", "TST", 18, 0, 10**24, SENDER)
        self.pool = chain.deploy(
            artifact("burn_mint_token_pool"), self.token.address, 18, [], self.proxy.address, self.router.address
        )
        off = (False, 0, 0)
        self.pool.send("applyChainUpdates", [], [(DEST, [REMOTE], REMOTE, off, off)])
        self.token.send("grantMintAndBurnRoles", self.pool.address, sender=self.token.call("owner"))
        self.token.send("approve", self.router.address, 2**256 - 1, sender=SENDER)
        lane.list_token(self.token.address, self.pool.address)

    def send(self, name, sent):
        fee = self.router.call("getFee", DEST, sent, sender=SENDER)
        self.refuses(
            error("InsufficientFeeTokenAmount()"),
            self.router.send, "ccipSend", DEST, sent, sender=SENDER, value=fee - 1,
        )
        result = self.router.send("ccipSend", DEST, sent, sender=SENDER, value=fee)
        address, _, data = result.logs[-1]
        self.assertEqual(address, self.on_ramp.address)
        self.assertEqual(reference_id(data, self.on_ramp.address), result.output)
        print(f"gas of ccipSend, {name}: {result.total} (the call alone {result.gas})")
        self.assertLess(result.total, GAS_LIMITS[name])
        return decode([MESSAGE_TYPE], data)[0]

    def test_sends(self):
        receiver = encode(["address"], [SENDER])
        hello = message(receiver, b"hello", extra_args=OUT_OF_ORDER)
        for number, name in enumerate(["data", "data again"]):
            found = self.send(name, hello)
            self.assertEqual((found[0][3:5], found[2:5]), ((number + 1, 0), (b"hello", receiver, OUT_OF_ORDER)))
            # Native fees convert at 4000 to 20 dollars.
            self.assertEqual(found[7], found[6] * 200)
        found = self.send("in order", message(receiver, b"hello"))
        self.assertEqual(found[0][4], 1)
        found = self.send("one token", message(receiver, b"", [(self.token.address, 5)], extra_args=OUT_OF_ORDER))
        decimals = encode(["uint8"], [18])
        gas = encode(["uint32"], [90_000])
        self.assertEqual(found[8], ((self.pool.address.lower(), REMOTE, decimals, 5, gas),))
        self.assertEqual(self.token.call("totalSupply"), 10**24 - 5)
        self.send("30 kB", message(receiver, b"\x07" * 30_000, extra_args=OUT_OF_ORDER))
        self.refuses(
            error("MessageTooLarge(uint256,uint256)", 30_000, 30_001),
            self.router.call, "getFee", DEST, message(receiver, bytes(30_001)),
        )
        three = [(self.token.address, 1)] * 3
        found = self.send("three tokens", message(receiver, b"hello", three))
        self.assertEqual(found[8], ((self.pool.address.lower(), REMOTE, decimals, 1, gas),) * 3)
        self.assertEqual(self.token.call("totalSupply"), 10**24 - 8)
        self.refuses(
            error("UnsupportedNumberOfTokens(uint256,uint256)", 4, 3),
            self.router.call, "getFee", DEST, message(receiver, b"", [*three, three[0]]),
        )

    def test_curse_stops_the_lane(self):
        sent = message(encode(["address"], [SENDER]), b"hello")
        subject = bytes(8) + DEST.to_bytes(8, "big")
        self.rmn.raw(selector("curse(bytes16)") + encode(["bytes16"], [subject]))
        self.refuses(error("CursedByRMN(uint64)", DEST), self.router.call, "getFee", DEST, sent)


if __name__ == "__main__":
    unittest.main()
