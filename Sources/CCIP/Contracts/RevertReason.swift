// What revert data says: the chain of named errors from the outermost to the innermost, and what a relayer does about
// it (6.6 of the off-chain specification).

import Ethereum

/// One error by name, with its arguments when they decode: inner data may have been cut by the OffRamp.
package struct NamedError: Hashable, Sendable, CustomStringConvertible {
    package let name: String
    package let signature: String
    /// Nil when the data behind the selector is cut or is not what the signature says.
    package let arguments: [ABIValue]?
    package let data: Bytes

    package var description: String {
        guard let arguments else { return "\(name)(\(Hex.encode(data.dropFirst(4))) cut)" }
        return "\(name)(\(arguments.map(Self.text).joined(separator: ", ")))"
    }

    private static func text(_ value: ABIValue) -> String {
        switch value {
        case .uint(let number), .int(let number): number.decimal
        case .address(let address): address.checksummed
        case .bool(let flag): flag ? "true" : "false"
        case .bytes(let bytes): Hex.encode(bytes)
        case .string(let text): "\"\(text)\""
        case .array(let items), .tuple(let items):
            "[" + items.map { if case .uint(let n) = $0 { n.decimal } else { "..." } }.joined(separator: ", ") + "]"
        }
    }
}

package struct RevertReason: Hashable, Sendable, CustomStringConvertible {
    /// Outermost first; empty when the outermost is unknown or there is no data.
    package let errors: [NamedError]
    /// What could not be named: the whole data, or what the innermost named error wraps.
    package let rest: Bytes

    /// Never throws: anything can come back from a chain.
    package init(_ data: Bytes) {
        var errors: [NamedError] = []
        var rest = data.count > Limits.revertBytesMaximum ? Bytes(data.prefix(Limits.revertBytesMaximum)) : data
        while errors.count < Limits.revertDepthMaximum, rest.count >= 4,
            let definition = RevertTable.bySelector[Bytes(rest.prefix(4))]
        {
            let arguments = try? ABI.decode(Bytes(rest.dropFirst(4)), as: definition.inputs, .solidity)
            errors.append(
                NamedError(
                    name: definition.name, signature: definition.signature, arguments: arguments, data: rest))
            rest = RevertTable.inner(definition.name, arguments) ?? []
        }
        self.errors = errors
        self.rest = rest
    }

    /// The name of the outermost error; nil when unknown.
    package var name: String? { errors.first?.name }
    /// How to react to a transaction that failed this way.
    package var reaction: RevertClass { name.map(RevertClass.init(errorName:)) ?? .unknown }
    /// True when a message failed for want of gas that we should have given: our fault.
    package var isUnderGassed: Bool {
        errors.contains { RevertClass(errorName: $0.name) == .underGassed }
    }

    /// What to do about the innermost error that has advice: wrappers say less than what they wrap.
    package var advice: ErrorAdvice? { errors.reversed().lazy.compactMap { ErrorAdvice.of($0.name) }.first }

    package var description: String {
        let named = errors.map(\.description)
        if rest.isEmpty { return named.isEmpty ? "no revert data" : named.joined(separator: " <- ") }
        return (named + [Hex.encode(rest)]).joined(separator: " <- ")
    }
}

/// What a relayer does about an error of a transaction (6.6).
package enum RevertClass: String, Sendable, CaseIterable {
    /// Stop transmitting this instance and read the configuration again.
    case configuration
    /// Our mistake: alarm, and never send the same bytes again.
    case bug
    /// The deployment is on another chain now: stop the chain.
    case fatal
    /// Another report won, or this one is superseded: nothing to do.
    case benign
    /// A curse or a disabled lane: wait until it is lifted.
    case wait
    /// The root is not there: read the chain again, it may have been reorganised.
    case reorganisation
    /// Only seen while estimating: raise the gas limit.
    case simulation
    /// The arguments of a manual execution.
    case manual
    /// Inside a message: the receiver, a token or a pool reverted. A normal result, never retried.
    case inner
    /// Inside a message: the transaction carried too little gas. Our mistake, and the attempt is spent.
    case underGassed
    /// Signatures of RMN nodes.
    case rmn
    case unknown

    package var retry: CCIPError.Retry {
        switch self {
        case .simulation: .now
        case .wait, .reorganisation, .configuration, .unknown, .manual: .later
        case .bug, .fatal, .benign, .inner, .underGassed, .rmn: .never
        }
    }

    package init(errorName: String) {
        self =
            switch errorName {
            case "ConfigDigestMismatch", "UnauthorizedTransmitter", "UnauthorizedSigner", "CommitOnRampMismatch",
                "RootBlessingMismatch", "SourceChainNotEnabled", "UnauthorizedCaller":
                .configuration
            case "NonUniqueSignatures", "WrongNumberOfSignatures", "SignaturesOutOfRegistration",
                "WrongMessageLength", "InvalidRoot", "InvalidProof", "LeavesCannotBeEmpty", "EmptyReport",
                "EmptyBatch", "UnexpectedTokenData", "TokenDataMismatch", "InvalidMessageDestChainSelector",
                "SourceChainSelectorMismatch", "Panic":
                .bug
            case "ForkedChain": .fatal
            case "StaleCommitReport", "InvalidInterval", "RootAlreadyCommitted": .benign
            case "CursedByRMN", "BadARMSignal": .wait
            case "RootNotCommitted": .reorganisation
            case "InsufficientGasToCompleteTx": .simulation
            case "ManualExecutionNotYetEnabled", "ManualExecutionGasLimitMismatch",
                "InvalidManualExecutionGasLimit", "InvalidManualExecutionTokenGasOverride",
                "ManualExecutionGasAmountCountMismatch", "ExecutionError":
                .manual
            case "ReceiverError", "TokenHandlingError", "ReleaseOrMintBalanceMismatch", "NotACompatiblePool",
                "InvalidDataLength", "MessageValidationError", "Error":
                .inner
            case "NotEnoughGasForCall", "NoGasForCallExactCheck", "NoContract", "InsufficientGasForStaticCall":
                .underGassed
            case "ThresholdNotMet", "OutOfOrderSignatures", "UnexpectedSigner", "InvalidSignature", "ConfigNotSet":
                .rmn
            default: .unknown
            }
    }
}

/// The errors that have a name, for whoever lists them.
package enum ErrorCatalogue {
    /// Signatures with their selectors, in the order of annex C, tokens' errors behind them.
    package static var all: [(signature: String, name: String, selector: Bytes)] {
        (ErrorSignatures.all + ErrorSignatures.tokens).map { ABIFunction(constant: $0) }.map { ($0.signature, $0.name, $0.selector) }
    }
}

enum RevertTable {
    /// Looked up only, never iterated.
    static let bySelector: [Bytes: ABIFunction] = Dictionary(
        (ErrorSignatures.all + ErrorSignatures.tokens).map { ABIFunction(constant: $0) }.map { ($0.selector, $0) },
        uniquingKeysWith: { a, _ in a })

    /// The data of an error inside another.
    static func inner(_ name: String, _ arguments: [ABIValue]?) -> Bytes? {
        switch name {
        case "ReceiverError", "MessageValidationError": arguments?.first?.asBytes
        case "TokenHandlingError", "ExecutionError": arguments?.last?.asBytes
        case "InsufficientGasToCompleteTx": arguments?.first?.asBytes
        default: nil
        }
    }
}
