// Which configurations a process serves: by tables first, then whatever order chain, instances and restarts come in.

import Ethereum
import TestSupport
import Testing

@testable import PriceStreams

enum Handovers {
    static let donID: UInt32 = 7

    static func digest(_ number: UInt64) -> Hash32 { Hash32(U256(0x0900_0000 + number)) }

    static func configuration(_ number: UInt64, after predecessor: UInt64? = nil) -> RegisteredConfiguration {
        let signers = (0..<4).map { Address(bytes: Hash32(U256(0xa000 + number * 16 + $0)).bytes.suffix(20)) ?? .zero }
        return RegisteredConfiguration(
            digest: digest(number), count: number, signers: signers, faulty: 1, predecessor: predecessor.map(digest))
    }

    static let proof = AttestedRetirement(
        report: RetirementReport(protocolVersion: 1, validAfter: [ChannelTime(ChannelID(1), 5)]).encoded, sequenceNumber: 9,
        signatures: [])

    /// A process with files of all of `served`, whose own file is the first configuration.
    static func book(served: Set<UInt64> = [1, 2, 3, 4]) -> HandoverBook {
        var book = HandoverBook(donID: donID, initial: configuration(1))
        _ = book.handle(.served(Set(served.map(digest))))
        return book
    }

    /// As after a restart.
    static func restarted(_ book: HandoverBook) throws -> HandoverBook {
        var again = try HandoverBook(encoded: book.encoded, donID: donID, initial: configuration(1))
        _ = again.handle(.served(book.served))
        return again
    }
}

extension HandoverBook {
    /// Feeds logs in their order, a block each, behind what was taken.
    mutating func take(_ logs: ConfiguratorEvent...) {
        for log in logs { _ = handle(.log(log, at: LogPosition(block: (position?.block ?? 0) + 1, index: 0))) }
        _ = handle(.current)
    }

    var running: [UInt64] { runs.map { $0.digest.word.asUInt64.map { $0 - 0x0900_0000 } ?? 0 } }
    func run(_ number: UInt64) -> Run? { runs.first { $0.digest == Handovers.digest(number) } }
}

@Suite("The book of handovers")
struct HandoverBookTests {
    @Test("the file alone decides until every finalized log was taken, and where nothing is registered")
    func file() throws {
        var book = Handovers.book()
        #expect(book.running == [1])
        _ = book.handle(.log(.production(Handovers.configuration(2)), at: LogPosition(block: 1, index: 0)))
        #expect(book.running == [1], "history is not acted upon half read")
        _ = book.handle(.current)
        #expect(book.running == [2])

        var none = Handovers.book()
        none.take()
        #expect(none.running == [1])
        none.take(.production(Handovers.configuration(1)))
        #expect(none.running == [1] && none.entry(Handovers.digest(1))?.standing == .production)
    }

    @Test("a staged configuration runs beside the one in production; a newer one takes its place")
    func staging() {
        var book = Handovers.book()
        book.take(.production(Handovers.configuration(1)), .staging(Handovers.configuration(2, after: 1)))
        #expect(book.running == [1, 2] && book.runs.allSatisfy { !$0.shouldRetire })
        book.take(.staging(Handovers.configuration(3, after: 1)))
        #expect(book.running == [1, 3] && book.entry(Handovers.digest(2)) == nil)
        var stranger = Handovers.book(served: [1])
        stranger.take(.production(Handovers.configuration(1)), .staging(Handovers.configuration(2, after: 1)))
        #expect(stranger.running == [1], "one without a file is not run")
    }

    @Test("nothing retires before its successor was seen to agree on something")
    func alive() {
        var book = Handovers.book()
        book.take(
            .production(Handovers.configuration(1)), .staging(Handovers.configuration(2, after: 1)),
            .promoted(retired: Handovers.digest(1)))
        #expect(book.running == [1, 2] && book.run(1)?.shouldRetire == false)
        _ = book.handle(.outcome(Handovers.digest(2), .staging))
        #expect(book.run(1)?.shouldRetire == true && book.run(2)?.shouldRetire == false)
        // Who has no place in the successor cannot see it, and follows the owner.
        var leaver = Handovers.book(served: [1])
        leaver.take(
            .production(Handovers.configuration(1)), .staging(Handovers.configuration(2, after: 1)),
            .promoted(retired: Handovers.digest(1)))
        #expect(leaver.run(1)?.shouldRetire == true)
    }

