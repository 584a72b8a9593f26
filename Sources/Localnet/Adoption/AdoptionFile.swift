// What `causeway adopt` is told of contracts that somebody else deployed: where chains and contracts are, and the keys of
// the cluster. Values only; docs/reference/adopted-deployment.md explains the file, AdoptionFile+Reading.swift reads it.

import CCIP
import Ethereum

/// Contracts, as far as a file or a chain names them.
package enum ContractRole: String, Sendable, CaseIterable {
    case router, onRamp, offRamp, feeQuoter, nonceManager, rmnRemote, rmnProxy, tokenAdminRegistry, wrappedNative, link

    /// Other names that people give to it.
    var aliases: [String] {
        switch self {
        case .feeQuoter: ["priceRegistry"]
        case .rmnRemote: ["rmn"]
        case .rmnProxy: ["armProxy", "arm"]
        case .tokenAdminRegistry: ["registry"]
        case .wrappedNative: ["weth", "wrappedNativeToken", "weth9"]
        case .link: ["linkToken"]
        default: []
        }
    }
}

package struct AdoptionFile: Sendable {
    /// An address of the file, and where it stands there.
    package struct Named: Sendable, Equatable {
        package var name: String
        package var address: Address
        package var place: String
    }

    package struct Chain: Sendable {
        package var name: String
        package var place: String
        /// Nil: the endpoint tells it.
        package var chainID: UInt64?
        /// Nil: the ramps tell it.
        package var selector: ChainSelector?
        package var rpc: [String]
        /// Nil: the tag `finalized`, when the node knows it.
        package var finality: Finality?
        package var startBlock: UInt64?
        package var contracts: [ContractRole: Named] = [:]
        /// Addresses under names that mean nothing here; they are told and not compared.
        package var others: [Named] = []
        package var tokens: [Named] = []
        package var access = Access()
        package var fees = Fees()
        package var maxFeePerGas: U256?
        package var transactionGasMaximum: UInt64?
        package var batchGasLimit: UInt64?
    }

    /// When a block counts as final.
    package enum Finality: Sendable, Equatable {
        /// So many blocks below the newest one.
        case depth(UInt64)
        /// What the node calls `finalized`, and so many blocks below it.
        case tag(offset: UInt64)

        package var text: String {
            switch self {
            case .depth(let blocks): "{depth: \(blocks)}"
            case .tag(let offset): "{tag: finalized, offset: \(offset)}"
            }
        }
    }

    /// How a chain's endpoints are asked; nil takes what was found out.
    package struct Access: Sendable, Equatable {
        package var logBlocksMaximum: UInt64?
        package var requestTimeoutMilliseconds: UInt64?
        /// auto, on or off.
        package var batch: String?

        package init() {}
    }

    /// How transactions are paid; nil takes what the node tells.
    package struct Fees: Sendable, Equatable {
        /// auto, legacy or dynamic.
        package var kind: String?
        package var gasPriceWei: U256?

        package init() {}
    }

    package struct Lane: Sendable, Equatable, Hashable {
        package var from: String
        package var to: String

        package init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }

    package struct Transmitters: Sendable {
        package var committing: PrivateKey
        package var executing: PrivateKey
    }

    package struct Relayer: Sendable {
        package var name: String
        package var place: String
        package var signer: PrivateKey
        /// By chain name.
        package var transmitters: [String: Transmitters]
        /// Its own endpoints by chain name, instead of the chain's.
        package var endpoints: [String: [String]]
    }

    package struct Guard: Sendable {
        package var name: String
        package var place: String
        package var signer: PrivateKey
        package var endpoints: [String: [String]]
    }

    package struct TokenPrice: Sendable, Equatable {
        package var chain: String
        package var token: Address
        /// US dollars with 18 decimals for 10^18 smallest units.
        package var usd: U256
    }

    package var file: String
    package var name = "adopted"
    /// Nil: the OffRamps tell it.
    package var faulty: Int?
    package var chains: [Chain] = []
    /// Nil: every lane that Router and OffRamp know.
    package var lanes: [Lane]?
    package var relayers: [Relayer] = []
    package var guards: [Guard] = []
    /// Nil: on where the OffRamp may update the FeeQuoter.
    package var reportsGasPrices: Bool?
    package var tokenPrices: [TokenPrice] = []
    /// Keys of `timing` in cluster.yaml with their values.
    package var timing: [String: UInt64] = [:]
    package var host = "127.0.0.1"
    package var firstPort: Int?
    package var pollMilliseconds: Int?
    package var logLevel = "info"
    /// Accounts that commands may send from.
    package var accounts: [PrivateKey] = []

    package func chain(_ name: String) -> Chain? { chains.first { $0.name == name } }
}
