"""The contracts of the price streams on one chain, and reports signed as oracles would sign them.

What lives here: wiring, and the encodings of sections 2 and 3 of the data streams specification. What is expected of
the contracts is in the tests.
"""

from eth_abi import encode
from eth_keys import keys
from eth_utils import keccak, to_checksum_address

from chain import OWNER, ZERO, Chain, artifact, streams_vectors
from destination import address_of

CONSUMER = to_checksum_address(b"\x66" * 20)
ENVELOPE = ["bytes32[3]", "bytes", "bytes32[]", "bytes32[]", "bytes32"]
SECRETS = [keccak(text=f"stream oracle {i}") for i in range(31)]
REPORT_VERIFIED = keccak(text="ReportVerified(bytes32,address)")


def digest_of(text):
    """A configuration digest of the prefix that clusters of price streams have."""
    return b"\x00\x09" + keccak(text=text)[:30]


def feed_id(version, text="ETH/USD"):
    return version.to_bytes(2, "big") + keccak(text=text)[2:]


def words(*values):
    """A blob: whole words, numbers in two's complement."""
    return b"".join(v if isinstance(v, bytes) else (v % 2**256).to_bytes(32, "big") for v in values)


def context(digest, sequence=256, extra=(42 << 32) | 1):
    return digest, sequence.to_bytes(32, "big"), extra.to_bytes(32, "big")


def full_report(digest, blob, secrets, sequence=256):
    """A canonical envelope, signed in the order of `secrets`."""
    about = context(digest, sequence)
    signed = keccak(keccak(blob) + b"".join(about))
    made = [keys.PrivateKey(secret).sign_msg_hash(signed) for secret in secrets]
    vs = bytes(signature.v for signature in made)
    return encode(ENVELOPE, [
        about, blob, [s.r.to_bytes(32, "big") for s in made], [s.s.to_bytes(32, "big") for s in made],
        vs + bytes(32 - len(vs)),
    ])


class Streams:
    """A proxy and its verifier, each of which may be a faulty one."""

    def __init__(self, chain=None, access=ZERO, verifier=None, proxy=None):
        self.chain = chain or Chain()
        self.proxy = self.chain.deploy(proxy or artifact("verifier_proxy"), access)
        self.verifier = self.chain.deploy(verifier or artifact("verifier"), self.proxy.address)
        self.proxy.send("initializeVerifier", self.verifier.address)

    @classmethod
    def of_vectors(cls, **named):
        """One that knows the configurations under which the vectors' envelopes are signed."""
        made = cls(**named)
        used = {envelope["config"] for envelope in streams_vectors()["envelopes"]}
        for config in streams_vectors()["configDigests"]:
            if config["name"] in used:
                signers = [to_checksum_address(signer) for signer in config["signers"]]
                made.configure(bytes.fromhex(config["configDigest"][2:]), signers, config["f"])
        return made

    def configure(self, digest, signers, f, recipients=(), sender=OWNER):
        return self.verifier.send("setConfig", digest, signers, f, list(recipients), sender=sender)

    def own(self, text, f=1, n=None):
        """A configuration whose keys the tests have, by its digest."""
        digest = digest_of(text)
        self.configure(digest, [address_of(secret) for secret in SECRETS[:n or 3 * f + 1]], f)
        return digest

    def verify(self, report, parameters=b"", sender=CONSUMER, value=0):
        return self.proxy.send("verify", report, parameters, sender=sender, value=value)

    def blob(self, report, **named):
        return self.proxy.decoded("verify", self.verify(report, **named).output)

    def view(self, report, sender=CONSUMER):
        return self.proxy.call("verifyView", report, sender=sender)

    def bulk(self, reports, parameters=b"", sender=CONSUMER, value=0):
        return self.proxy.send("verifyBulk", list(reports), parameters, sender=sender, value=value)
