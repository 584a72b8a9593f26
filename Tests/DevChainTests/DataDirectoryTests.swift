// A chain with a data directory: what a restart finds, after a clean end and after an end at any moment.

import EVM
import Ethereum
import Foundation
import Logging
import Testing
import TestSupport

@testable import DevChain

@Suite("Data directory")
struct DataDirectoryTests {
    static func folder() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("causeway-chain-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    private struct Opened {
        let hub: ChainHub
        let archive: ChainArchive
    }

    private static let keys = (try? Mnemonic(Mnemonic.developmentText).accounts(count: 5)) ?? []

    private static func configuration(memory: MemoryPlan = MemoryPlan()) throws -> Blockchain.Configuration {
        var configuration = Blockchain.Configuration(
            profile: try Bench.profile(), genesisTimestamp: Bench.start,
            balances: keys.map { ($0.address, U256(100) * Bench.ether) })
        configuration.memory = memory
        return configuration
    }

    private static func open(_ folder: URL, memory: MemoryPlan = MemoryPlan()) throws -> Opened {
        let configuration = try configuration(memory: memory)
        let (archive, content, state) = try ChainArchive.open(
            folder.path, role: "test", logger: NodeBench.quiet())
        if let content {
            let chain = try Blockchain(configuration, content, shelf: archive)
            return Opened(hub: ChainHub(chain, archive: archive), archive: archive)
        }
        var chain = Blockchain(configuration, in: state)
        chain.blocks.shelf = archive
        try archive.keep(chain)
        return Opened(hub: ChainHub(chain, archive: archive), archive: archive)
    }

    private static func transaction(
        from: Int, nonce: UInt64, to: Address? = Address(truncating: 0xbeef), data: Bytes = [], gas: UInt64 = 200_000
    ) throws -> PooledTransaction {
        let signed = Transaction.dynamicFee(
            chainID: 31337, nonce: nonce, maxPriorityFeePerGas: Bench.gwei, maxFeePerGas: U256(100) * Bench.gwei,
            gasLimit: gas, to: to, value: data.isEmpty ? 1 : 0, data: data
        ).signed(by: keys[from])
        return try PooledTransaction(raw: signed.encoded, chainID: 31337, rules: RuleSet(.prague))
    }

    /// What must be the same on both sides of a restart.
    private struct Face: Equatable {
        var blocks: [Hash32]
        var root: Hash32
        var headRoot: Hash32
        var safe: UInt64
        var finalized: UInt64
        var settings: BlockSettings
        var impersonated: Set<Address>
        var waiting: Set<Hash32>
        var logs: [Log]
        var receipts: [Bytes]

        init(_ chain: Blockchain) throws {
            blocks = chain.blocks.map(\.hash)
            root = chain.headState.root
            headRoot = chain.head.header.stateRoot
            safe = chain.safe
            finalized = chain.finalized
            settings = chain.settings
            impersonated = chain.impersonated
            waiting = Set(chain.pool.contents.flatMap { ($0.ready + $0.gapped).map(\.hash) })
            let all = LogFilter(blocks: .range(from: .earliest, to: .latest), topics: [[Hash32(1)]])
            logs = try chain.logs(all).map(\.log)
            receipts = chain.blocks.flatMap { block in
                block.transactions.map { transaction in
                    guard let place = chain.place(of: transaction.hash) else { return [] }
                    return place.block.outcomes[place.index].receipt.encoded
                }
            }
        }
    }

    /// One random thing that changes a chain.
    private static func act(_ random: inout SplitMix64, _ hub: ChainHub, _ now: inout UInt64) throws {
        now += UInt64(random.below(3))
        let moment = now
        let from = random.below(5)
        switch random.below(11) {
        case 0:
            let target = Address(truncating: U256(UInt64(random.below(20) + 0x100)))
            let wei = U256(random.next())
            hub.change { $0.setBalance(wei, of: target) }
        case 1:
            let value = U256(UInt64(random.below(3)))
            hub.change { $0.setStorage(U256(UInt64(moment % 7)), to: value, of: Address(truncating: 0x77)) }
        case 2:
            hub.change { $0.setCode(Bench.logger, of: Address(truncating: 0x99)) }
        case 3:
            let depth = UInt64(random.below(3))
            _ = try? hub.change { chain throws(DevChainError) in
                try chain.reorg(depth: depth, restoring: true, at: moment)
            }
        case 4:
            let impersonated = Address(truncating: U256(UInt64(random.below(9) + 1)))
            hub.change { $0.impersonate(impersonated) }
        default:
            let nonce = hub.read { $0.pendingNonce(keys[from].address) }
            let kinds = try [
                transaction(from: from, nonce: nonce),
                transaction(from: from, nonce: nonce, to: Address(truncating: 0x99), data: U256(nonce).bytes),
                transaction(from: from, nonce: nonce, to: nil, data: Bench.deploy(Bench.logger)),
            ]
            let chosen = kinds[random.below(3)]
            try hub.change { chain throws(DevChainError) in try chain.submit(chosen) }
            if random.below(2) == 0 { hub.change { _ = $0.mine(at: moment) } }
        }
    }

