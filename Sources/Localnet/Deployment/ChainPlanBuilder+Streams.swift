// The contracts of one chain that take reports of price streams: the proxy that everyone asks, the verifier behind it, and
// two data feeds whose prices come from reports.

import CCIP
import Ethereum
import PriceStreams

/// Under the names of localnet.json.
package struct StreamContracts: Sendable, Equatable {
    package var verifierProxy: Address
    package var verifier: Address
    /// Data feeds (AggregatorV3Interface) of the chain's coin and of LINK, for whoever brings reports.
    package var nativePriceFeed: Address
    package var linkPriceFeed: Address

    /// Nil where one is missing.
    init?(at address: (String) -> Address?) {
        guard let proxy = address("verifierProxy"), let verifier = address("verifier"),
            let native = address("nativePriceFeed"), let link = address("linkPriceFeed")
        else { return nil }
        verifierProxy = proxy
        self.verifier = verifier
        nativePriceFeed = native
        linkPriceFeed = link
    }

    static let order = [
        ("verifier_proxy", "verifierProxy"), ("verifier", "verifier"), ("stream_price_feed", "nativePriceFeed"),
        ("stream_price_feed", "linkPriceFeed"),
    ]

    var named: [(name: String, address: Address)] {
        [
            ("verifierProxy", verifierProxy), ("verifier", verifier), ("nativePriceFeed", nativePriceFeed),
            ("linkPriceFeed", linkPriceFeed),
        ]
    }
}

extension DeploymentRequest {
    /// What contracts are told of a DON.
    package struct Streams: Sendable, Equatable {
        /// One feed as a contract knows it.
        package struct Feed: Sendable, Equatable {
            package var symbol: String
            package var feedID: FeedID
            package var decimals: UInt8

            package init(symbol: String, feedID: FeedID, decimals: UInt8) {
                self.symbol = symbol
                self.feedID = feedID
                self.decimals = decimals
            }
        }

        package var digest: Hash32
        package var signers: [Address]
        package var faulty: UInt8
        /// The price of the chains' coin, and that of LINK, in US dollars.
        package var native: Feed
        package var link: Feed

        package init(digest: Hash32, signers: [Address], faulty: UInt8, native: Feed, link: Feed) {
            self.digest = digest
            self.signers = signers
            self.faulty = faulty
            self.native = native
            self.link = link
        }
    }

    func validateStreams() throws(LocalnetError) {
        guard let streams else { return }
        try require(
            streams.faulty > 0 && streams.signers.count > 3 * Int(streams.faulty) && streams.signers.count <= 31,
            "\(streams.signers.count) stream oracles with F = \(streams.faulty)", "3F + 1 to 31 oracles")
        try unique(streams.signers.map(\.hex), "signer of the streams")
        try require(!streams.digest.isZero, "the streams' configuration digest is zero", "the digest of their DON")
    }
}

enum StreamsWiring {
    /// Oldest report that a data feed takes: readers of data feeds count in minutes, and a block may take its time.
    static let reportAgeSeconds: UInt64 = 60
    /// A thousandth and a million dollars: what is outside is no price of a coin.
    static let answerBounds = (least: U256(1_000_000_000_000_000), most: U256(1_000_000) * LocalnetEconomy.unit)
}

extension ChainPlanBuilder {
    /// Nil for what is no contract of the streams.
    func streamsConstructor(_ name: String) throws -> ([ABIValue], [ABIType])? {
        guard let streams = request.streams, let here = own.streams else { return nil }
        switch name {
        // Without an access controller everyone may verify.
        case "verifierProxy": return ([.address(.zero)], [.address])
        case "verifier": return ([.address(here.verifierProxy)], [.address])
        case "nativePriceFeed": return try priceFeed(streams.native, here)
        case "linkPriceFeed": return try priceFeed(streams.link, here)
        default: return nil
        }
    }

    private func priceFeed(
        _ feed: DeploymentRequest.Streams.Feed, _ here: StreamContracts
    ) throws -> ([ABIValue], [ABIType]) {
        let bounds = StreamsWiring.answerBounds
        let settings: ABIValue = .tuple([
            .address(here.verifierProxy), .hash(feed.feedID.hash), .uint(UInt64(feed.decimals)), .string(feed.symbol),
            .uint(StreamsWiring.reportAgeSeconds), .uint(U256.zero), .int(bounds.least), .int(bounds.most),
        ])
        return ([settings], [try ABIType("(address,bytes32,uint8,string,uint32,uint256,int192,int192)")])
    }

    /// The proxy learns of the verifier before the verifier registers its digest there.
    mutating func configureStreams() throws {
        guard let streams = request.streams, let here = own.streams else { return }
        try call(
            "let verifier register digests", here.verifierProxy, ABIFunction("initializeVerifier(address)"),
            [.address(here.verifier)], gas: StepGas.administer)
        try call(
            "configure stream oracles", here.verifier,
            ABIFunction("setConfig(bytes32,address[],uint8,(address,uint64)[])"),
            [
                .hash(streams.digest), .array(streams.signers.map { .address($0) }), .uint(UInt64(streams.faulty)),
                .array([]),
            ], gas: StepGas.guards(streams.signers.count))
    }
}
