// Prices of a local network's cluster that come from its own streams: which feed each token and coin has.

import CCIP
import Ethereum
import PriceStreams

extension ClusterDocument {
    /// Half a thousandth: simulated prices move by so much about once a minute, and who watches wants to see it.
    private static let localDeviationPPB: UInt64 = 500_000

    /// Tokens whose symbol has a feed in dollars, and every chain's coin, which is ether; others keep their fixed price.
    mutating func takePrices(from streams: StreamsDocument, _ plan: DeploymentPlan) throws(LocalnetError) {
        let told = try streams.contractSide()
        priceStreams = Streams(
            digest: told.digest, donID: StreamsDocument.donID, faulty: told.faulty, signers: told.signers)
        for index in chains.indices {
            guard let chain = plan.chain(chains[index].name) else { continue }
            chains[index].nativePrice = told.native.feedID
            var feeds: [Address: (feed: FeedID, decimals: UInt8)] = [
                chain.contracts.wrappedNative: (told.native.feedID, 18)
            ]
            for token in plan.request.tokens {
                guard let address = chain.contracts.token(token.symbol)?.token,
                    let feed = streams.feeds.feed(token.symbol + "/USD")
                else { continue }
                feeds[address] = (feed.feedID, token.decimals(on: chain.chain.name))
            }
            for place in chains[index].tokenPrices.indices {
                guard let found = feeds[chains[index].tokenPrices[place].token] else { continue }
                chains[index].tokenPrices[place].source = .stream(found.feed, decimals: found.decimals)
                chains[index].tokenPrices[place].deviationPPB = Self.localDeviationPPB
            }
        }
    }
}
