"""The receiving half of a lane on one chain: off-ramp, router, nonce manager, registry, and oracles of the test's own.

What lives here: wiring, and reports signed as the oracles would sign them. What is expected of it is in the tests.
"""

import copy

from eth_keys import keys
from eth_utils import keccak, to_checksum_address

from chain import ZERO, Chain, artifact, mock
from reference import commit_report, execution_report, leaf, padded, prove, signed, tree

COMMIT_DIGEST = bytes.fromhex("000a") + keccak(text="commit")[:30]
EXECUTION_DIGEST = bytes.fromhex("000a") + keccak(text="execution")[:30]
SECRETS = [keccak(text=f"signer {i}") for i in range(4)]
TRANSMITTERS = [to_checksum_address(keccak(text=f"transmitter {i}")[12:]) for i in range(4)]
F = 1
EXACT_CHECK_GAS = 5_000
# Seconds after which anyone may execute.
PERMISSIONLESS_AFTER = 1_200


def address_of(secret):
    return keys.PrivateKey(secret).public_key.to_checksum_address()


class Destination:
    """
    `sources` are (selector, on-ramp bytes, whether its roots go unblessed). Curses, blessings and prices are real
    contracts' unless the test says otherwise: `rmn` and `quoter` make them on the chain, `nonces` the nonce manager.
    """

    def __init__(
        self, here, sources, chain=None, rmn=None, quoter=None, nonces=None, at=None,
        permissionless_after=PERMISSIONLESS_AFTER,
    ):
        self.chain = chain = chain or Chain()
        self.here = here
        self.rmn = rmn(chain) if rmn else chain.deploy(artifact("rmn_remote"), here, ZERO)
        self.proxy = chain.deploy(artifact("arm_proxy"), self.rmn.address)
        self.wrapped = chain.deploy(artifact("weth9"))
        self.router = chain.deploy(artifact("router"), self.wrapped.address, self.proxy.address)
        self.registry = chain.deploy(artifact("token_admin_registry"))
        self.nonces = nonces(chain) if nonces else chain.deploy(artifact("nonce_manager"), [])
        self.quoter = quoter(chain) if quoter else chain.deploy(
            artifact("fee_quoter"), (10**20, self.wrapped.address, 86_400), [], [], [], [], [], []
        )
        self.on_ramps = {}
        self.off_ramp = chain.deploy(
            artifact("off_ramp"),
            (here, EXACT_CHECK_GAS, self.proxy.address, self.registry.address, self.nonces.address),
            (self.quoter.address, permissionless_after, ZERO),
            [],
            at=at,
        )
        for contract in (self.nonces, self.quoter):
            if any(entry.get("name") == "applyAuthorizedCallerUpdates" for entry in contract.abi):
                contract.send("applyAuthorizedCallerUpdates", ([self.off_ramp.address], []))
        self.add_sources(*sources)
        self.set_oracles([address_of(secret) for secret in SECRETS], TRANSMITTERS)
        self.secrets = SECRETS
        self.committed = 0

    def twin(self):
        """A second off-ramp for the same sources, with the same oracles and all rights of the first."""
        other = copy.copy(self)
        settings = (self.here, EXACT_CHECK_GAS, self.proxy.address, self.registry.address, self.nonces.address)
        other.off_ramp = self.chain.deploy(
            artifact("off_ramp"), settings, (self.quoter.address, PERMISSIONLESS_AFTER, ZERO), []
        )
        self.nonces.send("applyAuthorizedCallerUpdates", ([other.off_ramp.address], []))
        other.add_sources(*[(selector, on_ramp, True) for selector, on_ramp in self.on_ramps.items()])
        other.set_oracles([address_of(secret) for secret in SECRETS], TRANSMITTERS)
        return other

    def add_sources(self, *sources):
        self.on_ramps.update({selector: on_ramp for selector, on_ramp, _ in sources})
        self.off_ramp.send("applySourceChainConfigUpdates", [
            (self.router.address, selector, True, unblessed, on_ramp) for selector, on_ramp, unblessed in sources
        ])
        self.router.send("applyRampUpdates", [], [], [(s, self.off_ramp.address) for s, _, _ in sources])

    def set_oracles(self, signers, transmitters, digest=COMMIT_DIGEST, f=F):
        self.digest, self.transmitter, self.f = digest, transmitters[0], f
        self.off_ramp.send("setOCR3Configs", [
            (digest, 0, f, True, signers, transmitters), (EXECUTION_DIGEST, 1, f, False, [], transmitters)
        ])

    # Reports

    def next_sequence(self, source):
        return self.off_ramp.call("getSourceChainConfig", source)[2]

    def commit(self, report, sequence=None, sender=None):
        """Signs with the first F + 1 signers and transmits."""
        self.committed += 1
        context = [self.digest, (sequence or self.committed).to_bytes(32, "big")]
        arguments = signed(report, context, self.secrets[:self.f + 1])
        return self.off_ramp.send("commit", context, report, *arguments, sender=sender or self.transmitter)

    def commit_root(self, source, root, first=None, last=None):
        """An unblessed root over the next sequence numbers, one if nothing is said."""
        first = first or self.next_sequence(source)
        return self.commit(commit_report([(source, self.on_ramps[source], first, last or first, root)]))

    def skip_to(self, source, first):
        """Makes `first` the next sequence number: a root over all before it, which nobody can execute."""
        due = self.next_sequence(source)
        if due < first:
            self.commit_root(source, keccak(text=f"skipped {source} {due} {first}"), due, first - 1)

    def execution(self, *reports):
        """The call data that a transmitter sends."""
        context = [EXECUTION_DIGEST, (self.committed + 1).to_bytes(32, "big")]
        return self.off_ramp.data("execute", context, execution_report(*reports))

    def execute(self, *reports, sender=None, **named):
        return self.off_ramp.raw(self.execution(*reports), sender=sender or self.transmitter, **named)

    def leaves(self, messages):
        return [leaf(message, self.on_ramps[message[0][1]]) for message in messages]

    def commit_messages(self, messages):
        """Commits one root over messages of one source with consecutive sequence numbers; the tree."""
        source, first, last = messages[0][0][1], messages[0][0][3], messages[-1][0][3]
        layers = tree(self.leaves(messages))
        self.result = self.commit_root(source, layers[-1][0], first, last)
        return layers

    def report(self, messages, layers, indices):
        """The execution report of a choice of the messages of a tree."""
        chosen = [messages[i] for i in indices]
        token_data = [[b""] * len(message[5]) for message in chosen]
        return (messages[0][0][1], chosen, token_data, *prove(layers, list(indices)))

    def list_token(self, token, pool, owner):
        self.registry.send("proposeAdministrator", token, owner)
        self.registry.send("acceptAdminRole", token, sender=owner)
        self.registry.send("setPool", token, pool, sender=owner)


def any_message(source, here, sequence, receiver, data=b"", gas=0, tokens=(), nonce=0, sender=None, identifier=None):
    """An Any2EVMRampMessage."""
    identifier = identifier or keccak(text=f"message {source} {sequence}")
    header = (identifier, source, here, sequence, nonce)
    return header, sender or padded("0x" + "5e" * 20), data, receiver, gas, list(tokens)


def trusting_rmn(chain):
    """Nothing is cursed, and every blessing holds."""
    return chain.deploy(mock("trusting_rmn"))


def any_nonce(chain):
    """A nonce manager that finds every nonce to be the next one."""
    return chain.deploy(mock("any_nonce"))
