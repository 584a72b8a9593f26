// What becomes of an amount between tokens of different decimals (19.4 of the on-chain specification).

import Ethereum

package enum PoolDecimals {
    /// Where the pool reverts.
    package enum Refusal: Error, Equatable, Sendable {
        case invalidRemoteChainDecimals(Bytes)
        case overflowDetected(remote: UInt8, local: UInt8, amount: U256)

        /// The bytes that the contract reverts with.
        package var revertData: Bytes {
            switch self {
            case .invalidRemoteChainDecimals(let data):
                PoolErrors.call("InvalidRemoteChainDecimals(bytes)", [.bytes(data)])
            case .overflowDetected(let remote, let local, let amount):
                PoolErrors.call(
                    "OverflowDetected(uint8,uint8,uint256)",
                    [.uint(UInt64(remote)), .uint(UInt64(local)), .uint(amount)])
            }
        }
    }

    /// What a pool of this project writes into `sourcePoolData`.
    package static func sourcePoolData(decimals: UInt8) -> Bytes { U256(UInt64(decimals)).bytes }

    /// The decimals at the source; empty data means the same as here.
    package static func remoteDecimals(sourcePoolData: Bytes, localDecimals: UInt8) throws(Refusal) -> UInt8 {
        if sourcePoolData.isEmpty { return localDecimals }
        guard sourcePoolData.count == 32, let value = U256(bigEndianBytes: sourcePoolData)?.asUInt64,
            let decimals = UInt8(exactly: value)
        else { throw .invalidRemoteChainDecimals(sourcePoolData) }
        return decimals
    }

    /// `sourceAmount` in local units; what does not divide is lost to the user.
    package static func localAmount(
        sourceAmount: U256, sourcePoolData: Bytes, localDecimals: UInt8
    ) throws(Refusal) -> U256 {
        let remote = try remoteDecimals(sourcePoolData: sourcePoolData, localDecimals: localDecimals)
        if remote == localDecimals { return sourceAmount }
        let overflow = Refusal.overflowDetected(remote: remote, local: localDecimals, amount: sourceAmount)
        let distance = abs(Int(remote) - Int(localDecimals))
        guard distance <= 77 else { throw overflow }
        let factor = (0..<distance).reduce(U256.one) { product, _ in product &* 10 }
        if remote > localDecimals { return sourceAmount / factor }
        let (amount, lost) = sourceAmount.multipliedReportingOverflow(by: factor)
        guard !lost else { throw overflow }
        return amount
    }
}

enum PoolErrors {
    static func call(_ signature: String, _ values: [ABIValue]) -> Bytes {
        let error = ABIFunction(constant: signature)
        return error.selector + ABICodec.encode(values, as: error.inputs)
    }
}
