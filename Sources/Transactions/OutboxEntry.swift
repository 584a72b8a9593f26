// One request on its way to a block, and its form on disk. An entry is written before any of its attempts is broadcast.

import Ethereum

/// What somebody wants on chain.
package struct TransactionRequest: Sendable, Equatable {
    /// Names the request for ever: the same key is never sent twice.
    package var key: Hash32
    package var to: Address
    package var data: Bytes
    package var value: U256
    package var gasLimit: UInt64

    package init(key: Hash32, to: Address, data: Bytes, value: U256 = .zero, gasLimit: UInt64) {
        self.key = key
        self.to = to
        self.data = data
        self.value = value
        self.gasLimit = gasLimit
    }
}

/// One signed transaction; all attempts of an entry share its nonce.
package struct TransactionAttempt: Sendable, Equatable {
    package var hash: Hash32
    package var raw: Bytes
    package var maxFeePerGas: U256
    package var maxPriorityFeePerGas: U256
    /// Head of the chain when it was last broadcast.
    package var broadcastAtBlock: UInt64
}

package struct OutboxEntry: Sendable, Equatable {
    package enum Phase: Sendable, Equatable {
        /// Waits for a nonce.
        case queued
        /// Signed and broadcast under a nonce, not in a block as far as we know.
        case inFlight(nonce: UInt64)
        /// In a block that can still go away.
        case mined(nonce: UInt64, block: UInt64, hash: Hash32, succeeded: Bool)
    }

    package var request: TransactionRequest
    package var phase: Phase
    package var attempts: [TransactionAttempt]
    /// True when the payload was replaced by an empty transfer to ourselves that only uses up the nonce.
    package var isFiller: Bool

    package var nonce: UInt64? {
        switch phase {
        case .queued: nil
        case .inFlight(let nonce), .mined(let nonce, _, _, _): nonce
        }
    }
}

// MARK: - On disk

extension OutboxEntry {
    /// RLP; the first field is the version of this layout.
    package var encoded: Bytes {
        RLP.list([
            .uint(UInt64(1)), .bytes(request.key.bytes), .bytes(request.to.bytes), .bytes(request.data),
            .uint(request.value), .uint(request.gasLimit), encodedPhase, .uint(UInt64(isFiller ? 1 : 0)),
            .list(attempts.map { attempt in
                .list([
                    .bytes(attempt.hash.bytes), .bytes(attempt.raw), .uint(attempt.maxFeePerGas),
                    .uint(attempt.maxPriorityFeePerGas), .uint(attempt.broadcastAtBlock),
                ])
            }),
        ]).encoded
    }

    private var encodedPhase: RLP {
        switch phase {
        case .queued: .list([.uint(UInt64(0))])
        case .inFlight(let nonce): .list([.uint(UInt64(1)), .uint(nonce)])
        case .mined(let nonce, let block, let hash, let succeeded):
            .list([.uint(UInt64(2)), .uint(nonce), .uint(block), .bytes(hash.bytes), .uint(UInt64(succeeded ? 1 : 0))])
        }
    }

    /// Reads what `encoded` wrote; throws `malformedRLP` for anything else.
    package init(decoding bytes: Bytes) throws(EthereumError) {
        let fields = try RLP.decode(bytes).asList("outbox entry")
        guard fields.count == 9, try fields[0].asUInt64("version") == 1 else {
            throw EthereumError(.malformedRLP, "outbox entry: unknown layout")
        }
        request = TransactionRequest(
            key: try fields[1].asHash32("key"), to: try fields[2].asAddress("to"), data: try fields[3].asBytes("data"),
            value: try fields[4].asUInt256("value"), gasLimit: try fields[5].asUInt64("gas limit"))
        phase = try Self.decodePhase(try fields[6].asList("phase"))
        isFiller = try fields[7].asUInt64("filler") == 1
        attempts = []
        for item in try fields[8].asList("attempts") {
            let parts = try item.asList("attempt")
            guard parts.count == 5 else { throw EthereumError(.malformedRLP, "outbox attempt: unknown layout") }
            attempts.append(
                TransactionAttempt(
                    hash: try parts[0].asHash32("hash"), raw: try parts[1].asBytes("raw"),
                    maxFeePerGas: try parts[2].asUInt256("fee"), maxPriorityFeePerGas: try parts[3].asUInt256("tip"),
                    broadcastAtBlock: try parts[4].asUInt64("block")))
        }
    }

    private static func decodePhase(_ parts: [RLP]) throws(EthereumError) -> Phase {
        switch (try parts.first?.asUInt64("phase"), parts.count) {
        case (0, 1): return .queued
        case (1, 2): return .inFlight(nonce: try parts[1].asUInt64("nonce"))
        case (2, 5):
            return .mined(
                nonce: try parts[1].asUInt64("nonce"), block: try parts[2].asUInt64("block"),
                hash: try parts[3].asHash32("hash"), succeeded: try parts[4].asUInt64("status") == 1)
        default: throw EthereumError(.malformedRLP, "outbox entry: unknown phase")
        }
    }
}
