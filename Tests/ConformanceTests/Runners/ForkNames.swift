// Forks as the public suites name them, with the blob figures of a test's own schedule.

import DevChain
import EVM
import Ethereum

enum ForkNames {
    /// Names that the suites have beside the forks' own.
    private static let others: [String: Fork] = [
        "eip150": .tangerineWhistle, "eip158": .spuriousDragon, "constantinoplefix": .petersburg, "merge": .paris,
    ]

    /// The fork of a name like "Cancun" or "EIP150"; nil for one that this EVM does not have.
    static func fork(_ name: String) -> Fork? {
        let lower = name.lowercased()
        return others[lower] ?? Fork.allCases.first { $0.name.lowercased() == lower }
    }

    /// Why tests of another fork are not run.
    static func leftOut(_ name: String) -> String {
        "the fork \(name) is not among those that a chain may begin with here: "
            + Fork.allCases.map(\.name).joined(separator: ", ")
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

    /// The schedule of a network: one fork, or two like `CancunToPragueAtTime15k`, `BerlinToLondonAt5` and
    /// `ArrowGlacierToParisAtDiffC0000`; nil for forks that this EVM does not have.
    static func schedule(_ network: String, _ config: JSON?) throws -> ForkSchedule? {
        if let fork = fork(network) {
            return try ForkSchedule([ForkSchedule.Step(since: 0, fork: fork, rules: rules(fork, config))])
        }
        guard let match = network.wholeMatch(of: /([A-Za-z0-9]+)To([A-Z][A-Za-z0-9]+)At(Time|Diff|)([0-9A-F]+)(k?)/),
            let first = fork(String(match.1)), let second = fork(String(match.2))
        else { return nil }
        let radix = match.3 == "Diff" ? 16 : 10
        guard let figure = UInt64(match.4, radix: radix) else { return nil }
        let since = match.5.isEmpty ? figure : figure * 1000
        let activation: ForkSchedule.Activation =
            match.3 == "Time" ? .time(since) : match.3 == "Diff" ? .merge : .number(since)
        return try ForkSchedule(
            [
                ForkSchedule.Step(
                    second > .paris ? .time(0) : .number(0), fork: first, rules: rules(first, config)),
                ForkSchedule.Step(activation, fork: second, rules: rules(second, config)),
            ], terminalTotalDifficulty: activation == .merge ? U256(since) : nil)
    }
}
