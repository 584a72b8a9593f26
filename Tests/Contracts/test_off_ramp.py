"""The off-ramp's settings and their refusals, simulation of deliveries, and the hashes that a chain can be asked for.
Commits and executions are in test_recorded_lane.

Run: .venv/bin/python -m unittest discover -s Tests/Contracts
"""

import unittest

from eth_abi import encode
from eth_utils import to_checksum_address

from chain import OWNER, ZERO, Chain, artifact, error, mock, vectors
from test_pools import topic, topics_of
from test_sending import Case, b

SOURCE, HERE = 909606746561742123, 5548718428018410741
STRANGER = to_checksum_address(b"\x77" * 20)
ON_RAMP = encode(["address"], [to_checksum_address(b"\x0e" * 20)])


def accounts(count, first=1):
    return [to_checksum_address((first + n).to_bytes(20, "big")) for n in range(count)]


class OffRampCase(Case):
    def setUp(self):
        self.chain = chain = Chain()
        self.arm = chain.deploy(mock("arm"))
        self.router = chain.deploy(artifact("router"), STRANGER, self.arm.address)
        self.registry = chain.deploy(artifact("token_admin_registry"))
        self.nonces = chain.deploy(artifact("nonce_manager"), [])
        self.static = (HERE, 5000, self.arm.address, self.registry.address, self.nonces.address)
        self.dynamic = (STRANGER, 3600, ZERO)
        self.off_ramp = self.deploy()
        self.router.send("applyRampUpdates", [], [], [(SOURCE, self.off_ramp.address)])

    def source(self, **changes):
        given = {"router": self.router.address, "selector": SOURCE, "enabled": True, "rmn": True, "ramp": ON_RAMP}
        return tuple({**given, **changes}.values())

    def deploy(self, static=None, dynamic=None, sources=None):
        return self.chain.deploy(
            artifact("off_ramp"), static or self.static, dynamic or self.dynamic,
            [self.source()] if sources is None else sources,
        )

    def message(self, receiver=STRANGER, data=b"hello", gas=100_000):
        header = (b"\1" * 32, SOURCE, HERE, 1, 0)
        return (header, encode(["address"], [OWNER]), data, receiver, gas, [])


