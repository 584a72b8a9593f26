// The folder of a cluster: the files of its relayers and guards, and what a command makes of them.

import CCIP
import Configuration
import Ethereum
import Foundation
import Localnet
import Relayer

struct ClusterFolder: Sendable {
    struct Guard: Sendable {
        let name: String
        let path: String
        let port: Int?
    }

    let directory: String
    let relayers: [(path: String, settings: RelayerSettings)]
    let guards: [Guard]
    let accounts: [NetworkDocument.Account]

    /// True for a folder with a cluster.yaml in it.
    static func holds(_ path: String) -> Bool { Files.exists(path + "/cluster.yaml") }

    /// Reads every relayer's and guard's file in `directory` (or in its `relayer-config`). Throws what is wrong with one.
    init(_ directory: String) throws {
        let absolute = Files.absolute(directory)
        let folder = Self.holds(absolute) || !Self.holds(absolute + "/relayer-config") ? absolute : absolute + "/relayer-config"
        var relayers: [(path: String, settings: RelayerSettings)] = []
        var guards: [Guard] = []
        for name in Files.names(in: folder) where name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            let path = folder + "/" + name
            let text = try SettingsFile.read(path)
            var root = try ConfigurationReader(text: text, file: path).root
            if root.has("relayer"), root.has("endpoints") {
                relayers.append((path, try ConfigurationFiles.relayer(path).settings))
            } else if root.has("guard") {
                let address = try root.optional("http")
                guards.append(
                    Guard(
                        name: try root.string("guard"), path: path,
                        port: address?.split(separator: ":").last.flatMap { Int($0) }))
            }
        }
        guard let first = relayers.first else {
            throw CommandFailure(
                "noRelayers", "no relayer's file in \(folder)",
                hint: "causeway adopt writes a folder with all of them; relayer-config/ is an example")
        }
        for (path, settings) in relayers where settings.cluster != first.settings.cluster {
            throw CommandFailure(
                "severalClusters", "\(path) and \(first.path) are of two clusters", hint: "keep each cluster in a folder of its own")
        }
        // In oracle order.
        self.relayers = relayers.sorted { $0.settings.ownIndex < $1.settings.ownIndex }
        self.guards = guards
        self.directory = absolute
        accounts = AdoptionFolder(absolute).accounts
    }

    var settings: [RelayerSettings] { relayers.map(\.settings) }

    /// A process for each relayer, or one for each role, and one for each guard.
    func members(oneForEachRole: Bool) -> [ClusterMember] {
        var members: [ClusterMember] = []
        for (path, settings) in relayers {
            let roles: [RelayerRole] = oneForEachRole ? [.committing, .executing] : [.both]
            for role in roles {
                let ports = role == .both ? [settings.http(.committing).port, settings.http(.executing).port] : [settings.http(role).port]
                members.append(
                    ClusterMember(
                        name: settings.relayer, role: role.rawValue,
                        arguments: ["relayer", "--config", path, "--role", role.rawValue], ports: ports))
            }
        }
        for node in guards {
            members.append(
                ClusterMember(
                    name: node.name, role: "guard", arguments: ["guard", "--config", node.path],
                    ports: node.port.map { [$0] } ?? []))
        }
        return members
    }

    /// What localnet.json tells of this cluster.
    func document() -> NetworkDocument {
        var document = NetworkDocument(
            state: .starting, pid: 0, startedAt: 0, dataDirectory: directory, chains: [], accounts: accounts, relayers: [])
        guard let first = settings.first else { return document }
        document.chains = first.cluster.chains.map { chain in
            let url = first.endpoints.first { $0.chain == chain.name }?.urls.first.map { "\($0)" } ?? ""
            var entry = NetworkDocument.Chain(
                name: chain.name, displayName: chain.name, chainID: chain.chainID, selector: chain.selector, rpc: url,
                webSocket: url, pid: 0, log: "", blockMilliseconds: 0)
            entry.contracts = chain.bridgeContracts
            entry.commitDigest = chain.commitDigest
            entry.executeDigest = chain.executeDigest
            return entry
        }
        document.relayers = relayers.map { path, settings in
            let own = settings.cluster.relayers[settings.ownIndex]
            var transmitters: [String: [String: Address]] = [:]
            for pair in own.transmitters {
                guard let chain = settings.cluster.chain(pair.chain) else { continue }
                transmitters[chain.name] = [:]
                transmitters[chain.name]?["committing"] = pair.committing
                transmitters[chain.name]?["executing"] = pair.executing
            }
            return NetworkDocument.Relayer(
                index: settings.ownIndex, name: settings.relayer, config: path, pids: [:],
                ports: RelayerPorts(
                    committingMesh: Self.port(own.committing.mesh), executingMesh: Self.port(own.executing.mesh),
                    pair: Self.port("\(settings.pair)"), committingHTTP: settings.committingHTTP.port,
                    executingHTTP: settings.executingHTTP.port, eventFeed: Self.port("\(settings.eventFeed)")),
                logs: [:], reportSigner: own.reportSigner, transmitters: transmitters)
        }
        document.guards = guards.compactMap { node in
            guard let index = first.cluster.guards.firstIndex(where: { $0.name == node.name }) else { return nil }
            let listed = first.cluster.guards[index]
            return NetworkDocument.Guard(
                index: index, name: node.name, config: node.path,
                ports: GuardPorts(mesh: Self.port(listed.member.mesh), http: node.port ?? 0), log: "",
                signer: listed.signer)
        }
        return document
    }

    private static func port(_ endpoint: String) -> Int { endpoint.split(separator: ":").last.flatMap { Int($0) } ?? 0 }
}

extension ClusterSettings.Chain {
    /// The contracts under the names that commands use.
    var bridgeContracts: ChainContracts {
        var list = ChainContracts()
        list.router = contracts.router
        list.onRamp = contracts.onRamp
        list.offRamp = contracts.offRamp
        list.feeQuoter = contracts.feeQuoter
        list.nonceManager = contracts.nonceManager
        list.rmnRemote = contracts.rmnRemote
        list.rmnProxy = contracts.rmnProxy
        list.tokenAdminRegistry = contracts.tokenAdminRegistry
        list.wrappedNative = wrappedNative
        return list
    }
}
