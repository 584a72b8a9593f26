// The configuration files of a cluster, as text: cluster.yaml of a local network and one file for each relayer. The
// relayer's own reader says what each key means.

import CCIP
import Ethereum
import MessageBus

/// Ports of one relayer's two processes, all on one address.
package struct RelayerPorts: Sendable, Equatable {
    package var committingMesh: Int
    package var executingMesh: Int
    package var pair: Int
    package var committingHTTP: Int
    package var executingHTTP: Int
    package var eventFeed: Int

    package init(
        committingMesh: Int, executingMesh: Int, pair: Int, committingHTTP: Int, executingHTTP: Int, eventFeed: Int
    ) {
        self.committingMesh = committingMesh
        self.executingMesh = executingMesh
        self.pair = pair
        self.committingHTTP = committingHTTP
        self.executingHTTP = executingHTTP
        self.eventFeed = eventFeed
    }

    /// The six next free ports from `next` on, which is moved behind them. Throws `portsExhausted`.
    package init(_ ports: Ports, from next: inout Int) throws(LocalnetError) {
        func port(_ next: inout Int) throws(LocalnetError) -> Int {
            let port = try ports.take(from: next)
            next = port + 1
            return port
        }
        self.init(
            committingMesh: try port(&next), executingMesh: try port(&next), pair: try port(&next),
            committingHTTP: try port(&next), executingHTTP: try port(&next), eventFeed: try port(&next))
    }

    package func http(_ role: String) -> Int { role == "committing" ? committingHTTP : executingHTTP }
}

/// relayer-N.yaml as a value. Paths are relative to the file.
package struct RelayerDocument: Sendable, Equatable {
    package var comment: String
    package var name: String
    /// Holds the relayer's stores, and its keys in `keys`.
    package var folder: String
    package var endpoints: [(chain: String, urls: [String])]
    package var host: String
    package var ports: RelayerPorts
    package var pollMilliseconds: Int
    package var logLevel: String
    /// Where it asks for prices of streams; nil where none comes from them.
    package var streams: Streams?

    package struct Streams: Sendable, Equatable {
        package var origins: [String]
        package var keyFile: String
    }

    package static func == (a: RelayerDocument, b: RelayerDocument) -> Bool { a.text == b.text }

    package var text: String {
        var text = """
            # \(comment)
            version: 1
            cluster: cluster.yaml
            relayer: \(name)
            dataDirectory: \(folder)
            keys:
              directory: \(folder)/keys
              passwordFile: \(folder)/keys/\(KeyFileName.password)
            endpoints:

            """
        for (chain, urls) in endpoints {
            let list = urls.map { "\"\($0)\"" }.joined(separator: ", ")
            text += "  \(chain): {urls: [\(list)]\(urls.count == 1 ? ", quorum: 1" : "")}\n"
        }
        text += """
            pair: "\(ClusterFiles.loopback(ports.pair))"
            http:
              committing: "\(host):\(ports.committingHTTP)"
              executing: "\(host):\(ports.executingHTTP)"
            eventFeed: "tcp://\(host):\(ports.eventFeed)"
            pollMilliseconds: \(pollMilliseconds)
            logLevel: \(logLevel)

            """
        if let streams {
            let list = streams.origins.map { "\"\($0)\"" }.joined(separator: ", ")
            text += "priceStreams:\n  origins: [\(list)]\n  keyFile: \(streams.keyFile)\n"
        }
        return text
    }
}

package enum ClusterFiles {
    static func loopback(_ port: Int) -> String { "tcp://127.0.0.1:\(port)" }

    /// The cluster of a deployment of ours, every chain with a lane to every other one.
    package static func document(
        name: String, comment: String, plan: DeploymentPlan, timing: [(key: String, value: UInt64)],
        relayers: [ClusterDocument.Relayer]
    ) -> ClusterDocument {
        var lanes: [AdoptionFile.Lane] = []
        for from in plan.chains {
            for to in plan.chains where to.chain.name != from.chain.name {
                lanes.append(.init(from: from.chain.name, to: to.chain.name))
            }
        }
        return ClusterDocument(
            comment: comment, name: name, faulty: plan.request.faulty,
            chains: plan.chains.map { .init($0, plan.request) }, lanes: lanes, timing: timing, relayers: relayers)
    }

    /// cluster.yaml of the local network.
    package static func cluster(
        name: String, plan: DeploymentPlan, relayers: [(keys: LocalRelayerKeys, ports: RelayerPorts)],
        guards: [(keys: LocalGuardKeys, ports: GuardPorts)] = [],
        attestationAPI: String? = nil, streams: StreamsDocument? = nil
    ) throws(LocalnetError) -> String {
        var document = document(
            name: name, comment: "The cluster that `causeway up` started. Written on each start.", plan: plan,
            timing: ClusterDocument.localTiming,
            relayers: relayers.map { relayer($0.keys, $0.ports, host: "127.0.0.1", chains: plan.chains.map(\.chain.name)) })
        for index in document.chains.indices {
            // Blocks come many a second.
            document.chains[index].feeBumpBlocks = 30
        }
        document.guards = guards.map { guardEntry($0.keys, $0.ports, host: "127.0.0.1") }
        if !guards.isEmpty { document.guardTimeoutMilliseconds = ClusterDocument.localGuardTimeoutMilliseconds }
        document.tokenData = ClusterDocument.TokenData(plan, api: attestationAPI)
        if let streams { try document.takePrices(from: streams, plan) }
        return document.text
    }

    static func guardEntry(_ keys: LocalGuardKeys, _ ports: GuardPorts, host: String) -> ClusterDocument.Guard {
        .init(
            name: keys.name, signer: keys.signer.address, curvePublicKey: keys.curve.publicKey.z85,
            mesh: "tcp://\(host):\(ports.mesh)")
    }

    package static func relayer(
        _ keys: LocalRelayerKeys, _ ports: RelayerPorts, host: String, chains: [String]
    ) -> ClusterDocument.Relayer {
        ClusterDocument.Relayer(
            name: keys.name, offchainPublicKey: keys.offchain.publicKey, reportSigner: keys.reportSigner.address,
            committing: .init(
                curvePublicKey: keys.curveCommitting.publicKey.z85, mesh: "tcp://\(host):\(ports.committingMesh)"),
            executing: .init(
                curvePublicKey: keys.curveExecuting.publicKey.z85, mesh: "tcp://\(host):\(ports.executingMesh)"),
            transmitters: chains.map { chain in
                .init(
                    chain: chain, committing: keys.committing[chain]?.address ?? .zero,
                    executing: keys.executing[chain]?.address ?? .zero)
            })
    }

    /// One relayer's own file on the local network.
    package static func relayer(
        keys: LocalRelayerKeys, ports: RelayerPorts, endpoints: [(chain: String, url: String)], logLevel: String,
        streams: RelayerDocument.Streams? = nil
    ) -> String {
        RelayerDocument(
            comment: "\(keys.name) of the cluster that `causeway up` started. Written on each start.", name: keys.name,
            folder: "../\(keys.name)", endpoints: endpoints.map { ($0.chain, [$0.url]) }, host: "127.0.0.1", ports: ports,
            pollMilliseconds: 250, logLevel: logLevel, streams: streams
        ).text
    }

    /// YAML's single quotes take everything as it stands, but for the quote itself. Z85 has none, and many odd letters.
    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
