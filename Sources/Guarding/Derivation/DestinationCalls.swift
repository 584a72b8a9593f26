// The reads of a destination that a guard judges by, as call data and as answers, by the guard's own words.

import CCIP
import Ethereum

package enum DestinationCalls {
    package static let staticConfig = selector("getStaticConfig()")
    package static let arm = selector("getARM()")
    package static let versionedConfig = selector("getVersionedConfig()")
    package static let cursedSubjects = selector("getCursedSubjects()")

    package static func sourceConfig(_ source: ChainSelector) -> Bytes {
        var row = WordRow()
        row.number(source.rawValue)
        return selector("getSourceChainConfig(uint64)") + row.bytes
    }

    private static func selector(_ signature: String) -> Bytes { Bytes(keccak256(text: signature).bytes.prefix(4)) }

    /// The curse contract that the OffRamp asks: a proxy, mostly.
    package static func curseContract(_ answer: Bytes) throws(GuardError) -> Address {
        try WordView(answer, "getStaticConfig").address(64)
    }

    package static func target(_ answer: Bytes) throws(GuardError) -> Address {
        try WordView(answer, "getARM").address(0)
    }

    package struct Configuration: Hashable, Sendable {
        package let version: UInt32
        package let homeDigest: Hash32
        package let signers: [Address]
        package let faulty: UInt64
    }

    package static func configuration(_ answer: Bytes) throws(GuardError) -> Configuration {
        let view = try WordView(answer, "getVersionedConfig")
        guard let version = UInt32(exactly: try view.number(0)) else { throw view.malformed("the version is no uint32") }
        let start = try view.target(32, from: 0)
        let list = try view.target(start + 32, from: start)
        var signers: [Address] = []
        // Two words each: account and index.
        for position in 0..<(try view.length(list)) { signers.append(try view.address(list + 32 + 64 * position)) }
        return Configuration(
            version: version, homeDigest: Hash32(try view.word(start)), signers: signers,
            faulty: try view.number(start + 64))
    }

    package static func subjects(_ answer: Bytes) throws(GuardError) -> [Bytes] {
        let view = try WordView(answer, "getCursedSubjects")
        let list = try view.target(0, from: 0)
        var subjects: [Bytes] = []
        for position in 0..<(try view.length(list)) {
            let word = try view.word(list + 32 + 32 * position)
            guard (word << 128).isZero else { throw view.malformed("a subject has 16 bytes") }
            subjects.append(Bytes(word.bytes.prefix(16)))
        }
        return subjects
    }

    package static func source(_ answer: Bytes) throws(GuardError) -> DestinationFacts.Source {
        let view = try WordView(answer, "getSourceChainConfig")
        let start = try view.target(0, from: 0)
        return DestinationFacts.Source(
            isEnabled: try view.flag(start + 32), requiresBlessing: try !view.flag(start + 96),
            nextNumber: try view.number(start + 64), onRamp: try view.string(start + 128, from: start))
    }
}
