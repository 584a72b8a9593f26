// What names a DON of ours in every report and in the Verifier contracts: its oracles, fault bound, cadence and the rules of
// its streams. Whoever starts a DON and whoever runs in it must come to the same digest, so it is computed here only.

import Ethereum

package struct DONConfiguration: Sendable {
    package struct Oracle: Hashable, Sendable {
        /// secp256k1: signs reports.
        package var signer: Address
        /// Ed25519: signs observations and votes.
        package var offchainPublicKey: Hash32

        package init(signer: Address, offchainPublicKey: Hash32) {
            self.signer = signer
            self.offchainPublicKey = offchainPublicKey
        }
    }

    package var donID: UInt32
    /// Where the configuration is registered.
    package var chainID: UInt64
    package var address: Address
    package var count: UInt64
    package var oracles: [Oracle]
    package var faulty: UInt8
    package var predecessor: Hash32?
    package var reportIntervalNanosecondsMinimum: UInt64
    package var rules: StreamRules

    package init(
        donID: UInt32, chainID: UInt64, address: Address, count: UInt64, oracles: [Oracle], faulty: UInt8,
        predecessor: Hash32? = nil, reportIntervalNanosecondsMinimum: UInt64, rules: StreamRules
    ) {
        self.donID = donID
        self.chainID = chainID
        self.address = address
        self.count = count
        self.oracles = oracles
        self.faulty = faulty
        self.predecessor = predecessor
        self.reportIntervalNanosecondsMinimum = reportIntervalNanosecondsMinimum
        self.rules = rules
    }

    package func offchainConfiguration() throws(PriceStreamsError) -> OffchainConfiguration {
        try OffchainConfiguration(
            protocolVersion: 1, reportIntervalNanosecondsMinimum: reportIntervalNanosecondsMinimum,
            compressesObservations: false)
    }

    /// What the digest binds of the rules: the message of 3.3, and behind it the hash of everything else that changes a
    /// result, as a field that other readers skip. Oracles with other rules then have another digest, and never count
    /// rounds under one name.
    package func offchainConfigurationBytes() throws(PriceStreamsError) -> Bytes {
        let lengthDelimitedField15: UInt8 = 15 << 3 | 2
        return try offchainConfiguration().encoded + [lengthDelimitedField15, 32] + sha256(rules.encoded).bytes
    }

    /// The digest in every report and in the Verifier contract (3.3).
    package func digest() throws(PriceStreamsError) -> Hash32 {
        StreamsConfigurationDigest(
            family: .configurator, identifier: StreamsConfigurationDigest.identifier(donID: donID),
            sourceChainID: U256(chainID), sourceAddress: address, configurationCount: count,
            signers: oracles.map(\.signer), offchainTransmitters: oracles.map(\.offchainPublicKey), faulty: faulty,
            onchainConfiguration: OnchainConfiguration(predecessor: predecessor).encoded,
            offchainConfigurationVersion: 1, offchainConfiguration: try offchainConfigurationBytes()
        ).digest
    }
}
