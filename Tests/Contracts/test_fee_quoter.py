"""The fee quoter: who may set what, what it refuses by name, and where its two versions differ.

Run: .venv/bin/python -m unittest discover -s Tests/Contracts
"""

import unittest

from eth_abi import encode
from eth_utils import keccak, to_checksum_address

from chain import OWNER, ZERO, Chain, artifact, error, mock
from test_pools import topic, topics_of
from test_sending import Case

STRANGER = to_checksum_address(b"\x77" * 20)
LINK, OTHER = to_checksum_address(b"\x11" * 20), to_checksum_address(b"\x22" * 20)
DEST = 5009297550715157269
FAMILIES = {
    name: keccak(text=f"CCIP ChainFamilySelector {name}")[:4] for name in ("EVM", "SVM", "APTOS", "SUI", "TVM")
}
CONFIG = (
    "(bool,uint16,uint32,uint32,uint32,uint8,uint8,uint16,uint32,uint16,uint16,bytes4,bool,uint16,uint32,uint32,uint64,"
    "uint32,uint32)"
)
GENERIC, SVM, SUI = bytes.fromhex("181dcf10"), bytes.fromhex("1f3b3aba"), bytes.fromhex("21ea4ca9")
OLD, NEW = "fee_quoter", "fee_quoter_1_6_3"


def dest_config(family="EVM", enforced=False, max_gas=3_000_000, default_gas=200_000, staleness=0, enabled=True,
                max_data=30_000):
    return (
        enabled, 3, max_data, max_gas, 225_000, 16, 40, 3000, 0, 0, 0, FAMILIES.get(family, family), enforced, 25,
        90_000, default_gas, 11 * 10**17, staleness, 10,
    )


def svm_args(units=1000, bitmap=0, out_of_order=True, receiver=b"\x09" * 32, accounts=()):
    return SVM + encode(
        ["(uint32,uint64,bool,bytes32,bytes32[])"], [(units, bitmap, out_of_order, receiver, list(accounts))]
    )


def sui_args(gas=1000, out_of_order=True, receiver=b"\x09" * 32, ids=()):
    return SUI + encode(["(uint256,bool,bytes32,bytes32[])"], [(gas, out_of_order, receiver, list(ids))])


def generic(gas=1000, out_of_order=True):
    return GENERIC + encode(["uint256", "bool"], [gas, out_of_order])


class QuoterCase(Case):
    def setUp(self):
        self.chain = Chain()

    def quoter(self, version=OLD, **config):
        quoter = self.chain.deploy(
            artifact(version), (200 * 10**18, LINK, 86_400), [OWNER], [LINK], [], [], [(LINK, 10**18)],
            [(DEST, dest_config(**config))],
        )
        quoter.send("updatePrices", ([(LINK, 20 * 10**18)], [(DEST, 4 * 10**12)]))
        return quoter

    def fee(self, quoter, receiver=b"\x05".rjust(32, b"\x05"), data=b"", tokens=(), extra=b"", fee_token=LINK):
        return quoter.call("getValidatedFee", DEST, (receiver, data, list(tokens), fee_token, extra))

    def arguments(self, quoter, extra, receiver=b"\x05" * 32, amount=10**18, fee_token=LINK):
        return quoter.call("processMessageArgs", DEST, fee_token, amount, extra, receiver)

    def pool_data(self, quoter, remote, data=b""):
        return quoter.call("processPoolReturnData", DEST, [(STRANGER, remote, data, 1, b"")], [(OTHER, 1)])


