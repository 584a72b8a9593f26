# pragma version 0.4.3
# A fee manager that logs what it was asked to charge for, or refuses everything as expired.

struct AddressAndWeight:
    addr: address
    weight: uint64

event Charged:
    payloads: bytes32
    parameters: Bytes[512]
    subscriber: address
    amount: uint256

event Recipients:
    digest: bytes32
    recipients: DynArray[AddressAndWeight, 8]

_refuses: bool
_supports: bytes4


@external
def refuse(refuses: bool):
    self._refuses = refuses


@external
def supportOnly(interfaceId: bytes4):
    self._supports = interfaceId


@external
@view
def supportsInterface(interfaceId: bytes4) -> bool:
    if self._supports != empty(bytes4):
        return interfaceId == self._supports
    return interfaceId == 0xdba45fe0 or interfaceId == 0x6c2f1a17


@external
@payable
def processFee(payload: Bytes[3072], parameterPayload: Bytes[512], subscriber: address):
    self._charge(keccak256(payload), parameterPayload, subscriber, msg.value)


@external
@payable
def processFeeBulk(payloads: DynArray[Bytes[3072], 4], parameterPayload: Bytes[512], subscriber: address):
    hashed: bytes32 = empty(bytes32)
    for payload: Bytes[3072] in payloads:
        hashed = keccak256(concat(hashed, keccak256(payload)))
    self._charge(hashed, parameterPayload, subscriber, msg.value)


@internal
def _charge(payloads: bytes32, parameters: Bytes[512], subscriber: address, amount: uint256):
    if self._refuses:
        raw_revert(method_id("ExpiredReport()", output_type=Bytes[4]))
    log Charged(payloads=payloads, parameters=parameters, subscriber=subscriber, amount=amount)


@external
def setFeeRecipients(configDigest: bytes32, recipients: DynArray[AddressAndWeight, 8]):
    log Recipients(digest=configDigest, recipients=recipients)
