// A DON for tests of sources: the feeds of a local network, with all kinds of streams.

import Configuration
import Ethereum
import PriceStreams
import Testing

@testable import StreamsNode

enum SourcesFixture {
    static let streamsYAML = """
        name: test
        don: {id: 1, faulty: 1, configurator: {chainId: 1337, address: "0x00000000000000000000000000000000000000aa"}}
        oracles:
        \((0..<4).map { index in
            """
              - name: oracle-\(index)
                signer: "0x00000000000000000000000000000000000000b\(index)"
                offchainPublicKey: "0x\(String(repeating: "0\(index + 1)", count: 32))"
                curvePublicKey: "\(String(repeating: "1", count: 39))\(index)"
                endpoint: tcp://127.0.0.1:950\(index)
            """
        }.joined(separator: "\n"))
        gateways:
          - {name: g1, curvePublicKey: "\(String(repeating: "2", count: 40))", ingress: "tcp://127.0.0.1:9600"}
        fees: {native: native, link: link}
        streams:
          - {name: native, id: 1, class: crypto, sources: 1}
          - {name: link, id: 2, class: crypto, sources: 1}
          - {name: ETH/USD, id: 10, kind: quote, class: crypto, sources: 1}
          - {name: BTC/USD, id: 11, kind: quote, class: crypto, sources: 1}
          - {name: USDC/USD, id: 12, kind: quote, class: crypto, sources: 1}
          - {name: CNH/USD, id: 13, kind: quote, class: currency}
          - {name: XAU/USD, id: 14, kind: quote, class: commodity}
          - {name: SPY/USD.price, id: 20, kind: timestamped, class: equity}
          - {name: SPY/USD.status, id: 21, kind: status}
          - {name: AAPL/USD.mid, id: 30, kind: timestamped, class: equity}
          - {name: AAPL/USD.quote, id: 31, kind: quote, class: equity}
          - {name: AAPL/USD.bidVolume, id: 32}
          - {name: AAPL/USD.askVolume, id: 33}
          - {name: AAPL/USD.lastTraded, id: 34, class: equity}
          - {name: AAPL/USD.status, id: 35, kind: status}
          - {name: FUND.nav, id: 40, class: netAssetValue}
          - {name: FUND.navDate, id: 41}
          - {name: FUND.aum, id: 42}
          - {name: FUND.ripcord, id: 43, kind: status}
        feeds:
          - {symbol: ETH/USD, schema: v3, channel: 1, streams: {quote: ETH/USD}}
          - {symbol: BTC/USD, schema: v3, channel: 2, streams: {quote: BTC/USD}}
          - {symbol: USDC/USD, schema: v3, channel: 3, streams: {quote: USDC/USD}}
          - {symbol: CNH/USD, schema: v3, channel: 4, class: currency, streams: {quote: CNH/USD}}
          - {symbol: XAU/USD, schema: v3, channel: 5, class: commodity, streams: {quote: XAU/USD}}
          - symbol: SPY/USD
            schema: v8
            channel: 6
            class: equity
            hours: standard
            streams: {price: SPY/USD.price, status: SPY/USD.status}
          - symbol: AAPL/USD
            schema: v11
            channel: 7
            class: equity
            hours: equities24x5
            streams:
              mid: AAPL/USD.mid
              quote: AAPL/USD.quote
              bidVolume: AAPL/USD.bidVolume
              askVolume: AAPL/USD.askVolume
              lastTraded: AAPL/USD.lastTraded
              status: AAPL/USD.status
          - symbol: FUND
            schema: v9
            channel: 8
            class: netAssetValue
            streams: {nav: FUND.nav, navDate: FUND.navDate, aum: FUND.aum, ripcord: FUND.ripcord}
        """

    static func streams(_ yaml: String = streamsYAML) throws -> StreamsSettings {
        try StreamsSettings(yaml: yaml, file: "streams.yaml")
    }

    /// The sources of a text that holds the list alone.
    static func sources(
        _ yaml: String, environment: [String: String] = [:], files: [String: String] = [:],
        streams: StreamsSettings? = nil
    ) throws -> [SourceSettings] {
        let reader = try ConfigurationReader(text: "sources:\n" + yaml, file: "oracle.yaml", environment: environment)
        var root = reader.root
        let found = try SourceSettings.read(&root, streams: try streams ?? Self.streams(), folder: "/f") {
            path throws(ConfigurationError) in
            guard let text = files[path] else { throw ConfigurationError(.fileMissing, "\(path): no such file") }
            return text
        }
        try root.finish()
        try reader.finish()
        return found
    }

    static func simulator(_ yaml: String = "  - {kind: simulator, seed: 7}") throws -> SimulatorSettings {
        guard case .simulator(let settings)? = try sources(yaml).first?.make else {
            throw StreamsNodeError(.settings, "no simulator")
        }
        return settings
    }

    static func stream(
        _ kind: StreamValue.Kind = .decimal, _ streamClass: StreamClass = .crypto, minimum: Int = 1,
        aggregator: Aggregator? = nil
    ) -> StreamSettings {
        let rule = StreamRule(streamID: StreamID(7), positiveOnly: streamClass.isPrice)
        return StreamSettings(
            name: "s", id: StreamID(7), kind: kind, aggregator: aggregator ?? (kind == .quote ? .quote : .median),
            streamClass: streamClass, rule: rule, sourceAgeMaximum: streamClass.sourceAgeMaximum,
            sourcesMinimum: minimum, sourceDeviationMaximum: 30_000_000)
    }

    static func decimal(_ text: String) -> StreamValue {
        guard let number = try? Decimal(text: text) else { preconditionFailure("\(text) is no decimal") }
        return .decimal(number)
    }
}