    @Test("a chain that ended well goes on where it was, again and again")
    func restarts() throws {
        var random = SplitMix64.forTest()
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var now = Bench.start
        var before: Face?
        for _ in 0..<6 {
            let opened = try Self.open(folder)
            let face = try opened.hub.read { try Face($0) }
            if let before { #expect(face == before) }
            for _ in 0..<30 { try Self.act(&random, opened.hub, &now) }
            before = try opened.hub.read { try Face($0) }
            try opened.archive.close()
        }
        #expect((before?.blocks.count ?? 0) > 30)
        #expect((before?.logs.count ?? 0) > 3)
    }

    @Test("copies of a directory taken at any moment open as what was acknowledged last")
    func copiesAtAnyMoment() throws {
        var random = SplitMix64.forTest()
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let opened = try Self.open(folder)
        var now = Bench.start
        for step in 0..<60 {
            try Self.act(&random, opened.hub, &now)
            guard step % 3 == 0 else { continue }
            let copy = try Self.folder()
            defer { try? FileManager.default.removeItem(at: copy) }
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where !name.hasSuffix(".lock") {
                try FileManager.default.copyItem(
                    at: folder.appendingPathComponent(name), to: copy.appendingPathComponent(name))
            }
            let again = try Self.open(copy)
            let (there, here) = try (again.hub.read { try Face($0) }, opened.hub.read { try Face($0) })
            #expect(there == here, "step \(step)")
        }
    }

    @Test("without its state file a directory makes the state again from its steps")
    func stateIsMadeAgain() throws {
        var random = SplitMix64.forTest()
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var now = Bench.start
        let opened = try Self.open(folder)
        for _ in 0..<60 { try Self.act(&random, opened.hub, &now) }
        let before = try opened.hub.read { try Face($0) }
        try opened.archive.close()
        for name in ["state", "state.undo", "state.free"] {
            try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        }
        let again = try Self.open(folder)
        let after = try again.hub.read { try Face($0) }
        #expect(after == before)
    }

    @Test("blocks that were let go are read again, whole")
    func blocksAreLetGo() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var plan = MemoryPlan()
        plan.blockBytes = 20_000
        plan.stateBytes = 0
        plan.stateChanges = 60
        let opened = try Self.open(folder, memory: plan)
        var hashes: [Hash32] = []
        for nonce in 0..<60 as Range<UInt64> {
            let transaction = try Self.transaction(from: 0, nonce: nonce)
            try opened.hub.change { chain throws(DevChainError) in try chain.submit(transaction) }
            hashes.append(transaction.hash)
            opened.hub.change { _ = $0.mine(at: Bench.start + nonce) }
        }
        opened.hub.read { chain in
            for (index, hash) in hashes.enumerated() {
                let place = chain.place(of: hash)
                #expect(place?.block.number == UInt64(index + 1))
                #expect(place?.block.outcomes.first?.gasUsed == 21_000)
            }
            #expect(chain.headState.balance(Address(truncating: 0xbeef)) == 60)
            #expect(refusal { try chain.state(.number(3)) } == .statePruned)
        }
    }

    @Test("a second process, another chain and a damaged file are refused by name")
    func refusals() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let opened = try Self.open(folder)
        #expect(refusal { try Self.open(folder) } == .storeFailed)
        try opened.archive.close()
        let (archive, content, _) = try ChainArchive.open(folder.path, role: "test", logger: NodeBench.quiet())
        let other = Blockchain.Configuration(
            profile: try Bench.profile(Bench.profileText.replacingOccurrences(of: "31337", with: "31338")),
            genesisTimestamp: 1)
        let kept = try #require(content)
        #expect(refusal { try Blockchain(other, kept, shelf: archive) } == .wrongChain)
        try archive.close()
        let state = folder.appendingPathComponent("state")
        try Data(repeating: 7, count: 10_000).write(to: state)
        #expect(refusal { try Self.open(folder) } == .storeFailed)
    }

    @Test("every setting of blocks and clock is among those that are kept")
    func settingsAreComplete() throws {
        var chain = try Bench().chain
        chain.settings.nextBaseFee = 5
        chain.settings.nextPrevRandao = Hash32(6)
        try chain.setNextTimestamp(Bench.start + 50)
        chain.settings.clock.setInterval(3)
        let json = ArchivedSettings(chain).json(stateRoot: .zero)
        // One name for each field; a field that is added must be kept and counted here.
        let fields = Mirror(reflecting: chain.settings).children.count - 1
            + Mirror(reflecting: chain.settings.clock).children.count
        guard case .object(let object) = json else { return #expect(Bool(false), "no object") }
        #expect(object.names.count == fields + 6)
    }
}
