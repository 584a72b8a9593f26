// Configuration digests and the bytes that a configuration carries, against the vectors.

import Ethereum
import PriceStreams
import Testing

@Suite("Configurations against the vectors")
struct ConfigurationVectorTests {
    @Test("6 configuration digests of both contract families")
    func configDigests() throws {
        let vectors = try StreamsVector.list("configDigests")
        #expect(vectors.count == 6)
        var families: [StreamsConfigurationDigest.Family] = []
        for vector in vectors {
            let isConfigurator = vector["configId"] != nil
            let configuration = StreamsConfigurationDigest(
                family: isConfigurator ? .configurator : .verifier,
                identifier: try vector.hash(isConfigurator ? "configId" : "feedId"),
                sourceChainID: try vector.word("sourceChainId"), sourceAddress: try vector.address("sourceAddress"),
                configurationCount: try vector.u64("configCount"), signers: try vector.signers("signers"),
                offchainTransmitters: try vector.hashes("offchainTransmitters"),
                faulty: try #require(UInt8(exactly: try vector.u64("f"))),
                onchainConfiguration: try vector.bytes("onchainConfig"),
                offchainConfigurationVersion: try vector.u64("offchainConfigVersion"),
                offchainConfiguration: try vector.bytes("offchainConfig"))
            #expect(try configuration.digest == vector.hash("configDigest"))
            if isConfigurator { #expect(configuration.identifier == StreamsConfigurationDigest.identifier(donID: 42)) }
            families.append(configuration.family)

            var other = configuration
            other.signers.swapAt(0, 1)
            #expect(other.digest != configuration.digest, "the digest binds the order of the signers")
        }
        #expect(families == [.configurator, .configurator, .configurator, .configurator, .verifier, .verifier])
    }

    @Test("2 ids of signer sets of DestinationVerifier, whatever the order of the signers")
    func destinationVerifierConfigIds() throws {
        let vectors = try StreamsVector.list("destinationVerifierConfigIds")
        #expect(vectors.count == 2)
        for vector in vectors {
            let signers = try vector.signers("signers")
            let faulty = try #require(UInt8(exactly: try vector.u64("f")))
            #expect(try donConfigurationID(signers: signers, faulty: faulty) == vector.bytes("donConfigId"))
            #expect(try donConfigurationID(signers: signers.reversed(), faulty: faulty) == vector.bytes("donConfigId"))
            #expect(try signers.sorted() == vector.signers("sortedSigners"))
        }
    }

    @Test("2 on-chain configurations, with and without a predecessor")
    func onchainConfig() throws {
        let vectors = try StreamsVector.list("onchainConfig")
        #expect(vectors.count == 2)
        for vector in vectors {
            let predecessor = try vector.at("predecessorConfigDigest").asString.map { try Hash32(hex: $0) }
            let configuration = OnchainConfiguration(predecessor: predecessor)
            let encoded = try vector.bytes("encoded")
            #expect(configuration.encoded == encoded)
            #expect(try OnchainConfiguration(encoded: encoded) == configuration)
        }
        let bad: [Bytes] = [
            [], U256.one.bytes, U256(2 as UInt64).bytes + U256.zero.bytes, U256.one.bytes + U256.zero.bytes + [0],
        ]
        for bytes in bad {
            expectError(.malformedOnchainConfiguration, "\(bytes)") { () throws(PriceStreamsError) in
                _ = try OnchainConfiguration(encoded: bytes)
            }
        }
    }

    @Test("5 off-chain configurations encode and decode to the same bytes")
    func offchainConfig() throws {
        let vectors = try StreamsVector.list("offchainConfig")
        #expect(vectors.count == 5)
        for vector in vectors {
            let configuration = try OffchainConfiguration(
                protocolVersion: vector.u32("protocolVersion"),
                reportIntervalNanosecondsMinimum: vector.u64("defaultMinReportIntervalNanoseconds"),
                compressesObservations: #require(vector.at("enableObservationCompression").asBool as Bool?))
            let encoded = try vector.bytes("encoded")
            #expect(configuration.encoded == encoded)
            #expect(try OffchainConfiguration(encoded: encoded) == configuration)
        }
    }

    @Test(
        "an off-chain configuration in any other form is refused",
        arguments: [
            ("0x0801", "version 1 without an interval"), ("0x1001", "an interval with version 0"),
            ("0x08021001", "an unknown version"), ("0x10010801", "out of order"), ("0x080108011001", "twice"),
            ("0x0800", "a default written out"), ("0x0881001001", "a padded number"),
            ("0x08011001180200", "trailing bytes"),
            ("0x080110011802", "no truth value"), ("0x0801100120ff01", "an unknown field"), ("0x08", "cut off"),
            ("0x080110ffffffffffffffffff02", "more than 64 bits"), ("0x0801108080808080808080808001", "eleven bytes"),
            ("0x08ffffffff1f1001", "a version above 32 bits"), ("0x010203", "the bytes of another plugin"),
        ])
    func hostileOffchainConfig(hex: String, what: String) throws {
        let bytes = try Hex.decode(hex)
        expectError(.malformedOffchainConfiguration, what) { () throws(PriceStreamsError) in
            _ = try OffchainConfiguration(encoded: bytes)
        }
    }

    @Test("the largest interval goes there and back")
    func largest() throws {
        let configuration = try OffchainConfiguration(
            protocolVersion: 1, reportIntervalNanosecondsMinimum: .max, compressesObservations: true)
        #expect(configuration.encoded.count == 15)
        #expect(try OffchainConfiguration(encoded: configuration.encoded) == configuration)
    }
}
