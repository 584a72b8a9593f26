// Opening, locking, checking and crashing: what a store promises whatever happens around it.

import Ethereum
import Foundation
import GRDB
import Logging
import Testing

@testable import Storage

/// A directory of its own that goes away with the test.
final class Scratch {
    let folder: URL
    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String = "store.sqlite") -> String { folder.appendingPathComponent(name).path }

    func open(_ name: String = "store.sqlite", role: String = "committing") throws -> Store {
        try Store(path: path(name), role: role, logger: quiet)
    }

    /// What a power cut or `kill -9` leaves: the file and its log as they are on the disk at this moment.
    func copy(_ name: String, to other: String, logBytes: Int? = nil) throws {
        for suffix in ["", "-wal"] {
            guard FileManager.default.fileExists(atPath: path(name) + suffix) else { continue }
            var data = try Data(contentsOf: URL(fileURLWithPath: path(name) + suffix))
            if suffix == "-wal", let logBytes { data = data.prefix(logBytes) }
            try data.write(to: URL(fileURLWithPath: path(other) + suffix))
        }
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

func digest(_ byte: UInt8) -> Bytes { Bytes(repeating: byte, count: 32) }

@Suite("Store")
struct StoreTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func refusal(_ name: String = "store.sqlite", _ role: String = "executing") -> StorageError? {
        do {
            _ = try scratch.open(name, role: role)
            return nil
        } catch { return error as? StorageError }
    }

    @Test("a store counts its starts and knows whether it is new")
    func boots() throws {
        let first = try scratch.open()
        #expect(first.isNew && first.bootCount == 1)
        try first.close()
        let second = try scratch.open()
        #expect(!second.isNew && second.bootCount == 2)
    }

    @Test("a second opener is refused and told who holds the store")
    func lock() throws {
        let holder = try scratch.open()
        let error = try #require(refusal())
        #expect(error.code == .locked && error.retry == .later)
        #expect(error.message.contains("pid \(getpid())") && error.message.contains("role committing"))
        try holder.close()
        #expect(refusal() == nil)
    }

    @Test("the lock dies with the store and not with the lock file")
    func staleLockFile() throws {
        try "pid 1, role committing".write(toFile: scratch.path() + ".lock", atomically: true, encoding: .utf8)
        #expect(refusal() == nil)
    }

    @Test("the database runs with a log, full syncs and foreign keys")
    func pragmas() throws {
        let store = try scratch.open()
        let found = try store.read { database in
            [
                try String.fetchOne(database, sql: "PRAGMA journal_mode") ?? "",
                try String.fetchOne(database, sql: "PRAGMA synchronous") ?? "",
                try String.fetchOne(database, sql: "PRAGMA foreign_keys") ?? "",
            ]
        }
        #expect(found == ["wal", "2", "1"])
    }

    @Test("a closed store answers with a named error")
    func closed() throws {
        let store = try scratch.open()
        try store.close()
        #expect(throws: StorageError.self) { try store.setValue("a", [1]) }
        do { _ = try store.value("a") } catch { #expect(error.code == .closed) }
    }

    // MARK: Damage

    @Test("an empty file is damage and stays as it is")
    func emptyFile() throws {
        try Data().write(to: URL(fileURLWithPath: scratch.path()))
        #expect(refusal()?.code == .corrupted)
        #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.path())).isEmpty)
    }

    @Test("a file of garbage is damage and stays as it is")
    func garbage() throws {
        let bytes = Data((0..<9_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try bytes.write(to: URL(fileURLWithPath: scratch.path()))
        #expect(refusal()?.code == .corrupted)
        #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.path())) == bytes)
    }

    @Test("a log without its file is damage")
    func lostFile() throws {
        try Data(repeating: 1, count: 100).write(to: URL(fileURLWithPath: scratch.path() + "-wal"))
        #expect(refusal()?.code == .corrupted)
        #expect(!FileManager.default.fileExists(atPath: scratch.path()))
    }

    @Test("a damaged page is found before the store is used", arguments: [1, 2, 3, 5, 8, 20, 24])
    func damagedPage(page: Int) throws {
        let store = try scratch.open()
        for index in 0..<400 {
            try store.setValue("key \(index)", Bytes(repeating: UInt8(truncatingIfNeeded: index), count: 200))
        }
        try store.close()
        let url = URL(fileURLWithPath: scratch.path())
        var bytes = try Data(contentsOf: url)
        let start = page * 4096
        for at in start..<start + 600 { bytes[at] = 0xa5 }
        try bytes.write(to: url)
        #expect(refusal()?.code == .corrupted)
        #expect(try Data(contentsOf: url) == bytes)
    }

    @Test("a file cut short is damage")
    func truncated() throws {
        let store = try scratch.open()
        for index in 0..<100 { try store.setValue("key \(index)", Bytes(repeating: 7, count: 500)) }
        try store.close()
        let url = URL(fileURLWithPath: scratch.path())
        let bytes = try Data(contentsOf: url)
        try bytes.prefix(bytes.count / 2 / 4096 * 4096).write(to: url)
        #expect(refusal()?.code == .corrupted)
    }

    @Test("somebody else's database is refused")
    func foreign() throws {
        let other = try DatabaseQueue(path: scratch.path())
        try other.write { try $0.execute(sql: "CREATE TABLE t (a)") }
        try other.close()
        #expect(refusal()?.code == .foreignFile)
    }

    @Test("a store of a newer version is refused")
    func newer() throws {
        let store = try scratch.open()
        try store.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('999')") }
        try store.close()
        #expect(refusal()?.code == .newerSchema)
    }

    @Test("a missing directory is named")
    func missingDirectory() throws {
        #expect(refusal("no/such/store.sqlite")?.code == .unreadable)
    }

    @Test("a first start that was cut off leaves nothing behind that counts as a store")
    func draftIsDiscarded() throws {
        try Data(repeating: 3, count: 5_000).write(to: URL(fileURLWithPath: scratch.path() + ".new"))
        let store = try scratch.open()
        #expect(store.isNew)
    }

    @Test("a failed write is remembered as bad health and thrown")
    func failedWrite() throws {
        let store = try scratch.open()
        #expect(store.writeFailure == nil)
        try store.write { try $0.execute(sql: "PRAGMA max_page_count = 40") }
        #expect(throws: StorageError.self) {
            for index in 0..<200 { try store.setValue("key \(index)", Bytes(repeating: 1, count: 3_000)) }
        }
        #expect(store.writeFailure?.code == .writeFailed)
    }
}
