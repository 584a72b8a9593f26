// The one error type of this room. Callers act on `code`; people read `message`; JSON-RPC numbers follow from the code.

import Ethereum

package struct DevChainError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A stable name of what went wrong; an open set, so that a new one breaks no caller.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let invalidSignature = Code(rawValue: "invalidSignature")
        package static let wrongChain = Code(rawValue: "wrongChain")
        package static let kindNotSupported = Code(rawValue: "kindNotSupported")
        package static let malformedTransaction = Code(rawValue: "malformedTransaction")
        package static let alreadyKnown = Code(rawValue: "alreadyKnown")
        package static let nonceTooLow = Code(rawValue: "nonceTooLow")
        package static let nonceTooFar = Code(rawValue: "nonceTooFar")
        package static let replacementUnderpriced = Code(rawValue: "replacementUnderpriced")
        package static let insufficientFunds = Code(rawValue: "insufficientFunds")
        package static let gasLimitExceedsBlock = Code(rawValue: "gasLimitExceedsBlock")
        package static let intrinsicGasTooLow = Code(rawValue: "intrinsicGasTooLow")
        package static let feeBelowBaseFee = Code(rawValue: "feeBelowBaseFee")
        package static let priorityFeeAboveCap = Code(rawValue: "priorityFeeAboveCap")
        package static let initCodeTooLarge = Code(rawValue: "initCodeTooLarge")
        package static let senderHasCode = Code(rawValue: "senderHasCode")
        package static let transactionTooLarge = Code(rawValue: "transactionTooLarge")
        package static let poolFull = Code(rawValue: "poolFull")
        package static let senderQueueFull = Code(rawValue: "senderQueueFull")
        /// Transactions with blobs and without of one sender do not wait at once.
        package static let addressReserved = Code(rawValue: "addressReserved")
        /// An account that lends its code has one transaction that waits, or none (EIP-7702).
        package static let delegatedQueueFull = Code(rawValue: "delegatedQueueFull")
        package static let authorityReserved = Code(rawValue: "authorityReserved")
        /// Blobs that do not match their proofs, or that cannot be checked.
        package static let invalidBlobs = Code(rawValue: "invalidBlobs")
        package static let invalidOverride = Code(rawValue: "invalidOverride")
        package static let blockNotFound = Code(rawValue: "blockNotFound")
        package static let statePruned = Code(rawValue: "statePruned")
        package static let belowFinalized = Code(rawValue: "belowFinalized")
        package static let timestampTooLow = Code(rawValue: "timestampTooLow")
        package static let limitExceeded = Code(rawValue: "limitExceeded")
        package static let notAnAccount = Code(rawValue: "notAnAccount")
        /// A file of the data directory could not be read or written.
        package static let storeFailed = Code(rawValue: "storeFailed")
        package static let malformedDump = Code(rawValue: "malformedDump")
        package static let fixedByProfile = Code(rawValue: "fixedByProfile")
        package static let portInUse = Code(rawValue: "portInUse")
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
