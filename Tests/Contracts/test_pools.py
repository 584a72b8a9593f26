"""Token pools: how each kind moves tokens, whom it lets, what it limits, and how it refuses.

Run: .venv/bin/python -m unittest discover -s Tests/Contracts
"""

import unittest

from eth_abi import encode
from eth_utils import keccak, to_checksum_address

from chain import OWNER, ZERO, Chain, artifact, error, mock, selector
from test_sending import Case

CHAIN, OTHER_CHAIN = 1523760397290643893, 7
ON_RAMP, OFF_RAMP = to_checksum_address(b"\x0e" * 20), to_checksum_address(b"\x0f" * 20)
HOLDER, STRANGER = to_checksum_address(b"\x21" * 20), to_checksum_address(b"\x77" * 20)
REMOTE_POOL, REMOTE_TOKEN = b"\x0a".rjust(32, b"\0"), b"\x0b".rjust(32, b"\0")
OFF = (False, 0, 0)
DECIMALS = encode(["uint8"], [18])
KINDS = {
    "burn_mint_token_pool": "BurnMintTokenPool 1.6.1",
    "burn_from_mint_token_pool": "BurnFromMintTokenPool 1.6.1",
    "burn_with_from_mint_token_pool": "BurnWithFromMintTokenPool 1.6.1",
    "burn_to_address_token_pool": "BurnToAddressTokenPool 1.6.1",
    "lock_release_token_pool": "LockReleaseTokenPool 1.6.1",
    "siloed_lock_release_token_pool": "SiloedLockReleaseTokenPool 1.6.0",
}
BURN_ADDRESS = to_checksum_address(b"\xde" * 20)


def topics_of(result):
    return [topics[0] for _, topics, _ in result.logs]


def topic(signature):
    return keccak(text=signature)


class PoolCase(Case):
    """A router with one on-ramp and one off-ramp, a token, and pools on demand."""

    def setUp(self):
        self.chain = chain = Chain()
        self.arm = chain.deploy(mock("arm"))
        self.router = chain.deploy(artifact("router"), STRANGER, self.arm.address)
        self.router.send(
            "applyRampUpdates", [(CHAIN, ON_RAMP), (OTHER_CHAIN, ON_RAMP)], [],
            [(CHAIN, OFF_RAMP), (OTHER_CHAIN, OFF_RAMP)],
        )
        self.token = chain.deploy(artifact("burn_mint_erc20"), "Token", "TOK", 18, 0, 10**24, HOLDER)

    def add_pool(self, kind, allowlist=(), outbound=OFF, inbound=OFF):
        extra = [BURN_ADDRESS] if kind == "burn_to_address_token_pool" else []
        pool = self.chain.deploy(
            artifact(kind), self.token.address, 18, list(allowlist), self.arm.address, self.router.address, *extra
        )
        pool.send("applyChainUpdates", [], [(CHAIN, [REMOTE_POOL], REMOTE_TOKEN, outbound, inbound)])
        self.token.send("grantMintAndBurnRoles", pool.address, sender=HOLDER)
        return pool

    def leave(self, pool, amount, sender=HOLDER, caller=ON_RAMP, token=None, chain=CHAIN):
        """lockOrBurn, the tokens being in the pool as the router would have put them."""
        if amount:
            self.token.send("transfer", pool.address, amount, sender=HOLDER)
        request = (encode(["address"], [STRANGER]), chain, sender, amount, token or self.token.address)
        return pool.send("lockOrBurn", request, sender=caller)

    def arrive(self, pool, amount, pool_data=DECIMALS, source=REMOTE_POOL, caller=OFF_RAMP, token=None, chain=CHAIN,
               offchain=b""):
        request = (
            REMOTE_TOKEN, chain, STRANGER, amount, token or self.token.address, source, pool_data, offchain
        )
        return pool.send("releaseOrMint", request, sender=caller)

    def balance(self, account):
        return self.token.call("balanceOf", account)


