// Reorgs, snapshots and finality: what stays, what goes, and what never moves back.

import DevChain
import EVM
import Ethereum
import TestSupport
import Testing

@Suite("Reorgs, snapshots, finality")
struct ReorgTests {
    @Test("the tags follow the head at the profile's depths")
    func depths() throws {
        var bench = try Bench()
        #expect(bench.chain.safe == 0 && bench.chain.finalized == 0)
        bench.mine(3)
        #expect(bench.chain.safe == 1 && bench.chain.finalized == 0)
        bench.mine(7)
        #expect(bench.chain.safe == 8 && bench.chain.finalized == 6)
        #expect(bench.chain.block(.finalized)?.number == 6)
        #expect(bench.chain.block(.safe)?.number == 8)
        #expect(bench.chain.block(.earliest)?.number == 0)
    }

    @Test("a reorg replaces blocks, undoes their effects, and tells of both")
    func reorg() throws {
        var bench = try Bench()
        bench.mine(5)
        let kept = bench.chain.head.hash
        let lost = try bench.send(nonce: 0, value: 77)
        let old = [bench.mine(), bench.mine()]
        #expect(bench.chain.place(of: lost.hash)?.block.number == 6)
        _ = bench.chain.takeEvents()
        let other = try bench.transaction(nonce: 0, value: 33)
        let new = try bench.chain.reorg(depth: 2, transactions: [1: [other]], at: bench.now)
        #expect(new.map(\.number) == [6, 7])
        #expect(new[0].header.parentHash == kept)
        #expect(Set((old + new).map(\.hash)).count == 4)
        #expect(new.map(\.header.timestamp) == old.map(\.header.timestamp))
        #expect(bench.chain.place(of: lost.hash) == nil)
        #expect(bench.chain.place(of: other.hash)?.block.number == 7)
        #expect(bench.chain.headState.balance(Address(truncating: 0xbeef)) == 33)
        #expect(bench.chain.block(.hash(old[0].hash)) == nil)
        #expect(bench.chain.pool.isEmpty)
        var story: [String] = []
        for event in bench.chain.takeEvents() {
            switch event {
            case .removed(let block): story.append("-\(block.number)")
            case .added(let block): story.append("+\(block.number)")
            case .dropped: story.append("drop")
            case .pending: story.append("pending")
            }
        }
        #expect(story == ["-7", "-6", "+6", "+7", "drop"])
    }

    @Test("with restoring, the transactions of the removed blocks wait again and arrive again")
    func restoring() throws {
        var bench = try Bench()
        bench.mine(5)
        let first = try bench.send(nonce: 0, value: 1)
        bench.mine()
        let second = try bench.send(nonce: 1, value: 2)
        bench.mine()
        _ = try bench.chain.reorg(depth: 2, restoring: true, at: bench.now)
        #expect(bench.chain.pool.readyCount == 2)
        let block = bench.mine()
        #expect(block.transactions.map(\.hash) == [first.hash, second.hash])
        #expect(bench.chain.headState.balance(Address(truncating: 0xbeef)) == 3)
    }

