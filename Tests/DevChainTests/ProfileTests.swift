// The profiles that ship, every key with a value that holds and one that is refused, and what a wrong one is told.

import Configuration
import DevChain
import EVM
import Ethereum
import Foundation
import JSONRPC
import TestSupport
import Testing

@Suite("Profiles")
struct ProfileTests {
    static let folder = PackageRoot.url.appendingPathComponent("chains/profiles")

    /// A profile that ships.
    static func shipped(_ name: String, localnet: Bool = false) throws -> ChainProfile {
        let text = String(decoding: try Fixtures.bytes(folder.appendingPathComponent("\(name).yaml")), as: UTF8.self)
        return try ChainProfile(yaml: text, file: "\(name).yaml", localnet: localnet, artifact: artifact)
    }

    /// The code that the compiler's artifact says stands on a chain.
    static func artifact(_ name: String) -> Bytes? {
        let url = PackageRoot.url.appendingPathComponent("chains/artifacts/\(name).json")
        return (try? Fixtures.json(url)["deployedBytecode"]?.asString).flatMap { try? Hex.decode($0) }
    }

    /// The bench's profile with further lines.
    private func profile(_ lines: String, localnet: Bool = false) throws -> ChainProfile {
        let base = Bench.profileText.split(separator: "\n").filter { line in
            !lines.split(separator: "\n").contains { $0.prefix { $0 != ":" } == line.prefix { $0 != ":" } }
        }
        return try ChainProfile(
            yaml: base.joined(separator: "\n") + "\n" + lines, file: "bench.yaml", localnet: localnet,
            artifact: Self.artifact)
    }