class Versions(QuoterCase):
    def test_names_and_interfaces(self):
        for version, name, yes, no in [
            (OLD, "FeeQuoter 1.6.0", ["e364892e", "181f5a77"], ["66792e80"]),
            (NEW, "FeeQuoter 1.6.3", ["66792e80"], ["e364892e", "181f5a77"]),
        ]:
            quoter = self.quoter(version)
            self.assertEqual(quoter.call("typeAndVersion"), name)
            for interface in yes + ["805f2132", "01ffc9a7"]:
                self.assertTrue(quoter.call("supportsInterface", bytes.fromhex(interface)), interface)
            for interface in no + ["ffffffff"]:
                self.assertFalse(quoter.call("supportsInterface", bytes.fromhex(interface)), interface)

    def test_families_known(self):
        for family in FAMILIES:
            self.quoter(NEW, family=family)
        refusal = error("InvalidDestChainConfig(uint64)", DEST)
        self.refuses(refusal, self.quoter, OLD, family="TVM")
        self.refuses(refusal, self.quoter, NEW, family=b"\1\2\3\4")

    def test_evm_messages_cost_the_same(self):
        receiver = encode(["address"], [STRANGER])
        fees = {
            (self.fee(quoter, receiver, b"hello", extra=generic()), self.arguments(quoter, generic(), receiver))
            for quoter in (self.quoter(OLD), self.quoter(NEW))
        }
        self.assertEqual(len(fees), 1)

    def test_sui_before_and_after(self):
        old, new = self.quoter(OLD, family="SUI"), self.quoter(NEW, family="SUI")
        self.fee(old, extra=generic())
        self.refuses(error("InvalidExtraArgsTag()"), self.fee, old, extra=sui_args())
        self.refuses(error("InvalidExtraArgsTag()"), self.fee, new, extra=generic())
        self.refuses(error("InvalidExtraArgsData()"), self.fee, new, extra=b"")
        self.fee(new, extra=sui_args())
        self.assertEqual(self.arguments(old, generic(7)), (10**18, True, generic(7), b"\x05" * 32))
        long = sui_args(7, ids=[b"\1" * 32] * 3)
        for receiver in (b"\x05" * 32, b"", b"\x05" * 40):
            self.assertEqual(self.arguments(new, long, receiver), (10**18, True, long, b"\x09" * 32))

    def test_sui_rules(self):
        new = self.quoter(NEW, family="SUI", enforced=True)
        zero, low = bytes(32), (0xDEE8).to_bytes(32, "big")
        low_enough = (0xDEE9).to_bytes(32, "big")
        invalid = lambda address: error("Invalid32ByteAddress(bytes)", address)
        for receiver in (zero, low, b"\5" * 31, b"\5" * 33):
            self.refuses(invalid(receiver), self.fee, new, receiver, extra=sui_args(1))
        self.fee(new, low_enough, extra=sui_args(1))
        self.fee(new, zero, extra=sui_args(0))
        self.refuses(
            error("ExtraArgOutOfOrderExecutionMustBeTrue()"), self.fee, new, extra=sui_args(out_of_order=False)
        )
        self.refuses(error("MessageGasLimitTooHigh()"), self.fee, new, extra=sui_args(3_000_001))
        too_many = "TooManySuiExtraArgsReceiverObjectIds(uint256,uint256)"
        self.refuses(error(too_many, 1, 0), self.fee, new, zero, extra=sui_args(0, ids=[zero]))
        self.refuses(error(too_many, 65, 64), self.fee, new, extra=sui_args(ids=[zero] * 65))
        self.fee(new, extra=sui_args(ids=[zero] * 64))
        token = [(OTHER, 1)]
        self.refuses(error("InvalidTokenReceiver()"), self.fee, new, tokens=token, extra=sui_args(receiver=zero))
        for address, good in [(low_enough, True), (low, False), (zero, False), (b"\5" * 31, False)]:
            if good:
                self.assertEqual(self.pool_data(new, address), (encode(["uint32"], [90_000]),))
            else:
                self.refuses(invalid(address), self.pool_data, new, address)

    def test_sui_sizes(self):
        new = self.quoter(NEW, family="SUI", max_data=500)
        token = [(OTHER, 1)]
        # Two ids and the receiver are 96 bytes, a token 108 and its data 32.
        self.fee(new, data=bytes(500 - 96 - 140), tokens=token, extra=sui_args(ids=[bytes(32)] * 2))
        self.refuses(
            error("MessageTooLarge(uint256,uint256)", 500, 501),
            self.fee, new, data=bytes(501 - 96 - 140), tokens=token, extra=sui_args(ids=[bytes(32)] * 2),
        )
        self.fee(new, bytes(32), data=bytes(500 - 140), tokens=token, extra=sui_args(0))

    def test_sui_arguments_decode_strictly(self):
        new = self.quoter(NEW, family="SUI")
        whole = sui_args(ids=[b"\1" * 32])
        for wrong in [
            whole[:-1],
            whole[:4 + 32 * 4],
            SUI + encode(["uint256"] * 5, [32, 1, 2, 3, 128]) + bytes(32),
            SUI + encode(["uint256"] * 5, [2**255, 1, 1, 3, 128]) + bytes(32),
            SUI + encode(["uint256"] * 5, [32, 1, 1, 3, 2**250]) + bytes(32),
        ]:
            self.refuses(b"", self.fee, new, extra=wrong)
        self.fee(new, extra=whole + b"\0")
        for short in (b"\x21", b"\x21\xea\x4c", b"\1\2\3\4"):
            self.refuses(error("InvalidExtraArgsTag()"), self.fee, new, extra=short)

    def test_tvm_addresses(self):
        new = self.quoter(NEW, family="TVM")
        good = b"\x11\0" + b"\0" * 31 + b"\1" + b"\xab\xcd"
        self.fee(new, good, extra=generic())
        self.assertEqual(self.arguments(new, generic(7), good), (10**18, True, generic(7), good))
        self.assertEqual(self.pool_data(new, good), (encode(["uint32"], [90_000]),))
        for bad in (b"\x11\0" + bytes(32) + b"\xab\xcd", good[:35], good + b"\0", b"", b"\5" * 32):
            self.refuses(error("InvalidTVMAddress(bytes)", bad), self.fee, new, bad, extra=generic())
            self.refuses(error("InvalidTVMAddress(bytes)", bad), self.pool_data, new, bad)


