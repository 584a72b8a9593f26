// The names of configurations: digests of both contract families and the id of v0.4 (3.3, 6.4 of the price
// specification).

import Ethereum

/// Everything that a configuration digest binds. Change any of it and the digest is another.
package struct StreamsConfigurationDigest: Hashable, Sendable {
    /// Which contract computes it.
    package enum Family: UInt16, Sendable {
        /// Verifier v0.3.0: one configuration for each feed.
        case verifier = 0x0006
        /// Configurator v0.5.0: one for each DON.
        case configurator = 0x0009
    }

    package let family: Family
    /// The DON's id left-padded (`identifier(donID:)`), or the feed id.
    package var identifier: Hash32
    package var sourceChainID: U256
    package var sourceAddress: Address
    /// Begins at 1.
    package var configurationCount: UInt64
    package var signers: [Address]
    /// Ed25519 keys of the transmitters.
    package var offchainTransmitters: [Hash32]
    package var faulty: UInt8
    package var onchainConfiguration: Bytes
    package var offchainConfigurationVersion: UInt64
    package var offchainConfiguration: Bytes

    package init(
        family: Family, identifier: Hash32, sourceChainID: U256, sourceAddress: Address, configurationCount: UInt64,
        signers: [Address], offchainTransmitters: [Hash32], faulty: UInt8, onchainConfiguration: Bytes,
        offchainConfigurationVersion: UInt64, offchainConfiguration: Bytes
    ) {
        self.family = family
        self.identifier = identifier
        self.sourceChainID = sourceChainID
        self.sourceAddress = sourceAddress
        self.configurationCount = configurationCount
        self.signers = signers
        self.offchainTransmitters = offchainTransmitters
        self.faulty = faulty
        self.onchainConfiguration = onchainConfiguration
        self.offchainConfigurationVersion = offchainConfigurationVersion
        self.offchainConfiguration = offchainConfiguration
    }

    package static func identifier(donID: UInt32) -> Hash32 { Hash32(U256(UInt64(donID))) }

    /// The family's two bytes, then the last 30 of the hash.
    package var digest: Hash32 {
        let mask = U256.max >> 16
        return Hash32(U256(UInt64(family.rawValue)) << 240 | (keccak256(preimage).word & mask))
    }

    var preimage: Bytes {
        // The Configurator knows keys as byte strings, the old Verifier as addresses.
        let signerType: ABIType = family == .configurator ? .bytes : .address
        let keys: [ABIValue] = signers.map { family == .configurator ? .bytes($0.bytes) : .address($0) }
        let values: [ABIValue] = [
            .hash(identifier), .uint(sourceChainID), .address(sourceAddress), .uint(configurationCount),
            .array(keys), .array(offchainTransmitters.map { .hash($0) }), .uint(UInt64(faulty)),
            .bytes(onchainConfiguration), .uint(offchainConfigurationVersion), .bytes(offchainConfiguration),
        ]
        let types: [ABIType] = [
            .fixedBytes(32), .uint(256), .address, .uint(64), .array(signerType), .array(.fixedBytes(32)), .uint(8),
            .bytes, .uint(64), .bytes,
        ]
        do { return try ABI.encode(values, as: types) } catch {
            preconditionFailure("typed values fit their types: \(error)")
        }
    }
}

/// The id under which DestinationVerifier v0.4.0 keeps a signer set: 24 bytes. The order of the signers does not
/// matter.
package func donConfigurationID(signers: [Address], faulty: UInt8) -> Bytes {
    // encodePacked pads the elements of an array to words, and nothing else.
    let packed = signers.sorted().flatMap(\.abiWord) + [faulty]
    return Bytes(keccak256(packed).bytes.prefix(24))
}
