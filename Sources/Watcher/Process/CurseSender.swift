// Curses a source on a destination in the operator's name, when the configuration allows a guard to do so. Written into the
// outbox before it goes out, so that a crash neither loses nor doubles it.

import CCIP
import ChainAccess
import Ethereum
import Guarding
import Logging
import Storage
import Transactions

actor CurseSender {
    private let sender: TransactionSender
    private let eye: ChainEye
    private let logger: Logger

    init(key: PrivateKey, eye: ChainEye, store: Store, logger: Logger) throws {
        self.eye = eye
        self.logger = logger
        sender = try TransactionSender(
            key: key, endpoints: eye.endpoints, store: store, policy: FeePolicy(maxFeePerGasCap: eye.chain.maxFeePerGas),
            logger: logger, alarm: { logger.error("curse transaction", metadata: ["alarm": "\($0)"]) })
    }

    func run() async { await sender.run(heads: eye.heads) }

    /// Gas of `curse(bytes16)`: two storage writes and a log.
    private static let gasLimit: UInt64 = 250_000

    func curse(_ source: ChainSelector, reader: DestinationReader) async {
        guard case .ready(let facts) = await reader.read() else {
            return logger.error("the curse contract is not readable", metadata: ["chain": "\(eye.chain.name)"])
        }
        guard !facts.cursedSubjects.contains(source.curseSubject) else { return }
        let selector = Bytes(keccak256(text: "curse(bytes16)").bytes.prefix(4))
        let data = selector + source.curseSubject + Bytes(repeating: 0, count: 16)
        // One curse for each block at which it is missing: after an uncurse the next anomaly curses anew.
        let key = keccak256(Bytes("causeway.guard.curse/1".utf8) + source.curseSubject + U256(facts.block).bytes)
        do {
            _ = try await sender.submit(key: key, to: facts.rmnRemote, data: data, gasLimit: Self.gasLimit)
        } catch {
            logger.error("the curse was not sent", metadata: ["chain": "\(eye.chain.name)", "error": "\(error)"])
        }
    }
}
