// What is fixed for an execute instance: who reads which chain, and the limits of its reports (1.2, 4.13, 8.3 of the
// off-chain specification). Part of the configuration digest; no value here may come from a chain at run time.

import CCIP
import Ethereum
import OffchainReporting

/// Who reads a chain, and how many of them may lie.
package struct ChainReaders: Hashable, Sendable {
    package var selector: ChainSelector
    /// Oracle indices, ascending.
    package var readers: [Int]
    /// FChain of this chain.
    package var faulty: Int

    package init(selector: ChainSelector, readers: [Int], faulty: Int) {
        self.selector = selector
        self.readers = readers
        self.faulty = faulty
    }
}

/// Bounds of execution reports (4.8, 4.9, 8.3).
package struct ExecuteLimits: Hashable, Sendable {
    /// Sum of the message gas of 4.9 in one report.
    package var batchGasLimit: UInt64 = 6_500_000
    /// The gas limit of the transaction, as `ExecutionGasPlan` computes it: below the block's and, where the chain has
    /// one, below the protocol's limit of a transaction.
    package var transactionGasMaximum: UInt64 = 16_000_000
    /// Bytes of `abi.encode(ExecutionReport[])`: the pools of Ethereum nodes refuse transactions above 128 KiB.
    package var reportBytesMaximum = 120_000
    /// 0: no limit besides those of the tree.
    package var reportMessagesMaximum = 0
    /// Single-chain reports in one report; 0: no limit.
    package var singleChainReportsMaximum = 0
    /// Reports of one outcome. Only the first may hold ordered messages: reports land in any order (4.8).
    package var reportsPerOutcome = 1
    /// Encoded observation. Half of it is for full messages, 4.4.
    package var observationBytesMaximum = 512 << 10

    package init() {}
}

/// Local waiting times; they decide only what this oracle observes.
package struct ExecuteDelays: Hashable, Sendable {
    /// Milliseconds for which a reported message is not observed again. Must exceed the transmission schedule plus
    /// inclusion, see 4.3.
    package var inflightExpiryMilliseconds: UInt64 = 60_000
    /// Milliseconds for which a root is left alone whose messages are all executed, but not yet finally.
    package var rootSnoozeMilliseconds: UInt64 = 300_000
    /// Destination seconds: older roots are left to manual execution.
    package var visibilitySeconds: UInt64 = 8 * 3_600
    /// Milliseconds that a message waits whose receiver fails in simulation: there is one attempt. 0 turns it off.
    package var failingReceiverMilliseconds: UInt64 = 0

    package init() {}
}

