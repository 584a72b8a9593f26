// From YAML to a profile, strictly: every value is checked, every key that nobody knows is refused with the nearest.

import Configuration
import Ethereum

extension ChainProfile {
    /// Reads and validates a profile; throws `ConfigurationError` that names file, line, key and what was expected.
    /// - Parameters:
    ///   - localnet: takes the pace that the file lists under that key.
    ///   - artifact: the code of a contract of ours that a predeploy names; nil when there is none of that name.
    package init(
        yaml text: String, file: String, localnet: Bool = false, flags: [String: String] = [:],
        artifact: (String) -> Bytes? = { _ in nil }
    ) throws(ConfigurationError) {
        let reader = try ConfigurationReader(text: text, file: file, flags: flags)
        var root = reader.root
        name = try root.value("name", expected: "lower-case letters, digits and '-'") { text in
            let allowed = text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
            return allowed && !text.isEmpty && text.count <= 32 ? text : nil
        }
        displayName = try root.string("displayName", default: name)
        chainID = try root.value("chainId", expected: "a chain id from 1 to 2^64 - 1") {
            UInt64($0).flatMap { $0 > 0 ? $0 : nil }
        }
        selector = try root.value("selector", expected: "a CCIP chain selector") {
            UInt64($0).flatMap { $0 > 0 ? $0 : nil }
        }
        gasTokenSymbol = try root.string("gasToken", default: "ETH")
        port = try root.integer("port", in: 1...65535, default: 8545)
        gasLimit = try root.value("gasLimit", expected: "a gas limit from 1000000 to 2^63 - 1", default: "30000000") {
            text in
            UInt64(text).flatMap { $0 >= 1_000_000 && $0 < 1 << 63 ? $0 : nil }
        }
        coinbase = try root.address("coinbase") ?? .zero
        baseFee = try Self.readBaseFee(&root)
        blobs = try Self.readBlobs(&root)
        fees = try Self.readFees(&root)
        quirks = try Self.readQuirks(&root)
        rpc = try Self.readRPC(&root)
        predeploys = try Self.readPredeploys(&root, artifact)
        let usual = try Pace.usual(&root)
        var section = try root.section("localnet")
        let scaled = try usual.local(&section)
        try section.finish()
        cadence = localnet ? scaled.cadence : usual.cadence
        finality = localnet ? scaled.finality : usual.finality
        try root.finish()
        try reader.finish()
    }

    private static func readBaseFee(_ root: inout ConfigurationSection) throws(ConfigurationError) -> BaseFeeRule {
        var section = try root.section("baseFee")
        let rule = try section.string("rule", default: "eip1559")
        let wei = try section.number("wei", in: 0...(.max), default: 1_000_000_000)
        let result: BaseFeeRule
        switch rule {
        case "eip1559":
            result = .eip1559(
                initialWei: wei, elasticity: try section.number("elasticity", in: 1...1_000, default: 2),
                denominator: try section.number("denominator", in: 1...1_000_000, default: 8))
        case "constant": result = .constant(wei: wei)
        default: throw section.refused("rule", rule, "eip1559 or constant")
        }
        try section.finish()
        return result
    }

    private static func readBlobs(_ root: inout ConfigurationSection) throws(ConfigurationError) -> Blobs {
        var section = try root.section("blobs")
        let areTaken = try section.bool("enabled", default: true)
        var schedule: [Blobs.Entry] = []
        for var item in try section.sections("schedule") {
            let entry = Blobs.Entry(
                timestamp: try item.number("timestamp", in: 0...(.max)),
                target: try item.integer("target", in: 1...1_000),
                maximum: try item.integer("maximum", in: 1...1_000),
                updateFraction: try item.number("updateFraction", in: 1...(.max)))
            guard entry.maximum >= entry.target else {
                throw item.refused("maximum", "\(entry.maximum)", "at least the target (\(entry.target))")
            }
            if let last = schedule.last, entry.timestamp <= last.timestamp {
                throw item.refused("timestamp", "\(entry.timestamp)", "more than the one before (\(last.timestamp))")
            }
            try item.finish()
            schedule.append(entry)
        }
        try section.finish()
        return Blobs(areTaken: areTaken, schedule: schedule)
    }

