// What the error answers of nodes mean. JSON-RPC fixes a handful of codes; the rest is told by texts, which differ
// between nodes: the one place where texts are matched.

import Ethereum
import Transactions

enum RemoteErrors {
    static func read(_ code: Int, _ message: String, _ data: JSON?) -> ChainAccessError {
        let shown = String(message.prefix(Limits.remoteMessageCharacters))
        let lower = message.lowercased()
        if code == 3 || lower.contains("revert") {
            return ChainAccessError(.reverted, shown, revertData: revertData(data), remoteCode: code)
        }
        switch code {
        case -32601: return ChainAccessError(.unsupported, shown, remoteCode: code)
        case -32005 where isRangeComplaint(lower): return ChainAccessError(.tooManyResults, shown, remoteCode: code)
        case -32005, -32029, 429: return ChainAccessError(.rateLimited, shown, remoteCode: code)
        default: break
        }
        if isRangeComplaint(lower) { return ChainAccessError(.tooManyResults, shown, remoteCode: code) }
        if ["header not found", "unknown block", "block not found", "missing trie node", "does not exist"].contains(
            where: lower.contains)
        {
            return ChainAccessError(.behind, shown, remoteCode: code)
        }
        if lower.contains("rate limit") || lower.contains("too many requests") {
            return ChainAccessError(.rateLimited, shown, remoteCode: code)
        }
        return ChainAccessError(.remote, shown, remoteCode: code)
    }

    private static func isRangeComplaint(_ lower: String) -> Bool {
        [
            "too many results", "query returned more than", "response too large", "block range", "range too large",
            "response size exceeded", "limit exceeded", "exceed maximum block range", "logs matched by query exceeds",
        ].contains(where: lower.contains)
    }

    /// Nodes put it as a text, or as an object that holds one.
    private static func revertData(_ data: JSON?) -> Bytes {
        let text = data?.asString ?? data?["data"]?.asString ?? data?["result"]?.asString
        guard let text, text.hasPrefix("0x"), let bytes = try? Hex.decode(text) else { return [] }
        return bytes
    }

    // MARK: Broadcasts

    /// Texts of geth, erigon, nethermind, besu, reth and the development nodes (6.3). What is not in the table counts
    /// as no answer: the transaction may be out, and waiting is always safe.
    static func broadcast(_ code: Int, _ message: String) -> BroadcastOutcome {
        let lower = message.lowercased()
        for (outcome, texts) in table where texts.contains(where: lower.contains) { return outcome }
        for text in permanent where lower.contains(text) {
            return .rejected(String(message.prefix(Limits.remoteMessageCharacters)))
        }
        return .unknown
    }

    private static let table: [(BroadcastOutcome, [String])] = [
        (
            .alreadyKnown,
            [
                "already known", "known transaction", "alreadyknown", "already imported", "already in pool",
                "already in mempool", "already exists",
            ]
        ),
        (.nonceTooLow, ["nonce too low", "nonce is too low", "oldnonce", "invalid transaction nonce", "old nonce"]),
        (.nonceTooHigh, ["nonce too high", "nonce gap", "nonce too distant", "too many pending nonces"]),
        (
            .underpriced,
            [
                "underpriced", "max fee per gas less than block base fee", "fee too low", "gas price too low",
                "feetoolow", "below the base fee", "less than the base fee", "max fee per gas too low",
                "gasprice is less than",
            ]
        ),
        (
            .insufficientFunds,
            [
                "insufficient funds", "insufficientfunds", "insufficient balance", "not enough funds",
                "upfront cost exceeds account balance",
            ]
        ),
    ]

    /// The same bytes are refused tomorrow too.
    private static let permanent = [
        "intrinsic gas too low", "exceeds block gas limit", "gas limit exceeded", "exceeds the block gas limit",
        "gas limit too high", "gas limit is too high", "invalid sender", "invalid signature", "invalid chain id",
        "wrong chain id", "chain id", "oversized data", "max initcode size", "initcode",
        "transaction type not supported",
        "unsupported transaction type", "max priority fee per gas higher than max fee", "tx fee exceeds",
        "sender not an eoa", "sender is not an eoa", "floor data gas", "intrinsic gas", "malformed", "rlp",
        "exceeds the configured cap", "transaction gas limit",
    ]
}