class Settings(OffRampCase):
    def test_construction(self):
        zero = error("ZeroAddressNotAllowed()")
        for place in (2, 3, 4):
            self.refuses(zero, self.deploy, tuple(ZERO if i == place else v for i, v in enumerate(self.static)))
        self.refuses(error("ZeroChainSelectorNotAllowed()"), self.deploy, (0, *self.static[1:]))
        self.refuses(zero, self.deploy, dynamic=(ZERO, 1, ZERO))
        self.refuses(zero, self.deploy, sources=[self.source(router=ZERO)])
        self.assertEqual(self.off_ramp.call("getStaticConfig"), tuple(
            v.lower() if isinstance(v, str) else v for v in self.static
        ))

    def test_sources(self):
        apply = lambda **changes: self.off_ramp.send("applySourceChainConfigUpdates", [self.source(**changes)])
        self.refuses(error("ZeroChainSelectorNotAllowed()"), apply, selector=0)
        self.refuses(error("ZeroAddressNotAllowed()"), apply, router=ZERO)
        for ramp in (b"", bytes(32)):
            self.refuses(error("ZeroAddressNotAllowed()"), apply, ramp=ramp, selector=9)
        added = apply(selector=9)
        config = "(address,bool,uint64,bool,bytes)"
        self.assertEqual(topics_of(added), [
            topic("SourceChainSelectorAdded(uint64)"), topic(f"SourceChainConfigSet(uint64,{config})")
        ])
        self.assertEqual(topics_of(apply(selector=9, enabled=False)), [topic(f"SourceChainConfigSet(uint64,{config})")])
        self.assertEqual(
            self.off_ramp.call("getSourceChainConfig", 9), (self.router.address.lower(), False, 1, True, ON_RAMP)
        )
        self.assertEqual(self.off_ramp.call("getAllSourceChainConfigs")[0], (SOURCE, 9))
        # Nothing is committed yet, so the on-ramp may still change.
        apply(ramp=b"\5" * 32)
        self.refuses(
            error("OnlyCallableByOwner()"), self.off_ramp.send, "applySourceChainConfigUpdates", [], sender=STRANGER
        )

    def test_dynamic(self):
        self.refuses(error("ZeroAddressNotAllowed()"), self.off_ramp.send, "setDynamicConfig", (ZERO, 1, ZERO))
        self.refuses(
            error("OnlyCallableByOwner()"), self.off_ramp.send, "setDynamicConfig", self.dynamic, sender=STRANGER
        )
        changed = self.off_ramp.send("setDynamicConfig", (STRANGER, 7, OWNER))
        self.assertEqual(topics_of(changed), [topic("DynamicConfigSet((address,uint32,address))")])
        self.assertEqual(self.off_ramp.call("getDynamicConfig"), (STRANGER, 7, OWNER))

    def test_oracles(self):
        setting = lambda kind=0, f=1, checked=True, signers=(), transmitters=(), sender=OWNER: self.off_ramp.send(
            "setOCR3Configs", [(b"\1" * 32, kind, f, checked, list(signers), list(transmitters))], sender=sender
        )
        four, others = accounts(4), accounts(4, 100)
        invalid = lambda reason: error("InvalidConfig(uint8)", reason)
        self.refuses(invalid(0), setting, f=0)
        self.refuses(invalid(1), setting, transmitters=accounts(257))
        self.refuses(invalid(5), setting, signers=four)
        self.refuses(invalid(2), setting, signers=accounts(257, 1000), transmitters=others)
        self.refuses(invalid(3), setting, signers=four[:3], transmitters=others[:1])
        self.refuses(invalid(1), setting, signers=four, transmitters=accounts(5, 100))
        self.refuses(invalid(4), setting, signers=four, transmitters=four)
        self.refuses(invalid(4), setting, signers=[*four[:3], four[0]], transmitters=others)
        zero = error("OracleCannotBeZeroAddress()")
        self.refuses(zero, setting, signers=[*four[:3], ZERO], transmitters=others)
        self.refuses(zero, setting, signers=four, transmitters=[ZERO])
        self.refuses(
            error("SignatureVerificationRequiredInCommitPlugin()"), setting, checked=False, transmitters=others
        )
        self.refuses(
            error("SignatureVerificationNotAllowedInExecutionPlugin()"),
            setting, kind=1, signers=four, transmitters=others,
        )
        result = setting(signers=four, transmitters=others)
        self.assertEqual(topics_of(result), [topic("ConfigSet(uint8,bytes32,address[],address[],uint8)")])
        self.refuses(
            error("StaticConfigCannotBeChanged(uint8)", 0), setting, checked=False, transmitters=others
        )
        self.refuses(error("OnlyCallableByOwner()"), setting, sender=STRANGER)
        # Whoever signed before may transmit now.
        setting(signers=others, transmitters=four)
        (digest, f, n, checked), signers, transmitters = self.off_ramp.call("latestConfigDetails", 0)
        self.assertEqual((digest, f, n, checked), (b"\1" * 32, 1, 4, True))
        self.assertEqual((list(signers), list(transmitters)), (others, four))

    def test_the_most_oracles(self):
        signers, transmitters = accounts(256), accounts(256, 1000)
        self.off_ramp.send("setOCR3Configs", [(b"\1" * 32, 0, 85, True, signers, transmitters)])
        self.assertEqual(len(self.off_ramp.call("latestConfigDetails", 0)[1]), 256)

    def test_it_receives_nothing(self):
        arriving = (bytes(32), SOURCE, b"", b"", [])
        self.refuses(b"", self.off_ramp.send, "ccipReceive", arriving)
        self.refuses(
            error("CanOnlySelfCall()"), self.off_ramp.raw,
            self.off_ramp.data("executeSingleMessage", self.message(), [], []),
        )


class Simulation(OffRampCase):
    """A delivery can be tried by eth_call before anything is committed: as the off-ramp, or as the router."""

    def test_as_the_off_ramp(self):
        receiver = self.chain.deploy(mock("receiver"))
        trial = lambda gas=100_000: self.off_ramp.raw(
            self.off_ramp.data("executeSingleMessage", self.message(receiver.address, gas=gas), [], []),
            sender=self.off_ramp.address,
        )
        self.assertIn(topic("MessageExecuted(bytes32,uint64,address,bytes32)"), topics_of(trial()))
        self.assertNotEqual(receiver.call("seen"), bytes(32))
        receiver.send("refuse", b"\xab\xcd")
        self.refuses(error("ReceiverError(bytes)", b"\xab\xcd"), trial)
        self.refuses(error("NotEnoughGasForCall()"), trial, gas=10**9)

    def test_as_the_router(self):
        receiver = self.chain.deploy(artifact("storing_receiver"), self.router.address)
        arriving = (b"\1" * 32, SOURCE, encode(["address"], [OWNER]), b"hello", [])
        receiver.send("ccipReceive", arriving, sender=self.router.address)
        self.assertEqual(receiver.call("lastData"), b"hello")
        self.refuses(error("InvalidRouter(address)", STRANGER), receiver.send, "ccipReceive", arriving, sender=STRANGER)


