"""Fee quotes, extra arguments and constants of the vectors on our fee quoter, pools and risk management contract."""

import itertools
import unittest

from eth_abi import decode, encode
from eth_utils import keccak

from chain import OWNER, ZERO, Chain, artifact, error, vectors
from harness import Case, b, on_every_machine
from reference import PAD_LEAF, node, tree

LINK = "0xA24dc96c7cFd9e1c44D482f5fb78D118ff0C53f3"
# Versions 1.6.0 and 1.6.3 of the fee quoter.
OLDER, NEWER = "fee_quoter", "fee_quoter_1_6_3"
EVM_FAMILY, SVM_FAMILY, SUI_FAMILY = "CHAIN_FAMILY_EVM", "CHAIN_FAMILY_SVM", "CHAIN_FAMILY_SUI"
# Of a destination where nothing but the arguments matters.
PLAIN_CONFIG = {
    "isEnabled": True, "maxNumberOfTokensPerMsg": 5, "maxDataBytes": 30_000, "maxPerMsgGasLimit": 2**32 - 1,
    "destGasOverhead": 1, "destGasPerPayloadByteBase": 16, "destGasPerPayloadByteHigh": 40,
    "destGasPerPayloadByteThreshold": 3000, "destDataAvailabilityOverheadGas": 0, "destGasPerDataAvailabilityByte": 0,
    "destDataAvailabilityMultiplierBps": 0, "chainFamilySelector": "0x2812d52c", "enforceOutOfOrder": False,
    "defaultTokenFeeUSDCents": 1, "defaultTokenDestGasOverhead": 1, "defaultTxGasLimit": 200_000,
    "gasMultiplierWeiPerEth": 1, "gasPriceStalenessThreshold": 0, "networkFeeUSDCents": 1,
}
# The fields of a DestChainConfig are in the order of section 15.2, as the vectors list them.
BYTES4_FIELD = "chainFamilySelector"


def config_words(config):
    return tuple(
        b(value) if name == BYTES4_FIELD else value if isinstance(value, bool) else int(value)
        for name, value in config.items()
    )


class Quoting(Case):
    """Both versions, with the same prices and configurations; `version` chooses who is asked."""

    def setUp(self):
        self.chain = Chain()
        settings = ((2**96 - 1, LINK, 90_000), [OWNER], [LINK], [], [], [], [])
        self.quoters = {name: self.chain.deploy(artifact(name), *settings) for name in (OLDER, NEWER)}
        self.choose(OLDER)
        self.price(LINK, 10**18)
        self.choose(NEWER)
        self.price(LINK, 10**18)

    def choose(self, version):
        self.quoter = self.quoters[version]

    def price(self, token, value):
        self.quoter.send("updatePrices", ([(token, value)], []))

    def set_dest(self, selector, config):
        self.quoter.send("applyDestChainConfigUpdates", [(selector, config_words(config))])


@on_every_machine
class FeeQuotes(Quoting):
    def test_all(self):
        quotes = vectors()["feeQuotes"]
        self.assertEqual(len(quotes), 40)
        self.assertEqual(list(PLAIN_CONFIG), list(quotes[0]["destChainConfig"]))
        fee_tokens = sorted({token for quote in quotes for token in quote["premiumMultiplierWeiPerEth"]})
        for version in (OLDER, NEWER):
            self.choose(version)
            self.quoter.send("applyFeeTokensUpdates", [], fee_tokens)
            self.check(quotes)

    def check(self, quotes):
        """Each quote of both recorded versions: the formula is the same."""
        with_tokens = 0
        for dest, quote in enumerate(quotes, 1):
            self.set_dest(dest, quote["destChainConfig"])
            transfers = [
                (token, tuple(int(value) if not isinstance(value, bool) else value for value in config.values()))
                for token, config in quote["tokenTransferFeeConfig"].items()
            ]
            self.quoter.send("applyTokenTransferFeeConfigUpdates", [(dest, transfers)], [])
            premiums = [(token, int(value)) for token, value in quote["premiumMultiplierWeiPerEth"].items()]
            self.quoter.send("applyPremiumMultiplierWeiPerEthUpdates", premiums)
            prices = [(token, int(value)) for token, value in quote["usdPerToken"].items()]
            self.quoter.send("updatePrices", (prices, [(dest, int(quote["usdPerUnitGasPacked"]))]))
            message = (
                encode(["address"], [OWNER]), bytes(quote["dataLength"]),
                [(item["token"], int(item["amount"])) for item in quote["tokenAmounts"]],
                quote["feeToken"], b(quote["extraArgs"]),
            )
            with self.subTest(quote["name"]):
                self.assertEqual(str(self.quoter.call("getValidatedFee", dest, message)), quote["fee"])
            with_tokens += len(message[2]) > 0
        self.assertEqual({q["source"] for q in quotes}, {"executed:FeeQuoter 1.6.0", "executed:FeeQuoter 1.6.3"})
        self.assertGreater(with_tokens, 10)


