// What the protocol itself runs at the begin and end of a block, and the code that stands in the genesis state for it.

import EVM
import Ethereum

package enum SystemContracts {
    /// Keeps the roots of the beacon chain (EIP-4788).
    package static let beaconRoots = known("000f3df6d732807ef1319fb7b8bb8522d0beac02")
    /// Keeps the hashes of earlier blocks (EIP-2935).
    package static let blockHashes = known("0000f90827f1c53a10cb7a02335b175320002935")
    /// Takes requests to leave the validator set (EIP-7002).
    package static let withdrawalRequests = known("00000961ef480eb55e80d19ad83579a64c007002")
    /// Takes requests to join validators (EIP-7251).
    package static let consolidationRequests = known("0000bbddc7ce488642fb579f8b00f3a590007251")
    /// Takes deposits of validators on Ethereum's main network (EIP-6110).
    package static let deposits = known("00000000219ab540356cbb839cbe05303d7705fa")
    /// Deploys contracts at addresses that do not depend on the chain ("deterministic deployment proxy").
    package static let create2Factory = known("4e59b44847b379578588920ca78fbf26c0b4956c")

    /// The contracts that a fork has from its start, with their nonces.
    package static func genesis(_ fork: Fork) -> [(address: Address, code: Bytes, nonce: UInt64)] {
        var result: [(Address, Bytes, UInt64)] = [(create2Factory, Code.create2Factory, 0)]
        if fork >= .cancun { result.append((beaconRoots, Code.beaconRoots, 1)) }
        if fork >= .prague {
            result.append((blockHashes, Code.blockHashes, 1))
            result.append((withdrawalRequests, Code.withdrawalRequests, 1))
            result.append((consolidationRequests, Code.consolidationRequests, 1))
        }
        return result
    }

    /// Before the first transaction.
    static func beginBlock(_ plan: BlockPlan, _ engine: EnginePool.Engine, _ journal: Journal) {
        if plan.fork >= .cancun { call(beaconRoots, plan.parentBeaconBlockRoot.bytes, plan, engine, journal) }
        if plan.fork >= .prague { call(blockHashes, plan.parentHash.bytes, plan, engine, journal) }
    }

    /// After the last transaction; what the block asks of the beacon chain (EIP-7685). The contracts must be there and
    /// must not fail (EIP-7002, EIP-7251).
    static func endBlock(
        _ plan: BlockPlan, _ engine: EnginePool.Engine, _ journal: Journal, deposits: Bytes
    ) -> BlockRequests {
        var requests = BlockRequests()
        guard plan.fork >= .prague else { return requests }
        requests.append(kind: 0, deposits)
        for (kind, address) in [(1, withdrawalRequests), (2, consolidationRequests)] as [(UInt8, Address)] {
            guard let result = call(address, [], plan, engine, journal) else {
                requests.failure = DevChainError(
                    .systemContractMissing, "the system contract \(address) has no code, and a block needs it")
                continue
            }
            guard result.succeeded else {
                requests.failure = DevChainError(
                    .systemContractFailed, "the call of the system contract \(address) failed: \(result.status)")
                continue
            }
            requests.append(kind: kind, result.output)
        }
        return requests
    }

    @discardableResult
    private static func call(
        _ address: Address, _ data: Bytes, _ plan: BlockPlan, _ engine: EnginePool.Engine, _ journal: Journal
    ) -> ExecutionResult? {
        engine.executor.systemCall(to: address, data: data, block: plan.environment, journal: journal)
    }

    private static func known(_ hex: String) -> Address {
        guard let address = try? Address(hex: hex) else { preconditionFailure("'\(hex)' is no address") }
        return address
    }

    /// The code that the standards fix.
    private enum Code {
        static let beaconRoots = bytes(
            "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff"
                + "810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff0155"
                + "00")
        static let blockHashes = bytes(
            "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81"
                + "430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500")
        static let withdrawalRequests = bytes(
            "3373fffffffffffffffffffffffffffffffffffffffe1460cb5760115f54807fffffffffffffffffffffffffffffffff"
                + "ffffffffffffffffffffffffffffffff146101f457600182026001905f5b5f8211156068578101908302848302900491"
                + "6001019190604d565b909390049250505036603814608857366101f457346101f4575f5260205ff35b34106101f45760"
                + "0154600101600155600354806003026004013381556001015f35815560010160203590553360601b5f5260385f601437"
                + "604c5fa0600101600355005b6003546002548082038060101160df575060105b5f5b8181146101835782810160030260"
                + "040181604c02815460601b8152601401816001015481526020019060020154807fffffffffffffffffffffffffffffff"
                + "ff00000000000000000000000000000000168252906010019060401c908160381c81600701538160301c816006015381"
                + "60281c81600501538160201c81600401538160181c81600301538160101c81600201538160081c816001015353600101"
                + "60e1565b910180921461019557906002556101a0565b90505f6002555f6003555b5f54807fffffffffffffffffffffff"
                + "ffffffffffffffffffffffffffffffffffffffffff14156101cd57505f5b6001546002828201116101e25750505f6101"
                + "e8565b01600290035b5f555f600155604c025ff35b5f5ffd")
        static let consolidationRequests = bytes(
            "3373fffffffffffffffffffffffffffffffffffffffe1460d35760115f54807fffffffffffffffffffffffffffffffff"
                + "ffffffffffffffffffffffffffffffff1461019a57600182026001905f5b5f8211156068578101908302848302900491"
                + "6001019190604d565b9093900492505050366060146088573661019a573461019a575f5260205ff35b341061019a5760"
                + "0154600101600155600354806004026004013381556001015f358155600101602035815560010160403590553360601b"
                + "5f5260605f60143760745fa0600101600355005b6003546002548082038060021160e7575060025b5f5b818114610129"
                + "5782810160040260040181607402815460601b8152601401816001015481526020018160020154815260200190600301"
                + "54905260010160e9565b910180921461013b5790600255610146565b90505f6002555f6003555b5f54807fffffffffff"
                + "ffffffffffffffffffffffffffffffffffffffffffffffffffffff141561017357505f5b600154600182820111610188"
                + "5750505f61018e565b01600190035b5f555f6001556074025ff35b5f5ffd")
        static let create2Factory = bytes(
            "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f5"
                + "8015156039578182fd5b8082525050506014600cf3")

        private static func bytes(_ hex: String) -> Bytes {
            guard let bytes = try? Hex.decode(hex) else { preconditionFailure("a system contract's code is no hex") }
            return bytes
        }
    }
}
