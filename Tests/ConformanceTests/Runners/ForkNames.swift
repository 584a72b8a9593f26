// Forks as the public suites name them, with the blob figures of a test's own schedule.

import DevChain
import EVM
import Ethereum

enum ForkNames {
    /// The fork of a name like "Cancun"; nil for one that this EVM does not have.
    static func fork(_ name: String) -> Fork? { Fork(rawValue: name.lowercased()) }

    /// Why tests of another fork are not run.
    static func leftOut(_ name: String) -> String {
        "the fork \(name) is not among those that a chain may begin with here: "
            + Fork.allCases.map(\.rawValue).joined(separator: ", ")
    }

    /// The rules of a fork, with what `config.blobSchedule` says of it.
    static func rules(_ fork: Fork, _ config: JSON?) throws -> RuleSet {
        var rules = RuleSet(fork)
        let entries = config?["blobSchedule"]?.asObject?.members ?? []
        if fork >= .cancun, let entry = entries.first(where: { Self.fork($0.name) == fork }) {
            guard rules.setBlobs(entry.value) else { throw Mismatch("the blob schedule of \(fork) is malformed") }
        }
        return rules
    }

    /// The schedule of a network: one fork, or `CancunToPragueAtTime15k`; nil for forks that this EVM does not have.
    static func schedule(_ network: String, _ config: JSON?) throws -> ForkSchedule? {
        if let fork = fork(network) {
            return try ForkSchedule([ForkSchedule.Step(since: 0, fork: fork, rules: rules(fork, config))])
        }
        guard let match = network.wholeMatch(of: /([A-Za-z]+)To([A-Z][A-Za-z]+)AtTime(\d+)(k?)/),
            let first = fork(String(match.1)), let second = fork(String(match.2)), let time = UInt64(match.3)
        else { return nil }
        let since = match.4.isEmpty ? time : time * 1000
        return try ForkSchedule([
            ForkSchedule.Step(since: 0, fork: first, rules: rules(first, config)),
            ForkSchedule.Step(since: since, fork: second, rules: rules(second, config)),
        ])
    }
}
