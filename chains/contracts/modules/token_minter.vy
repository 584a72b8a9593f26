# pragma version 0.4.3
# Which token of which domain stands for which local one, and which messengers of other domains are believed: what both
# versions of a CCTP token messenger know. Minting needs the minter's role at the token.

from modules import ownable_2step as ownable

uses: ownable

interface Token:
    def mint(account: address, amount: uint256): nonpayable
    def burn(amount: uint256): nonpayable
    def transferFrom(sender: address, to: address, amount: uint256) -> bool: nonpayable

event RemoteTokenMessengerAdded:
    domain: uint32
    tokenMessenger: bytes32

event RemoteTokenMessengerRemoved:
    domain: uint32
    tokenMessenger: bytes32

event TokenPairLinked:
    localToken: address
    remoteDomain: uint32
    remoteToken: bytes32

MESSAGE_TRANSMITTER: immutable(address)

remoteTokenMessengers: public(HashMap[uint32, bytes32])
# domain -> token there -> token here
_localTokens: HashMap[uint32, HashMap[bytes32, address]]
# Local tokens that may be burned.
_supported: HashMap[address, bool]


@deploy
def __init__(messageTransmitter: address):
    assert messageTransmitter != empty(address), "MessageTransmitter not set"
    MESSAGE_TRANSMITTER = messageTransmitter


@external
@view
def localMessageTransmitter() -> address:
    return MESSAGE_TRANSMITTER


@external
@view
def getLocalToken(remoteDomain: uint32, remoteToken: bytes32) -> address:
    return self._localTokens[remoteDomain][remoteToken]


@external
def addRemoteTokenMessenger(domain: uint32, tokenMessenger: bytes32):
    """The messenger of another domain; owner only."""
    ownable._check_owner()
    assert tokenMessenger != empty(bytes32), "bytes32(0) not allowed"
    assert self.remoteTokenMessengers[domain] == empty(bytes32), "TokenMessenger already set"
    self.remoteTokenMessengers[domain] = tokenMessenger
    log RemoteTokenMessengerAdded(domain=domain, tokenMessenger=tokenMessenger)


@external
def removeRemoteTokenMessenger(domain: uint32):
    """Owner only."""
    ownable._check_owner()
    removed: bytes32 = self.remoteTokenMessengers[domain]
    assert removed != empty(bytes32), "No TokenMessenger set"
    self.remoteTokenMessengers[domain] = empty(bytes32)
    log RemoteTokenMessengerRemoved(domain=domain, tokenMessenger=removed)


@external
def linkTokenPair(localToken: address, remoteDomain: uint32, remoteToken: bytes32):
    """What burns there as `remoteToken` is minted here as `localToken`, and back; owner only."""
    ownable._check_owner()
    assert self._localTokens[remoteDomain][remoteToken] == empty(address), "Unable to link token pair"
    self._localTokens[remoteDomain][remoteToken] = localToken
    self._supported[localToken] = True
    log TokenPairLinked(localToken=localToken, remoteDomain=remoteDomain, remoteToken=remoteToken)


@internal
def _burn(amount: uint256, domain: uint32, mintRecipient: bytes32, token: address) -> bytes32:
    """Takes and burns the sender's tokens, and returns the messenger of the destination."""
    assert amount != 0, "Amount must be nonzero"
    assert mintRecipient != empty(bytes32), "Mint recipient must be nonzero"
    messenger: bytes32 = self.remoteTokenMessengers[domain]
    assert messenger != empty(bytes32), "No TokenMessenger for domain"
    assert self._supported[token], "Burn token not supported"
    assert extcall Token(token).transferFrom(msg.sender, self, amount), "Transfer operation failed"
    extcall Token(token).burn(amount)
    return messenger


@internal
@view
def _check_remote(domain: uint32, sender: bytes32):
    """What arrives comes from the local transmitter, and there from a messenger that is believed."""
    assert msg.sender == MESSAGE_TRANSMITTER, "Invalid message transmitter"
    assert sender != empty(bytes32), "Remote TokenMessenger unsupported"
    assert self.remoteTokenMessengers[domain] == sender, "Remote TokenMessenger unsupported"


@internal
@view
def _local_token(domain: uint32, token: bytes32) -> address:
    local: address = self._localTokens[domain][token]
    assert local != empty(address), "Mint token not supported"
    return local
