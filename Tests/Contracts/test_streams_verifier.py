"""Verifier and VerifierProxy of the price streams: the vectors, what is accepted and refused, who may do what.

Sections are those of the data streams specification; 6.7 is its list of what to show.
"""

import itertools
import re
import unittest

from eth_abi import decode, encode
from eth_utils import keccak, to_checksum_address

from chain import OWNER, ZERO, Reverted, artifact, error, mock, planted, selector, streams_vectors, string_error
from destination import address_of
from harness import Case, b, on_every_machine
from streams import CONSUMER, REPORT_VERIFIED, SECRETS, Streams, digest_of, feed_id, full_report, words

STRANGER = to_checksum_address(b"\x77" * 20)
SIGNERS = [address_of(secret) for secret in SECRETS]
BLOB = words(feed_id(3), 100, 100, 1, 2, 200, 5, 4, 6)
# Verifier, proxy and the contracts of configuration; the others of the vectors are other generations, and fees.
OURS = {
    "VerifierProxy": "verifier_proxy",
    "Verifier v0.5.1": "verifier",
    "Configurator v0.5.0": "configurator",
    "ChannelConfigStore v1.0.0": "channel_config_store",
}


def signatures(built, kind):
    """Canonical signatures of an artifact's functions, events or errors."""
    def canonical(parameter):
        if parameter["type"].startswith("tuple"):
            return f"({','.join(map(canonical, parameter['components']))}){parameter['type'][5:]}"
        return parameter["type"]

    return {f"{e['name']}({','.join(map(canonical, e['inputs']))})" for e in built["abi"] if e["type"] == kind}


class Faces(unittest.TestCase):
    """Every function, event and error of section 6, by the selectors and topics of the vectors."""

    def test_selectors_and_topics(self):
        counts = {}
        for kind, width in [("functions", 4), ("events", 32), ("errors", 4)]:
            for published, entries in streams_vectors()["contracts"][kind].items():
                for signature, hashed in entries.items():
                    self.assertEqual(keccak(text=signature)[:width], b(hashed), signature)
                if published in OURS:
                    ours = signatures(artifact(OURS[published]), kind[:-1])
                    self.assertEqual(set(entries) - ours, set(), published)
                    counts[published, kind] = len(entries)
        self.assertEqual(counts, {
            ("VerifierProxy", "functions"): 13, ("VerifierProxy", "events"): 5, ("VerifierProxy", "errors"): 8,
            ("Verifier v0.5.1", "functions"): 8, ("Verifier v0.5.1", "events"): 5, ("Verifier v0.5.1", "errors"): 13,
            ("Configurator v0.5.0", "functions"): 3, ("Configurator v0.5.0", "events"): 3,
            ("Configurator v0.5.0", "errors"): 8,
            ("ChannelConfigStore v1.0.0", "functions"): 2, ("ChannelConfigStore v1.0.0", "events"): 2,
        })


@on_every_machine
class Envelopes(Case):
    def test_all_verify(self):
        envelopes = streams_vectors()["envelopes"]
        self.assertEqual(len(envelopes), 30)
        streams = Streams.of_vectors()
        counts = {}
        for envelope in envelopes:
            with self.subTest(envelope["name"]):
                report, blob = b(envelope["fullReport"]), b(envelope["reportBlob"])
                result = streams.verify(report)
                self.assertEqual(streams.proxy.decoded("verify", result.output), blob)
                self.assertEqual(result.logs, [(
                    streams.verifier.address, [REPORT_VERIFIED, b(envelope["feedId"])], encode(["address"], [CONSUMER])
                )])
                self.assertEqual(streams.view(report), blob)
                counts[len(envelope["rawRs"])] = counts.get(len(envelope["rawRs"]), 0) + 1
        self.assertEqual(counts, {2: 28, 6: 1, 11: 1})

    def test_recorded_calls(self):
        """Call data, answers and the log byte for byte."""
        calls = {call["name"]: call for call in streams_vectors()["calldata"]}
        self.assertEqual(len(calls), 6)
        streams = Streams()
        config = calls["verifier v0.5 setConfig"]
        streams.verifier.raw(b(config["calldata"]))
        answered = 0
        for name in ("proxy.verify empty parameterPayload", "proxy.verify with fee token",
                     "proxy.verifyBulk two feeds", "proxy.verifyBulk empty list"):
            with self.subTest(name):
                result = streams.proxy.raw(b(calls[name]["calldata"]), sender=CONSUMER)
                if "returndata" in calls[name]:
                    self.assertEqual(result.output.hex(), calls[name]["returndata"][2:])
                    answered += 1
        self.assertEqual(answered, 3)
        told = calls["ReportVerified log"]
        result = streams.proxy.raw(b(calls["proxy.verify empty parameterPayload"]["calldata"]),
                                   sender=to_checksum_address(told["requester"]))
        self.assertEqual(result.logs, [(streams.verifier.address, list(map(b, told["topics"])), b(told["data"]))])


