// What a Configurator says in its logs, and what its owner tells it (5.6 of the price specification). It has no view of
// its state: who wants to know it reads the logs in their order.

import Ethereum

/// One configuration as the contract registered it.
package struct RegisteredConfiguration: Hashable, Sendable {
    package let digest: Hash32
    /// Configurations of this DON up to this one.
    package let count: UInt64
    /// Empty when one of them is no account: nothing that such oracles sign can be checked.
    package let signers: [Address]
    package let faulty: UInt8
    /// From which it takes over; nil for one that begins in production.
    package let predecessor: Hash32?

    package init(digest: Hash32, count: UInt64, signers: [Address], faulty: UInt8, predecessor: Hash32?) {
        self.digest = digest
        self.count = count
        self.signers = signers
        self.faulty = faulty
        self.predecessor = predecessor
    }

    /// Nil for what no verifier takes.
    package func oracleSet(donID: UInt32) -> OracleSet? {
        try? OracleSet(digest: digest, faulty: Int(faulty), signers: signers, donID: donID)
    }
}

package enum ConfiguratorEvent: Hashable, Sendable {
    /// In place of whatever was in production: coverage has a gap then.
    case production(RegisteredConfiguration)
    /// What shall follow, in place of an earlier one.
    case staging(RegisteredConfiguration)
    /// The staged configuration is in production now, and this one is to retire.
    case promoted(retired: Hash32)
}

/// The contract's interface, as far as it is used here.
package enum ConfiguratorInterface {
    private static let configuration = "bytes32,uint32,bytes32,uint64,bytes[],bytes32[],uint8,bytes,uint64,bytes,bool"

    package static let productionSet = event("ProductionConfigSet(\(configuration))", indexed: [0])
    package static let stagingSet = event("StagingConfigSet(\(configuration))", indexed: [0])
    package static let promoted = event("PromoteStagingConfig(bytes32,bytes32,bool)", indexed: [0, 1])
    package static let topics = [productionSet.topic, stagingSet.topic, promoted.topic]

    package static let setProductionConfig = function("setProductionConfig")
    package static let setStagingConfig = function("setStagingConfig")
    package static let promoteStagingConfig = named("promoteStagingConfig(bytes32,bool)")
    /// At the Verifier: lets reports under a digest pass.
    package static let setVerifierConfig = named("setConfig(bytes32,address[],uint8,(address,uint64)[])")

    private static func function(_ name: String) -> ABIFunction {
        named("\(name)(bytes32,bytes[],bytes32[],uint8,bytes,uint64,bytes)")
    }

    private static func named(_ signature: String) -> ABIFunction {
        do { return try ABIFunction(signature) } catch { preconditionFailure("\(signature): \(error)") }
    }

    private static func event(_ signature: String, indexed: Set<Int>) -> ABIEvent {
        do { return try ABIEvent(signature, indexed: indexed) } catch { preconditionFailure("\(signature): \(error)") }
    }
}

extension ConfiguratorEvent {
    /// Nil for a log of another DON or of another kind. Throws `malformedConfiguratorLog`.
    package init?(topics: [Hash32], data: Bytes, donID: UInt32) throws(PriceStreamsError) {
        guard topics.count > 1, ConfiguratorInterface.topics.contains(topics[0]),
            topics[1] == StreamsConfigurationDigest.identifier(donID: donID)
        else { return nil }
        switch topics[0] {
        case ConfiguratorInterface.promoted.topic:
            let values = try Self.values(ConfiguratorInterface.promoted, topics, data)
            guard let retired = values[1].asHash32 else { throw Self.malformed("no digest") }
            self = .promoted(retired: retired)
        case ConfiguratorInterface.productionSet.topic:
            self = .production(try Self.configuration(ConfiguratorInterface.productionSet, topics, data))
        default: self = .staging(try Self.configuration(ConfiguratorInterface.stagingSet, topics, data))
        }
    }

    private static func configuration(
        _ event: ABIEvent, _ topics: [Hash32], _ data: Bytes
    ) throws(PriceStreamsError) -> RegisteredConfiguration {
        let values = try Self.values(event, topics, data)
        guard let digest = values[2].asHash32, let count = values[3].asUInt64, let keys = values[4].asList,
            let faulty = values[6].asUInt64.flatMap(UInt8.init(exactly:)), let onchain = values[7].asBytes,
            onchain.count >= 64, let predecessor = Hash32(bytes: onchain[32..<64])
        else { throw malformed("a configuration of another form") }
        // A longer on-chain configuration is a later version's; the first two words mean what they always do.
        let signers = keys.compactMap { $0.asBytes.flatMap { Address(bytes: $0) } }
        return RegisteredConfiguration(
            digest: digest, count: count, signers: signers.count == keys.count ? signers : [], faulty: faulty,
            predecessor: predecessor.isZero ? nil : predecessor)
    }

    private static func values(
        _ event: ABIEvent, _ topics: [Hash32], _ data: Bytes
    ) throws(PriceStreamsError) -> [ABIValue] {
        do { return try event.decode(topics: topics, data: data) } catch { throw malformed(error.message) }
    }

    private static func malformed(_ why: String) -> PriceStreamsError {
        PriceStreamsError(
            .malformedConfiguratorLog, "a log of the Configurator: \(why)",
            hint: "don.configurator.address names a contract that is no Configurator 0.5")
    }
}

extension PriceStreamsError.Code {
    package static let malformedConfiguratorLog = Self(rawValue: "malformedConfiguratorLog")
    package static let malformedHandover = Self(rawValue: "malformedHandover")
}

extension DONConfiguration {
    private func arguments() throws(PriceStreamsError) -> [ABIValue] {
        [
            .hash(StreamsConfigurationDigest.identifier(donID: donID)),
            .array(oracles.map { .bytes($0.signer.bytes) }), .array(oracles.map { .hash($0.offchainPublicKey) }),
            .uint(UInt64(faulty)), .bytes(OnchainConfiguration(predecessor: predecessor).encoded), .uint(UInt64(1)),
            .bytes(try offchainConfigurationBytes()),
        ]
    }

    /// Call data that registers this configuration: in production when it has no predecessor, else staged.
    package func registration() throws(PriceStreamsError) -> Bytes {
        let function =
            predecessor == nil ? ConfiguratorInterface.setProductionConfig : ConfiguratorInterface.setStagingConfig
        let values = try arguments()
        do { return try function.encodeCall(values) } catch {
            preconditionFailure("typed values fit their types: \(error)")
        }
    }

    /// Call data that lets a Verifier take reports of this configuration.
    package func verifierRegistration() throws(PriceStreamsError) -> Bytes {
        let digest = try digest()
        let values: [ABIValue] = [
            .hash(digest), .array(oracles.map { .address($0.signer) }), .uint(UInt64(faulty)), .array([]),
        ]
        do { return try ConfiguratorInterface.setVerifierConfig.encodeCall(values) } catch {
            preconditionFailure("typed values fit their types: \(error)")
        }
    }
}
