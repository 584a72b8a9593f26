// What code may know of the block that it runs in. Hashes of earlier blocks come from the StateReader.

import Ethereum

package struct BlockEnvironment: Sendable, Hashable {
    package var chainID: UInt64
    package var number: UInt64
    /// Seconds.
    package var timestamp: UInt64
    package var coinbase: Address
    package var gasLimit: UInt64
    /// Wei a gas.
    package var baseFee: U256
    package var prevRandao: Hash32
    package var excessBlobGas: UInt64
    /// Wei a blob gas; `RuleSet.blobBaseFee(excessBlobGas:)` computes it.
    package var blobBaseFee: U256

    package init(
        chainID: UInt64, number: UInt64, timestamp: UInt64, coinbase: Address, gasLimit: UInt64, baseFee: U256,
        prevRandao: Hash32 = .zero, excessBlobGas: UInt64 = 0, blobBaseFee: U256 = 1
    ) {
        self.chainID = chainID
        self.number = number
        self.timestamp = timestamp
        self.coinbase = coinbase
        self.gasLimit = gasLimit
        self.baseFee = baseFee
        self.prevRandao = prevRandao
        self.excessBlobGas = excessBlobGas
        self.blobBaseFee = blobBaseFee
    }
}
