"""One recorded lane, destination side: commit, executions and a manual execution through our contracts only, whose logs
must be the recorded ones. The recorded receivers and one pool of an older version are stand-ins; their logs are left
out, and so is the gas that ExecutionStateChanged reports. Then messages of our own over the same lane, and their cost.
"""

import unittest

from eth_abi import decode, encode
from eth_utils import keccak

from chain import OWNER, PRESENT, mock, vectors
from harness import Case, b, on_every_machine
from recorded import FEE_QUOTER, FICKLE_RECEIVER, GOT_RECEIVER, LOG_TIME, OLD_POOL, TOKENS, Recorded
from reference import STATE_CHANGED, SUCCESS, commit_report, execution_report, leaf, signed

# Gas of a whole transaction.
GAS_LIMITS = {
    "first commit, two prices and a root": 225_000,
    "commit of one root": 150_000,
    "execution of a first message": 250_000,
    "execution of one small message": 250_000,
    "execution of one token": 300_000,
    "execution of 30 kB": 2_000_000,
}


@on_every_machine
class RecordedLane(Case):
    # A chain that is made now cannot go back to the recording: there the price logs tell another time.
    now = PRESENT

    def setUp(self):
        self.lane = lane = Recorded(self.now)
        self.recorded, self.source, self.off_ramp, self.nonces = lane.recorded, lane.source, lane.off_ramp, lane.nonces
        self.fickle = lane.fickle
        self.assertEqual(self.recorded, vectors()["endToEnd"])

    def same_logs(self, result, recorded):
        ours = [self.comparable(*log) for log in result.logs]
        theirs = [
            self.comparable(log["address"], [b(t) for t in log["topics"]], b(log["data"])) for log in recorded
        ]
        ours, theirs = [x for x in ours if x], [x for x in theirs if x]
        self.assertEqual(ours, theirs)
        return len(theirs)

    def comparable(self, address, topics, data):
        if address in (OLD_POOL, GOT_RECEIVER, FICKLE_RECEIVER):
            return None
        if topics[0] == STATE_CHANGED:
            data = data[:96] + data[128:]
        if address == FEE_QUOTER and data[32:] == LOG_TIME.to_bytes(32, "big"):
            data = data[:32] + self.now.to_bytes(32, "big")
        return address, [t.hex() for t in topics], data.hex()

    def test_lane(self):
        recorded, off_ramp = self.recorded, self.off_ramp
        relayer = recorded["ocr"]["transmitters"][0]
        result = off_ramp.raw(b(recorded["commit"]["calldata"]), sender=relayer)
        compared = self.same_logs(result, recorded["commit"]["logs"])
        self.report("first commit, two prices and a root", result)
        for execution in recorded["executions"]:
            result = off_ramp.raw(b(execution["executeCalldata"]), sender=relayer)
            compared += self.same_logs(result, execution["logs"])
        self.fickle.send("refuse", b"")
        result = off_ramp.raw(b(recorded["manualExecution"]["calldata"]), sender=OWNER)
        compared += self.same_logs(result, recorded["manualExecution"]["logs"])
        self.assertEqual(compared, 26)
        states = [str(off_ramp.call("getExecutionState", self.source, n + 1)) for n in range(6)]
        self.assertEqual(states, recorded["finalStates"])
        sender = encode(["address"], [recorded["sourceChain"]["sender"]])
        self.assertEqual(str(self.nonces.call("getInboundNonce", self.source, sender)), recorded["inboundNonce"])

    def report(self, name, result):
        print(f"gas of {name}: {result.total} (the call alone {result.gas})")
        self.assertLess(result.total, GAS_LIMITS[name])

    # Messages of our own.

    def leaf(self, message):
        return leaf(message, encode(["address"], [self.recorded["sourceChain"]["onRamp"]]))

    def commit(self, number, root):
        ocr = self.recorded["ocr"]
        on_ramp = encode(["address"], [self.recorded["sourceChain"]["onRamp"]])
        report = commit_report([(self.source, on_ramp, number, number, root)])
        context = [b(ocr["commitConfigDigest"]), number.to_bytes(32, "big")]
        signatures = signed(report, context, [b(secret) for secret in ocr["signerPrivateKeys"][:2]])
        return self.off_ramp.send("commit", context, report, *signatures, sender=ocr["transmitters"][1])

    def execute(self, number, message):
        ocr = self.recorded["ocr"]
        report = execution_report((self.source, [message], [[b""] * len(message[5])], [], 0))
        context = [b(ocr["execConfigDigest"]), number.to_bytes(32, "big")]
        return self.off_ramp.send("execute", context, report, sender=ocr["transmitters"][2])

    def test_costs(self):
        there = int(self.recorded["destChain"]["selector"])
        sender = encode(["address"], [OWNER])
        first = next(iter(TOKENS))
        pool = next(
            b(t["sourcePoolAddress"]) for m in self.recorded["any2EvmMessages"] for t in m["tokenAmounts"]
            if t["destTokenAddress"] == first
        )
        tokens = [(pool, first, 90_000, encode(["uint8"], [18]), 5)]
        rounds = [
            ("a first message", b"hello", 200_000, []),
            ("one small message", b"again", 200_000, []),
            ("one token", b"", 0, tokens),
            ("30 kB", b"\x07" * 30_000, 500_000, []),
        ]
        # One that takes data of any length.
        self.lane.chain.deploy(mock("receiver"), at=GOT_RECEIVER)
        for number, (name, data, gas, amounts) in enumerate(rounds, 1):
            header = (keccak(text=name), self.source, there, number, 0)
            message = (header, sender, data, GOT_RECEIVER, gas, amounts)
            result = self.commit(number, self.leaf(message))
            if number == 2:
                self.report("commit of one root", result)
            result = self.execute(number, message)
            changed = next(d for _, topics, d in result.logs if topics[0] == STATE_CHANGED)
            self.assertEqual(decode(["bytes32", "uint8"], changed), (self.leaf(message), SUCCESS))
            self.report(f"execution of {name}", result)


class RecordedLaneThen(RecordedLane):
    """At the moment of the recording, where every log is the recorded one to the byte."""

    now = LOG_TIME


if __name__ == "__main__":
    unittest.main()