def due(rule):
    """What the vectors expect of version 0.5: None for acceptance, revert data, or ... for any refusal."""
    text, report = rule["expected"]["verifierV05"], b(rule["fullReport"])
    if text.startswith("ok"):
        return None
    if "VerifierNotFound" in text:
        return error("VerifierNotFound(bytes32)", report[:32] or bytes(32))
    if text.startswith("Panic"):
        return error("Panic(uint256)", 0x11)
    if text.startswith("revert"):
        return ... if "must not verify" in text else b""
    name, arguments = re.match(r"(\w+)\(([\d,]*)\)", text).groups()
    numbers = [int(n) for n in arguments.split(",") if n]
    return error(f"{name}({','.join(['uint256'] * len(numbers))})", *numbers)


def misjudged(case, streams):
    """The rules of the vectors that a verifier does not keep."""
    found = []
    for rule in streams_vectors()["envelopeRules"]:
        report, expected = b(rule["fullReport"]), due(rule)
        refused = case.refusal(streams.verify, report)
        same = refused == expected or (expected is ... and refused is not None)
        if same and case.refusal(streams.view, report) == refused:
            continue
        found.append(rule["name"])
    return found


@on_every_machine
class Rules(Case):
    def test_all_rules_of_the_vectors(self):
        rules = streams_vectors()["envelopeRules"]
        self.assertEqual(len(rules), 22)
        self.assertEqual(sum(due(rule) is None for rule in rules), 5)
        self.assertEqual(misjudged(self, Streams.of_vectors()), [])

    def test_each_pair_of_signers_in_both_orders(self):
        streams = Streams()
        digest = streams.own("pairs")
        pairs = list(itertools.product(range(4), repeat=2))
        for one, other in pairs:
            with self.subTest(one=one, other=other):
                report = full_report(digest, BLOB, [SECRETS[one], SECRETS[other]])
                if one == other:
                    self.refuses(error("BadVerification()"), streams.verify, report)
                else:
                    self.assertEqual(streams.blob(report), BLOB)
        self.assertEqual(len(pairs), 16)

    def test_every_count_of_signatures(self):
        streams = Streams()
        digest = streams.own("counts", f=2)
        for count in (0, 1, 2, 4, 7, 22):
            report = full_report(digest, BLOB, SECRETS[:count])
            self.refuses(error("IncorrectSignatureCount(uint256,uint256)", count, 3), streams.verify, report)
        self.assertEqual(streams.blob(full_report(digest, BLOB, SECRETS[:3])), BLOB)
        self.refuses(error("BadVerification()"), streams.verify, full_report(digest, BLOB, SECRETS[5:8]))

    def test_a_duplicate_does_not_hide_an_overflow(self):
        """As on the published contract, all signatures are looked at before a repeated signer is told."""
        streams = Streams()
        digest = streams.own("order", f=2)
        report = bytearray(full_report(digest, BLOB, [SECRETS[0], SECRETS[0], SECRETS[1]]))
        report[192 + 2] = 229
        self.refuses(error("Panic(uint256)", 0x11), streams.verify, bytes(report))

    def test_every_offset_and_length_stays_inside(self):
        """Hostile words in the head and before each part are refused without data, on both ways."""
        streams = Streams()
        report = full_report(streams.own("offsets"), BLOB, SECRETS[:2])
        rs_at = 256 + len(BLOB)
        places = [96, 128, 160, 224, rs_at, rs_at + 96]
        for place in places:
            for hostile in (2**256 - 1, 2**255, 2**64, len(report), len(report) - 31, 2**256 - 32):
                if place in (rs_at, rs_at + 96) and hostile < 2**64:
                    hostile *= 32
                bent = report[:place] + hostile.to_bytes(32, "big") + report[place + 32:]
                with self.subTest(place=place, hostile=hostile):
                    self.refuses(b"", streams.verify, bent)
        for cut in (0, 31, 32, 223, 224, 255, len(report) - 64, len(report) - 1):
            expected = error("VerifierNotFound(bytes32)", bytes(32)) if cut < 32 else b""
            self.refuses(expected, streams.verify, report[:cut])

    def test_a_flipped_bit_changes_nothing_that_is_verified(self):
        """Whatever bit is wrong, the report is refused, or its blob is the signed one (bytes that nobody reads)."""
        streams = Streams()
        report = full_report(streams.own("flips"), BLOB, SECRETS[:2])
        # Recovery bytes 2 to 31 belong to no signature.
        unread = range(192 + 2, 224)
        places = [*range(0, len(report), 7), *unread]
        for place in places:
            bent = bytearray(report)
            bent[place] ^= 1 << (place % 8)
            try:
                blob = streams.view(bytes(bent))
            except Reverted:
                self.assertNotIn(place, unread)
                continue
            self.assertIn(place, unread)
            self.assertEqual(blob, BLOB)
        self.assertGreater(len(places), 120)

    def test_an_offset_may_lie_anywhere(self):
        """Followed as Solidity does: here the parts come in another order, with a gap."""
        streams = Streams()
        report = full_report(streams.own("elsewhere"), BLOB, SECRETS[:2])
        rs_at = 256 + len(BLOB)
        head, blob, rs, ss = report[:224], report[224:rs_at], report[rs_at:rs_at + 96], report[rs_at + 96:]
        tail = b"\xff" * 32 + ss + rs + blob
        at = [224 + 32 + 192, 224 + 32 + 96, 224 + 32]
        moved = head[:96] + b"".join(n.to_bytes(32, "big") for n in at) + head[192:] + tail
        self.assertEqual(streams.blob(moved), BLOB)

    def test_blobs_that_are_no_reports(self):
        """Length and content of a blob are the consumer's business; the log pads a short one."""
        streams = Streams()
        digest = streams.own("blobs")
        for blob in (b"", b"\x03", b"\x07" * 31, b"\x09" * 33, b"\x0b" * 1024):
            result = streams.verify(full_report(digest, blob, SECRETS[:2]))
            self.assertEqual(streams.proxy.decoded("verify", result.output), blob)
            self.assertEqual(result.logs[0][1], [REPORT_VERIFIED, blob[:32].ljust(32, b"\0")])
        self.refuses(b"", streams.verify, full_report(digest, b"\x0b" * 1025, SECRETS[:2]))

    def test_a_verifier_answers_its_proxy_only(self):
        streams = Streams()
        report = full_report(streams.own("proxy only"), BLOB, SECRETS[:2])
        for sender in (CONSUMER, OWNER):
            self.refuses(error("AccessForbidden()"), streams.verifier.send, "verify", report, CONSUMER, sender=sender)
            self.refuses(error("AccessForbidden()"), streams.verifier.call, "verifyView", report, sender=sender)
        alone = streams.chain.deploy(artifact("verifier"), CONSUMER)
        self.refuses(error("DigestInactive(bytes32)", report[:32]), alone.send, "verify", report, STRANGER,
                     sender=CONSUMER)
        self.refuses(error("ZeroAddress()"), streams.chain.deploy, artifact("verifier"), ZERO)


