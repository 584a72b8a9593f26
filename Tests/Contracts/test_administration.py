"""Registry, registry module, risk management and its proxy: who may do what, and how the rest is refused.

Run: .venv/bin/python -m unittest discover -s Tests/Contracts
"""

import unittest

from eth_abi import encode
from eth_keys import keys
from eth_utils import keccak, to_checksum_address

from chain import OWNER, ZERO, Chain, artifact, error, mock, selector, string_error
from test_pools import topic, topics_of
from test_sending import Case

ADMIN, STRANGER = to_checksum_address(b"\x31" * 20), to_checksum_address(b"\x77" * 20)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
EVERYTHING = bytes.fromhex("01000000000000000000000000000001")
ROOT_TYPE = "(uint64,bytes,uint64,uint64,bytes32)"


class Ownership(Case):
    def test_nobody_owns_nothing(self):
        """A creation simulated from the zero address, as eth_call does without a sender, is refused by name."""
        chain = Chain()
        for name, *arguments in [
            ("token_admin_registry",), ("nonce_manager", []), ("rmn_remote", 1, ZERO),
            ("cctp_message_transmitter", 1, STRANGER), ("ping_pong_demo", STRANGER, ZERO),
            ("defensive_receiver", STRANGER),
        ]:
            with self.subTest(name):
                self.refuses(error("OwnerCannotBeZero()"), chain.deploy, artifact(name), *arguments, sender=ZERO)
        for name, *arguments in [("router", STRANGER, STRANGER), ("arm_proxy", STRANGER)]:
            with self.subTest(name):
                self.refuses(
                    string_error("Cannot set owner to zero"), chain.deploy, artifact(name), *arguments, sender=ZERO
                )


class Registry(Case):
    def setUp(self):
        self.chain = chain = Chain()
        self.registry = chain.deploy(artifact("token_admin_registry"))
        self.module = chain.deploy(artifact("registry_module_owner_custom"), self.registry.address)
        self.token = chain.deploy(artifact("burn_mint_erc20"), "Token", "TOK", 18, 0, 0, ADMIN)
        self.arm = chain.deploy(mock("arm"))
        self.pool = chain.deploy(
            artifact("burn_mint_token_pool"), self.token.address, 18, [], self.arm.address, STRANGER
        )

    def test_a_token_registers_itself(self):
        registry, token = self.registry, self.token.address
        refusal = error("OnlyRegistryModuleOrOwner(address)", self.module.address)
        self.refuses(refusal, self.module.send, "registerAdminViaOwner", token, sender=ADMIN)
        added = registry.send("addRegistryModule", self.module.address)
        self.assertEqual(topics_of(added), [topic("RegistryModuleAdded(address)")])
        self.assertEqual(registry.send("addRegistryModule", self.module.address).logs, [])
        self.assertTrue(registry.call("isRegistryModule", self.module.address))
        for name in ("registerAdminViaOwner", "registerAdminViaGetCCIPAdmin"):
            self.refuses(
                error("CanOnlySelfRegister(address,address)", ADMIN, token),
                self.module.send, name, token, sender=STRANGER,
            )
            proposed = self.module.send(name, token, sender=ADMIN)
            self.assertEqual(topics_of(proposed), [
                topic("AdministratorTransferRequested(address,address,address)"),
                topic("AdministratorRegistered(address,address)"),
            ])
        self.refuses(
            error("OnlyPendingAdministrator(address,address)", STRANGER, token),
            registry.send, "acceptAdminRole", token, sender=STRANGER,
        )
        registry.send("acceptAdminRole", token, sender=ADMIN)
        self.assertTrue(registry.call("isAdministrator", token, ADMIN))
        self.refuses(
            error("AlreadyRegistered(address)", token), self.module.send, "registerAdminViaOwner", token, sender=ADMIN
        )
        registry.send("removeRegistryModule", self.module.address)
        self.assertFalse(registry.call("isRegistryModule", self.module.address))

    def test_a_role_holder_registers(self):
        self.registry.send("addRegistryModule", self.module.address)
        token = self.chain.deploy(mock("access_control"), ADMIN)
        role = bytes(32)
        self.refuses(
            error("RequiredRoleNotFound(address,bytes32,address)", STRANGER, role, token.address),
            self.module.send, "registerAccessControlDefaultAdmin", token.address, sender=STRANGER,
        )
        self.module.send("registerAccessControlDefaultAdmin", token.address, sender=ADMIN)
        self.assertEqual(self.registry.call("getTokenConfig", token.address), (ZERO, ADMIN, ZERO))
        self.refuses(error("AddressZero()"), self.chain.deploy, artifact("registry_module_owner_custom"), ZERO)

    def test_pools_and_administrators(self):
        registry, token, pool = self.registry, self.token.address, self.pool.address
        self.refuses(error("ZeroAddress()"), registry.send, "proposeAdministrator", token, ZERO)
        self.refuses(
            error("OnlyRegistryModuleOrOwner(address)", STRANGER),
            registry.send, "proposeAdministrator", token, ADMIN, sender=STRANGER,
        )
        registry.send("proposeAdministrator", token, ADMIN)
        registry.send("acceptAdminRole", token, sender=ADMIN)
        for name, argument in [("setPool", pool), ("transferAdminRole", STRANGER)]:
            self.refuses(
                error("OnlyAdministrator(address,address)", STRANGER, token),
                registry.send, name, token, argument, sender=STRANGER,
            )
        other = self.chain.deploy(artifact("burn_mint_erc20"), "Other", "OTH", 18, 0, 0, ADMIN)
        registry.send("proposeAdministrator", other.address, ADMIN)
        registry.send("acceptAdminRole", other.address, sender=ADMIN)
        self.refuses(
            error("InvalidTokenPoolToken(address)", other.address),
            registry.send, "setPool", other.address, pool, sender=ADMIN,
        )
        self.assertEqual(
            topics_of(registry.send("setPool", token, pool, sender=ADMIN)), [topic("PoolSet(address,address,address)")]
        )
        self.assertEqual(registry.send("setPool", token, pool, sender=ADMIN).logs, [])
        self.assertEqual(registry.call("getPools", [token, other.address]), (pool.lower(), ZERO))
        self.assertEqual(registry.call("getAllConfiguredTokens", 0, 9), (token.lower(), other.address.lower()))
        self.assertEqual(registry.call("getAllConfiguredTokens", 1, 9), (other.address.lower(),))
        self.assertEqual(registry.call("getAllConfiguredTokens", 2, 9), ())
        registry.send("setPool", token, ZERO, sender=ADMIN)
        self.assertEqual(registry.call("getPool", token), ZERO)
        registry.send("transferAdminRole", token, STRANGER, sender=ADMIN)
        registry.send("transferAdminRole", token, ZERO, sender=ADMIN)
        self.refuses(
            error("OnlyPendingAdministrator(address,address)", STRANGER, token),
            registry.send, "acceptAdminRole", token, sender=STRANGER,
        )
        for name in ("addRegistryModule", "removeRegistryModule"):
            self.refuses(error("OnlyCallableByOwner()"), registry.send, name, STRANGER, sender=STRANGER)


