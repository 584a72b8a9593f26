"""Messages of every length that takes another way through the off-ramp, the router and a receiver: what arrives is what
was sent, byte for byte, wherever in the call data it lies."""

import unittest

from eth_abi import encode
from eth_utils import keccak

from chain import artifact, error, mock
from destination import Destination, any_message
from gas_table import HERE, ON_RAMP, SOURCE
from harness import Case, on_every_machine
from bridge import USERS
from reference import FAILURE, SUCCESS, leaf, states

# Around words, the two windows of cursor.vy, the router's short call data, and the longest data there is.
LENGTHS = [
    0, 1, 31, 32, 33, 63, 64, 65, 128, 159, 160, 161, 191, 192, 193, 288, 320, 321, 1_000, 1_024, 1_025, 1_600, 1_760,
    1_761, 1_856, 1_857, 1_888, 1_889, 2_015, 2_016, 2_017, 2_048, 2_049, 3_000, 8_000, 32_767, 32_768,
]
EXECUTED = keccak(text="MessageExecuted(bytes32,uint64,address,bytes32)")
DELIVERED = "(bytes32,uint64,bytes,bytes,(address,uint256)[])"


def content(length):
    return bytes((7 * i + i // 256 + 1) % 256 for i in range(length))


@on_every_machine
class Sizes(Case):
    def setUp(self):
        self.lane = Destination(HERE, [(SOURCE, ON_RAMP, True)])
        self.receiver = self.lane.chain.deploy(artifact("storing_receiver"), self.lane.router.address)

    def message(self, number, length, **named):
        return any_message(SOURCE, HERE, number, self.receiver.address, content(length), 3_000_000, **named)

    def arrived(self, result, messages):
        """Every message was executed, and delivered as it should be encoded."""
        self.assertEqual([state[1] for state in states(result)], [SUCCESS] * len(messages))
        self.assertEqual([state[2] for state in states(result)], [leaf(m, ON_RAMP) for m in messages])
        hashes = [data[96:] for _, topics, data in result.logs if topics[0] == EXECUTED]
        call = bytes.fromhex("85572ffb")
        due = [keccak(call + encode([DELIVERED], [(m[0][0], SOURCE, m[1], m[2], [])])) for m in messages]
        self.assertEqual(hashes, due)
        last = messages[-1][2]
        self.assertEqual(self.receiver.call("lastData"), last[:1_024])
        self.assertEqual(self.receiver.call("lastDataLength"), len(last))

    def test_one_by_one(self):
        for number, length in enumerate(LENGTHS, 1):
            with self.subTest(length=length):
                messages = [self.message(number, length)]
                layers = self.lane.commit_messages(messages)
                self.arrived(self.lane.execute(self.lane.report(messages, layers, [0])), messages)

    def test_together(self):
        # Long call data around short messages, and two of the longest: more than is copied at a time.
        for first, lengths in ((1, (5, 2_500, 33, 700, 0)), (6, (32_768, 40, 32_768, 9_000, 1))):
            messages = [self.message(first + i, length) for i, length in enumerate(lengths)]
            layers = self.lane.commit_messages(messages)
            self.arrived(self.lane.execute(self.lane.report(messages, layers, range(len(messages)))), messages)

    def test_by_hand(self):
        for number, length in enumerate((20, 300, 2_500, 30_000), 1):
            messages = [self.message(number, length)]
            layers = self.lane.commit_messages(messages)
            self.lane.chain.timestamp += 5_000
            report = self.lane.report(messages, layers, [0])
            result = self.lane.off_ramp.send("manuallyExecute", [report], [[(4_000_000, [])]], sender=USERS[0])
            self.arrived(result, messages)

    def test_many_tokens(self):
        # Too many to be hashed in a small buffer; none of them has a pool, which is found out only after the proof.
        for number, extra in enumerate((10, 400, 600), 1):
            tokens = [(ON_RAMP, USERS[1], 90_000, content(extra), 5)] * 8
            messages = [any_message(SOURCE, HERE, number, USERS[0], content(100), tokens=tokens)]
            layers = self.lane.commit_messages(messages)
            [(_, state, messageHash, answer, _)] = states(
                self.lane.execute(self.lane.report(messages, layers, [0]))
            )
            self.assertEqual((state, messageHash), (FAILURE, leaf(messages[0], ON_RAMP)))
            self.assertEqual(answer, error("NotACompatiblePool(address)", "0x" + "00" * 20))

    def test_with_an_interceptor(self):
        interceptor = self.lane.chain.deploy(mock("interceptor"))
        self.lane.off_ramp.send("setDynamicConfig", (self.lane.quoter.address, 1_200, interceptor.address))
        for number, length in enumerate((5, 2_500, 32_768), 1):
            messages = [self.message(number, length)]
            layers = self.lane.commit_messages(messages)
            self.arrived(self.lane.execute(self.lane.report(messages, layers, [0])), messages)


if __name__ == "__main__":
    unittest.main()