@on_every_machine
class Bulk(Case):
    def setUp(self):
        self.streams = Streams()
        self.digest = self.streams.own("bulk")
        self.blobs = [words(feed_id(version, f"feed {i}"), *range(6 + i)) for i, version in enumerate((2, 3, 8, 10))]
        self.reports = [full_report(self.digest, blob, SECRETS[i % 3:][:2]) for i, blob in enumerate(self.blobs)]

    def test_results_come_in_order_and_the_view_says_the_same(self):
        for count in range(5):
            result = self.streams.bulk(self.reports[:count])
            self.assertEqual(result.output, encode(["bytes[]"], [self.blobs[:count]]))
            self.assertEqual(
                [log[1:] for log in result.logs],
                [([REPORT_VERIFIED, blob[:32]], encode(["address"], [CONSUMER])) for blob in self.blobs[:count]],
            )
            view = self.streams.proxy.call("verifyBulkView", self.reports[:count], sender=CONSUMER)
            self.assertEqual(list(view), self.blobs[:count])

    def test_one_bad_report_refuses_all(self):
        bad = full_report(self.digest, BLOB, [SECRETS[0], SECRETS[0]])
        for place in range(5):
            reports = [*self.reports[:place], bad, *self.reports[place:]]
            self.refuses(error("BadVerification()"), self.streams.bulk, reports)
            self.refuses(error("BadVerification()"), self.streams.proxy.call, "verifyBulkView", reports)
        unknown = full_report(digest_of("nobody's"), BLOB, SECRETS[:2])
        self.refuses(error("VerifierNotFound(bytes32)", digest_of("nobody's")), self.streams.bulk,
                     [*self.reports, unknown])

    def test_reports_may_go_to_different_verifiers(self):
        streams = self.streams
        second = streams.chain.deploy(artifact("verifier"), streams.proxy.address)
        streams.proxy.send("initializeVerifier", second.address)
        digest = digest_of("second")
        second.send("setConfig", digest, SIGNERS[4:8], 1, [])
        other = full_report(digest, BLOB, SECRETS[5:7])
        result = streams.bulk([self.reports[0], other])
        self.assertEqual(result.output, encode(["bytes[]"], [[self.blobs[0], BLOB]]))
        self.assertEqual([log[0] for log in result.logs], [streams.verifier.address, second.address])

    def test_many_reports(self):
        reports = [self.reports[i % 4] for i in range(38)]
        blobs = [self.blobs[i % 4] for i in range(38)]
        self.assertEqual(self.streams.bulk(reports).output, encode(["bytes[]"], [blobs]))
        # More than the proxy has memory for is refused, not cut.
        self.refuses(b"", self.streams.bulk, reports * 2)

    def test_reports_of_every_length(self):
        """Also those that are no whole words, which no schema has: what is copied from the call data is all of it."""
        for size in [*range(0, 40), 64, 255, 256, 257, 700, 1000, 1023, 1024]:
            blob = bytes(size)
            report = full_report(self.digest, blob, SECRETS[:2]) + b"tail"[:size % 5]
            result = self.streams.bulk([report, self.reports[0]])
            self.assertEqual(result.output, encode(["bytes[]"], [[blob, self.blobs[0]]]))
        longest = full_report(self.digest, bytes(1024), SECRETS[:2])
        longest += bytes(2016 - len(longest))
        self.assertEqual(self.streams.bulk([longest]).output, encode(["bytes[]"], [[bytes(1024)]]))
        for more in (1, 31, 32, 33, 10_000):
            self.refuses(b"", self.streams.bulk, [longest + bytes(more)])

    def test_hostile_call_data(self):
        data = self.streams.proxy.data("verifyBulk", self.reports[:2], b"")
        places = [4, 68, 100, 132, 100 + 64]
        for place in places:
            for hostile in (2**256 - 1, 2**256 - 4, 2**255, 2**64, len(data), len(data) - 35):
                bent = data[:place] + hostile.to_bytes(32, "big") + data[place + 32:]
                with self.subTest(place=place, hostile=hostile):
                    self.refuses(b"", self.streams.proxy.raw, bent)
        for other in (b"", b"\x01", selector("verifyAll(bytes[])"), selector("verifyBulk(bytes[],bytes)")):
            self.refuses(b"", self.streams.proxy.raw, other)

    def test_value_that_nobody_charges_is_refused(self):
        self.streams.chain.fund(CONSUMER, 10)
        self.refuses(error("ValueWithoutFeeManager()"), self.streams.verify, self.reports[0], value=1)
        self.refuses(error("ValueWithoutFeeManager()"), self.streams.bulk, self.reports, value=1)
        view = self.streams.proxy.data("verifyBulkView", self.reports)
        self.refuses(b"", self.streams.proxy.raw, view, sender=CONSUMER, value=1)


