// The attestation service as a value: what it answers to a relayer's reader, and how it misbehaves when it is told to.

import CCIP
import Configuration
import Ethereum
import Executing
@testable import Localnet
import JSONRPC
import Logging
import Testing

@Suite("the local attestation service")
struct AttesterTests {
    let keys: AttesterKeys
    static let transmitter = Samples.key("transmitter").address
    static let transaction = keccak256(text: "transaction")

    /// A test without its keys fails by itself, and stops no other.
    init() throws { keys = try AttesterKeys(development: 3) }

    /// A burn as a transmitter logs it.
    static func burn(_ version: CCTPVersion, nonce: UInt64 = 0, amount: UInt64 = 1_000) -> Bytes {
        let word = Samples.key("word").address.abiWord
        let zero = Bytes(repeating: 0, count: 32)
        func four(_ value: UInt32) -> Bytes { Bytes(bigEndian: value) }
        let body = four(version == .v1 ? 0 : 1) + word + word + U256(amount).bytes + word
        guard version == .v2 else { return four(0) + four(7) + four(9) + Bytes(bigEndian: nonce) + word + word + word + body }
        return four(1) + four(7) + four(9) + zero + word + word + word + four(2_000) + four(0) + body + zero + zero + zero
    }

    static func place(_ index: UInt64, transaction: Hash32 = transaction) -> AttesterPlace {
        AttesterPlace(domain: 7, block: 3, logIndex: index, transaction: transaction)
    }

    /// The value behind a reference, so that expectations may ask it.
    final class Asked {
        var value: Attester
        init(_ value: Attester) { self.value = value }

        func answer(_ question: Attester.Question, now: UInt64) -> Attester.Answer { value.answer(question, now: now) }
        func reattest(_ nonce: Hash32) -> Attester.Answer { value.reattest(nonce) }
    }