    private static func readFees(_ root: inout ConfigurationSection) throws(ConfigurationError) -> Fees {
        var section = try root.section("fees")
        let fees = Fees(
            baseFeeToCoinbase: try section.bool("baseFeeToCoinbase", default: false),
            oracleAddress: try section.address("l1Oracle"),
            oracleSlot: try section.word("l1OracleSlot", default: "0"))
        try section.finish()
        return fees
    }

    private static func readQuirks(_ root: inout ConfigurationSection) throws(ConfigurationError) -> Quirks {
        var section = try root.section("quirks")
        let quirks = Quirks(
            prevRandaoZero: try section.bool("prevRandaoZero", default: false),
            blockHashOfDecimalText: try section.bool("blockHashOfDecimalText", default: false),
            priorityFeeZero: try section.bool("priorityFeeZero", default: false),
            filterMethodsMissing: try section.bool("filterMethodsMissing", default: false),
            noPointEvaluation: try section.bool("noPointEvaluation", default: false),
            blobBaseFeeZero: try section.bool("blobBaseFeeZero", default: false),
            minerZero: try section.bool("minerZero", default: false),
            sizeZero: try section.bool("sizeZero", default: false),
            totalDifficultyZero: try section.bool("totalDifficultyZero", default: false))
        try section.finish()
        return quirks
    }

    private static func readRPC(_ root: inout ConfigurationSection) throws(ConfigurationError) -> RPC {
        var section = try root.section("rpc")
        let missing = try section.strings("missingMethods")
        for (position, method) in missing.enumerated() where Method.byName[method] == nil {
            let nearest = Nearest.of(method, among: Array(Method.byName.keys))
            throw section.refused(
                "missingMethods[\(position)]", method,
                "a method of docs/reference/rpc-methods.md" + (nearest.map { "; did you mean '\($0)'?" } ?? ""))
        }
        let tags = try section.strings("missingBlockTags")
        for (position, tag) in tags.enumerated() where !["finalized", "safe", "pending"].contains(tag) {
            throw section.refused("missingBlockTags[\(position)]", tag, "finalized, safe or pending")
        }
        let rpc = RPC(
            missingMethods: Set(missing), accountsHidden: try section.bool("accountsHidden", default: false),
            poolTransactionsHidden: try section.bool("poolTransactionsHidden", default: false),
            nonceErrorCode: try section.integer("nonceErrorCode", in: -99_999...99_999, default: -32000),
            mismatchedBatchIDs: try section.bool("mismatchedBatchIDs", default: false),
            batchesMissing: try section.bool("batchesMissing", default: false), missingBlockTags: Set(tags),
            logsByHashMissing: try section.bool("logsByHashMissing", default: false),
            unknownBlockIsLatest: try section.bool("unknownBlockIsLatest", default: false),
            traceErrorsInHex: try section.bool("traceErrorsInHex", default: false),
            callsPerMinute: try section.integer("callsPerMinute", in: 0...1_000_000_000, default: 0),
            logBlocksMaximum: try section.number(
                "logBlocksMaximum", in: 1...Limits.logBlocksMaximum, default: Limits.logBlocksMaximum))
        try section.finish()
        return rpc
    }

    private static func readPredeploys(
        _ root: inout ConfigurationSection, _ artifact: (String) -> Bytes?
    ) throws(ConfigurationError) -> [Predeploy] {
        var result: [Predeploy] = []
        for var item in try root.sections("predeploys") {
            guard let address = try item.address("address") else { throw item.missing("address") }
            var predeploy = Predeploy(
                address: address, name: try item.string("name", default: ""),
                nonce: try item.number("nonce", in: 0...(.max - 1), default: 0),
                balance: try item.word("balance", default: "0"), code: [], storage: [])
            guard !result.contains(where: { $0.address == address }) else {
                throw item.refused("address", address.hex, "an address that is not listed before")
            }
            predeploy.code = try readCode(&item, artifact)
            for var slot in try item.sections("storage") {
                predeploy.storage.append(
                    Predeploy.Slot(slot: try slot.word("slot"), value: try slot.word("value")))
                try slot.finish()
            }
            try item.finish()
            result.append(predeploy)
        }
        return result
    }

