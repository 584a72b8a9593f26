"""Random walks over a whole bridge of real contracts, and what must hold after every step of them.

No path gives out more than was taken in, per token and lane; no limiter lets more through than its bucket; a rate of
zero freezes. A failure names its seed; CAUSEWAY_SEED=N walks that way again, CAUSEWAY_STEPS=N walks farther.
"""

import os
import random
import unittest

from bridge import USERS, Bridge
from chain import Chain, error, mock
from harness import Case, on_every_machine
from ledger import Broken, Bucket, Ledger
from pools import BURN_MINT, LOCK_RELEASE, UNLIMITED, Pool
from reference import SUCCESS, states
from walk import Walk

SEEDS = [1, 2, 3]
STEPS = 90
# An empty bucket that never fills would be waited for without end: a division by zero in the reference.
PANIC = error("Panic(uint256)", 0x11)


@on_every_machine
class Walks(Case):
    # What all walks did, act by act: a property that nothing tests would hold as well.
    counts = {}

    def walk(self, seed):
        walk = Walk(Bridge().connect(), seed)
        steps = int(os.environ.get("CAUSEWAY_STEPS", STEPS))
        try:
            for number in range(steps):
                walk.step()
                if number % 10 == 9:
                    walk.ledger.check_buckets()
            walk.settle()
        except Broken as broken:
            self.fail(f"{broken}\nto see it again: CAUSEWAY_SEED={seed} CAUSEWAY_STEPS={steps}")
        return walk

    def test_nothing_is_made_of_nothing(self):
        chosen = os.environ.get("CAUSEWAY_SEED")
        counts = {}
        for seed in [int(chosen)] if chosen else SEEDS:
            with self.subTest(seed=seed):
                for key, count in self.walk(seed).counts.items():
                    counts[key] = counts.get(key, 0) + count
        if chosen is None:
            for act, outcome, least in [
                ("send", "done", 30), ("send", "refused", 30), ("commit", "done", 15), ("execute", "done", 25),
                ("execute_manually", "done", 2), ("execute_manually", "refused", 3), ("limit", "done", 5),
                ("limit", "refused", 1), ("reconnect", "done", 3), ("forge", "refused", 5), ("intrude", "refused", 5),
                ("run_dry", "done", 2), ("curse", "done", 1), ("unlist", "done", 1),
                ("message", "success", 30), ("message", "failure", 5),
            ]:
                self.assertGreaterEqual(counts.get((act, outcome), 0), least, (act, outcome, counts))