    @Test("the retired one is served until its successor publishes, and a minute longer; then never again")
    func grace() throws {
        var book = Handovers.book()
        book.take(
            .production(Handovers.configuration(1)), .staging(Handovers.configuration(2, after: 1)),
            .promoted(retired: Handovers.digest(1)))
        _ = book.handle(.outcome(Handovers.digest(2), .staging))
        _ = book.handle(.outcome(Handovers.digest(1), .retired))
        _ = book.handle(.retired(Handovers.digest(1), Handovers.proof))
        _ = book.handle(.tick(now: 1_000_000_000))
        #expect(book.running == [1, 2] && book.run(2)?.retirement == Handovers.proof)
        book = try Handovers.restarted(book)
        #expect(book.running == [1, 2] && book.run(2)?.retirement == Handovers.proof, "the proof outlives a restart")
        _ = book.handle(.outcome(Handovers.digest(2), .production))
        _ = book.handle(.tick(now: 5_000))
        _ = book.handle(.tick(now: 5_000 + HandoverBook.graceMilliseconds - 1))
        #expect(book.running == [1, 2])
        let last = book.handle(.tick(now: 5_000 + HandoverBook.graceMilliseconds))
        #expect(last.isChanged && last.notes == [.finished(Handovers.digest(1))] && book.running == [2])
        book = try Handovers.restarted(book)
        #expect(book.running == [2])
        #expect(book.believed.map(\.digest) == [Handovers.digest(1), Handovers.digest(2)], "old reports are still good")
    }

    @Test("a process that leaves serves its configuration for ten minutes after it retired")
    func leaver() {
        var book = Handovers.book(served: [1])
        book.take(
            .production(Handovers.configuration(1)), .staging(Handovers.configuration(2, after: 1)),
            .promoted(retired: Handovers.digest(1)))
        _ = book.handle(.tick(now: 0))
        _ = book.handle(.tick(now: 10_000_000))
        #expect(book.running == [1], "not before it retired")
        _ = book.handle(.outcome(Handovers.digest(1), .retired))
        _ = book.handle(.tick(now: 10_000_000))
        _ = book.handle(.tick(now: 10_000_000 + HandoverBook.leaverGraceMilliseconds))
        #expect(book.running == [])
    }

    @Test("a production configuration that takes over from none ends all others, and what was staged for them is void")
    func replacement() {
        var book = Handovers.book()
        book.take(
            .production(Handovers.configuration(1)), .staging(Handovers.configuration(2, after: 1)),
            .production(Handovers.configuration(3)))
        #expect(book.running == [3])
        // The contract lets the owner promote it all the same; the one that publishes must not retire for it.
        let (_, notes) = book.handle(
            .log(.promoted(retired: Handovers.digest(3)), at: LogPosition(block: 9, index: 0)))
        #expect(notes == [.cannotTakeOver(Handovers.digest(2), from: Handovers.digest(3))])
        #expect(book.running == [3] && book.run(3)?.shouldRetire == false)
        book.take(.production(Handovers.configuration(4)))
        #expect(book.running == [4])
    }

    @Test("promoting back what has retired retires nothing")
    func back() {
        var book = Handovers.book()
        book.take(
            .production(Handovers.configuration(1)), .staging(Handovers.configuration(2, after: 1)),
            .promoted(retired: Handovers.digest(1)), .promoted(retired: Handovers.digest(2)))
        _ = book.handle(.outcome(Handovers.digest(2), .production))
        #expect(book.running == [1, 2] && book.run(2)?.shouldRetire == false)
        #expect(book.production == Handovers.digest(1), "as the contract has it")
    }

    @Test("a process that comes late serves neither what others have left behind, nor what it never knew")
    func late() {
        var book = Handovers.book(served: [1, 2, 3])
        book.take(
            .production(Handovers.configuration(1)), .staging(Handovers.configuration(2, after: 1)),
            .promoted(retired: Handovers.digest(1)), .staging(Handovers.configuration(3, after: 2)),
            .promoted(retired: Handovers.digest(2)))
        _ = book.handle(.tick(now: 1))
        #expect(book.running == [2, 3], "the successor's successor may still wait for the second")
        _ = book.handle(.outcome(Handovers.digest(3), .production))
        _ = book.handle(.tick(now: 2))
        _ = book.handle(.tick(now: 2 + HandoverBook.graceMilliseconds))
        #expect(book.running == [3])

        // Logs that begin behind the first registration: the contract vouches for what it lets be staged.
        var short = Handovers.book()
        short.take(.staging(Handovers.configuration(2, after: 1)), .promoted(retired: Handovers.digest(1)))
        #expect(short.running == [1, 2])
        var blind = Handovers.book()
        let (_, notes) = blind.handle(.log(.promoted(retired: Handovers.digest(5)), at: LogPosition(block: 1, index: 0)))
        #expect(notes == [.unknownPromotion(retired: Handovers.digest(5))] && blind.running == [1])
    }

    @Test("a log that comes again changes nothing")
    func again() {
        var book = Handovers.book()
        book.take(.production(Handovers.configuration(1)), .staging(Handovers.configuration(2, after: 1)))
        let before = book
        let result = book.handle(
            .log(.staging(Handovers.configuration(2, after: 1)), at: LogPosition(block: 2, index: 0)))
        #expect(!result.isChanged && result.notes == [] && book == before)
    }

