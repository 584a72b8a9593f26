// The public suites: every group that is found passes, and says so in one line. `make fixtures DIR=PATH` points this at
// any other folder or archive, `make soak` at the files that take long.

import DevChain
import EVM
import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Public suites", .serialized)
struct ConformanceTests {
    private static let environment = ProcessInfo.processInfo.environment
    /// A folder or archive to run instead of the usual one.
    private static let asked = environment["CAUSEWAY_CONFORMANCE"].map { URL(fileURLWithPath: $0) }
    private static let selection: Selection = environment["CAUSEWAY_SOAK"] == nil ? .usual : .extreme
    private static let shownMaximum = Int(environment["CAUSEWAY_FIXTURES_SHOWN"] ?? "") ?? 20

    @Test("every case of every group that is found passes")
    func groups() throws {
        let root = Self.asked ?? Fixtures.directory
        guard Self.asked != nil || FileManager.default.fileExists(atPath: root.path) else {
            Self.say(
                "left out: no public suites in \(root.path); docs/internals/conformance.md says where they are to be "
                    + "had"
            )
            return
        }
        let found = try FixtureGroups(at: root)
        let above = root.deletingLastPathComponent()
        let heavy = HeavyFiles(in: [root, above, above.deletingLastPathComponent(), Fixtures.directory])
        var sum = Tally()
        for group in found.groups {
            let tally = group.run(Self.selection, heavy: heavy)
            if Self.selection == .extreme, tally.files == 0 { continue }
            Self.say(tally.line(group.name))
            for failure in tally.failures.prefix(Self.shownMaximum) { Self.say("  failed: \(failure)") }
            #expect(tally.failed == 0, "\(group.name)")
            sum.add(tally)
            if Self.selection == .usual, Self.isKnownSelection { Self.compare(group.name, tally) }
        }
        for name in found.passedOver.sorted() {
            Self.say("\(name): left out: \(FixtureGroups.elsewhere[name] ?? "")")
        }
        #expect(sum.passed > 0, "nothing was run: no test files in \(root.path)")
        if Self.selection == .usual, Self.isKnownSelection {
            let missing = Set(Self.known.keys).subtracting(found.groups.map(\.name))
            #expect(missing.isEmpty, "groups of the known selection are missing")
        }
    }

    /// Files and subtests of the selection that lies beside the package, from its own README files; so that a runner
    /// that passes over cases is found out. The extreme files are in the first figure only.
    private static let known: [String: (files: Int, subtests: Int)] = [
        "state-cancun": (1868, 14030), "state-eest": (148, 2626), "state-eest-prague-static": (1673, 5435),
        "blockchain-cancun": (238, 388), "blockchain-eest": (141, 1271), "transaction": (145, 1843), "rlp": (3, 38),
        "trie": (6, 16), "abi": (1, 2), "keystore": (1, 3), "basic": (7, 17), "precompiles": (52, 2186),
        "opcodes": (23, 1316), "kzg": (100, 100),
    ]

    private static let isKnownSelection = asked == nil && environment["CAUSEWAY_FIXTURES"] == nil

    private static func compare(_ group: String, _ tally: Tally) {
        guard let known = known[group] else { return }
        #expect(tally.files + tally.filesLeftOut.values.reduce(0, +) == known.files, "files of \(group)")
        #expect(tally.subtests == known.subtests, "subtests of \(group)")
    }

    /// Whole lines at once, so that nothing of other tests comes between.
    private static func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}
