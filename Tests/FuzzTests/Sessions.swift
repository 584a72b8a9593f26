// Sessions with a chain: lists of calls, JSON throughout, that are run one after another on a chain of their own.

import Ethereum
import TestSupport

@testable import DevChain

struct Session {
    /// A call is [method, parameters].
    var calls: [JSON]

    private static let callsMaximum = 24

    init(_ calls: [(String, JSON)]) { self.calls = calls.map { [.string($0.0), $0.1] } }

    init?(_ input: Bytes) {
        guard let calls = (try? JSON.parse(input))?.asArray else { return nil }
        self.calls = Array(calls.prefix(Self.callsMaximum))
    }

    var bytes: Bytes { JSON.array(calls).bytes }

    static let mutate: @Sendable (Bytes, [Bytes], inout SplitMix64) -> Bytes = { base, others, random in
        guard var session = Session(base), !session.calls.isEmpty else {
            return others.isEmpty ? base : others[random.below(others.count)]
        }
        for _ in 0...random.below(4) {
            let at = random.below(session.calls.count)
            switch random.below(7) {
            case 0: session.calls.insert(session.calls[at], at: random.below(session.calls.count))
            case 1 where session.calls.count > 1: session.calls.remove(at: at)
            case 2, 3:
                guard !others.isEmpty, let other = Session(others[random.below(others.count)]), !other.calls.isEmpty
                else { continue }
                session.calls.insert(other.calls[random.below(other.calls.count)], at: random.below(at + 1))
            default: session.calls[at] = Mutation.json(session.calls[at], &random)
            }
        }
        return session.bytes
    }

    // MARK: Calls

    /// The calls with what would only cost time made small: blocks by the thousand, waits, gas without an end.
    var tame: [(method: String, parameters: JSON)] {
        calls.compactMap { call in
            guard let name = call[0]?.asString else { return nil }
            var parameters = call[1] ?? .array([])
            switch Method.byName[name] {
            case .evmMine, .mine, .mineDetailed: parameters = Self.small(parameters, from: 30, to: 100_000, becomes: 3)
            case .setFaults: parameters = Self.small(parameters, from: 3, to: 600_000, becomes: 1)
            case .setBlockGasLimit:
                parameters = Self.small(parameters, from: 100_000_000, to: 1 << 63, becomes: 40_000_000)
            case .sendRawTransactionSync:
                if let raw = parameters[0] { parameters = [raw, 5] }
            default: break
            }
            return (name, parameters)
        }
    }

    private static func small(_ value: JSON, from low: UInt64, to high: UInt64, becomes small: Int) -> JSON {
        switch value {
        case .array(let items): return .array(items.map { Self.small($0, from: low, to: high, becomes: small) })
        case .object(let object):
            return .object(JSONObject(object.members.map { ($0.name, Self.small($0.value, from: low, to: high, becomes: small)) }))
        default:
            guard let number = value.asUInt64, number >= low, number <= high else { return value }
            return .integer(small)
        }
    }

    /// One session for each name that the chain answers, each with something on the chain to talk about.
    static func corpus() -> [Bytes] {
        Method.byName.keys.sorted().map { name in
            let begin: [(String, JSON)] = [
                ("eth_sendRawTransaction", [.data(Samples.transaction(data: [1]).encoded)]),
                ("eth_sendTransaction", [["from": account(1), "to": contract, "data": .data(U256(9).bytes)]]),
            ]
            let call = (name, .array(parameters(of: Method.byName[name] ?? .chainID)) as JSON)
            return Session(begin + [call, ("evm_mine", []), call]).bytes
        }
    }

    private static let contract = JSON.address(Samples.contract)
    private static func account(_ index: Int) -> JSON { .address(Samples.keys[index].address) }
    private static let transactionHash = JSON.hash(Samples.transaction(data: [1]).hash)
    private static let request: JSON = [
        "from": account(0), "to": contract, "data": .data(U256(7).bytes), "gas": "0x30d40", "value": "0x0",
    ]

