// What the local network must know of a chain's profile; the chain process reads the whole file itself.

import CCIP
import Configuration
import Ethereum

package struct LocalProfile: Sendable, Equatable {
    package let name: String
    package let displayName: String
    package let path: String
    package let chainID: UInt64
    package let selector: ChainSelector
    package let port: Int
    package let baseFeeWei: UInt64
    package let blockMilliseconds: Int

    /// Reads the identity of a profile by name or path. Throws `fileFailed` or `invalidRequest`.
    package static func load(_ name: String) throws(LocalnetError) -> LocalProfile {
        let (text, path) = try ProjectFiles.profile(name)
        do { return try LocalProfile(yaml: text, path: path) } catch {
            throw LocalnetError(.invalidRequest, error.message, hint: error.hint)
        }
    }

    /// Keys that are not asked for here are checked by the chain itself.
    init(yaml text: String, path: String) throws(ConfigurationError) {
        let reader = try ConfigurationReader(text: text, file: path)
        var root = reader.root
        name = try root.string("name")
        displayName = try root.string("displayName", default: name)
        self.path = path
        chainID = try root.value("chainId", expected: "a chain id") { UInt64($0) }
        selector = ChainSelector(try root.value("selector", expected: "a CCIP chain selector") { UInt64($0) })
        port = try root.integer("port", in: 1...65535, default: 8545)
        var fee = try root.section("baseFee")
        baseFeeWei = try fee.value("wei", expected: "an amount in wei", default: "1000000000") { UInt64($0) }
        var usual = try root.section("blocks")
        let milliseconds = try usual.integer("intervalMilliseconds", in: 1...3_600_000, default: 1000)
        var local = try root.section("localnet")
        let scale = try local.integer("timeScale", in: 1...1_000_000, default: 1)
        var blocks = try local.section("blocks")
        blockMilliseconds = try blocks.integer(
            "intervalMilliseconds", in: 1...3_600_000, default: max(milliseconds / scale, 1))
    }
}
