"""USDC over Circle's transfer protocol, both versions: pools, transmitters and messengers of two domains on one chain,
with attesters' real signatures.

Run: .venv/bin/python -m unittest discover -s Tests/Contracts
"""

import unittest

from eth_abi import decode, encode
from eth_keys import keys
from eth_utils import keccak, to_checksum_address

from chain import ZERO, Reverted, artifact, error, mock, selector, string_error, vectors
from test_pools import (
    CHAIN, HOLDER, OFF, OFF_RAMP, ON_RAMP, OTHER_CHAIN, STRANGER, PoolCase, topic, topics_of,
)
from test_sending import b

ATTESTERS = sorted(
    (keys.PrivateKey(bytes([n]) * 32) for n in (1, 2, 3)), key=lambda k: k.public_key.to_canonical_address()
)
HERE, THERE = 3, 9
RECEIVER = encode(["address"], [STRANGER])


def word(address):
    return encode(["address"], [address])


def address_of(key):
    return to_checksum_address(key.public_key.to_canonical_address())


def attest(message, signers):
    """The signatures of these attesters, in this order."""
    found = [signer.sign_msg_hash(keccak(message)) for signer in signers]
    return b"".join(s.r.to_bytes(32, "big") + s.s.to_bytes(32, "big") + bytes([s.v + 27]) for s in found)


class Domain:
    """A transmitter, its messenger and proxy, and a pool, of one CCTP domain and version."""

    def __init__(self, case, number, version):
        chain, suffix = case.chain, "" if version == 0 else "_v2"
        self.number = number
        self.transmitter = chain.deploy(
            artifact("cctp_message_transmitter" + suffix), number, address_of(ATTESTERS[0])
        )
        self.messenger = chain.deploy(artifact("cctp_token_messenger" + suffix), self.transmitter.address)
        self.proxy = chain.deploy(artifact("cctp_message_transmitter_proxy"), self.messenger.address)
        arguments = [
            self.messenger.address, self.proxy.address, case.token.address, [], case.arm.address, case.router.address
        ]
        if version == 0:
            self.pool = chain.deploy(artifact("usdc_token_pool"), *arguments, ZERO)
        else:
            self.pool = chain.deploy(artifact("usdc_token_pool_cctp_v2"), *arguments)
            self.pool.send("applyAuthorizedCallerUpdates", ([ON_RAMP, OFF_RAMP], []))
        self.proxy.send("configureAllowedCallers", [(self.pool.address, True)])
        case.token.send("grantMintAndBurnRoles", self.messenger.address, sender=HOLDER)

    def join(self, other, token):
        self.messenger.send("addRemoteTokenMessenger", other.number, word(other.messenger.address))
        self.messenger.send("linkTokenPair", token, other.number, word(token))
        self.pool.send("applyChainUpdates", [], [(CHAIN, [word(other.pool.address)], word(token), OFF, OFF)])
        self.pool.send("setDomains", [(word(other.proxy.address), bytes(32), other.number, CHAIN, True)])


