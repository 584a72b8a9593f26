// Block import: a genesis, blocks in the order in which they come, the head and the state at the end.

import DevChain
import EVM
import Ethereum

struct BlockchainRunner: FixtureRunner {
    func run(_ file: FixtureFile, _ tally: inout Tally) throws {
        for (name, test) in try file.cases() {
            let network = try test.text("network")
            guard let schedule = try ForkNames.schedule(network, test["config"]) else {
                tally.leaveOut(ForkNames.leftOut(network))
                continue
            }
            tally.check("\(file.path) \(name)") { try check(test, schedule) }
        }
    }

    /// Imports the blocks of one test. A block to be refused may be refused for any reason: clients name others.
    private func check(_ test: JSON, _ schedule: ForkSchedule) throws {
        var chain = try start(test, schedule)
        for (index, block) in (try test.need("blocks").asArray ?? []).enumerated() {
            let expected = block["expectException"]?.asString
            let head = chain.head.hash
            do {
                try chain.importBlock(Hex.decode(try block.text("rlp")))
            } catch {
                guard expected != nil else { throw Mismatch("block \(index) was refused: \(error)") }
                try match("the head after the refused block \(index)", chain.head.hash, head)
                continue
            }
            if let expected { throw Mismatch("block \(index) was accepted, but expected \(expected)") }
            // With proof of work the branch with more work is the head, which the end tells.
            if chain.head.header.difficulty.isZero, let hash = block["blockHeader"]?["hash"]?.asString {
                try match("the head after block \(index)", chain.head.hash.hex, hash)
            }
        }
        try match("last block's hash", chain.head.hash, try test.hash("lastblockhash"))
        try compareState(chain, test)
    }

    private func start(_ test: JSON, _ schedule: ForkSchedule) throws -> Blockchain {
        let header = try Block.decode(test.bytes("genesisRLP")).header
        let genesis = Genesis(header: header, accounts: try test.need("pre").accounts())
        let chainID = test["config"]?["chainid"]?.asUInt64 ?? 1
        // Branches of a test begin as deep as they like.
        let chain = Blockchain(
            Blockchain.Configuration(
                genesis: genesis, chainID: chainID, schedule: schedule, finality: .genesisOnly))
        try match("genesis hash", chain.head.hash, try test.need("genesisBlockHeader").hash("hash"))
        return chain
    }

    private func compareState(_ chain: Blockchain, _ test: JSON) throws {
        if let hash = test["postStateHash"]?.asString { try match("state root", chain.headState.root.hex, hash) }
        guard let post = test["postState"] else { return }
        try StateDifference.check(chain.headState, try post.accounts())
    }
}
