// Handovers at the edge: on disk before anybody acts, files by their digests, and what the life cycle wants of an instance.

import ChainAccess
import Configuration
import Ethereum
import Foundation
import Logging
import OffchainReporting
import PriceStreams
import Storage
import Synchronization
import Testing

@testable import StreamsNode

/// A folder that goes away with the test.
final class HandoverFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("handover-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    }

    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    func store() throws -> Store { try Store(path: "\(path)/handover.sqlite", role: "test", logger: Self.quiet) }
}

/// The DON of the sources' tests, and what may follow it.
enum HandoverFixture {
    static func first() throws -> StreamsSettings { try StreamsSettings(yaml: SourcesFixture.streamsYAML, file: "streams.yaml") }

    static func successorYAML(count: Int = 2) throws -> String {
        let digest = try first().configurationDigest()
        return SourcesFixture.streamsYAML.replacingOccurrences(
            of: "don: {id: 1, ", with: "don: {id: 1, predecessor: \"\(digest.hex)\", "
        ).replacingOccurrences(of: "00aa\"}", with: "00aa\", count: \(count)}")
    }

    static func successor() throws -> StreamsSettings { try StreamsSettings(yaml: successorYAML(), file: "green.yaml") }
}

@Suite("The keeper of handovers")
struct HandoverKeeperTests {
    @Test("what is to run is on disk before anybody is told, and the same again after a restart")
    func persistence() async throws {
        let folder = try HandoverFolder()
        let (blue, green) = try (HandoverFixture.first().registered(), HandoverFixture.successor().registered())
        let told = Mutex<[[Hash32]]>([])
        let behind = Mutex(0)
        func keeper(_ store: Store) throws -> HandoverKeeper {
            try HandoverKeeper(
                store: store, donID: 1, initial: blue, logger: HandoverFolder.quiet, onFailure: { _ in }
            ) { runs in
                told.withLock { $0.append(runs.map(\.digest)) }
                // What another process would find if this one died now.
                guard let bytes = try? store.value("handover"),
                    let found = try? HandoverBook(encoded: bytes, donID: 1, initial: blue)
                else { return }
                var book = found
                _ = book.handle(.served([blue.digest, green.digest]))
                if book.runs != runs { behind.withLock { $0 += 1 } }
            }
        }
        var store = try folder.store()
        let first = try keeper(store)
        first.start()
        #expect(told.withLock { $0 } == [[blue.digest]])
        try await first.record([.served([blue.digest, green.digest])])
        try await first.record([.log(.production(blue), at: LogPosition(block: 1, index: 0)), .current])
        try await first.record([.log(.staging(green), at: LogPosition(block: 2, index: 0))])
        #expect(told.withLock { $0.last } == [blue.digest, green.digest])
        try await first.record([.log(.promoted(retired: blue.digest), at: LogPosition(block: 3, index: 0))])
        try await first.record([.outcome(green.digest, .staging)])
        #expect(first.current.runs.map(\.shouldRetire) == [true, false])
        #expect(behind.withLock { $0 } == 0)
        let before = first.current.runs
        first.stop()
        try store.close()

        store = try folder.store()
        let second = try keeper(store)
        try await second.record([.served([blue.digest, green.digest])])
        #expect(second.current.runs == before)
        second.stop()
        try store.close()
    }

    @Test("what cannot be written down is not acted upon, and ends the process")
    func failure() async throws {
        let folder = try HandoverFolder()
        let (blue, green) = try (HandoverFixture.first().registered(), HandoverFixture.successor().registered())
        let store = try folder.store()
        let told = Mutex(0)
        let failures = Mutex<[String]>([])
        let keeper = try HandoverKeeper(
            store: store, donID: 1, initial: blue, logger: HandoverFolder.quiet,
            onFailure: { reason in failures.withLock { $0.append(reason) } }
        ) { _ in told.withLock { $0 += 1 } }
        try await keeper.record([
            .served([blue.digest, green.digest]), .log(.production(blue), at: LogPosition(block: 1, index: 0)), .current,
        ])
        let before = (keeper.current, told.withLock { $0 })
        try store.close()
        await #expect(throws: (any Error).self) {
            try await keeper.record([.log(.staging(green), at: LogPosition(block: 2, index: 0))])
        }
        #expect(keeper.current == before.0 && told.withLock { $0 } == before.1)
        #expect(failures.withLock { $0.count } == 1)
    }
}

