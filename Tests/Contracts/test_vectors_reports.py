"""Message hashes, trees, commit reports, execution reports and signatures of the vectors on our off-ramp and RMN.

The recorded reports are of random chains, sequence numbers and proofs. Where a report can be valid an off-ramp is set
up in which it is; where it contradicts itself (two intervals of a chain with a gap, a proof that proves nothing) the
specification says with which error, and with which arguments, it must be refused.
"""

import unittest

from eth_abi import decode, encode

from chain import ZERO, Chain, artifact, error, mock, vectors
from destination import Destination, any_nonce, trusting_rmn
from harness import Case, b, on_every_machine
from reference import (
    COMMIT_ACCEPTED, COMMIT_REPORT_TYPE, FAILURE, PRICES_TYPE, ROOT_TYPE, SUCCESS, TRANSMITTED, Refused,
    execution_report, leaf, proven_root, prove, states, tree,
)

ON_RAMP = encode(["address"], ["0x" + "0a" * 20])


def message_of(item):
    header = item["header"]
    return (
        (b(header["messageId"]), *(int(header[name]) for name in (
            "sourceChainSelector", "destChainSelector", "sequenceNumber", "nonce"
        ))),
        b(item["sender"]), b(item["data"]), item["receiver"], int(item["gasLimit"]),
        [
            (b(t["sourcePoolAddress"]), t["destTokenAddress"], int(t["destGasAmount"]), b(t["extraData"]),
             int(t["amount"]))
            for t in item["tokenAmounts"]
        ],
    )


def root_of(item):
    return (
        int(item["sourceChainSelector"]), b(item["onRampAddress"]), int(item["minSeqNr"]), int(item["maxSeqNr"]),
        b(item["merkleRoot"]),
    )


def prices_of(report):
    prices = report["priceUpdates"]
    return (
        [(p["sourceToken"], int(p["usdPerToken"])) for p in prices["tokenPriceUpdates"]],
        [(int(p["destChainSelector"]), int(p["usdPerUnitGas"])) for p in prices["gasPriceUpdates"]],
    )


@on_every_machine
class MessageHashes(Case):
    """Every message is proven by its own leaf alone, and reported under that leaf."""

    def test_all(self):
        cases = vectors()["any2EvmMessageHash"]
        self.assertEqual(len(cases), 30)
        chain, lanes, tried = Chain(), {}, 0
        for case in cases:
            message, on_ramp, due = message_of(case["message"]), b(case["onRamp"]), b(case["leaf"])
            _, source, here, sequence, _ = message[0]
            # One off-ramp for each lane of the vectors, on-ramp included.
            key = (here, source, on_ramp)
            if key not in lanes:
                lanes[key] = Destination(here, [(source, on_ramp, True)], chain=chain, nonces=any_nonce)
            lane = lanes[key]
            with self.subTest(case["name"]):
                self.assertEqual(leaf(message, on_ramp), due)
                report = (source, [message], [[b""] * len(message[5])], [], 0)
                if sequence == 2**64 - 1:
                    # No root can cover it: the next number would not fit. Its neighbour carries the same leaf.
                    sequence -= 1
                lane.skip_to(source, sequence)
                self.refuses(error("RootNotCommitted(uint64)", source), lane.execute, report)
                lane.commit_root(source, due)
                [(number, state, told, answer, _)] = states(lane.execute(report))
                # Without its tokens' pools a message with tokens fails, by name.
                self.assertEqual((number, told), (message[0][3], due))
                self.assertEqual(state, FAILURE if message[5] else SUCCESS)
                self.assertEqual(answer, error("NotACompatiblePool(address)", ZERO) if message[5] else b"")
                tried += 1
        self.assertEqual(tried, 30)


