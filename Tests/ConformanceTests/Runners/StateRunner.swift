// State tests: one transaction over a state, for each fork and choice of its parts; root and logs at the end.

import DevChain
import EVM
import Ethereum
import Synchronization

struct StateRunner: FixtureRunner {
    /// Instead of the fork's rules, so that a test can plant a fault.
    var changed: (@Sendable (inout RuleSet) -> Void)?

    private static let engines = Mutex([Fork: [RuleSet: EnginePool]]())

    func run(_ file: FixtureFile, _ tally: inout Tally) throws {
        for (name, test) in try file.cases() {
            let pre = try test.need("pre").accounts()
            var state = WorldState()
            state.apply(pre)
            for (forkName, posts) in try test.need("post").asObject?.members ?? [] {
                guard let posts = posts.asArray else { throw Mismatch("post.\(forkName) is no list") }
                guard let fork = ForkNames.fork(forkName) else {
                    tally.leaveOut(ForkNames.leftOut(forkName), posts.count)
                    continue
                }
                var rules = try ForkNames.rules(fork, test["config"])
                changed?(&rules)
                let engines = Self.engines(fork, rules)
                for (index, post) in posts.enumerated() {
                    tally.check("\(file.path) \(name) \(forkName) #\(index)") {
                        try engines.use { engine in try Subtest(state, test, post, fork, rules).check(engine) }
                    }
                }
            }
        }
    }

    private static func engines(_ fork: Fork, _ rules: RuleSet) -> EnginePool {
        engines.withLock { known in
            if let pool = known[fork]?[rules] { return pool }
            let pool = EnginePool(rules: rules, precompiles: PrecompileSet(fork))
            known[fork, default: [:]][rules] = pool
            return pool
        }
    }
}

/// One transaction over one state.
private struct Subtest {
    let before: WorldState
    let post: JSON
    let block: BlockEnvironment
    let hashes: [UInt64: Hash32]

    init(_ before: WorldState, _ test: JSON, _ post: JSON, _ fork: Fork, _ rules: RuleSet) throws {
        self.before = before
        self.post = post
        let env = try test.need("env")
        let excess = env["currentExcessBlobGas"]?.asUInt64 ?? 0
        // A test of many forks names what only some of them know.
        let randomness = fork < .paris ? env["currentDifficulty"] : env["currentRandom"]
        block = BlockEnvironment(
            chainID: test["config"]?["chainid"]?.asUInt64 ?? 1, number: try env.number("currentNumber"),
            timestamp: try env.number("currentTimestamp"), coinbase: try env.address("currentCoinbase"),
            gasLimit: try env.word("currentGasLimit").clampedUInt64,
            baseFee: fork < .london ? .zero : try env.word("currentBaseFee"),
            prevRandao: Hash32(randomness?.asUInt256 ?? .zero), excessBlobGas: excess,
            blobBaseFee: rules.blobBaseFee(excessBlobGas: excess))
        var hashes: [UInt64: Hash32] = [:]
        for (number, hash) in env["blockHashes"]?.asObject?.members ?? [] {
            if let number = try U256(text: number).asUInt64 { hashes[number] = try Hash32(hex: hash.asString ?? "") }
        }
        self.hashes = hashes
    }

    func check(_ engine: EnginePool.Engine) throws {
        let journal = Journal(reader: Reader(state: before, hashes: hashes), codeCache: engine.codeCache)
        let expected = post["expectException"]?.asString
        var outcome: ExecutionResult?
        do {
            let signed = try SignedTransaction.decode(post.bytes("txbytes"))
            outcome = try engine.executor.execute(
                signed.transaction, sender: signed.sender(), block: block, journal: journal)
        } catch {
            guard expected != nil else { throw Mismatch("refused: \(error)") }
        }
        if !engine.executor.rules.clearsEmptyAccounts {
            // The suites pay a reward of nothing, which makes the beneficiary be where empty accounts may be.
            journal.clearsEmptyAccounts = false
            journal.credit(.zero, to: block.coinbase)
        }
        if let expected, outcome != nil { throw Mismatch("ran, but expected \(expected)") }
        let changes = journal.changes
        let isUntouched = changes.allSatisfy { $0.address == block.coinbase && $0.state?.isEmpty ?? false }
        guard outcome != nil || isUntouched else { throw Mismatch("a refused transaction changed the state") }
        var after = before
        after.apply(changes)
        if after.root != (try post.hash("hash")) {
            if let state = post["state"] { try StateDifference.check(after, try state.accounts()) }
            throw Mismatch("state root; \(outcome.map { "\($0.status), gas \($0.gasUsed)" } ?? "refused")")
        }
        let logs = keccak256(RLP.list((outcome?.logs ?? []).map(\.rlp)).encoded)
        try match("logs hash", logs, try post.hash("logs"))
        if let state = post["state"] { try StateDifference.check(after, try state.accounts()) }
    }

    /// BLOCKHASH(n) is the hash of the decimal text of n, unless the test gives one.
    private struct Reader: StateReader {
        let state: WorldState
        let hashes: [UInt64: Hash32]

        func account(_ address: Address) -> AccountState? { state.account(address)?.state }
        func code(_ hash: Hash32) -> Bytes { state.code(hash) }
        func storage(_ address: Address, _ slot: U256) -> U256 { state.storage(address, slot) }
        func hasStorage(_ address: Address) -> Bool { state.hasStorage(address) }
        func blockHash(_ number: UInt64) -> Hash32 { hashes[number] ?? keccak256(text: String(number)) }
    }
}
