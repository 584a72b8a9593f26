// How code ends, and why a transaction is not even begun. Names are stable: JSON-RPC and tests show them.

import Ethereum

/// Why a frame halted with all its gas lost.
package enum HaltReason: String, Sendable, Hashable {
    case outOfGas
    case stackUnderflow
    case stackOverflow
    case invalidJump
    /// An opcode that the fork does not have, or INVALID itself.
    case invalidOpcode
    /// A write inside a static call.
    case staticViolation
    /// RETURNDATACOPY past the end.
    case returnDataOutOfBounds
    /// Init code over the limit inside CREATE (EIP-3860).
    case initCodeTooLarge
    /// Deployed code over the limit (EIP-170).
    case codeTooLarge
    /// Deployed code that begins with 0xef (EIP-3541).
    case codeBeginsWithEF
    /// The address of the new contract is taken.
    case createCollision
    /// A precompile refused its input or its gas.
    case precompileFailed
    /// A call or creation below the deepest frame. The frame that asked goes on, so only tracers see this.
    case callDepthExceeded
    /// A call or creation with more value than there is. The frame that asked goes on, so only tracers see this.
    case insufficientBalance
}

package enum ExecutionStatus: Sendable, Hashable {
    case success
    case revert
    case halt(HaltReason)
}

/// What a transaction or call came to.
package struct ExecutionResult: Sendable, Hashable {
    package var status: ExecutionStatus
    /// Gas that is paid for: after refunds and not below the floor.
    package var gasUsed: UInt64
    /// Gas that was given back for cleared slots and known authorities.
    package var gasRefunded: UInt64
    /// The most gas that was gone at a time: before refunds and not below the floor.
    package var gasPeak: UInt64 = 0
    /// What was returned or reverted with; the code of a created contract.
    package var output: Bytes
    /// Empty unless it succeeded.
    package var logs: [Log]
    /// The contract that a successful creation made.
    package var createdAddress: Address?
    /// Wei a gas.
    package var effectiveGasPrice: U256

    package var succeeded: Bool { status == .success }
}

/// Why a transaction cannot be in a block. The state is as it was.
package enum TransactionRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    case nonceTooLow(expected: UInt64, got: UInt64)
    case nonceTooHigh(expected: UInt64, got: UInt64)
    case nonceIsMaximum
    case insufficientFunds(needed: U256?, balance: U256)
    case intrinsicGasTooLow(least: UInt64, got: UInt64)
    case gasLimitExceedsBlock(limit: UInt64, got: UInt64)
    /// EIP-7825.
    case gasLimitAboveCap(limit: UInt64, got: UInt64)
    case feeCapTooLow(baseFee: U256, cap: U256)
    case priorityFeeAboveCap(priority: U256, cap: U256)
    case initCodeTooLarge(limit: Int, got: Int)
    case senderNotEOA(Address)
    case wrongChain(expected: UInt64, got: UInt64)
    case kindNotSupported(Transaction.Kind)
    case blobFeeCapTooLow(blobBaseFee: U256, cap: U256)
    case noBlobs
    case tooManyBlobs(limit: Int, got: Int)
    case blobHashVersionUnknown
    case creationNotAllowed(Transaction.Kind)
    case noAuthorizations

    /// The name without its numbers.
    package var code: String {
        switch self {
        case .nonceTooLow: "nonceTooLow"
        case .nonceTooHigh: "nonceTooHigh"
        case .nonceIsMaximum: "nonceIsMaximum"
        case .insufficientFunds: "insufficientFunds"
        case .intrinsicGasTooLow: "intrinsicGasTooLow"
        case .gasLimitExceedsBlock: "gasLimitExceedsBlock"
        case .gasLimitAboveCap: "gasLimitAboveCap"
        case .feeCapTooLow: "feeCapTooLow"
        case .priorityFeeAboveCap: "priorityFeeAboveCap"
        case .initCodeTooLarge: "initCodeTooLarge"
        case .senderNotEOA: "senderNotEOA"
        case .wrongChain: "wrongChain"
        case .kindNotSupported: "kindNotSupported"
        case .blobFeeCapTooLow: "blobFeeCapTooLow"
        case .noBlobs: "noBlobs"
        case .tooManyBlobs: "tooManyBlobs"
        case .blobHashVersionUnknown: "blobHashVersionUnknown"
        case .creationNotAllowed: "creationNotAllowed"
        case .noAuthorizations: "noAuthorizations"
        }
    }

    package var description: String {
        switch self {
        case .nonceTooLow(let expected, let got):
            "nonce too low: the account is at \(expected), the transaction has \(got)"
        case .nonceTooHigh(let expected, let got):
            "nonce too high: the account is at \(expected), the transaction has \(got); send the ones between first"
        case .nonceIsMaximum: "the sender's nonce is at its maximum (EIP-2681)"
        case .insufficientFunds(let needed, let balance):
            "insufficient funds: needs \(needed?.decimal ?? "more than 2^256") wei, the sender has \(balance)"
        case .intrinsicGasTooLow(let least, let got): "intrinsic gas too low: needs \(least), the limit is \(got)"
        case .gasLimitExceedsBlock(let limit, let got): "gas limit \(got) exceeds what the block has left, \(limit)"
        case .gasLimitAboveCap(let limit, let got):
            "gas limit \(got) is above \(limit), the most of one transaction (EIP-7825)"
        case .feeCapTooLow(let baseFee, let cap): "max fee per gas \(cap) is below the base fee \(baseFee)"
        case .priorityFeeAboveCap(let priority, let cap):
            "max priority fee per gas \(priority) is above max fee per gas \(cap)"
        case .initCodeTooLarge(let limit, let got): "init code of \(got) bytes, at most \(limit) (EIP-3860)"
        case .senderNotEOA(let address): "the sender \(address) has code (EIP-3607)"
        case .wrongChain(let expected, let got): "signed for chain \(got), this is chain \(expected)"
        case .kindNotSupported(let kind): "transactions of type \(kind.rawValue) are not supported by this fork"
        case .blobFeeCapTooLow(let fee, let cap): "max fee per blob gas \(cap) is below the blob base fee \(fee)"
        case .noBlobs: "a blob transaction without blobs"
        case .tooManyBlobs(let limit, let got): "\(got) blobs, at most \(limit)"
        case .blobHashVersionUnknown: "a blob hash whose version is not 1"
        case .creationNotAllowed(let kind): "transactions of type \(kind.rawValue) cannot create a contract"
        case .noAuthorizations: "a set-code transaction without authorizations"
        }
    }
}