    @Test("what is remembered is bounded")
    func bounded() throws {
        var book = Handovers.book()
        for number in 1...200 { book.take(.production(Handovers.configuration(UInt64(number)))) }
        #expect(book.entries.count <= HandoverBook.entriesMaximum && book.production == Handovers.digest(200))
        #expect(try Handovers.restarted(book).production == Handovers.digest(200))
    }

    @Test("bytes on disk that are no book are refused by name")
    func damaged() throws {
        var book = Handovers.book()
        book.take(.production(Handovers.configuration(1)), .staging(Handovers.configuration(2, after: 1)))
        _ = book.handle(.retired(Handovers.digest(1), Handovers.proof))
        let whole = book.encoded
        for count in [0, 1, 20, whole.count - 1] {
            let error = #expect(throws: PriceStreamsError.self) {
                try HandoverBook(encoded: Bytes(whole.prefix(count)), donID: Handovers.donID, initial: Handovers.configuration(1))
            }
            #expect(error?.code == .malformedHandover)
        }
        #expect(throws: PriceStreamsError.self) {
            try HandoverBook(encoded: whole, donID: 8, initial: Handovers.configuration(1))
        }
        var random = SplitMix64.forTest("HandoverBookTests.damaged")
        for _ in 0..<2_000 {
            var bytes = whole
            bytes[random.below(bytes.count)] ^= UInt8(1 + random.below(255))
            guard let read = try? HandoverBook(encoded: bytes, donID: Handovers.donID, initial: Handovers.configuration(1))
            else { continue }
            #expect(read.encoded == bytes || read.entry(Handovers.digest(1))?.standing == .unregistered)
        }
    }
}

@Suite("Logs of the Configurator")
struct ConfiguratorEventTests {
    static func log(_ event: ABIEvent, _ number: UInt64, predecessor: UInt64?, keyBytes: Int = 20) throws -> ([Hash32], Bytes) {
        let configuration = Handovers.configuration(number)
        let values: [ABIValue] = [
            .uint(UInt64(1)), .hash(configuration.digest), .uint(number),
            .array(configuration.signers.map { .bytes(Bytes($0.bytes.prefix(keyBytes))) }),
            .array(configuration.signers.map { _ in .hash(.zero) }), .uint(UInt64(1)),
            .bytes(OnchainConfiguration(predecessor: predecessor.map(Handovers.digest)).encoded), .uint(UInt64(1)), .bytes([1, 2]),
            .bool(false),
        ]
        let topics = [event.topic, StreamsConfigurationDigest.identifier(donID: Handovers.donID)]
        return (topics, try ABI.encode(values, as: Array(event.inputs.dropFirst())))
    }

    @Test("each of the three is read, and those of other DONs are passed over")
    func read() throws {
        let (first, firstData) = try Self.log(ConfiguratorInterface.productionSet, 1, predecessor: nil)
        let production = try ConfiguratorEvent(topics: first, data: firstData, donID: Handovers.donID)
        #expect(production == .production(Handovers.configuration(1)))
        let (second, secondData) = try Self.log(ConfiguratorInterface.stagingSet, 2, predecessor: 1)
        let staging = try ConfiguratorEvent(topics: second, data: secondData, donID: Handovers.donID)
        #expect(staging == .staging(Handovers.configuration(2, after: 1)))
        let topics = [ConfiguratorInterface.promoted.topic, first[1], Handovers.digest(1)]
        let flag = try ABI.encode([.bool(true)], as: [.bool])
        let promoted = try ConfiguratorEvent(topics: topics, data: flag, donID: Handovers.donID)
        #expect(promoted == .promoted(retired: Handovers.digest(1)))
        let other = try ConfiguratorEvent(topics: first, data: firstData, donID: 8)
        #expect(other == nil)
    }

    @Test("a configuration whose signers are no accounts is registered, and believed by nobody")
    func strangers() throws {
        let (topics, data) = try Self.log(ConfiguratorInterface.productionSet, 1, predecessor: nil, keyBytes: 19)
        guard case .production(let found)? = try ConfiguratorEvent(topics: topics, data: data, donID: Handovers.donID) else {
            Issue.record("no configuration")
            return
        }
        #expect(found.digest == Handovers.digest(1) && found.signers == [])
        var book = Handovers.book()
        book.take(.production(found))
        #expect(book.believed == [])
        let error = #expect(throws: PriceStreamsError.self) {
            try ConfiguratorEvent(topics: topics, data: Bytes(data.dropLast(40)), donID: Handovers.donID)
        }
        #expect(error?.code == .malformedConfiguratorLog)
    }
}