    /// Parameters that a method takes.
    private static func parameters(of method: Method) -> [JSON] {
        let overrides: JSON = [
            Samples.contract.hex: [
                "balance": "0x10", "nonce": "0x5", "code": .data(Samples.logger),
                "stateDiff": [Hash32(0).hex: .hash(Hash32(8))],
            ]
        ]
        let block: JSON = ["number": "0x64", "time": "0x65a0bc00", "gasLimit": "0x1c9c380", "baseFeePerGas": "0x7"]
        switch method {
        case .blockByNumber, .headerByNumber: return ["latest", true]
        case .blockByHash, .headerByHash: return [.hash(Hash32(5)), true]
        case .blockReceipts, .transactionCountByNumber, .uncleCountByNumber: return ["0x1"]
        case .rawHeader, .rawBlock, .rawReceipts: return ["0x1"]
        case .transactionByNumberAndIndex, .uncleByNumber: return ["0x1", "0x0"]
        case .balance, .code, .transactionCount, .account: return [account(0), "latest"]
        case .storage: return [contract, "0x0", "latest"]
        case .proof: return [contract, ["0x0", .hash(Hash32(1))], "latest"]
        case .call: return [request, "latest", overrides, block]
        case .traceCall: return [request, "latest", ["tracer": "callTracer", "tracerConfig": ["withLog": true]]]
        case .estimateGas, .createAccessList: return [request, "latest", overrides]
        case .feeHistory: return ["0x5", "latest", [10, .number("50.5")]]
        case .sendRawTransaction, .sendRawTransactionSync: return [.data(Samples.transaction(.setCode, from: 2).encoded)]
        case .sendTransaction, .signTransaction, .sendUnsigned:
            return [[
                "from": account(1), "to": contract, "value": "0x1", "gas": "0x30d40", "nonce": "0x1",
                "maxFeePerGas": "0xba43b7400", "maxPriorityFeePerGas": "0x1",
                "accessList": [["address": contract, "storageKeys": [.hash(Hash32(1))]]],
            ]]
        case .sign: return [account(0), "0x0102"]
        case .personalSign: return ["0x0102", account(0)]
        case .signTypedData:
            return [account(0), [
                "types": ["EIP712Domain": [["name": "name", "type": "string"]], "A": [["name": "x", "type": "uint8[]"]]],
                "primaryType": "A", "domain": ["name": "n"], "message": ["x": [1, 2]],
            ]]
        case .transactionByHash, .rawTransaction, .receipt, .debugRawTransaction: return [transactionHash]
        case .traceTransaction: return [transactionHash, ["tracer": "callTracer"]]
        case .logs, .newFilter:
            return [["fromBlock": "0x0", "toBlock": "latest", "address": [contract], "topics": [[.hash(Hash32(1))], .null]]]
        case .subscribe: return ["logs", ["address": contract]]
        case .filterChanges, .filterLogs, .uninstallFilter, .unsubscribe, .revert: return ["0x1"]
        case .sha3: return ["0x0102"]
        case .evmMine, .mineDetailed: return [["blocks": 2, "timestamp": .integer(Samples.start + 100)]]
        case .increaseTime, .setTimestampInterval, .setIntervalMining, .setIntervalMiningSeconds: return [5]
        case .setNextBlockTimestamp, .setTime: return [.integer(Samples.start + 500)]
        case .setAutomine, .autoImpersonate, .setLogging: return [false]
        case .setBlockGasLimit, .setNextBaseFee, .setPrevRandao, .setMinimumGasPrice: return ["0x1c9c380"]
        case .mine: return ["0x2", "0x5"]
        case .setBalance, .addBalance: return [account(3), "0xde0b6b3a7640000"]
        case .setCode: return [.address(Samples.other), .data(Samples.logger)]
        case .setNonce: return [account(3), "0x7"]
        case .setStorageAt: return [contract, "0x0", .hash(Hash32(9))]
        case .impersonate, .stopImpersonating, .setCoinbase, .removePoolTransactions: return [.address(Samples.other)]
        case .dropTransaction: return [transactionHash]
        case .reorg: return [1, [[.data(Samples.transaction(from: 3).encoded), 0]]]
        case .rollback: return [1]
        case .causewayReorg: return [["depth": 1, "restore": true]]
        case .setFaults:
            return [[
                ["method": "eth_*", "kind": "staleHead", "blocks": 2, "every": 2],
                ["method": "eth_getLogs", "kind": "missingLogs", "nth": 2, "probability": .number("0.5"), "seed": 7],
                ["method": "eth_blockNumber", "kind": "wrongBlockNumber", "offset": -3],
                ["method": "*", "kind": "lyingFinalized", "blocks": 4, "count": 3],
            ]]
        default: return []
        }
    }
}
