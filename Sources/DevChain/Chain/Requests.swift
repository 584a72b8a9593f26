// What the execution layer tells the beacon chain with a block: the list of requests, and its hash (EIP-7685). Deposits
// stand in the logs of the deposit contract (EIP-6110); the other kinds come out of system contracts.

import Ethereum

struct BlockRequests {
    /// By ascending kind, without empty ones.
    private(set) var items: [(kind: UInt8, data: Bytes)] = []
    /// Why the block that asks so is not valid.
    var failure: DevChainError?

    /// Kinds come in their ascending order.
    mutating func append(kind: UInt8, _ data: Bytes) {
        assert(items.last.map { $0.kind < kind } ?? true, "requests are ordered by their kind")
        if !data.isEmpty { items.append((kind, data)) }
    }

    var hash: Hash32 { sha256(items.flatMap { sha256([$0.kind] + $0.data).bytes }) }
}

/// Deposits of validators (EIP-6110).
enum Deposits {
    /// keccak("DepositEvent(bytes,bytes,bytes,bytes,bytes)").
    static let eventTopic = keccak256(text: "DepositEvent(bytes,bytes,bytes,bytes,bytes)")
    /// Where the five fields begin in the event's data, and how many bytes each has: public key, credentials, amount,
    /// signature, index.
    private static let layout: [(offset: Int, count: Int)] = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)]
    private static let dataCount = 576

    /// The requests in these logs, one behind the other. Throws for an event that is not laid out as the contract does
    /// it: a block with one is not valid.
    static func requests(in logs: [Log], of contract: Address) throws(DevChainError) -> Bytes {
        var result = Bytes()
        for log in logs where log.address == contract && log.topics.first == eventTopic {
            result += try request(log.data)
        }
        return result
    }

    private static func request(_ data: Bytes) throws(DevChainError) -> Bytes {
        guard data.count == dataCount else { throw malformed("\(data.count) bytes, not \(dataCount)") }
        var result = Bytes()
        for (index, field) in layout.enumerated() {
            guard word(data, at: index * 32) == UInt64(field.offset),
                word(data, at: field.offset) == UInt64(field.count)
            else { throw malformed("field \(index) is not where, or not as long as, the contract has it") }
            result += data[field.offset + 32..<field.offset + 32 + field.count]
        }
        return result
    }

    private static func word(_ data: Bytes, at offset: Int) -> UInt64? {
        U256(bigEndianBytes: data[offset..<offset + 32])?.asUInt64
    }

    private static func malformed(_ why: String) -> DevChainError {
        DevChainError(.invalidDepositLog, "the log of a deposit has a layout of its own: \(why) (EIP-6110)")
    }
}
