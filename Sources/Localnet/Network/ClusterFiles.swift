// The configuration files of a cluster, as text: cluster.yaml and one file for each relayer. The relayer's own reader says
// what each key means.

import CCIP
import Ethereum
import MessageBus

/// Ports of one relayer's two processes, all on the loopback address.
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

    package func http(_ role: String) -> Int { role == "committing" ? committingHTTP : executingHTTP }
}

package enum ClusterFiles {
    static func loopback(_ port: Int) -> String { "tcp://127.0.0.1:\(port)" }

    /// cluster.yaml, which all relayers share.
    package static func cluster(
        name: String, plan: DeploymentPlan, relayers: [(keys: LocalRelayerKeys, ports: RelayerPorts)]
    ) -> String {
        var text = """
            # The cluster that `causeway up` started. Written on each start.
            version: 1
            name: \(name)
            faulty: \(plan.request.faulty)
            chains:

            """
        for chain in plan.chains { text += Self.chain(chain, plan.request) }
        text += "lanes:\n"
        for from in plan.chains {
            for to in plan.chains where to.chain.name != from.chain.name {
                text += "  - {from: \(from.chain.name), to: \(to.chain.name)}\n"
            }
        }
        // Milliseconds: a local network agrees within a few, and starts a round when there is something to do.
        text += """
            timing:
              deltaProgress: 2000
              deltaResend: 500
              deltaInitial: 500
              deltaRound: 10
              deltaIdle: 1000
              deltaGrace: 5
              deltaStage: 1000
              deltaCertifiedCommitRequest: 200
              rMax: 100000
            relayers:

            """
        for (keys, ports) in relayers { text += relayer(keys, ports, plan) }
        return text
    }

    private static func chain(_ plan: ChainPlan, _ request: DeploymentRequest) -> String {
        let contracts = plan.contracts
        var text = """
              - name: \(plan.chain.name)
                chainId: \(plan.chain.chainID)
                selector: "\(plan.chain.selector)"
                faulty: \(request.faulty)
                startBlock: 1
                contracts:
                  router: "\(contracts.router.checksummed)"
                  onRamp: "\(contracts.onRamp.checksummed)"
                  offRamp: "\(contracts.offRamp.checksummed)"
                  feeQuoter: "\(contracts.feeQuoter.checksummed)"
                  nonceManager: "\(contracts.nonceManager.checksummed)"
                  rmnRemote: "\(contracts.rmnRemote.checksummed)"
                  rmnProxy: "\(contracts.rmnProxy.checksummed)"
                  tokenAdminRegistry: "\(contracts.tokenAdminRegistry.checksummed)"
                wrappedNative: "\(contracts.wrappedNative.checksummed)"
                tokenPrices:
                  - {token: "\(contracts.wrappedNative.checksummed)", usd: "\(plan.chain.nativePriceUSD18)"}

            """
        for token in request.tokens {
            guard let address = contracts.token(token.symbol)?.token else { continue }
            text += "      - {token: \"\(address.checksummed)\", usd: \"\(token.priceUSD18)\"}\n"
        }
        text += """
                maxFeePerGas: "500000000000"
                feeBumpBlocks: 30
                digests:
                  commit: "\(plan.commitDigest)"
                  execute: "\(plan.executeDigest)"
                batchGasLimit: 20000000

            """
        return text
    }

    private static func relayer(_ keys: LocalRelayerKeys, _ ports: RelayerPorts, _ plan: DeploymentPlan) -> String {
        var text = """
              - name: \(keys.name)
                offchainPublicKey: "\(Hex.encode(keys.offchain.publicKey))"
                reportSigner: "\(keys.reportSigner.address.checksummed)"
                committing:
                  curvePublicKey: \(quoted(keys.curveCommitting.publicKey.z85))
                  mesh: "\(loopback(ports.committingMesh))"
                executing:
                  curvePublicKey: \(quoted(keys.curveExecuting.publicKey.z85))
                  mesh: "\(loopback(ports.executingMesh))"
                transmitters:

            """
        for chain in plan.chains {
            let name = chain.chain.name
            text += "      \(name):\n"
            text += "        committing: \"\(keys.committing[name]?.address.checksummed ?? "")\"\n"
            text += "        executing: \"\(keys.executing[name]?.address.checksummed ?? "")\"\n"
        }
        return text
    }

    /// One relayer's own file. Paths are relative to the file.
    package static func relayer(
        keys: LocalRelayerKeys, ports: RelayerPorts, endpoints: [(chain: String, url: String)], logLevel: String
    ) -> String {
        let folder = "../\(keys.name)"
        var text = """
            # \(keys.name) of the cluster that `causeway up` started. Written on each start.
            version: 1
            cluster: cluster.yaml
            relayer: \(keys.name)
            dataDirectory: \(folder)
            keys:
              directory: \(folder)/keys
              passwordFile: \(folder)/keys/\(KeyFileName.password)
            endpoints:

            """
        for (chain, url) in endpoints {
            text += "  \(chain): {urls: [\"\(url)\"], quorum: 1}\n"
        }
        text += """
            pair: "\(loopback(ports.pair))"
            http:
              committing: "127.0.0.1:\(ports.committingHTTP)"
              executing: "127.0.0.1:\(ports.executingHTTP)"
            eventFeed: "\(loopback(ports.eventFeed))"
            pollMilliseconds: 250
            logLevel: \(logLevel)

            """
        return text
    }

    /// YAML's single quotes take everything as it stands, but for the quote itself. Z85 has none, and many odd letters.
    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