class Messages(QuoterCase):
    def test_what_every_message_keeps_to(self):
        quoter = self.quoter(staleness=10)
        receiver = encode(["address"], [STRANGER])
        sent = lambda **named: self.fee(quoter, **{"receiver": receiver, **named})
        self.refuses(error("FeeTokenNotSupported(address)", OTHER), sent, fee_token=OTHER)
        self.refuses(error("MessageTooLarge(uint256,uint256)", 30_000, 30_001), sent, data=bytes(30_001))
        self.refuses(error("UnsupportedNumberOfTokens(uint256,uint256)", 4, 3), sent, tokens=[(OTHER, 1)] * 4)
        self.refuses(error("MessageGasLimitTooHigh()"), sent, extra=generic(3_000_001))
        self.refuses(error("InvalidExtraArgsTag()"), sent, extra=b"\1\2\3\4")
        for bad in (STRANGER, "0x" + "00" * 18 + "03ff"):
            address = bytes.fromhex(bad[2:])
            address = address.rjust(32, b"\1") if bad == STRANGER else address.rjust(32, b"\0")
            self.refuses(error("InvalidEVMAddress(bytes)", address), sent, receiver=address)
        self.chain.state.execution_context._timestamp += 11
        self.refuses(error("StaleGasPrice(uint64,uint256,uint256)", DEST, 10, 11), sent)
        unknown = (receiver, b"", [], LINK, b"")
        self.refuses(error("DestinationChainNotEnabled(uint64)", 7), quoter.call, "getValidatedFee", 7, unknown)
        self.refuses(error("DestinationChainNotEnabled(uint64)", 7), quoter.call, "getTokenAndGasPrices", LINK, 7)
        enforced = self.quoter(enforced=True)
        self.refuses(error("ExtraArgOutOfOrderExecutionMustBeTrue()"), self.fee, enforced, receiver, extra=b"")

    def test_solana_rules(self):
        quoter = self.quoter(family="SVM", enforced=True)
        zero = bytes(32)
        self.fee(quoter, extra=svm_args())
        self.refuses(error("InvalidExtraArgsData()"), self.fee, quoter, extra=b"")
        self.refuses(error("InvalidExtraArgsTag()"), self.fee, quoter, extra=generic())
        self.refuses(
            error("ExtraArgOutOfOrderExecutionMustBeTrue()"), self.fee, quoter, extra=svm_args(out_of_order=False)
        )
        self.refuses(error("MessageComputeUnitLimitTooHigh()"), self.fee, quoter, extra=svm_args(3_000_001))
        self.refuses(error("Invalid32ByteAddress(bytes)", zero), self.fee, quoter, zero, extra=svm_args())
        too_many = "TooManySVMExtraArgsAccounts(uint256,uint256)"
        self.refuses(error(too_many, 1, 0), self.fee, quoter, zero, extra=svm_args(0, accounts=[zero]))
        self.refuses(error(too_many, 65, 64), self.fee, quoter, extra=svm_args(accounts=[zero] * 65))
        self.refuses(
            error("InvalidTokenReceiver()"), self.fee, quoter, tokens=[(OTHER, 1)], extra=svm_args(receiver=zero)
        )
        self.refuses(
            error("InvalidSVMExtraArgsWritableBitmap(uint64,uint256)", 4, 2),
            self.fee, quoter, extra=svm_args(bitmap=4, accounts=[zero] * 2),
        )
        # Two accounts and two more are 128 bytes, a token 300 and its data 32.
        fits = {"tokens": [(OTHER, 1)], "extra": svm_args(accounts=[zero] * 2)}
        self.fee(quoter, data=bytes(30_000 - 460), **fits)
        self.refuses(
            error("MessageTooLarge(uint256,uint256)", 30_000, 30_001),
            self.fee, quoter, data=bytes(30_001 - 460), **fits,
        )

    def test_what_pools_return(self):
        quoter = self.quoter()
        remote = encode(["address"], [STRANGER])
        self.assertEqual(self.pool_data(quoter, remote, bytes(32)), (encode(["uint32"], [90_000]),))
        self.refuses(error("SourceTokenDataTooLarge(address)", OTHER), self.pool_data, quoter, remote, bytes(33))
        self.refuses(error("InvalidEVMAddress(bytes)", b""), self.pool_data, quoter, b"")
        quoter.send("applyTokenTransferFeeConfigUpdates", [(DEST, [(OTHER, (1, 2, 0, 5000, 64, True))])], [])
        self.assertEqual(self.pool_data(quoter, remote, bytes(64)), (encode(["uint32"], [5000]),))
        unknown = error("InvalidChainFamilySelector(bytes4)", bytes(4))
        self.refuses(unknown, quoter.call, "processPoolReturnData", 7, [(STRANGER, remote, b"", 1, b"")], [(OTHER, 1)])
        self.refuses(unknown, quoter.call, "processMessageArgs", 7, LINK, 1, b"", remote)

    def test_fees_in_link(self):
        quoter = self.quoter()
        self.refuses(
            error("MessageFeeTooHigh(uint256,uint256)", 200 * 10**18 + 1, 200 * 10**18),
            self.arguments, quoter, b"", amount=200 * 10**18 + 1,
        )
        self.refuses(error("TokenNotSupported(address)", OTHER), self.arguments, quoter, b"", fee_token=OTHER)
        quoter.send("updatePrices", ([(OTHER, 40 * 10**18)], []))
        self.assertEqual(self.arguments(quoter, b"", amount=3, fee_token=OTHER)[0], 6)
        self.assertEqual(quoter.call("convertTokenAmount", LINK, 5, OTHER), 2)


