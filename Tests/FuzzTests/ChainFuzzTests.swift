// A whole chain under calls of every method, and under blocks from elsewhere.

import EVM
import Ethereum
import JSONRPC
import Logging
import TestSupport
import Testing

@testable import DevChain

@Suite("Fuzz: chain")
struct ChainFuzzTests {
    private static func quiet() -> Logger {
        var logger = Logger(label: "fuzz")
        logger.logLevel = .critical
        return logger
    }

    private static func service() throws -> ChainService {
        let hub = ChainHub(Blockchain(try Samples.configuration()))
        let clock: WallClock = { Samples.start * 1000 + 7 }
        let logger = quiet()
        let metrics = NodeMetrics(MetricsRegistry(), chain: "fuzz")
        let producer = BlockProducer(hub: hub, clock: clock, metrics: metrics, logger: logger)
        return ChainService(
            hub: hub, producer: producer, cadence: CadenceControl(MiningCadence(hub.profile.cadence)),
            accounts: Samples.keys, clock: clock, logger: logger)
    }

    @Test("any calls in any order are answered or refused, and the blocks stay one chain")
    func calls() async throws {
        var fuzz = Fuzz("calls", corpus: Session.corpus())
        fuzz.mutate = Session.mutate
        fuzz.bytesMaximum = 128 << 10
        try await fuzz.run { input in
            guard let session = Session(input) else { return false }
            let service = try Self.service()
            defer { service.hub.close() }
            let connection = JSONRPCConnection(id: 1) { _, _ in true }
            var answered = 0
            let calls = session.tame
            for (method, parameters) in calls {
                do throws(JSONRPCError) {
                    let answer = try await service.answer(method, parameters, on: connection)
                    try Self.check(answer, method)
                    answered += 1
                } catch {
                    try Self.check(error, method)
                }
            }
            service.connectionClosed(connection)
            try service.hub.read { chain in try Self.check(chain) }
            return answered * 2 > calls.count
        }
    }

    private static func check(_ answer: JSON, _ method: String) throws(JSONRPCError) {
        guard (try? JSON.parse(answer.bytes)) == answer else {
            throw .internalError("\(method) answers what its reader cannot read: \(answer.text.prefix(200))")
        }
    }

    private static func check(_ error: JSONRPCError, _ method: String) throws {
        try hold(error.code != JSONRPCError.internalError("").code, "\(method) fails inside: \(error.message)")
        try hold(!error.message.isEmpty, "\(method) says why it refuses")
    }

    private static func check(_ chain: Blockchain) throws {
        var parent: StoredBlock?
        for block in chain.blocks {
            if let parent {
                try hold(block.header.parentHash == parent.hash, "block \(block.number) names its parent")
                try hold(block.header.timestamp >= parent.header.timestamp, "time goes on at block \(block.number)")
                try hold(block.number == parent.number + 1, "numbers go on")
            }
            try hold(block.header.gasUsed <= block.header.gasLimit, "a block's gas is within its limit")
            parent = block
        }
        try hold(chain.finalized <= chain.safe && chain.safe <= chain.head.number, "finalized, safe, latest stand in a row")
    }

    @Test("any block from elsewhere is taken whole or refused by name, and the chain stays what it was")
    func blocks() throws {
        let start = Blockchain(try Samples.configuration())
        let good = try Samples.blocks()
        var grown = start
        _ = try grown.importChain(Bytes(good.prefix(2).joined()))
        let two = grown
        var fuzz = Fuzz("import", corpus: good)
        fuzz.mutate = { base, others, random in
            let changed = Mutation.rlp(base, others, &random)
            guard random.below(3) > 0, var block = try? Block.decode(changed) else { return changed }
            // Right names for changed contents: past the first doors.
            block.header.transactionsRoot = Block.transactionsRoot(block.transactions)
            if block.header.withdrawalsRoot != nil {
                block.header.withdrawalsRoot = block.withdrawals.map { Block.withdrawalsRoot($0) } ?? .zero
            }
            if random.below(2) == 0 { block.header.parentHash = random.below(2) == 0 ? start.head.hash : two.head.hash }
            if random.below(2) == 0 { block.header.number = block.header.parentHash == two.head.hash ? 3 : 1 }
            return (try? block.encoded) ?? changed
        }
        var tried = 0
        try fuzz.run { input in
            var chain = two
            let before = chain.head
            tried += 1
            let block: StoredBlock
            do throws(DevChainError) { block = try chain.importBlock(input) } catch {
                try hold(!error.message.isEmpty, "it says why it refuses")
                try hold(chain.head === before, "a refused block leaves the chain")
                if tried % 64 == 0 {
                    try chain.importBlock(good[2])
                    try hold(chain.headState.root == chain.head.header.stateRoot, "the right block still fits")
                }
                return false
            }
            try hold(block === chain.head && chain.headState.root == block.header.stateRoot, "it is the head, and it was run")
            return true
        }
    }
}