@on_every_machine
class ExtraArguments(Quoting):
    EVM, SVM, SUI = 1, 2, 3

    def setUp(self):
        super().setUp()
        families = {self.EVM: EVM_FAMILY, self.SVM: SVM_FAMILY, self.SUI: SUI_FAMILY}
        for version in (OLDER, NEWER):
            self.choose(version)
            for selector, family in families.items():
                self.set_dest(selector, {**PLAIN_CONFIG, BYTES4_FIELD: vectors()["constants"][family]})
        self.receiver = encode(["address"], [OWNER])

    def process(self, dest, arguments, fee_token=LINK, fee=10**18, receiver=None):
        return self.quoter.call("processMessageArgs", dest, fee_token, fee, arguments, receiver or self.receiver)

    def test_encodings(self):
        for version in (OLDER, NEWER):
            self.choose(version)
            self.check_encodings(version)

    def check_encodings(self, version):
        found = {}
        for vector in vectors()["extraArgs"]:
            kind, encoded = vector["kind"], b(vector["encoded"])
            found[kind] = found.get(kind, 0) + 1
            with self.subTest(vector):
                if kind == "SVMExtraArgsV1":
                    due = (10**18, True, encoded, b(vector["tokenReceiver"]))
                    self.assertEqual(self.process(self.SVM, encoded), due)
                elif kind == "SuiExtraArgsV1" and version == NEWER:
                    due = (10**18, True, encoded, b(vector["tokenReceiver"]))
                    self.assertEqual(self.process(self.SUI, encoded), due)
                elif kind == "SuiExtraArgsV1":
                    # Version 1.6.0 takes generic arguments for SUI; its own came with 1.6.3 (section 15.6).
                    self.refuses(error("InvalidExtraArgsTag()"), self.process, self.SUI, encoded)
                else:
                    in_any_order = vector.get("allowOutOfOrderExecution", False)
                    gas = int(vector["gasLimit"])
                    tag = b(vectors()["constants"]["GENERIC_EXTRA_ARGS_V2_TAG"])
                    due = tag + encode(["uint256", "bool"], [gas, in_any_order])
                    answer = self.process(self.EVM, encoded)
                    self.assertEqual(answer, (10**18, in_any_order, due, self.receiver))
        self.assertEqual(sum(found.values()), 26)
        self.assertEqual(
            set(found), {"EVMExtraArgsV1", "GenericExtraArgsV2", "SVMExtraArgsV1", "SuiExtraArgsV1"}
        )

    def test_normalisation(self):
        cases = vectors()["extraArgsNormalisation"]
        self.assertEqual(len(cases), 7)
        for version, case in itertools.product((OLDER, NEWER), cases):
            self.choose(version)
            with self.subTest(case["name"], version=version):
                juels, in_any_order, arguments, receiver = self.process(
                    self.EVM, b(case["input"]), fee=int(case["feeTokenAmount"]), receiver=b(case["messageReceiver"])
                )
                self.assertEqual(str(juels), case["msgFeeJuels"])
                self.assertEqual(in_any_order, case["isOutOfOrderExecution"])
                self.assertEqual("0x" + arguments.hex(), case["convertedExtraArgs"])
                self.assertEqual("0x" + receiver.hex(), case["tokenReceiver"])


