"""Configurator and ChannelConfigStore of the price streams: digests of the vectors, handover, who may add channels."""

import unittest

from eth_abi import decode, encode
from eth_utils import keccak, to_checksum_address

from chain import OWNER, ZERO, Chain, artifact, error, selector, streams_vectors, string_error
from harness import Case, b, on_every_machine
from streams import digest_of

STRANGER = to_checksum_address(b"\x77" * 20)
SIGNERS = [bytes([i + 1]) * 20 for i in range(4)]
TRANSMITTERS = [bytes([i + 1]) * 32 for i in range(4)]
ID = (42).to_bytes(32, "big")
HASHED = ["bytes32", "uint256", "address", "uint64", "bytes[]", "bytes32[]", "uint8", "bytes", "uint64", "bytes"]
SET = ["uint32", "bytes32", "uint64", "bytes[]", "bytes32[]", "uint8", "bytes", "uint64", "bytes", "bool"]
FORM = "(bytes32,uint32,bytes32,uint64,bytes[],bytes32[],uint8,bytes,uint64,bytes,bool)"


def onchain(predecessor=bytes(32), version=1):
    return encode(["uint256", "bytes32"], [version, predecessor])


def arguments(predecessor=bytes(32), signers=SIGNERS, f=1, config=None):
    return ID, list(signers), TRANSMITTERS, f, onchain(predecessor) if config is None else config, 30, b"\x08\x01"


def digest(chain_id, address, count, given):
    """Section 3.3."""
    values = [given[0], chain_id, address, count, *given[1:]]
    return b"\x00\x09" + keccak(encode(HASHED, values))[2:]


class Digests(unittest.TestCase):
    """The formula that the tests below hold the contract against is that of the vectors."""

    def test_vectors(self):
        tried = 0
        for config in streams_vectors()["configDigests"]:
            if not config["kind"].startswith("Configurator"):
                continue
            given = (
                b(config["configId"]), [b(s) for s in config["signers"]],
                [b(t) for t in config["offchainTransmitters"]], config["f"], b(config["onchainConfig"]),
                int(config["offchainConfigVersion"]), b(config["offchainConfig"]),
            )
            made = digest(int(config["sourceChainId"]), config["sourceAddress"], int(config["configCount"]), given)
            self.assertEqual(made, b(config["configDigest"]))
            tried += 1
        self.assertEqual((tried, len(streams_vectors()["configDigests"])), (4, 6))


@on_every_machine
class VectorDigests(Case):
    """The contract at the vectors' address, on a chain with their id, makes their digests."""
    logs_blocks = True


    def test_the_contract_makes_them(self):
        contracts, tried = {}, 0
        for config in streams_vectors()["configDigests"]:
            if not config["kind"].startswith("Configurator"):
                continue
            chain_id, address = int(config["sourceChainId"]), to_checksum_address(config["sourceAddress"])
            if (chain_id, address) not in contracts:
                contracts[chain_id, address] = Chain(chain_id).deploy(artifact("configurator"), at=b(address))
            follows = any(b(config["onchainConfig"])[32:])
            result = contracts[chain_id, address].send(
                "setStagingConfig" if follows else "setProductionConfig",
                b(config["configId"]), [b(s) for s in config["signers"]],
                [b(t) for t in config["offchainTransmitters"]], config["f"], b(config["onchainConfig"]),
                int(config["offchainConfigVersion"]), b(config["offchainConfig"]),
            )
            told = decode(SET, result.logs[0][2])
            self.assertEqual((told[1], told[2]), (b(config["configDigest"]), int(config["configCount"])))
            tried += 1
        self.assertEqual(tried, 4)


