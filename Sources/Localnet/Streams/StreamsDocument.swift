// The files of a local network's DON as values: streams.yaml, and one for each process. The processes' own reader says what
// each key means (docs/reference/streams-config.md). Paths are relative to the files.

import Ethereum
import MessageBus
import PriceStreams

/// Ports of one stream oracle, both on one address.
package struct StreamOraclePorts: Sendable, Equatable {
    package var mesh: Int
    package var http: Int
}

/// Ports of one gateway.
package struct StreamGatewayPorts: Sendable, Equatable {
    /// Where oracles send reports.
    package var ingress: Int
    /// Where subscribers read, and ask.
    package var feed: Int
    package var requests: Int
    package var http: Int
}

package struct StreamsDocument: Sendable {
    package var name: String
    package var oracles: [(keys: LocalStreamsKeys, ports: StreamOraclePorts)]
    /// `origin` is the name that clients see.
    package var gateways: [(origin: String, keys: LocalStreamsKeys, ports: StreamGatewayPorts)]
    package var feeds: LocalFeeds
    /// What stands in the digest for the place where a configuration is registered.
    package var chainID: UInt64
    package var registrar: Address
    /// Where processes read the chain of the registrar; nil: they follow no Configurator.
    package var registrarRPC: String?
    package var logLevel: String

    static let donID: UInt32 = 1
    /// Rounds, ten a second, and the least distance of two reports of a feed.
    static let roundMilliseconds = 100
    static let reportIntervalMilliseconds: UInt64 = 50
    /// Of the simulated markets: all oracles see the same ones.
    static let seed = 7

    private var faulty: Int { (oracles.count - 1) / 3 }

    // MARK: Digest

    package func donConfiguration() throws(PriceStreamsError) -> DONConfiguration {
        DONConfiguration(
            donID: Self.donID, chainID: chainID, address: registrar, count: 1,
            oracles: oracles.map { keys, _ in
                .init(
                    signer: keys.signer?.address ?? .zero,
                    offchainPublicKey: keys.offchain.flatMap { Hash32(bytes: $0.publicKey) } ?? .zero)
            },
            faulty: UInt8(faulty), reportIntervalNanosecondsMinimum: Self.reportIntervalMilliseconds * 1_000_000,
            rules: try StreamRules(feeds.streams.map(\.rule)))
    }

    /// What contracts are told. Throws `invalidRequest`.
    package func contractSide() throws(LocalnetError) -> DeploymentRequest.Streams {
        func side(_ symbol: String) throws(LocalnetError) -> DeploymentRequest.Streams.Feed {
            guard let feed = feeds.feed(symbol) else {
                throw LocalnetError(.invalidRequest, "the streams have no feed of \(symbol)")
            }
            return .init(symbol: symbol, feedID: feed.feedID, decimals: LocalFeeds.decimals)
        }
        let digest: Hash32
        do { digest = try donConfiguration().digest() } catch {
            throw LocalnetError(.invalidRequest, "the streams of the local network: \(error)")
        }
        return DeploymentRequest.Streams(
            digest: digest, signers: oracles.map { $0.keys.signer?.address ?? .zero }, faulty: UInt8(faulty),
            native: try side(LocalFeeds.native), link: try side(LocalFeeds.link))
    }

    // MARK: Files

    private static func head(_ what: String) -> String { "# \(what) that `causeway up` started. Written on each start.\nversion: 1\n" }
    private static func loopback(_ port: Int) -> String { ClusterFiles.loopback(port) }
    static func api(_ ports: StreamGatewayPorts) -> String { "http://127.0.0.1:\(ports.http)" }

    /// streams.yaml.
    package var text: String {
        var text = Self.head("The price streams") + "name: \(name)\n"
        text += "don:\n  id: \(Self.donID)\n  faulty: \(faulty)\n"
        text += "  configurator: {chainId: \(chainID), address: \"\(registrar.checksummed)\"}\n"
        text += "  minimumReportIntervalMilliseconds: \(Self.reportIntervalMilliseconds)\n"
        text += "timing:\n  deltaRound: \(Self.roundMilliseconds)\noracles:\n"
        for (keys, ports) in oracles {
            text += """
                  - name: \(keys.name)
                    signer: "\((keys.signer?.address ?? .zero).checksummed)"
                    offchainPublicKey: "\(Hex.encode(keys.offchain?.publicKey ?? []))"
                    curvePublicKey: \(ClusterFiles.quoted(keys.curve.publicKey.z85))
                    endpoint: "\(Self.loopback(ports.mesh))"

                """
        }
        text += "gateways:\n"
        for (origin, keys, ports) in gateways {
            text += """
                  - name: \(origin)
                    curvePublicKey: \(ClusterFiles.quoted(keys.curve.publicKey.z85))
                    ingress: "\(Self.loopback(ports.ingress))"
                    access:
                      feed: "\(Self.loopback(ports.feed))"
                      requests: "\(Self.loopback(ports.requests))"
                      api: "\(Self.api(ports))"

                """
        }
        text += "streams:\n" + feeds.streams.map { "  - \($0.text)\n" }.joined()
        text += "fees: {native: \(LocalFeeds.feeStream(LocalFeeds.native)), link: \(LocalFeeds.feeStream(LocalFeeds.link))}\n"
        return text + "feeds:\n" + feeds.feeds.map { "  - \($0.text)\n" }.joined()
    }

    /// What oracles and gateways say of themselves alike.
    private func process(_ kind: String, _ name: String, folder: String, httpPort: Int) -> String {
        Self.head("\(kind) \(name) of the price streams") + """
            streams: streams.yaml
            \(kind): \(name)
            dataDirectory: \(folder)
            keys:
              directory: \(folder)/keys
              passwordFile: \(folder)/keys/\(KeyFileName.password)
            http: "127.0.0.1:\(httpPort)"
            logLevel: \(logLevel)

            """ + watching
    }

    private var watching: String {
        guard let registrarRPC else { return "" }
        return """
            watch:
              endpoints: {urls: ["\(registrarRPC)"]}
              pollMilliseconds: \(Self.pollMilliseconds)
              configurations: \(Self.configurations)

            """
    }

    /// Where further configurations are put, beside streams.yaml.
    package static let configurations = "configurations"
    /// Between two looks at the heads of the registrar's chain.
    static let pollMilliseconds = 500

    /// The own file of an oracle.
    package func oracleText(_ index: Int) -> String {
        let (keys, ports) = oracles[index]
        return process("oracle", keys.name, folder: keys.name, httpPort: ports.http)
            + "sources:\n  - {kind: simulator, seed: \(Self.seed)}\n"
    }

    /// The own file of a gateway.
    package func gatewayText(_ index: Int) -> String {
        let (origin, keys, ports) = gateways[index]
        return process("gateway", origin, folder: keys.name, httpPort: ports.http)
            + "feed: \"\(Self.loopback(ports.feed))\"\nrequests: \"\(Self.loopback(ports.requests))\"\n"
    }
}