package struct ExecuteConfiguration: Hashable, Sendable {
    /// N and F of the role DON.
    package let oracleCount: Int
    package let faulty: Int
    package let destination: ChainReaders
    /// Ascending by selector.
    package let sources: [ChainReaders]
    package let limits: ExecuteLimits
    package let delays: ExecuteDelays
    /// Digest that the OffRamp must have installed for this instance (plugin type 1).
    package let configurationDigest: Hash32
    /// Tokens that need off-chain data.
    package let tokenData: TokenDataRules

    /// Throws `badConfiguration` naming the value.
    package init(
        oracleCount: Int, faulty: Int, destination: ChainReaders, sources: [ChainReaders],
        configurationDigest: Hash32, limits: ExecuteLimits = ExecuteLimits(), delays: ExecuteDelays = ExecuteDelays(),
        tokenData: TokenDataRules = TokenDataRules()
    ) throws(ExecutingError) {
        self.oracleCount = oracleCount
        self.faulty = faulty
        self.destination = destination
        self.sources = sources.sorted { $0.selector < $1.selector }
        self.configurationDigest = configurationDigest
        self.limits = limits
        self.delays = delays
        self.tokenData = tokenData
        try validateRoles()
        try validateLimits()
    }

    package func source(_ selector: ChainSelector) -> ChainReaders? { sources.first { $0.selector == selector } }
    package func readsDestination(_ oracle: Int) -> Bool { destination.readers.contains(oracle) }
    package func reads(_ oracle: Int, _ selector: ChainSelector) -> Bool {
        source(selector)?.readers.contains(oracle) ?? false
    }

    /// What the reporting instance must allow.
    package var sizes: SizeLimits {
        var sizes = SizeLimits()
        sizes.query = 0
        sizes.observation = limits.observationBytesMaximum
        sizes.report = limits.reportBytesMaximum
        sizes.reportsPerOutcome = limits.reportsPerOutcome
        sizes.outcome = ExecuteOutcome.bytesMaximum(limits)
        return sizes
    }

    /// What oracles must have alike, for whoever computes the digest of the instance (2.4, 3.12). The delays are not part
    /// of it: they decide only what this oracle observes.
    package var canonicalBytes: Bytes {
        var writer = CanonicalWriter()
        writer.byte(1)
        writer.u32(UInt32(oracleCount))
        writer.u32(UInt32(faulty))
        writer.list([destination] + sources) { writer, chain in
            writer.selector(chain.selector)
            writer.u32(UInt32(chain.faulty))
            writer.list(chain.readers) { $0.u32(UInt32($1)) }
        }
        writer.hash(configurationDigest)
        writer.u64(limits.batchGasLimit)
        writer.u64(limits.transactionGasMaximum)
        for value in [
            limits.reportBytesMaximum, limits.reportMessagesMaximum, limits.singleChainReportsMaximum,
            limits.reportsPerOutcome, limits.observationBytesMaximum,
        ] { writer.u64(UInt64(value)) }
        tokenData.write(to: &writer)
        return writer.bytes
    }

    private func validateRoles() throws(ExecutingError) {
        guard faulty >= 1, oracleCount == 3 * faulty + 1, oracleCount <= Limits.oraclesMaximum else {
            throw bad("N = \(oracleCount), F = \(faulty)", "N must be 3F+1, at most \(Limits.oraclesMaximum)")
        }
        guard !sources.isEmpty, sources.count <= Limits.sourcesMaximum else {
            throw bad("\(sources.count) sources", "1 to \(Limits.sourcesMaximum)")
        }
        for (a, b) in zip(sources, sources.dropFirst()) where a.selector == b.selector {
            throw bad("source \(a.selector) twice", "name each source once")
        }
        for chain in [destination] + sources { try validate(chain) }
        guard !sources.contains(where: { $0.selector == destination.selector }) else {
            throw bad("\(destination.selector) is source and destination", "a lane joins two chains")
        }
    }

    private func validate(_ chain: ChainReaders) throws(ExecutingError) {
        let ascending = zip(chain.readers, chain.readers.dropFirst()).allSatisfy { $0 < $1 }
        guard ascending, chain.readers.allSatisfy((0..<oracleCount).contains) else {
            throw bad("readers \(chain.readers) of chain \(chain.selector)", "oracle indices, ascending, each once")
        }
        guard chain.faulty >= 1, chain.faulty <= faulty, chain.readers.count >= 3 * chain.faulty + 1 else {
            throw bad(
                "chain \(chain.selector): \(chain.readers.count) readers, FChain \(chain.faulty)",
                "at least 3 FChain + 1 readers, 1 <= FChain <= F")
        }
    }

    private func validateLimits() throws(ExecutingError) {
        guard limits.batchGasLimit >= 500_000, limits.transactionGasMaximum >= limits.batchGasLimit else {
            throw bad(
                "batchGasLimit \(limits.batchGasLimit), transactionGasMaximum \(limits.transactionGasMaximum)",
                "one message must fit, and a transaction must hold a batch")
        }
        guard (2_000...Limits.outcomeBytesMaximum).contains(limits.reportBytesMaximum) else {
            throw bad("reportBytesMaximum \(limits.reportBytesMaximum)", "2,000 to \(Limits.outcomeBytesMaximum)")
        }
        guard (1...Limits.reportsPerOutcomeMaximum).contains(limits.reportsPerOutcome) else {
            throw bad("reportsPerOutcome \(limits.reportsPerOutcome)", "1 to \(Limits.reportsPerOutcomeMaximum)")
        }
        guard limits.reportMessagesMaximum >= 0, limits.singleChainReportsMaximum >= 0 else {
            throw bad("a negative count", "0 means no limit")
        }
        // One largest message with the leaves of its root must fit into the half kept for messages (4.4).
        let smallest = 2 * (Limits.messageBytesMaximum + 32 * CCIP.Limits.treeLeavesMaximum)
        guard (smallest...Limits.observationBytesMaximum).contains(limits.observationBytesMaximum) else {
            throw bad(
                "observationBytesMaximum \(limits.observationBytesMaximum)",
                "\(smallest) to \(Limits.observationBytesMaximum)")
        }
        guard ExecuteOutcome.bytesMaximum(limits) <= Limits.outcomeBytesMaximum else {
            throw bad(
                "\(limits.reportsPerOutcome) reports of \(limits.reportBytesMaximum) bytes",
                "all reports of an outcome must fit into \(Limits.outcomeBytesMaximum) bytes")
        }
    }

    private func bad(_ what: String, _ rule: String) -> ExecutingError {
        ExecutingError(.badConfiguration, what, hint: rule)
    }
}