class UsdcCase(PoolCase):
    version = 0

    def setUp(self):
        super().setUp()
        self.token = self.chain.deploy(artifact("burn_mint_erc20"), "USD Coin", "USDC", 6, 0, 10**12, HOLDER)
        self.here, self.there = Domain(self, HERE, self.version), Domain(self, THERE, self.version)
        self.here.join(self.there, self.token.address)
        self.there.join(self.here, self.token.address)

    def burn(self, amount=1000, chain=CHAIN, receiver=RECEIVER, caller=ON_RAMP):
        """Burns at the pool here; pool data and the message that the transmitter logged."""
        pool = self.here.pool
        self.token.send("transfer", pool.address, amount, sender=HOLDER)
        result = pool.send("lockOrBurn", (receiver, chain, HOLDER, amount, self.token.address), sender=caller)
        remote, data = pool.decoded("lockOrBurn", result.output)
        self.assertEqual(remote, word(self.token.address))
        logged = [d for a, t, d in result.logs if t[0] == topic("MessageSent(bytes)")]
        self.assertEqual(len(logged), 1)
        self.last = result
        return data, decode(["bytes"], logged[0])[0]

    def mint(self, data, message, attestation=None, amount=1000, caller=OFF_RAMP, offchain=None):
        attestation = attestation if attestation is not None else attest(message, ATTESTERS[:1])
        offchain = offchain or encode(["(bytes,bytes)"], [(message, attestation)])
        request = (
            word(HOLDER), CHAIN, STRANGER, amount, self.token.address, word(self.here.pool.address), data, offchain
        )
        return self.there.pool.send("releaseOrMint", request, sender=caller)

    def check_pool_settings(self, name):
        pool = self.here.pool
        self.assertEqual(pool.call("typeAndVersion"), name)
        self.assertEqual(pool.call("i_tokenMessenger"), self.here.messenger.address.lower())
        self.assertEqual(pool.call("i_messageTransmitterProxy"), self.here.proxy.address.lower())
        self.assertEqual(pool.call("i_localDomainIdentifier"), HERE)
        self.assertEqual(pool.call("getDomain", CHAIN), (word(self.there.proxy.address), bytes(32), THERE, True))
        domain = "(bytes32,bytes32,uint32,uint64,bool)"
        for wrong in [(bytes(32), RECEIVER, 1, CHAIN, True), (RECEIVER, RECEIVER, 1, 0, True)]:
            self.refuses(
                keccak(text=f"InvalidDomain({domain})")[:4] + encode([domain], [wrong]),
                pool.send, "setDomains", [wrong],
            )
        self.refuses(error("OnlyCallableByOwner()"), pool.send, "setDomains", [], sender=STRANGER)
        self.refuses(error("UnknownDomain(uint64)", CHAIN), self.unknown_domain)
        self.refuses(error("InvalidReceiver(bytes)", RECEIVER[12:]), self.burn, receiver=RECEIVER[12:])

    def unknown_domain(self):
        self.here.pool.send("setDomains", [(RECEIVER, RECEIVER, THERE, CHAIN, False)])
        try:
            self.burn()
        finally:
            self.here.pool.send("setDomains", [(word(self.there.proxy.address), bytes(32), THERE, CHAIN, True)])

    def check_gas(self, result):
        """What a delivery must be given for a USDC token: docs/reference/contracts.md names the figure."""
        print(f"gas of releaseOrMint, USDC over CCTP version {self.version + 1}: {result.gas}")
        self.assertLess(result.gas, 180_000)

    def changed(self, message, at, part):
        return message[:at] + part + message[at + len(part):]


