import Ethereum
import Glibc
@testable import Localnet
import Testing

@Suite("processes, ports and files")
struct ProcessTests {
    private func shell(_ script: String, _ folder: String, lifeline: Lifeline? = nil) throws -> ChildProcess {
        try ChildProcess(
            name: "sh", executable: "/bin/sh", arguments: ["-c", script], environment: ["GREETING": "hello"],
            logPath: folder + "/log", lifeline: lifeline)
    }

    /// Waits until `condition` holds, at most ten seconds.
    private func eventually(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while !condition() {
            try #require(ContinuousClock.now < deadline, "it did not come about in ten seconds")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test("the end of a process is told, and its output is in its log")
    func ends() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let child = try shell("echo $GREETING; echo there >&2; exit 7", folder)
        #expect(await child.exit() == .code(7))
        #expect(child.logTail == ["hello", "there"])
        #expect(!child.isRunning && !child.signal(SIGTERM), "no signal goes to a pid that may be another's")
        let killed = try shell("kill -9 $$", folder)
        #expect(await killed.exit() == .signal(SIGKILL))
    }

    @Test("a process that ignores SIGTERM is killed after its time, with all that it started")
    func stubborn() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let child = try shell("trap '' TERM; sleep 600 & echo $! > \(folder)/grandchild; wait; sleep 600", folder)
        try await eventually { (Files.read(folder + "/grandchild", maximum: 100)?.count ?? 0) > 1 }
        let text = String(decoding: try #require(Files.read(folder + "/grandchild", maximum: 100)), as: UTF8.self)
        let grandchild = try #require(Int(text.prefix { $0.isNumber }))
        #expect(ProcessTable.isRunning(grandchild))
        #expect(await child.stop(within: 100) == .signal(SIGKILL))
        try await eventually { !ProcessTable.isRunning(grandchild) }
    }

    @Test("a polite process ends at SIGTERM")
    func polite() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let child = try shell("trap 'exit 3' TERM; echo up; while :; do sleep 0.02; done", folder)
        try await eventually { child.logTail == ["up"] }
        #expect(await child.stop(within: 10_000) == .code(3))
    }

    @Test("children see the end of their parent's lifeline")
    func lifeline() async throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        let lifeline = try Lifeline()
        let children = try (0..<3).map { _ in try shell("read x <&$CAUSEWAY_LIFELINE; exit 9", folder, lifeline: lifeline) }
        #expect(children.allSatisfy { $0.isRunning })
        lifeline.close()
        for child in children { #expect(await child.exit() == .code(9)) }
    }

    @Test("a program that is not there is refused by name")
    func missing() throws {
        let error = #expect(throws: LocalnetError.self) {
            try ChildProcess(
                name: "ghost", executable: "/no/such/program", arguments: [], logPath: "/dev/null", lifeline: nil)
        }
        #expect(error?.code == .spawnFailed)
        #expect(error?.message.contains("/no/such/program") == true)
    }

    @Test("two networks never take the same port, and a taken one is passed over")
    func ports() throws {
        let one = Ports()
        let two = Ports()
        var taken: [Int] = []
        for _ in 0..<5 { taken += [try one.take(from: 23_000), try two.take(from: 23_000)] }
        #expect(Set(taken).count == 10)
        #expect(taken.allSatisfy { Ports.isFree($0) }, "taking is a promise, not a socket")
        one.release()
        #expect(try two.take(from: 23_000) == taken.min())
    }

    @Test("one network runs in a folder at a time")
    func lock() throws {
        let folder = try Samples.folder()
        defer { Files.removeTree(folder) }
        #expect(DataDirectoryLock.holder(folder) == nil)
        let lock = try DataDirectoryLock(folder)
        #expect(DataDirectoryLock.holder(folder) == Int(getpid()))
        let error = #expect(throws: LocalnetError.self) { try DataDirectoryLock(folder) }
        #expect(error?.code == .networkRunning)
        #expect(error?.message.contains("\(getpid())") == true)
        // Let go although the file is still open, as it is in a child that was forked at the wrong moment.
        try withExtendedLifetime(lock) {
            lock.release()
            #expect(DataDirectoryLock.holder(folder) == nil)
            _ = try DataDirectoryLock(folder)
        }
    }

    @Test("a file is replaced as a whole, with its mode")
    func files() throws {
        let folder = try Samples.folder()
        try Files.makeDirectory(folder + "/a/b")
        try Files.write("one", to: folder + "/a/b/c", mode: 0o600)
        try Files.write("two", to: folder + "/a/b/c", mode: 0o600)
        #expect(Files.read(folder + "/a/b/c", maximum: 10) == Bytes("two".utf8))
        #expect(Files.read(folder + "/a/b/c", maximum: 2) == nil, "too large is not cut")
        #expect(Files.isPrivate(folder + "/a/b/c"))
        #expect(throws: LocalnetError.self) { try Files.write("x", to: folder + "/none/c") }
        Files.removeTree(folder)
        #expect(!Files.exists(folder))
    }

    @Test("amounts as people write them", arguments: [
        ("0", 18, "0"), ("1.5", 18, "1500000000000000000"), ("0.000001", 6, "1"), ("12", 0, "12"), ("007.10", 2, "710"),
    ])
    func decimals(_ text: String, _ decimals: Int, _ expected: String) {
        #expect(DecimalText.parse(text, decimals: decimals)?.decimal == expected)
    }

    @Test("no amounts", arguments: ["", ".", "1.", ".5", "-1", "1e3", "1.23", "0x1", " 1", "1 ", String(repeating: "9", count: 90)])
    func noDecimals(_ text: String) {
        #expect(DecimalText.parse(text, decimals: 1) == nil)
    }

    @Test("formatting an amount is the inverse of reading it")
    func formatted() {
        for text in ["0", "1", "1.5", "0.000000000000000001", "123456789.000001"] {
            #expect(DecimalText.parse(text, decimals: 18).map { DecimalText.format($0, decimals: 18) } == text)
        }
    }
}