@on_every_machine
class Handover(Case):
    logs_blocks = True

    def setUp(self):
        self.chain = Chain()
        self.contract = self.chain.deploy(artifact("configurator"))
        self.count = 0

    def set(self, stage, predecessor=bytes(32), green=False):
        """Sets a configuration that must be taken, and returns the digest that its log tells."""
        given = arguments(predecessor)
        result = self.contract.send(f"set{stage}Config", *given)
        self.count += 1
        made = digest(5734951, self.contract.address, self.count, given)
        [(address, topics, data)] = result.logs
        self.assertEqual((address, topics), (self.contract.address, [keccak(text=f"{stage}ConfigSet{FORM}"), ID]))
        told = decode(SET, data)
        self.assertEqual(told[1:3], (made, self.count))
        self.assertEqual(told[3:], (tuple(SIGNERS), tuple(TRANSMITTERS), 1, given[4], 30, b"\x08\x01", green))
        return made

    def promote(self, retired, green):
        result = self.contract.send("promoteStagingConfig", ID, green)
        self.assertEqual(result.logs, [(
            self.contract.address, [keccak(text="PromoteStagingConfig(bytes32,bytes32,bool)"), ID, retired],
            encode(["bool"], [not green]),
        )])

    def test_blue_and_green(self):
        blue = self.set("Production")
        green = self.set("Staging", blue)
        self.assertNotEqual(blue, green)
        self.promote(blue, green=False)
        # Green produces now: the next one follows it, and takes blue's place.
        self.refuses(error("InvalidPredecessorConfigDigest(bytes32)", blue), self.contract.send, "setStagingConfig",
                     *arguments(blue))
        next_blue = self.set("Staging", green, green=True)
        self.promote(green, green=True)
        self.refuses(error("IsGreenProductionMustMatchContractState(bytes32,bool)", ID, False), self.contract.send,
                     "promoteStagingConfig", ID, True)
        # Production that is dead is replaced in place.
        fresh = self.set("Production")
        self.refuses(error("InvalidPredecessorConfigDigest(bytes32)", next_blue), self.contract.send,
                     "setStagingConfig", *arguments(next_blue))
        self.set("Staging", fresh)

    def test_what_is_refused(self):
        send = self.contract.send
        self.refuses(error("ConfigUnset(bytes32)", ID), send, "promoteStagingConfig", ID, False)
        self.refuses(error("IsGreenProductionMustMatchContractState(bytes32,bool)", ID, False), send,
                     "promoteStagingConfig", ID, True)
        self.refuses(error("InvalidPredecessorConfigDigest(bytes32)", bytes(32)), send, "setStagingConfig",
                     *arguments())
        blue = self.set("Production")
        self.refuses(error("ConfigUnsetStaging(bytes32,bool)", ID, False), send, "promoteStagingConfig", ID, False)
        self.refuses(error("NonZeroPredecessorConfigDigest(bytes32)", blue), send, "setProductionConfig",
                     *arguments(blue))
        for name in ("setProductionConfig", "setStagingConfig"):
            for given, refusal in [
                (arguments(f=0), error("FaultToleranceMustBePositive()")),
                (arguments(signers=SIGNERS[:3]), error("InsufficientSigners(uint256,uint256)", 3, 4)),
                (arguments(signers=SIGNERS * 8), error("ExcessSigners(uint256,uint256)", 32, 31)),
                (arguments(config=b"\x01" * 63), error("InvalidOnchainLength(uint256)", 63)),
                (arguments(config=b""), error("InvalidOnchainLength(uint256)", 0)),
                (arguments(config=onchain(version=0)), error("UnsupportedOnchainConfigVersion(uint256)", 0)),
            ]:
                self.refuses(refusal, send, name, *given)
            self.refuses(string_error("Only callable by owner"), send, name, *arguments(), sender=STRANGER)
        self.refuses(string_error("Only callable by owner"), send, "promoteStagingConfig", ID, False, sender=STRANGER)

    def test_who_it_is(self):
        self.assertEqual(self.contract.call("typeAndVersion"), "Configurator 0.5.0")
        names = [f"set{stage}Config(bytes32,bytes[],bytes32[],uint8,bytes,uint64,bytes)"
                 for stage in ("Production", "Staging")]
        self.assertTrue(self.contract.call(
            "supportsInterface", exclusive_or(*names, "promoteStagingConfig(bytes32,bool)")
        ))
        self.assertFalse(self.contract.call("supportsInterface", selector("supportsInterface(bytes4)")))