class RiskManagement(Case):
    def setUp(self):
        self.chain = chain = Chain(chain_id=1337)
        self.rmn = chain.deploy(artifact("rmn_remote"), 5, ZERO)
        self.proxy = chain.deploy(artifact("arm_proxy"), self.rmn.address)
        self.keys = sorted(
            (keys.PrivateKey(bytes([n]) * 32) for n in range(1, 6)), key=lambda k: k.public_key.to_canonical_address()
        )

    def signers(self, count):
        return [(k.public_key.to_checksum_address(), n) for n, k in enumerate(self.keys[:count])]

    def many(self, name, subjects, sender=OWNER):
        data = selector(f"{name}(bytes16[])") + encode(["bytes16[]"], [subjects])
        return self.rmn.raw(data, sender=sender)

    def one(self, name, subject, sender=OWNER):
        return self.rmn.raw(selector(f"{name}(bytes16)") + encode(["bytes16"], [subject]), sender=sender)

    def cursed(self, subject=None, through=None):
        call = selector("isCursed(bytes16)") + encode(["bytes16"], [subject]) if subject else selector("isCursed()")
        return int.from_bytes((through or self.rmn).raw(call).output, "big") == 1

    def test_curses(self):
        one, two = b"\1".rjust(16, b"\0"), b"\2".rjust(16, b"\0")
        self.assertEqual(topics_of(self.many("curse", [one, two])), [topic("Cursed(bytes16[])")])
        self.assertEqual((self.cursed(one), self.cursed(b"\3".rjust(16, b"\0")), self.cursed()), (True, False, False))
        self.refuses(error("AlreadyCursed(bytes16)", one), self.one, "curse", one)
        self.refuses(error("AlreadyCursed(bytes16)", two), self.many, "curse", [EVERYTHING, two])
        self.one("curse", EVERYTHING)
        self.assertTrue(self.cursed() and self.cursed(b"\3".rjust(16, b"\0"), self.proxy))
        self.assertEqual(set(self.rmn.call("getCursedSubjects")), {one, two, EVERYTHING})
        self.one("uncurse", EVERYTHING)
        self.refuses(error("NotCursed(bytes16)", EVERYTHING), self.one, "uncurse", EVERYTHING)
        self.assertEqual(topics_of(self.many("uncurse", [two, one])), [topic("Uncursed(bytes16[])")])
        self.assertEqual(self.rmn.call("getCursedSubjects"), ())
        for name in ("curse", "uncurse"):
            self.refuses(error("OnlyCallableByOwner()"), self.one, name, one, sender=STRANGER)
            self.refuses(error("OnlyCallableByOwner()"), self.many, name, [one], sender=STRANGER)

    def test_configuration(self):
        setting = lambda digest=b"\1" * 32, signers=None, f=1, sender=OWNER: self.rmn.send(
            "setConfig", (digest, signers or self.signers(3), f), sender=sender
        )
        self.refuses(error("ZeroValueNotAllowed()"), setting, bytes(32))
        self.refuses(error("InvalidSignerOrder()"), setting, signers=[(ADMIN, 2), (STRANGER, 2), (OWNER, 3)])
        self.refuses(error("NotEnoughSigners()"), setting, f=2)
        self.refuses(error("DuplicateOnchainPublicKey()"), setting, signers=[(ADMIN, 1), (ADMIN, 2), (OWNER, 3)])
        self.refuses(error("OnlyCallableByOwner()"), setting, sender=STRANGER)
        self.assertEqual(topics_of(setting())[0], topic("ConfigSet(uint32,(bytes32,(address,uint64)[],uint64))"))
        setting(signers=self.signers(5), f=2)
        version, (digest, signers, f) = self.rmn.call("getVersionedConfig")
        self.assertEqual((version, digest, len(signers), f), (2, b"\1" * 32, 5, 2))
        self.refuses(error("ZeroValueNotAllowed()"), self.chain.deploy, artifact("rmn_remote"), 0, ZERO)
        tagged = (STRANGER, bytes(32))
        self.refuses(error("IsBlessedNotAvailable()"), self.rmn.call, "isBlessed", tagged)
        self.assertEqual(self.rmn.call("getLocalChainSelector"), 5)

    def test_signatures(self):
        roots = [(9, encode(["address"], [ADMIN]), 1, 2, b"\7" * 32)]
        verify = lambda signatures, through=self.rmn: through.raw(
            selector(f"verify(address,{ROOT_TYPE}[],(bytes32,bytes32)[])")
            + encode(["address", f"{ROOT_TYPE}[]", "(bytes32,bytes32)[]"], [STRANGER, roots, signatures])
        )
        self.refuses(error("ConfigNotSet()"), verify, [])
        self.rmn.send("setConfig", (b"\1" * 32, self.signers(3), 1))
        digest = keccak(encode(
            ["bytes32", f"(uint256,uint64,address,address,bytes32,{ROOT_TYPE}[])"],
            [keccak(text="RMN_V1_6_ANY2EVM_REPORT"), (1337, 5, self.rmn.address, STRANGER, b"\1" * 32, roots)],
        ))
        def sign(key):
            found = key.sign_msg_hash(digest)
            # v is not sent and must be 27: the twin of a signature with 28 has it.
            s = found.s if found.v == 0 else ORDER - found.s
            return found.r.to_bytes(32, "big"), s.to_bytes(32, "big")
        signed = [sign(key) for key in self.keys]
        for through in (self.rmn, self.proxy):
            self.assertEqual(verify(signed[:2], through).output, b"")
        verify(signed[:3])
        self.refuses(error("ThresholdNotMet()"), verify, signed[:1])
        self.refuses(error("OutOfOrderSignatures()"), verify, [signed[1], signed[0]])
        self.refuses(error("OutOfOrderSignatures()"), verify, [signed[0], signed[0]])
        self.refuses(error("UnexpectedSigner()"), verify, [signed[0], signed[3]])
        self.refuses(error("InvalidSignature()"), verify, [(bytes(32), bytes(32)), signed[0]])

    def test_proxy(self):
        self.assertEqual((self.proxy.call("getARM"), self.proxy.call("typeAndVersion")),
                         (self.rmn.address.lower(), "ARMProxy 1.0.0"))
        self.refuses(error("ZeroAddressNotAllowed()"), self.proxy.send, "setARM", ZERO)
        self.refuses(error("ZeroAddressNotAllowed()"), self.chain.deploy, artifact("arm_proxy"), ZERO)
        self.refuses(string_error("Only callable by owner"), self.proxy.send, "setARM", STRANGER, sender=STRANGER)
        # Any call goes through whole, its refusal too.
        answer = self.proxy.raw(selector("getVersionedConfig()")).output
        self.assertEqual(answer, self.rmn.raw(selector("getVersionedConfig()")).output)
        self.refuses(
            error("IsBlessedNotAvailable()"),
            self.proxy.raw, selector("isBlessed((address,bytes32))") + bytes(64),
        )
        self.proxy.send("setARM", STRANGER)
        self.refuses(b"", self.proxy.raw, selector("isCursed()"))


if __name__ == "__main__":
    unittest.main()
