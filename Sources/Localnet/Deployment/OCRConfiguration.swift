// The OCR3 configuration of one OffRamp plugin: its digest as CCIPHome computes it (23.1 of the on-chain specification) and
// its place in the call of setOCR3Configs (10.1).

import CCIP
import Ethereum

/// One plugin's oracles at one OffRamp.
package struct OCRConfiguration: Sendable, Equatable {
    package struct Node: Sendable, Equatable {
        package var peerID: Bytes
        package var signer: Address
        package var transmitter: Address

        package init(peerID: Bytes, signer: Address, transmitter: Address) {
            self.peerID = peerID
            self.signer = signer
            self.transmitter = transmitter
        }
    }

    package var plugin: PluginType
    /// Selector of the chain of the OffRamp.
    package var destination: ChainSelector
    package var offRamp: Address
    package var faulty: UInt8
    package var nodes: [Node]

    package init(plugin: PluginType, destination: ChainSelector, offRamp: Address, faulty: UInt8, nodes: [Node]) {
        self.plugin = plugin
        self.destination = destination
        self.offRamp = offRamp
        self.faulty = faulty
        self.nodes = nodes
    }

    /// A network of our own has no CCIPHome: its digests name the first chain and the first deployer in its place, the
    /// position of the destination as the DON and the first version.
    package struct Home: Sendable, Equatable {
        package var chainID: UInt64
        package var contract: Address
        package var donID: UInt32
        package var version: UInt32

        package init(chainID: UInt64, contract: Address, donID: UInt32, version: UInt32 = 1) {
            self.chainID = chainID
            self.contract = contract
            self.donID = donID
            self.version = version
        }
    }

    private static let type = "(uint8,uint64,uint8,uint64,bytes,bytes,(bytes32,bytes,bytes)[],bytes)"

    package func digest(home: Home) throws(EthereumError) -> Hash32 {
        let nodes = ABIValue.array(
            self.nodes.map { .tuple([.bytes($0.peerID), .bytes($0.signer.bytes), .bytes($0.transmitter.bytes)]) })
        let configuration = ABIValue.tuple([
            .uint(UInt64(plugin.rawValue)), .uint(destination.rawValue), .uint(UInt64(faulty)), .uint(1 as UInt64),
            .bytes(offRamp.abiWord), .bytes(Address.zero.abiWord), nodes, .bytes([]),
        ])
        return HomeConfigurationDigest.ccipHome(
            chainID: U256(home.chainID), home: home.contract, donID: home.donID, plugin: plugin,
            version: home.version, encodedConfiguration: try ABI.encode([configuration], as: [ABIType(Self.type)]))
    }

    /// One element of the argument of setOCR3Configs: commit reports are signed, executions are not.
    func argument(digest: Hash32) -> ABIValue {
        let isSigned = plugin == .commit
        return .tuple([
            .hash(digest), .uint(UInt64(plugin.rawValue)), .uint(UInt64(faulty)), .bool(isSigned),
            .array(isSigned ? nodes.map { .address($0.signer) } : []),
            .array(nodes.map { .address($0.transmitter) }),
        ])
    }
}