    private static func readCode(
        _ item: inout ConfigurationSection, _ artifact: (String) -> Bytes?
    ) throws(ConfigurationError) -> Bytes {
        let code: Bytes = try item.value("code", expected: "hexadecimal code after 0x", default: "0x") {
            $0.hasPrefix("0x") ? try? Hex.decode($0) : nil
        }
        guard let name = try item.optional("artifact") else { return code }
        guard code.isEmpty else { throw item.refused("artifact", name, "code or artifact, not both") }
        guard let known = artifact(name) else {
            throw item.refused("artifact", name, "the name of a file in chains/artifacts, without .json")
        }
        return known
    }
}

/// What the local network does at another pace.
private struct Pace {
    var cadence: ChainProfile.Cadence
    var finality: ChainProfile.Finality

    static func usual(_ root: inout ConfigurationSection) throws(ConfigurationError) -> Pace {
        var blocks = try root.section("blocks")
        var finality = try root.section("finality")
        return Pace(cadence: try readCadence(&blocks), finality: try readFinality(&finality))
    }

    /// Another pace: the usual one, faster, and what this section has of its own instead.
    func local(_ section: inout ConfigurationSection) throws(ConfigurationError) -> Pace {
        var pace = faster(by: try section.number("timeScale", in: 1...1_000_000, default: 1))
        let (hasBlocks, hasFinality) = (section.has("blocks"), section.has("finality"))
        var blocks = try section.section("blocks")
        var finality = try section.section("finality")
        if hasBlocks { pace.cadence = try Self.readCadence(&blocks) }
        if hasFinality { pace.finality = try Self.readFinality(&finality) }
        return pace
    }

    private func faster(by scale: UInt64) -> Pace {
        func scaled(_ value: Int) -> Int { value == 0 ? 0 : max(value / Int(scale), 1) }
        func scaled(_ value: UInt64) -> UInt64 { value == 0 ? 0 : max(value / scale, 1) }
        var pace = self
        pace.cadence.intervalMilliseconds = scaled(cadence.intervalMilliseconds)
        pace.cadence.heartbeatMilliseconds = scaled(cadence.heartbeatMilliseconds)
        pace.cadence.preconfirmationMilliseconds = scaled(cadence.preconfirmationMilliseconds)
        if case .rollup(var rollup) = finality.rule {
            rollup.batchSeconds = scaled(rollup.batchSeconds)
            rollup.commitSeconds = scaled(rollup.commitSeconds)
            rollup.l1FinalSeconds = scaled(rollup.l1FinalSeconds)
            rollup.teeSeconds = scaled(rollup.teeSeconds)
            rollup.zkSeconds = scaled(rollup.zkSeconds)
            pace.finality.rule = .rollup(rollup)
        }
        // A beat faster than a second cannot rise by a second for each block.
        if pace.cadence.intervalMilliseconds < 1000 { pace.cadence.risingTimestamps = false }
        return pace
    }

    private static func readCadence(
        _ blocks: inout ConfigurationSection
    ) throws(ConfigurationError) -> ChainProfile.Cadence {
        let cadence = ChainProfile.Cadence(
            intervalMilliseconds: try blocks.integer("intervalMilliseconds", in: 1...3_600_000, default: 1000),
            heartbeatMilliseconds: try blocks.integer("heartbeatMilliseconds", in: 0...3_600_000, default: 1000),
            onDemand: try blocks.bool("onDemand", default: false),
            preconfirmationMilliseconds: try blocks.integer(
                "preconfirmationMilliseconds", in: 0...3_600_000, default: 0),
            risingTimestamps: try blocks.bool("risingTimestamps", default: false))
        try blocks.finish()
        if cadence.preconfirmationMilliseconds > 0, cadence.onDemand {
            throw blocks.refused(
                "preconfirmationMilliseconds", "\(cadence.preconfirmationMilliseconds)",
                "0 where blocks come on demand: nothing waits there")
        }
        if cadence.preconfirmationMilliseconds > cadence.intervalMilliseconds {
            throw blocks.refused(
                "preconfirmationMilliseconds", "\(cadence.preconfirmationMilliseconds)",
                "at most intervalMilliseconds (\(cadence.intervalMilliseconds))")
        }
        return cadence
    }

