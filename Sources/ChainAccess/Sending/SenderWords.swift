// What the transaction sender says about requests, and how outcomes stand on disk.

import CCIP
import Ethereum
import Synchronization
import Transactions

/// The kind of transaction that is signed next; set before a head is fed, read while it is.
final class SigningKind: Sendable {
    private let state: Mutex<Transaction.Kind>
    init(_ kind: Transaction.Kind) { state = Mutex(kind) }
    var value: Transaction.Kind {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

package enum TransactionStatus: Sendable, Equatable {
    /// Never submitted here.
    case unknown
    case queued
    /// Out under this nonce; the hash is that of the last attempt.
    case inFlight(nonce: UInt64, hash: Hash32)
    /// In a block that can still go away.
    case mined(hash: Hash32, block: UInt64, succeeded: Bool)
    case finalized(hash: Hash32, succeeded: Bool)
    /// Not on chain and never will be.
    case failed(String)
    /// Over, in a run that left no outcome.
    case finished
}

package struct TransactionOutcome: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// In a block, and it did what it should.
        case confirmed(hash: Hash32, block: UInt64)
        /// In a block, but the call reverted.
        case reverted(hash: Hash32, block: UInt64, reason: RevertReason)
        /// At or below the finalized block: nothing more will come.
        case finalized(hash: Hash32, succeeded: Bool)
        /// Not sent, and never will be.
        case failed(String)
    }

    package var key: Hash32
    package var kind: Kind
}

extension RequestOutcome {
    /// RLP for the outbox; nil for what is not the end.
    var encoded: Bytes? {
        switch self {
        case .included: nil
        case .finalized(let hash, let succeeded):
            RLP.list([.uint(UInt64(1)), .bytes(hash.bytes), .uint(UInt64(succeeded ? 1 : 0))]).encoded
        case .refused(let why): RLP.list([.uint(UInt64(2)), .bytes(Bytes(why.utf8))]).encoded
        }
    }
}

extension TransactionStatus {
    /// Reads what `RequestOutcome.encoded` wrote; `finished` for anything else.
    init(finished bytes: Bytes?) {
        self = .finished
        guard let bytes, let fields = try? RLP.decode(bytes).asList("outcome"),
            let kind = try? fields.first?.asUInt64("kind")
        else { return }
        switch (kind, fields.count) {
        case (1, 3):
            guard let hash = try? fields[1].asHash32("hash"), let flag = try? fields[2].asUInt64("status") else {
                return
            }
            self = .finalized(hash: hash, succeeded: flag == 1)
        case (2, 2):
            guard let text = try? fields[1].asBytes("reason") else { return }
            self = .failed(String(decoding: text, as: UTF8.self))
        default: return
        }
    }

    init(_ entry: OutboxEntry) {
        switch entry.phase {
        case .queued: self = .queued
        case .inFlight(let nonce): self = .inFlight(nonce: nonce, hash: entry.attempts.last?.hash ?? .zero)
        case .mined(_, let block, let hash, let succeeded):
            self = .mined(hash: hash, block: block, succeeded: succeeded)
        }
    }
}
