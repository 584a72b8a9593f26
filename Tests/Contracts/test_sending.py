"""Sending: router, on-ramp and nonce manager, against recorded sends and against what callers do wrong.

Run: .venv/bin/python -m unittest discover -s Tests/Contracts
"""

import unittest

from eth_abi import decode, encode
from eth_utils import keccak, to_checksum_address

from chain import OWNER, ZERO, Chain, Contract, artifact, error, mock, selector, string_error, vectors
from harness import Case, b, on_every_machine
from lane import AGGREGATOR, DEST, EVERYONE_CURSED, LIST_ADMIN, SENDER, SOURCE, Lane, message
from reference import CCIP_MESSAGE_SENT, MESSAGE_SENT_TYPE, message_id

STRANGER = to_checksum_address(b"\x77" * 20)
NATIVE = to_checksum_address(b"\xee" * 20)


@on_every_machine
class RecordedSends(Case):
    """Every recorded ccipSend gives the recorded log, byte for byte."""

    def build(self, sends):
        # Where nobody paid in the chain's coin, its wrapped form is none of the fee tokens.
        native = next((s["message"]["feeToken"] for s in sends if int(s["msgValue"]) > 0), NATIVE)
        lane = Lane(on_ramp_at=sends[0]["onRamp"], wrapped_at=native)
        fee_tokens = {s["message"]["feeToken"] for s in sends} - {native}
        for token in fee_tokens:
            lane.chain.deploy(mock("token"), 1, at=token)
        lane.wrapped.send("deposit", sender=SENDER, value=10**22)
        lane.wrapped.send("approve", lane.router.address, 2**256 - 1, sender=SENDER)
        lane.pools = {}
        for send in sends:
            for asked, given in zip(send["routerMessage"]["tokenAmounts"], send["message"]["tokenAmounts"]):
                if asked["token"] in lane.pools:
                    continue
                lane.chain.deploy(mock("token"), 0, at=asked["token"])
                pool = lane.chain.deploy(mock("pool"), True, at=given["sourcePoolAddress"])
                pool.send("answer", b(given["destTokenAddress"]), b(given["extraData"]))
                lane.list_token(asked["token"], pool.address)
                lane.pools[asked["token"]] = pool
        return lane

    def test_all(self):
        sends = vectors()["onRampMessages"]
        self.assertEqual(len(sends), 26)
        lane = self.replay(sends)
        self.assertEqual(sum(len(send["message"]["tokenAmounts"]) > 0 for send in sends), 19)
        self.assertEqual(sum(int(send["msgValue"]) > 0 for send in sends), 8)
        self.assertEqual(lane.on_ramp.call("getExpectedNextSequenceNumber", DEST), 27)
        self.assertEqual(lane.nonces.call("getOutboundNonce", DEST, SENDER), 13)

    def replay(self, sends):
        lane = self.build(sends)
        for send in sends:
            due, value = send["message"], int(send["msgValue"])
            fee = int(due["feeTokenAmount"]) if value == 0 else value - 1
            lane.quoter.send(
                "answer",
                fee,
                int(due["feeValueJuels"]),
                due["header"]["nonce"] == "0",
                b(due["extraArgs"]),
                b(due["receiver"]),
                [b(t["destExecData"]) for t in due["tokenAmounts"]],
            )
            result = lane.router.raw(b(send["ccipSendCalldata"]), sender=SENDER, value=value)
            with self.subTest(send["name"]):
                address, topics, data = result.logs[-1]
                self.assertEqual(address, send["log"]["address"])
                self.assertEqual(["0x" + t.hex() for t in topics], send["log"]["topics"])
                self.assertEqual("0x" + data.hex(), send["log"]["data"])
                self.assertEqual("0x" + result.output.hex(), due["header"]["messageId"])
                self.assertEqual(message_id(data, send["onRamp"]), result.output)
                self.check_pools(lane, send, result)
        return lane

    def check_pools(self, lane, send, result):
        asked = [decode(["bytes", "uint64", "address", "uint256", "address"], d) for a, t, d in result.logs
                 if a in [p.address for p in lane.pools.values()]]
        due = [
            (b(send["message"]["receiver"]), DEST, SENDER.lower(), int(t["amount"]), t["token"].lower())
            for t in send["routerMessage"]["tokenAmounts"]
        ]
        self.assertEqual(asked, due)

    def test_recorded_lane(self):
        """The five sends of the recorded lane: of them there are only the logs, from which the calls are made again."""
        recorded = vectors()["endToEnd"]
        logs = recorded["ccipMessageSentLogs"]
        self.assertEqual(len(logs), 5)
        self.assertEqual(recorded["sourceChain"]["sender"], SENDER)
        router = Contract(None, OWNER, artifact("router")["abi"])
        sends = [self.send_of(log, router) for log in logs]
        lane = self.replay(sends)
        self.assertEqual(lane.on_ramp.call("getExpectedNextSequenceNumber", DEST), 6)

    def send_of(self, log, router):
        header, _, data, receiver, extra, fee_token, amount, juels, transfers = decode(
            [MESSAGE_SENT_TYPE], b(log["data"])
        )[0]
        hexadecimal = lambda value: "0x" + value.hex()
        # Which token a pool stands for the log does not tell: any address will do.
        tokens = [(to_checksum_address(keccak(text=pool)[12:]), amount) for pool, _, _, amount, _ in transfers]
        call = router.data("ccipSend", DEST, (receiver, data, tokens, fee_token, extra))
        return {
            "name": f"sequence number {header[3]}", "onRamp": log["address"], "msgValue": "0", "log": log,
            "ccipSendCalldata": hexadecimal(call),
            "routerMessage": {"tokenAmounts": [{"token": t, "amount": str(a)} for t, a in tokens]},
            "message": {
                "header": {"messageId": hexadecimal(header[0]), "nonce": str(header[4])},
                "receiver": hexadecimal(receiver), "extraArgs": hexadecimal(extra), "feeToken": fee_token,
                "feeTokenAmount": str(amount), "feeValueJuels": str(juels),
                "tokenAmounts": [
                    {
                        "sourcePoolAddress": to_checksum_address(pool), "destTokenAddress": hexadecimal(token),
                        "extraData": hexadecimal(pool_data), "amount": str(moved), "destExecData": hexadecimal(gas),
                    }
                    for pool, token, pool_data, moved, gas in transfers
                ],
            },
        }


