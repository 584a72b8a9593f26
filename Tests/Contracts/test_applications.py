"""The example applications, over the real sending half of a lane: what they send, what they do with what they get, whom
they believe, and that nothing gets stuck in them.

Run: .venv/bin/python -m unittest discover -s Tests/Contracts
"""

import unittest

from eth_abi import decode, encode
from eth_utils import to_canonical_address, to_checksum_address

from chain import OWNER, ZERO, artifact, error, selector, string_error
from lane import DEST, SENDER, message
from test_pools import topic, topics_of
from test_sending import Case
from whole import NO_LIMIT, OFF_RAMP, REMOTE, WholeLane

STRANGER, FRIEND = to_checksum_address(b"\x77" * 20), to_checksum_address(b"\x99" * 20)
ARRIVING = "(bytes32,uint64,bytes,bytes,(address,uint256)[])"
# Gas that any delivery here may use.
ENOUGH = 2_000_000


def word(address):
    return encode(["address"], [address])


class ApplicationCase(Case):
    def setUp(self):
        self.whole = WholeLane()
        self.chain, self.router = self.whole.chain, self.whole.router

    def coins(self, account):
        return self.chain.state.get_balance(to_canonical_address(account))

    def check_router(self, application):
        """Nobody but the router delivers, and the router knows by ERC-165 that it may."""
        arriving = (bytes(32), DEST, word(STRANGER), b"", [])
        refusal = error("InvalidRouter(address)", STRANGER)
        self.refuses(refusal, application.send, "ccipReceive", arriving, sender=STRANGER)
        self.assertEqual(application.call("getRouter"), self.router.address.lower())
        for interface, due in {"85572ffb": True, "01ffc9a7": True, "ffffffff": False}.items():
            self.assertEqual(application.call("supportsInterface", bytes.fromhex(interface)), due)

    def hand(self, application, arriving, gas=ENOUGH):
        result = self.router.send("routeMessage", arriving, 5000, gas, application.address, sender=OFF_RAMP)
        ok, answer, _ = self.router.decoded("routeMessage", result.output)
        return ok, answer, result


class PingPong(ApplicationCase):
    def play(self, fee_token):
        players = [
            self.chain.deploy(artifact("ping_pong_demo"), self.router.address, fee_token) for _ in range(2)
        ]
        for player, other in (players, players[::-1]):
            player.send("setCounterpart", DEST, other.address)
            if fee_token == ZERO:
                player.raw(b"", sender=SENDER, value=10**18)
            else:
                self.whole.link.send("transfer", player.address, 10**20, sender=SENDER)
        return players

    def test_the_ball_goes_to_and_fro(self):
        for fee_token in (ZERO, self.whole.link.address):
            with self.subTest(fee_token):
                one, other = self.play(fee_token)
                one.send("setOutOfOrderExecution", True)
                result = one.send("startPingPong")
                self.assertIn(topic("Ping(uint256)"), topics_of(result))
                for count in range(2, 6):
                    sent = self.whole.sent(result)
                    self.assertEqual(decode(["uint256"], sent[2])[0], count - 1)
                    ok, answer, result = self.whole.deliver(sent)
                    self.assertTrue(ok, answer.hex())
                    name = "Ping(uint256)" if count % 2 else "Pong(uint256)"
                    self.assertIn(topic(name), topics_of(result))
                one.send("setPaused", True)
                other.send("setPaused", True)
                ok, _, result = self.whole.deliver(self.whole.sent(result))
                self.assertTrue(ok)
                self.assertIsNone(self.whole.sent(result))

    def test_only_the_counterpart_is_answered(self):
        one, other = self.play(ZERO)
        self.check_router(one)
        ball = encode(["uint256"], [1])
        self.router.send("applyRampUpdates", [], [], [(7, OFF_RAMP)])
        for arriving, text in [
            ((bytes(32), 7, word(other.address), ball, []), "Not the counterpart's chain"),
            ((bytes(32), DEST, word(STRANGER), ball, []), "Not the counterpart"),
        ]:
            ok, answer, _ = self.hand(one, arriving)
            self.assertEqual((ok, answer), (False, string_error(text)[:132]))

    def test_settings(self):
        one, _ = self.play(ZERO)
        for name, arguments in [
            ("setCounterpart", (1, STRANGER)), ("setCounterpartAddress", (STRANGER,)),
            ("setCounterpartChainSelector", (1,)), ("setPaused", (True,)), ("startPingPong", ()),
            ("setOutOfOrderExecution", (True,)),
        ]:
            self.refuses(error("OnlyCallableByOwner()"), one.send, name, *arguments, sender=STRANGER)
        one.send("setCounterpartAddress", STRANGER)
        one.send("setCounterpartChainSelector", 9)
        one.send("setPaused", True)
        changed = one.send("setOutOfOrderExecution", True)
        self.assertEqual(topics_of(changed), [topic("OutOfOrderExecutionChange(bool)")])
        self.assertEqual(
            [one.call(n) for n in (
                "getCounterpartAddress", "getCounterpartChainSelector", "isPaused", "getOutOfOrderExecution",
                "getFeeToken", "typeAndVersion",
            )],
            [STRANGER, 9, True, True, ZERO, "PingPongDemo 1.6.0"],
        )
        self.refuses(
            error("InvalidRouter(address)", ZERO), self.chain.deploy, artifact("ping_pong_demo"), ZERO, ZERO
        )
        self.refuses(b"", one.raw, b"\1\2\3\4", value=1, sender=SENDER)


