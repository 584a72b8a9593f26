// Blocks: hashes and roots computed anew from what they hold, determinism, timestamps, base fees, system contracts.

import DevChain
import EVM
import Ethereum
import TestSupport
import Testing

@Suite("Blocks")
struct BlockTests {
    /// A chain with transfers, a creation, logs and a revert in it.
    private func busy() throws -> Bench {
        var bench = try Bench()
        let created = Address.created(by: bench.keys[0].address, nonce: 0)
        _ = try bench.send(nonce: 0, to: nil, value: 0, data: Bench.deploy(Bench.logger), gas: 200_000)
        _ = try bench.send(from: 1, nonce: 0, value: 5)
        bench.mine()
        for nonce in 1..<4 as Range<UInt64> {
            _ = try bench.send(nonce: nonce, to: created, value: 0, data: U256(nonce).bytes, gas: 100_000)
        }
        _ = try bench.send(from: 2, nonce: 0, to: nil, value: 0, data: Bench.deploy(Bench.reverter), gas: 200_000)
        bench.mine()
        let reverter = Address.created(by: bench.keys[2].address, nonce: 0)
        _ = try bench.send(from: 2, nonce: 1, to: reverter, value: 0, gas: 100_000)
        bench.mine()
        bench.mine()
        return bench
    }

    @Test("every block decodes from its own bytes to the same hash, roots, bloom and gas")
    func recomputed() throws {
        let bench = try busy()
        #expect(bench.chain.blocks.count == 5)
        var parent: StoredBlock?
        for stored in bench.chain.blocks {
            let decoded = try Block.decode(try stored.body.encoded)
            let header = decoded.header
            #expect(keccak256(header.rlp.encoded) == stored.hash)
            #expect(header.parentHash == parent?.hash ?? .zero)
            #expect(header.transactionsRoot == Trie.root(ofOrdered: decoded.transactions.map(\.encoded)))
            let receipts = try stored.outcomes.map { try Receipt.decode($0.receipt.encoded) }
            #expect(header.receiptsRoot == Trie.root(ofOrdered: receipts.map(\.encoded)))
            var bloom = Bloom()
            for receipt in receipts { bloom.formUnion(Bloom(receipt.logs)) }
            #expect(header.logsBloom == bloom)
            #expect(header.gasUsed == receipts.last?.cumulativeGasUsed ?? 0)
            #expect(header.withdrawalsRoot == .emptyTrieRoot)
            #expect(header.requestsHash == sha256([]))
            #expect(header.parentBeaconBlockRoot == .zero)
            #expect(try header.stateRoot == bench.chain.states(of: stored).after.root)
            parent = stored
        }
        let logs = bench.chain.blocks[2].outcomes.flatMap(\.receipt.logs)
        #expect(logs.count == 3)
        #expect(bench.chain.blocks[3].outcomes.map(\.receipt.succeeded) == [false])
    }

    @Test("the state root is that of a trie made from nothing but the accounts")
    func stateRoot() throws {
        let bench = try busy()
        let state = bench.chain.headState
        let watched =
            bench.keys.map(\.address)
            + [
                Address.created(by: bench.keys[0].address, nonce: 0),
                Address.created(by: bench.keys[2].address, nonce: 0),
            ]
            + [Address(truncating: 0xbeef), bench.chain.profile.coinbase]
            + SystemContracts.genesis(.prague).map(\.address)
        var pairs: [(key: Bytes, value: Bytes)] = []
        for address in watched {
            let account = try #require(state.account(address))
            var slots: [(key: Bytes, value: Bytes)] = []
            for slot in 0..<20_000 as Range<UInt64> {
                let value = state.storage(address, U256(slot))
                if !value.isZero { slots.append((U256(slot).bytes, RLP.uint(value).encoded)) }
                if slot > 20, slots.isEmpty { break }
            }
            if address == SystemContracts.beaconRoots || address == SystemContracts.blockHashes {
                #expect(state.hasStorage(address))
                pairs.append((address.bytes, try #require(state.recordForTest(address)).encoded))
                continue
            }
            let record = AccountRecord(
                nonce: account.state.nonce, balance: account.state.balance, storageRoot: Trie.secureRoot(of: slots),
                codeHash: keccak256(state.code(of: address)))
            pairs.append((address.bytes, record.encoded))
        }
        #expect(state.accountCount == watched.count)
        #expect(Trie.secureRoot(of: pairs) == bench.chain.head.header.stateRoot)
    }

    @Test("money is only moved, paid as tips or burnt as base fee")
    func conservation() throws {
        let bench = try busy()
        let all = bench.keys.map(\.address) + [Address(truncating: 0xbeef), bench.chain.profile.coinbase]
        let left = all.reduce(U256.zero) { $0 + bench.chain.headState.balance($1) }
        let burnt = bench.chain.blocks.reduce(U256.zero) { $0 + $1.baseFee * U256($1.header.gasUsed) }
        #expect(left + burnt == U256(500) * Bench.ether)
    }

    @Test("the same calls at the same times give the same hashes, and other ones do not")
    func determinism() throws {
        let first = try busy().chain.blocks.map(\.hash)
        #expect(first == (try busy().chain.blocks.map(\.hash)))
        var other = try busy()
        other.now += 1
        other.mine()
        var same = try busy()
        same.mine()
        #expect(other.chain.head.hash != same.chain.head.hash)
    }

    @Test("block hashes stand in the history contract, and BLOCKHASH agrees or follows the profile's quirk")
    func blockHashes() throws {
        var bench = try busy()
        let view = try bench.chain.view(.latest)
        let number = bench.chain.head.number
        func ask(_ to: Address, _ data: Bytes, _ view: CallView) throws -> Bytes {
            try view.call(
                .legacy(chainID: nil, nonce: 0, gasPrice: 0, gasLimit: 100_000, to: to, data: data), sender: .zero
            ).output
        }
        #expect(
            try ask(SystemContracts.blockHashes, U256(number - 1).bytes, view)
                == bench.chain.blocks[Int(number) - 1].hash.bytes)
        // PUSH0 CALLDATALOAD BLOCKHASH PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
        let asker = Address(truncating: 0xa5)
        let code: Bytes = [0x5f, 0x35, 0x40, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]
        bench.chain.setCode(code, of: asker)
        #expect(
            try ask(asker, U256(number - 1).bytes, bench.chain.view(.latest))
                == bench.chain.blocks[Int(number) - 1].hash.bytes)
        #expect(try ask(asker, U256(number).bytes, bench.chain.view(.latest)) == U256.zero.bytes)

        var quirky = try Bench(Bench.profileText + "\nquirks: {blockHashOfDecimalText: true, prevRandaoZero: true}")
        quirky.chain.setCode(code, of: asker)
        quirky.mine(3)
        // jovay.md 1.4: keccak of the decimal text.
        #expect(try ask(asker, U256(2).bytes, quirky.chain.view(.latest)) == keccak256(text: "2").bytes)
        #expect(quirky.chain.head.header.mixHash == .zero)
        #expect(bench.chain.head.header.mixHash != .zero)
    }