def rotated(case, streams):
    """What becomes of reports of an old and a new digest while one follows the other: refusals, None for none."""
    old = streams.own("old")
    seen = []
    reports = {"old": full_report(old, BLOB, SECRETS[:2])}

    def look():
        seen.append({name: case.refusal(streams.verify, report) for name, report in reports.items()})

    look()
    new = digest_of("new")
    streams.configure(new, SIGNERS[4:8], 1)
    reports["new"] = full_report(new, BLOB, SECRETS[4:6])
    look()
    streams.verifier.send("deactivateConfig", old)
    look()
    streams.verifier.send("activateConfig", old)
    look()
    streams.verifier.send("updateConfig", old, SIGNERS[:4], SIGNERS[1:8], 2)
    reports["updated"] = full_report(old, BLOB, SECRETS[5:8])
    look()
    return seen


ROTATION = [
    {"old": None},
    {"old": None, "new": None},
    {"old": error("DigestInactive(bytes32)", digest_of("old")), "new": None},
    {"old": None, "new": None},
    {"old": error("IncorrectSignatureCount(uint256,uint256)", 2, 3), "new": None, "updated": None},
]


@on_every_machine
class Configuration(Case):
    def test_rotation(self):
        self.assertEqual(rotated(self, Streams()), ROTATION)

    def test_events_and_details(self):
        streams = Streams()
        digest = digest_of("events")
        result = streams.configure(digest, SIGNERS[:4], 1)
        self.assertEqual(result.logs, [
            (streams.proxy.address, [keccak(text="VerifierSet(bytes32,bytes32,address)")],
             encode(["bytes32", "bytes32", "address"], [bytes(32), digest, streams.verifier.address])),
            (streams.verifier.address, [keccak(text="ConfigSet(bytes32,address[],uint8)"), digest],
             encode(["address[]", "uint8"], [SIGNERS[:4], 1])),
        ])
        for name, arguments, event in [
            ("deactivateConfig", [digest], "ConfigDeactivated(bytes32)"),
            ("activateConfig", [digest], "ConfigActivated(bytes32)"),
        ]:
            result = streams.verifier.send(name, *arguments)
            self.assertEqual(result.logs, [(streams.verifier.address, [keccak(text=event), digest], b"")])
        result = streams.verifier.send("updateConfig", digest, SIGNERS[:4], SIGNERS[3:8], 1)
        self.assertEqual(result.logs, [
            (streams.verifier.address, [keccak(text="ConfigUpdated(bytes32,address[],address[])"), digest],
             encode(["address[]", "address[]"], [SIGNERS[:4], SIGNERS[3:8]])),
        ])
        self.assertEqual(streams.verifier.call("latestConfigDetails", digest_of("unknown")), 0)
        for contract, name in [(streams.verifier, "Verifier 2.0.1"), (streams.proxy, "VerifierProxy 2.0.1")]:
            self.assertEqual(contract.call("typeAndVersion"), name)
        self.assertTrue(streams.verifier.call("supportsInterface", selector("verify(bytes,address)")))
        for other in ("supportsInterface(bytes4)", "verify(bytes,bytes)"):
            self.assertFalse(streams.verifier.call("supportsInterface", selector(other)))

    def test_what_a_configuration_must_be(self):
        streams = Streams()
        digest = streams.own("first")
        another = digest_of("another")
        for signers, f, refusal in [
            (SIGNERS[:4], 0, error("FaultToleranceMustBePositive()")),
            (SIGNERS[:3], 1, error("InsufficientSigners(uint256,uint256)", 3, 4)),
            (SIGNERS[:31], 11, error("InsufficientSigners(uint256,uint256)", 31, 34)),
            (SIGNERS[:31], 255, error("InsufficientSigners(uint256,uint256)", 31, 766)),
            ([*SIGNERS, STRANGER], 1, error("ExcessSigners(uint256,uint256)", 32, 31)),
            ([*SIGNERS[:3], ZERO], 1, error("ZeroAddress()")),
            ([*SIGNERS[:3], SIGNERS[0]], 1, error("NonUniqueSignatures()")),
        ]:
            with self.subTest(len(signers), f=f):
                self.refuses(refusal, streams.configure, another, signers, f)
                self.refuses(refusal, streams.verifier.send, "updateConfig", digest, SIGNERS[:4], signers, f)
        self.refuses(error("ConfigDigestAlreadySet()"), streams.configure, digest, SIGNERS[:4], 1)
        self.refuses(error("DigestEmpty()"), streams.configure, bytes(32), SIGNERS[:4], 1)
        for name in ("activateConfig", "deactivateConfig"):
            self.refuses(error("DigestEmpty()"), streams.verifier.send, name, bytes(32))
            self.refuses(error("DigestNotSet(bytes32)", another), streams.verifier.send, name, another)
        update = lambda *arguments: streams.verifier.send("updateConfig", *arguments)
        self.refuses(error("DigestNotSet(bytes32)", another), update, another, SIGNERS[:4], SIGNERS[:4], 1)
        for previous in (SIGNERS[:3], SIGNERS[:5], SIGNERS[1:5], [*SIGNERS[:3], SIGNERS[0]], [*SIGNERS[:3], ZERO]):
            self.refuses(error("NonUniqueSignatures()"), update, digest, previous, SIGNERS[:4], 1)
        # Nothing of what was refused is left behind.
        self.assertEqual(streams.blob(full_report(digest, BLOB, SECRETS[2:4])), BLOB)

    def test_the_largest_configuration(self):
        streams = Streams()
        digest = streams.own("largest", f=10, n=31)
        self.assertEqual(streams.blob(full_report(digest, BLOB, SECRETS[20:31])), BLOB)
        repeated = full_report(digest, BLOB, [*SECRETS[20:30], SECRETS[20]])
        self.refuses(error("BadVerification()"), streams.verify, repeated)

    def test_owners_only(self):
        streams = Streams()
        digest = streams.own("owner")
        refusal = string_error("Only callable by owner")
        for contract, name, *arguments in [
            (streams.verifier, "setConfig", digest_of("x"), SIGNERS[:4], 1, []),
            (streams.verifier, "updateConfig", digest, SIGNERS[:4], SIGNERS[:4], 1),
            (streams.verifier, "activateConfig", digest), (streams.verifier, "deactivateConfig", digest),
            (streams.proxy, "initializeVerifier", streams.verifier.address),
            (streams.proxy, "unsetVerifier", digest), (streams.proxy, "setAccessController", ZERO),
            (streams.proxy, "setFeeManager", STRANGER),
        ]:
            with self.subTest(name):
                self.refuses(refusal, contract.send, name, *arguments, sender=STRANGER)
        for contract in (streams.verifier, streams.proxy):
            contract.send("transferOwnership", STRANGER)
            self.refuses(string_error("Must be proposed owner"), contract.send, "acceptOwnership", sender=CONSUMER)
            self.assertEqual(contract.call("owner"), OWNER)
            contract.send("acceptOwnership", sender=STRANGER)
            self.assertEqual(contract.call("owner"), STRANGER)
            self.refuses(string_error("Cannot transfer to self"), contract.send, "transferOwnership", STRANGER,
                         sender=STRANGER)