class Defensive(ApplicationCase):
    def setUp(self):
        super().setUp()
        self.receiver = self.chain.deploy(artifact("defensive_receiver"), self.router.address)
        self.receiver.send("setTrustedSender", DEST, word(SENDER), True)
        self.token, _ = self.whole.add_token()

    def arriving(self, number, data, amount=10, sender=SENDER):
        """A message with tokens, which the off-ramp has already released to the receiver."""
        self.token.send("transfer", self.receiver.address, amount, sender=SENDER)
        return (number.to_bytes(32, "big"), DEST, word(sender), data, [(self.token.address, amount)])

    def balance(self, account):
        return self.token.call("balanceOf", account)

    def test_what_can_be_processed_is_paid_at_once(self):
        ok, _, result = self.hand(self.receiver, self.arriving(1, word(FRIEND)))
        self.assertTrue(ok)
        self.assertIn(topic("MessageReceived(bytes32,address)"), topics_of(result))
        self.assertEqual(self.balance(FRIEND), 10)
        self.check_router(self.receiver)

    def test_what_cannot_is_kept_and_tried_again(self):
        self.receiver.send("setRefusing", True)
        kept = self.arriving(2, word(FRIEND))
        ok, _, result = self.hand(self.receiver, kept)
        self.assertTrue(ok)
        failed = next(log for log in result.logs if log[0] == self.receiver.address)
        self.assertEqual(failed[1][0], topic("MessageFailed(bytes32,bytes)"))
        self.assertEqual(decode(["bytes"], failed[2])[0], error("Refusing()"))
        self.assertTrue(self.receiver.call("isFailed", kept[0]))
        self.refuses(error("Refusing()"), self.receiver.send, "retryFailedMessage", kept, sender=STRANGER)
        self.receiver.send("setRefusing", False)
        # Another's tokens cannot be had by changing what the message says.
        stolen = (kept[0], kept[1], kept[2], word(STRANGER), kept[4])
        self.refuses(
            error("MessageNotFailed(bytes32)", kept[0]), self.receiver.send, "retryFailedMessage", stolen
        )
        done = self.receiver.send("retryFailedMessage", kept, sender=STRANGER)
        self.assertIn(topic("MessageRecovered(bytes32,address)"), topics_of(done))
        self.assertEqual(self.balance(FRIEND), 10)
        self.refuses(
            error("MessageNotFailed(bytes32)", kept[0]), self.receiver.send, "retryFailedMessage", kept
        )

    def test_running_out_of_gas_is_kept_too(self):
        kept = self.arriving(9, word(FRIEND))
        ok, answer, _ = self.hand(self.receiver, kept, gas=85_000)
        self.assertTrue(ok, answer.hex())
        self.assertTrue(self.receiver.call("isFailed", kept[0]))
        ok, answer, _ = self.hand(self.receiver, self.arriving(10, word(FRIEND)), gas=50_000)
        self.assertEqual((ok, answer), (False, string_error("Too little gas to keep a message")[:132]))

    def test_what_is_kept_can_be_claimed(self):
        kept = self.arriving(3, word(FRIEND), sender=STRANGER)
        _, _, result = self.hand(self.receiver, kept)
        failed = next(log for log in result.logs if log[0] == self.receiver.address)
        self.assertEqual(
            decode(["bytes"], failed[2])[0], error("UntrustedSender(uint64,bytes)", DEST, word(STRANGER))
        )
        claim = lambda kept, sender: self.receiver.send("claimFailedMessage", kept, STRANGER, sender=sender)
        self.refuses(error("OnlyClaimant(address)", FRIEND), claim, kept, OWNER)
        stolen = (kept[0], kept[1], kept[2], word(STRANGER), kept[4])
        self.refuses(error("MessageNotFailed(bytes32)", kept[0]), claim, stolen, STRANGER)
        claim(kept, FRIEND)
        self.assertEqual(self.balance(STRANGER), 10)
        self.refuses(error("MessageNotFailed(bytes32)", kept[0]), claim, kept, FRIEND)

    def test_what_names_nobody_is_the_owners_to_claim(self):
        for number, data in enumerate([b"", b"\xff" * 32, bytes(32), bytes(64)], 4):
            kept = self.arriving(number, data, amount=number)
            ok, answer, _ = self.hand(self.receiver, kept)
            self.assertTrue(ok, answer.hex())
            claim = lambda sender: self.receiver.send("claimFailedMessage", kept, FRIEND, sender=sender)
            self.refuses(error("OnlyClaimant(address)", OWNER), claim, STRANGER)
            claim(OWNER)
        self.assertEqual(self.balance(FRIEND), 4 + 5 + 6 + 7)

    def test_settings(self):
        for name, *arguments in [("setRefusing", True), ("setTrustedSender", DEST, b"", True)]:
            self.refuses(error("OnlyCallableByOwner()"), self.receiver.send, name, *arguments, sender=STRANGER)
        self.refuses(
            error("OnlySelf()"), self.receiver.send, "processMessage", (bytes(32), DEST, word(SENDER), b"", [])
        )


