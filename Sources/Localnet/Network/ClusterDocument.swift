// cluster.yaml as a value: what all relayers of a cluster share. `up` and `adopt` make one each;
// ClusterDocument+Text.swift is the one writer. What the keys mean is said by ClusterSettings, which reads them.

import CCIP
import Ethereum
import PriceStreams

package struct ClusterDocument: Sendable, Equatable {
    package struct Token: Sendable, Equatable {
        package var symbol: String
        package var address: Address
        package var pool: Address
        package var decimals: UInt8
    }

    package struct TokenPrice: Sendable, Equatable {
        package enum Source: Sendable, Equatable {
            case usd(U256)
            /// A feed of the price streams, and the decimals of the token.
            case stream(FeedID, decimals: UInt8)
        }

        package var token: Address
        package var source: Source
        /// Parts per billion from which it is written again; nil for what relayers do by themselves.
        package var deviationPPB: UInt64?

        package init(token: Address, usd: U256) {
            self.token = token
            source = .usd(usd)
        }
    }

    /// Whose reports of prices are believed.
    package struct Streams: Sendable, Equatable {
        package var digest: Hash32
        package var donID: UInt32
        package var faulty: UInt8
        package var signers: [Address]
    }

    package struct Chain: Sendable, Equatable {
        package var name: String
        package var chainID: UInt64
        package var selector: ChainSelector
        package var faulty: Int
        package var startBlock: UInt64 = 0
        package var finality = AdoptionFile.Finality.tag(offset: 0)
        package var access = AdoptionFile.Access()
        package var fees = AdoptionFile.Fees()
        package var router = Address.zero
        package var onRamp = Address.zero
        package var offRamp = Address.zero
        package var feeQuoter = Address.zero
        package var nonceManager = Address.zero
        package var rmnRemote = Address.zero
        package var rmnProxy = Address.zero
        package var tokenAdminRegistry = Address.zero
        package var wrappedNative = Address.zero
        /// The feed of the coin's price; nil for what the FeeQuoter says.
        package var nativePrice: FeedID?
        package var tokenPrices: [TokenPrice] = []
        package var reportsGasPrices = true
        package var gasPrice: U256?
        package var maxFeePerGas = U256(500_000_000_000)
        package var feeBumpBlocks: UInt64 = 3
        package var commitDigest = Hash32.zero
        package var executeDigest = Hash32.zero
        package var batchGasLimit = Limits.batchGasLimit
        package var transactionGasMaximum: UInt64 = 16_000_000
        package var tokens: [Token] = []

        package init(name: String, chainID: UInt64, selector: ChainSelector, faulty: Int) {
            self.name = name
            self.chainID = chainID
            self.selector = selector
            self.faulty = faulty
        }
    }

    package struct Member: Sendable, Equatable {
        /// Z85.
        package var curvePublicKey: String
        package var mesh: String
    }

    package struct Transmitters: Sendable, Equatable {
        package var chain: String
        package var committing: Address
        package var executing: Address
        /// Whether the OffRamp lists them.
        package var commits = true
        package var executes = true
    }

    package struct Relayer: Sendable, Equatable {
        package var name: String
        package var offchainPublicKey: Bytes
        package var reportSigner: Address
        package var committing: Member
        package var executing: Member
        package var transmitters: [Transmitters]
    }

    package struct Guard: Sendable, Equatable {
        package var name: String
        package var signer: Address
        package var curvePublicKey: String
        package var mesh: String
    }

    /// Tokens that need an attestation, and who is asked for it.
    package struct TokenData: Sendable, Equatable {
        package struct Pool: Sendable, Equatable {
            package var chain: String
            package var pool: Address
            /// Of CCTP v1 only.
            package var messageTransmitter: Address?
        }

        package var api: String
        /// Between two requests.
        package var intervalMilliseconds: Int
        /// Before a token that is not ready is asked for again.
        package var retryMilliseconds: Int
        package var pools: [Pool]
    }

    /// The first line of the file.
    package var comment: String
    package var name: String
    package var faulty: Int
    package var chains: [Chain]
    package var lanes: [AdoptionFile.Lane]
    /// Keys of `timing` in the order in which they are written.
    package var timing: [(key: String, value: UInt64)]
    package var relayers: [Relayer]
    package var guards: [Guard] = []
    /// How long guards may take to sign a set of roots; nil for what relayers do by themselves.
    package var guardTimeoutMilliseconds: UInt64?
    /// Nil where no token needs an attestation.
    package var tokenData: TokenData?
    /// Nil where no price comes from streams.
    package var priceStreams: Streams?

    package static func == (a: ClusterDocument, b: ClusterDocument) -> Bool { a.text == b.text }

    /// Milliseconds: a local network agrees within a few, and starts a round when there is something to do.
    package static let localTiming: [(key: String, value: UInt64)] = [
        ("deltaProgress", 2_000), ("deltaResend", 500), ("deltaInitial", 500), ("deltaRound", 10), ("deltaIdle", 1_000),
        ("deltaGrace", 5), ("deltaStage", 1_000), ("deltaCertifiedCommitRequest", 200), ("rMax", 100_000),
    ]

    /// Guards answer within a second; after so long their absence is a named state, and a lane is tried again.
    package static let localGuardTimeoutMilliseconds: UInt64 = 4_000

    /// For chains whose blocks come every so many milliseconds: the next relayer takes over when the first one's
    /// transaction had three blocks' time, and a leader is changed when four have had their turn.
    package static func timing(blockMilliseconds: UInt64) -> [(key: String, value: UInt64)] {
        // A relayer that died must not cost minutes, however slow a chain seems to be: reports that come twice are refused.
        let stage = min(max(2_000, 3 * min(blockMilliseconds, 30_000)), 15_000)
        return [
            ("deltaProgress", min(max(10_000, 4 * stage), 40_000)), ("deltaResend", 1_000), ("deltaInitial", 2_000),
            ("deltaRound", 200), ("deltaIdle", 2_000), ("deltaGrace", 50), ("deltaStage", stage),
            ("deltaCertifiedCommitRequest", 500), ("rMax", 1_000),
        ]
    }
}

extension ClusterDocument.Chain {
    /// A chain that we deployed to.
    package init(_ plan: ChainPlan, _ request: DeploymentRequest) {
        self.init(
            name: plan.chain.name, chainID: plan.chain.chainID, selector: plan.chain.selector, faulty: request.faulty)
        let contracts = plan.contracts
        startBlock = 1
        router = contracts.router
        onRamp = contracts.onRamp
        offRamp = contracts.offRamp
        feeQuoter = contracts.feeQuoter
        nonceManager = contracts.nonceManager
        rmnRemote = contracts.rmnRemote
        rmnProxy = contracts.rmnProxy
        tokenAdminRegistry = contracts.tokenAdminRegistry
        wrappedNative = contracts.wrappedNative
        tokenPrices = [.init(token: contracts.wrappedNative, usd: plan.chain.nativePriceUSD18)]
        for token in request.tokens {
            guard let address = contracts.token(token.symbol)?.token else { continue }
            tokenPrices.append(.init(token: address, usd: token.priceUSD18(on: name) ?? token.priceUSD18))
        }
        commitDigest = plan.commitDigest
        executeDigest = plan.executeDigest
        tokens = request.tokens.compactMap { token in
            contracts.token(token.symbol).map {
                .init(symbol: token.symbol, address: $0.token, pool: $0.pool, decimals: token.decimals(on: plan.chain.name))
            }
        }
    }
}