@Suite("The folder of configurations")
struct ConfigurationFolderTests {
    @Test("files are known by their digests; others are named and keep nothing back; changes are seen")
    func folder() throws {
        let place = try HandoverFolder()
        let main = try HandoverFixture.first()
        let green = try HandoverFixture.successor()
        var folder = try ConfigurationFolder(path: place.path, main: main)
        let (digest, next) = try (main.configurationDigest(), green.configurationDigest())
        #expect(Set(folder.content.known.keys) == [digest])
        try place.write("green.yaml", HandoverFixture.successorYAML())
        try place.write("broken.yaml", "don: {id: 1")
        try place.write("other.yaml", SourcesFixture.streamsYAML.replacingOccurrences(of: "don: {id: 1,", with: "don: {id: 2,"))
        try place.write("notes.txt", "nothing")
        let isNews = folder.refresh()
        #expect(isNews)
        #expect(Set(folder.content.known.keys) == [digest, next] && folder.content.problems.count == 2)
        #expect(folder.content.problems.contains { $0.contains("other.yaml") && $0.contains("another DON") })
        let again = folder.refresh()
        #expect(!again, "nothing changed")
        try place.write("later.yaml", HandoverFixture.successorYAML(count: 3))
        let sawNew = folder.refresh()
        #expect(sawNew && folder.content.known.count == 3)
        try FileManager.default.removeItem(atPath: place.path + "/green.yaml")
        let sawRemoval = folder.refresh()
        #expect(sawRemoval && folder.content.known[next] == nil && folder.content.known[digest] == main)
        #expect(try ConfigurationFolder.all(beside: main, in: place.path).map(\.configurator.count) == [3])
    }

    @Test("a configuration with a predecessor starts with its oracles, or not at all")
    func predecessor() throws {
        let (main, green) = try (HandoverFixture.first(), HandoverFixture.successor())
        let configuration = try green.configuration(predecessor: main.oracleSet())
        #expect(StreamsOutcome.initial(configuration).stage == .staging)
        #expect(StreamsOutcome.initial(try main.configuration()).stage == .production)
        #expect(throws: PriceStreamsError.self) { try green.configuration() }
        #expect(throws: PriceStreamsError.self) { try main.configuration(predecessor: green.oracleSet()) }
    }
}

@Suite("Settings of watching")
struct WatchSettingsTests {
    private func load(_ watch: String) throws -> WatchSettings? {
        let own = """
            streams: streams.yaml
            oracle: oracle-0
            dataDirectory: data
            keys: {directory: keys}
            http: "127.0.0.1:9700"
            sources:
              - {kind: simulator, seed: 7}

            """
        func read(_ path: String) throws(ConfigurationError) -> String {
            path.hasSuffix("streams.yaml") ? SourcesFixture.streamsYAML : own + watch
        }
        var entries: [ConfigurationEntry] = []
        return try OracleSettings.load(path: "/d/oracle.yaml", environment: [:], entries: &entries, readFile: read).process.watch
    }

    @Test("endpoints, quorum, finality and folder are read; what is wrong is named")
    func read() throws {
        #expect(try load("") == nil)
        let two = "endpoints: {urls: [\"http://a:1\", \"http://b:2\"], quorum: 2}"
        let found = try #require(try load("watch: {\(two), configurations: more, finalityDepth: 12}"))
        #expect(found.urls.count == 2 && found.quorum == 2 && found.finality == .depth(12, offset: 0))
        #expect(found.configurations == "/d/more" && found.startBlock == 0 && found.pollMilliseconds == 2_000)
        let tag = try #require(try load("watch: {endpoints: {urls: [\"http://a:1\"]}, configurations: more}"))
        #expect(tag.finality == .tag(offset: 0) && tag.quorum == nil)
        for bad in [
            "watch: {configurations: more}", "watch: {endpoints: {urls: [\"http://a:1\"]}}",
            "watch: {endpoints: {urls: [\"http://a:1\"]}, configurations: more, finality: 12}",
            "watch: {endpoints: {urls: [\"a:1\"]}, configurations: more}",
        ] {
            #expect(throws: ConfigurationError.self, "\(bad)") { try load(bad) }
        }
    }
}
