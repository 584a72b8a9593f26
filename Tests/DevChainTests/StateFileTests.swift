// A state in a file: what a restart finds after a clean end, and after an end at any point.

import EVM
import Ethereum
import Foundation
import Testing
import TestSupport

@testable import DevChain

@Suite("State file")
struct StateFileTests {
    private static func folder() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-state-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    private static func change(_ random: inout SplitMix64, _ state: WorldState) -> AccountChange {
        let address = Address(truncating: U256(UInt64(random.below(200) + 1)))
        if random.below(8) == 0, state.account(address) != nil { return AccountChange(address: address, state: nil) }
        let slots = (0..<random.below(5)).map { _ in
            SlotChange(slot: U256(UInt64(random.below(30))), value: U256(UInt64(random.below(3))))
        }
        let unique = Dictionary(slots.map { ($0.slot, $0) }) { first, _ in first }.values.sorted { $0.slot < $1.slot }
        return AccountChange(
            address: address, state: AccountState(nonce: UInt64(random.below(9)), balance: U256(random.next())),
            clearsStorage: random.below(6) == 0, slots: unique)
    }

    private static func block(_ random: inout SplitMix64, _ state: WorldState) -> [AccountChange] {
        let all = (0..<10).map { _ in change(&random, state) }
        return Dictionary(all.map { ($0.address, $0) }) { first, _ in first }.values.sorted { $0.address < $1.address }
    }

    private static func open(_ folder: URL, _ codes: CodeTable = CodeTable()) throws -> WorldState {
        WorldState(StateStore(StateTree(try StateFile(path: folder.appendingPathComponent("state").path), codes: codes)))
    }

    @Test("a file that was closed opens at its last state, with its position, and goes on")
    func cleanEnd() throws {
        var random = SplitMix64.forTest()
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var root = Hash32.emptyTrieRoot
        var bytes = 0
        for round in 0..<5 as Range<UInt64> {
            var state = try Self.open(folder)
            #expect(state.syncedPosition == round)
            #expect(state.root == root)
            if round > 0 { #expect(state.bytesUsed == bytes) }
            for _ in 0..<20 { state.apply(Self.block(&random, state)) }
            root = state.root
            state.close(position: round + 1)
            bytes = state.bytesUsed
        }
    }

    @Test("copies of the files taken at any moment open at the last sync, whatever was changed since")
    func copiesAtAnyMoment() throws {
        var random = SplitMix64.forTest()
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var state = try Self.open(folder)
        var synced = state
        for round in 0..<60 as Range<UInt64> {
            let base = state
            // Changes that are kept, changes that are thrown away, and turns between them.
            for _ in 0..<random.below(4) { state.apply(Self.block(&random, state)) }
            var other = base
            for _ in 0..<random.below(3) { other.apply(Self.block(&random, other)) }
            if random.below(2) == 0 { _ = state.root }
            if random.below(3) == 0 {
                state.sync(position: round)
                synced = state
            }
            let copy = try Self.folder()
            defer { try? FileManager.default.removeItem(at: copy) }
            for name in ["state", "state.undo"] {
                try FileManager.default.copyItem(
                    at: folder.appendingPathComponent(name), to: copy.appendingPathComponent(name))
            }
            let opened = try Self.open(copy)
            #expect(opened.root == synced.root, "round \(round)")
            #expect(opened.accountCount == synced.accountCount)
        }
    }

    @Test("what leads from one state to another does so in a store that never saw either")
    func changesBetween() throws {
        var random = SplitMix64.forTest()
        var states: [WorldState] = [WorldState()]
        var copies: [(of: Int, state: WorldState)] = [(0, WorldState())]
        for _ in 0..<80 {
            var next = states[random.below(states.count)]
            next.apply(Self.block(&random, next))
            states.append(next)
            let (of, base) = copies[random.below(copies.count)]
            let to = random.below(states.count)
            var copy = base
            copy.apply(states[to].changes(since: states[of]))
            #expect(copy.root == states[to].root)
            copies.append((to, copy))
        }
    }

    @Test("a change that a process died in the midst of is put back", arguments: 0..<40)
    func diesInside(seed: Int) throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var random = SplitMix64(seed: UInt64(seed))
        var state = try Self.open(folder)
        for _ in 0..<8 { state.apply(Self.block(&random, state)) }
        state.sync(position: 1)
        let root = state.root
        // The end comes at some allocation inside a change: the copy is what the disk would hold then.
        let copy = try Self.folder()
        defer { try? FileManager.default.removeItem(at: copy) }
        let tree = state.lookingForTest { $0 }
        var left = random.below(60)
        tree.arena.willAllocate = {
            if left == 0 {
                for name in ["state", "state.undo"] {
                    try? FileManager.default.copyItem(
                        at: folder.appendingPathComponent(name), to: copy.appendingPathComponent(name))
                }
            }
            left -= 1
        }
        for _ in 0..<6 { state.apply(Self.block(&random, state)) }
        tree.arena.willAllocate = nil
        guard FileManager.default.fileExists(atPath: copy.appendingPathComponent("state").path) else { return }
        let opened = try Self.open(copy)
        #expect(opened.root == root)
        #expect(opened.syncedPosition == 1)
    }

    @Test("a foreign file is refused and left as it is")
    func foreign() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("state")
        try Data(repeating: 0x41, count: 8_192).write(to: path)
        #expect(throws: DevChainError.self) { try Self.open(folder) }
        #expect(try Data(contentsOf: path) == Data(repeating: 0x41, count: 8_192))
    }

    @Test("a file may take less memory than it has bytes")
    func budget() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var state = try Self.open(folder)
        for batch in 0..<20 as Range<UInt64> {
            state.apply(
                (0..<10_000 as Range<UInt64>).map {
                    AccountChange(
                        address: Address(truncating: U256(batch * 10_000 + $0 + 1)), state: AccountState(nonce: 1))
                })
        }
        let root = state.root
        let before = try #require(NodeMapping.residentFileBytes)
        state.keepResident(below: 0)
        let after = try #require(NodeMapping.residentFileBytes)
        #expect(after < before - 20 << 20, "\(before) before, \(after) after")
        #expect(state.nonce(Address(truncating: 77)) == 1)
        state.setNonce(2, of: Address(truncating: 77))
        state.setNonce(1, of: Address(truncating: 77))
        #expect(state.root == root)
    }
}
