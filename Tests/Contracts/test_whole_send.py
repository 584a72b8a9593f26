"""Sending through the real contracts only, fee quoter, pools and risk management included, and what it costs."""

import unittest

from eth_abi import decode, encode

from chain import error, selector
from harness import Case, on_every_machine
from lane import DEST, SENDER, message
from reference import MESSAGE_SENT_TYPE, message_id
from whole import REMOTE, WholeLane

OUT_OF_ORDER = bytes.fromhex("181dcf10") + encode(["uint256", "bool"], [100_000, True])
# Gas of a whole transaction: what it took when this was written, and about a tenth.
GAS_LIMITS = {
    "data": 165_000,
    "data again": 147_000,
    "in order": 178_000,
    "one token": 233_000,
    # What 30 kB of call data cost at least (EIP-7623), whatever is done with them.
    "30 kB": 1_240_000,
    "three tokens": 350_000,
}


@on_every_machine
class WholeSend(Case):
    def setUp(self):
        whole = WholeLane()
        self.lane, self.rmn, self.router, self.on_ramp = whole.lane, whole.rmn, whole.router, whole.on_ramp
        self.token, self.pool = whole.add_token()

    def send(self, name, sent):
        fee = self.router.call("getFee", DEST, sent, sender=SENDER)
        self.refuses(
            error("InsufficientFeeTokenAmount()"),
            self.router.send, "ccipSend", DEST, sent, sender=SENDER, value=fee - 1,
        )
        result = self.router.send("ccipSend", DEST, sent, sender=SENDER, value=fee)
        address, _, data = result.logs[-1]
        self.assertEqual(address, self.on_ramp.address)
        self.assertEqual(message_id(data, self.on_ramp.address), result.output)
        print(f"gas of ccipSend, {name}: {result.total} (the call alone {result.gas})")
        self.assertLess(result.total, GAS_LIMITS[name])
        return decode([MESSAGE_SENT_TYPE], data)[0]

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
