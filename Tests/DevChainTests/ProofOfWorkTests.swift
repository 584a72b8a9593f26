// Chains of proof of work: difficulty, rewards, ommers, receipts with roots, and the way to the merge.

import EVM
import Ethereum
import TestSupport
import Testing

@testable import DevChain

@Suite("Proof of work")
struct ProofOfWorkTests {
    private static func parent(_ difficulty: U256, number: UInt64 = 99, ommers: Bool = false) -> BlockHeader {
        var header = BlockHeader(
            parentHash: .zero, beneficiary: .zero, stateRoot: .zero, number: number, gasLimit: 30_000_000,
            timestamp: 1_000)
        header.difficulty = difficulty
        if ommers { header.ommersHash = .zero }
        return header
    }

    @Test("the difficulty follows from the time between two blocks, by the rule of each fork")
    func difficulty() {
        let start = U256(2_048_000)
        // A step is a 2048th: 1,000.
        for (fork, seconds, ommers, wanted) in [
            (Fork.frontier, 12, false, 2_049_000), (.frontier, 13, false, 2_047_000),
            (.frontier, 500, false, 2_047_000),
            (.homestead, 9, false, 2_049_000), (.homestead, 10, false, 2_048_000), (.homestead, 25, false, 2_047_000),
            (.spuriousDragon, 5_000, false, 1_949_000), (.byzantium, 8, false, 2_049_000),
            (.byzantium, 9, false, 2_048_000), (.byzantium, 8, true, 2_050_000), (.byzantium, 17, true, 2_049_000),
            (.grayGlacier, 18, false, 2_047_000), (.london, 50_000, true, 1_949_000),
        ] as [(Fork, UInt64, Bool, UInt64)] {
            let found = Difficulty.next(
                after: Self.parent(start, ommers: ommers), timestamp: 1_000 + seconds, fork: fork)
            #expect(found == U256(wanted), "\(fork), \(seconds) s")
        }
        #expect(Difficulty.next(after: Self.parent(131_072), timestamp: 2_000, fork: .berlin) == 131_072, "the least")
    }

    @Test("the bomb doubles every 100,000 blocks, and forks have put it off")
    func bomb() {
        let start = U256(2_048_000)
        for (fork, delay) in [
            (Fork.frontier, 0), (.homestead, 0), (.byzantium, 3_000_000), (.constantinople, 5_000_000),
            (.petersburg, 5_000_000), (.istanbul, 5_000_000), (.muirGlacier, 9_000_000), (.berlin, 9_000_000),
            (.london, 9_700_000), (.arrowGlacier, 10_700_000), (.grayGlacier, 11_400_000),
        ] as [(Fork, UInt64)] {
            // Ten seconds change nothing by themselves since Homestead, and raise by a step in Frontier.
            let plain = fork == .frontier ? start + 1_000 : start
            for (height, bomb) in [(199_999, 0), (200_000, 1), (299_999, 1), (300_000, 2), (1_000_000, 256)]
                as [(UInt64, UInt64)]
            {
                let parent = Self.parent(start, number: delay + height - 1)
                let found = Difficulty.next(after: parent, timestamp: 1_010, fork: fork)
                #expect(found == plain + U256(bomb), "\(fork), \(height)")
            }
        }
    }

    @Test("a block pays five, three, then two ether, a 32nd for each ommer, and its ommers by their age")
    func rewards() {
        let ether = U256(1_000_000_000_000_000_000)
        for (fork, base) in [(Fork.spuriousDragon, 5), (.byzantium, 3), (.constantinople, 2), (.grayGlacier, 2)]
            as [(Fork, UInt64)]
        {
            #expect(BlockReward.base(fork) == ether * U256(base))
        }
        var ommers = [Self.parent(1, number: 99), Self.parent(1, number: 95)]
        ommers[0].beneficiary = Address(truncating: 1)
        ommers[1].beneficiary = Address(truncating: 2)
        let rewards = BlockReward.all(
            number: 101, beneficiary: Address(truncating: 3), ommers: ommers, fork: .byzantium)
        #expect(rewards.map(\.address.word) == [1, 2, 3])
        #expect(rewards.map(\.wei) == [ether * 3 * 6 / 8, ether * 3 * 2 / 8, ether * 3 + ether * 3 / 32 * 2])
    }

