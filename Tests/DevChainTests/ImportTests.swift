// Blocks from elsewhere: what one chain made, another takes in; what was changed on the way is refused by name.

import DevChain
import EVM
import Ethereum
import TestSupport
import Testing

@Suite("Block import")
struct ImportTests {
    /// A chain with blocks, and one that has the same genesis block and nothing else.
    private func twins(_ fork: Fork = .prague) throws -> (made: Bench, empty: Blockchain) {
        var bench = try Bench(fork: fork)
        let empty = bench.chain
        _ = try bench.send(nonce: 0, to: nil, value: 0, data: Bench.deploy(Bench.logger), gas: 200_000)
        bench.mine()
        let contract = Address.created(by: bench.keys[0].address, nonce: 0)
        _ = try bench.send(nonce: 1, to: contract, value: 0, data: U256(7).bytes, gas: 100_000)
        _ = try bench.send(from: 1, nonce: 0, value: 5)
        bench.mine(2)
        return (bench, empty)
    }

    private func bytes(_ block: StoredBlock) throws -> Bytes { try block.body.encoded }

    @Test("a chain takes in what another made, block by block, and ends in the same state",
        arguments: Fork.allCases.filter { $0 >= .shanghai })
    func roundTrip(fork: Fork) throws {
        var (made, chain) = try twins(fork)
        let file = try made.chain.blocks.dropFirst().flatMap(bytes)
        #expect(try chain.importChain(file) == 3)
        #expect(chain.head.hash == made.chain.head.hash)
        #expect(chain.headState.root == made.chain.headState.root)
        #expect(chain.head.outcomes.map(\.gasUsed) == made.chain.head.outcomes.map(\.gasUsed))
        let added = chain.takeEvents().compactMap { if case .added(let block) = $0 { block.number } else { nil } }
        #expect(added == [1, 2, 3])
        // A block that is known already changes nothing.
        try chain.importBlock(bytes(made.chain.head))
        #expect(chain.head.number == 3 && chain.takeEvents().isEmpty)
        made.mine()
        #expect(chain.nextBaseFee == made.chain.blocks[4].baseFee)
    }

    /// Each change of one field of a valid header, with the refusal it must meet.
    private static let changes: [(DevChainError.Code, @Sendable (inout Block) -> Void)] = [
        (.unknownParent, { $0.header.parentHash = .zero }),
        (.invalidBlockNumber, { $0.header.number += 1 }),
        (.invalidBlockTimestamp, { $0.header.timestamp = Bench.start }),
        (.extraDataTooLong, { $0.header.extraData = Bytes(repeating: 1, count: 33) }),
        (.invalidGasLimit, { $0.header.gasLimit += $0.header.gasLimit / 1024 }),
        (.invalidGasLimit, { $0.header.gasLimit = 4_999 }),
        (.invalidGasUsed, { $0.header.gasUsed = $0.header.gasLimit + 1 }),
        (.invalidGasUsed, { $0.header.gasUsed += 1 }),
        (.invalidBaseFee, { $0.header.baseFeePerGas = 1 }),
        (.invalidProofOfStakeField, { $0.header.difficulty = 1 }),
        (.invalidProofOfStakeField, { $0.header.nonce = 1 }),
        (.ommersNotAllowed, { $0.header.ommersHash = .zero }),
        (.ommersNotAllowed, { $0.ommers = [$0.header] }),
        (.wrongForkFields, { $0.header.requestsHash = nil }),
        (.invalidBlobGasUsed, { $0.header.blobGasUsed = 1 }),
        (.invalidBlobGasUsed, { $0.header.blobGasUsed = Transaction.gasPerBlob }),
        (.invalidBlobGasUsed, { $0.header.blobGasUsed = Transaction.gasPerBlob * 10 }),
        (.invalidExcessBlobGas, { $0.header.excessBlobGas = Transaction.gasPerBlob }),
        (.malformedBlock, { $0.withdrawals = nil }),
        (.invalidWithdrawalsRoot, { $0.header.withdrawalsRoot = .zero }),
        (
            .invalidWithdrawalsRoot,
            { $0.withdrawals = [Withdrawal(index: 0, validatorIndex: 0, address: .zero, amountGwei: 1)] }
        ),
        (.invalidTransactionsRoot, { $0.header.transactionsRoot = .zero }),
        (.invalidTransactionsRoot, { $0.transactions.removeLast() }),
        (.invalidReceiptsRoot, { $0.header.receiptsRoot = .zero }),
        (.invalidLogsBloom, { $0.header.logsBloom.add([1]) }),
        (.invalidStateRoot, { $0.header.stateRoot = .zero }),
        (.invalidRequestsHash, { $0.header.requestsHash = .zero }),
        (
            .invalidTransaction,
            {
                $0.transactions.reverse()
                $0.transactions.append($0.transactions[0])
                $0.header.transactionsRoot = Block.transactionsRoot($0.transactions)
            }
        ),
        // What no rule fixes is part of what was run: PREVRANDAO and the beacon root change the state or the hash only.
        (.invalidStateRoot, { $0.header.parentBeaconBlockRoot = keccak256([1]) }),
        (.invalidStateRoot, { $0.header.beneficiary = Address(truncating: 1) }),
    ]