@on_every_machine
class Routing(Case):
    def test_verifiers(self):
        streams = Streams()
        proxy, digest = streams.proxy, streams.own("routed")
        self.assertEqual(proxy.call("getVerifier", digest).lower(), streams.verifier.address.lower())
        self.refuses(error("VerifierAlreadyInitialized(address)", streams.verifier.address), proxy.send,
                     "initializeVerifier", streams.verifier.address)
        self.refuses(error("ZeroAddress()"), proxy.send, "initializeVerifier", ZERO)
        configurator = streams.chain.deploy(artifact("configurator"))
        self.refuses(error("VerifierInvalid()"), proxy.send, "initializeVerifier", configurator.address)
        self.assertIsNotNone(self.refusal(proxy.send, "initializeVerifier", STRANGER))
        # A verifier that the owner never let in registers nothing, so no report ever reaches it.
        self.refuses(error("AccessForbidden()"), proxy.send, "setVerifier", bytes(32), digest_of("x"), [],
                     sender=STRANGER)
        uninvited = streams.chain.deploy(artifact("verifier"), proxy.address)
        self.refuses(error("AccessForbidden()"), uninvited.send, "setConfig", digest_of("x"), SIGNERS[:4], 1, [])
        result = proxy.send("initializeVerifier", uninvited.address)
        self.assertEqual(result.logs, [(proxy.address, [keccak(text="VerifierInitialized(address)")],
                                        encode(["address"], [uninvited.address]))])
        # Nor does one take a digest from another.
        taken = error("ConfigDigestAlreadySet(bytes32,address)", digest, streams.verifier.address)
        self.refuses(taken, uninvited.send, "setConfig", digest, SIGNERS[:4], 1, [])
        self.refuses(taken, proxy.send, "setVerifier", bytes(32), digest, [], sender=STRANGER)

        report = full_report(digest, BLOB, SECRETS[:2])
        result = proxy.send("unsetVerifier", digest)
        self.assertEqual(result.logs, [(proxy.address, [keccak(text="VerifierUnset(bytes32,address)")],
                                        encode(["bytes32", "address"], [digest, streams.verifier.address]))])
        self.refuses(error("VerifierNotFound(bytes32)", digest), streams.verify, report)
        self.refuses(error("VerifierNotFound(bytes32)", digest), proxy.send, "unsetVerifier", digest)

    def test_access_controller(self):
        streams = Streams()
        proxy, digest = streams.proxy, streams.own("access")
        access = streams.chain.deploy(mock("stream_access"))
        report = full_report(digest, BLOB, SECRETS[:2])
        result = proxy.send("setAccessController", access.address)
        event = keccak(text="AccessControllerSet(address,address)")
        self.assertEqual(result.logs, [
            (proxy.address, [event], encode(["address", "address"], [ZERO, access.address]))
        ])
        self.assertEqual(proxy.call("s_accessController").lower(), access.address.lower())
        calls = [("verify", report, b"abc"), ("verifyView", report), ("verifyBulk", [report, report], b""),
                 ("verifyBulkView", [report])]
        for name, *arguments in calls:
            self.refuses(error("AccessForbidden()"), proxy.send, name, *arguments, sender=CONSUMER)
        access.send("allow", CONSUMER, bytes(32))
        for name, *arguments in calls:
            proxy.send(name, *arguments, sender=CONSUMER)
            self.refuses(error("AccessForbidden()"), proxy.send, name, *arguments, sender=STRANGER)
        # It is shown the call data as they came.
        for name, *arguments in calls:
            data = proxy.data(name, *arguments) + b"tail"
            access.send("allow", CONSUMER, keccak(data))
            proxy.raw(data, sender=CONSUMER)
            self.refuses(error("AccessForbidden()"), proxy.raw, data + b"!", sender=CONSUMER)
        proxy.send("setAccessController", ZERO)
        for name, *arguments in calls:
            proxy.send(name, *arguments, sender=STRANGER)
        self.assertEqual(Streams(access=access.address).proxy.call("s_accessController").lower(),
                         access.address.lower())