class MovingTokens(PoolCase):
    def test_each_kind_moves_what_it_says(self):
        for kind, name in KINDS.items():
            with self.subTest(kind):
                pool = self.add_pool(kind)
                self.assertEqual(pool.call("typeAndVersion"), name)
                supply, received = self.token.call("totalSupply"), self.balance(STRANGER)
                burnt = self.balance(BURN_ADDRESS)
                left = self.leave(pool, 1000)
                self.assertEqual(pool.decoded("lockOrBurn", left.output), (REMOTE_TOKEN, DECIMALS))
                locks = "lock" in kind
                gone = kind.startswith("burn_") and kind != "burn_to_address_token_pool"
                self.assertEqual(self.token.call("totalSupply"), supply - (1000 if gone else 0))
                self.assertEqual(self.balance(pool.address), 1000 if locks else 0)
                self.assertEqual(self.balance(BURN_ADDRESS) - burnt, 0 if locks or gone else 1000)
                came = self.arrive(pool, 600)
                self.assertEqual(pool.decoded("releaseOrMint", came.output), (600,))
                self.assertEqual(self.balance(STRANGER), received + 600)
                self.assertEqual(self.balance(pool.address), 400 if locks else 0)
                self.check_reports(kind, left, came)

    def check_reports(self, kind, left, came):
        if kind == "siloed_lock_release_token_pool":
            self.assertEqual(topics_of(left)[-1], topic("Locked(address,uint256)"))
            self.assertEqual(topics_of(came)[-1], topic("Released(address,address,uint256)"))
            self.assertNotIn(topic("TokensConsumed(uint256)"), topics_of(left))
            return
        consumed = "boundRateLimitConsumed(uint64,address,uint256)"
        self.assertIn(topic("Out" + consumed), topics_of(left))
        self.assertIn(topic("In" + consumed), topics_of(came))
        address, topics, data = left.logs[-1]
        self.assertEqual(topics, [topic("LockedOrBurned(uint64,address,address,uint256)"), CHAIN.to_bytes(32, "big")])
        self.assertEqual(data, encode(["address", "address", "uint256"], [self.token.address, ON_RAMP, 1000]))
        address, topics, data = came.logs[-1]
        self.assertEqual(topics[0], topic("ReleasedOrMinted(uint64,address,address,address,uint256)"))
        self.assertEqual(
            data, encode(["address"] * 3 + ["uint256"], [self.token.address, OFF_RAMP, STRANGER, 600])
        )

    def test_burn_address(self):
        pool = self.add_pool("burn_to_address_token_pool")
        self.assertEqual(pool.call("getBurnAddress"), BURN_ADDRESS.lower())
        self.assertEqual(pool.call("i_burnAddress"), BURN_ADDRESS.lower())

    def test_each_kind_refuses_in_order(self):
        for kind in KINDS:
            with self.subTest(kind):
                pool = self.add_pool(kind, allowlist=[HOLDER])
                subject = bytes(8) + CHAIN.to_bytes(8, "big")
                self.arm.send("set", subject, True)
                self.refuses(error("InvalidToken(address)", STRANGER), self.leave, pool, 0, token=STRANGER)
                self.refuses(error("CursedByRMN()"), self.leave, pool, 0, sender=STRANGER)
                self.refuses(error("InvalidToken(address)", STRANGER), self.arrive, pool, 1, token=STRANGER)
                self.refuses(error("CursedByRMN()"), self.arrive, pool, 1)
                self.arm.send("set", subject, False)
                self.refuses(
                    error("SenderNotAllowed(address)", STRANGER),
                    self.leave, pool, 0, sender=STRANGER, chain=OTHER_CHAIN,
                )
                for move in (self.leave, self.arrive):
                    self.refuses(error("ChainNotAllowed(uint64)", OTHER_CHAIN), move, pool, 0, chain=OTHER_CHAIN)
                    self.refuses(
                        error("CallerIsNotARampOnRouter(address)", STRANGER), move, pool, 0, caller=STRANGER
                    )
                self.refuses(
                    error("InvalidSourcePoolAddress(bytes)", REMOTE_POOL[12:]),
                    self.arrive, pool, 1, source=REMOTE_POOL[12:],
                )
                for data in (b"\x12", encode(["uint256"], [256])):
                    self.refuses(error("InvalidRemoteChainDecimals(bytes)", data), self.arrive, pool, 1, pool_data=data)
                self.refuses(
                    error("OverflowDetected(uint8,uint8,uint256)", 0, 18, 2**255),
                    self.arrive, pool, 2**255, pool_data=encode(["uint8"], [0]),
                )

    def test_limits_by_version(self):
        limit = (True, 1000, 10)
        for kind in KINDS:
            with self.subTest(kind):
                old = kind == "siloed_lock_release_token_pool"
                pool = self.add_pool(kind, outbound=limit, inbound=limit)
                if "lock" in kind:
                    self.token.send("approve", pool.address, 10**6, sender=HOLDER)
                    pool.send("setRebalancer", HOLDER)
                    pool.send("provideLiquidity", 10**6, sender=HOLDER)
                self.refuses(
                    error("TokenMaxCapacityExceeded(uint256,uint256,address)", 1000, 1001, self.token.address),
                    self.leave, pool, 1001,
                )
                left = self.leave(pool, 995)
                self.assertEqual(topic("TokensConsumed(uint256)") in topics_of(left), old)
                self.refuses(
                    error("TokenRateLimitReached(uint256,uint256,address)", 2, 5, self.token.address),
                    self.leave, pool, 16,
                )
                # One decimal less there: 1.6.1 limits by local units, older pools by what the message says.
                data = encode(["uint8"], [17])
                if old:
                    self.arrive(pool, 1000, pool_data=data)
                else:
                    self.refuses(
                        error("TokenMaxCapacityExceeded(uint256,uint256,address)", 1000, 10_000, self.token.address),
                        self.arrive, pool, 1000, pool_data=data,
                    )
                    self.arrive(pool, 100, pool_data=data)
                self.assertEqual(pool.call("getCurrentInboundRateLimiterState", CHAIN)[0], 0)
                self.assertEqual(pool.call("getCurrentOutboundRateLimiterState", CHAIN)[0], 5)


