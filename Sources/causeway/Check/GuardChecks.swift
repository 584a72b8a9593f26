// What `causeway check` says of guards: their files, their keys, and whether they and the relayers mean the same cluster.
// What the contracts know of them is checked lane by lane in Localnet's ClusterChecks.

import CCIP
import Ethereum
import Localnet
import Relayer
import Watcher

struct GuardChecks {
    /// One guard's file, and what of it could be read.
    let file: String
    /// The cluster of the relayers that are checked along; nil when only the guard is.
    let cluster: ClusterSettings?

    func run() -> [CheckResult] {
        let settings: GuardSettings
        do { settings = try ConfigurationFiles.guardian(file).settings } catch {
            let failure = CommandFailure(error)
            return [.bad(file, "configuration", failure.message, hint: failure.hint)]
        }
        let watched = settings.cluster
        return [
            .good(
                settings.name, "configuration",
                "\(file): \(watched.guards.count) guards, \(watched.chains.count) chains, \(watched.lanes.count) lanes"),
            keys(settings),
        ] + sameCluster(settings)
    }

    private func keys(_ settings: GuardSettings) -> CheckResult {
        do {
            let keys = try GuardKeys.open(settings)
            let admin = keys.curseAdmin.map { ", curses as \($0.address)" } ?? ""
            return .good(settings.name, "guard keys", "signer \(keys.signer.address)\(admin)")
        } catch {
            let failure = CommandFailure(error)
            return .bad(settings.name, "guard keys", failure.message, hint: failure.hint)
        }
    }

    /// A guard with an old copy of cluster.yaml signs for contracts that are not in use.
    private func sameCluster(_ settings: GuardSettings) -> [CheckResult] {
        guard let cluster else { return [] }
        let watched = settings.cluster
        var wrong: [String] = []
        let listed = cluster.guards.first { $0.name == settings.name }
        if listed == nil { wrong.append("the relayers' cluster file lists no guard \(settings.name)") }
        if let listed, listed.signer != settings.own.signer || listed.member.curvePublicKey != settings.own.member.curvePublicKey {
            wrong.append("the relayers' cluster file lists other keys")
        }
        for chain in cluster.chains {
            guard let seen = watched.chain(chain.selector) else {
                wrong.append("the guard does not watch \(chain.name)")
                continue
            }
            if seen.onRamp != chain.contracts.onRamp || seen.offRamp != chain.contracts.offRamp || seen.chainID != chain.chainID {
                wrong.append("the guard watches other contracts on \(chain.name)")
            }
        }
        let lanes = Set(watched.lanes.map { [$0.source, $0.destination] })
        let missing = cluster.lanes.filter { !lanes.contains([$0.source, $0.destination]) }
        if !missing.isEmpty { wrong.append("\(missing.count) lanes of the relayers are not watched") }
        if Set(watched.relayers.map(\.curvePublicKey)) != Set(cluster.relayers.map(\.committing.curvePublicKey)) {
            wrong.append("the guard knows other relayers")
        }
        return [
            .of(
                settings.name, "cluster", wrong, good: "the chains, lanes and members of the relayers",
                hint: "give the guard the cluster.yaml of the relayers")
        ]
    }
}
