"""The sending half of a lane on one chain: router, on-ramp, nonce manager, registry, around answers that tests choose.

What lives here: wiring. What is expected of it is in the tests.
"""

from chain import OWNER, ZERO, Chain, artifact, mock

SOURCE = 1523760397290643893
DEST = 5009297550715157269
SENDER = "0x0E5845Fd213396c05967251807412243d38b6f35"
AGGREGATOR = "0x00000000000000000000000000000000000A6601"
LIST_ADMIN = "0x0000000000000000000000000000000000A1157a"
EVERYONE_CURSED = bytes.fromhex("01000000000000000000000000000001")


class Lane:
    def __init__(self, on_ramp_at=None, wrapped_at=None, quoter=None):
        self.chain = chain = Chain()
        chain.fund(SENDER, 10**24)
        self.arm = chain.deploy(mock("arm"))
        self.quoter = quoter(self) if quoter else chain.deploy(mock("quoter"))
        self.wrapped = chain.deploy(artifact("weth9"), at=wrapped_at)
        self.registry = chain.deploy(artifact("token_admin_registry"))
        self.nonces = chain.deploy(artifact("nonce_manager"), [])
        self.router = chain.deploy(artifact("router"), self.wrapped.address, self.arm.address)
        self.static = (SOURCE, self.arm.address, self.nonces.address, self.registry.address)
        self.dynamic = (self.quoter.address, False, ZERO, AGGREGATOR, LIST_ADMIN)
        self.on_ramp = chain.deploy(
            artifact("on_ramp"), self.static, self.dynamic, [(DEST, self.router.address, False)], at=on_ramp_at
        )
        self.nonces.send("applyAuthorizedCallerUpdates", ([self.on_ramp.address], []))
        self.router.send("applyRampUpdates", [(DEST, self.on_ramp.address)], [], [])

    def list_token(self, token, pool):
        self.registry.send("proposeAdministrator", token, OWNER)
        self.registry.send("acceptAdminRole", token)
        self.registry.send("setPool", token, pool)

    def set_interceptor(self, address):
        quoter, entered, _, aggregator, admin = self.dynamic
        self.dynamic = (quoter, entered, address, aggregator, admin)
        self.on_ramp.send("setDynamicConfig", self.dynamic)


def message(receiver=None, data=b"", tokens=(), fee_token=ZERO, extra_args=b""):
    return (receiver if receiver is not None else bytes(30) + b"\xbe\xef", data, list(tokens), fee_token, extra_args)