class Configuration(PoolCase):
    def test_construction(self):
        arguments = [self.token.address, 18, [], self.arm.address, self.router.address]
        for place in (0, 3, 4):
            with self.subTest(place):
                wrong = [ZERO if i == place else a for i, a in enumerate(arguments)]
                self.refuses(
                    error("ZeroAddressNotAllowed()"), self.chain.deploy, artifact("burn_mint_token_pool"), *wrong
                )
        arguments[1] = 6
        self.refuses(
            error("InvalidDecimalArgs(uint8,uint8)", 6, 18),
            self.chain.deploy, artifact("burn_from_mint_token_pool"), *arguments,
        )
        arguments[1] = 18
        self.refuses(
            error("OwnerCannotBeZero()"), self.chain.deploy, artifact("burn_mint_token_pool"), *arguments, sender=ZERO
        )

    def test_owner_only(self):
        pool = self.add_pool("burn_with_from_mint_token_pool", allowlist=[HOLDER])
        for name, *arguments in [
            ("applyChainUpdates", [], []),
            ("applyAllowListUpdates", [], []),
            ("addRemotePool", CHAIN, b"\1"),
            ("removeRemotePool", CHAIN, REMOTE_POOL),
            ("setRouter", STRANGER),
            ("setRateLimitAdmin", STRANGER),
            ("transferOwnership", STRANGER),
        ]:
            with self.subTest(name):
                self.refuses(error("OnlyCallableByOwner()"), pool.send, name, *arguments, sender=STRANGER)
        self.refuses(error("CannotTransferToSelf()"), pool.send, "transferOwnership", OWNER)
        self.refuses(error("MustBeProposedOwner()"), pool.send, "acceptOwnership", sender=STRANGER)
        pool.send("transferOwnership", STRANGER)
        pool.send("acceptOwnership", sender=STRANGER)
        self.assertEqual(pool.call("owner"), STRANGER)

    def test_chains_and_remote_pools(self):
        pool = self.add_pool("burn_mint_token_pool")
        add = lambda selector, pools=(), token=REMOTE_TOKEN, out=OFF, into=OFF: pool.send(
            "applyChainUpdates", [], [(selector, list(pools), token, out, into)]
        )
        self.refuses(error("ChainAlreadyExists(uint64)", CHAIN), add, CHAIN)
        self.refuses(error("ZeroAddressNotAllowed()"), add, OTHER_CHAIN, token=b"")
        self.refuses(error("ZeroAddressNotAllowed()"), add, OTHER_CHAIN, pools=[b""])
        self.refuses(
            error("PoolAlreadyAdded(uint64,bytes)", OTHER_CHAIN, b"\1"), add, OTHER_CHAIN, pools=[b"\1", b"\1"]
        )
        unknown = error("NonExistentChain(uint64)", OTHER_CHAIN)
        self.refuses(unknown, pool.send, "applyChainUpdates", [OTHER_CHAIN], [])
        self.refuses(unknown, pool.send, "addRemotePool", OTHER_CHAIN, b"\1")
        self.refuses(unknown, pool.send, "removeRemotePool", OTHER_CHAIN, b"\1")
        self.refuses(unknown, pool.send, "setChainRateLimiterConfig", OTHER_CHAIN, OFF, OFF)
        self.refuses(
            error("InvalidRemotePoolForChain(uint64,bytes)", CHAIN, b"\1"), pool.send, "removeRemotePool", CHAIN, b"\1"
        )
        pool.send("addRemotePool", CHAIN, b"\1")
        self.assertEqual(pool.call("getRemotePools", CHAIN), (REMOTE_POOL, b"\1"))
        pool.send("removeRemotePool", CHAIN, REMOTE_POOL)
        self.assertEqual(pool.call("getRemotePools", CHAIN), (b"\1",))
        self.assertFalse(pool.call("isRemotePool", CHAIN, REMOTE_POOL))
        self.assertEqual(pool.call("getRemoteToken", CHAIN), REMOTE_TOKEN)
        removed = pool.send("applyChainUpdates", [CHAIN], [])
        self.assertEqual(topics_of(removed), [topic("ChainRemoved(uint64)")])
        self.assertEqual((pool.call("getSupportedChains"), pool.call("isSupportedChain", CHAIN)), ((), False))
        # A chain that returns does not find the old pool again.
        add(CHAIN)
        self.assertFalse(pool.call("isRemotePool", CHAIN, b"\1"))

    def test_allowlist(self):
        self.refuses(
            error("AllowListNotEnabled()"), self.add_pool("burn_mint_token_pool").send, "applyAllowListUpdates", [], []
        )
        pool = self.add_pool("burn_mint_token_pool", allowlist=[HOLDER])
        pool.send("applyAllowListUpdates", [HOLDER, STRANGER], [ZERO, STRANGER, STRANGER])
        self.assertEqual(pool.call("getAllowList"), (STRANGER,))
        self.assertTrue(pool.call("getAllowListEnabled"))

    def test_limits(self):
        pool = self.add_pool("burn_mint_token_pool")
        setting = lambda out, into, sender=OWNER: pool.send(
            "setChainRateLimiterConfig", CHAIN, out, into, sender=sender
        )
        config = "(bool,uint128,uint128)"
        for wrong, name in [((True, 1, 2), "InvalidRateLimitRate"), ((False, 1, 0), "DisabledNonZeroRateLimit")]:
            data = keccak(text=f"{name}({config})")[:4] + encode([config], [wrong])
            self.refuses(data, setting, wrong, OFF)
            self.refuses(data, setting, OFF, wrong)
        self.refuses(error("Unauthorized(address)", STRANGER), setting, OFF, OFF, sender=STRANGER)
        pool.send("setRateLimitAdmin", STRANGER)
        setting((True, 10, 10), (True, 10, 0), sender=STRANGER)
        # Switched on later, a bucket starts empty; a rate of zero keeps it so.
        self.chain.state.execution_context._timestamp += 1000
        self.assertEqual(pool.call("getCurrentOutboundRateLimiterState", CHAIN)[0], 10)
        self.refuses(error("Panic(uint256)", 17), self.arrive, pool, 1)
        self.refuses(
            error("MismatchedArrayLengths()"), pool.send, "setChainRateLimiterConfigs", [CHAIN], [OFF], []
        )
        pool.send("setChainRateLimiterConfigs", [CHAIN], [OFF], [OFF])
        self.arrive(pool, 10**6)

    def test_older_rates_lie_between_zero_and_capacity(self):
        pool = self.add_pool("siloed_lock_release_token_pool")
        config = "(bool,uint128,uint128)"
        for wrong in [(True, 10, 0), (True, 10, 10), (True, 10, 11)]:
            self.refuses(
                keccak(text=f"InvalidRateLimitRate({config})")[:4] + encode([config], [wrong]),
                pool.send, "setChainRateLimiterConfig", CHAIN, wrong, OFF,
            )
        pool.send("setChainRateLimiterConfig", CHAIN, (True, 10, 9), OFF)

    def test_router_and_views(self):
        pool = self.add_pool("burn_from_mint_token_pool")
        self.refuses(error("ZeroAddressNotAllowed()"), pool.send, "setRouter", ZERO)
        pool.send("setRouter", STRANGER)
        self.assertEqual(pool.call("getRouter"), STRANGER)
        self.assertEqual(pool.call("getRmnProxy"), self.arm.address.lower())
        self.assertEqual((pool.call("getToken"), pool.call("getTokenDecimals")), (self.token.address.lower(), 18))
        answers = {"aff2afbf": True, "0e64dd29": True, "01ffc9a7": True, "ffffffff": False}
        for interface, due in answers.items():
            self.assertEqual(pool.call("supportsInterface", bytes.fromhex(interface)), due)


