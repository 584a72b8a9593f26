"""CCIP 1.6 on foreign nodes, wired by this file alone, and the adoption file that tells a cluster about it.

What lives here: creations, wiring, oracle configurations, keys. `causeway deploy` has no part in it. The contracts are
those of chains/artifacts.
"""

import json
import random

from eth_abi import encode
from eth_account import Account
from foreign_client import ZERO, Contract, Sender, artifact, created, types, word
from eth_utils import keccak

E18 = 10**18
SELECTORS = [16015286601757825753, 3478487238524512106, 10344971235874465080]
NAMES = ["alpha", "beta", "gamma"]
EVM_FAMILY = bytes.fromhex("2812d52c")
# DestChainConfig, its 19 fields.
DESTINATION = (True, 1, 30_000, 4_000_000, 225_000, 16, 40, 3_000, 0, 0, 0, EVM_FAMILY, False, 25, 150_000, 200_000,
               11 * 10**17, 0, 10)
NO_LIMIT = (False, 0, 0)


def key(seed, *path):
    return "0x" + keccak(text=f"{seed} {' '.join(map(str, path))}").hex()


def address(secret):
    return Account.from_key(secret).address


class Keys:
    """Private keys of a deployment; the same for the same seed."""

    def __init__(self, seed, faulty, one_transmitter, guards):
        count = 3 * faulty + 1
        self.deployer, self.noise = key(seed, "deployer"), key(seed, "noise")
        self.users = [key(seed, "user", i) for i in range(3)]
        self.signers = [key(seed, "signer", i) for i in range(count)]
        self.committing = [key(seed, "transmitter", i) for i in range(count)]
        self.executing = self.committing if one_transmitter else [key(seed, "second", i) for i in range(count)]
        self.guards = [key(seed, "guard", i) for i in range(guards)]

    @property
    def funded(self):
        return [address(s) for s in [self.deployer, self.noise, *self.users, *self.committing, *self.executing]]