@on_every_machine
class Trees(Case):
    def test_all(self):
        trees = vectors()["merkle"]["trees"]
        self.assertEqual(len(trees), 31)
        checker = Chain().deploy(mock("proofs"))
        proven = 0
        for item in trees:
            leaves, root = [b(word) for word in item["leaves"]], b(item["root"])
            layers = tree(leaves)
            self.assertEqual(layers[-1], [root])
            for proof in item["proofs"]:
                with self.subTest(f"{item['name']}: {proof['indices']}"):
                    words, flags = [b(word) for word in proof["proofs"]], int(proof["proofFlagBits"])
                    indices = [int(index) for index in proof["indices"]]
                    self.assertEqual(prove(layers, indices), (words, flags))
                    chosen = [leaves[index] for index in indices]
                    self.assertEqual(checker.call("root", chosen, words, flags), root)
                    # One damage each, in turn: a leaf too few, another way up, a proof too few, a proof too many.
                    damaged = [
                        (chosen[1:], words, flags), (chosen, words, flags ^ 1), (chosen, words[1:], flags),
                        (chosen, [*words, root], flags),
                    ][proven % 4]
                    if damaged[0]:
                        self.same_outcome(checker, *damaged)
                    proven += 1
        self.assertEqual(proven, 166)

    def same_outcome(self, checker, leaves, words, flags):
        """A damaged proof gives what the specification says: another root, or the same refusal."""
        try:
            due = proven_root(leaves, words, flags)
        except Refused as refused:
            self.refuses(refused.data, checker.call, "root", leaves, words, flags)
        else:
            self.assertEqual(checker.call("root", leaves, words, flags), due)


@on_every_machine
class CommitReports(Case):
    def test_all(self):
        cases = vectors()["commitReports"]
        self.assertEqual(len(cases), 24)
        accepted = refused = 0
        for case in cases:
            with self.subTest(case["name"]):
                lane, blessed, unblessed = self.lane(case["report"])
                due = self.refusal_due(lane, blessed, unblessed)
                if due is not None:
                    self.refuses(due, lane.commit, b(case["encoded"]))
                    refused += 1
                    continue
                result = lane.commit(b(case["encoded"]))
                self.check_logs(result, lane, case["report"], blessed, unblessed)
                for source, _, _, last, root in [*blessed, *unblessed]:
                    self.assertEqual(lane.off_ramp.call("getMerkleRoot", source, root), lane.chain.timestamp)
                    self.assertEqual(lane.next_sequence(source), last + 1)
                accepted += 1
        # Four name a chain twice with a gap, or as blessed and unblessed, or with two on-ramps.
        self.assertEqual((accepted, refused), (20, 4))

    def lane(self, report):
        """An off-ramp in which every root is the next one, where the report allows that."""
        blessed = [root_of(item) for item in report["blessedMerkleRoots"]]
        unblessed = [root_of(item) for item in report["unblessedMerkleRoots"]]
        sources = {}
        for roots, goes_unblessed in ((blessed, False), (unblessed, True)):
            for source, on_ramp, *_ in roots:
                sources.setdefault(source, (source, on_ramp, goes_unblessed))
        # Until all before is committed, every chain's roots go unblessed.
        lane = Destination(
            16, [(source, on_ramp, True) for source, on_ramp, _ in sources.values()], rmn=trusting_rmn
        )
        seen = set()
        for source, _, first, _, _ in [*blessed, *unblessed]:
            if source not in seen:
                lane.skip_to(source, first)
            seen.add(source)
        lane.add_sources(*sources.values())
        return lane, blessed, unblessed

    def refusal_due(self, lane, blessed, unblessed):
        """By the order of section 12."""
        kind = {root[0]: True for root in unblessed} | {root[0]: False for root in blessed}
        ramps, due = dict(lane.on_ramps), {}
        for roots, is_blessed in ((blessed, True), (unblessed, False)):
            for source, on_ramp, first, last, root in roots:
                if is_blessed == kind[source]:
                    return error("RootBlessingMismatch(uint64,bytes32,bool)", source, root, is_blessed)
                if on_ramp != ramps[source]:
                    return error("CommitOnRampMismatch(bytes,bytes)", on_ramp, ramps[source])
                if due.get(source, first) != first:
                    return error("InvalidInterval(uint64,uint64,uint64)", source, first, last)
                due[source] = last + 1
        return None

    def check_logs(self, result, lane, report, blessed, unblessed):
        prices = prices_of(report)
        from_quoter = [log for log in result.logs if log[0] == lane.quoter.address]
        self.assertEqual(len(from_quoter), len(prices[0]) + len(prices[1]))
        accepted, transmitted = result.logs[len(from_quoter):]
        told = encode([f"{ROOT_TYPE}[]", f"{ROOT_TYPE}[]", PRICES_TYPE], [blessed, unblessed, prices])
        self.assertEqual(accepted, (lane.off_ramp.address, [COMMIT_ACCEPTED], told))
        self.assertEqual(transmitted[1], [TRANSMITTED, bytes(32)])
        now = lane.chain.timestamp
        for token, value in prices[0]:
            self.assertEqual(lane.quoter.call("getTokenPrice", token), (dict(prices[0])[token], now))
        for dest, value in prices[1]:
            self.assertEqual(lane.quoter.call("getDestinationChainGasPrice", dest), (dict(prices[1])[dest], now))