class Hashes(Case):
    def setUp(self):
        self.hasher = Chain().deploy(artifact("message_hasher"))

    def test_leaves_are_the_recorded_ones(self):
        found = vectors()["any2EvmMessageHash"]
        self.assertGreater(len(found), 20)
        for vector in found:
            m = vector["message"]
            header = (
                b(m["header"]["messageId"]), *(int(m["header"][k]) for k in (
                    "sourceChainSelector", "destChainSelector", "sequenceNumber", "nonce"
                )),
            )
            tokens = [
                (b(t["sourcePoolAddress"]), t["destTokenAddress"], int(t["destGasAmount"]), b(t["extraData"]),
                 int(t["amount"]))
                for t in m["tokenAmounts"]
            ]
            message = (header, b(m["sender"]), b(m["data"]), m["receiver"], int(m["gasLimit"]), tokens)
            on_ramp = b(vector["onRamp"])
            self.assertEqual(self.hasher.call("hash", message, on_ramp), b(vector["leaf"]))

    def test_extra_args(self):
        tags = {"V1": "97a657c9", "V2": "181dcf10", "SVM": "1f3b3aba"}
        v2 = bytes.fromhex(tags["V2"]) + encode(["uint256", "bool"], [7, True])
        self.assertEqual(
            self.hasher.call("encodeEVMExtraArgsV1", (7,)), bytes.fromhex(tags["V1"]) + encode(["uint256"], [7])
        )
        self.assertEqual(self.hasher.call("encodeEVMExtraArgsV2", (7, True)), v2)
        self.assertEqual(self.hasher.call("encodeGenericExtraArgsV2", (7, True)), v2)
        svm = (1, 2, True, b"\3" * 32, [b"\4" * 32] * 2)
        body = encode(["(uint32,uint64,bool,bytes32,bytes32[])"], [svm])
        self.assertEqual(self.hasher.call("encodeSVMExtraArgsV1", svm), bytes.fromhex(tags["SVM"]) + body)
        self.assertEqual(self.hasher.call("decodeSVMExtraArgsStruct", svm), (*svm[:4], tuple(svm[4])))
        self.assertEqual(self.hasher.call("decodeEVMExtraArgsV1", 7), (7,))
        for name in ("decodeEVMExtraArgsV2", "decodeGenericExtraArgsV2"):
            self.assertEqual(self.hasher.call(name, 7, True), (7, True))

    def test_preimages(self):
        words = [bytes([n]) * 32 for n in range(6)]
        self.assertEqual(self.hasher.call("encodeFinalHashPreimage", *words), b"".join(words))
        self.assertEqual(
            self.hasher.call("encodeMetadataHashPreimage", words[1], 2, 3, words[4]),
            encode(["bytes32", "uint64", "uint64", "bytes32"], [words[1], 2, 3, words[4]]),
        )
        self.assertEqual(
            self.hasher.call("encodeFixedSizeFieldsHashPreimage", words[1], STRANGER, 2, 3, 4),
            encode(["bytes32", "address", "uint64", "uint256", "uint64"], [words[1], STRANGER, 2, 3, 4]),
        )
        there = [(b"\1" * 32, STRANGER, 2, b"\3" * 5, 4)] * 2
        self.assertEqual(
            self.hasher.call("encodeAny2EVMTokenAmountsHashPreimage", there),
            encode(["(bytes,address,uint32,bytes,uint256)[]"], [there]),
        )
        here = [(STRANGER, b"\1" * 32, b"\3" * 5, 4, b"\5" * 32)]
        self.assertEqual(
            self.hasher.call("encodeEVM2AnyTokenAmountsHashPreimage", here),
            encode(["(address,bytes,bytes,uint256,bytes)[]"], [here]),
        )


if __name__ == "__main__":
    unittest.main()