@on_every_machine
class Fees(Case):
    CHARGED = keccak(text="Charged(bytes32,bytes,address,uint256)")

    def setUp(self):
        self.streams = streams = Streams()
        self.fees = streams.chain.deploy(mock("stream_fees"))
        self.digest = streams.own("fees")
        self.reports = [full_report(self.digest, words(feed_id(3), i), SECRETS[:2]) for i in range(3)]
        streams.chain.fund(CONSUMER, 10**6)

    def charged(self, result):
        [data] = [data for address, topics, data in result.logs if topics == [self.CHARGED]]
        return decode(["bytes32", "bytes", "address", "uint256"], data)

    def test_setting_it(self):
        proxy = self.streams.proxy
        self.assertEqual(proxy.call("s_feeManager"), ZERO)
        self.refuses(error("ZeroAddress()"), proxy.send, "setFeeManager", ZERO)
        self.refuses(error("FeeManagerInvalid()"), proxy.send, "setFeeManager", self.streams.verifier.address)
        for one in ("processFee(bytes,bytes,address)", "processFeeBulk(bytes[],bytes,address)"):
            self.fees.send("supportOnly", selector(one))
            self.refuses(error("FeeManagerInvalid()"), proxy.send, "setFeeManager", self.fees.address)
        self.fees.send("supportOnly", bytes(4))
        result = proxy.send("setFeeManager", self.fees.address)
        self.assertEqual(result.logs, [(proxy.address, [keccak(text="FeeManagerSet(address,address)")],
                                        encode(["address", "address"], [ZERO, self.fees.address]))])
        self.assertEqual(proxy.call("s_feeManager").lower(), self.fees.address.lower())
        self.assertEqual(proxy.call("s_accessController"), ZERO)

    def test_it_charges_before_anything_is_verified(self):
        streams = self.streams
        streams.proxy.send("setFeeManager", self.fees.address)
        result = streams.verify(self.reports[0], b"token", value=77)
        self.assertEqual(self.charged(result), (keccak(self.reports[0]), b"token", CONSUMER.lower(), 77))
        self.assertEqual(streams.chain.balance(self.fees.address), 77)
        for count in range(4):
            hashed = bytes(32)
            for report in self.reports[:count]:
                hashed = keccak(hashed + keccak(report))
            result = streams.bulk(self.reports[:count], b"\x01" * 33, value=5)
            self.assertEqual(self.charged(result), (hashed, b"\x01" * 33, CONSUMER.lower(), 5))
        self.assertEqual(streams.chain.balance(streams.proxy.address), 0)
        # Views are free.
        self.fees.send("refuse", True)
        self.assertEqual(streams.view(self.reports[1]), words(feed_id(3), 1))
        self.assertEqual(streams.proxy.call("verifyBulkView", self.reports[:1]), (words(feed_id(3), 0),))
        bad = full_report(digest_of("nobody's"), BLOB, [])
        for report in (self.reports[0], bad):
            self.refuses(error("ExpiredReport()"), streams.verify, report)
            self.refuses(error("ExpiredReport()"), streams.bulk, [report])

    def test_recipients(self):
        streams = self.streams
        recipients = [(STRANGER, 10**18)]
        self.refuses(error("ZeroAddress()"), streams.configure, digest_of("paid"), SIGNERS[:4], 1, recipients)
        streams.proxy.send("setFeeManager", self.fees.address)
        result = streams.configure(digest_of("paid"), SIGNERS[:4], 1, recipients)
        self.assertEqual(result.logs[0][2], encode(["bytes32", "(address,uint64)[]"], [digest_of("paid"), recipients]))