@on_every_machine
class ExecutionReports(Case):
    """Each report of each array on the chain it is for; then the whole arrays, as section 13.2 walks through them."""

    def test_all(self):
        cases = vectors()["executionReports"]
        self.assertEqual(len(cases), 24)
        chain, lanes, outcomes = Chain(), {}, {"executed": 0, "refused": 0}
        for case in cases:
            reports = [self.report_of(item) for item in case["reports"]]
            self.assertEqual(execution_report(*reports), b(case["encoded"]))
            for report in reports:
                source, here = report[0], report[1][0][0][2]
                if (here, source) not in lanes:
                    lanes[here, source] = Destination(here, [(source, ON_RAMP, True)], chain=chain, nonces=any_nonce)
                with self.subTest(case["name"], source=source):
                    outcomes[self.single(lanes[here, source], report)] += 1
            with self.subTest(case["name"]):
                self.whole(chain, reports, b(case["encoded"]))
        self.assertEqual(outcomes, {"executed": 16, "refused": 16})

    def report_of(self, item):
        return (
            int(item["sourceChainSelector"]), [message_of(message) for message in item["messages"]],
            [[b(data) for data in datas] for datas in item["offchainTokenData"]],
            [b(proof) for proof in item["proofs"]], int(item["proofFlagBits"]),
        )

    def single(self, lane, report):
        source, messages, token_data, proofs, flags = report
        leaves = lane.leaves(messages)
        try:
            root = proven_root(leaves, proofs, flags)
        except Refused as refused:
            self.refuses(refused.data, lane.execute, report)
            return "refused"
        self.refuses(error("RootNotCommitted(uint64)", source), lane.execute, report)
        lane.commit_root(source, root)
        for index, (message, data) in enumerate(zip(messages, token_data)):
            if len(message[5]) != len(data):
                due = error("TokenDataMismatch(uint64,uint64)", source, message[0][3])
                self.refuses(due, lane.execute, report)
                return "refused"
        found = states(lane.execute(report))
        due = [(message[0][3], FAILURE if message[5] else SUCCESS, word) for message, word in zip(messages, leaves)]
        self.assertEqual([state[:3] for state in found], due)
        return "executed"

    def whole(self, chain, reports, encoded):
        """The array as it was recorded, byte for byte, to the off-ramp of its first report's chain."""
        here = reports[0][1][0][0][2] if reports else 16
        lane = Destination(here, [(source, ON_RAMP, True) for source in sorted({r[0] for r in reports})], chain=chain)
        self.assertEqual(execution_report(*reports), encoded)
        self.refuses(self.first_refusal(here, lane, reports), lane.execute, *reports)

    def first_refusal(self, here, lane, reports):
        if not reports:
            return error("EmptyBatch()")
        source, messages, _, proofs, flags = reports[0]
        try:
            proven_root(lane.leaves(messages), proofs, flags)
        except Refused as refused:
            return refused.data
        return error("RootNotCommitted(uint64)", source)


