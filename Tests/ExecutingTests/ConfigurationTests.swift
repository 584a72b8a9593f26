// Configurations that must be refused, and the sizes handed to the reporting instance.

import CCIP
import Ethereum
import OffchainReporting
import Testing

@testable import Executing

@Suite("Execute configuration")
struct ConfigurationTests {
    @Test("a sound configuration is taken, and its sizes suit a reporting instance")
    func sound() throws {
        let configuration = try configuration()
        #expect(configuration.sizes.observation == configuration.limits.observationBytesMaximum)
        #expect(configuration.sizes.outcome <= OffchainReporting.Limits.outcomeBytesMaximum)
        #expect(configuration.sizes.reportsPerOutcome == 1)
        #expect(configuration.sources.map(\.selector) == [sourceA, sourceB].sorted())
    }

    @Test(
        "a configuration that no cluster can run is refused by name",
        arguments: [
            "oracles", "faulty", "readers", "unsorted", "unknownReader", "destinationIsSource", "twice", "gas",
            "report", "observation", "outcome", "reports",
        ])
    func refused(_ fault: String) {
        var limits = ExecuteLimits()
        var oracles = 4
        var chain = ChainReaders(selector: destination, readers: [0, 1, 2, 3], faulty: 1)
        var sources = [ChainReaders(selector: sourceA, readers: [0, 1, 2, 3], faulty: 1)]
        switch fault {
        case "oracles": oracles = 5
        case "faulty": sources[0].faulty = 0
        case "readers": chain.readers = [0, 1, 2]
        case "unsorted": chain.readers = [1, 0, 2, 3]
        case "unknownReader": chain.readers = [0, 1, 2, 4]
        case "destinationIsSource": sources[0].selector = destination
        case "twice": sources.append(sources[0])
        case "gas": limits.transactionGasMaximum = limits.batchGasLimit - 1
        case "report": limits.reportBytesMaximum = 100
        case "observation": limits.observationBytesMaximum = 100_000
        case "outcome":
            limits.reportsPerOutcome = 50
            limits.reportBytesMaximum = 1 << 20
        default: limits.reportsPerOutcome = 0
        }
        let error = #expect(throws: ExecutingError.self) {
            try ExecuteConfiguration(
                oracleCount: oracles, faulty: 1, destination: chain, sources: sources, configurationDigest: testDigest,
                limits: limits)
        }
        #expect(error?.code == .badConfiguration, "\(fault)")
    }
}