    @Test("several blocks may share a timestamp, and none goes back")
    func timestamps() throws {
        var bench = try Bench()
        for _ in 0..<5 { bench.chain.mine(at: Bench.start + 1) }
        bench.chain.mine(at: Bench.start - 100)
        #expect(bench.chain.blocks.map(\.header.timestamp) == [0, 1, 1, 1, 1, 1, 1].map { Bench.start + $0 })
        #expect(Set(bench.chain.blocks.map(\.hash)).count == 7)
        let added = try bench.chain.increaseTime(by: 1000)
        #expect(added == 1000)
        bench.chain.mine(at: Bench.start + 2)
        #expect(bench.chain.head.header.timestamp == Bench.start + 1002)
        try bench.chain.setNextTimestamp(Bench.start + 5000)
        bench.chain.mine(at: Bench.start + 3)
        bench.chain.mine(at: Bench.start + 4)
        #expect(bench.chain.blocks.suffix(2).map(\.header.timestamp) == [Bench.start + 5000, Bench.start + 5001])
        #expect(refusal { try bench.chain.setNextTimestamp(Bench.start) } == .timestampTooLow)
        #expect(refusal { try bench.chain.increaseTime(by: .max) } == .limitExceeded)
    }

    @Test(
        "the base fee follows EIP-1559",
        arguments: [
            // From the standard's own formula: parent base fee, gas used of a 30M block, next base fee.
            (1_000_000_000 as UInt64, 15_000_000 as UInt64, 1_000_000_000 as UInt64),
            (1_000_000_000, 30_000_000, 1_125_000_000), (1_000_000_000, 0, 875_000_000), (7, 0, 7),
            (7, 15_000_001, 8), (1_000_000_000, 15_000_001, 1_000_000_008),
        ])
    func baseFee(parent: UInt64, used: UInt64, next: UInt64) {
        var header = BlockHeader(
            parentHash: .zero, beneficiary: .zero, stateRoot: .zero, number: 1, gasLimit: 30_000_000, timestamp: 0)
        header.baseFeePerGas = U256(parent)
        header.gasUsed = used
        #expect(BaseFees.eip1559(after: header) == U256(next))
    }

    @Test("a constant base fee stays, and empty blocks lower an EIP-1559 one")
    func baseFeeRules() throws {
        var falling = try Bench()
        falling.mine(3)
        #expect(falling.chain.head.baseFee < Bench.gwei)
        var constant = try Bench(
            Bench.profileText.replacing("{rule: eip1559, wei: 1000000000}", with: "{rule: constant, wei: 1000000}"))
        constant.mine(3)
        #expect(constant.chain.head.baseFee == 1_000_000)
    }

    @Test(
        "older forks leave out the fields that came later",
        arguments: [(Fork.shanghai, 17), (.cancun, 20), (.prague, 21)])
    func forkFields(fork: Fork, fields: Int) throws {
        var bench = try Bench(fork: fork)
        _ = try bench.send(nonce: 0)
        let header = bench.mine().header
        #expect(try header.rlp.asList("header").count == fields)
    }

    @Test("states beyond the limit are let go and named as such, blocks stay")
    func pruning() throws {
        var bench = try Bench(statesKept: 3)
        bench.mine(10)
        #expect(refusal { try bench.chain.state(.number(7)) } == .statePruned)
        #expect(try bench.chain.state(.number(8)).balance(bench.keys[0].address) == U256(100) * Bench.ether)
        #expect(bench.chain.block(.number(2))?.number == 2)
        #expect(refusal { try bench.chain.state(.number(11)) } == .blockNotFound)
        #expect(refusal { try bench.chain.state(.hash(.zero)) } == .blockNotFound)
    }
}

extension WorldState {
    /// The leaf of an account as the state trie holds it.
    fileprivate func recordForTest(_ address: Address) -> AccountRecord? {
        account(address).map {
            AccountRecord(
                nonce: $0.state.nonce, balance: $0.state.balance, storageRoot: storageRoot(of: address),
                codeHash: $0.state.codeHash)
        }
    }
}