class VersionOne(UsdcCase):
    def test_a_burn_is_minted_once(self):
        supply = self.token.call("totalSupply")
        data, message = self.burn(1000)
        self.assertEqual(data, encode(["uint64", "uint32"], [0, HERE]))
        amount = encode(["uint256"], [1000])
        body = bytes(4) + word(self.token.address) + RECEIVER + amount + word(self.here.pool.address)
        self.assertEqual(
            message,
            bytes(4) + HERE.to_bytes(4, "big") + THERE.to_bytes(4, "big") + bytes(8) + word(self.here.messenger.address)
            + word(self.there.messenger.address) + word(self.there.proxy.address) + body,
        )
        self.assertEqual(self.token.call("totalSupply"), supply - 1000)
        deposit = next(log for log in self.last.logs if log[0] == self.here.messenger.address)
        self.assertEqual(
            deposit[1][0],
            topic("DepositForBurn(uint64,address,uint256,address,bytes32,uint32,bytes32,bytes32)"),
        )
        result = self.mint(data, message)
        self.check_gas(result)
        self.assertEqual(self.there.pool.decoded("releaseOrMint", result.output), (1000,))
        self.assertEqual(self.token.call("balanceOf", STRANGER), 1000)
        self.assertEqual(self.token.call("totalSupply"), supply)
        self.refuses(string_error("Nonce already used"), self.mint, data, message)
        self.assertEqual(self.burn(5)[0], encode(["uint64", "uint32"], [1, HERE]))

    def test_pool_data_and_offchain_data_are_the_published_ones(self):
        for vector in vectors()["usdc"]["sourcePoolDataV1"]:
            self.assertEqual(
                encode(["uint64", "uint32"], [int(vector["nonce"]), vector["sourceDomain"]]), b(vector["encoded"])
            )
        # A recorded blob is decoded whole: the pool then refuses what its message says.
        vector = vectors()["usdc"]["offchainTokenDataV1"][0]
        self.refuses(
            error("InvalidMessageVersion(uint32)", int.from_bytes(b(vector["message"])[:4], "big")),
            self.mint, encode(["uint64", "uint32"], [0, HERE]), b"", offchain=b(vector["encoded"]),
        )

    def test_settings(self):
        self.check_pool_settings("USDCTokenPool 1.6.2")
        self.assertEqual(self.here.pool.call("SUPPORTED_USDC_VERSION"), 0)
        self.assertEqual(self.here.pool.call("i_previousPool"), ZERO)

    def test_mint_recipient(self):
        other = word(HOLDER)
        self.here.pool.send("setDomains", [(word(self.there.proxy.address), other, THERE, CHAIN, True)])
        _, message = self.burn()
        self.assertEqual(message[116 + 36:116 + 68], other)

    def test_only_the_message_of_this_burn_will_do(self):
        data, message = self.burn()
        change = lambda at, part: self.changed(message, at, part)
        for wrong, refusal in [
            (message[:115], error("InvalidMessageLength(uint256)", 115)),
            (change(0, b"\0\0\0\1"), error("InvalidMessageVersion(uint32)", 1)),
            (change(4, b"\0\0\0\7"), error("InvalidSourceDomain(uint32,uint32)", HERE, 7)),
            (change(8, b"\0\0\0\7"), error("InvalidDestinationDomain(uint32,uint32)", THERE, 7)),
            (change(12, b"\0" * 7 + b"\5"), error("InvalidNonce(uint64,uint64)", 0, 5)),
        ]:
            self.refuses(refusal, self.mint, data, wrong)
        # Another's burn, well attested, is not this one's.
        other, message_of_other = self.burn()
        self.refuses(error("InvalidNonce(uint64,uint64)", 0, 1), self.mint, data, message_of_other)
        self.mint(other, message_of_other)

    def test_attestations(self):
        data, message = self.burn()
        refused = lambda text, attestation: self.refuses(string_error(text), self.mint, data, message, attestation)
        one = attest(message, ATTESTERS[:1])
        refused("Invalid attestation length", b"")
        refused("Invalid attestation length", one + one)
        refused("Invalid signature: not attester", attest(message, ATTESTERS[1:2]))
        refused("Invalid signature: not attester", attest(message + b"\0", ATTESTERS[:1]))
        order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        twin = one[:32] + (order - int.from_bytes(one[32:64], "big")).to_bytes(32, "big") + bytes([55 - one[64]])
        refused("ECDSA: invalid signature 's' value", twin)
        refused("ECDSA: invalid signature", one[:64] + b"\0")
        transmitter = self.there.transmitter
        for key in ATTESTERS[1:]:
            transmitter.send("enableAttester", address_of(key))
        transmitter.send("setSignatureThreshold", 2)
        refused("Invalid attestation length", one)
        refused("Invalid signature order or dupe", one + one)
        refused("Invalid signature order or dupe", attest(message, [ATTESTERS[1], ATTESTERS[0]]))
        self.mint(data, message, attest(message, [ATTESTERS[0], ATTESTERS[2]]))

    def test_attester_settings(self):
        transmitter, first = self.there.transmitter, address_of(ATTESTERS[0])
        second = address_of(ATTESTERS[1])
        refused = lambda text, *call: self.refuses(string_error(text), transmitter.send, *call)
        refused("Too few enabled attesters", "disableAttester", first)
        refused("Attester already enabled", "enableAttester", first)
        refused("New attester must be nonzero", "enableAttester", ZERO)
        refused("Invalid signature threshold", "setSignatureThreshold", 0)
        refused("New signature threshold too high", "setSignatureThreshold", 2)
        refused("Signature threshold already set", "setSignatureThreshold", 1)
        transmitter.send("enableAttester", second)
        refused("Attester already disabled", "disableAttester", STRANGER)
        transmitter.send("setSignatureThreshold", 2)
        refused("Signature threshold is too low", "disableAttester", first)
        transmitter.send("setSignatureThreshold", 1)
        transmitter.send("disableAttester", first)
        self.assertEqual(transmitter.call("getNumEnabledAttesters"), 1)
        self.assertEqual(
            (transmitter.call("isEnabledAttester", first), transmitter.call("isEnabledAttester", second)), (False, True)
        )
        for name, argument in [("enableAttester", first), ("disableAttester", second), ("setSignatureThreshold", 1)]:
            self.refuses(error("OnlyCallableByOwner()"), transmitter.send, name, argument, sender=STRANGER)

    def test_transmitter_refuses(self):
        transmitter = self.there.transmitter
        header = lambda version=0, source=HERE, dest=THERE, caller=bytes(32): (
            version.to_bytes(4, "big") + source.to_bytes(4, "big") + dest.to_bytes(4, "big") + bytes(8)
            + word(self.here.messenger.address) + word(self.there.messenger.address) + caller
        )
        for message, text in [
            (b"\0" * 115, "Invalid message: too short"),
            (header(dest=HERE), "Invalid destination domain"),
            (header(caller=word(HOLDER)), "Invalid caller for message"),
            (header(version=1), "Invalid message version"),
            (header() + b"\0" * 131, "Invalid message length"),
            (header(source=5) + b"\0" * 132, "Remote TokenMessenger unsupported"),
            (header() + b"\0\0\0\1" + b"\0" * 128, "Invalid message body version"),
            (header() + b"\0" * 132, "Mint token not supported"),
        ]:
            with self.subTest(text):
                self.refuses(
                    string_error(text), transmitter.send, "receiveMessage", message, attest(message, ATTESTERS[:1])
                )
        self.refuses(string_error("Recipient must be nonzero"), transmitter.send, "sendMessage", HERE, bytes(32), b"")
        self.refuses(
            string_error("Destination caller must be nonzero"),
            transmitter.send, "sendMessageWithCaller", HERE, RECEIVER, bytes(32), b"",
        )
        self.refuses(
            string_error("Invalid message transmitter"),
            self.there.messenger.send, "handleReceiveMessage", HERE, word(self.here.messenger.address), b"",
        )

    def test_anyone_may_deliver_what_names_no_caller(self):
        messenger = self.here.messenger
        self.token.send("approve", messenger.address, 50, sender=HOLDER)
        deposit = lambda amount, domain=THERE, to=RECEIVER, token=None: messenger.send(
            "depositForBurn", amount, domain, to, token or self.token.address, sender=HOLDER
        )
        self.refuses(string_error("Amount must be nonzero"), deposit, 0)
        self.refuses(string_error("Mint recipient must be nonzero"), deposit, 1, to=bytes(32))
        self.refuses(string_error("No TokenMessenger for domain"), deposit, 1, domain=5)
        self.refuses(string_error("Burn token not supported"), deposit, 1, token=STRANGER)
        self.refuses(
            string_error("Invalid destination caller"),
            messenger.send, "depositForBurnWithCaller", 1, THERE, RECEIVER, self.token.address, bytes(32),
        )
        result = deposit(50)
        message = decode(["bytes"], next(d for _, t, d in result.logs if t[0] == topic("MessageSent(bytes)")))[0]
        done = self.there.transmitter.send("receiveMessage", message, attest(message, ATTESTERS[:1]), sender=HOLDER)
        self.assertIn(topic("MintAndWithdraw(address,uint256,address)"), topics_of(done))
        self.assertIn(topic("MessageReceived(address,uint32,uint64,bytes32,bytes)"), topics_of(done))
        self.assertEqual(self.token.call("balanceOf", STRANGER), 50)

    def test_messenger_settings(self):
        messenger = self.here.messenger
        remote, token = word(self.there.messenger.address), self.token.address
        for text, *call in [
            ("TokenMessenger already set", "addRemoteTokenMessenger", THERE, remote),
            ("bytes32(0) not allowed", "addRemoteTokenMessenger", 5, bytes(32)),
            ("No TokenMessenger set", "removeRemoteTokenMessenger", 5),
            ("Unable to link token pair", "linkTokenPair", token, THERE, word(token)),
        ]:
            self.refuses(string_error(text), messenger.send, *call)
            self.refuses(error("OnlyCallableByOwner()"), messenger.send, *call, sender=STRANGER)
        self.assertEqual(messenger.call("getLocalToken", THERE, word(token)), token.lower())
        messenger.send("removeRemoteTokenMessenger", THERE)
        self.refuses(string_error("No TokenMessenger for domain"), self.burn)

    def test_construction(self):
        deploy = lambda messenger, proxy, previous=ZERO: self.chain.deploy(
            artifact("usdc_token_pool"), messenger, proxy, self.token.address, [], self.arm.address,
            self.router.address, previous,
        )
        messenger, proxy = self.here.messenger.address, self.here.proxy.address
        self.refuses(error("InvalidConfig()"), deploy, ZERO, proxy)
        self.refuses(error("InvalidTransmitterInProxy()"), deploy, messenger, self.there.proxy.address)
        no_pool = self.chain.deploy(mock("receiver")).address
        self.refuses(error("InvalidPreviousPool()"), deploy, messenger, proxy, no_pool)
        newer = Domain(self, 11, 1)
        self.refuses(error("InvalidMessageVersion(uint32)", 1), deploy, newer.messenger.address, newer.proxy.address)
        mixed = self.chain.deploy(artifact("cctp_token_messenger_v2"), self.here.transmitter.address)
        self.refuses(error("InvalidTokenMessengerVersion(uint32)", 1), deploy, mixed.address, proxy)

    def test_previous_pool_still_delivers_its_own(self):
        old = self.there.pool
        heir = self.chain.deploy(
            artifact("usdc_token_pool"), self.there.messenger.address, self.there.proxy.address, self.token.address, [],
            self.arm.address, self.router.address, old.address,
        )
        self.assertEqual(heir.call("i_previousPool"), old.address.lower())
        heir.send(
            "applyChainUpdates", [], [(CHAIN, [word(self.here.pool.address)], word(self.token.address), OFF, OFF)]
        )
        # The heir calls the old pool as an off-ramp would.
        self.router.send("applyRampUpdates", [], [], [(CHAIN, heir.address)])
        self.there.proxy.send("configureAllowedCallers", [(heir.address, True)])
        # A message that names the old pool as its caller goes there, and would not pass the heir's own checks.
        self.here.pool.send("setDomains", [(word(old.address), bytes(32), THERE, CHAIN, True)])
        data, message = self.burn()
        self.there.pool = heir
        old.send("applyChainUpdates", [CHAIN], [])
        self.refuses(error("ChainNotAllowed(uint64)", CHAIN), self.mint, data, message)
        self.here.pool.send("setDomains", [(word(self.there.proxy.address), bytes(32), THERE, CHAIN, True)])
        self.mint(*self.burn())
        self.assertEqual(self.token.call("balanceOf", STRANGER), 1000)

    def test_failed_mint_is_named(self):
        data, message = self.burn()
        quiet = self.chain.deploy(mock("transmitter"), THERE)
        messenger = self.chain.deploy(artifact("cctp_token_messenger"), quiet.address)
        proxy = self.chain.deploy(artifact("cctp_message_transmitter_proxy"), messenger.address)
        self.there.pool = pool = self.chain.deploy(
            artifact("usdc_token_pool"), messenger.address, proxy.address, self.token.address, [], self.arm.address,
            self.router.address, ZERO,
        )
        pool.send(
            "applyChainUpdates", [], [(CHAIN, [word(self.here.pool.address)], word(self.token.address), OFF, OFF)]
        )
        self.refuses(error("Unauthorized(address)", pool.address), self.mint, data, message)
        proxy.send("configureAllowedCallers", [(pool.address, True)])
        self.refuses(error("UnlockingUSDCFailed()"), self.mint, data, message)

    def test_transmitter_proxy(self):
        proxy, pool = self.here.proxy, self.here.pool.address
        self.assertEqual(proxy.call("i_cctpTransmitter"), self.here.transmitter.address.lower())
        self.assertEqual(proxy.call("typeAndVersion"), "CCTPMessageTransmitterProxy 1.6.2")
        self.assertEqual(proxy.send("configureAllowedCallers", [(pool, True)]).logs, [])
        added = proxy.send("configureAllowedCallers", [(HOLDER, True), (STRANGER, False)])
        self.assertEqual(topics_of(added), [topic("AllowedCallerAdded(address)")])
        removed = proxy.send("configureAllowedCallers", [(pool, False)])
        self.assertEqual(topics_of(removed), [topic("AllowedCallerRemoved(address)")])
        self.assertEqual(proxy.call("getAllowedCallers"), (HOLDER,))
        self.assertTrue(proxy.call("isAllowedCaller", HOLDER))
        self.refuses(error("Unauthorized(address)", STRANGER), proxy.send, "receiveMessage", b"", b"", sender=STRANGER)
        self.refuses(error("OnlyCallableByOwner()"), proxy.send, "configureAllowedCallers", [], sender=STRANGER)


