// Configurations and states as the contracts answer them.

import Ethereum

/// `OffRamp.getSourceChainConfig`; all zero for an unknown source (section 11).
package struct SourceChainConfig: Hashable, Sendable {
    package var router: Address
    package var isEnabled: Bool
    /// The next sequence number that a commit must begin with.
    package var minSequenceNumber: SequenceNumber
    package var isRMNVerificationDisabled: Bool
    /// Byte for byte: 32 bytes for EVM sources.
    package var onRamp: Bytes

    package init(
        router: Address, isEnabled: Bool, minSequenceNumber: SequenceNumber, isRMNVerificationDisabled: Bool,
        onRamp: Bytes
    ) {
        self.router = router
        self.isEnabled = isEnabled
        self.minSequenceNumber = minSequenceNumber
        self.isRMNVerificationDisabled = isRMNVerificationDisabled
        self.onRamp = onRamp
    }

    /// A lane that commits may use: enabled and complete (3.3.1). Whether its roots need signatures of RMN nodes is
    /// another question, see `requiresBlessing`.
    package var isLive: Bool {
        isEnabled && !router.isZero && minSequenceNumber.rawValue >= 1 && onRamp.contains { $0 != 0 }
    }

    /// Roots of this source belong into the blessed list, under signatures of RMN nodes (17.2); else into the other
    /// one. The contract refuses the wrong list: `RootBlessingMismatch`.
    package var requiresBlessing: Bool { !isRMNVerificationDisabled }

    /// The OnRamp as an account; nil for a source that is no EVM chain.
    package var onRampAddress: Address? { Address(word: onRamp) }

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(
            router: try fields.address(), isEnabled: try fields.bool(), minSequenceNumber: try fields.sequenceNumber(),
            isRMNVerificationDisabled: try fields.bool(), onRamp: try fields.bytes())
    }
}

package struct OffRampStaticConfig: Hashable, Sendable {
    package let chainSelector: ChainSelector
    package let gasForCallExactCheck: UInt16
    package let rmnRemote: Address
    package let tokenAdminRegistry: Address
    package let nonceManager: Address

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        chainSelector = try fields.selector()
        gasForCallExactCheck = try fields.uint16()
        rmnRemote = try fields.address()
        tokenAdminRegistry = try fields.address()
        nonceManager = try fields.address()
    }
}

package struct OffRampDynamicConfig: Hashable, Sendable {
    package let feeQuoter: Address
    package let permissionLessExecutionThresholdSeconds: UInt32
    package let messageInterceptor: Address

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        feeQuoter = try fields.address()
        permissionLessExecutionThresholdSeconds = try fields.uint32()
        messageInterceptor = try fields.address()
    }
}

/// `OffRamp.latestConfigDetails` (10.1).
package struct OCRConfigDetails: Hashable, Sendable {
    package let configurationDigest: Hash32
    package let faulty: UInt8
    package let count: UInt8
    package let isSignatureVerificationEnabled: Bool
    package let signers: [Address]
    package let transmitters: [Address]

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var outer = try cursor.tuple()
        var info = try outer.tuple()
        configurationDigest = try info.hash()
        faulty = try info.uint8()
        count = try info.uint8()
        isSignatureVerificationEnabled = try info.bool()
        signers = try outer.array { item throws(CCIPError) in try item.address() }
        transmitters = try outer.array { item throws(CCIPError) in try item.address() }
    }
}

/// `RMNRemote.getVersionedConfig` (17.1). Version 0: nobody has configured it, or it is RMN 2.1.0, which verifies
/// nothing.
package struct RMNVersionedConfig: Hashable, Sendable {
    package struct Signer: Hashable, Sendable {
        package let address: Address
        package let nodeIndex: UInt64

        package init(address: Address, nodeIndex: UInt64) {
            self.address = address
            self.nodeIndex = nodeIndex
        }
    }

    package let version: UInt32
    package let homeDigest: Hash32
    /// Ascending by node index.
    package let signers: [Signer]
    /// More than so many signatures are needed.
    package let faultySigners: UInt64

    package init(version: UInt32, homeDigest: Hash32, signers: [Signer], faultySigners: UInt64) {
        self.version = version
        self.homeDigest = homeDigest
        self.signers = signers
        self.faultySigners = faultySigners
    }

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        version = try cursor.uint32()
        var fields = try cursor.tuple()
        homeDigest = try fields.hash()
        signers = try fields.array { item throws(CCIPError) in
            var signer = try item.tuple()
            return Signer(address: try signer.address(), nodeIndex: try signer.uint64())
        }
        faultySigners = try fields.uint64()
    }
}

