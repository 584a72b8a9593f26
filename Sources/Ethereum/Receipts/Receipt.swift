// What a transaction left behind, in its consensus form. Fields that JSON-RPC adds (block, index, gas price) are not
// here.

/// One event of a contract.
package struct Log: Hashable, Sendable {
    package var address: Address
    /// At most four.
    package var topics: [Hash32]
    package var data: Bytes

    package init(address: Address, topics: [Hash32], data: Bytes) {
        self.address = address
        self.topics = topics
        self.data = data
    }

    package var rlp: RLP {
        .list([.bytes(address.bytes), .list(topics.map { .bytes($0.bytes) }), .bytes(data)])
    }

    package static func decode(_ item: RLP) throws(EthereumError) -> Log {
        let items = try item.asList("log")
        guard items.count == 3 else { throw EthereumError(.malformedRLP, "a log has \(items.count) fields, not 3") }
        var topics: [Hash32] = []
        for topic in try items[1].asList("topics") { topics.append(try topic.asHash32("topic")) }
        guard topics.count <= 4 else {
            throw EthereumError(.malformedRLP, "a log has \(topics.count) topics, at most 4")
        }
        return Log(
            address: try items[0].asAddress("log address"), topics: topics, data: try items[2].asBytes("log data"))
    }
}

/// The receipt of a transaction, with its type (EIP-2718). Since Byzantium it has a status (EIP-658), before a root.
package struct Receipt: Hashable, Sendable {
    package var kind: Transaction.Kind
    /// Before Byzantium nothing tells, and what was decoded says true.
    package var succeeded: Bool
    /// The state root after the transaction, before Byzantium; nil since.
    package var stateRoot: Hash32?
    /// Gas of this transaction and all before it in the block.
    package var cumulativeGasUsed: UInt64
    package var logs: [Log]
    package var bloom: Bloom

    /// `bloom` is computed from the logs unless it is given.
    package init(
        kind: Transaction.Kind, succeeded: Bool, cumulativeGasUsed: UInt64, logs: [Log], bloom: Bloom? = nil,
        stateRoot: Hash32? = nil
    ) {
        self.kind = kind
        self.succeeded = succeeded
        self.cumulativeGasUsed = cumulativeGasUsed
        self.logs = logs
        self.bloom = bloom ?? Bloom(logs)
        self.stateRoot = stateRoot
    }

    /// The bytes that stand in the receipts trie.
    package var encoded: Bytes {
        let body = RLP.list([
            stateRoot.map { .bytes($0.bytes) } ?? .uint(succeeded ? 1 : 0 as UInt64), .uint(cumulativeGasUsed),
            .bytes(bloom.bytes), .list(logs.map(\.rlp)),
        ])
        return (kind == .legacy ? [] : [kind.rawValue]) + body.encoded
    }

    /// Decodes `encoded`; throws `malformedRLP`, also when the bloom is not that of the logs.
    package static func decode(_ bytes: Bytes) throws(EthereumError) -> Receipt {
        guard let first = bytes.first else { throw EthereumError(.malformedRLP, "an empty receipt") }
        var kind = Transaction.Kind.legacy
        if first < 0xc0 {
            guard let typed = Transaction.Kind(rawValue: first), typed != .legacy else {
                throw EthereumError(.unsupported, "receipts of type \(first) are not supported (0 to 4 are)")
            }
            kind = typed
        }
        let items = try RLP.decode(kind == .legacy ? bytes : Bytes(bytes.dropFirst())).asList("receipt")
        guard items.count == 4 else { throw EthereumError(.malformedRLP, "a receipt has \(items.count) fields, not 4") }
        let end = try items[0].asBytes("status")
        let root = kind == .legacy ? Hash32(bytes: end) : nil
        let status = root == nil ? try items[0].asUInt64("status") : 1
        guard status < 2, let bloom = Bloom(bytes: try items[2].asBytes("bloom")) else {
            throw EthereumError(.malformedRLP, "a receipt has a status of 0 or 1 and a bloom of 256 bytes")
        }
        var logs: [Log] = []
        for item in try items[3].asList("logs") { logs.append(try Log.decode(item)) }
        guard bloom == Bloom(logs) else { throw EthereumError(.malformedRLP, "the bloom is not that of the logs") }
        return Receipt(
            kind: kind, succeeded: status == 1, cumulativeGasUsed: try items[1].asUInt64("cumulative gas"), logs: logs,
            bloom: bloom, stateRoot: root)
    }
}