class Ether(ApplicationCase):
    def setUp(self):
        super().setUp()
        self.app = self.chain.deploy(artifact("ether_sender_receiver"), self.router.address)
        wrapped = self.whole.wrapped.address
        self.pool = self.chain.deploy(
            artifact("lock_release_token_pool"), wrapped, 18, [], self.whole.proxy.address, self.router.address
        )
        self.pool.send("applyChainUpdates", [], [(DEST, [REMOTE], REMOTE, NO_LIMIT, NO_LIMIT)])
        self.whole.lane.list_token(wrapped, self.pool.address)

    def message(self, amount, fee_token=ZERO, count=1):
        return message(word(self.app.address), b"ignored", [(STRANGER, amount)] * count, fee_token)

    def test_coins_go_over_and_come_out(self):
        sent = self.message(1000)
        fee = self.app.call("getFee", DEST, sent, sender=SENDER)
        before = self.coins(SENDER)
        self.refuses(
            error("InsufficientMsgValue(uint256,uint256)", 1000 + fee, 999 + fee),
            self.app.send, "ccipSend", DEST, sent, sender=SENDER, value=999 + fee,
        )
        result = self.app.send("ccipSend", DEST, sent, sender=SENDER, value=1000 + fee)
        self.assertEqual(before - self.coins(SENDER), 1000 + fee)
        logged = self.whole.sent(result)
        self.assertEqual(logged[0][0], result.output)
        self.assertEqual((logged[1], logged[2]), (self.app.address.lower(), word(SENDER)))
        self.assertEqual(logged[8][0][3], 1000)
        self.assertEqual(self.whole.wrapped.call("balanceOf", self.pool.address), 1000)
        # There: the pool pays the wrapped coins to the application, which hands out plain ones.
        arriving = (logged[0][0], DEST, word(self.app.address), word(FRIEND), [(self.whole.wrapped.address, 1000)])
        self.whole.wrapped.send("deposit", sender=SENDER, value=1000)
        self.whole.wrapped.send("transfer", self.app.address, 1000, sender=SENDER)
        ok, answer, _ = self.hand(self.app, arriving)
        self.assertTrue(ok, answer.hex())
        self.assertEqual(self.coins(FRIEND), 1000)

    def test_fees_in_tokens(self):
        for token in (self.whole.link, self.whole.wrapped):
            with self.subTest(token.address):
                if token is self.whole.wrapped:
                    token.send("deposit", sender=SENDER, value=10**18)
                sent = self.message(5, token.address)
                fee = self.app.call("getFee", DEST, sent, sender=SENDER)
                token.send("approve", self.app.address, fee, sender=SENDER)
                self.refuses(
                    error("TokenAmountNotEqualToMsgValue(uint256,uint256)", 5, 6),
                    self.app.send, "ccipSend", DEST, sent, sender=SENDER, value=6,
                )
                result = self.app.send("ccipSend", DEST, sent, sender=SENDER, value=5)
                self.assertEqual(self.whole.sent(result)[5], token.address.lower())
                self.assertEqual(token.call("balanceOf", self.app.address), 0)
        # The allowance for the next transfer is still there.
        fee = self.app.call("getFee", DEST, self.message(5), sender=SENDER)
        self.app.send("ccipSend", DEST, self.message(5), sender=SENDER, value=5 + fee)

    def test_who_takes_no_coins_gets_them_wrapped(self):
        refuser = self.whole.on_ramp.address
        self.whole.wrapped.send("deposit", sender=SENDER, value=7)
        self.whole.wrapped.send("transfer", self.app.address, 7, sender=SENDER)
        arriving = (bytes(32), DEST, word(self.app.address), word(refuser), [(self.whole.wrapped.address, 7)])
        ok, answer, _ = self.hand(self.app, arriving)
        self.assertTrue(ok, answer.hex())
        self.assertEqual(self.whole.wrapped.call("balanceOf", refuser), 7)

    def test_refusals(self):
        self.check_router(self.app)
        for count in (0, 2):
            refusal = error("InvalidTokenAmounts(uint256)", count)
            self.refuses(refusal, self.app.call, "getFee", DEST, self.message(5, count=count))
            self.refuses(refusal, self.app.send, "ccipSend", DEST, self.message(5, count=count))
            arriving = (bytes(32), DEST, word(SENDER), word(FRIEND), [(self.whole.wrapped.address, 1)] * count)
            self.assertEqual(self.hand(self.app, arriving)[:2], (False, refusal))
        arriving = (bytes(32), DEST, word(SENDER), word(FRIEND), [(STRANGER, 1)])
        self.assertEqual(
            self.hand(self.app, arriving)[:2],
            (False, error("UnexpectedToken(address,address)", STRANGER, self.whole.wrapped.address)),
        )
        self.refuses(b"", self.app.raw, b"", sender=SENDER, value=1)
        self.assertEqual(self.app.call("i_weth"), self.whole.wrapped.address.lower())
        self.assertEqual(self.app.call("typeAndVersion"), "EtherSenderReceiver 1.6.0")


