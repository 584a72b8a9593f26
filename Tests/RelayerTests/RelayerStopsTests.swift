// Stops seen and lifted from outside a relayer's processes.

import ChainAccess
import Configuration
import Ethereum
import Foundation
import Storage
import Testing

@testable import Relayer

@Suite("Lifting a relayer's stops")
struct RelayerStopsTests {
    let settings: RelayerSettings

    init() throws {
        var entries: [ConfigurationEntry] = []
        var settings = try RelayerSettings.load(
            path: "\(SettingsTests.folder)/relayer-0.yaml", environment: [:], entries: &entries)
        settings.dataDirectory = FileManager.default.temporaryDirectory
            .appendingPathComponent("causeway-lift-\(UUID().uuidString)").path
        self.settings = settings
    }

    private static let lane = "lane/16015286601757825753/945045181441419236"

    private func open(_ role: RelayerRole) throws -> Store {
        try SettingsFile.makeDirectory(settings.dataDirectory)
        return try Store(
            path: RelayerNode.storePath(settings, role), role: "test", logger: StopAndRestartTests.quiet)
    }

    private func resume(_ name: String, _ why: String = "looked at") throws -> [RelayerStops.Entry] {
        try RelayerStops(settings: settings).resume(name, by: "alice", why: why, logger: StopAndRestartTests.quiet)
    }

    private func refusal(_ name: String, _ why: String = "looked at") -> RelayerError? {
        do {
            _ = try resume(name, why)
            return nil
        } catch { return error as? RelayerError }
    }

    @Test("a stop is lifted in both stores under any name of the chain, with who and why; the other stops stay")
    func lifting() throws {
        for role in [RelayerRole.committing, .executing] {
            let store = try open(role)
            try store.raiseStop(scope: "chain/2019775", kind: "finalityViolation", reason: "changed")
            if role == .committing { try store.raiseStop(scope: Self.lane, kind: "guardDisagrees", reason: "another root") }
            try store.close()
        }
        let stops = RelayerStops(settings: settings)
        #expect(try stops.overview().standing.count == 3)
        #expect(try resume("chain/jovay", "the provider was wrong").map(\.role) == [.committing, .executing])
        let overview = try stops.overview()
        #expect(overview.standing.map(\.stop.scope) == [Self.lane])
        let lifted = overview.entries.filter { !$0.stop.stands }
        #expect(lifted.map(\.stop.clearedBy) == ["alice", "alice"])
        #expect(lifted.map(\.stop.clearedWhy) == ["the provider was wrong", "the provider was wrong"])
        #expect(try resume("lane/ethereum/2019775").map(\.stop.scope) == [Self.lane])
        #expect(try stops.overview().standing.isEmpty)
        // What starts now is not stopped any more.
        let (keeper, cluster) = try StopAndRestartTests.keeper(try open(.committing))
        #expect(cluster.chains.allSatisfy { !keeper.isStopped($0.selector) })
    }

    @Test("a store that a process holds is refused by its holder's name, and then nothing is lifted anywhere")
    func held() throws {
        for role in [RelayerRole.committing, .executing] {
            let store = try open(role)
            try store.raiseStop(scope: "chain/2019775", kind: "finalityViolation", reason: "changed")
            try store.close()
        }
        let running = try open(.executing)
        let error = try #require(refusal("chain/2019775"))
        #expect(error.code == .storeHeld && error.message.contains("pid \(ProcessInfo.processInfo.processIdentifier)"))
        #expect(error.message.contains("executing") && error.hint?.contains("SIGTERM") == true)
        #expect(try RelayerStops(settings: settings).overview().standing.count == 2, "all or none, and seen meanwhile")
        try running.close()
        #expect(try resume("chain/2019775").count == 2)
    }

    @Test("an unknown stop is refused with what stands, or with the nearest")
    func unknown() throws {
        #expect(refusal(Self.lane)?.code == .store, "the relayer never ran here")
        let store = try open(.committing)
        try store.raiseStop(scope: Self.lane, kind: "guardDisagrees", reason: "another root")
        try store.close()
        #expect(refusal("lane/16015286601757825753/945045181441419263")?.hint?.contains("did you mean '\(Self.lane)'") == true)
        let other = try #require(refusal("all"))
        #expect(other.code == .unknownStop && other.hint?.contains(Self.lane) == true)
        // The lane the other way is another stop.
        #expect(refusal("lane/jovay/ethereum")?.code == .unknownStop)
        #expect(try resume(Self.lane).count == 1)
        #expect(refusal(Self.lane)?.hint?.contains("nothing is stopped") == true, "only once")
    }

    @Test("no stop is lifted without a reason", arguments: ["", "  \n", String(repeating: "x", count: 5_000)])
    func reasonless(why: String) throws {
        let store = try open(.committing)
        try store.raiseStop(scope: "all", kind: "operator", reason: "by hand")
        try store.close()
        #expect(refusal("all", why)?.code == .settings)
        #expect(try RelayerStops(settings: settings).overview().standing.count == 1)
    }
}
