# pragma version 0.4.3
# Who may attest that a CCTP message was sent: a set of signers and how many of them it takes. Their signatures cover
# the hash of the message, ascend by signer, and are 65 bytes each. Refusals are the strings of Circle's contracts. It
# knows nothing of what a message says.

from modules import ownable_2step as ownable

uses: ownable

event AttesterEnabled:
    attester: indexed(address)

event AttesterDisabled:
    attester: indexed(address)

event SignatureThresholdUpdated:
    oldSignatureThreshold: uint256
    newSignatureThreshold: uint256

# Most attesters, and with them most signatures.
MAX_ATTESTERS: constant(uint256) = 16
SIGNATURE_BYTES: constant(uint256) = 65
MAX_ATTESTATION: constant(uint256) = MAX_ATTESTERS * SIGNATURE_BYTES
# Half the order of secp256k1: a larger s is the twin of a smaller one, and refused.
HALF_ORDER: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168

signatureThreshold: public(uint256)
isEnabledAttester: public(HashMap[address, bool])
_count: uint256


@deploy
def __init__(attester: address):
    """One attester to begin with, whose signature is enough."""
    self._enable(attester)
    self.signatureThreshold = 1


@internal
def _enable(attester: address):
    assert attester != empty(address), "New attester must be nonzero"
    assert not self.isEnabledAttester[attester], "Attester already enabled"
    assert self._count < MAX_ATTESTERS, "Too many attesters"
    self.isEnabledAttester[attester] = True
    self._count += 1
    log AttesterEnabled(attester=attester)


@external
@view
def getNumEnabledAttesters() -> uint256:
    return self._count


@external
def enableAttester(newAttester: address):
    """Owner only."""
    ownable._check_owner()
    self._enable(newAttester)


@external
def disableAttester(attester: address):
    """Owner only; as many as the threshold remain."""
    ownable._check_owner()
    assert self._count > 1, "Too few enabled attesters"
    assert self._count > self.signatureThreshold, "Signature threshold is too low"
    assert self.isEnabledAttester[attester], "Attester already disabled"
    self.isEnabledAttester[attester] = False
    self._count -= 1
    log AttesterDisabled(attester=attester)


@external
def setSignatureThreshold(newSignatureThreshold: uint256):
    """How many attesters must sign; owner only."""
    ownable._check_owner()
    assert newSignatureThreshold != 0, "Invalid signature threshold"
    assert newSignatureThreshold <= self._count, "New signature threshold too high"
    assert newSignatureThreshold != self.signatureThreshold, "Signature threshold already set"
    log SignatureThresholdUpdated(
        oldSignatureThreshold=self.signatureThreshold, newSignatureThreshold=newSignatureThreshold
    )
    self.signatureThreshold = newSignatureThreshold


@internal
@view
def _verify(digest: bytes32, attestation: Bytes[MAX_ATTESTATION]):
    """Exactly as many signatures as the threshold, by different enabled attesters in ascending order."""
    threshold: uint256 = self.signatureThreshold
    assert len(attestation) == threshold * SIGNATURE_BYTES, "Invalid attestation length"
    previous: uint256 = 0
    for i: uint256 in range(threshold, bound=MAX_ATTESTERS):
        at: uint256 = i * SIGNATURE_BYTES
        s: uint256 = extract32(attestation, at + 32, output_type=uint256)
        assert s <= HALF_ORDER, "ECDSA: invalid signature 's' value"
        signer: address = ecrecover(
            digest,
            convert(slice(attestation, at + 64, 1), uint256),
            extract32(attestation, at, output_type=uint256),
            s,
        )
        assert signer != empty(address), "ECDSA: invalid signature"
        assert convert(signer, uint256) > previous, "Invalid signature order or dupe"
        assert self.isEnabledAttester[signer], "Invalid signature: not attester"
        previous = convert(signer, uint256)