@on_every_machine
class Sending(Case):
    def setUp(self):
        self.lane = Lane()
        self.router, self.on_ramp, self.quoter = self.lane.router, self.lane.on_ramp, self.lane.quoter
        self.token = self.lane.chain.deploy(mock("token"), 1)
        self.answer()

    def answer(self, fee=1000, exec_datas=(), receiver=b"\x01" * 32, extra=b"\x02" * 68, in_order=False):
        self.quoter.send("answer", fee, 77, not in_order, extra, receiver, list(exec_datas))

    def send(self, sent, value=0, dest=DEST, sender=SENDER):
        return self.router.send("ccipSend", dest, sent, sender=sender, value=value)

    def last_message(self, result):
        address, topics, data = result.logs[-1]
        self.assertEqual((address, topics[0]), (self.on_ramp.address, CCIP_MESSAGE_SENT))
        self.assertEqual(message_id(data, self.on_ramp.address), result.output)
        found = decode([MESSAGE_SENT_TYPE], data)[0]
        self.assertEqual(encode([MESSAGE_SENT_TYPE], [found]), data)
        return found

    def add_token(self, mode=1, data=b"\x12" * 32):
        token = self.lane.chain.deploy(mock("token"), mode)
        pool = self.lane.chain.deploy(mock("pool"), True)
        pool.send("answer", b"\x33" * 32, data)
        self.lane.list_token(token.address, pool.address)
        return token, pool

    def test_native_fee_is_kept_whole_and_wrapped(self):
        self.refuses(error("InsufficientFeeTokenAmount()"), self.send, message(), value=999)
        found = self.last_message(self.send(message(), value=5000))
        self.assertEqual(found[5:7], (self.lane.wrapped.address.lower(), 5000))
        self.assertEqual(self.lane.wrapped.call("balanceOf", self.on_ramp.address), 5000)

    def test_token_fee_is_what_was_quoted(self):
        sent = message(fee_token=self.token.address)
        self.refuses(error("InvalidMsgValue()"), self.send, sent, value=1)
        found = self.last_message(self.send(sent))
        self.assertEqual(found[5:7], (self.token.address.lower(), 1000))
        self.assertEqual(self.token.call("balanceOf", self.on_ramp.address), 1000)
        self.assertEqual(self.router.call("getFee", DEST, sent), 1000)
        self.assertEqual(self.router.call("getFee", DEST, message()), 1000)
        self.assertEqual(self.on_ramp.call("getFee", DEST, sent), 1000)

    def test_token_answers(self):
        sent = message(fee_token=self.token.address)
        for mode, refusal in [
            (2, string_error("SafeERC20: ERC20 operation did not succeed")),
            (3, b""),
            (4, string_error("not today")),
            (5, string_error("SafeERC20: low-level call failed")),
        ]:
            self.token.send("setMode", mode)
            self.refuses(refusal, self.send, sent)
        self.refuses(string_error("Address: call to non-contract"), self.send, message(fee_token=STRANGER))
        self.token.send("setMode", 0)
        self.send(sent)

    def test_unknown_destination(self):
        refusal = error("UnsupportedDestinationChain(uint64)", 2**64 - 1)
        self.refuses(refusal, self.send, message(), dest=2**64 - 1)
        self.refuses(refusal, self.router.call, "getFee", 2**64 - 1, message())

    def test_curses(self):
        subject = bytes(8) + DEST.to_bytes(8, "big")
        self.lane.arm.send("set", subject, True)
        self.refuses(error("CursedByRMN(uint64)", DEST), self.send, message(), value=5000)
        self.refuses(error("CursedByRMN(uint64)", DEST), self.on_ramp.call, "getFee", DEST, message())
        self.lane.arm.send("set", EVERYONE_CURSED, True)
        self.refuses(error("BadARMSignal()"), self.send, message(), value=5000)
        self.refuses(error("CursedByRMN(uint64)", DEST), self.router.call, "getFee", DEST, message())

    def test_sizes_of_data(self):
        """Small and large buffers, and their border."""
        for size in [0, 1, 31, 32, 33, 1000, 1535, 1536, 1537, 1600, 1700, 2048, 4096, 30_000, 32_768]:
            data = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
            for tokens in [0, 1]:
                with self.subTest(f"{size} bytes, {tokens} tokens"):
                    amounts = []
                    if tokens:
                        token, pool = self.add_token()
                        amounts = [(token.address, 9)]
                    self.answer(exec_datas=[b"\x05" * 32] * tokens)
                    found = self.last_message(self.send(message(data=data, tokens=amounts), value=2000))
                    self.assertEqual((found[1], found[2], found[3]), (SENDER.lower(), data, message()[0]))
                    self.assertEqual(found[4], b"\x02" * 68)
                    self.assertEqual(found[7], 77)
        self.refuses(b"", self.send, message(data=bytes(32_769)), value=2000)

    def test_sixteen_tokens_and_long_extra_args(self):
        amounts, due = [], []
        for index in range(16):
            token, pool = self.add_token(data=bytes([index]) * (7 * index))
            amounts.append((token.address, index + 1))
            exec_data = bytes([index]) * (4 * index)
            due.append((pool.address.lower(), b"\x33" * 32, bytes([index]) * (7 * index), index + 1, exec_data))
        extra = bytes(range(256)) * 8 + bytes(228)
        for sent_extra in [b"", extra]:
            self.answer(exec_datas=[d[4] for d in due], extra=extra)
            found = self.last_message(self.send(message(tokens=amounts, extra_args=sent_extra), value=2000))
            self.assertEqual(found[8], tuple(due))
            self.assertEqual(found[4], extra)
        self.refuses(b"", self.send, message(tokens=[*amounts, amounts[0]]), value=2000)

    def test_tokens_refused(self):
        token, pool = self.add_token()
        self.refuses(error("CannotSendZeroTokens()"), self.send, message(tokens=[(token.address, 0)]), value=2000)
        other = self.lane.chain.deploy(mock("token"), 1)
        refusal = error("UnsupportedToken(address)", other.address)
        self.refuses(refusal, self.send, message(tokens=[(other.address, 1)]), value=2000)
        impostor = self.lane.chain.deploy(mock("pool"), False)
        self.lane.list_token(other.address, impostor.address)
        self.refuses(refusal, self.send, message(tokens=[(other.address, 1)]), value=2000)

    def test_nonces_count_in_order_messages_only(self):
        seen = []
        for in_order in [True, False, True, True]:
            self.answer(in_order=in_order)
            found = self.last_message(self.send(message(), value=2000))
            seen.append((found[0][3], found[0][4]))
        self.assertEqual(seen, [(1, 1), (2, 0), (3, 2), (4, 3)])

    def test_encodings(self):
        """Trailing bytes are ignored; offsets and padding that no encoder writes are refused with no data."""
        good = self.router.data("ccipSend", DEST, message(data=b"abc", extra_args=b"\x01\x02\x03\x04"))
        self.last_message(self.router.raw(good + b"\xaa" * 7, sender=SENDER, value=2000))
        words = [4 + 32 * i for i in range((len(good) - 4) // 32)]
        for at, new in [
            (words[0], b"\x01"),  # a selector past 64 bits
            (words[1] + 31, b"\x41"),  # offset of the message
            (words[2] + 31, b"\xa1"),  # offsets of receiver, data, tokens
            (words[3] + 31, b"\x00"),
            (words[4] + 31, b"\x00"),
            (words[5], b"\x01"),  # fee token past 160 bits
            (words[6] + 31, b"\x00"),  # offset of the extra arguments
            (words[10] + 31, b"\x01"),  # padding of the data
            (words[9], b"\xff"),  # its length
        ]:
            bad = good[:at] + new + good[at + 1:]
            self.assertNotEqual(bad, good)
            self.refuses(b"", self.router.raw, bad, sender=SENDER, value=2000)
        for cut in [1, 28, 32, 100, len(good) - 4, len(good) - 3, len(good)]:
            self.refuses(b"", self.router.raw, good[:len(good) - cut], sender=SENDER, value=2000)
        self.refuses(b"", self.router.raw, b"\x12\x34\x56\x78", sender=SENDER)
        self.refuses(b"", self.router.raw, b"", sender=SENDER, value=1)
        self.refuses(b"", self.on_ramp.raw, b"\x12\x34\x56\x78", sender=SENDER)

    def test_get_fee_takes_no_value(self):
        self.refuses(b"", self.router.send, "getFee", DEST, message(), sender=SENDER, value=1)

    def test_interceptor_sees_the_message(self):
        spy = self.lane.chain.deploy(mock("interceptor"))
        self.lane.set_interceptor(spy.address)
        for size in [5, 5000]:
            sent = message(data=b"\x09" * size)
            result = self.send(sent, value=2000)
            seen = next(d for a, t, d in result.logs if a == spy.address)
            due = (*sent[:3], self.lane.wrapped.address.lower(), sent[4])
            self.assertEqual(decode(["bytes"], seen)[0], selector(
                "onOutboundMessage(uint64,(bytes,bytes,(address,uint256)[],address,bytes))"
            ) + encode(["uint64", "(bytes,bytes,(address,uint256)[],address,bytes)"], [DEST, due]))
        spy.send("refuse", True)
        self.refuses(string_error("intercepted"), self.send, message(), value=2000)


@on_every_machine
class OnRamp(Case):
    def setUp(self):
        self.lane = Lane()
        self.on_ramp = self.lane.on_ramp
        self.lane.quoter.send("answer", 1, 1, True, b"", b"", [])

    def forward(self, sender=SENDER, caller=None, dest=DEST):
        caller = caller or self.lane.router.address
        return self.on_ramp.send("forwardFromRouter", dest, message(fee_token=STRANGER), 1, sender, sender=caller)

    def test_who_may_forward(self):
        self.refuses(error("MustBeCalledByRouter()"), self.forward, caller=STRANGER)
        self.refuses(error("MustBeCalledByRouter()"), self.forward, dest=DEST + 1)
        self.refuses(error("RouterMustSetOriginalSender()"), self.forward, sender=ZERO, caller=STRANGER)
        self.assertEqual(len(self.forward().output), 32)
        self.on_ramp.send("applyDestChainConfigUpdates", [(DEST, ZERO, False)])
        self.refuses(error("MustBeCalledByRouter()"), self.forward)
        self.assertEqual(self.on_ramp.call("getDestChainConfig", DEST), (1, False, ZERO))

    def test_reentrancy(self):
        thief = self.lane.chain.deploy(mock("interceptor"))
        self.lane.set_interceptor(thief.address)
        data = self.on_ramp.data("forwardFromRouter", DEST, message(fee_token=STRANGER), 1, SENDER)
        thief.send("reenter", self.on_ramp.address, data)
        self.refuses(error("ReentrancyGuardReentrantCall()"), self.forward)
        thief.send("reenter", ZERO, b"")
        self.forward()
        self.assertFalse(self.on_ramp.call("getDynamicConfig")[1])

    def test_allowlist(self):
        listed = (DEST, True, [SENDER, STRANGER, SENDER], [])
        self.refuses(
            error("OnlyCallableByOwnerOrAllowlistAdmin()"),
            self.on_ramp.send, "applyAllowlistUpdates", [listed], sender=SENDER,
        )
        refusal = error("InvalidAllowListRequest(uint64)", DEST)
        self.refuses(refusal, self.on_ramp.send, "applyAllowlistUpdates", [(DEST, True, [ZERO], [])])
        self.refuses(refusal, self.on_ramp.send, "applyAllowlistUpdates", [(DEST, False, [SENDER], [])])
        result = self.on_ramp.send("applyAllowlistUpdates", [listed], sender=LIST_ADMIN)
        self.assertEqual(len(result.logs), 1)
        self.assertEqual(result.logs[0][2], encode(["address[]"], [listed[2]]))
        self.assertEqual(
            self.on_ramp.call("getAllowedSendersList", DEST), (True, (SENDER.lower(), STRANGER.lower()))
        )
        self.refuses(error("SenderNotAllowed(address)", OWNER), self.forward, sender=OWNER, caller=STRANGER)
        self.forward()
        self.on_ramp.send("applyAllowlistUpdates", [(DEST, True, [], [SENDER, OWNER])])
        self.refuses(error("SenderNotAllowed(address)", SENDER), self.forward)
        self.assertEqual(self.on_ramp.call("getAllowedSendersList", DEST), (True, (STRANGER.lower(),)))
        self.on_ramp.send("applyAllowlistUpdates", [(DEST, False, [], [])])
        self.forward()
        self.assertEqual(self.on_ramp.call("getExpectedNextSequenceNumber", DEST), 3)

    def test_configuration(self):
        lane, chain = self.lane, self.lane.chain
        self.assertEqual(self.on_ramp.call("typeAndVersion"), "OnRamp 1.6.0")
        self.assertEqual(self.on_ramp.call("getStaticConfig"), tuple(low(x) for x in lane.static))
        self.assertEqual(self.on_ramp.call("getDynamicConfig"), tuple(low(x) for x in lane.dynamic))
        for index in range(4):
            static = [*lane.static]
            static[index] = 0 if index == 0 else ZERO
            self.refuses(
                error("InvalidConfig()"), chain.deploy, artifact("on_ramp"), tuple(static), lane.dynamic, []
            )
        for index, wrong in [(0, ZERO), (1, True), (3, ZERO)]:
            dynamic = [*lane.dynamic]
            dynamic[index] = wrong
            self.refuses(error("InvalidConfig()"), self.on_ramp.send, "setDynamicConfig", tuple(dynamic))
        result = self.on_ramp.send("setDynamicConfig", lane.dynamic)
        self.assertEqual(
            result.logs[0][2],
            encode(
                ["(uint64,address,address,address)", "(address,bool,address,address,address)"],
                [lane.static, lane.dynamic],
            ),
        )
        self.refuses(
            error("InvalidDestChainConfig(uint64)", 0),
            self.on_ramp.send, "applyDestChainConfigUpdates", [(0, STRANGER, False)],
        )
        self.refuses(
            error("GetSupportedTokensFunctionalityRemovedCheckAdminRegistry()"),
            self.on_ramp.call, "getSupportedTokens", DEST,
        )
        for name, argument in [
            ("setDynamicConfig", lane.dynamic), ("applyDestChainConfigUpdates", []), ("transferOwnership", SENDER)
        ]:
            self.refuses(error("OnlyCallableByOwner()"), self.on_ramp.send, name, argument, sender=SENDER)

    def test_withdrawal_of_fees(self):
        lane = self.lane
        lane.wrapped.send("deposit", sender=SENDER, value=500)
        lane.wrapped.send("transfer", self.on_ramp.address, 500, sender=SENDER)
        empty = lane.chain.deploy(mock("token"), 1)
        result = self.on_ramp.send("withdrawFeeTokens", [empty.address, lane.wrapped.address], sender=STRANGER)
        self.assertEqual(lane.wrapped.call("balanceOf", AGGREGATOR), 500)
        self.assertEqual([int(d.hex(), 16) for a, t, d in result.logs if a == self.on_ramp.address], [500])


def low(value):
    return value.lower() if isinstance(value, str) else value


@on_every_machine
class Router(Case):
    def setUp(self):
        self.lane = Lane()
        self.router, self.chain = self.lane.router, self.lane.chain

    def route(self, receiver, data=b"hello", gas=100_000, check=5000, caller=OWNER, source=SOURCE, tokens=()):
        delivered = (b"\x44" * 32, source, b"\x55" * 32, data, list(tokens))
        result = self.router.send("routeMessage", delivered, check, gas, receiver, sender=caller)
        payload = selector("ccipReceive((bytes32,uint64,bytes,bytes,(address,uint256)[]))") + encode(
            ["(bytes32,uint64,bytes,bytes,(address,uint256)[])"], [delivered]
        )
        return self.router.decoded("routeMessage", result.output), result, payload

    def test_ramps(self):
        one, two = (SOURCE, STRANGER), (2**64 - 1, STRANGER)
        result = self.router.send("applyRampUpdates", [], [], [one, two, one, (SOURCE, OWNER)])
        self.assertEqual(len(result.logs), 3)
        self.assertEqual(
            self.router.call("getOffRamps"), ((SOURCE, STRANGER), (2**64 - 1, STRANGER), (SOURCE, OWNER.lower()))
        )
        self.router.send("applyRampUpdates", [(9, STRANGER)], [one], [])
        self.assertEqual(self.router.call("getOffRamps"), ((SOURCE, OWNER.lower()), (2**64 - 1, STRANGER)))
        self.assertFalse(self.router.call("isOffRamp", *one))
        self.assertTrue(self.router.call("isOffRamp", *two))
        self.assertTrue(self.router.call("isChainSupported", 9))
        self.assertEqual(self.router.call("getOnRamp", 9), STRANGER)
        self.router.send("applyRampUpdates", [(9, ZERO)], [], [])
        self.assertFalse(self.router.call("isChainSupported", 9))
        refusal = error("OffRampMismatch(uint64,address)", *one)
        self.refuses(refusal, self.router.send, "applyRampUpdates", [], [one], [])
        only_owner = string_error("Only callable by owner")
        self.refuses(only_owner, self.router.send, "applyRampUpdates", [], [], [], sender=SENDER)
        self.refuses(only_owner, self.router.send, "setWrappedNative", SENDER, sender=SENDER)
        self.refuses(only_owner, self.router.send, "recoverTokens", ZERO, SENDER, 1, sender=SENDER)

    def test_delivery(self):
        self.router.send("applyRampUpdates", [], [], [(SOURCE, OWNER)])
        spy = self.chain.deploy(mock("receiver"))
        for size in [0, 5, 1700, 1800, 30_000, 32_768]:
            with self.subTest(size):
                (ok, answer, used), result, payload = self.route(
                    spy.address, data=b"\x66" * size, gas=3_000_000, tokens=[(STRANGER, 3)]
                )
                self.assertEqual((ok, answer), (True, b""))
                self.assertEqual(spy.call("seen"), keccak(payload))
                address, topics, data = result.logs[-1]
                self.assertEqual(
                    (address, topics),
                    (self.router.address, [keccak(text="MessageExecuted(bytes32,uint64,address,bytes32)")]),
                )
                self.assertEqual(data, encode(
                    ["bytes32", "uint64", "address", "bytes32"], [b"\x44" * 32, SOURCE, OWNER, keccak(payload)]
                ))
                self.assertGreater(used, 5_000)

    def test_delivery_that_fails(self):
        self.router.send("applyRampUpdates", [], [], [(SOURCE, OWNER)])
        spy = self.chain.deploy(mock("receiver"))
        spy.send("refuse", b"\xab" * 500)
        (ok, answer, used), result, payload = self.route(spy.address)
        self.assertEqual((ok, answer), (False, b"\xab" * 132))
        self.assertEqual(len(result.logs), 1)
        (ok, answer, used), result, payload = self.route(spy.address, gas=1_000)
        self.assertEqual((ok, answer), (False, b""))
        # The stipend is spent whole, and the call itself has its price.
        self.assertTrue(1_000 <= used < 5_000, used)

    def test_delivery_refused(self):
        self.router.send("applyRampUpdates", [], [], [(SOURCE, OWNER)])
        spy = self.chain.deploy(mock("receiver"))
        self.refuses(error("OnlyOffRamp()"), self.route, spy.address, caller=STRANGER)
        self.refuses(error("OnlyOffRamp()"), self.route, spy.address, source=SOURCE + 1)
        self.refuses(error("NoContract()"), self.route, STRANGER)
        self.refuses(error("NotEnoughGasForCall()"), self.route, spy.address, gas=10**8)
        self.lane.arm.send("set", bytes(8) + SOURCE.to_bytes(8, "big"), True)
        self.route(spy.address)
        self.lane.arm.send("set", EVERYONE_CURSED, True)
        self.refuses(error("BadARMSignal()"), self.route, spy.address)

    def test_recovery_and_views(self):
        router, wrapped = self.router, self.lane.wrapped
        self.assertEqual(router.call("typeAndVersion"), "Router 1.2.0")
        self.assertEqual(router.call("MAX_RET_BYTES"), 132)
        self.assertEqual(router.call("getWrappedNative"), wrapped.address.lower())
        self.assertEqual(router.call("getArmProxy"), self.lane.arm.address.lower())
        self.assertEqual(router.call("getSupportedTokens", 5), ())
        self.refuses(
            error("GetSupportedTokensFunctionalityRemovedCheckAdminRegistry()"),
            router.call, "getSupportedTokens", DEST,
        )
        self.refuses(error("InvalidRecipientAddress(address)", ZERO), router.send, "recoverTokens", ZERO, ZERO, 1)
        wrapped.send("deposit", sender=SENDER, value=7)
        wrapped.send("transfer", router.address, 7, sender=SENDER)
        router.send("recoverTokens", wrapped.address, STRANGER, 7)
        self.assertEqual(wrapped.call("balanceOf", STRANGER), 7)
        self.chain.fund(router.address, 5)
        self.refuses(error("FailedToSendValue()"), router.send, "recoverTokens", ZERO, self.lane.nonces.address, 5)
        self.refuses(error("FailedToSendValue()"), router.send, "recoverTokens", ZERO, STRANGER, 6)
        router.send("recoverTokens", ZERO, STRANGER, 5)
        self.assertEqual(self.chain.balance(STRANGER), 5)
        router.send("setWrappedNative", STRANGER)
        self.assertEqual(router.call("getWrappedNative"), STRANGER)

    def test_ownership_speaks_in_strings(self):
        self.refuses(string_error("Cannot transfer to self"), self.router.send, "transferOwnership", OWNER)
        self.router.send("transferOwnership", SENDER)
        self.refuses(string_error("Must be proposed owner"), self.router.send, "acceptOwnership", sender=STRANGER)
        self.router.send("acceptOwnership", sender=SENDER)
        self.assertEqual(self.router.call("owner"), SENDER.lower())


@on_every_machine
class NonceManager(Case):
    def setUp(self):
        self.chain = Chain()
        self.nonces = self.chain.deploy(artifact("nonce_manager"), [STRANGER])

    def test_inbound(self):
        sender = bytes(12) + b"\x31" * 20
        take = lambda nonce, who=sender: self.nonces.send("incrementInboundNonce", 7, nonce, who, sender=STRANGER)
        self.assertEqual(int(take(1).output.hex(), 16), 1)
        skipped = take(3)
        self.assertEqual(int(skipped.output.hex(), 16), 0)
        self.assertEqual(skipped.logs[0][1], [keccak(text="SkippedIncorrectNonce(uint64,uint64,bytes)")])
        self.assertEqual(skipped.logs[0][2], encode(["uint64", "uint64", "bytes"], [7, 3, sender]))
        self.assertEqual(int(take(2).output.hex(), 16), 1)
        # The exact bytes are the key: the same address unpadded is another sender.
        self.assertEqual(int(take(1, sender[12:]).output.hex(), 16), 1)
        self.assertEqual(self.nonces.call("getInboundNonce", 7, sender), 2)
        self.assertEqual(self.nonces.call("getInboundNonce", 8, sender), 0)

    def test_callers(self):
        refusal = error("UnauthorizedCaller(address)", OWNER)
        self.refuses(refusal, self.nonces.send, "getIncrementedOutboundNonce", 7, SENDER)
        self.refuses(refusal, self.nonces.send, "incrementInboundNonce", 7, 1, b"")
        self.assertEqual(self.nonces.call("typeAndVersion"), "NonceManager 1.6.0")
        for due in [1, 2]:
            result = self.nonces.send("getIncrementedOutboundNonce", 7, SENDER, sender=STRANGER)
            self.assertEqual(int(result.output.hex(), 16), due)
        self.assertEqual(self.nonces.call("getAllAuthorizedCallers"), (STRANGER,))

    def test_previous_ramps(self):
        old = self.chain.deploy(mock("previous_ramp"), 41)
        update = (7, False, (old.address, old.address))
        result = self.nonces.send("applyPreviousRampsUpdates", [update])
        self.assertEqual(result.logs[0][2], encode(["(address,address)"], [update[2]]))
        self.assertEqual(self.nonces.call("getOutboundNonce", 7, SENDER), 41)
        sender = encode(["address"], [SENDER])
        self.assertEqual(self.nonces.call("getInboundNonce", 7, sender), 41)
        self.nonces.send("getIncrementedOutboundNonce", 7, SENDER, sender=STRANGER)
        self.assertEqual(self.nonces.call("getOutboundNonce", 7, SENDER), 42)
        self.assertEqual(len(self.nonces.send("incrementInboundNonce", 7, 1, sender, sender=STRANGER).logs), 1)
        self.assertEqual(len(self.nonces.send("incrementInboundNonce", 7, 42, sender, sender=STRANGER).logs), 0)
        self.refuses(error("PreviousRampAlreadySet()"), self.nonces.send, "applyPreviousRampsUpdates", [update])
        self.nonces.send("applyPreviousRampsUpdates", [(7, True, (ZERO, ZERO))])
        self.assertEqual(self.nonces.call("getPreviousRamps", 7), (ZERO, ZERO))
        self.assertEqual(self.nonces.call("getOutboundNonce", 7, SENDER), 42)
        self.refuses(
            error("OnlyCallableByOwner()"), self.nonces.send, "applyPreviousRampsUpdates", [], sender=SENDER
        )


if __name__ == "__main__":
    unittest.main()
