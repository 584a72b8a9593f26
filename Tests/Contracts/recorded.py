"""The destination of the recorded lane of the vectors, of our contracts at the recorded addresses.

What lives here: wiring, and stand-ins for the recorded receivers. What must come of the recorded calls is in the tests.
"""

from eth_abi import encode

from chain import OWNER, PRESENT, ZERO, Chain, artifact, mock, selector, vectors
from harness import b
from pools import UNLIMITED

FEE_QUOTER = "0x05598AbD42Fb8e258edF90279517d7754A702103"
# The moment of the recording, in seconds since 1970, as its price logs tell it.
LOG_TIME = 0x6553F100
TOKENS = {
    "0x365170c1d74BaDFA25557896627A7Ce918Ef61d6": ("0x4C9d41adC897cc3E4d56efaF783cB6197635886a", 18),
    "0x117E87b2F68C540965A99aEC0D4BC0Ff4b11c7B6": ("0xffc680fcbec310D0e1cAc42eCa5928582cDdA12F", 6),
}
OLD_POOL = "0xffc680fcbec310D0e1cAc42eCa5928582cDdA12F"
GOT_RECEIVER = "0x86bb34276Fb7a59cb442f5A12B14fbb0aef8A7Bb"
FICKLE_RECEIVER = "0xe47F44cAeC2823dB09126a27F3e95f8276eBD08d"


class Recorded:
    def __init__(self, now=PRESENT, one_transaction=False):
        self.recorded = recorded = vectors()["endToEnd"]
        there, self.source = recorded["destChain"], int(recorded["sourceChain"]["selector"])
        self.chain = chain = Chain(chain_id=int(there["chainId"]), timestamp=now)
        if one_transaction:
            chain.machine.one_transaction = True
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
        self.tokens = [self.add_token(token, pool, decimals) for token, (pool, decimals) in TOKENS.items()]
        chain.deploy(mock("got"), False, at=GOT_RECEIVER)
        self.fickle = chain.deploy(mock("got"), True, at=FICKLE_RECEIVER)
        self.fickle.send("refuse", selector("CustomError(bytes)") + encode(["bytes"], [b""]))

    def add_token(self, address, pool_address, decimals):
        chain, off = self.chain, UNLIMITED
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
        return token
