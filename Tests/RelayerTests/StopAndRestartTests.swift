// What must outlive a restart: a stop.

import ChainAccess
import Configuration
import Ethereum
import Foundation
import Logging
@testable import Relayer
import Storage
import Testing

@Suite("Stops and restarts")
struct StopAndRestartTests {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func store() throws -> Store {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-stop-\(UUID().uuidString)")
        try SettingsFile.makeDirectory(folder.path)
        return try Store(path: folder.appendingPathComponent("node.sqlite").path, role: "test", logger: quiet)
    }

    static func keeper(_ store: Store) throws -> (BookKeeper, ClusterSettings) {
        let cluster = try ClusterSettings(yaml: try SettingsTests.cluster(), file: "cluster.yaml")
        let keeper = try BookKeeper(cluster: cluster, store: store, feed: nil, logger: quiet, onNews: { _ in })
        return (keeper, cluster)
    }

    @Test("a stop that stands in the store stops that chain from the start, and no other")
    func stopOutlivesRestart() throws {
        let store = try Self.store()
        try store.raiseStop(scope: "chain/11155111", kind: "finalityViolation", reason: "a block changed")
        let (keeper, cluster) = try Self.keeper(store)
        #expect(keeper.isStopped(cluster.chains[0].selector))
        #expect(!keeper.isStopped(cluster.chains[1].selector))
    }

    @Test("a finality violation stops the chain at once, and a stop of everything stops every chain")
    func violation() throws {
        let (keeper, cluster) = try Self.keeper(try Self.store())
        #expect(!keeper.isStopped(cluster.chains[1].selector))
        try keeper.handle(.violated(reason: "a finalized block changed"), of: cluster.chains[1])
        #expect(keeper.isStopped(cluster.chains[1].selector) && !keeper.isStopped(cluster.chains[0].selector))
        let all = try Self.store()
        try all.raiseStop(scope: "all", kind: "operator", reason: "by hand")
        let (halted, _) = try Self.keeper(all)
        #expect(cluster.chains.allSatisfy { halted.isStopped($0.selector) })
    }
}