def exclusive_or(*signatures):
    """The id of an interface."""
    total = 0
    for signature in signatures:
        total ^= int.from_bytes(selector(signature), "big")
    return total.to_bytes(4, "big")


@on_every_machine
class ChannelDefinitions(Case):
    ADDER = to_checksum_address(b"\x31" * 20)

    def setUp(self):
        self.store = Chain().deploy(artifact("channel_config_store"))

    def test_the_owners_definitions(self):
        for version in (1, 2):
            result = self.store.send("setChannelDefinitions", 7, "https://example.org/a.json", digest_of("a"))
            self.assertEqual(result.logs, [(
                self.store.address,
                [keccak(text="NewChannelDefinition(uint256,uint32,string,bytes32)"), (7).to_bytes(32, "big")],
                encode(["uint32", "string", "bytes32"], [version, "https://example.org/a.json", digest_of("a")]),
            )])
        for name, *given in [("setChannelDefinitions", 7, "", bytes(32)), ("setChannelAdder", 7, 1000, True),
                             ("setChannelAdderAddress", 1000, STRANGER)]:
            self.refuses(string_error("Only callable by owner"), self.store.send, name, *given, sender=STRANGER)

    def test_adders(self):
        store = self.store
        add = lambda sender=self.ADDER, don=7: store.send(
            "addChannelDefinitions", don, 1000, "url", digest_of("b"), sender=sender
        )
        unauthorized = error("UnauthorizedChannelAdder()")
        self.refuses(unauthorized, add)
        store.send("setChannelAdderAddress", 1000, self.ADDER)
        self.refuses(unauthorized, add)
        store.send("setChannelAdder", 7, 1000, True)
        self.assertEqual(add().logs, [(
            store.address,
            [keccak(text="ChannelDefinitionAdded(uint256,uint32,string,bytes32)"), (7).to_bytes(32, "big"),
             (1000).to_bytes(32, "big")],
            encode(["string", "bytes32"], ["url", digest_of("b")]),
        )])
        self.refuses(unauthorized, add, sender=OWNER)
        self.refuses(unauthorized, add, don=8)
        for adder in (1001, 1002, 1001):
            store.send("setChannelAdder", 7, adder, True)
        self.assertEqual(store.call("getAllowedChannelAdders", 7), (1000, 1001, 1002))
        for adder in (1000, 1000):
            store.send("setChannelAdder", 7, adder, False)
        self.assertEqual(store.call("getAllowedChannelAdders", 7), (1002, 1001))
        self.refuses(unauthorized, add)
        store.send("setChannelAdder", 7, 1002, False)
        store.send("setChannelAdder", 7, 1001, False)
        self.assertEqual(store.call("getAllowedChannelAdders", 7), ())
        self.assertFalse(store.call("isChannelAdderAllowed", 7, 1001))
        store.send("setChannelAdder", 7, 1000, True)
        store.send("setChannelAdderAddress", 1000, ZERO)
        self.assertEqual(store.call("getChannelAdderAddress", 1000), ZERO)
        self.refuses(unauthorized, add)
        for name, *given in [("setChannelAdder", 7, 999, True), ("setChannelAdderAddress", 999, STRANGER)]:
            self.refuses(error("ReservedChannelAdderId()"), store.send, name, *given)

    def test_who_it_is(self):
        self.assertEqual(self.store.call("typeAndVersion"), "ChannelConfigStore 1.0.0")
        self.assertTrue(self.store.call("supportsInterface", exclusive_or(
            "setChannelDefinitions(uint32,string,bytes32)", "addChannelDefinitions(uint32,uint32,string,bytes32)",
            "setChannelAdderAddress(uint32,address)", "setChannelAdder(uint32,uint32,bool)",
            "getChannelAdderAddress(uint32)", "isChannelAdderAllowed(uint32,uint32)",
            "getAllowedChannelAdders(uint32)",
        )))


if __name__ == "__main__":
    unittest.main()