    @Test("a block with one thing changed is refused by its name, and the chain stays", arguments: changes.indices)
    func refusals(index: Int) throws {
        let (code, change) = Self.changes[index]
        let (made, start) = try twins()
        var chain = start
        try chain.importBlock(bytes(made.chain.blocks[1]))
        var block = made.chain.blocks[2].body
        change(&block)
        let changed = try block.encoded
        #expect(refusal { try chain.importBlock(changed) } == code)
        #expect(chain.head.number == 1)
        // The block as it was still fits.
        try chain.importBlock(bytes(made.chain.blocks[2]))
        #expect(chain.head.hash == made.chain.blocks[2].hash)
    }

    @Test("bytes that are not one canonical block are refused")
    func malformed() throws {
        let (made, start) = try twins()
        var chain = start
        let good = try bytes(made.chain.blocks[1])
        let header = made.chain.blocks[1].header
        for bad in [[], [0xc0], good + [0], Bytes(good.dropLast()), [0xc1] + good] {
            #expect(refusal { try chain.importBlock(bad) } == .malformedBlock)
        }
        var random = SplitMix64.forTest("import: malformed")
        for _ in 0..<300 {
            var bad = good
            bad[random.below(bad.count)] ^= UInt8(1 << random.below(8))
            // Nothing in this block rests on PREVRANDAO, and the gas limit may move a little: with another one of these
            // it is another valid block.
            if let other = try? Block.decode(bad).header,
                other.mixHash != header.mixHash || other.gasLimit != header.gasLimit
            {
                continue
            }
            #expect(refusal { try chain.importBlock(bad) } != nil)
        }
        #expect(chain.head.number == 0)
        try chain.importBlock(good)
    }

    @Test("the last valid block that came is the head, also on another branch, and the way back is open")
    func branches() throws {
        let (made, start) = try twins()
        var chain = start
        var other = made
        other.chain = start
        // Without the transactions of the first branch.
        other.now = Bench.start + 100
        other.mine(2)
        let first = made.chain.blocks.dropFirst().map { $0 }
        let second = other.chain.blocks.dropFirst().map { $0 }
        for block in first { try chain.importBlock(bytes(block)) }
        try chain.importBlock(bytes(second[0]))
        #expect(chain.head.hash == second[0].hash && chain.head.number == 1)
        #expect(chain.place(of: first[0].transactions[0].hash) == nil)
        #expect(chain.headState.root == second[0].header.stateRoot)
        try chain.importBlock(bytes(second[1]))
        #expect(chain.blocks.map(\.hash) == other.chain.blocks.map(\.hash))
        _ = chain.takeEvents()
        // The first branch was kept: its newest block alone brings it back.
        try chain.importBlock(bytes(first[2]))
        #expect(chain.blocks.map(\.hash) == made.chain.blocks.map(\.hash))
        #expect(chain.headState.root == made.chain.headState.root)
        let story = chain.takeEvents().map { event in
            switch event {
            case .added(let block): "+\(block.number)"
            case .removed(let block): "-\(block.number)"
            default: "?"
            }
        }
        #expect(story == ["-2", "-1", "+1", "+2", "+3"])
        // A block of the chain itself becomes the head by leaving those after it.
        try chain.importBlock(bytes(first[0]))
        #expect(chain.head.hash == first[0].hash)
    }