package struct OnRampStaticConfig: Hashable, Sendable {
    package let chainSelector: ChainSelector
    package let rmnRemote: Address
    package let nonceManager: Address
    package let tokenAdminRegistry: Address

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        chainSelector = try fields.selector()
        rmnRemote = try fields.address()
        nonceManager = try fields.address()
        tokenAdminRegistry = try fields.address()
    }
}

package struct OnRampDynamicConfig: Hashable, Sendable {
    package let feeQuoter: Address
    package let reentrancyGuardEntered: Bool
    package let messageInterceptor: Address
    package let feeAggregator: Address
    package let allowlistAdmin: Address

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        feeQuoter = try fields.address()
        reentrancyGuardEntered = try fields.bool()
        messageInterceptor = try fields.address()
        feeAggregator = try fields.address()
        allowlistAdmin = try fields.address()
    }
}

/// `OnRamp.getDestChainConfig`.
package struct OnRampDestination: Hashable, Sendable {
    /// Of the newest message; 0 before the first.
    package let sequenceNumber: SequenceNumber
    package let allowlistEnabled: Bool
    package let router: Address
}

/// A price of the FeeQuoter and when it was written, in seconds of the chain's clock; 0: never.
package struct TimestampedPrice: Hashable, Sendable {
    package var value: UInt224
    package var timestamp: UInt32

    package init(value: UInt224, timestamp: UInt32) {
        self.value = value
        self.timestamp = timestamp
    }

    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init(value: try fields.uint224(), timestamp: try fields.uint32())
    }
}

extension DestinationChainConfig {
    init(_ cursor: inout ABICursor) throws(CCIPError) {
        var fields = try cursor.tuple()
        self.init()
        isEnabled = try fields.bool()
        maxNumberOfTokensPerMessage = try fields.uint16()
        maxDataBytes = try fields.uint32()
        maxPerMessageGasLimit = try fields.uint32()
        destinationGasOverhead = try fields.uint32()
        destinationGasPerPayloadByteBase = try fields.uint8()
        destinationGasPerPayloadByteHigh = try fields.uint8()
        destinationGasPerPayloadByteThreshold = try fields.uint16()
        dataAvailabilityOverheadGas = try fields.uint32()
        gasPerDataAvailabilityByte = try fields.uint16()
        dataAvailabilityMultiplierBps = try fields.uint16()
        chainFamilySelector = try fields.bytes()
        enforceOutOfOrder = try fields.bool()
        defaultTokenFeeUSDCents = try fields.uint16()
        defaultTokenDestinationGasOverhead = try fields.uint32()
        defaultTransactionGasLimit = try fields.uint32()
        gasMultiplierWeiPerEth = try fields.uint64()
        gasPriceStalenessThreshold = try fields.uint32()
        networkFeeUSDCents = try fields.uint32()
    }

    /// In the contract's order, for `applyDestChainConfigUpdates`.
    package var abi: ABIValue {
        .tuple([
            .bool(isEnabled), .uint(UInt64(maxNumberOfTokensPerMessage)), .uint(UInt64(maxDataBytes)),
            .uint(UInt64(maxPerMessageGasLimit)), .uint(UInt64(destinationGasOverhead)),
            .uint(UInt64(destinationGasPerPayloadByteBase)), .uint(UInt64(destinationGasPerPayloadByteHigh)),
            .uint(UInt64(destinationGasPerPayloadByteThreshold)), .uint(UInt64(dataAvailabilityOverheadGas)),
            .uint(UInt64(gasPerDataAvailabilityByte)), .uint(UInt64(dataAvailabilityMultiplierBps)),
            .bytes(chainFamilySelector), .bool(enforceOutOfOrder), .uint(UInt64(defaultTokenFeeUSDCents)),
            .uint(UInt64(defaultTokenDestinationGasOverhead)), .uint(UInt64(defaultTransactionGasLimit)),
            .uint(gasMultiplierWeiPerEth), .uint(UInt64(gasPriceStalenessThreshold)),
            .uint(UInt64(networkFeeUSDCents)),
        ])
    }
}
