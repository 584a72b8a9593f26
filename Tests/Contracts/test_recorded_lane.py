"""One recorded lane, destination side: commit, executions and a manual execution through our contracts only, whose logs
must be the recorded ones. The recorded receivers and one pool of an older version are stand-ins; their logs are left
out, and so is the gas that ExecutionStateChanged reports. Then messages of our own over the same lane, and their cost.
"""

import unittest

from eth_abi import decode, encode
from eth_keys import keys
from eth_utils import keccak

from chain import OWNER, ZERO, Chain, artifact, mock, selector, vectors
from test_sending import Case, b

STATE_CHANGED = bytes.fromhex("05665fe9ad095383d018353f4cbcba77e84db27dd215081bbf7cdf9ae6fbe48b")
FEE_QUOTER = "0x05598AbD42Fb8e258edF90279517d7754A702103"
LOG_TIME = 0x6553F100
TOKENS = {
    "0x365170c1d74BaDFA25557896627A7Ce918Ef61d6": ("0x4C9d41adC897cc3E4d56efaF783cB6197635886a", 18),
    "0x117E87b2F68C540965A99aEC0D4BC0Ff4b11c7B6": ("0xffc680fcbec310D0e1cAc42eCa5928582cDdA12F", 6),
}
OLD_POOL = "0xffc680fcbec310D0e1cAc42eCa5928582cDdA12F"
GOT_RECEIVER = "0x86bb34276Fb7a59cb442f5A12B14fbb0aef8A7Bb"
FICKLE_RECEIVER = "0xe47F44cAeC2823dB09126a27F3e95f8276eBD08d"
# Gas of a whole transaction.
GAS_LIMITS = {
    "first commit, two prices and a root": 225_000,
    "commit of one root": 150_000,
    "execution of a first message": 250_000,
    "execution of one small message": 250_000,
    "execution of one token": 300_000,
    "execution of 30 kB": 2_000_000,
}
MESSAGE_TYPE = (
    "((bytes32,uint64,uint64,uint64,uint64),bytes,bytes,address,uint256,(bytes,address,uint32,bytes,uint256)[])"
)
SUCCESS = 2