class VersionTwo(UsdcCase):
    version = 1

    def numbered(self, message, nonce=1, reached=2000, fee=0, expiry=0):
        """The message as an attestation service returns it: with a nonce, the finality reached, fee and expiry."""
        for at, part in [
            (12, nonce.to_bytes(32, "big")), (144, reached.to_bytes(4, "big")),
            (148 + 164, fee.to_bytes(32, "big")), (148 + 196, expiry.to_bytes(32, "big")),
        ]:
            message = self.changed(message, at, part)
        return message

    def test_a_burn_is_minted_once(self):
        supply = self.token.call("totalSupply")
        data, message = self.burn(1000)
        self.assertEqual(len(message), 376)
        words = ["uint32", "uint256", "uint32", "bytes32", "bytes32", "bytes32", "uint256", "uint32"]
        deposit = keccak(encode(words, [
            HERE, 1000, THERE, RECEIVER, word(self.token.address), word(self.there.proxy.address), 0, 2000
        ]))
        self.assertEqual(data, bytes.fromhex("b148ea5f") + HERE.to_bytes(4, "big") + deposit)
        attested = self.numbered(message)
        self.check_gas(self.mint(data, attested))
        self.assertEqual(self.token.call("balanceOf", STRANGER), 1000)
        self.assertEqual(self.token.call("totalSupply"), supply)
        self.refuses(string_error("Nonce already used"), self.mint, data, attested)

    def test_deposit_hashes_are_the_published_ones(self):
        words = ["uint32", "uint256", "uint32", "bytes32", "bytes32", "bytes32", "uint256", "uint32"]
        found = vectors()["usdc"]["sourcePoolDataV2"]
        self.assertGreater(len(found), 2)
        for v in found:
            deposit = keccak(encode(words, [
                v["sourceDomain"], int(v["amount"]), v["destinationDomain"], b(v["mintRecipient"]), b(v["burnToken"]),
                b(v["destinationCaller"]), v["maxFee"], v["minFinalityThreshold"],
            ]))
            self.assertEqual(deposit, b(v["depositHash"]))

    def test_settings(self):
        self.check_pool_settings("USDCTokenPoolCCTPV2 1.6.5")
        pool = self.here.pool
        self.assertEqual(
            [pool.call(n) for n in (
                "i_supportedUSDCVersion", "MAX_FEE", "FINALITY_THRESHOLD", "MIN_USDC_MESSAGE_LENGTH"
            )],
            [1, 0, 2000, 280],
        )
        self.refuses(error("ZeroAddressInvalid()"), pool.send, "setRouter", ZERO)
        self.refuses(error("ZeroAddressNotAllowed()"), pool.send, "applyAuthorizedCallerUpdates", ([ZERO], []))

    def test_callers_are_listed(self):
        unknown = error("UnauthorizedCaller(address)", STRANGER)
        self.refuses(unknown, self.burn, caller=STRANGER)
        self.refuses(unknown, self.mint, b"", b"", caller=STRANGER)
        self.refuses(error("ChainNotAllowed(uint64)", OTHER_CHAIN), self.burn, chain=OTHER_CHAIN, caller=STRANGER)
        self.here.pool.send("applyAuthorizedCallerUpdates", ([], [ON_RAMP]))
        self.refuses(error("UnauthorizedCaller(address)", ON_RAMP), self.burn)
        self.assertEqual(self.here.pool.call("getAllAuthorizedCallers"), (OFF_RAMP.lower(),))

    def test_only_the_message_of_this_burn_will_do(self):
        data, sent = self.burn()
        message = self.numbered(sent)
        change = lambda at, part: self.changed(message, at, part)
        self.refuses(
            error("InvalidVersion(bytes4)", b"\1\2\3\4"), self.mint, b"\1\2\3\4" + data[4:], message
        )
        for wrong, refusal in [
            (message[:279], error("InvalidMessageLength(uint256)", 279)),
            (change(0, b"\0\0\0\0"), error("InvalidMessageVersion(uint32,uint32)", 1, 0)),
            (change(4, b"\0\0\0\7"), error("InvalidSourceDomain(uint32,uint32)", HERE, 7)),
            (change(8, b"\0\0\0\7"), error("InvalidDestinationDomain(uint32,uint32)", THERE, 7)),
            (change(140, b"\0\0\3\xe8"), error("InvalidMinFinalityThreshold(uint32,uint32)", 2000, 1000)),
            (change(144, b"\0\0\3\xe8"), error("InvalidExecutionFinalityThreshold(uint32,uint32)", 2000, 1000)),
        ]:
            self.refuses(refusal, self.mint, data, wrong)
        # Caller, token, recipient, amount: each is part of the hash.
        for at in (108, 152, 184, 216):
            with self.assertRaises(Reverted) as caught:
                self.mint(data, change(at, b"\x55" * 32))
            self.assertEqual(caught.exception.data[:36], selector("InvalidDepositHash(bytes32,bytes32)") + data[8:])

    def test_construction(self):
        deploy = lambda messenger, proxy: self.chain.deploy(
            artifact("usdc_token_pool_cctp_v2"), messenger, proxy, self.token.address, [], self.arm.address,
            self.router.address,
        )
        messenger, proxy = self.here.messenger.address, self.here.proxy.address
        self.refuses(error("InvalidConfig()"), deploy, ZERO, proxy)
        self.refuses(error("InvalidTransmitterInProxy()"), deploy, messenger, self.there.proxy.address)
        older = Domain(self, 11, 0)
        self.refuses(
            error("InvalidMessageVersion(uint32,uint32)", 1, 0), deploy, older.messenger.address, older.proxy.address
        )
        mixed = self.chain.deploy(artifact("cctp_token_messenger"), self.here.transmitter.address)
        self.refuses(error("InvalidTokenMessengerVersion(uint32,uint32)", 1, 0), deploy, mixed.address, proxy)

    def test_a_fee_stops_burns(self):
        self.here.messenger.send("setMinFee", 1)
        self.refuses(error("InvalidMinFee(uint256,uint256)", 0, 1), self.burn)
        self.assertEqual(self.here.messenger.call("getMinFeeAmount", 10**9), 100)

    def test_expired_attestations_and_fees(self):
        data, sent = self.burn()
        height = 100
        self.chain.state.execution_context._block_number = height
        self.refuses(
            string_error("Message expired and must be re-signed"),
            self.mint, data, self.numbered(sent, expiry=height),
        )
        self.refuses(string_error("Fee exceeds max fee"), self.mint, data, self.numbered(sent, fee=1))
        self.refuses(string_error("Fee equals or exceeds amount"), self.mint, data, self.numbered(sent, fee=1000))
        # Without a nonce nothing is delivered, attested or not.
        self.refuses(string_error("Nonce already used"), self.mint, data, self.numbered(sent, nonce=0))
        self.mint(data, self.numbered(sent, expiry=height + 1))

    def test_fast_transfers_pay_their_fee(self):
        messenger, fees = self.here.messenger, to_checksum_address(b"\x0c" * 20)
        self.there.messenger.send("setFeeRecipient", fees)
        self.token.send("approve", messenger.address, 10**6, sender=HOLDER)
        deposit = lambda amount, most, finality=1000: messenger.send(
            "depositForBurn", amount, THERE, RECEIVER, self.token.address, bytes(32), most, finality, sender=HOLDER
        )
        self.refuses(string_error("Max fee must be less than amount"), deposit, 10, 10)
        messenger.send("setMinFee", 100_000)
        self.refuses(string_error("Insufficient max fee"), deposit, 1000, 9)
        logged = next(d for _, t, d in deposit(1000, 10).logs if t[0] == topic("MessageSent(bytes)"))
        sent = decode(["bytes"], logged)[0]
        receive = lambda message: self.there.transmitter.send(
            "receiveMessage", message, attest(message, ATTESTERS[:1]), sender=HOLDER
        )
        self.refuses(string_error("Unsupported finality threshold"), receive, self.numbered(sent, reached=499))
        receive(self.numbered(sent, reached=1000, fee=10))
        self.assertEqual((self.token.call("balanceOf", STRANGER), self.token.call("balanceOf", fees)), (990, 10))

    def test_refusals_of_the_protocol(self):
        transmitter, messenger = self.there.transmitter, self.there.messenger
        header = lambda version=1, source=HERE, dest=THERE, caller=bytes(32), nonce=7: (
            version.to_bytes(4, "big") + source.to_bytes(4, "big") + dest.to_bytes(4, "big")
            + nonce.to_bytes(32, "big") + word(self.here.messenger.address) + word(messenger.address) + caller
            + (2000).to_bytes(4, "big") * 2
        )
        body = b"\0\0\0\1" + b"\0" * 224
        for message, text in [
            (b"\0" * 147, "Invalid message: too short"),
            (header(dest=HERE), "Invalid destination domain"),
            (header(caller=word(HOLDER)), "Invalid caller for message"),
            (header(version=0), "Invalid message version"),
            (header() + body[:227], "Invalid burn message: too short"),
            (header(source=5) + body, "Remote TokenMessenger unsupported"),
            (header() + b"\0" * 228, "Invalid message body version"),
            (header() + body, "Mint token not supported"),
        ]:
            with self.subTest(text):
                self.refuses(
                    string_error(text), transmitter.send, "receiveMessage", message, attest(message, ATTESTERS[:1])
                )
        send = lambda dest, to: transmitter.send("sendMessage", dest, to, bytes(32), 2000, b"")
        self.refuses(string_error("Domain is local domain"), send, THERE, RECEIVER)
        self.refuses(string_error("Recipient must be nonzero"), send, HERE, bytes(32))
        self.refuses(string_error("Zero address not allowed"), messenger.send, "setFeeRecipient", ZERO)
        self.refuses(string_error("Min fee too high"), messenger.send, "setMinFee", 10**7)
        for name, argument in [("setFeeRecipient", HOLDER), ("setMinFee", 1)]:
            self.refuses(error("OnlyCallableByOwner()"), messenger.send, name, argument, sender=STRANGER)
        for name in ("handleReceiveFinalizedMessage", "handleReceiveUnfinalizedMessage"):
            self.refuses(
                string_error("Invalid message transmitter"),
                messenger.send, name, HERE, word(self.here.messenger.address), 2000, b"",
            )


if __name__ == "__main__":
    unittest.main()