class Reading(ApplicationCase):
    def setUp(self):
        super().setUp()
        self.asker, self.answerer = (
            self.chain.deploy(artifact("remote_reader"), self.router.address) for _ in range(2)
        )
        self.asker.send("setPeer", DEST, self.answerer.address)
        self.answerer.send("setPeer", DEST, self.asker.address)
        self.answerer.raw(b"", sender=SENDER, value=10**18)
        self.question = selector("getFeeTokens()")

    def ask(self, target=None, payload=None):
        asked = (DEST, target or self.whole.quoter.address, payload or self.question, 100_000)
        fee = self.asker.call("getFee", *asked)
        result = self.asker.send("ask", *asked, sender=SENDER, value=fee)
        self.assertIn(topic("Asked(bytes32,uint64,address)"), topics_of(result))
        sent = self.whole.sent(result)
        self.assertEqual(sent[0][0], result.output)
        return sent

    def test_an_answer_comes_back(self):
        question = self.ask()
        self.assertEqual(self.asker.call("getAnswer", question[0][0])[:2], (True, False))
        ok, answer, result = self.whole.deliver(question)
        self.assertTrue(ok, answer.hex())
        self.assertIn(topic("Replied(bytes32,bytes32,bool)"), topics_of(result))
        reply = self.whole.sent(result)
        ok, answer, result = self.whole.deliver(reply)
        self.assertTrue(ok, answer.hex())
        self.assertIn(topic("Answered(bytes32,bool,bytes)"), topics_of(result))
        asked, answered, fine, found = self.asker.call("getAnswer", question[0][0])
        self.assertEqual((asked, answered, fine), (True, True, True))
        tokens = {self.whole.link.address.lower(), self.whole.wrapped.address.lower()}
        self.assertEqual(set(decode(["address[]"], found)[0]), tokens)
        # An answer is taken once.
        ok, answer, _ = self.whole.deliver(reply)
        self.assertEqual((ok, answer), (False, error("UnexpectedReply(bytes32)", question[0][0])))

    def test_a_revert_is_an_answer_too(self):
        question = self.ask(payload=selector("applyFeeTokensUpdates(address[],address[])") + encode(
            ["address[]", "address[]"], [[], []]
        ))
        _, _, result = self.whole.deliver(question)
        self.whole.deliver(self.whole.sent(result))
        _, answered, fine, found = self.asker.call("getAnswer", question[0][0])
        self.assertEqual((answered, fine, found), (True, False, error("OnlyCallableByOwner()")))

    def test_refusals(self):
        self.check_router(self.asker)
        self.refuses(
            error("UnknownPeer(uint64)", 7), self.asker.call, "getFee", 7, STRANGER, b"", 0
        )
        stranger = (bytes(32), DEST, word(STRANGER), b"", [])
        self.assertEqual(
            self.hand(self.asker, stranger)[:2],
            (False, error("UntrustedSender(uint64,bytes)", DEST, word(STRANGER))[:132]),
        )
        never = encode(["uint256", "bytes32", "bool", "bytes"], [2, b"\5" * 32, True, b""])
        arriving = (bytes(32), DEST, word(self.answerer.address), never, [])
        self.assertEqual(self.hand(self.asker, arriving)[:2], (False, error("UnexpectedReply(bytes32)", b"\5" * 32)))
        ok, answer, _ = self.whole.deliver(self.ask(), gas=300_000)
        self.assertEqual((ok, answer), (False, string_error("Too little gas to reply")[:132]))

    def test_settings(self):
        for name, *arguments in [("setPeer", DEST, STRANGER), ("withdraw", STRANGER, 1)]:
            self.refuses(error("OnlyCallableByOwner()"), self.answerer.send, name, *arguments, sender=STRANGER)
        self.answerer.send("withdraw", FRIEND, 10**18)
        self.assertEqual(self.coins(FRIEND), 10**18)
        self.assertEqual(self.asker.call("peers", DEST), self.answerer.address.lower())


if __name__ == "__main__":
    unittest.main()
