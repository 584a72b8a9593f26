// From JSON to words, strictly: an answer of the wrong shape is the endpoint's fault and is named.
// Extra members are ignored, since nodes add their own.

import Ethereum

struct AnswerReader {
    let json: JSON
    let what: String

    init(_ answer: RPCAnswer, _ what: String) throws(ChainAccessError) {
        switch answer {
        case .result(let json): self.json = json
        case .error(let code, let message, let data):
            var error = RemoteErrors.read(code, message, data)
            error = what == "eth_getLogs" ? RemoteErrors.ofLogs(error) : RemoteErrors.ofOthers(error)
            throw error.with("method", what)
        }
        self.what = what
    }

    private init(json: JSON, what: String) {
        self.json = json
        self.what = what
    }

    var isNull: Bool { json.isNull }

    func malformed(_ why: String) -> ChainAccessError {
        ChainAccessError(
            .malformedAnswer, "\(what): \(why)", hint: "the endpoint does not speak Ethereum JSON-RPC, or is broken")
    }

    func member(_ name: String) throws(ChainAccessError) -> AnswerReader {
        guard let value = json[name] else { throw malformed("no \(name)") }
        return AnswerReader(json: value, what: "\(what).\(name)")
    }

    /// Nil when absent or null.
    func optional(_ name: String) -> AnswerReader? {
        guard let value = json[name], !value.isNull else { return nil }
        return AnswerReader(json: value, what: "\(what).\(name)")
    }

    func items() throws(ChainAccessError) -> [AnswerReader] {
        guard let items = json.asArray else { throw malformed("no array") }
        return items.map { AnswerReader(json: $0, what: what) }
    }

    func text() throws(ChainAccessError) -> String {
        guard let text = json.asString else { throw malformed("no text") }
        return text
    }

    /// A `0x` quantity; decimal numbers are not one.
    func word() throws(ChainAccessError) -> U256 {
        let text = try text()
        guard text.hasPrefix("0x"), let value = try? U256(text: text) else { throw malformed("no quantity") }
        return value
    }

    func number() throws(ChainAccessError) -> UInt64 {
        guard let number = try word().asUInt64 else { throw malformed("a quantity beyond 64 bits") }
        return number
    }

    func bytes() throws(ChainAccessError) -> Bytes {
        let text = try text()
        guard text.hasPrefix("0x"), let bytes = try? Hex.decode(text) else { throw malformed("no hexadecimal data") }
        return bytes
    }

    func hash() throws(ChainAccessError) -> Hash32 {
        guard let hash = Hash32(bytes: try bytes()) else { throw malformed("no 32 bytes") }
        return hash
    }

    func address() throws(ChainAccessError) -> Address {
        guard let address = Address(bytes: try bytes()) else { throw malformed("no 20 bytes") }
        return address
    }

    // MARK: Larger words

    /// Throws `behind` when the endpoint knows no such block.
    func block() throws(ChainAccessError) -> BlockReference {
        guard !isNull else { throw ChainAccessError(.behind, "\(what): the endpoint does not know the block") }
        return BlockReference(
            number: try member("number").number(), hash: try member("hash").hash(),
            parentHash: try member("parentHash").hash(), timestamp: try member("timestamp").number(),
            baseFee: try optionalWord("baseFeePerGas"), gasLimit: try member("gasLimit").number())
    }

    /// The block that was asked for; an answer with another one is no answer.
    func block(_ number: UInt64) throws(ChainAccessError) -> BlockReference {
        let block = try block()
        guard block.number == number else { throw malformed("block \(block.number), and \(number) was asked for") }
        return block
    }

    private func optionalWord(_ name: String) throws(ChainAccessError) -> U256? {
        guard let member = optional(name) else { return nil }
        return try member.word()
    }

    func log() throws(ChainAccessError) -> ChainLog {
        var topics: [Hash32] = []
        for item in try member("topics").items() { topics.append(try item.hash()) }
        guard topics.count <= 4 else { throw malformed("\(topics.count) topics") }
        if let removed = json["removed"]?.asBool, removed { throw malformed("a removed log") }
        var timestamp: UInt64?
        if let member = optional("blockTimestamp") { timestamp = try member.number() }
        return ChainLog(
            log: Log(address: try member("address").address(), topics: topics, data: try member("data").bytes()),
            blockNumber: try member("blockNumber").number(), blockHash: try member("blockHash").hash(),
            transactionHash: try member("transactionHash").hash(),
            transactionIndex: try member("transactionIndex").number(), logIndex: try member("logIndex").number(),
            blockTimestamp: timestamp)
    }

    /// In the order of the chain, each once, each as asked for: an endpoint that returns anything else is not believed.
    func logs(_ filter: LogFilter, _ range: ClosedRange<UInt64>?, blockHash: Hash32? = nil) throws(ChainAccessError)
        -> [ChainLog]
    {
        let items = try items()
        guard items.count <= Limits.logsPerAnswerMaximum else {
            throw ChainAccessError(.tooManyResults, "\(what): \(items.count) logs in one answer")
        }
        var logs: [ChainLog] = []
        logs.reserveCapacity(items.count)
        for item in items {
            let log = try item.log()
            guard range?.contains(log.blockNumber) ?? true, blockHash == nil || log.blockHash == blockHash else {
                throw malformed("a log of block \(log.blockNumber), which was not asked for")
            }
            guard filter.matches(log.log) else { throw malformed("a log that the filter does not match") }
            logs.append(log)
        }
        logs.sort { ($0.blockNumber, $0.logIndex) < ($1.blockNumber, $1.logIndex) }
        var unique: [ChainLog] = []
        for log in logs {
            guard let last = unique.last, last.blockNumber == log.blockNumber else {
                unique.append(log)
                continue
            }
            guard last.blockHash == log.blockHash else { throw malformed("two hashes of block \(log.blockNumber)") }
            if last.logIndex != log.logIndex {
                unique.append(log)
            } else if last != log {
                throw malformed("two logs at one place of block \(log.blockNumber)")
            }
        }
        return unique
    }

    /// Nil when the transaction is in no block.
    func receipt() throws(ChainAccessError) -> ChainReceipt? {
        guard !isNull, optional("blockNumber") != nil else { return nil }
        var logs: [ChainLog] = []
        for item in try member("logs").items() { logs.append(try item.log()) }
        let status = try member("status").number()
        guard status <= 1 else { throw malformed("status \(status)") }
        var contract: Address?
        if let member = optional("contractAddress") { contract = try member.address() }
        return ChainReceipt(
            transactionHash: try member("transactionHash").hash(), blockNumber: try member("blockNumber").number(),
            blockHash: try member("blockHash").hash(), transactionIndex: try member("transactionIndex").number(),
            succeeded: status == 1, gasUsed: try member("gasUsed").number(),
            effectiveGasPrice: try optionalWord("effectiveGasPrice") ?? .zero, contractAddress: contract, logs: logs)
    }
}