    @Test("every profile that ships is valid at both paces, makes blocks, and is known by its file's name")
    func shipped() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
            .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }
        #expect(names.sorted() == ["any", "base", "ethereum", "jovay", "pharos"])
        for name in names.sorted() {
            for localnet in [false, true] {
                let profile = try Self.shipped(name, localnet: localnet)
                #expect(profile.name == name)
                var chain = Blockchain(.init(profile: profile, genesisTimestamp: 1))
                for second in 2..<200 as Range<UInt64> {
                    chain.mine(at: second)
                    let tags = profile.finality.tags(head: chain.head.number) {
                        chain.block(.number($0))?.header.timestamp ?? 0
                    }
                    #expect(chain.safe == tags.safe && chain.finalized == tags.finalized)
                    #expect(chain.finalized <= chain.safe && chain.safe <= chain.head.number)
                }
                #expect(chain.head.number == 198)
            }
        }
    }

    @Test("the identities are those of the public test networks")
    func identities() throws {
        let table: [(String, UInt64, UInt64, Int, String)] = [
            ("ethereum", 11_155_111, 16_015_286_601_757_825_753, 8545, "ETH"),
            ("jovay", 2_019_775, 945_045_181_441_419_236, 8546, "ETH"),
            ("pharos", 688_689, 16_098_325_658_947_243_212, 8547, "PHRS"),
            ("base", 84532, 10_344_971_235_874_465_080, 8548, "ETH"),
        ]
        for (name, id, selector, port, token) in table {
            let profile = try Self.shipped(name)
            #expect(profile.chainID == id && profile.selector == selector)
            #expect(profile.port == port && profile.gasTokenSymbol == token)
        }
    }

    @Test("a wrong profile is refused with its line and key")
    func refused() {
        for (change, words) in [
            ("chainId: 31337" as String, "chainId: none" as String), ("gasLimit: 30000000", "gasLimit: 5"),
            ("rule: eip1559", "rule: free"), ("finalizedDepth: 4", "finalizedDepth: 1"), ("name: bench", "nmae: bench"),
            ("onDemand: true", "onDemand: maybe"), ("selector: ", "selektor: "),
        ] {
            let text = Bench.profileText.replacing(change, with: words)
            let error = #expect(throws: ConfigurationError.self) { try Bench.profile(text) }
            #expect(error.map { "\($0)".contains("bench.yaml") } == true, "\(words)")
        }
    }

    /// Lines, and words of the refusal.
    static let wrong: [(String, String)] = [
        ("baseFee: {rule: eip1559, elasticity: 0}", "baseFee.elasticity"),
        ("baseFee: {rule: eip1559, denominator: none}", "baseFee.denominator"),
        ("baseFee: {rule: constant, elasticity: 2}", "baseFee.elasticity"),
        ("blobs: {enabled: perhaps}", "blobs.enabled"), ("blobs: {enable: true}", "did you mean 'enabled'"),
        ("blobs: {schedule: [{timestamp: 0, target: 6, maximum: 9}]}", "updateFraction"),
        ("blobs: {schedule: [{timestamp: 0, target: 9, maximum: 6, updateFraction: 1}]}", "at least the target"),
        (
            "blobs: {schedule: [{timestamp: 5, target: 6, maximum: 9, updateFraction: 1}, "
                + "{timestamp: 5, target: 6, maximum: 9, updateFraction: 1}]}",
            "more than the one before"
        ),
        ("blocks: {preconfirmationMilliseconds: 2000, intervalMilliseconds: 1000}", "at most intervalMilliseconds"),
        ("blocks: {preconfirmationMilliseconds: 10, onDemand: true}", "on demand"),
        ("blocks: {preconfirmationMilliseconds: -1}", "preconfirmationMilliseconds"),
        ("blocks: {risingTimestamps: 1}", "risingTimestamps"),
        ("blocks: {preconfirmationMiliseconds: 1}", "did you mean 'preconfirmationMilliseconds'"),
        ("finality: {rule: soon}", "depth, epochs or rollup"),
        ("finality: {rule: epochs, slotsPerEpoch: 0}", "slotsPerEpoch"),
        ("finality: {rule: epochs, safeDepth: 1}", "unknown key 'finality.safeDepth'"),
        ("finality: {rule: depth, slotsPerEpoch: 1}", "unknown key 'finality.slotsPerEpoch'"),
        ("finality: {rule: rollup, safeTag: proven}", "teeVerified"),
        ("finality: {rule: rollup, safeTag: l1Committed, finalizedTag: sequencer}", "never above safe"),
        ("finality: {rule: rollup, safeTag: zkVerified, finalizedTag: teeVerified}", "never above safe"),
        ("finality: {rule: rollup, batchSeconds: 0}", "batchSeconds"),
        ("finality: {rule: rollup, comitSeconds: 5}", "did you mean 'commitSeconds'"),
        ("fees: {baseFeeToCoinbase: all}", "baseFeeToCoinbase"), ("fees: {l1Oracle: here}", "an address"),
        ("fees: {l1OracleSlot: -1}", "l1OracleSlot"), ("fees: {l1Orcale: here}", "did you mean 'l1Oracle'"),
        ("quirks: {minerZero: 0}", "minerZero"), ("quirks: {sizeZero: no}", "sizeZero"),
        ("quirks: {totalDifficultyZero: 7}", "totalDifficultyZero"),
        ("quirks: {blobBaseFeeZero: x}", "blobBaseFeeZero"),
        ("quirks: {minerZreo: true}", "did you mean 'minerZero'"),
        ("rpc: {missingMethods: [eth_sing]}", "did you mean 'eth_sign'"), ("rpc: {missingMethods: eth_sign}", "a list"),
        ("rpc: {accountsHidden: x}", "accountsHidden"), ("rpc: {poolTransactionsHidden: x}", "poolTransactionsHidden"),
        ("rpc: {nonceErrorCode: x}", "nonceErrorCode"), ("rpc: {mismatchedBatchIDs: x}", "mismatchedBatchIDs"),
        ("rpc: {missingBlockTags: [latest]}", "missingBlockTags"), ("rpc: {batchesMissing: x}", "batchesMissing"),
        ("rpc: {unknownBlockIsLatest: x}", "unknownBlockIsLatest"), ("rpc: {traceErrorsInHex: x}", "traceErrorsInHex"),
        ("rpc: {callsPerMinute: -1}", "callsPerMinute"), ("rpc: {logBlocksMaximum: 0}", "logBlocksMaximum"),
        ("rpc: {logBlockMaximum: 5}", "did you mean 'logBlocksMaximum'"),
        ("predeploys: [{name: x}]", "address"), ("predeploys: [{address: '0x12'}]", "an address"),
        ("predeploys: [{address: '0x4100000000000000000000000000000000000000', code: '0x0'}]", "hexadecimal code"),
        (
            "predeploys: [{address: '0x4100000000000000000000000000000000000000', artifact: nothing}]",
            "chains/artifacts"
        ),
        (
            "predeploys: [{address: '0x4100000000000000000000000000000000000000', artifact: weth9, code: '0x00'}]",
            "not both"
        ),
        ("predeploys: [{address: '0x4100000000000000000000000000000000000000', storage: [{slot: 1}]}]", "value"),
        (
            "predeploys: [{address: '0x4100000000000000000000000000000000000000'}, "
                + "{address: '0x4100000000000000000000000000000000000000'}]", "not listed before"
        ),
        ("predeploys: [{address: '0x4100000000000000000000000000000000000000', cod: '0x'}]", "did you mean 'code'"),
        ("localnet: {timeScale: 0}", "timeScale"), ("localnet: {timeScales: 5}", "did you mean 'timeScale'"),
        ("localnet: {blokcs: {onDemand: true}}", "did you mean 'blocks'"),
    ]

    @Test("every key refuses what cannot be, and a mistyped key names the nearest one", arguments: wrong)
    func keys(lines: String, words: String) {
        let error = #expect(throws: ConfigurationError.self) { try profile(lines) }
        #expect(error.map { "\($0)".contains(words) && "\($0)".contains("bench.yaml") } == true, "\(error as Any)")
    }

    @Test("the reference names every key of the profiles that ship, and every key that is refused in these tests")
    func documented() throws {
        let page = PackageRoot.url.appendingPathComponent("docs/reference/chain-profiles.md")
        let text = String(decoding: try Fixtures.bytes(page), as: UTF8.self)
        var keys: Set<String> = []
        for name in ["any", "base", "ethereum", "jovay", "pharos"] {
            let yaml = String(
                decoding: try Fixtures.bytes(Self.folder.appendingPathComponent("\(name).yaml")), as: UTF8.self)
            for line in yaml.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("#") {
                keys.formUnion(line.matches(of: /(?:^|[ {])([a-z][A-Za-z0-9]+):(?: |$)/).map { String($0.1) })
            }
        }
        #expect(keys.count > 50)
        #expect(keys.filter { !text.contains($0) } == [])
    }

    @Test("keys have their values and their defaults")
    func values() throws {
        let plain = try profile("")
        #expect(plain.baseFee == .eip1559(initialWei: 1_000_000_000, elasticity: 2, denominator: 8))
        #expect(plain.blobs.areTaken && plain.blobs.schedule.isEmpty)
        #expect(plain.fees.oracle == nil && !plain.fees.baseFeeToCoinbase && plain.predeploys.isEmpty)
        #expect(plain.rpc.nonceErrorCode == -32000 && plain.rpc.logBlocksMaximum == 1_000_000)
        #expect(plain.rpc.missingMethods.isEmpty && plain.rpc.callsPerMinute == 0)
        let fees = try profile("baseFee: {rule: eip1559, wei: 7, elasticity: 6, denominator: 250}")
        #expect(fees.baseFee == .eip1559(initialWei: 7, elasticity: 6, denominator: 250))
        let blobs = try profile(
            "blobs: {schedule: [{timestamp: 50, target: 6, maximum: 8, updateFraction: 11}, "
                + "{timestamp: 100, target: 10, maximum: 15, updateFraction: 22}]}")
        let chain = Blockchain(.init(profile: blobs, genesisTimestamp: 1))
        #expect([0, 49, 50, 99, 100, 1_000].map { chain.era(at: $0).rules.blobsMaximum } == [9, 9, 8, 8, 15, 15])
        #expect([0, 50, 100].map { chain.era(at: $0).rules.blobsTarget } == [6, 6, 10])
        #expect(chain.era(at: 100).rules.blobBaseFeeFraction == 22)
        let scaled = try profile(
            "blocks: {intervalMilliseconds: 12000, heartbeatMilliseconds: 0}\nlocalnet: {timeScale: 120}",
            localnet: true)
        #expect(scaled.cadence.intervalMilliseconds == 100 && scaled.cadence.heartbeatMilliseconds == 0)
        #expect(scaled.finality == plain.finality, "what is not said is as usual")
        let slow = try profile("blocks: {intervalMilliseconds: 10}\nlocalnet: {timeScale: 120}", localnet: true)
        #expect(slow.cadence.intervalMilliseconds == 1, "never nothing")
    }

    @Test("by epochs, safe is the last justified checkpoint and finalized the one before it")
    func epochs() throws {
        let finality = try profile("finality: {rule: epochs, slotsPerEpoch: 32}").finality
        let table: [(head: UInt64, safe: UInt64, finalized: UInt64)] = [
            (0, 0, 0), (31, 0, 0), (32, 0, 0), (63, 0, 0), (64, 32, 0), (95, 32, 0), (96, 64, 32), (1000, 960, 928),
        ]
        for (head, safe, finalized) in table {
            let tags = finality.tags(head: head) { _ in 0 }
            #expect(tags.safe == safe && tags.finalized == finalized, "\(head)")
        }
    }

    @Test("on a rollup, a block reaches its levels with its batch")
    func rollup() throws {
        let lines =
            "finality: {rule: rollup, safeTag: l1Committed, finalizedTag: teeVerified, batchSeconds: 100, "
            + "commitSeconds: 10, teeSeconds: 20, zkSeconds: 300, l1FinalSeconds: 60}"
        let finality = try profile(lines).finality
        // Blocks at 1000, 1003, 1006, ...: batch 0 holds 0...33 (up to 1099), batch 1 34...66.
        func tags(_ head: UInt64) -> [UInt64] {
            let tags = finality.tags(head: head) { 1000 + $0 * 3 }
            return [tags.safe, tags.finalized]
        }
        #expect(tags(36) == [0, 0], "1108: the batch closed, and is not committed")
        #expect(tags(37) == [33, 0], "1111: committed")
        #expect(tags(43) == [33, 0], "1129")
        #expect(tags(44) == [33, 33], "1132: verified")
        #expect(tags(70) == [66, 33], "1210: the next one is committed")
        #expect(tags(200) == [166, 166], "1600: the batch that closed at 1500")
        guard case .rollup(let rollup) = finality.rule else { return #expect(Bool(false), "no rollup") }
        let levels = rollup.levels(head: 70) { 1000 + $0 * 3 }
        #expect(levels.map(\.level) == [.sequencer, .l1Committed, .l1Final, .teeVerified, .zkVerified])
        #expect(levels.map(\.block) == [70, 66, 33, 33, 0])
        // Many blocks may share a second.
        let crowded = finality.tags(head: 4000) { 1000 + $0 / 10 }
        #expect(crowded.safe == 2999 && crowded.finalized == 2999)
    }

    @Test("timestamps rise where the profile says so, and may repeat where it does not")
    func timestamps() throws {
        var rising = try Bench(
            "blocks: {onDemand: true, risingTimestamps: true, heartbeatMilliseconds: 0}", replacing: "blocks")
        var shared = try Bench()
        for _ in 0..<3 {
            rising.chain.mine(at: Bench.start + 1)
            shared.chain.mine(at: Bench.start + 1)
        }
        func times(_ chain: Blockchain) -> [UInt64] {
            (0...3).compactMap { chain.block(.number($0)).map { $0.header.timestamp - Bench.start } }
        }
        #expect(times(rising.chain) == [0, 1, 2, 3])
        #expect(times(shared.chain) == [0, 1, 1, 1])
        #expect(refusal { try rising.chain.setNextTimestamp(Bench.start + 3) } == .timestampTooLow)
        try rising.chain.setNextTimestamp(Bench.start + 9)
        try shared.chain.setNextTimestamp(Bench.start + 1)
    }

    @Test("the base fee moves by the profile's elasticity and denominator")
    func elasticity() throws {
        var bench = try Bench(
            "baseFee: {rule: eip1559, wei: 1000000000, elasticity: 6, denominator: 250}", replacing: "baseFee")
        bench.mine()
        #expect(bench.chain.head.baseFee == 996_000_000)
        bench.mine()
        #expect(bench.chain.head.baseFee == 992_016_000)
    }
}

extension Bench {
    /// A bench whose profile has a line instead of the one for the same key.
    init(_ line: String, replacing key: String) throws {
        let rest = Self.profileText.split(separator: "\n").filter { !$0.hasPrefix(key + ":") }
        try self.init(rest.joined(separator: "\n") + "\n" + line)
    }
}