@on_every_machine
class ZeroRate(Case):
    """A limiter whose rate is zero gives what its bucket holds and then nothing, however long one waits."""

    def check(self, kind, direction):
        chain = Chain()
        pool = Pool(chain, kind)
        pool.give(10**9)
        move = pool.release if direction == "Inbound" else pool.lock
        off = UNLIMITED
        seed = random.Random(f"{kind} {direction}")
        for _ in range(4):
            # A full bucket of a lane that is added with it: three parts, and never one more.
            capacity = seed.randrange(3, 1_000)
            config = (True, capacity, 0)
            limits = (off, config) if direction == "Inbound" else (config, off)
            pool.reconnect(*limits)
            parts = [capacity // 3, capacity // 3, capacity - 2 * (capacity // 3)]
            for part in parts:
                move(part)
                chain.timestamp += seed.randrange(10**6)
            for _ in range(3):
                self.assertEqual(self.refusal(move, 1), PANIC)
                self.assertEqual(pool.level(direction)[0], 0)
                chain.timestamp += seed.randrange(10**6)
            # Nothing is a movement of nothing.
            move(0)
            # A rate thaws it; zero again freezes what is there by then.
            rate = seed.randrange(1, 3)
            pool.limit(*[(True, capacity, rate) if limit == config else off for limit in limits])
            chain.timestamp += 1
            pool.limit(*limits)
            move(rate)
            chain.timestamp += 10**6
            self.assertEqual(self.refusal(move, 1), PANIC)
            # With no capacity at all nothing passes, not even once.
            pool.limit(*[(True, 0, 0) if limit == config else off for limit in limits])
            chain.timestamp += 10**6
            due = error("TokenMaxCapacityExceeded(uint256,uint256,address)", 0, 1, pool.token.address)
            self.refuses(due, move, 1)
            # Without a limiter everything does.
            pool.limit(off, off)
            move(10**5)

    def test_mint(self):
        self.check(BURN_MINT, "Inbound")

    def test_burn(self):
        self.check(BURN_MINT, "Outbound")

    def test_release(self):
        self.check(LOCK_RELEASE, "Inbound")

    def test_lock(self):
        self.check(LOCK_RELEASE, "Outbound")


@on_every_machine
class Windows(Case):
    """In any stretch of time, what passes is at most what the bucket can hold and what flows in meanwhile."""

    STEPS = 60

    def test_no_window_lets_more_through(self):
        seed = int(os.environ.get("CAUSEWAY_SEED", 1))
        for kind in (BURN_MINT, LOCK_RELEASE):
            with self.subTest(kind, seed=seed):
                self.check(kind, random.Random(f"{kind} {seed}"))

    def check(self, kind, chance):
        chain = Chain()
        capacity, rate = chance.randrange(100, 1_000), chance.randrange(1, 20)
        pool = Pool(chain, kind, outbound=(True, capacity, rate), inbound=(True, capacity, rate))
        pool.give(10**9)
        passed = {"Inbound": [], "Outbound": []}
        for _ in range(self.STEPS):
            chain.timestamp += chance.choice([0, 0, 1, 5, chance.randrange(200)])
            direction = chance.choice([*passed])
            amount = chance.choice([1, chance.randrange(1, capacity + 2), capacity])
            if self.refusal(pool.release if direction == "Inbound" else pool.lock, amount) is None:
                passed[direction].append((chain.timestamp, amount))
        for direction, moves in passed.items():
            self.assertGreater(len(moves), 5, direction)
            for first, (start, _) in enumerate(moves):
                through = 0
                for end, amount in moves[first:]:
                    through += amount
                    self.assertLessEqual(through, capacity + rate * (end - start), (direction, start, end))


@on_every_machine
class PlantedFaults(Case):
    """The accountant of the walks must find each of these out."""

    def cross(self, bridge, ledger, source, symbol="ONE", amount=7 * 10**18):
        """One message with tokens to the other side, committed and executed under the accountant's eyes."""
        target = bridge.right if source is bridge.left else bridge.left
        _, (message, _) = ledger.watch(
            source, lambda: source.send(USERS[0], [(symbol, amount)], USERS[1], b"", 0, True), "send"
        )
        layers = target.receiving.commit_messages([message])
        report = target.receiving.report([message], layers, [0])
        return ledger.watch(target, lambda: target.receiving.execute(report), "execute"), message, report

    def greedy(self, mode):
        bridge = Bridge(right_wrapper=mock("greedy_pool")).connect()
        for token in bridge.right.tokens.values():
            token.listed.send("setMode", mode)
        return bridge, Ledger(bridge)

    def test_an_honest_pool_passes(self):
        bridge, ledger = self.greedy(0)
        for source, amount in [(bridge.left, 7 * 10**18), (bridge.right, 5 * 10**6)]:
            (moved, result), _, _ = self.cross(bridge, ledger, source, amount=amount)
            self.assertEqual([state[1] for state in states(result)], [SUCCESS])
            self.assertGreater(moved["ONE"], 0)
        ledger.check_buckets()

    def test_a_pool_that_mints_double(self):
        for mode in (1, 2):
            with self.subTest("to the receiver" if mode == 1 else "to its owner"):
                bridge, ledger = self.greedy(mode)
                with self.assertRaisesRegex(Broken, "came out of"):
                    self.cross(bridge, ledger, bridge.left)

    def test_a_pool_that_does_not_burn(self):
        bridge, ledger = self.greedy(3)
        with self.assertRaisesRegex(Broken, "came out of"):
            self.cross(bridge, ledger, bridge.right, amount=5 * 10**6)

    def test_a_pool_that_forgets_its_limits(self):
        bridge, ledger = self.greedy(4)
        token = bridge.right.tokens["ONE"]
        for limits in [(UNLIMITED, (True, 10**6, 1)), ((True, 10**6, 1), UNLIMITED)]:
            token.limit(*limits)
            ledger.configured(token, *limits)
        with self.assertRaisesRegex(Broken, "more than its bucket held"):
            self.cross(bridge, ledger, bridge.right, amount=5 * 10**6)

    def test_two_off_ramps_for_one_on_ramp(self):
        """A configuration fault: both find the same message new."""
        bridge = Bridge().connect()
        ledger = Ledger(bridge)
        _, message, _ = self.cross(bridge, ledger, bridge.left)
        right = bridge.right
        second = right.receiving.twin()
        layers = second.commit_messages([message])
        report = second.report([message], layers, [0])
        with self.assertRaisesRegex(Broken, "came out of"):
            ledger.watch(right, lambda: second.execute(report), "execute")

    def test_a_bucket_that_tells_too_much(self):
        bucket = Bucket("bucket", (True, 10, 1), 100)
        bucket.move(4, 100)
        bucket.check((6, 100, True, 10, 1), 100)
        bucket.check((9, 103, True, 10, 1), 103)
        with self.assertRaises(Broken):
            bucket.check((10, 103, True, 10, 1), 103)
        with self.assertRaises(Broken):
            bucket.move(10, 103)


if __name__ == "__main__":
    unittest.main()