class RecordedLane(Case):
    def setUp(self):
        self.recorded = recorded = vectors()["endToEnd"]
        there, self.source = recorded["destChain"], int(recorded["sourceChain"]["selector"])
        self.chain = chain = Chain(chain_id=int(there["chainId"]), timestamp=LOG_TIME)
        self.assertEqual(chain.state.timestamp, LOG_TIME)
        rmn = chain.deploy(artifact("rmn_remote"), int(there["selector"]), ZERO, at=there["rmnRemote"])
        proxy = chain.deploy(artifact("arm_proxy"), rmn.address, at=there["rmnProxy"])
        wrapped = chain.deploy(artifact("weth9"))
        router = chain.deploy(artifact("router"), wrapped.address, proxy.address, at=there["router"])
        registry = chain.deploy(artifact("token_admin_registry"))
        nonces = chain.deploy(artifact("nonce_manager"), [there["offRamp"]], at=there["nonceManager"])
        chain.deploy(
            artifact("fee_quoter"), (10**20, wrapped.address, 86_400), [there["offRamp"]], [], [], [], [], [],
            at=FEE_QUOTER,
        )
        on_ramp = encode(["address"], [recorded["sourceChain"]["onRamp"]])
        self.off_ramp = chain.deploy(
            artifact("off_ramp"),
            (
                int(there["selector"]), int(there["gasForCallExactCheck"]),
                proxy.address, registry.address, nonces.address,
            ),
            (FEE_QUOTER, int(there["permissionLessExecutionThresholdSeconds"]), ZERO),
            [(router.address, self.source, True, True, on_ramp)],
            at=there["offRamp"],
        )
        self.nonces, self.registry, self.router, self.proxy = nonces, registry, router, proxy
        router.send("applyRampUpdates", [], [], [(self.source, self.off_ramp.address)])
        ocr = recorded["ocr"]
        self.off_ramp.send("setOCR3Configs", [
            (b(ocr["commitConfigDigest"]), 0, ocr["F"], True, ocr["signers"], ocr["transmitters"]),
            (b(ocr["execConfigDigest"]), 1, ocr["F"], False, [], ocr["transmitters"]),
        ])
        for token, (pool, decimals) in TOKENS.items():
            self.add_token(token, pool, decimals)
        chain.deploy(mock("receiver"), at=GOT_RECEIVER)
        self.fickle = chain.deploy(mock("receiver"), at=FICKLE_RECEIVER)
        self.fickle.send("refuse", selector("CustomError(bytes)") + encode(["bytes"], [b""]))

    def add_token(self, address, pool_address, decimals):
        chain, off = self.chain, (False, 0, 0)
        token = chain.deploy(artifact("burn_mint_erc20"), "Token", "TOK", decimals, 0, 0, OWNER, at=address)
        pool = chain.deploy(
            artifact("burn_mint_token_pool"), address, decimals, [], self.proxy.address, self.router.address,
            at=pool_address,
        )
        sources = {
            t["sourcePoolAddress"] for m in self.recorded["any2EvmMessages"] for t in m["tokenAmounts"]
            if t["destTokenAddress"] == address
        }
        pool.send("applyChainUpdates", [], [(self.source, [b(s) for s in sources], b"\x01" * 32, off, off)])
        token.send("grantMintAndBurnRoles", pool_address)
        self.registry.send("proposeAdministrator", address, OWNER)
        self.registry.send("acceptAdminRole", address)
        self.registry.send("setPool", address, pool_address)

    def same_logs(self, result, recorded):
        ours = [self.comparable(*log) for log in result.logs]
        theirs = [
            self.comparable(log["address"], [b(t) for t in log["topics"]], b(log["data"])) for log in recorded
        ]
        ours, theirs = [x for x in ours if x], [x for x in theirs if x]
        self.assertEqual(ours, theirs)
        return len(theirs)

    def comparable(self, address, topics, data):
        if address in (OLD_POOL, GOT_RECEIVER, FICKLE_RECEIVER):
            return None
        if topics[0] == STATE_CHANGED:
            data = data[:96] + data[128:]
        return address, [t.hex() for t in topics], data.hex()

    def test_lane(self):
        recorded, off_ramp = self.recorded, self.off_ramp
        relayer = recorded["ocr"]["transmitters"][0]
        result = off_ramp.raw(b(recorded["commit"]["calldata"]), sender=relayer)
        compared = self.same_logs(result, recorded["commit"]["logs"])
        self.report("first commit, two prices and a root", result)
        for execution in recorded["executions"]:
            result = off_ramp.raw(b(execution["executeCalldata"]), sender=relayer)
            compared += self.same_logs(result, execution["logs"])
        self.fickle.send("refuse", b"")
        result = off_ramp.raw(b(recorded["manualExecution"]["calldata"]), sender=OWNER)
        compared += self.same_logs(result, recorded["manualExecution"]["logs"])
        self.assertEqual(compared, 26)
        states = [str(off_ramp.call("getExecutionState", self.source, n + 1)) for n in range(6)]
        self.assertEqual(states, recorded["finalStates"])
        sender = encode(["address"], [recorded["sourceChain"]["sender"]])
        self.assertEqual(str(self.nonces.call("getInboundNonce", self.source, sender)), recorded["inboundNonce"])

    def report(self, name, result):
        print(f"gas of {name}: {result.total} (the call alone {result.gas})")
        self.assertLess(result.total, GAS_LIMITS[name])

    # Messages of our own.

    def leaf(self, message):
        header, sender, data, receiver, gas, tokens = message
        on_ramp = encode(["address"], [self.recorded["sourceChain"]["onRamp"]])
        meta = keccak(encode(
            ["bytes32", "uint64", "uint64", "bytes32"],
            [keccak(text="Any2EVMMessageHashV1"), header[1], header[2], keccak(on_ramp)],
        ))
        fixed = keccak(encode(
            ["bytes32", "address", "uint64", "uint256", "uint64"], [header[0], receiver, header[3], gas, header[4]]
        ))
        amounts = keccak(encode(["(bytes,address,uint32,bytes,uint256)[]"], [tokens]))
        return keccak(b"".join([bytes(32), meta, fixed, keccak(sender), keccak(data), amounts]))

    def commit(self, number, root, signers=(0, 1)):
        ocr = self.recorded["ocr"]
        on_ramp = encode(["address"], [self.recorded["sourceChain"]["onRamp"]])
        report = encode(
            ["(((address,uint224)[],(uint64,uint224)[]),(uint64,bytes,uint64,uint64,bytes32)[],"
             "(uint64,bytes,uint64,uint64,bytes32)[],(bytes32,bytes32)[])"],
            [(([], []), [], [(self.source, on_ramp, number, number, root)], [])],
        )
        context = [b(ocr["commitConfigDigest"]), number.to_bytes(32, "big")]
        digest = keccak(keccak(report) + context[0] + context[1])
        signed = [keys.PrivateKey(b(ocr["signerPrivateKeys"][i])).sign_msg_hash(digest) for i in signers]
        rs, ss = [x.r.to_bytes(32, "big") for x in signed], [x.s.to_bytes(32, "big") for x in signed]
        vs = bytes(x.v for x in signed).ljust(32, b"\x00")
        return self.off_ramp.send("commit", context, report, rs, ss, vs, sender=ocr["transmitters"][1])

    def execute(self, number, message):
        ocr = self.recorded["ocr"]
        report = encode(
            [f"(uint64,{MESSAGE_TYPE}[],bytes[][],bytes32[],uint256)[]"],
            [[(self.source, [message], [[b""] * len(message[5])], [], 0)]],
        )
        context = [b(ocr["execConfigDigest"]), number.to_bytes(32, "big")]
        return self.off_ramp.send("execute", context, report, sender=ocr["transmitters"][2])

    def test_costs(self):
        there = int(self.recorded["destChain"]["selector"])
        sender = encode(["address"], [OWNER])
        first = next(iter(TOKENS))
        pool = next(
            b(t["sourcePoolAddress"]) for m in self.recorded["any2EvmMessages"] for t in m["tokenAmounts"]
            if t["destTokenAddress"] == first
        )
        tokens = [(pool, first, 90_000, encode(["uint8"], [18]), 5)]
        rounds = [
            ("a first message", b"hello", 200_000, []),
            ("one small message", b"again", 200_000, []),
            ("one token", b"", 0, tokens),
            ("30 kB", b"\x07" * 30_000, 500_000, []),
        ]
        for number, (name, data, gas, amounts) in enumerate(rounds, 1):
            header = (keccak(text=name), self.source, there, number, 0)
            message = (header, sender, data, GOT_RECEIVER, gas, amounts)
            result = self.commit(number, self.leaf(message))
            if number == 2:
                self.report("commit of one root", result)
            result = self.execute(number, message)
            changed = next(d for _, topics, d in result.logs if topics[0] == STATE_CHANGED)
            self.assertEqual(decode(["bytes32", "uint8"], changed), (self.leaf(message), SUCCESS))
            self.report(f"execution of {name}", result)


if __name__ == "__main__":
    unittest.main()
