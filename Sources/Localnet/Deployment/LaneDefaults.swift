// The tables that a fresh lane starts with (15.9 of the on-chain specification, and where ours differ). Values only.

import Ethereum

enum LaneDefaults {
    /// 200 LINK.
    static let maxFeeJuelsPerMessage = U256(200) * U256(1_000_000_000_000_000_000)
    static let tokenPriceStaleSeconds: UInt64 = 86_400
    static let linkPremium: UInt64 = 900_000_000_000_000_000
    static let nativePremium: UInt64 = 1_000_000_000_000_000_000
    static let gasForCallExactCheck: UInt64 = 5_000
    /// `bytes4(keccak256("CCIP ChainFamilySelector EVM"))`.
    static let evmFamily: Bytes = [0x28, 0x12, 0xd5, 0x2c]

    /// DestChainConfig, its 19 fields in ABI order.
    static let destination: ABIValue = .tuple([
        .bool(true),
        .uint(1 as UInt64),  // tokens a message
        .uint(30_000 as UInt64),  // bytes of data
        .uint(3_000_000 as UInt64),  // gas limit a message
        .uint(225_000 as UInt64),  // gas overhead
        .uint(16 as UInt64),  // gas a byte
        .uint(40 as UInt64),  // gas a byte above the threshold
        .uint(3_000 as UInt64),  // bytes up to the threshold
        .uint(0 as UInt64),  // data availability: overhead gas
        .uint(0 as UInt64),  // data availability: gas a byte
        .uint(0 as UInt64),  // data availability: multiplier, 0 is off
        .bytes(evmFamily),
        .bool(false),  // out-of-order execution is the sender's choice
        .uint(25 as UInt64),  // token fee, US cents
        // Pools of ours are written in Vyper: a release with its balance checks costs more than the usual 90,000.
        .uint(150_000 as UInt64),
        .uint(200_000 as UInt64),  // gas limit when the sender names none
        .uint(1_100_000_000_000_000_000 as UInt64),  // gas multiplier
        // Never stale: on a quiet network nobody writes a price that has not moved.
        .uint(0 as UInt64),
        .uint(10 as UInt64),  // network fee, US cents
    ])

    /// TokenTransferFeeConfig of USDC: 50 US cents; a delivery over CCTP takes less than 180,000 gas with one attester, and
    /// a few thousand more for each further one.
    static let usdcTransferFee: ABIValue = .tuple([
        .uint(50 as UInt64),  // least fee, US cents
        .uint(10_000 as UInt64),  // highest fee, US cents
        .uint(0 as UInt64),  // tenths of basis points
        .uint(250_000 as UInt64),  // gas at the destination
        .uint(640 as UInt64),  // bytes of message and attestation at the destination
        .bool(true),
    ])

    /// `(isEnabled, capacity, rate)`.
    static func rateLimit(_ limit: DeploymentRequest.RateLimit?) -> ABIValue {
        guard let limit else { return .tuple([.bool(false), .uint(U256.zero), .uint(U256.zero)]) }
        return .tuple([.bool(true), .uint(limit.capacity), .uint(limit.rate)])
    }
}
