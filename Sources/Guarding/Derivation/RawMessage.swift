// A message as a guard reads it from the raw log of an OnRamp, and the id that the OnRamp must have given it
// (4.2 and 8.1 of the on-chain specification). Written apart from the CCIP room on purpose.

import CCIP
import Ethereum

struct RawToken: Hashable, Sendable {
    var pool: Address
    var destinationToken: Bytes
    var extraData: Bytes
    var amount: U256
    var executionData: Bytes
}

struct RawMessage: Hashable, Sendable {
    var id: Hash32
    var source: ChainSelector
    var destination: ChainSelector
    var number: UInt64
    var nonce: UInt64
    var sender: Address
    var data: Bytes
    var receiver: Bytes
    var extraArgs: Bytes
    var feeToken: Address
    var feeAmount: U256
    var tokens: [RawToken]
    /// The words of the token list as the log has them, without the offset word before them: what the id is made of.
    var tokenWords: Bytes

    /// `CCIPMessageSent(uint64,uint64,((bytes32,uint64,uint64,uint64,uint64),address,bytes,bytes,bytes,address,uint256,
    /// uint256,(address,bytes,bytes,uint256,bytes)[]))`.
    static let topic = keccak256(
        text: "CCIPMessageSent(uint64,uint64,((bytes32,uint64,uint64,uint64,uint64),address,bytes,bytes,bytes,address,"
            + "uint256,uint256,(address,bytes,bytes,uint256,bytes)[]))")

    /// Words of the message's head, in their order.
    private enum Place {
        static let id = 0, source = 1, destination = 2, number = 3, nonce = 4
        static let sender = 5, data = 6, receiver = 7, extraArgs = 8
        static let feeToken = 9, feeAmount = 10, tokens = 12
        static let headWords = 13
        static let tokenHeadWords = 5
    }

    /// Reads a log of `onRamp`; topics, head and id must agree. Throws `foreignLog`, `malformedLog`, `messageIDMismatch`.
    init(_ log: Log, onRamp: Address, source: ChainSelector) throws(GuardError) {
        guard log.address == onRamp, log.topics.count == 3, log.topics[0] == Self.topic else {
            throw GuardError(.foreignLog, "a log of \(log.address)", hint: "only CCIPMessageSent of \(onRamp) is read")
        }
        let view = try WordView(log.data, "CCIPMessageSent")
        guard try view.number(0) == 32 else { throw view.malformed("the message does not begin at the second word") }
        func at(_ place: Int) -> Int { 32 + 32 * place }
        id = Hash32(try view.word(at(Place.id)))
        self.source = ChainSelector(try view.number(at(Place.source)))
        destination = ChainSelector(try view.number(at(Place.destination)))
        number = try view.number(at(Place.number))
        nonce = try view.number(at(Place.nonce))
        sender = try view.address(at(Place.sender))
        data = try view.string(at(Place.data), from: 32)
        receiver = try view.string(at(Place.receiver), from: 32)
        extraArgs = try view.string(at(Place.extraArgs), from: 32)
        feeToken = try view.address(at(Place.feeToken))
        feeAmount = try view.word(at(Place.feeAmount))
        let list = try view.target(at(Place.tokens), from: 32)
        guard list >= 32 + 32 * Place.headWords else { throw view.malformed("the token list lies inside the head") }
        tokens = try Self.tokens(view, list)
        tokenWords = view.rest(list)
        guard self.source == source, log.topics[1].word == U256(destination.rawValue), log.topics[2].word == U256(number)
        else { throw view.malformed("the topics and the message name different lanes or numbers") }
        guard number >= 1, !id.isZero, !sender.isZero, !receiver.isEmpty, !feeToken.isZero else {
            throw view.malformed("number, id, sender, receiver or fee token is missing")
        }
        let own = computedID(onRamp: onRamp)
        guard own == id else {
            throw GuardError(
                .messageIDMismatch, "message \(number) says \(id), its content says \(own)",
                hint: "the endpoint lies, or the contract is no CCIP 1.6 OnRamp")
        }
    }

    private static func tokens(_ view: WordView, _ list: Int) throws(GuardError) -> [RawToken] {
        let count = try view.number(list)
        guard count <= UInt64(Limits.tokensMaximum) else { throw view.malformed("\(count) tokens") }
        var tokens: [RawToken] = []
        for position in 0..<Int(count) {
            let start = try view.target(list + 32 + 32 * position, from: list + 32)
            tokens.append(
                RawToken(
                    pool: try view.address(start), destinationToken: try view.string(start + 32, from: start),
                    extraData: try view.string(start + 64, from: start), amount: try view.word(start + 96),
                    executionData: try view.string(start + 128, from: start)))
        }
        return tokens
    }

    /// 8.1: seven words, hashed. The token list enters as the log's own words behind an offset word: where they are not
    /// the canonical ones, the id comes out differently and the log is refused.
    func computedID(onRamp: Address) -> Hash32 {
        var lane = WordRow()
        lane.hash(Domain.sent)
        lane.number(source.rawValue)
        lane.number(destination.rawValue)
        lane.address(onRamp)
        var fixed = WordRow()
        fixed.address(sender)
        fixed.number(number)
        fixed.number(nonce)
        fixed.address(feeToken)
        fixed.word(feeAmount)
        var list = WordRow()
        list.number(32)
        list.raw(tokenWords)
        var row = WordRow()
        row.word(.zero)
        for part in [lane.digest, fixed.digest, keccak256(receiver), keccak256(data), list.digest, keccak256(extraArgs)] {
            row.hash(part)
        }
        return row.digest
    }
}

/// Names under which the two sides hash (4.4).
enum Domain {
    static let sent = keccak256(text: "EVM2AnyMessageHashV1")
    static let delivered = keccak256(text: "Any2EVMMessageHashV1")
}

/// Words in a row, to be hashed.
struct WordRow {
    private(set) var bytes: Bytes = []

    mutating func word(_ value: U256) { bytes += value.bytes }
    mutating func number(_ value: UInt64) { bytes += Bytes(repeating: 0, count: 24) + Bytes(bigEndian: value) }
    mutating func hash(_ value: Hash32) { bytes += value.bytes }
    mutating func address(_ value: Address) { bytes += Bytes(repeating: 0, count: 12) + value.bytes }
    /// Whole words.
    mutating func raw(_ words: Bytes) {
        precondition(words.count % 32 == 0, "a row holds whole words")
        bytes += words
    }
    /// Length, bytes, zeros up to a word.
    mutating func string(_ text: Bytes) {
        number(UInt64(text.count))
        bytes += text
        bytes += Bytes(repeating: 0, count: (32 - text.count % 32) % 32)
    }

    var digest: Hash32 { keccak256(bytes) }
}
