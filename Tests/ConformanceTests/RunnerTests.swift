// The runner itself: it finds fixtures wherever they lie, counts them, and a fault of ours makes it fail.

import DevChain
import EVM
import Ethereum
import Foundation
import TestSupport
import Testing

@Suite("Runner of the public suites")
struct RunnerTests {
    /// A folder that is gone when the test ends.
    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-runner-\(UUID())")

        deinit { try? FileManager.default.removeItem(at: url) }

        func write(_ path: String, _ text: String) throws {
            let file = url.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }

        func tar(_ archive: String, _ arguments: [String]) throws {
            let file = url.appendingPathComponent(archive)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            let tar = Process()
            tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            tar.arguments = ["tar", "czf", file.path] + arguments
            try tar.run()
            tar.waitUntilExit()
            #expect(tar.terminationStatus == 0)
        }
    }

    private static let good = #"{"dog": {"in": "dog", "out": "0x83646f67"}, "none": {"in": "", "out": "0x80"}}"#
    private static let bad = #"{"cat": {"in": "cat", "out": "0x83646f67"}}"#

    private func run(_ url: URL, _ selection: Selection = .usual) throws -> [String: Tally] {
        let heavy = HeavyFiles(in: [url])
        return Dictionary(
            uniqueKeysWithValues: try FixtureGroups(at: url).groups.map { ($0.name, $0.run(selection, heavy: heavy)) })
    }

    @Test("folders of groups, archives in them, one group and loose files are all found")
    func layouts() throws {
        let folder = Folder()
        try folder.write("all/one/deep/below/a.json", Self.good)
        try folder.write("all/one/README.md", "no test")
        try folder.write("loose.json", Self.good)
        try folder.tar("all/two/two.tar.gz", ["-C", folder.url.path, "loose.json"])
        try folder.tar("three.tar.gz", ["-C", folder.url.appendingPathComponent("all").path, "one"])
        let all = try run(folder.url.appendingPathComponent("all"))
        #expect(all.keys.sorted() == ["one", "two"])
        for name in ["one", "two"] {
            #expect(all[name]?.files == 1 && all[name]?.subtests == 2 && all[name]?.passed == 2)
        }
        let archive = try run(folder.url.appendingPathComponent("three.tar.gz"))
        #expect(archive.keys.sorted() == ["three"] && archive["three"]?.passed == 2)
        let one = try run(folder.url.appendingPathComponent("all/one"))
        #expect(one.values.map(\.passed) == [2])
        let group = try run(folder.url.appendingPathComponent("all/one/deep/below"))
        #expect(group.keys.sorted() == ["below"] && group["below"]?.passed == 2)
        #expect(throws: (any Error).self) { try FixtureGroups(at: folder.url.appendingPathComponent("nowhere")) }
    }

    @Test("a wrong case, a file that no suite has and a file that is no JSON fail, each by its name")
    func failures() throws {
        let folder = Folder()
        try folder.write("g/bad.json", Self.bad)
        try folder.write("g/good.json", Self.good)
        try folder.write("g/other.json", #"{"a": {"b": 1}}"#)
        try folder.write("g/torn.json", "{")
        let tally = try #require(try run(folder.url)["g"])
        #expect(tally.files == 4 && tally.subtests == 5 && tally.passed == 2 && tally.failed == 3)
        for (failure, name) in zip(tally.failures, ["g/bad.json cat", "g/other.json", "g/torn.json"]) {
            #expect(failure.hasPrefix(name), "\(failure)")
        }
        #expect(tally.line("g") == "g: 4 files, 5 subtests, 2 passed, 3 failed, 0 left out")
    }

    @Test("extreme files are left out aloud, and are all that a soak runs")
    func extreme() throws {
        let folder = Folder()
        try folder.write("g/slow/a.json", Self.good)
        try folder.write("g/b.json", Self.good)
        try folder.write("heavy.txt", "# class\tms\nextreme\t9000\tg\tg/slow/a.json\nheavy\t500\tg\tg/b.json\n")
        let usual = try #require(try run(folder.url)["g"])
        #expect(usual.files == 1 && usual.filesLeftOut.values.reduce(0, +) == 1)
        #expect(usual.line("g").contains("1 files left out: heavy.txt"))
        let soak = try #require(try run(folder.url, .extreme)["g"])
        #expect(soak.files == 1 && soak.passed == 2)
    }

    @Test("an archive writes nothing outside of its folder, and links in it are not followed")
    func hostileArchives() throws {
        let folder = Folder()
        try folder.write("in/ok.json", Self.good)
        try folder.write("secret.json", Self.good)
        try FileManager.default.createSymbolicLink(
            atPath: folder.url.appendingPathComponent("in/link.json").path,
            withDestinationPath: folder.url.appendingPathComponent("secret.json").path)
        let inside = folder.url.appendingPathComponent("in").path
        try folder.tar("links.tar.gz", ["-C", inside, "."])
        let links = try run(folder.url.appendingPathComponent("links.tar.gz"))
        #expect(links["links"]?.files == 1)
        try folder.tar("up.tar.gz", ["-P", "-C", inside, "--transform", "s,^ok,../../escaped,", "ok.json"])
        _ = try? FixtureGroups(at: folder.url.appendingPathComponent("up.tar.gz"))
        let shelf = FileManager.default.temporaryDirectory
        #expect(!FileManager.default.fileExists(atPath: shelf.appendingPathComponent("escaped.json").path))
        #expect(
            !FileManager.default.fileExists(
                atPath: shelf.appendingPathComponent("causeway-fixtures-\(getuid())/escaped.json").path))
    }

    @Test("each kind of file is told by what is in it")
    func kinds() throws {
        let shapes: [(String, FixtureKind)] = [
            (#"{"a": {"env": {}, "pre": {}, "post": {}, "transaction": {}}}"#, .state),
            (#"{"a": {"blocks": [], "pre": {}, "network": "Cancun"}}"#, .blockchain),
            (#"{"a": {"txbytes": "0x", "result": {}}}"#, .transaction),
            (#"{"a": {"in": "", "out": ""}}"#, .rlp), (#"{"a": {"in": [], "root": ""}}"#, .trie),
            (#"{"a": {"in": [], "tests": []}}"#, .trie), (#"{"a": {"types": [], "args": []}}"#, .abi),
            (#"{"a": {"json": {}, "password": ""}}"#, .keystore), (#"[{"X": "", "Y": "", "Expected": ""}]"#, .opcodes),
            (#"[{"kind": "create", "sender": "", "address": ""}]"#, .opcodes),
            (#"[{"Name": "", "Input": "", "Expected": ""}]"#, .opcodes),
            (#"[{"Name": "", "Input": "", "Expected": "", "Gas": 1}]"#, .precompiles),
            (#"[{"Name": "", "Input": "", "ExpectedError": ""}]"#, .precompiles),
        ]
        for (text, kind) in shapes {
            #expect(FixtureKind(of: .json(try JSON.parse(Bytes(text.utf8))), name: "x.json") == kind, "\(text)")
        }
        #expect(
            FixtureKind(of: .yaml("input:\n  commitment: ''\n  proof: ''\noutput: true\n"), name: "data.yaml") == .kzg)
        #expect(FixtureKind(of: .json([]), name: "crypto.json") == .basic)
        #expect(FixtureKind(of: .json([:]), name: "x.json") == nil)
    }

    @Test("networks and forks are read by their names")
    func forkNames() throws {
        let schedule = try #require(try ForkNames.schedule("CancunToPragueAtTime15k", nil))
        #expect(schedule.steps.map(\.since) == [0, 15_000] && schedule.steps.map(\.fork) == [.cancun, .prague])
        #expect(try ForkNames.schedule("Shanghai", nil)?.steps.map(\.fork) == [.shanghai])
        #expect(try ForkNames.schedule("EIP158", nil)?.steps.map(\.fork) == [.spuriousDragon])
        let london = try #require(try ForkNames.schedule("BerlinToLondonAt5", nil))
        #expect(london.steps.map(\.activation) == [.number(0), .number(5)])
        #expect(london.steps.map(\.fork) == [.berlin, .london] && london.terminalTotalDifficulty == .max)
        let paris = try #require(try ForkNames.schedule("ArrowGlacierToParisAtDiffC0000", nil))
        #expect(paris.steps.map(\.fork) == [.arrowGlacier, .paris] && paris.terminalTotalDifficulty == 0xc0000)
        let blobs = try #require(try ForkNames.schedule("OsakaToBPO1AtTime15k", nil))
        #expect(blobs.steps.map(\.fork) == [.osaka, .bpo1] && blobs.steps.map(\.since) == [0, 15_000])
        for name in ["HomesteadToDaoAt5", "CancunToPragueAtTime", "Amsterdam"] {
            #expect(try ForkNames.schedule(name, nil) == nil, "\(name)")
        }
        let config: JSON = [
            "blobSchedule": ["Cancun": ["target": "0x01", "max": "0x02", "baseFeeUpdateFraction": "0x10"]]
        ]
        #expect(try ForkNames.rules(.cancun, config).blobsMaximum == 2)
        #expect(try ForkNames.rules(.prague, config).blobsMaximum == 9)
    }

    @Test("a wrong rule makes public state tests fail")
    func plantedFault() throws {
        let name = "cancun/eip6780_selfdestruct/test_create_selfdestruct_same_tx_increased_nonce.json"
        guard let url = Fixtures.file("state-eest", name) else { return }
        let file = try FixtureFile(url, path: name)
        var right = Tally()
        try StateRunner().run(file, &right)
        #expect(right.failed == 0 && right.passed > 0)
        var wrong = Tally()
        try StateRunner { $0.codeBytesMaximum = 8 }.run(file, &wrong)
        #expect(wrong.failed > 0, "the fault shows")
    }

    @Test("a wrong output, a wrong price and a missing refusal each make vectors of precompiles fail")
    func plantedPrecompiles() throws {
        guard let good = Fixtures.file("precompiles", "generated/bn254Add.json"),
            let bad = Fixtures.file("precompiles", "generated/fail-bn254Add.json")
        else { return }
        let wrongOutput = Precompile(name: "swapped") { input, gas in
            Precompile.bn254Multiply.run(UnsafeRawBufferPointer(rebasing: input.prefix(64)), gas * 1_000)
        }
        let wrongPrice = Precompile(name: "dear") { input, gas in
            guard case .success(let output, let used) = Precompile.bn254Add.run(input, gas) else { return .failure }
            return .success(output, gas: used + 1)
        }
        let obliging = Precompile(name: "obliging") { _, _ in .success([], gas: 150) }
        for (precompile, url) in [(wrongOutput, good), (wrongPrice, good), (obliging, bad)] {
            var tally = Tally()
            try PrecompileRunner(replacement: precompile).run(try FixtureFile(url, path: "bn254Add.json"), &tally)
            #expect(tally.failed == tally.subtests && tally.subtests > 0, "\(precompile.name) shows")
        }
    }

    @Test("the trie of the earliest genesis blocks has the shape of every other")
    func earlyTries() {
        var random = SplitMix64.forTest("early tries")
        for count in 1..<40 {
            // Few letters, so that paths share their beginnings.
            let letters: Bytes = [0x00, 0x01, 0x10, 0x2f]
            let keys = Set((0..<count).map { _ in (0..<4).map { _ in letters[random.below(4)] } })
            let pairs = keys.map { (key: $0, value: random.bytes(33)) }
            let node = BasicRunner.earlyNode(pairs.map { (path: Nibbles.of($0.key)[...], value: .bytes($0.value)) })
            #expect(keccak256(node.encoded) == Trie.root(of: pairs))
        }
    }
}
