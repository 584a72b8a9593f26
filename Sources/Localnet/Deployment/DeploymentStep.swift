// One transaction of a deployment: what it does, in words and in bytes. Nonces, fees and signatures come later.

import Ethereum

package struct DeploymentStep: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Makes the contract that is known as `contract` at `address`, which follows from the planned nonce.
        case create(contract: String, address: Address)
        case call(to: Address)
        /// Sends wei and no data.
        case transfer(to: Address, wei: U256)
    }

    /// For people and for the state file; no two steps of a chain share it.
    package let label: String
    package let kind: Kind
    package let data: Bytes
    package let gasLimit: UInt64

    package var target: Address? {
        switch kind {
        case .create: nil
        case .call(let to), .transfer(let to, _): to
        }
    }

    package var value: U256 { if case .transfer(_, let wei) = kind { wei } else { .zero } }
    package var createdAddress: Address? { if case .create(_, let address) = kind { address } else { nil } }
    package var isCreation: Bool { createdAddress != nil }
}

/// Gas that calls are given: what they use at most on Ethereum, with room. Unused gas is not paid.
enum StepGas {
    static let transfer: UInt64 = 60_000
    static let mint: UInt64 = 200_000
    static let administer: UInt64 = 300_000

    static func prices(_ count: Int) -> UInt64 { 150_000 + 100_000 * UInt64(count) }
    static func lanes(_ count: Int) -> UInt64 { 200_000 + 300_000 * UInt64(count) }
    static func poolChains(_ count: Int) -> UInt64 { 300_000 + 800_000 * UInt64(count) }
    static func guards(_ count: Int) -> UInt64 { 200_000 + 100_000 * UInt64(count) }
    static func oracles(_ count: Int) -> UInt64 { 800_000 + 350_000 * UInt64(count) }

    /// Intrinsic cost, call data at its dearest, EIP-3860, the stored code, and the constructor's own work.
    static func creation(initCodeBytes: Int) -> UInt64 {
        let count = UInt64(initCodeBytes)
        return 53_000 + 40 * count + 2 * (count + 31) / 32
            + 200 * min(count, Limits.runtimeCodeBytesMaximum) + Limits.constructorGas
    }
}