class Liquidity(PoolCase):
    def setUp(self):
        super().setUp()
        self.chain_out = error("Unauthorized(address)", STRANGER)

    def test_lock_release(self):
        pool = self.add_pool("lock_release_token_pool")
        self.token.send("approve", pool.address, 10**6, sender=HOLDER)
        self.refuses(error("Unauthorized(address)", HOLDER), pool.send, "provideLiquidity", 1, sender=HOLDER)
        pool.send("setRebalancer", HOLDER)
        pool.send("provideLiquidity", 100, sender=HOLDER)
        self.refuses(error("InsufficientLiquidity()"), pool.send, "withdrawLiquidity", 101, sender=HOLDER)
        pool.send("withdrawLiquidity", 40, sender=HOLDER)
        self.refuses(self.chain_out, pool.send, "withdrawLiquidity", 1, sender=STRANGER)
        heir = self.add_pool("lock_release_token_pool")
        pool.send("setRebalancer", heir.address)
        heir.send("transferLiquidity", pool.address, 20)
        heir.send("transferLiquidity", pool.address, 2**256 - 1)
        self.assertEqual((self.balance(pool.address), self.balance(heir.address)), (0, 60))
        self.refuses(error("OnlyCallableByOwner()"), heir.send, "transferLiquidity", ZERO, 1, sender=STRANGER)
        self.refuses(error("OnlyCallableByOwner()"), heir.send, "setRebalancer", ZERO, sender=STRANGER)
        self.assertEqual(pool.call("getRebalancer"), heir.address.lower())

    def test_silos(self):
        pool = self.add_pool("siloed_lock_release_token_pool")
        pool.send("applyChainUpdates", [], [(OTHER_CHAIN, [REMOTE_POOL], REMOTE_TOKEN, OFF, OFF)])
        self.token.send("approve", pool.address, 10**6, sender=HOLDER)
        pool.send("setRebalancer", HOLDER)
        made = pool.send("updateSiloDesignations", [], [(CHAIN, HOLDER)])
        self.assertEqual(
            (topics_of(made), made.logs[0][2]),
            ([topic("ChainSiloed(uint64,address)")], encode(["uint64", "address"], [CHAIN, HOLDER])),
        )
        self.assertTrue(pool.call("isSiloed", CHAIN))
        added = pool.send("provideLiquidity", 100, sender=HOLDER)
        self.assertEqual(added.logs[-1][2], encode(["uint64", "uint256"], [0, 100]))
        pool.send("provideSiloedLiquidity", CHAIN, 30, sender=HOLDER)
        self.leave(pool, 5, chain=CHAIN)
        self.leave(pool, 7, chain=OTHER_CHAIN)
        silos = lambda: (
            pool.call("getAvailableTokens", CHAIN), pool.call("getAvailableTokens", OTHER_CHAIN),
            pool.call("getUnsiloedLiquidity"),
        )
        self.assertEqual(silos(), (35, 107, 107))
        # Neither side can take what is the other's.
        self.refuses(
            error("InsufficientLiquidity(uint256,uint256)", 35, 36), self.arrive, pool, 36, chain=CHAIN
        )
        self.refuses(
            error("InsufficientLiquidity(uint256,uint256)", 107, 108), self.arrive, pool, 108, chain=OTHER_CHAIN
        )
        self.arrive(pool, 35, chain=CHAIN)
        self.arrive(pool, 100, chain=OTHER_CHAIN)
        self.assertEqual(silos(), (0, 7, 7))
        self.assertEqual(self.balance(pool.address), 7)
        self.refuses(
            error("InsufficientLiquidity(uint256,uint256)", 0, 1),
            pool.send, "withdrawSiloedLiquidity", CHAIN, 1, sender=HOLDER,
        )
        pool.send("withdrawLiquidity", 7, sender=HOLDER)
        pool.send("provideSiloedLiquidity", CHAIN, 9, sender=HOLDER)
        pool.send("withdrawSiloedLiquidity", CHAIN, 4, sender=HOLDER)
        opened = pool.send("updateSiloDesignations", [CHAIN], [])
        self.assertEqual(opened.logs[0][2], encode(["uint64", "uint256"], [CHAIN, 5]))
        self.assertEqual(silos(), (5, 5, 5))

    def test_silos_refuse(self):
        pool = self.add_pool("siloed_lock_release_token_pool")
        self.refuses(error("ChainNotSiloed(uint64)", CHAIN), pool.send, "updateSiloDesignations", [CHAIN], [])
        for selector in (0, OTHER_CHAIN):
            self.refuses(
                error("InvalidChainSelector(uint64)", selector),
                pool.send, "updateSiloDesignations", [], [(selector, HOLDER)],
            )
            self.refuses(error("InvalidChainSelector(uint64)", selector), pool.call, "getAvailableTokens", selector)
        self.refuses(error("ZeroAddressNotAllowed()"), pool.send, "updateSiloDesignations", [], [(CHAIN, ZERO)])
        pool.send("updateSiloDesignations", [], [(CHAIN, HOLDER)])
        self.refuses(
            error("InvalidChainSelector(uint64)", CHAIN), pool.send, "updateSiloDesignations", [], [(CHAIN, HOLDER)]
        )
        self.refuses(
            error("ChainNotSiloed(uint64)", OTHER_CHAIN), pool.send, "provideSiloedLiquidity", OTHER_CHAIN, 1
        )
        self.refuses(
            error("ChainNotSiloed(uint64)", 0), pool.send, "withdrawSiloedLiquidity", 0, 1, sender=HOLDER
        )
        self.refuses(error("LiquidityAmountCannotBeZero()"), pool.send, "provideLiquidity", 0)
        self.refuses(
            error("LiquidityAmountCannotBeZero()"), pool.send, "withdrawSiloedLiquidity", CHAIN, 0, sender=HOLDER
        )
        self.refuses(self.chain_out, pool.send, "provideLiquidity", 1, sender=STRANGER)
        self.refuses(self.chain_out, pool.send, "withdrawSiloedLiquidity", CHAIN, 1, sender=STRANGER)
        self.refuses(
            error("ChainNotSiloed(uint64)", OTHER_CHAIN), pool.send, "setSiloRebalancer", OTHER_CHAIN, HOLDER
        )
        changed = pool.send("setSiloRebalancer", CHAIN, STRANGER)
        self.assertEqual(changed.logs[0][2], encode(["address", "address"], [HOLDER, STRANGER]))
        pool.send("setRebalancer", HOLDER)
        self.assertEqual(pool.call("getChainRebalancer", CHAIN), STRANGER)
        self.assertEqual(pool.call("getChainRebalancer", OTHER_CHAIN), HOLDER)
        self.assertEqual(pool.call("getRebalancer"), HOLDER)
        for name, *arguments in [
            ("updateSiloDesignations", [], []), ("setSiloRebalancer", CHAIN, HOLDER), ("setRebalancer", HOLDER)
        ]:
            self.refuses(error("OnlyCallableByOwner()"), pool.send, name, *arguments, sender=STRANGER)