def doors(case, streams):
    """What a stranger is told at each door of a proxy whose fee manager, then whose access controller refuses."""
    report = full_report(streams.own("doors"), BLOB, SECRETS[:2])
    streams.chain.fund(STRANGER, 10)
    ask = lambda name, *given, **named: case.refusal(streams.proxy.send, name, *given, sender=STRANGER, **named)
    seen = {
        "register": ask("setVerifier", bytes(32), digest_of("x"), []),
        "value": ask("verify", report, b"", value=1),
        "value in bulk": ask("verifyBulk", [report], b"", value=1),
    }
    fees = streams.chain.deploy(mock("stream_fees"))
    fees.send("refuse", True)
    streams.proxy.send("setFeeManager", fees.address)
    seen["fee"] = ask("verify", report, b"")
    seen["fee in bulk"] = ask("verifyBulk", [report], b"")
    fees.send("refuse", False)
    streams.proxy.send("setAccessController", streams.chain.deploy(mock("stream_access")).address)
    for name, *given in [("verify", report, b""), ("verifyView", report), ("verifyBulk", [report], b""),
                         ("verifyBulkView", [report])]:
        seen[name] = ask(name, *given)
    return seen


FORBIDDEN = error("AccessForbidden()")
DOORS = {
    "register": FORBIDDEN,
    "value": error("ValueWithoutFeeManager()"), "value in bulk": error("ValueWithoutFeeManager()"),
    "fee": error("ExpiredReport()"), "fee in bulk": error("ExpiredReport()"),
    "verify": FORBIDDEN, "verifyView": FORBIDDEN, "verifyBulk": FORBIDDEN, "verifyBulkView": FORBIDDEN,
}


