"""The 53 scenarios of the vectors on our off-ramp, in order: the recorded revert data to the byte, or acceptance."""

import unittest

from eth_abi import encode
from eth_utils import keccak

from chain import ZERO, vectors
from destination import SECRETS, TRANSMITTERS, Destination, address_of, any_message
from harness import Case, b, on_every_machine
from lane import SENDER
from reference import commit_report, execution_report, padded, signed

# What the recorded refusals name.
SOURCE = 1523760397290643893
HERE = 5009297550715157269
ON_RAMP = padded("0xab91d12e0639272a1ad0265d8ad0b323d70c6fee")
COMMIT_DIGEST = b("0x000a035c8d80e281623c314acce168f1c497fd57a91e5ccfa7aa92e0acf4cdf7")
EXECUTION_DIGEST = b("0x000a8ff857eb54879b054de8d84e2a3a08880b1e42966746fb76690ca8bbbfad")
MESSAGE_ID = b("0x6bdf6be1d584d214c03bf8f9c6e212ceb8383255e3330129a6ef6ab12bf742c3")
COMMITTED_ROOT = b("0x92177e1c4b3d90f0f12f3b8eec8c4b82e0fd9e4930f2687092211c8cb3111d45")
GAS_LIMIT = 50_000
UNKNOWN, UNKNOWN_TOO, WRONG_SOURCE, WRONG_DEST = 77, 5, 66, 55
PRICES = ([(ZERO, 1)], [])
SIGNERS = [address_of(secret) for secret in SECRETS]


