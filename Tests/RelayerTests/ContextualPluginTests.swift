// The shell around the commit plugin: the OffRamp's digest and the base of sequence numbers, seen by nobody inside.

import Agreement
import OffchainReporting
import Testing

@testable import Relayer

@Suite("Report contexts")
struct ContextualPluginTests {
    /// Records what it is asked, and answers with it.
    struct Echo: ReportingPlugin {
        var transmitsSignatures: Bool { true }
        func validateObservation(_ observation: AttributedObservation, in context: RoundContext) throws {
            guard observation.observation.first == 0x0b else { throw ContextualPlugin.Refusal(description: "inner") }
        }
        func observationQuorum(_ observations: [AttributedObservation], in context: RoundContext) -> Bool {
            observations.count >= 3
        }
        func outcome(_ observations: [AttributedObservation], in context: RoundContext) throws -> [UInt8] {
            context.previousOutcome + [UInt8(context.sequenceNumber)] + observations.flatMap(\.observation)
        }
        func reports(sequenceNumber: UInt64, outcome: [UInt8]) throws -> [Report] { [Report(bytes: outcome, metadata: [7])] }
        func attestationDigest(of report: Report, sequenceNumber: UInt64, configurationDigest: Digest) -> Digest {
            let text = contextBytes(sequenceNumber) + report.metadata + [UInt8](configurationDigest.bytes.prefix(8))
            return Digest(text + [UInt8](repeating: 0, count: 32 - text.count)) ?? .zero
        }
        func continues(after outcome: [UInt8]) -> Bool { outcome.count == 1 }
    }

    let onChain: Digest
    let plugin: ContextualPlugin

    init() throws {
        onChain = try #require(Digest([UInt8](repeating: 0xaa, count: 32)))
        plugin = ContextualPlugin(inner: Echo(), onChainDigest: onChain, faulty: 1)
    }

    func observation(_ observer: Int, _ latest: UInt64?) -> AttributedObservation {
        AttributedObservation(observer: observer, observation: ContextualObservation(latest: latest, inner: [0x0b]).encoded)
    }

    func context(_ number: UInt64, _ previous: [UInt8]) -> RoundContext {
        RoundContext(sequenceNumber: number, previousOutcome: previous, query: [])
    }

    @Test("the base is the median of 2F+1 values, agreed on once, and what is inside goes on unchanged")
    func base() throws {
        let first = try plugin.outcome(
            [observation(0, 40), observation(1, 41), observation(2, 1 << 60)], in: context(1, []))
        #expect(ContextualOutcome(encoded: first) == ContextualOutcome(base: 41, inner: [1, 0x0b, 0x0b, 0x0b]))
        let second = try plugin.outcome([observation(0, nil), observation(1, nil), observation(2, nil)], in: context(2, first))
        #expect(
            ContextualOutcome(encoded: second)
                == ContextualOutcome(base: 41, inner: [1, 0x0b, 0x0b, 0x0b, 2, 0x0b, 0x0b, 0x0b]))
    }

    @Test("without 2F+1 values nothing is agreed on, no report is made, and the next round follows at once")
    func noBase() throws {
        let outcome = try plugin.outcome([observation(0, 40), observation(1, nil), observation(2, 41)], in: context(1, []))
        #expect(outcome.isEmpty && plugin.continues(after: outcome))
        #expect(try plugin.reports(sequenceNumber: 1, outcome: outcome).isEmpty)
        let next = try plugin.outcome([observation(0, 40), observation(1, 40), observation(2, 41)], in: context(2, outcome))
        #expect(ContextualOutcome(encoded: next)?.base == 40)
    }

    @Test("one liar cannot move the base beyond what honest oracles say", arguments: [0, 7, 1 << 62] as [UInt64])
    func liar(_ lie: UInt64) throws {
        let outcome = try plugin.outcome(
            [observation(0, 40), observation(1, lie), observation(2, 41), observation(3, 42)], in: context(1, []))
        let base = try #require(ContextualOutcome(encoded: outcome)?.base)
        #expect((40...42).contains(base))
    }

    @Test("reports are attested for the contract's digest and above its last sequence number")
    func attestation() throws {
        let outcome = ContextualOutcome(base: 1_000, inner: [9]).encoded
        let report = try #require(try plugin.reports(sequenceNumber: 5, outcome: outcome).first)
        #expect(report.bytes == [9])
        let other = try #require(Digest([UInt8](repeating: 0xbb, count: 32)))
        let digest = plugin.attestationDigest(of: report, sequenceNumber: 5, configurationDigest: other)
        let expected: [UInt8] = contextBytes(1_005) + [7] + [UInt8](repeating: 0xaa, count: 8)
        #expect([UInt8](digest.bytes.prefix(17)) == expected)
        let base = ContextBase()
        base.set(1_000)
        #expect(base.relative(1_005) == 5 && base.relative(1_000) == 0 && base.relative(3) == 0)
    }

    @Test("observations with a base at the wrong time, an impossible one or no header are refused")
    func refusals() throws {
        let outcome = ContextualOutcome(base: 1, inner: []).encoded
        try plugin.validateObservation(observation(0, 3), in: context(1, []))
        try plugin.validateObservation(observation(0, nil), in: context(2, outcome))
        #expect(throws: ContextualPlugin.Refusal.self) {
            try plugin.validateObservation(observation(0, 3), in: context(2, outcome))
        }
        #expect(throws: ContextualPlugin.Refusal.self) {
            try plugin.validateObservation(observation(0, (1 << 62) + 1), in: context(1, []))
        }
        for bytes in [[], [2, 0x0b], [1, 0, 0], [0]] as [[UInt8]] {
            #expect(throws: ContextualPlugin.Refusal.self) {
                try plugin.validateObservation(AttributedObservation(observer: 0, observation: bytes), in: context(1, []))
            }
        }
    }

    @Test("codecs turn round, and refuse what they do not write")
    func codecs() {
        for latest in [nil, 0, 1, UInt64.max] as [UInt64?] {
            let value = ContextualObservation(latest: latest, inner: [1, 2])
            #expect(ContextualObservation(encoded: value.encoded) == value)
        }
        let outcome = ContextualOutcome(base: .max - 1, inner: [3])
        #expect(ContextualOutcome(encoded: outcome.encoded) == outcome)
        #expect(ContextualOutcome(encoded: []) == nil && ContextualOutcome(encoded: [2] + outcome.encoded.dropFirst()) == nil)
    }

    @Test("peers with another cluster file are named once nothing has been heard for long enough")
    func census() {
        let census = ChannelCensus(now: 0)
        let names = ["a", "b", "c", "d"]
        func obstacle(_ now: UInt64) -> String? {
            census.obstacle([1], label: "commit/x", needed: 2, window: 100, names: names, now: now)
        }
        #expect(obstacle(99) == nil && obstacle(100) == "commit/x: 0 of 2 needed peers answer")
        census.heard([1], from: 1, now: 90)
        census.unknown(from: 2, now: 90)
        census.unknown(from: 3, now: 90)
        #expect(obstacle(120)?.contains("1 of 2 needed peers answer; c, d speak of another configuration") == true)
        census.heard([1], from: 0, now: 110)
        #expect(obstacle(120) == nil && census.unknownMessages == 2)
        #expect(obstacle(195)?.contains("1 of 2") == true)
    }
}