class PlantedFaultsInTheProxy(Case):
    """Each of these proxies leaves one door open."""

    def open_doors(self, *fault):
        streams = Streams(proxy=planted("verifier_proxy", *fault)) if fault else Streams()
        return [name for name, refusal in doors(self, streams).items() if refusal != DOORS[name]]

    def test_the_whole_proxy_has_none(self):
        self.assertEqual(self.open_doors(), [])

    def test_each_door(self):
        asked = "hasAccess(msg.sender, data))\n"
        bulk = "staticcall BulkAccessController(convert(hooks & U160, address)).hasAccess(msg.sender, data)"
        for right, wrong, opened in [
            ("    self._require(self._isVerifier[msg.sender])\n", "", ["register"]),
            (f"{asked}    if hooks", "hasAccess(msg.sender, data) or True)\n    if hooks", ["verify"]),
            (f"{asked}    digest", "hasAccess(msg.sender, data) or True)\n    digest", ["verifyView"]),
            (bulk, "True", ["verifyBulk", "verifyBulkView"]),
            ("if hooks >> 160 != 0 and not isView:", "if hooks >> 160 != 0 and isView:", ["fee in bulk"]),
            ("    if amount != 0:", "    if amount > 9:", ["value", "value in bulk"]),
        ]:
            with self.subTest(opened):
                self.assertEqual(self.open_doors(right, wrong), opened)


class PlantedFaults(Case):
    """Each of these verifiers has one fault, which the tests above must find; in process only, one machine will do."""

    def faulty(self, right, wrong):
        return planted("verifier", right, wrong)

    def found(self, right, wrong):
        return misjudged(self, Streams.of_vectors(verifier=self.faulty(right, wrong)))

    def test_a_signer_that_counts_twice(self):
        self.assertEqual(self.found("twice |= seen & (1 << index)", "twice |= 0"), ["duplicate_signer"])

    def test_more_signatures_than_due(self):
        self.assertEqual(self.found("if rs != due:", "if rs < due:"), ["too_many_signatures"])

    def test_fewer_signatures_than_due(self):
        self.assertEqual(self.found("if rs != due:", "if rs > due:"), ["too_few_signatures", "no_signatures"])

    def test_signers_that_nobody_knows(self):
        found = self.found("        if index == 0:\n            self._refuse()\n", "")
        self.assertEqual(found, ["unauthorised_signer", "v_flipped", "r_zero"])

    def test_a_context_that_is_not_signed(self):
        self.assertIn("baseline_ok", self.found("slice(report, 0, 96)", "slice(report, 0, 64)"))

    def test_an_overflow_that_wraps(self):
        self.assertEqual(self.found("if v > MAX_RECOVERY:", "if v > 255:"), ["v_overflow_0xe5"])

    def test_arrays_of_different_lengths(self):
        self.assertEqual(self.found("    if rs != ss:", "    if rs < ss:"), ["rs_ss_length_mismatch"])

    def test_an_inactive_digest(self):
        faulty = Streams(verifier=self.faulty("if (state >> 8) & 1 == 0:", "if state == 0:"))
        seen = rotated(self, faulty)
        self.assertNotEqual(seen, ROTATION)
        self.assertIsNone(seen[2]["old"])

    def test_old_signers_that_stay(self):
        faulty = Streams(verifier=self.faulty("        self._signers[configDigest][signer] = 0\n", ""))
        self.refuses(error("NonUniqueSignatures()"), rotated, self, faulty)


if __name__ == "__main__":
    unittest.main()
