// How much gas a receiver needs: what `ccipReceive` takes at the destination, called as the Router would.

import CCIP
import ChainAccess
import Ethereum
import Localnet

struct ReceiverGas {
    let source: BridgeChain
    let destination: BridgeChain

    struct Estimate: Sendable, Equatable {
        let gasLimit: UInt64
        let text: String
    }

    /// What the OffRamp falls back to as well (`defaultTxGasLimit` of most lanes).
    static let fallback: UInt64 = 200_000

    private static let receive = "ccipReceive((bytes32,uint64,bytes,bytes,(address,uint256)[]))"
    /// `IAny2EVMMessageReceiver` (section 12.3 of the on-chain specification).
    private static let interface: Bytes = [0x85, 0x57, 0x2f, 0xfb]

    /// Never throws: what cannot be estimated gets the default, and the text says so.
    func estimate(_ receiver: Address, data: Bytes, tokens: [TokenAmount], sender: Address) async -> Estimate {
        do {
            guard try await isCalled(receiver) else {
                return Estimate(gasLimit: 0, text: "gas limit: 0, the receiver is an account or takes no messages")
            }
            let callData = try await call(data, tokens, sender)
            let router = destination.contracts.router
            let all = try await destination.endpoints.estimateGas(CallTarget(to: receiver, data: callData, from: router))
            let intrinsic = 21_000 + callData.reduce(into: UInt64(0)) { $0 += $1 == 0 ? 4 : 16 }
            // A third of room: the call is made with less gas at hand than the whole, and state may have changed by then.
            let wanted = max(20_000, (all - min(all, intrinsic)) * 4 / 3 + 5_000)
            let maximum = try await maximum()
            return Estimate(
                gasLimit: min(wanted, maximum),
                text: "gas limit: \(min(wanted, maximum)), estimated at \(destination.name)"
                    + (wanted > maximum ? " and cut to the lane's maximum" : ""))
        } catch {
            let why = (error as? ChainAccessError).map { $0.revertData.map(ReasonText.text) ?? $0.message } ?? "\(error)"
            return Estimate(
                gasLimit: Self.fallback,
                text: "gas limit: \(Self.fallback), for the receiver cannot be tried beforehand (\(why))")
        }
    }

    /// The OffRamp calls contracts that say they take messages, and nobody else (9.3 of the on-chain specification).
    private func isCalled(_ receiver: Address) async throws -> Bool {
        guard try await !destination.endpoints.code(receiver).isEmpty else { return false }
        let function = try ABIFunction("supportsInterface(bytes4)", returns: "(bool)")
        do throws(ChainAccessError) {
            let data = (try? function.encodeCall([.bytes(Self.interface)])) ?? []
            let answer = try await destination.endpoints.call(to: receiver, data: data)
            return answer.count >= 32 && answer.prefix(32).last == 1
        } catch {
            if error.code == .reverted { return false }
            throw error
        }
    }

    private func call(_ data: Bytes, _ tokens: [TokenAmount], _ sender: Address) async throws -> Bytes {
        var amounts: [ABIValue] = []
        for each in tokens {
            let pool = try await source.reader.read(
                TokenCalls.pool(of: each.token.address), from: source.contracts.tokenAdminRegistry)
            let remote = try await source.endpoints.call(
                to: pool, data: try TokenPoolInterface.getRemoteToken.encodeCall([.uint(destination.selector.rawValue)]))
            let bytes = try TokenPoolInterface.getRemoteToken.decodeOutput(remote).first?.asBytes ?? []
            amounts.append(.tuple([.address(Address(word: bytes) ?? .zero), .uint(each.amount)]))
        }
        return try ABIFunction(Self.receive).encodeCall([
            .tuple([
                .hash(Hash32(U256(1))), .uint(source.selector.rawValue), .bytes(sender.abiWord), .bytes(data), .array(amounts),
            ])
        ])
    }

    private func maximum() async throws -> UInt64 {
        let config = try await source.reader.read(
            FeeQuoterCalls.destinationChainConfig(destination.selector), from: source.contracts.feeQuoter)
        return config.maxPerMessageGasLimit == 0 ? .max : UInt64(config.maxPerMessageGasLimit)
    }
}