class Token(PoolCase):
    def test_zero_owner(self):
        self.refuses(
            error("OwnerCannotBeZero()"),
            self.chain.deploy, artifact("burn_mint_erc20"), "Token", "TOK", 18, 0, 0, ZERO,
        )

    def test_approvals_by_their_older_names(self):
        token = self.token
        token.send("increaseApproval", STRANGER, 5)
        token.send("increaseAllowance", STRANGER, 6)
        self.assertEqual(token.call("allowance", OWNER, STRANGER), 11)
        done = token.send("decreaseApproval", STRANGER, 4)
        self.assertEqual(int(done.output.hex(), 16), 1)
        self.assertEqual(done.logs[0][2], encode(["uint256"], [7]))
        self.refuses(
            error("Error(string)", "ERC20: decreased allowance below zero"), token.send, "decreaseApproval", STRANGER, 8
        )

    def test_roles(self):
        token = self.token
        self.refuses(error("SenderNotMinter(address)", STRANGER), token.send, "mint", STRANGER, 1, sender=STRANGER)
        burn = selector("burn(uint256)") + encode(["uint256"], [1])
        self.refuses(error("SenderNotBurner(address)", STRANGER), token.raw, burn, sender=STRANGER)
        capped = self.chain.deploy(artifact("burn_mint_erc20"), "Token", "TOK", 18, 100, 90, HOLDER)
        self.refuses(error("MaxSupplyExceeded(uint256)", 101), capped.send, "mint", HOLDER, 11, sender=HOLDER)
        capped.send("mint", HOLDER, 10, sender=HOLDER)
        for name in ("grantMintRole", "grantBurnRole", "revokeMintRole", "revokeBurnRole", "setCCIPAdmin"):
            self.refuses(error("OnlyCallableByOwner()"), token.send, name, STRANGER, sender=STRANGER)


if __name__ == "__main__":
    unittest.main()