class Settings(QuoterCase):
    def test_construction(self):
        for static in [(0, LINK, 1), (1, ZERO, 1), (1, LINK, 0)]:
            self.refuses(
                error("InvalidStaticConfig()"), self.chain.deploy, artifact(NEW), static, [], [], [], [], [], []
            )

    def test_destinations(self):
        refusal = error("InvalidDestChainConfig(uint64)", DEST)
        self.refuses(refusal, self.quoter, default_gas=0)
        self.refuses(refusal, self.quoter, default_gas=11, max_gas=10)
        quoter = self.quoter()
        apply = lambda dest, config: quoter.send("applyDestChainConfigUpdates", [(dest, config)])
        self.refuses(error("InvalidDestChainConfig(uint64)", 0), apply, 0, dest_config())
        for dest, event in [(DEST, "DestChainConfigUpdated"), (9, "DestChainAdded")]:
            result = apply(dest, dest_config("SVM", enforced=True))
            self.assertEqual(topics_of(result), [topic(f"{event}(uint64,{CONFIG})")])
            self.assertEqual(quoter.call("getDestChainConfig", dest), dest_config("SVM", enforced=True))

    def test_token_fees(self):
        quoter = self.quoter()
        apply = lambda config: quoter.send("applyTokenTransferFeeConfigUpdates", [(DEST, [(OTHER, config)])], [])
        self.refuses(error("InvalidFeeRange(uint256,uint256)", 2, 2), apply, (2, 2, 0, 0, 32, True))
        self.refuses(error("InvalidDestBytesOverhead(address,uint32)", OTHER, 31), apply, (1, 2, 0, 0, 31, True))
        apply((1, 2, 3, 4, 32, True))
        self.assertEqual(quoter.call("getTokenTransferFeeConfig", DEST, OTHER), (1, 2, 3, 4, 32, True))
        gone = quoter.send("applyTokenTransferFeeConfigUpdates", [], [(DEST, OTHER)])
        self.assertEqual(topics_of(gone), [topic("TokenTransferFeeConfigDeleted(uint64,address)")])

    def test_who_may(self):
        quoter = self.quoter()
        for name, *arguments in [
            ("applyDestChainConfigUpdates", []), ("applyFeeTokensUpdates", [], []),
            ("applyPremiumMultiplierWeiPerEthUpdates", []), ("applyTokenTransferFeeConfigUpdates", [], []),
            ("updateTokenPriceFeeds", []), ("setReportPermissions", []), ("applyAuthorizedCallerUpdates", ([], [])),
        ]:
            with self.subTest(name):
                self.refuses(error("OnlyCallableByOwner()"), quoter.send, name, *arguments, sender=STRANGER)
        self.refuses(
            error("UnauthorizedCaller(address)", STRANGER), quoter.send, "updatePrices", ([], []), sender=STRANGER
        )
        self.refuses(
            error("ZeroAddressNotAllowed()"), quoter.send, "applyAuthorizedCallerUpdates", ([ZERO], [])
        )
        added = quoter.send("applyFeeTokensUpdates", [LINK, LINK], [OTHER, OTHER])
        self.assertEqual(topics_of(added), [topic("FeeTokenRemoved(address)"), topic("FeeTokenAdded(address)")])
        self.assertEqual(quoter.call("getFeeTokens"), (OTHER,))

    def test_feeds(self):
        quoter = self.quoter()
        feed = self.chain.deploy(mock("feed"), 8)
        now = self.chain.state.timestamp
        feed.send("answer", 5 * 10**8, now)
        quoter.send("updateTokenPriceFeeds", [(OTHER, (feed.address, 18, True))])
        self.assertEqual(quoter.call("getTokenPrice", OTHER), (5 * 10**18, now))
        # A fresh stored price wins, a stale one loses to a feed that is not older.
        quoter.send("updatePrices", ([(OTHER, 7)], []))
        self.assertEqual(quoter.call("getTokenPrice", OTHER)[0], 7)
        self.chain.state.execution_context._timestamp += 86_400
        self.assertEqual(quoter.call("getTokenPrice", OTHER)[0], 5 * 10**18)
        feed.send("answer", 5 * 10**8, now - 1)
        self.assertEqual(quoter.call("getTokenPrice", OTHER)[0], 7)
        feed.send("answer", -1, now)
        self.refuses(error("DataFeedValueOutOfUint224Range()"), quoter.call, "getTokenPrice", OTHER)
        feed.send("answer", 2**200, now)
        self.refuses(error("DataFeedValueOutOfUint224Range()"), quoter.call, "getTokenPrice", OTHER)
        # Six decimals: the price of a whole token is that of 1e6 units.
        feed.send("answer", 10**8, now)
        quoter.send("updateTokenPriceFeeds", [(OTHER, (feed.address, 6, True))])
        self.assertEqual(quoter.call("getTokenPrice", OTHER)[0], 10**30)

    def test_pushed_prices(self):
        quoter = self.quoter()
        name, report_name, owner = b"workflow10", b"\0\1", to_checksum_address(b"\x44" * 20)
        metadata = b"\x55" * 32 + name + b"\x44" * 20 + report_name
        now = self.chain.state.timestamp
        push = lambda entries: quoter.send(
            "onReport", metadata, encode(["(address,uint224,uint32)[]"], [entries]), sender=STRANGER
        )
        self.refuses(
            error("ReportForwarderUnauthorized(address,address,bytes10,bytes2)", STRANGER, owner, name, report_name),
            push, [],
        )
        quoter.send("setReportPermissions", [(STRANGER, name, report_name, owner, True)])
        self.refuses(error("TokenNotSupported(address)", OTHER), push, [(OTHER, 1, now)])
        quoter.send("updateTokenPriceFeeds", [(OTHER, (ZERO, 6, True))])
        pushed = push([(OTHER, 10**18, now), (OTHER, 2 * 10**18, now - 1)])
        self.assertEqual(topics_of(pushed), [topic("UsdPerTokenUpdated(address,uint256,uint256)")])
        self.assertEqual(quoter.call("getTokenPrice", OTHER), (10**30, now))


if __name__ == "__main__":
    unittest.main()