class ForeignChainDeployment:
    """The contracts of one chain: their addresses are known before anything is sent."""

    CREATIONS = [
        ("weth", "weth9"), ("rmn", "rmn_remote"), ("proxy", "arm_proxy"), ("router", "router"),
        ("registry", "token_admin_registry"), ("nonces", "nonce_manager"), ("quoter", "fee_quoter"),
        ("onRamp", "on_ramp"), ("offRamp", "off_ramp"), ("burn", "burn_mint_erc20"), ("lock", "burn_mint_erc20"),
        ("burnPool", "burn_mint_token_pool"), ("lockPool", None), ("receiver", "storing_receiver"),
        ("reverting", "reverting_receiver"),
    ]

    def __init__(self, index, node, keys, cell):
        self.index, self.node, self.keys, self.cell = index, node, keys, cell
        self.name, self.selector = NAMES[index], SELECTORS[index]
        self.sender = Sender(node, keys.deployer)
        # The second token is locked on the first chain and minted on the others, with fewer decimals there.
        self.decimals = {"burn": 18, "lock": 18 if index == 0 else 6}
        self.kinds = {n: a or ("lock_release_token_pool" if index == 0 else "burn_mint_token_pool")
                      for n, a in self.CREATIONS}
        self.at = {n: created(self.sender.address, self.sender.nonce + i) for i, n in enumerate(self.kinds)}
        self.hashes = []

    def contract(self, name):
        return Contract(self.node, self.at[name], self.kinds[name])

    def do(self, name, function, *arguments, gas=2_000_000):
        self.hashes.append(self.sender.send(self.at[name], self.contract(name).data(function, *arguments), gas=gas))

    def rmn_required(self, source):
        """Roots of the first lane alone, or of all, want signatures."""
        return self.cell.rmn == "all" or (self.cell.rmn == "one" and (source.index, self.index) == (0, 1))

    def constructor(self, name, others):
        at = self.at
        pool = lambda token: (at[token], self.decimals[token], [], at["proxy"], at["router"])
        return {
            "rmn": (self.selector, ZERO), "proxy": (at["rmn"],), "router": (at["weth"], at["proxy"]), "nonces": ([],),
            "quoter": ((200 * E18, at["burn"], 86_400), [self.sender.address], [at["burn"], at["weth"]], [], [],
                       [(at["weth"], E18), (at["burn"], 9 * 10**17)], []),
            "onRamp": ((self.selector, at["proxy"], at["nonces"], at["registry"]),
                       (at["quoter"], False, ZERO, self.sender.address, ZERO), []),
            "offRamp": ((self.selector, 5_000, at["proxy"], at["registry"], at["nonces"]),
                        (at["quoter"], 3_600, ZERO), []),
            "burn": ("Burnt", "BURN", 18, 0, 0, self.sender.address),
            "lock": ("Locked", "LOCK", self.decimals["lock"], 0, 0, self.sender.address),
            "burnPool": pool("burn"), "lockPool": pool("lock"), "receiver": (at["router"],),
            "reverting": (at["router"],),
        }.get(name, ())

    def create(self, others):
        for name, kind in self.kinds.items():
            built = artifact(kind)
            inputs = [i for e in built["abi"] if e["type"] == "constructor" for i in e["inputs"]]
            code = bytes.fromhex(built["bytecode"][2:]) + encode(types(inputs), self.constructor(name, others))
            self.hashes.append(self.sender.send(None, code, gas=1_200_000 + 260 * len(code)))

    def wire(self, others):
        at, do = self.at, self.do
        do("nonces", "applyAuthorizedCallerUpdates", ([at["onRamp"], at["offRamp"]], []))
        do("quoter", "applyAuthorizedCallerUpdates", ([at["offRamp"]], []))
        do("quoter", "applyDestChainConfigUpdates", [(other.selector, DESTINATION) for other in others])
        prices = [(at["weth"], 3_000 * E18), (at["burn"], 15 * E18), (at["lock"], E18)]
        do("quoter", "updatePrices", (prices, [(other.selector, 3 * 10**12) for other in others]))
        do("onRamp", "applyDestChainConfigUpdates", [(other.selector, at["router"], False) for other in others])
        do("offRamp", "applySourceChainConfigUpdates", [
            (at["router"], other.selector, True, not self.rmn_required(other), word(other.at["onRamp"]))
            for other in others])
        do("router", "applyRampUpdates", [(other.selector, at["onRamp"]) for other in others], [],
           [(other.selector, at["offRamp"]) for other in others])
        if self.keys.guards:
            signers = [(address(secret), place) for place, secret in enumerate(self.keys.guards)]
            do("rmn", "setConfig", (keccak(text="rmn home"), signers, self.cell.blessings - 1))
        for token, pool in (("burn", "burnPool"), ("lock", "lockPool")):
            do("registry", "proposeAdministrator", at[token], self.sender.address)
            do("registry", "acceptAdminRole", at[token])
            do("registry", "setPool", at[token], at[pool])
            do(pool, "applyChainUpdates", [], [
                (other.selector, [word(other.at[pool])], word(other.at[token]), NO_LIMIT, NO_LIMIT)
                for other in others])
            if self.kinds[pool] == "burn_mint_token_pool":
                do(token, "grantMintAndBurnRoles", at[pool])
            # The deployer mints for users, and the first chain's pool holds what the others may send back.
            do(token, "grantMintAndBurnRoles", self.sender.address)
            for user in self.keys.users:
                do(token, "mint", address(user), 1_000 * 10**self.decimals[token])
        if self.index == 0:
            do("lock", "mint", at["lockPool"], 10_000 * E18)
        do("reverting", "setReverting", True)
        self.configure_oracles()

    def configure_oracles(self):
        order = random.Random(self.index).sample(range(len(self.keys.signers)), len(self.keys.signers))
        plugins = []
        for plugin, secrets in ((0, self.keys.committing), (1, self.keys.executing)):
            label = "one digest" if self.cell.equal_digests else f"{self.name} {plugin}"
            plugins.append((bytes.fromhex("000a") + keccak(text=label)[2:], plugin, self.cell.faulty, plugin == 0,
                            [address(self.keys.signers[i]) for i in order], [address(secrets[i]) for i in order]))
        self.do("offRamp", "setOCR3Configs", plugins, gas=6_000_000)

    def finish(self):
        for place, receipt in enumerate(self.node.wait(self.hashes, 120)):
            if receipt["status"] != "0x1":
                raise RuntimeError(f"{self.name}: transaction {place} of the deployment failed: {self.hashes[place]}")


def deploy(nodes, keys, cell):
    chains = [ForeignChainDeployment(i, node, keys, cell) for i, node in enumerate(nodes)]
    for chain in chains:
        others = [other for other in chains if other is not chain]
        chain.create(others)
        chain.wire(others)
    for chain in chains:
        chain.finish()
    return chains


def adoption(chains, keys, cell, ports, relayer_ports):
    """The file of `causeway adopt`: addresses, selectors, keys. JSON is YAML."""
    relayers = []
    for i in random.Random(7).sample(range(len(keys.signers)), len(keys.signers)):
        relayer = {"name": f"node-{i}", "signer": keys.signers[i]}
        if relayer_ports != ports:
            relayer["endpoints"] = {c.name: f"http://127.0.0.1:{port}" for c, port in zip(chains, relayer_ports)}
        if cell.one_transmitter:
            relayer["transmitter"] = keys.committing[i]
        else:
            relayer["transmitters"] = {"committing": keys.committing[i], "executing": keys.executing[i]}
        relayers.append(relayer)
    document = {
        "name": "acceptance",
        "chains": [
            {"name": chain.name, "chainId": chain.node.chain_id, "selector": str(chain.selector),
             "rpc": f"http://127.0.0.1:{port}", "finality": cell.finality_rule,
             "contracts": {"offRamp": chain.at["offRamp"], "onRamp": chain.at["onRamp"], "router": chain.at["router"]}}
            for chain, port in zip(chains, ports)
        ],
        "relayers": relayers,
    }
    if keys.guards:
        document["guards"] = [{"name": f"guard-{i}", "key": secret} for i, secret in enumerate(keys.guards)]
    return json.dumps(document, indent=2)
