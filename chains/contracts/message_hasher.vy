# pragma version 0.4.3
# The hashes of messages and the encodings of extra arguments, as pure functions for whoever wants to ask a chain
# instead of computing them (spec sections 5.2 and 8.2). Nothing on the bridge calls it, and it holds no state; the face
# is that of the helper that the published off-chain code is tested with.

struct Header:
    messageId: bytes32
    sourceChainSelector: uint64
    destChainSelector: uint64
    sequenceNumber: uint64
    nonce: uint64

struct Any2EVMTokenTransfer:
    sourcePoolAddress: Bytes[MAX_ADDRESS]
    destTokenAddress: address
    destGasAmount: uint32
    extraData: Bytes[MAX_POOL_DATA]
    amount: uint256

struct EVM2AnyTokenTransfer:
    sourcePoolAddress: address
    destTokenAddress: Bytes[MAX_ADDRESS]
    extraData: Bytes[MAX_POOL_DATA]
    amount: uint256
    destExecData: Bytes[MAX_ADDRESS]

struct Any2EVMRampMessage:
    header: Header
    sender: Bytes[MAX_ADDRESS]
    data: Bytes[MAX_DATA]
    receiver: address
    gasLimit: uint256
    tokenAmounts: DynArray[Any2EVMTokenTransfer, MAX_TOKENS]

struct EVMExtraArgsV1:
    gasLimit: uint256

struct GenericExtraArgsV2:
    gasLimit: uint256
    allowOutOfOrderExecution: bool

struct SVMExtraArgsV1:
    computeUnits: uint32
    accountIsWritableBitmap: uint64
    allowOutOfOrderExecution: bool
    tokenReceiver: bytes32
    accounts: DynArray[bytes32, MAX_ACCOUNTS]

# Longest address of a chain, pool data and data, most tokens of a message and most accounts.
MAX_ADDRESS: constant(uint256) = 128
MAX_POOL_DATA: constant(uint256) = 512
MAX_DATA: constant(uint256) = 32768
MAX_TOKENS: constant(uint256) = 16
MAX_ACCOUNTS: constant(uint256) = 64
# Longest encoding of the token transfers of a message, and of extra arguments.
MAX_TRANSFERS: constant(uint256) = 16960
MAX_EXTRA_ARGS: constant(uint256) = 2276

EVM_V1: constant(bytes4) = 0x97a657c9
GENERIC_V2: constant(bytes4) = 0x181dcf10
SVM_V1: constant(bytes4) = 0x1f3b3aba
ANY_2_EVM_MESSAGE_HASH: constant(bytes32) = keccak256("Any2EVMMessageHashV1")


@external
@pure
def hash(message: Any2EVMRampMessage, onRamp: Bytes[MAX_ADDRESS]) -> bytes32:
    """The leaf of a message from `onRamp`, which is the bytes that the off-ramp has on record."""
    header: Header = message.header
    metadataHash: bytes32 = keccak256(
        self._metadata(
            ANY_2_EVM_MESSAGE_HASH, header.sourceChainSelector, header.destChainSelector, keccak256(onRamp)
        )
    )
    fixedHash: bytes32 = keccak256(
        self._fixed(header.messageId, message.receiver, header.sequenceNumber, message.gasLimit, header.nonce)
    )
    return keccak256(
        self._final(
            empty(bytes32),
            metadataHash,
            fixedHash,
            keccak256(message.sender),
            keccak256(message.data),
            keccak256(abi_encode(message.tokenAmounts)),
        )
    )


@internal
@pure
def _metadata(kind: bytes32, source: uint64, dest: uint64, onRampHash: bytes32) -> Bytes[128]:
    return abi_encode(kind, source, dest, onRampHash)


@internal
@pure
def _fixed(
    messageId: bytes32, receiver: address, sequenceNumber: uint64, gasLimit: uint256, nonce: uint64
) -> Bytes[160]:
    return abi_encode(messageId, receiver, sequenceNumber, gasLimit, nonce)


