// What the error answers of nodes mean. JSON-RPC fixes a handful of codes; the rest is told by texts, which differ
// between nodes: the one place where texts are matched.

import Ethereum
import Transactions

enum RemoteErrors {
    static func read(_ code: Int, _ message: String, _ data: JSON?) -> ChainAccessError {
        let shown = String(message.prefix(Limits.remoteMessageCharacters))
        let lower = message.lowercased()
        if code != 3, ["out of gas", "outofgas", "gas required exceeds", "intrinsic gas"].contains(where: lower.contains) {
            return ChainAccessError(.outOfGas, shown, remoteCode: code)
        }
        if code == 3 || lower.contains("revert") {
            return ChainAccessError(.reverted, shown, revertData: revertData(data, message), remoteCode: code)
        }
        switch code {
        case -32601: return ChainAccessError(.unsupported, shown, remoteCode: code)
        case -32602 where !isRangeComplaint(lower), -32600 where !isRangeComplaint(lower):
            return ChainAccessError(.remote, shown, remoteCode: code, isLasting: true)
        case -32005 where isRangeComplaint(lower): return ChainAccessError(.tooManyResults, shown, remoteCode: code)
        case -32005, -32029, 429: return ChainAccessError(.rateLimited, shown, remoteCode: code)
        default: break
        }
        // Says "block range" too, and no smaller range would help.
        if lower.contains("beyond current head") { return ChainAccessError(.behind, shown, remoteCode: code) }
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
            "blocks range", "range is too wide", "too wide", "range limit", "maximum range", "max range",
            "max block range", "query timeout", "query exceeds", "limited to a", "log response size",
        ].contains(where: lower.contains)
    }

    /// Every node has its own words for "too many blocks". What a log query is refused with, and is not known to mean
    /// something else, is taken for that: asking for less costs little, and asking for the same for ever costs the
    /// lane.
    static func ofLogs(_ error: ChainAccessError) -> ChainAccessError {
        // -32603 is the node's own failure, which passes.
        guard error.code == .remote, error.remoteCode != -32603 else { return error }
        var copy = error
        copy.code = .tooManyResults
        return copy
    }

    /// "limit exceeded" in answer to anything but a log query speaks of the rate.
    static func ofOthers(_ error: ChainAccessError) -> ChainAccessError {
        guard error.code == .tooManyResults else { return error }
        var copy = error
        copy.code = .rateLimited
        return copy
    }

    /// Nodes put it as a text, or as an object that holds one; some behind a word ("Reverted 0x..."), and some only into
    /// their message ("execution reverted: 0x...").
    private static func revertData(_ data: JSON?, _ message: String) -> Bytes {
        for text in [data?.asString ?? data?["data"]?.asString ?? data?["result"]?.asString, message] {
            guard let word = text?.split(separator: " ").last, word.hasPrefix("0x"), let bytes = try? Hex.decode(String(word))
            else { continue }
            return bytes
        }
        return []
    }

    // MARK: Broadcasts

    /// Texts of geth, erigon, nethermind, besu, reth and the development nodes (6.3). What is not in the table counts
    /// as no answer: the transaction may be out, and waiting is always safe.
    static func broadcast(_ code: Int, _ message: String) -> BroadcastOutcome {
        let lower = message.lowercased()
        if let outcome = nonces(lower) { return outcome }
        for (outcome, texts) in table where texts.contains(where: lower.contains) { return outcome }
        for text in permanent where lower.contains(text) {
            return .rejected(String(message.prefix(Limits.remoteMessageCharacters)))
        }
        return .unknown
    }

    /// "Invalid transaction nonce: Expected 5, but got 4": the words are the same for both directions, the numbers
    /// are not.
    private static func nonces(_ lower: String) -> BroadcastOutcome? {
        guard lower.contains("nonce"), let expected = number(after: "expected", in: lower),
            let given = number(after: "got", in: lower) ?? number(after: "actual", in: lower)
        else { return nil }
        return given < expected ? .nonceTooLow : given > expected ? .nonceTooHigh : nil
    }

    /// The first number behind a word, with a few other letters between them at most.
    private static func number(after word: String, in text: String) -> UInt64? {
        guard let range = text.firstRange(of: word) else { return nil }
        let rest = text[range.upperBound...].prefix(40)
        guard let start = rest.firstIndex(where: \.isNumber) else { return nil }
        return UInt64(rest[start...].prefix { $0.isNumber })
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
                "upfront cost exceeds account balance", "enough funds", "cannot afford",
            ]
        ),
    ]

    /// The same bytes are refused tomorrow too.
    private static let permanent = [
        "intrinsic gas too low", "exceeds block gas limit", "gas limit exceeded", "exceeds the block gas limit",
        "gas limit too high", "gas limit is too high", "exceeds gas limit", "invalid sender", "invalid signature",
        "invalid chain id",
        "wrong chain id", "chain id", "oversized data", "max initcode size", "initcode",
        "transaction type not supported",
        "unsupported transaction type", "max priority fee per gas higher than max fee", "tx fee exceeds",
        "sender not an eoa", "sender is not an eoa", "floor data gas", "intrinsic gas", "malformed", "rlp",
        "exceeds the configured cap", "transaction gas limit",
    ]
}