    @Test("a branch that begins below the finalized block is refused")
    func finality() throws {
        var (made, chain) = try twins()
        let start = chain
        made.mine(4)
        for block in made.chain.blocks.dropFirst() { try chain.importBlock(bytes(block)) }
        #expect(chain.finalized == 3)
        var other = made
        other.chain = start
        other.now = Bench.start + 100
        other.mine()
        let fork = try bytes(other.chain.head)
        #expect(refusal { try chain.importBlock(fork) } == .belowFinalized)
        #expect(chain.head.number == 7)
    }

    @Test("a fork begins with the first block of its time, and blob figures follow the chain's schedule")
    func schedule() throws {
        let genesis: JSON = [
            "config": [
                "chainId": 5, "shanghaiTime": 0, "cancunTime": 100, "pragueTime": 200,
                "blobSchedule": ["prague": ["target": 1, "max": 2, "baseFeeUpdateFraction": 100]],
            ],
            "gasLimit": "0x1c9c380", "timestamp": "0x5", "extraData": "0x1234",
            "alloc": [
                "00000000000000000000000000000000000000aa": [
                    "balance": "0x10", "nonce": "0x3", "code": "0x00", "storage": ["0x01": "0x02"],
                ]
            ],
        ]
        let chain = Blockchain(try Blockchain.Configuration(gethGenesis: genesis))
        #expect(chain.chainID == 5 && chain.head.header.extraData == [0x12, 0x34])
        #expect(chain.head.header.parentBeaconBlockRoot == nil && chain.head.header.withdrawalsRoot != nil)
        #expect(chain.era(at: 99).fork == .shanghai && chain.era(at: 100).fork == .cancun)
        #expect(chain.era(at: 199).rules.blobsMaximum == 6 && chain.era(at: 200).rules.blobsMaximum == 2)
        #expect(chain.era(at: 200).rules.excessBlobGas(parentExcess: 0, parentUsed: 2 * 131_072) == 131_072)
        let account = Address(truncating: 0xaa)
        #expect(chain.headState.balance(account) == 16 && chain.headState.nonce(account) == 3)
        #expect(chain.headState.code(of: account) == [0] && chain.headState.storage(account, 1) == 2)
        let planned = chain.plan(at: 0, timestamp: 250).run().block
        #expect(planned.header.requestsHash != nil && planned.header.excessBlobGas == 0)
    }

    @Test("a genesis file that cannot be is refused")
    func genesisRefusals() throws {
        let good: JSON = ["config": ["chainId": 5, "shanghaiTime": 0], "gasLimit": "0x1c9c380", "alloc": [:]]
        _ = try Blockchain.Configuration(gethGenesis: good)
        func with(_ key: String, _ value: JSON, inConfig: Bool = false) -> JSON {
            var whole = good.asObject ?? JSONObject()
            if inConfig {
                var config = good["config"]?.asObject ?? JSONObject()
                config[key] = value
                whole["config"] = .object(config)
            } else {
                whole[key] = value
            }
            return .object(whole)
        }
        let refused: [(JSON, DevChainError.Code)] = [
            ([:], .invalidForkSchedule),
            (with("chainId", 0, inConfig: true), .malformedGenesis),
            (with("londonBlock", 7, inConfig: true), .invalidForkSchedule),
            (with("osakaTime", 7, inConfig: true), .invalidForkSchedule),
            (with("shanghaiTime", 7, inConfig: true), .invalidForkSchedule),
            (with("gasLimit", .null), .malformedGenesis), (with("number", "0x1"), .malformedGenesis),
            (with("alloc", ["0x12": [:]]), .malformedGenesis), (with("extraData", "0x1"), .malformedGenesis),
            (with("alloc", .null), .malformedGenesis),
        ]
        for (json, code) in refused {
            #expect(refusal { try Blockchain.Configuration(gethGenesis: json) } == code, "\(json.text)")
        }
    }
}