@on_every_machine
class Scenarios(Case):
    """They begin with sequence numbers 1 to 4 committed, 1 to 3 by a tree of our own, and no message tried."""

    def setUp(self):
        self.lane = lane = Destination(HERE, [(SOURCE, ON_RAMP, True)])
        self.off_ramp, self.transmitter = lane.off_ramp, TRANSMITTERS[0]
        lane.off_ramp.send("setOCR3Configs", [
            (COMMIT_DIGEST, 0, 1, True, SIGNERS, TRANSMITTERS), (EXECUTION_DIGEST, 1, 1, False, [], TRANSMITTERS)
        ])
        lane.digest = COMMIT_DIGEST
        self.receiver = "0x" + "be" * 20
        self.messages = [
            any_message(SOURCE, HERE, sequence, self.receiver, gas=GAS_LIMIT, identifier=identifier)
            for sequence, identifier in [(1, MESSAGE_ID), (2, keccak(b"2")), (3, keccak(b"3"))]
        ]
        self.layers = lane.commit_messages(self.messages)
        lane.commit_root(SOURCE, COMMITTED_ROOT)
        self.sequence = 10
        self.scenarios = {**self.executions(), **self.manual(), **self.commits(), **self.configurations()}

    def test_all(self):
        cases = vectors()["offRampReverts"]
        self.assertEqual(len(cases), 53)
        accepted = 0
        for case in cases:
            with self.subTest(case["scenario"]):
                found = self.refusal(self.scenarios.pop(case["scenario"]))
                due = None if case["revert"] is None else b(case["revertData"])
                self.assertEqual(found, due)
                accepted += due is None
        self.assertEqual((self.scenarios, accepted), ({}, 4))

    # Executions

    def execute(self, *reports, digest=EXECUTION_DIGEST, sender=None, extra=b""):
        context = [digest, (7).to_bytes(32, "big")]
        call = self.off_ramp.data("execute", context, execution_report(*reports))
        return self.off_ramp.raw(call + extra, sender=sender or self.transmitter)

    def report(self, indices=(0,), **changes):
        source, messages, token_data, proofs, flags = self.lane.report(self.messages, self.layers, indices)
        report = {"source": source, "messages": messages, "data": token_data, "proofs": proofs, "flags": flags}
        return tuple({**report, **changes}.values())

    def changed(self, source=SOURCE, here=HERE):
        header, *rest = self.messages[0]
        return ((header[0], source, here, *header[3:]), *rest)

    def executions(self):
        good = self.report()
        stranger = "0x" + "77" * 20
        uncommitted = any_message(SOURCE, HERE, 1, self.receiver, gas=GAS_LIMIT)
        return {
            "execute: empty report array": lambda: self.execute(),
            "execute: chain report with no messages (and source chain unknown) -> EmptyReport first":
                lambda: self.execute(self.report(source=UNKNOWN, messages=[], data=[])),
            "execute: offchainTokenData length differs from messages":
                lambda: self.execute(self.report(data=[[], []])),
            "execute: unknown source chain": lambda: self.execute(self.report(source=UNKNOWN)),
            "execute: wrong dest AND wrong source selector in message -> dest first":
                lambda: self.execute(self.report(messages=[self.changed(WRONG_SOURCE, WRONG_DEST)])),
            "execute: wrong source selector in message":
                lambda: self.execute(self.report(messages=[self.changed(WRONG_SOURCE)])),
            "execute: root not committed":
                lambda: self.execute(self.report(messages=[uncommitted])),
            # The flag takes a leaf and a hash where there is only the leaf, and leaves the proof.
            "execute: too few proofs for the flag bits":
                lambda: self.execute(self.report(proofs=good[3][:1], flags=1)),
            "execute: one token data blob for a token-less message (checked after the proof)":
                lambda: self.execute(self.report(data=[[b""]])),
            "execute: unauthorized transmitter (checked after execution)":
                lambda: self.execute(good, sender=stranger),
            "execute: wrong config digest and unauthorized transmitter -> digest first":
                lambda: self.execute(good, digest=bytes(32), sender=stranger),
            "execute: extra calldata byte": lambda: self.execute(good, extra=b"\x00"),
            "execute: ok": lambda: self.execute(good),
        }

    def manual(self):
        run = lambda reports, overrides: self.off_ramp.send("manuallyExecute", reports, overrides)
        return {
            "manuallyExecute: overrides array shorter than reports": lambda: run([self.report()], []),
            "manuallyExecute: inner overrides shorter than messages": lambda: run([self.report()], [[]]),
            "manuallyExecute: lower receiver gas": lambda: run([self.report()], [[(GAS_LIMIT - 1, [])]]),
            "manuallyExecute: token override count": lambda: run([self.report()], [[(GAS_LIMIT, [1])]]),
            "manuallyExecute: before the permissionless threshold": lambda: run([self.report((1,))], [[(0, [])]]),
            "manuallyExecute: no reports": lambda: run([], []),
            "executeSingleMessage: external caller":
                lambda: self.off_ramp.send("executeSingleMessage", self.messages[0], [], []),
            "ccipReceive: always reverts with no data": lambda: self.off_ramp.raw(
                b("0x85572ffb") + encode(
                    ["(bytes32,uint64,bytes,bytes,(address,uint256)[])"], [(MESSAGE_ID, SOURCE, b"", b"", [])]
                )
            ),
        }

    # Commits

    def commit(self, report, sequence=None, secrets=(0, 1), digest=COMMIT_DIGEST, sender=None, change=None):
        self.sequence += 1
        context = [digest, (sequence or self.sequence).to_bytes(32, "big")]
        arguments = signed(report, context, [SECRETS[i] for i in secrets])
        if change:
            arguments = change(*arguments)
        return self.off_ramp.send("commit", context, report, *arguments, sender=sender or self.transmitter)

    def root(self, first, last=None, root=None, source=SOURCE, on_ramp=ON_RAMP):
        return (source, on_ramp, first, last or first, root or keccak(text=f"root {first}"))

    def commits(self):
        next_root = lambda: [self.root(self.lane.next_sequence(SOURCE))]
        good = lambda **named: self.commit(commit_report(next_root()), **named)
        commit = lambda *roots, **named: self.commit(commit_report(roots), **named)

        def stale():
            # A newer price first, so that the next one is stale.
            self.commit(commit_report(prices=PRICES), sequence=100)
            self.commit(commit_report(prices=PRICES), sequence=100)

        return {
            "commit: min sequence too high": lambda: commit(self.root(6)),
            "commit: min > max": lambda: commit(self.root(5, 4)),
            "commit: duplicate root": lambda: commit(self.root(5, root=COMMITTED_ROOT)),
            "commit: zero root": lambda: commit(self.root(5, root=bytes(32))),
            "commit: wrong onRamp AND wrong interval -> onRamp first":
                lambda: commit(self.root(9, on_ramp=padded(SENDER))),
            "commit: unknown source chain": lambda: commit(self.root(1, source=UNKNOWN_TOO)),
            "commit: blessed root while RMN not configured":
                lambda: self.commit(commit_report(blessed=[self.root(5)])),
            "commit: stale price only report": stale,
            "commit: stale price with a valid root is accepted":
                lambda: self.commit(commit_report(next_root(), prices=PRICES), sequence=50),
            "commit: empty report is accepted": lambda: self.commit(commit_report()),
            "commit: F signatures": lambda: good(secrets=(0,)),
            "commit: F+2 signatures": lambda: good(secrets=(0, 1, 2)),
            "commit: wrong digest": lambda: good(digest=bytes(32)),
            "commit: unauthorized transmitter": lambda: good(sender=SIGNERS[0]),
            "commit: duplicate signer": lambda: good(secrets=(1, 1)),
            "commit: rs and ss lengths differ": lambda: good(change=lambda rs, ss, vs: (rs, ss[:1], vs)),
            "commit: v given as 27/28": lambda: good(
                change=lambda rs, ss, vs: (rs, ss, bytes(27 + v for v in vs[:2]).ljust(32, b"\x00"))
            ),
            "commit: signatures in any order are accepted": lambda: good(secrets=(3, 0)),
        }

    # Configurations

    def configurations(self):
        def configure(kind=0, f=1, signatures=True, signers=SIGNERS, transmitters=TRANSMITTERS, **named):
            arguments = (keccak(b"new"), kind, f, signatures, signers, transmitters)
            return self.off_ramp.send("setOCR3Configs", [arguments], **named)

        def source(selector=SOURCE, router=self.lane.router.address, on_ramp=ON_RAMP):
            return self.off_ramp.send("applySourceChainConfigUpdates", [(router, selector, True, True, on_ramp)])

        fresh = 4051577828743386545
        return {
            "setOCR3Configs: exec with signatures": lambda: configure(kind=1),
            "setOCR3Configs: F = 0": lambda: configure(f=0),
            "setOCR3Configs: 3 signers with F = 1":
                lambda: configure(signers=SIGNERS[:3], transmitters=TRANSMITTERS[:3]),
            "setOCR3Configs: more transmitters than signers":
                lambda: configure(transmitters=[*TRANSMITTERS, "0x" + "99" * 20]),
            "setOCR3Configs: repeated signer": lambda: configure(signers=[*SIGNERS[:3], SIGNERS[0]]),
            "setOCR3Configs: same address as signer and transmitter":
                lambda: configure(transmitters=[*TRANSMITTERS[:3], SIGNERS[0]]),
            "setOCR3Configs: zero transmitter": lambda: configure(transmitters=[*TRANSMITTERS[:3], ZERO]),
            "setOCR3Configs: no transmitters": lambda: configure(transmitters=[]),
            "setOCR3Configs: not owner": lambda: configure(sender=SENDER),
            "applySourceChainConfigUpdates: change onRamp after commits": lambda: source(on_ramp=padded(SENDER)),
            "applySourceChainConfigUpdates: zero selector": lambda: source(selector=0),
            "applySourceChainConfigUpdates: zero router": lambda: source(fresh, router=ZERO),
            "applySourceChainConfigUpdates: empty onRamp": lambda: source(fresh, on_ramp=b""),
            "applySourceChainConfigUpdates: abi.encode(address(0)) onRamp":
                lambda: source(fresh, on_ramp=bytes(32)),
        }


if __name__ == "__main__":
    unittest.main()