    private func attester(_ messages: [Bytes], faults: AttesterFaults = AttesterFaults()) throws -> Asked {
        var attester = Attester(keys: keys, threshold: 2)
        attester.faults = faults
        for (index, message) in messages.enumerated() {
            attester.saw(try #require(AttestedMessage(message)), at: Self.place(UInt64(index)), now: 100)
        }
        return Asked(attester)
    }

    /// What a transmitter checks: exactly so many signatures of 65 bytes, by enabled attesters, ascending, with low s.
    private func isAccepted(_ message: Bytes, _ attestation: Bytes, threshold: Int = 2) -> Bool {
        guard attestation.count == 65 * threshold else { return false }
        var previous = U256.zero
        for start in stride(from: 0, to: attestation.count, by: 65) {
            guard let signature = try? Signature(bytes: Bytes(attestation[start..<(start + 65)])), signature.isLowS,
                let signer = Secp256k1.recoverAddress(digest: keccak256(message), signature: signature),
                signer.word > previous,
                keys.addresses.contains(signer)
            else { return false }
            previous = signer.word
        }
        return true
    }

    private func data(_ answer: AttestationAnswer) throws -> USDC.OffchainTokenData {
        guard case .ready(let bytes) = answer else { throw LocalnetError(.notReady, "\(answer)") }
        return try USDC.OffchainTokenData(encoded: bytes)
    }

    private static let v2 = Attester.Question.v2(domain: 7, transaction: transaction)

    @Test("version 1: the attestation of a message is one that the relayers read and the transmitter takes")
    func version1() throws {
        let message = Self.burn(.v1, nonce: 5)
        let attester = try attester([message])
        let log = ContractLog(
            address: Self.transmitter, topics: [CCTPV1.messageSent.topic],
            data: try ABI.encode([.bytes(message)], as: [.bytes]))
        let found = try #require(CCTPV1.message(in: [log], transmitter: Self.transmitter, domain: 7, nonce: 5))
        #expect(CCTPV1.path(found) == "/v1/attestations/\(keccak256(message).hex)")
        let answer = attester.answer(.v1(keccak256(message)), now: 100)
        let data = try data(CCTPV1.read(answer.json, message: found))
        #expect(answer.status == 200 && data.message == message)
        #expect(isAccepted(data.message, data.attestation))
        #expect(attester.answer(.v1(keccak256(message)), now: 900) == answer, "the same for every relayer, whenever it asks")
    }

    @Test("version 2: nonce, finality and expiry are filled in, and equal deposits get different nonces")
    func version2() throws {
        let message = Self.burn(.v2)
        let attester = try attester([message, message])
        let answer = attester.answer(Self.v2, now: 100)
        let hash = USDC.DepositV2(
            sourceDomain: 7, amount: U256(1_000), destinationDomain: 9, mintRecipient: Samples.key("word").address.word32,
            burnToken: Samples.key("word").address.word32, destinationCaller: Samples.key("word").address.word32
        ).hash
        let first = try data(CCTPV2.read(answer.json, depositHash: hash, rank: 0, count: 2))
        let second = try data(CCTPV2.read(answer.json, depositHash: hash, rank: 1, count: 2))
        #expect(first.message != second.message && first.attestation != second.attestation)
        for data in [first, second] {
            #expect(isAccepted(data.message, data.attestation))
            #expect(data.message.count == message.count && data.message[12..<44].contains { $0 != 0 })
            #expect(Bytes(data.message[144..<148]) == Bytes(bigEndian: UInt32(2_000)))
            #expect(Bytes(data.message[344..<376]) == Bytes(repeating: 0, count: 32), "it never expires")
            #expect(Bytes(data.message[148..<344]) == Bytes(message[148..<344]), "nothing else of the body is touched")
        }
    }

    @Test("planted: a transmitter's rules refuse what is wrong about an attestation")
    func planted() {
        let message = Self.burn(.v1)
        let good = keys.attest(message, threshold: 2)
        #expect(isAccepted(message, good))
        #expect(!isAccepted(message, Bytes(good.dropFirst(65)) + good.prefix(65)), "descending")
        #expect(!isAccepted(message, Bytes(good.prefix(65)) + good.prefix(65)), "one signer twice")
        #expect(!isAccepted(message, keys.attest(message, threshold: 1)), "one of two")
        #expect(!isAccepted(Self.burn(.v1, nonce: 1), good), "another message")
        let stranger = AttesterKeys([Samples.key("a"), Samples.key("b")])
        #expect(!isAccepted(message, stranger.attest(message, threshold: 2)), "nobody's keys")
    }

    @Test("what was never final is not known, and neither is another version, domain or transaction")
    func unknown() throws {
        let messages = [Self.burn(.v1), Self.burn(.v2)]
        let attester = try attester(messages)
        #expect(attester.answer(.v1(keccak256(Self.burn(.v1, nonce: 1))), now: 100).status == 404)
        #expect(attester.answer(.v1(keccak256(messages[1])), now: 100).status == 404)
        #expect(attester.answer(.v2(domain: 8, transaction: Self.transaction), now: 100).status == 404)
        #expect(attester.answer(.v2(domain: 7, transaction: keccak256(text: "other")), now: 100).status == 404)
        #expect(attester.answer(Self.v2, now: 100).json["messages"]?.asArray?.count == 1)
        #expect(AttestedMessage([]) == nil && AttestedMessage(Bytes(repeating: 0, count: 115)) == nil)
        #expect(AttestedMessage(Bytes([0, 0, 0, 2]) + Bytes(repeating: 0, count: 400)) == nil, "no version 3")
    }

    @Test("late: pending until the delay has passed, in the words of each version")
    func delayed() throws {
        var faults = AttesterFaults()
        faults.delayMilliseconds = 50
        let message = Self.burn(.v1)
        let attester = try attester([message, Self.burn(.v2)], faults: faults)
        let pending = attester.answer(.v1(keccak256(message)), now: 149)
        #expect(CCTPV1.read(pending.json, message: message) == .notReady("attestation pending_confirmations"))
        let list = attester.answer(Self.v2, now: 149)
        #expect(CCTPV2.read(list.json, depositHash: .zero, rank: 0, count: 1) == .notReady(
            "0 of 1 attestations, others pending_confirmations"))
        #expect(attester.answer(.v1(keccak256(message)), now: 150).json["status"] == "complete")
    }

    @Test("lost, then pending, question by question; withheld until it is taken back")
    func lost() throws {
        var faults = AttesterFaults()
        faults.lostQuestions = 2
        faults.pendingQuestions = 1
        let question = Attester.Question.v1(keccak256(Self.burn(.v1)))
        let attester = try attester([Self.burn(.v1)], faults: faults)
        let answers = (0..<4).map { _ in attester.answer(question, now: 100) }
        #expect(answers.map(\.status) == [404, 404, 200, 200])
        #expect(answers[2].json["status"] == "pending_confirmations" && answers[3].json["status"] == "complete")

        var withheld = AttesterFaults()
        withheld.withheld = true
        let other = try self.attester([Self.burn(.v1)], faults: withheld)
        for _ in 0..<50 { #expect(other.answer(question, now: 1_000_000).json["status"] == "pending_confirmations") }
        other.value.faults = AttesterFaults()
        #expect(other.answer(question, now: 1_000_000).json["status"] == "complete")
    }

    @Test("out of order: the second message is attested before the first, and lists are turned round")
    func reordered() throws {
        var faults = AttesterFaults()
        faults.reorderMilliseconds = 60
        let messages = [Self.burn(.v2, amount: 1), Self.burn(.v2, amount: 2)]
        let attester = try attester(messages, faults: faults)
        func statuses(_ now: UInt64) -> [String?] {
            (attester.answer(Self.v2, now: now).json["messages"]?.asArray ?? []).map { $0["status"]?.asString }
        }
        #expect(statuses(100) == ["complete", "pending_confirmations"])
        #expect(statuses(160) == ["complete", "complete"])
        let items = try #require(attester.answer(Self.v2, now: 160).json["messages"]?.asArray)
        let amounts = items.map { $0["message"]?.asString.flatMap { try? Hex.decode($0) }.map { Bytes($0[216..<248]) } }
        #expect(amounts == [U256(2 as UInt64).bytes, U256(1 as UInt64).bytes])
    }

    @Test("an attestation expires at a block of the destination and is made anew when it is asked for")
    func expires() throws {
        var faults = AttesterFaults()
        faults.expiryBlocks = 4
        let attester = try attester([Self.burn(.v2)], faults: faults)
        attester.value.sawHead(20, of: 9)
        let first = try #require(attester.answer(Self.v2, now: 100).json["messages"]?[0])
        let message = try Hex.decode(try #require(first["message"]?.asString))
        #expect(Bytes(message[344..<376]) == U256(24 as UInt64).bytes)
        let nonce = try Hash32(hex: try #require(first["eventNonce"]?.asString))
        attester.value.sawHead(23, of: 9)
        #expect(attester.reattest(nonce).status == 400, "it has a block left")
        attester.value.sawHead(24, of: 9)
        #expect(attester.answer(Self.v2, now: 200).json["messages"]?[0] == first, "until then it stays as it is")
        attester.value.faults = AttesterFaults()
        #expect(attester.reattest(nonce).status == 200)
        let second = try #require(attester.answer(Self.v2, now: 200).json["messages"]?[0])
        let renewed = try Hex.decode(try #require(second["message"]?.asString))
        #expect(Bytes(renewed[344..<376]) == U256.zero.bytes && renewed[12..<44] == message[12..<44])
        #expect(isAccepted(renewed, try Hex.decode(try #require(second["attestation"]?.asString))))
        #expect(attester.reattest(nonce).status == 400 && attester.reattest(.zero).status == 404)
    }

    @Test("too many questions: 429 with Retry-After, so many times")
    func throttled() throws {
        var faults = AttesterFaults()
        faults.refusedQuestions = 2
        faults.retryAfterSeconds = 7
        let attester = try attester([Self.burn(.v2)], faults: faults)
        let answers = (0..<3).map { _ in attester.answer(Self.v2, now: 100) }
        #expect(answers.map(\.status) == [429, 429, 200])
        #expect(answers.map(\.retryAfterSeconds) == [7, 7, nil])
    }

    @Test("a message seen twice counts once")
    func twice() throws {
        let attester = try attester([Self.burn(.v2)])
        attester.value.saw(try #require(AttestedMessage(Self.burn(.v2))), at: Self.place(0), now: 5)
        #expect(attester.value.messages == 1)
        #expect(attester.answer(Self.v2, now: 100).json["messages"]?.asArray?.count == 1)
    }

    // MARK: Over HTTP, and its file

    static let yaml = """
        http: "127.0.0.1:0"
        attesters: 3
        threshold: 2
        chains:
          - {name: ethereum, rpc: "http://127.0.0.1:1", domain: 7, transmitters: ["\(transmitter.checksummed)"]}
        faults: {pendingQuestions: 2}

        """

    private func service() throws -> AttesterProcess {
        try AttesterProcess(settings: AttesterSettings(yaml: Self.yaml, file: "a.yaml"), logger: Logger(label: "test"))
    }

    private func ask(_ service: AttesterProcess, _ method: String, _ target: String, _ body: String = "") throws -> (Int, JSON) {
        let answer = service.answer(HTTPQuestion(method: method, target: target, body: Array(body.utf8)))
        return (answer.status, try JSON.parse(answer.body))
    }

    @Test("questions by their paths; what is none is refused by name")
    func paths() throws {
        let service = try service()
        let hash = Hash32.zero.hex
        #expect(try ask(service, "GET", "/v1/attestations/\(hash)").0 == 404)
        #expect(try ask(service, "GET", "/v2/messages/7?transactionHash=\(hash)").0 == 404)
        #expect(try ask(service, "POST", "/v2/reattest/\(hash)").0 == 404)
        for (method, target, says) in [
            ("GET", "/v1/attestations/0x12", "no hash"), ("GET", "/v2/messages/x?transactionHash=\(hash)", "no domain"),
            ("GET", "/v2/messages/7", "transactionHash"), ("POST", "/v2/reattest/0x", "no nonce"),
        ] {
            let (status, json) = try ask(service, method, target)
            #expect(status == 400 && json["error"]?.asString?.contains(says) == true, "\(target): \(json)")
        }
        #expect(try ask(service, "GET", "/nothing").0 == 404)
        #expect(try ask(service, "GET", "/v2/publicKeys").1["publicKeys"]?.asArray?.count == 6)
    }

    @Test("faults are read, set as a whole and refused by name")
    func faults() throws {
        let service = try service()
        #expect(try ask(service, "GET", "/faults").1["faults"]?["pendingQuestions"] == 2)
        let (status, json) = try ask(service, "POST", "/faults", #"{"delayMilliseconds": 5, "expiryBlocks": 0}"#)
        #expect(status == 200 && json["faults"]?["pendingQuestions"] == 0 && json["faults"]?["expiryBlocks"] == 0)
        for body in [
            "nonsense", "[]", #"{"delay": 5}"#, #"{"withheld": 1}"#, #"{"lostQuestions": -1}"#, #"{"lostQuestions": "3"}"#,
            #"{"delayMilliseconds": 3600001}"#,
        ] {
            #expect(try ask(service, "POST", "/faults", body).0 == 400, "\(body)")
        }
        #expect(try ask(service, "GET", "/faults").1["faults"] == json["faults"], "a refused set changes nothing")
        let faults = try AttesterFaults(json: try #require(json["faults"]))
        #expect(faults.json == json["faults"])
    }

    @Test("the file is read as it is written, and mistakes are named", arguments: [
        ("attesters: 3", "attesters: 17", "attesters"), ("threshold: 2", "threshold: 4", "threshold"),
        ("domain: 7", "domain: 4294967296", "domain"), ("127.0.0.1:0", "127.0.0.1", "http"),
        ("pendingQuestions", "pendingQuestion", "pendingQuestion"), ("transmitters", "transmitter", "transmitters"),
        ("\"0x", "\"0x1", "transmitters"),
    ])
    func file(_ from: String, _ to: String, _ named: String) throws {
        let settings = try AttesterSettings(yaml: Self.yaml, file: "a.yaml")
        var written = settings
        written.faults = AttesterFaults()
        #expect(try AttesterSettings(yaml: settings.text, file: "b.yaml") == written)
        let error = #expect(throws: ConfigurationError.self) {
            try AttesterSettings(yaml: Self.yaml.replacing(from, with: to, maxReplacements: 1), file: "a.yaml")
        }
        #expect(error?.message.contains(named) == true && error?.message.contains("a.yaml") == true, "\(error?.message ?? "")")
    }
}

extension Address {
    fileprivate var word32: Hash32 { Hash32(word) }
}
