// What a cluster takes for granted of its chains: the other side of every check. Made from an adoption file, or from the
// cluster.yaml that is in use.

import CCIP
import Ethereum

package struct ClusterExpectation: Sendable {
    package struct Chain: Sendable {
        package var name: String
        package var chainID: UInt64?
        package var selector: ChainSelector?
        /// Addresses that must be those that the chain tells.
        package var contracts: [ContractRole: Address]
        /// Nil: not told.
        package var finality: AdoptionFile.Finality?
        package var transactionGasMaximum: UInt64?
        /// Nil: whatever is installed.
        package var commitDigest: Hash32?
        package var executeDigest: Hash32?
        package var reportsGasPrices = true

        package init(
            name: String, chainID: UInt64?, selector: ChainSelector?, contracts: [ContractRole: Address],
            finality: AdoptionFile.Finality? = nil, transactionGasMaximum: UInt64? = nil, commitDigest: Hash32? = nil,
            executeDigest: Hash32? = nil, reportsGasPrices: Bool = true
        ) {
            self.name = name
            self.chainID = chainID
            self.selector = selector
            self.contracts = contracts
            self.finality = finality
            self.transactionGasMaximum = transactionGasMaximum
            self.commitDigest = commitDigest
            self.executeDigest = executeDigest
            self.reportsGasPrices = reportsGasPrices
        }
    }

    package struct Relayer: Sendable {
        package var name: String
        package var signer: Address
        /// By chain name.
        package var transmitters: [String: (committing: Address, executing: Address)]

        package init(name: String, signer: Address, transmitters: [String: (committing: Address, executing: Address)]) {
            self.name = name
            self.signer = signer
            self.transmitters = transmitters
        }
    }

    package var faulty: Int
    package var chains: [Chain]
    package var lanes: [AdoptionFile.Lane]
    package var relayers: [Relayer]
    package var guards: [(name: String, signer: Address)]
    /// Balance below which a transmitter is reported, in wei.
    package var balanceMinimum: U256

    package init(
        faulty: Int, chains: [Chain], lanes: [AdoptionFile.Lane], relayers: [Relayer],
        guards: [(name: String, signer: Address)] = [], balanceMinimum: U256
    ) {
        self.faulty = faulty
        self.chains = chains
        self.lanes = lanes
        self.relayers = relayers
        self.guards = guards
        self.balanceMinimum = balanceMinimum
    }

    func isDestination(_ chain: String) -> Bool { lanes.contains { $0.to == chain } }
    func selector(of chain: String, _ facts: [String: ChainFacts]) -> ChainSelector? {
        chains.first { $0.name == chain }?.selector ?? facts[chain]?.selector
    }
}