    // MARK: Chains

    private static func bench(_ schedule: ForkSchedule) throws -> Bench {
        var bench = try Bench(fork: .frontier)
        var configuration = bench.chain.configuration
        configuration.schedule = schedule
        bench.chain = Blockchain(configuration)
        return bench
    }

    private static func legacy(_ bench: Bench, nonce: UInt64, chainID: UInt64? = nil) -> Bytes {
        Transaction.legacy(
            chainID: chainID, nonce: nonce, gasPrice: Bench.gwei * 10, gasLimit: 21_000,
            to: Address(truncating: 0xbeef), value: 5
        ).signed(by: bench.keys[0]).encoded
    }

    @Test("a chain from Frontier to Shanghai is made here and taken in elsewhere, block by block")
    func wholeWay() throws {
        let forks: [Fork] = [
            .frontier, .homestead, .tangerineWhistle, .spuriousDragon, .byzantium, .constantinople, .petersburg,
            .istanbul, .muirGlacier, .berlin, .london, .arrowGlacier, .grayGlacier,
        ]
        var steps = forks.enumerated().map { ForkSchedule.Step(.number(UInt64($0 * 2)), fork: $1) }
        steps.append(ForkSchedule.Step(.merge, fork: .paris))
        steps.append(ForkSchedule.Step(since: Bench.start + 10_000, fork: .shanghai))
        // Thirty blocks of about the least difficulty.
        let schedule = try ForkSchedule(steps, terminalTotalDifficulty: 131_072 * 30)
        var made = try Self.bench(schedule)
        var twin = made.chain
        for nonce in 0..<32 as Range<UInt64> {
            try made.chain.submit(
                PooledTransaction(
                    raw: Self.legacy(made, nonce: nonce), chainID: made.chain.chainID, rules: made.chain.rules))
            // London's first block doubles the limit, so that its target is what the limit was.
            if nonce == 19 { made.chain.settings.gasLimit *= 2 }
            made.mine()
            let block = made.chain.head
            #expect(block.transactions.count == 1, "\(block.number)")
            let place = Int(min(nonce + 1, 25) / 2)
            let isMerged = block.header.difficulty.isZero
            if !isMerged { #expect(made.chain.era(of: block.header).fork == forks[place], "\(block.number)") }
            #expect((block.header.baseFeePerGas != nil) == (block.number >= 20))
            #expect((block.outcomes[0].receipt.stateRoot != nil) == (block.number < 8))
        }
        #expect(made.chain.fork == .paris && made.chain.head.header.difficulty.isZero)
        let london = made.chain.blocks[20]
        #expect(london.baseFee == 1_000_000_000, "EIP-1559 begins at a gwei")
        made.now = Bench.start + 20_000
        made.mine()
        #expect(made.chain.fork == .shanghai && made.chain.head.header.withdrawalsRoot != nil)
        for block in made.chain.blocks.dropFirst() { try twin.importBlock(block.body.encoded) }
        #expect(twin.head.hash == made.chain.head.hash && twin.headState.root == made.chain.headState.root)
        let miner = made.chain.settings.coinbase
        #expect(twin.headState.balance(miner) > 0)
        // What was kept reads back as it was.
        for block in made.chain.blocks {
            let again = try StoredBlock.archived(block.archived)
            #expect(again.hash == block.hash && again.totalDifficulty == block.totalDifficulty)
            #expect(again.outcomes.map(\.receipt) == block.outcomes.map(\.receipt))
        }
    }

    @Test("blocks of proof of work with one thing changed are refused by name")
    func refusals() throws {
        let schedule = ForkSchedule(.byzantium)
        var made = try Self.bench(schedule)
        var chain = made.chain
        made.mine(2)
        try chain.importBlock(made.chain.blocks[1].body.encoded)
        let changes: [(DevChainError.Code, (inout Block) -> Void)] = [
            (.invalidDifficulty, { $0.header.difficulty = $0.header.difficulty &+ 1 }),
            (.invalidDifficulty, { $0.header.difficulty = .zero }),
            (.invalidBaseFee, { $0.header.baseFeePerGas = 7 }),
            (.invalidOmmersHash, { $0.header.ommersHash = .zero }),
            (.invalidOmmersHash, { $0.ommers = [$0.header] }),
            (.malformedBlock, { $0.withdrawals = [] }),
            (.invalidStateRoot, { $0.header.beneficiary = Address(truncating: 1) }),
        ]
        for (code, change) in changes {
            var block = made.chain.blocks[2].body
            change(&block)
            let bytes = try block.encoded
            #expect(refusal { try chain.importBlock(bytes) } == code)
        }
        // Nobody looks at the seal.
        var sealed = made.chain.blocks[2].body
        sealed.header.nonce = 77
        sealed.header.mixHash = keccak256([1])
        let bytes = try sealed.encoded
        #expect(refusal { try chain.importBlock(bytes) } == nil)
    }

    @Test("ommers are siblings of one of the latest blocks, each named once, and paid")
    func ommers() throws {
        let schedule = ForkSchedule(.byzantium)
        var made = try Self.bench(schedule)
        let chain = made.chain
        made.mine(3)
        // A sibling of block 1.
        var ommer = made.chain.blocks[1].header
        ommer.beneficiary = Address(truncating: 0xaa)
        ommer.nonce = 5
        func with(_ ommers: [BlockHeader], on number: Int) throws -> Bytes {
            var next = made.chain.plan(at: made.now)
            next.parentHash = made.chain.blocks[number - 1].hash
            var block = made.chain.blocks[number].body
            block.ommers = ommers
            block.header.ommersHash = Block.ommersHash(ommers)
            // The rewards change the state: what the run came to is found by running it.
            let around = try made.chain.states(of: made.chain.blocks[number])
            var plan = next
            plan.before = around.before
            plan.environment = made.chain.environment(of: made.chain.blocks[number])
            plan.candidates = []
            plan.extraData = block.header.extraData
            plan.work = BlockPlan.Work(difficulty: block.header.difficulty, ommers: ommers)
            plan.hashes = made.chain.hashes(before: made.chain.blocks[number])
            return try plan.runExactly().block.body.encoded
        }
        func refusedFor(_ ommers: [BlockHeader], on number: Int) throws -> DevChainError.Code? {
            var other = chain
            for block in made.chain.blocks[1..<number] { try other.importBlock(block.body.encoded) }
            let bytes = try with(ommers, on: number)
            return refusal { try other.importBlock(bytes) }
        }
        #expect(try refusedFor([ommer], on: 2) == nil)
        #expect(try refusedFor([ommer], on: 3) == nil)
        #expect(try refusedFor([ommer, ommer], on: 2) == .invalidOmmer, "named twice")
        #expect(try refusedFor([made.chain.blocks[1].header], on: 2) == .invalidOmmer, "an ancestor")
        var second = ommer
        second.nonce = 6
        var third = ommer
        third.nonce = 7
        #expect(try refusedFor([ommer, second], on: 2) == nil)
        #expect(try refusedFor([ommer, second, third], on: 2) == .invalidOmmer, "too many")
        var sibling = made.chain.blocks[2].header
        sibling.nonce = 5
        #expect(try refusedFor([sibling], on: 2) == .invalidOmmer, "a sibling of the block itself")
        var wrong = ommer
        wrong.difficulty = wrong.difficulty &+ 1
        #expect(try refusedFor([wrong], on: 2) == .invalidOmmer, "a difficulty of its own")
        var paid = chain
        try paid.importBlock(made.chain.blocks[1].body.encoded)
        try paid.importBlock(with([ommer], on: 2))
        let ether = U256(1_000_000_000_000_000_000)
        #expect(paid.headState.balance(Address(truncating: 0xaa)) == ether * 3 * 7 / 8)
        #expect(paid.head.ommers == [ommer])
    }

    @Test("with proof of work the branch with more of it is the head")
    func heaviest() throws {
        let schedule = ForkSchedule(.byzantium)
        var long = try Self.bench(schedule)
        var chain = long.chain
        var short = long
        long.mine(3)
        short.now = Bench.start + 5_000
        short.mine()
        for block in long.chain.blocks.dropFirst() { try chain.importBlock(block.body.encoded) }
        try chain.importBlock(short.chain.blocks[1].body.encoded)
        #expect(chain.head.hash == long.chain.head.hash, "a lighter branch waits beside")
        short.mine(4)
        for block in short.chain.blocks.dropFirst() { try chain.importBlock(block.body.encoded) }
        #expect(chain.head.hash == short.chain.head.hash)
    }

    // MARK: Names of forks

    @Test("fork IDs are those of EIP-2124 for Ethereum's main network")
    func forkIDs() throws {
        let genesis = try Hash32(hex: "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3")
        let steps: [(ForkSchedule.Activation, UInt32)] = [
            (.number(0), 0xfc64_ec04), (.number(1_150_000), 0x97c2_c34c), (.number(1_920_000), 0x91d1_f948),
            (.number(2_463_000), 0x7a64_da13), (.number(2_675_000), 0x3edd_5b10), (.number(4_370_000), 0xa00b_c324),
            (.number(7_280_000), 0x668d_b0af), (.number(9_069_000), 0x879d_6e30), (.number(9_200_000), 0xe029_e991),
            (.number(12_244_000), 0x0eb4_40f6), (.number(12_965_000), 0xb715_077d), (.number(13_773_000), 0x20c3_27fc),
            (.number(15_050_000), 0xf0af_d0e3), (.time(1_681_338_455), 0xdce9_6c2d),
            (.time(1_710_338_135), 0x9f3d_2254), (.time(1_746_612_311), 0xc376_cf8b),
        ]
        let all = steps.map { ForkSchedule.Step($0.0, fork: .frontier) }
        for (index, step) in steps.enumerated() {
            let found = ForkID.checksum(genesis: genesis, after: 0, steps: all[...index], netsplit: nil)
            #expect(found == step.1, "\(step.0)")
        }
    }

    @Test("a genesis file of proof of work has forks by number, the merge by difficulty, then forks by time")
    func genesisFile() throws {
        func genesis(_ changes: [(String, JSON)]) -> JSON {
            var config = JSONObject([
                ("chainId", 5), ("homesteadBlock", 0), ("eip150Block", 2), ("eip155Block", 3), ("eip158Block", 3),
                ("byzantiumBlock", 4), ("constantinopleBlock", 5), ("petersburgBlock", 5), ("istanbulBlock", 6),
                ("berlinBlock", 7), ("londonBlock", 8), ("mergeNetsplitBlock", 12), ("shanghaiTime", 900),
                ("terminalTotalDifficulty", 1_000_000),
            ])
            for (key, value) in changes { config[key] = value }
            return [
                "config": .object(config), "gasLimit": "0x1c9c380", "difficulty": "0x20000", "alloc": [:],
            ]
        }
        let chain = Blockchain(try Blockchain.Configuration(gethGenesis: genesis([])))
        #expect(chain.head.header.baseFeePerGas == nil && chain.head.header.withdrawalsRoot == nil)
        func fork(_ number: UInt64, _ time: UInt64 = 0, merged: Bool = false) -> Fork {
            let place = ForkSchedule.Place(number: number, timestamp: time, isMerged: merged)
            return chain.schedule.steps[chain.schedule.position(at: place)].fork
        }
        #expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 99].map { fork($0) } == [
            .homestead, .homestead, .tangerineWhistle, .spuriousDragon, .byzantium, .petersburg, .istanbul, .berlin,
            .london, .london,
        ])
        #expect(fork(9, merged: true) == .paris && fork(9, 900, merged: true) == .shanghai)
        #expect(chain.schedule.netsplit == 12 && chain.schedule.terminalTotalDifficulty == 1_000_000)
        let refused: [[(String, JSON)]] = [
            [("byzantiumBlock", .null)], [("eip155Block", 2)], [("berlinBlock", 5)], [("cancunTime", 800)],
            [("pragueTime", 2_000)], [("amsterdamTime", 5_000)], [("shanghaiTime", 0)],
            [("daoForkBlock", 2), ("daoForkSupport", true)],
        ]
        for changes in refused {
            #expect(
                refusal { try Blockchain.Configuration(gethGenesis: genesis(changes)) } == .invalidForkSchedule,
                "\(changes)")
        }
    }
}