@on_every_machine
class CommitSignatures(Case):
    """Recorded commit calls, signatures and all, with the recorded oracles."""

    def test_all(self):
        cases = vectors()["ocr3CommitSignatures"]
        self.assertEqual(len(cases), 25)
        sizes = set()
        for case in cases:
            with self.subTest(case["name"]):
                self.check(case)
                sizes.add((len(case["signers"]), case["F"]))
        self.assertGreater(len(sizes), 3)

    def check(self, case):
        [(prices, blessed, unblessed, _)] = decode([COMMIT_REPORT_TYPE], b(case["report"]))
        lane = Destination(16, [(root[0], root[1], True) for root in unblessed])
        self.assertEqual(blessed, ())
        for source, _, first, _, _ in unblessed:
            lane.skip_to(source, first)
        # One transmitter that signs nothing; the recorded signers and digest.
        lane.set_oracles(case["signers"], [lane.transmitter], b(case["configDigest"]), case["F"])
        call = b(case["commitCalldata"])
        damaged = call[:-1] + bytes([call[-1] ^ 1])
        self.refuses(error("UnauthorizedSigner()"), lane.off_ramp.raw, damaged, sender=lane.transmitter)
        self.refuses(error("UnauthorizedTransmitter()"), lane.off_ramp.raw, call)
        result = lane.off_ramp.raw(call, sender=lane.transmitter)
        told = encode([f"{ROOT_TYPE}[]", f"{ROOT_TYPE}[]", PRICES_TYPE], [blessed, unblessed, prices])
        transmitted = encode(["bytes32", "uint64"], [b(case["configDigest"]), int(case["sequenceNumber"])])
        self.assertEqual(result.logs[-2:], [
            (lane.off_ramp.address, [COMMIT_ACCEPTED], told),
            (lane.off_ramp.address, [TRANSMITTED, bytes(32)], transmitted),
        ])



@on_every_machine
class RiskManagementReports(Case):
    def test_all(self):
        cases = vectors()["rmnReports"]
        self.assertEqual(len(cases), 22)
        for case in cases:
            with self.subTest(case["name"]):
                self.check(case)

    def check(self, case):
        chain = Chain(chain_id=int(case["destChainId"]))
        rmn = chain.deploy(
            artifact("rmn_remote"), int(case["destChainSelector"]), ZERO, at=case["rmnRemoteContractAddress"]
        )
        roots = [root_of(item) for item in case["merkleRoots"]]
        signatures = [(b(s["r"]), b(s["s"])) for s in case["signaturesSortedBySigner"]]
        verify = lambda roots, signatures: rmn.call("verify", case["offrampAddress"], roots, signatures)
        self.refuses(error("ConfigNotSet()"), verify, roots, signatures)
        rmn.send("setConfig", (
            b(case["rmnHomeContractConfigDigest"]),
            [(signer, index) for index, signer in enumerate(case["configuredSigners"])], int(case["fSign"]),
        ))
        verify(roots, signatures)
        threshold = int(case["fSign"]) + 1
        self.refuses(error("ThresholdNotMet()"), verify, roots, signatures[:threshold - 1])
        if len(signatures) > 1:
            self.refuses(error("OutOfOrderSignatures()"), verify, roots, signatures[::-1])
        flipped = [(r, (int.from_bytes(s, "big") ^ 1).to_bytes(32, "big")) for r, s in signatures]
        self.assertIn(self.refusal(verify, roots, flipped), [
            error(name) for name in ("UnexpectedSigner()", "InvalidSignature()", "OutOfOrderSignatures()")
        ])


if __name__ == "__main__":
    unittest.main()