@on_every_machine
class Constants(Quoting):
    """All 23: what a contract answers or acts by. Hashes and paddings enter the leaves and roots of other tests."""

    # Formats of pools that are none of ours; Tests/CCIPTests/MessageVectorTests.swift and ChainVectorTests.swift.
    SWIFT_ONLY = ["CCTP_V1_TAG", "CCTP_V2_TAG", "LOCK_RELEASE_FLAG"]

    def test_all(self):
        self.choose(OLDER)
        constants = dict(vectors()["constants"])
        self.assertEqual(len(constants), 23)
        take = lambda name: b(constants.pop(name))
        for name in self.SWIFT_ONLY:
            take(name)

        rmn = self.chain.deploy(artifact("rmn_remote"), 1, ZERO)
        self.assertEqual(rmn.call("getReportDigestHeader"), take("RMN_V1_6_ANY2EVM_REPORT"))
        everything = take("GLOBAL_CURSE_SUBJECT")
        curse = keccak(text="curse(bytes16)")[:4] + encode(["bytes16"], [everything])
        subject = keccak(text="isCursed(bytes16)")[:4] + encode(["bytes16"], [bytes(15) + b"\x07"])
        cursed = lambda: decode(["bool"], self.chain.call(subject, rmn.address))[0]
        self.assertFalse(cursed())
        rmn.raw(curse)
        self.assertTrue(cursed())

        token = self.chain.deploy(artifact("burn_mint_erc20"), "Token", "TOK", 18, 0, 0, OWNER)
        interface = take("CCIP_POOL_V1")
        for name in ["burn_mint_token_pool", "lock_release_token_pool"]:
            pool = self.chain.deploy(artifact(name), token.address, 18, [], rmn.address, OWNER)
            self.assertTrue(pool.call("supportsInterface", interface))
            self.assertFalse(pool.call("supportsInterface", b"\xff" * 4))

        for selector, family in enumerate(["EVM", "SVM", "APTOS", "SUI"], 1):
            self.set_dest(selector, {**PLAIN_CONFIG, BYTES4_FIELD: constants.pop(f"CHAIN_FAMILY_{family}")})
        # TVM came with version 1.6.3.
        unknown = {**PLAIN_CONFIG, BYTES4_FIELD: constants.pop("CHAIN_FAMILY_TVM")}
        self.refuses(error("InvalidDestChainConfig(uint64)", 9), self.set_dest, 9, unknown)
        self.choose(NEWER)
        self.set_dest(9, unknown)
        self.choose(OLDER)

        process = lambda dest, arguments: self.quoter.call(
            "processMessageArgs", dest, LINK, 1, arguments, encode(["address"], [OWNER])
        )[2]
        generic = take("GENERIC_EXTRA_ARGS_V2_TAG") + encode(["uint256", "bool"], [77, False])
        self.assertEqual(process(1, take("EVM_EXTRA_ARGS_V1_TAG") + encode(["uint256"], [77])), generic)
        self.assertEqual(process(1, generic), generic)
        solana = take("SVM_EXTRA_ARGS_V1_TAG") + encode(
            ["(uint32,uint64,bool,bytes32,bytes32[])"], [(1, 0, True, bytes(32), [])]
        )
        self.assertEqual(process(2, solana), solana)
        self.refuses(error("InvalidExtraArgsTag()"), process, 4, take("SUI_EXTRA_ARGS_V1_TAG") + bytes(160))

        # What the reference in reference.py, and with it every leaf and root of these tests, is made of.
        named = {"ANY_2_EVM_MESSAGE_HASH": "Any2EVMMessageHashV1", "EVM_2_ANY_MESSAGE_HASH": "EVM2AnyMessageHashV1"}
        for name, text in named.items():
            self.assertEqual(take(name), keccak(text=text))
        self.assertEqual(take("LEAF_DOMAIN_SEPARATOR"), bytes(32))
        self.assertEqual(keccak(take("INTERNAL_DOMAIN_SEPARATOR") + bytes(64)), node(bytes(32), bytes(32)))
        self.assertEqual(take("MERKLE_PAD_LEAF"), PAD_LEAF)
        self.assertEqual(tree([b"\1" * 32] * 3)[1][1], node(b"\1" * 32, PAD_LEAF))
        self.assertEqual(take("keccak_empty_bytes"), keccak(b""))
        self.assertEqual(take("keccak_abi_encode_zero_address"), keccak(bytes(32)))
        self.assertEqual(take("keccak_empty_token_array"), keccak(encode(["uint256[]"], [[]])))
        self.assertEqual(constants, {})


if __name__ == "__main__":
    unittest.main()