    private static func readFinality(
        _ section: inout ConfigurationSection
    ) throws(ConfigurationError) -> ChainProfile.Finality {
        var finality = ChainProfile.Finality(rule: .depth, safeDepth: 0, finalizedDepth: 0)
        let rule = try section.string("rule", default: "depth")
        switch rule {
        case "depth": try readDepths(&section, &finality)
        case "epochs":
            finality.rule = .epochs(slots: try section.number("slotsPerEpoch", in: 1...10_000, default: 32))
        case "rollup":
            try readDepths(&section, &finality)
            finality.rule = .rollup(try readRollup(&section))
        default: throw section.refused("rule", rule, "depth, epochs or rollup")
        }
        try section.finish()
        return finality
    }

    private static func readDepths(
        _ section: inout ConfigurationSection, _ finality: inout ChainProfile.Finality
    ) throws(ConfigurationError) {
        finality.safeDepth = try section.number("safeDepth", in: 0...100_000, default: 0)
        finality.finalizedDepth = try section.number("finalizedDepth", in: 0...100_000, default: 0)
        guard finality.finalizedDepth >= finality.safeDepth else {
            throw section.refused(
                "finalizedDepth", "\(finality.finalizedDepth)",
                "at least safeDepth (\(finality.safeDepth)): finalized is never above safe")
        }
    }

    private static func readRollup(
        _ section: inout ConfigurationSection
    ) throws(ConfigurationError) -> ChainProfile.Rollup {
        typealias Level = ChainProfile.Rollup.Level
        let words = Level.allCases.map(\.rawValue).joined(separator: ", ")
        let safe: Level = try section.value("safeTag", expected: words, default: "sequencer") { Level(rawValue: $0) }
        let finalized: Level = try section.value("finalizedTag", expected: words, default: "sequencer") {
            Level(rawValue: $0)
        }
        let rollup = ChainProfile.Rollup(
            safeTag: safe, finalizedTag: finalized,
            batchSeconds: try section.number("batchSeconds", in: 1...1_000_000, default: 3600),
            commitSeconds: try section.number("commitSeconds", in: 0...1_000_000, default: 30),
            l1FinalSeconds: try section.number("l1FinalSeconds", in: 0...1_000_000, default: 900),
            teeSeconds: try section.number("teeSeconds", in: 0...1_000_000, default: 10),
            zkSeconds: try section.number("zkSeconds", in: 0...1_000_000, default: 600))
        // A level that waits for no batch comes first of all.
        let (early, late) = (rollup.delay(safe).map { $0 + 1 } ?? 0, rollup.delay(finalized).map { $0 + 1 } ?? 0)
        guard late >= early else {
            throw section.refused(
                "finalizedTag", finalized.rawValue,
                "a level that is not reached before safeTag (\(safe.rawValue)): finalized is never above safe")
        }
        return rollup
    }
}

extension ConfigurationSection {
    fileprivate mutating func number(
        _ key: String, in range: ClosedRange<UInt64>, default builtIn: UInt64? = nil
    ) throws(ConfigurationError) -> UInt64 {
        let words = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return try value(key, expected: words, default: builtIn.map(String.init)) { text in
            UInt64(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A number below 2^256, decimal or hexadecimal after 0x.
    fileprivate mutating func word(_ key: String, default builtIn: String? = nil) throws(ConfigurationError) -> U256 {
        try value(key, expected: "a whole number below 2^256", default: builtIn) { try? U256(text: $0) }
    }

    /// An address; nil when the key is missing.
    fileprivate mutating func address(_ key: String) throws(ConfigurationError) -> Address? {
        guard let text = try optional(key) else { return nil }
        guard let address = try? Address(hex: text) else { throw refused(key, text, "an address") }
        return address
    }
}
