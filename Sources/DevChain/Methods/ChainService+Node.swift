// What the node says of itself: the forks of its chain (EIP-7910), and what it keeps.

import EVM
import Ethereum
import JSONRPC

extension ChainService {
    /// eth_config: the fork that holds now, the next and the last one.
    func configuration() -> JSON {
        hub.read { chain in
            let steps = chain.schedule.steps
            let now = chain.schedule.position(at: chain.schedule.place(of: chain.head.header))
            let genesis = chain.blocks[0]
            func shown(_ position: Int) -> JSON {
                let id = ForkID.checksum(
                    genesis: genesis.hash, after: genesis.header.timestamp, steps: steps[...position],
                    netsplit: steps[position].fork >= .paris ? chain.schedule.netsplit : nil)
                return Self.fork(
                    steps[position], chain.eras[position], chainID: chain.chainID, id: id,
                    deposits: chain.depositContract)
            }
            let hasNext = now + 1 < steps.count
            return [
                "current": shown(now), "next": hasNext ? shown(now + 1) : .null,
                "last": hasNext ? shown(steps.count - 1) : .null,
            ]
        }
    }

    private static func fork(
        _ step: ForkSchedule.Step, _ era: Blockchain.Era, chainID: UInt64, id: UInt32, deposits: Address
    ) -> JSON {
        let rules = era.rules
        return [
            "activationTime": .integer(step.since),
            "blobSchedule": [
                "target": .integer(rules.blobsTarget), "max": .integer(rules.blobsMaximum),
                "baseFeeUpdateFraction": .integer(rules.blobBaseFeeFraction),
            ],
            "chainId": .quantity(chainID), "forkId": .data(Bytes(bigEndian: id)),
            "precompiles": precompiles(era.engines.precompiles),
            "systemContracts": systemContracts(step.fork, deposits: deposits),
        ]
    }

    /// The names of EIP-7910, by address.
    private static func precompiles(_ set: PrecompileSet) -> JSON {
        let names: [(UInt64, String)] = [
            (9, "BLAKE2F"), (11, "BLS12_G1ADD"), (12, "BLS12_G1MSM"), (13, "BLS12_G2ADD"), (14, "BLS12_G2MSM"),
            (17, "BLS12_MAP_FP2_TO_G2"), (16, "BLS12_MAP_FP_TO_G1"), (15, "BLS12_PAIRING_CHECK"), (6, "BN254_ADD"),
            (7, "BN254_MUL"), (8, "BN254_PAIRING"), (1, "ECREC"), (4, "ID"), (10, "KZG_POINT_EVALUATION"),
            (5, "MODEXP"), (256, "P256VERIFY"), (3, "RIPEMD160"), (2, "SHA256"),
        ]
        return .object(
            JSONObject(
                names.filter { set[$0.0] != nil }.map { ($0.1, .address(Address(truncating: U256($0.0)))) }))
    }

    private static func systemContracts(_ fork: Fork, deposits: Address) -> JSON {
        var object = JSONObject()
        if fork >= .cancun { object["BEACON_ROOTS_ADDRESS"] = .address(SystemContracts.beaconRoots) }
        if fork >= .prague {
            object["CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS"] = .address(SystemContracts.consolidationRequests)
            object["DEPOSIT_CONTRACT_ADDRESS"] = .address(deposits)
            object["HISTORY_STORAGE_ADDRESS"] = .address(SystemContracts.blockHashes)
            object["WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS"] = .address(SystemContracts.withdrawalRequests)
        }
        return .object(object)
    }

    /// eth_capabilities: which part of the chain this node keeps.
    func capabilities() -> JSON {
        let (head, kept) = hub.read { ($0.head, UInt64($0.statesKept)) }
        let all: JSON = ["disabled": false, "oldestBlock": "0x0"]
        let states: JSON = [
            "disabled": false, "oldestBlock": .quantity(head.number >= kept ? head.number + 1 - kept : 0),
            "deleteStrategy": ["type": "window", "retentionBlocks": .quantity(kept)],
        ]
        return [
            "head": ["number": .quantity(head.number), "hash": .hash(head.hash)], "state": states, "tx": all,
            "logs": all, "receipts": all, "blocks": all, "stateproofs": states,
        ]
    }
}

/// The checksum that names a chain's forks so far (EIP-2124).
enum ForkID {
    /// - Parameters:
    ///   - after: the genesis block's time; forks that hold from it on do not count.
    ///   - steps: of the forks that have begun; first the numbers of their blocks count, then their times.
    ///   - netsplit: the block number that stands for the merge.
    static func checksum(
        genesis: Hash32, after start: UInt64, steps: ArraySlice<ForkSchedule.Step>, netsplit: UInt64?
    ) -> UInt32 {
        var numbers: [UInt64] = []
        var times: [UInt64] = []
        for step in steps {
            switch step.activation {
            case .number(let number): numbers.append(number)
            case .time(let time): times.append(time)
            case .merge: break
            }
        }
        numbers += netsplit.map { [$0] } ?? []
        var bytes = genesis.bytes
        func append(_ ascending: [UInt64], after first: UInt64) {
            var last = first
            for value in ascending where value > last {
                bytes += Bytes(bigEndian: value)
                last = value
            }
        }
        append(numbers, after: 0)
        append(times, after: start)
        return crc32(bytes)
    }

    /// CRC-32 as of IEEE 802.3.
    private static func crc32(_ bytes: Bytes) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 0 ? 0 : 0xedb8_8320) }
        }
        return ~sum
    }
}