    @Test("finalized blocks cannot be reorganised, and a refused reorg changes nothing")
    func belowFinalized() throws {
        var bench = try Bench()
        bench.mine(10)
        let head = bench.chain.head.hash
        #expect(bench.chain.finalized == 6)
        #expect(refusal { try bench.chain.reorg(depth: 5, at: bench.now) } == .belowFinalized)
        #expect(refusal { try bench.chain.reorg(depth: 11, at: bench.now) } == .belowFinalized)
        #expect(refusal { try bench.chain.reorg(depth: .max, at: bench.now) } == .limitExceeded)
        #expect(refusal { try bench.chain.rollback(depth: 5) } == .belowFinalized)
        let stray = try bench.transaction(nonce: 0)
        #expect(
            refusal { try bench.chain.reorg(depth: 2, transactions: [2: [stray]], at: bench.now) } == .limitExceeded)
        #expect(bench.chain.head.hash == head)
        _ = try bench.chain.reorg(depth: 4, at: bench.now)
        #expect(bench.chain.finalized == 6)
        #expect(bench.chain.head.number == 10)
    }

    @Test("a snapshot brings back blocks, state, pool, clock and tags, once")
    func snapshots() throws {
        var bench = try Bench()
        bench.mine(6)
        bench.chain.setBalance(5, of: Address(truncating: 1234))
        let waiting = try bench.send(nonce: 0, tip: 1)
        let (head, root, safe, finalized) = (
            bench.chain.head.hash, bench.chain.headState.root, bench.chain.safe, bench.chain.finalized
        )
        let id = try bench.chain.takeSnapshot()
        let later = try bench.chain.takeSnapshot()
        bench.chain.setBalance(6, of: Address(truncating: 1234))
        _ = try bench.chain.increaseTime(by: 500)
        bench.mine(10)
        #expect(bench.chain.place(of: waiting.hash) != nil)
        #expect(bench.chain.finalized > finalized)
        let isReverted = bench.chain.revert(to: id)
        #expect(isReverted)
        #expect(bench.chain.head.hash == head)
        #expect(bench.chain.headState.root == root)
        #expect(bench.chain.safe == safe && bench.chain.finalized == finalized)
        #expect(bench.chain.settings.clock.offset == 0)
        #expect(bench.chain.pool.find(waiting.hash) != nil)
        #expect(bench.chain.headState.balance(Address(truncating: 1234)) == 5)
        let again = bench.chain.revert(to: id)
        #expect(!again, "a snapshot is used up")
        let afterwards = bench.chain.revert(to: later)
        #expect(!afterwards, "those after it are gone with it")
        let unknown = bench.chain.revert(to: 999)
        #expect(!unknown)
    }

    @Test("a snapshot whose block was reorganised away is gone")
    func snapshotUnderReorg() throws {
        var bench = try Bench()
        bench.mine(3)
        let stays = try bench.chain.takeSnapshot()
        bench.mine()
        let goes = try bench.chain.takeSnapshot()
        _ = try bench.chain.reorg(depth: 1, at: bench.now)
        let toLost = bench.chain.revert(to: goes)
        #expect(!toLost)
        let toKept = bench.chain.revert(to: stays)
        #expect(toKept)
        #expect(bench.chain.head.number == 3)
    }

    @Test("what is set by hand shows at once and is in the next block's root")
    func setByHand() throws {
        var bench = try Bench()
        let address = Address(truncating: 0x77)
        let root = bench.chain.head.header.stateRoot
        bench.chain.setBalance(9, of: address)
        bench.chain.setNonce(3, of: address)
        bench.chain.setCode([0x60, 0x01], of: address)
        bench.chain.setStorage(5, to: 6, of: address)
        #expect(try bench.chain.state(.latest).balance(address) == 9)
        #expect(try bench.chain.states(of: bench.chain.head).after.balance(address) == 0)
        #expect(bench.chain.head.header.stateRoot == root)
        let block = bench.mine()
        let state = try bench.chain.states(of: block).after
        #expect(state.nonce(address) == 3)
        #expect(state.code(of: address) == [0x60, 0x01])
        #expect(state.storage(address, 5) == 6)
        #expect(block.header.stateRoot == state.root && state.root != root)
        bench.chain.setBalance(0, of: address)
        bench.chain.setNonce(0, of: address)
        bench.chain.setCode([], of: address)
        bench.chain.setStorage(5, to: 0, of: address)
        #expect(bench.chain.headState.account(address) == nil, "an empty account is none")
    }

    @Test(
        "whatever happens, finalized <= safe <= latest, tags only fall by a revert, and lookups agree with the blocks")
    func properties() throws {
        var random = SplitMix64.forTest()
        var bench = try Bench()
        var ids: [UInt64] = []
        for _ in 0..<300 {
            let (safe, finalized) = (bench.chain.safe, bench.chain.finalized)
            var mayFall = false
            switch random.below(8) {
            case 0, 1, 2, 3:
                let sender = random.below(3)
                let nonce = bench.chain.pendingNonce(bench.keys[sender].address)
                _ = try? bench.send(from: sender, nonce: nonce, value: U256(random.below(100)))
                bench.mine()
            case 4:
                let before = bench.chain.head.number
                if (try? bench.chain.reorg(
                    depth: UInt64(random.below(6)), restoring: random.below(2) == 0, at: bench.now)) != nil
                {
                    #expect(bench.chain.head.number == before)
                    #expect(bench.chain.finalized == finalized)
                    mayFall = true
                }
            case 5:
                let before = bench.chain.head.number
                let depth = UInt64(random.below(6))
                if (try? bench.chain.rollback(depth: depth, restoring: true)) != nil {
                    #expect(bench.chain.head.number == before - depth)
                    mayFall = true
                }
            case 6: ids.append(try bench.chain.takeSnapshot())
            default:
                if let id = ids.randomElement(using: &random), bench.chain.revert(to: id) { continue }
            }
            #expect(bench.chain.finalized <= bench.chain.safe && bench.chain.safe <= bench.chain.head.number)
            #expect(bench.chain.finalized >= finalized)
            #expect(mayFall || bench.chain.safe >= safe)
            for (number, block) in bench.chain.blocks.enumerated() {
                #expect(block.number == UInt64(number))
                #expect(bench.chain.block(.hash(block.hash)) === block)
                if number > 0 { #expect(block.header.parentHash == bench.chain.blocks[number - 1].hash) }
                for (index, transaction) in block.transactions.enumerated() {
                    let place = bench.chain.place(of: transaction.hash)
                    #expect(place?.block === block && place?.index == index)
                    #expect(bench.chain.pool.find(transaction.hash) == nil)
                }
            }
        }
        #expect(bench.chain.head.number > 20)
    }
}