@internal
@pure
def _final(
    separator: bytes32, metadataHash: bytes32, fixedHash: bytes32, sender: bytes32, data: bytes32, tokens: bytes32
) -> Bytes[192]:
    return abi_encode(separator, metadataHash, fixedHash, sender, data, tokens)


@external
@pure
def encodeMetadataHashPreimage(
    any2EVMMessageHash: bytes32, sourceChainSelector: uint64, destChainSelector: uint64, onRampHash: bytes32
) -> Bytes[128]:
    return self._metadata(any2EVMMessageHash, sourceChainSelector, destChainSelector, onRampHash)


@external
@pure
def encodeFixedSizeFieldsHashPreimage(
    messageId: bytes32, receiver: address, sequenceNumber: uint64, gasLimit: uint256, nonce: uint64
) -> Bytes[160]:
    return self._fixed(messageId, receiver, sequenceNumber, gasLimit, nonce)


@external
@pure
def encodeFinalHashPreimage(
    leafDomainSeparator: bytes32,
    metaDataHash: bytes32,
    fixedSizeFieldsHash: bytes32,
    senderHash: bytes32,
    dataHash: bytes32,
    tokenAmountsHash: bytes32,
) -> Bytes[192]:
    return self._final(leafDomainSeparator, metaDataHash, fixedSizeFieldsHash, senderHash, dataHash, tokenAmountsHash)


@external
@pure
def encodeAny2EVMTokenAmountsHashPreimage(
    tokenAmounts: DynArray[Any2EVMTokenTransfer, MAX_TOKENS]
) -> Bytes[MAX_TRANSFERS]:
    return abi_encode(tokenAmounts)


@external
@pure
def encodeEVM2AnyTokenAmountsHashPreimage(
    tokenAmounts: DynArray[EVM2AnyTokenTransfer, MAX_TOKENS]
) -> Bytes[MAX_TRANSFERS]:
    return abi_encode(tokenAmounts)


@external
@pure
def encodeEVMExtraArgsV1(extraArgs: EVMExtraArgsV1) -> Bytes[36]:
    return abi_encode(extraArgs, method_id=EVM_V1)


@external
@pure
def encodeEVMExtraArgsV2(extraArgs: GenericExtraArgsV2) -> Bytes[68]:
    return abi_encode(extraArgs, method_id=GENERIC_V2)


@external
@pure
def encodeGenericExtraArgsV2(extraArgs: GenericExtraArgsV2) -> Bytes[68]:
    return abi_encode(extraArgs, method_id=GENERIC_V2)


@external
@pure
def encodeSVMExtraArgsV1(extraArgs: SVMExtraArgsV1) -> Bytes[MAX_EXTRA_ARGS]:
    return abi_encode(extraArgs, method_id=SVM_V1)


# These decode by their very signatures: whoever has the bytes after the tag calls with them as arguments.


@external
@pure
def decodeEVMExtraArgsV1(gasLimit: uint256) -> EVMExtraArgsV1:
    return EVMExtraArgsV1(gasLimit=gasLimit)


@external
@pure
def decodeEVMExtraArgsV2(gasLimit: uint256, allowOutOfOrderExecution: bool) -> GenericExtraArgsV2:
    return GenericExtraArgsV2(gasLimit=gasLimit, allowOutOfOrderExecution=allowOutOfOrderExecution)


@external
@pure
def decodeGenericExtraArgsV2(gasLimit: uint256, allowOutOfOrderExecution: bool) -> GenericExtraArgsV2:
    return GenericExtraArgsV2(gasLimit=gasLimit, allowOutOfOrderExecution=allowOutOfOrderExecution)


@external
@pure
def decodeSVMExtraArgsStruct(
    extraArgs: SVMExtraArgsV1,
) -> (uint32, uint64, bool, bytes32, DynArray[bytes32, MAX_ACCOUNTS]):
    return (
        extraArgs.computeUnits,
        extraArgs.accountIsWritableBitmap,
        extraArgs.allowOutOfOrderExecution,
        extraArgs.tokenReceiver,
        extraArgs.accounts,
    )
