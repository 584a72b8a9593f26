// Fetching attestations from a service that delays, loses, reorders, throttles and forgets.

import CCIP
import Ethereum
import Executing
import JSONRPC
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Relayer

@Suite("Token data worker")
struct TokenDataWorkerTests {
    static let source: ChainSelector = 16_015_286_601_757_825_753
    static let pool = Address(truncating: U256(0x900))
    static let transmitter = Address(truncating: U256(0x7e))
    static let onRamp = Address(truncating: U256(0x0e))
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A clock that tests move by hand.
    final class Clock: Sendable {
        private let time = Mutex<UInt64>(1_000_000)
        var now: UInt64 { time.withLock { $0 } }
        func pass(_ milliseconds: UInt64) { time.withLock { $0 += milliseconds } }
    }

    /// The service: knows messages by the path of their question, and misbehaves as it is told.
    final class FakeService: AttestationFetching {
        struct State {
            var attestations: [String: JSON] = [:]
            /// Answered before anything else, one after the other.
            var faults: [Fault] = []
            var asked: [String] = []
        }
        enum Fault { case lost, status(Int), throttled(UInt64?), garbage, delayed }
        let shared = Mutex(State())

        func get(_ path: String) async throws -> HTTPFetch.Answer {
            let fault = shared.withLock { state -> Fault? in
                state.asked.append(path)
                return state.faults.isEmpty ? nil : state.faults.removeFirst()
            }
            switch fault {
            case .lost: throw RelayerError(.chain, "the connection ended")
            case .status(let status): return HTTPFetch.Answer(status: status, body: [])
            case .throttled(let seconds): return HTTPFetch.Answer(status: 429, retryAfterSeconds: seconds, body: [])
            case .garbage: return HTTPFetch.Answer(status: 200, body: Array("<html>".utf8))
            case .delayed: try await Task.sleep(for: .milliseconds(30))
            case nil: break
            }
            guard let known = shared.withLock({ $0.attestations[path] }) else {
                return HTTPFetch.Answer(status: 404, body: Array("{}".utf8))
            }
            return HTTPFetch.Answer(status: 200, body: Array(known.text.utf8))
        }
    }

    static let settings = TokenDataSettings(
        api: "https://attestations.example", intervalMilliseconds: 0,
        rules: TokenDataRules([TokenDataRule(source: source, pool: pool, messageTransmitter: transmitter)]))

    static func message(_ number: UInt64) -> Any2EVMRampMessage {
        Any2EVMRampMessage(
            header: RampMessageHeader(
                messageID: MessageID(keccak256(Bytes(bigEndian: number))), source: source, destination: 1,
                sequenceNumber: SequenceNumber(number), nonce: 0),
            sender: Address(truncating: 3).abiWord, data: [], receiver: Address(truncating: 4), gasLimit: 0,
            tokenAmounts: [
                Any2EVMTokenTransfer(
                    sourcePool: pool.abiWord, destinationToken: Address(truncating: 5), destinationGas: 90_000,
                    extraData: USDC.SourcePoolDataV1(nonce: number, sourceDomain: 3).encoded, amount: 7)
            ])
    }

    static func burn(_ number: UInt64) -> Bytes {
        Bytes(bigEndian: UInt32(0)) + Bytes(bigEndian: UInt32(3)) + Bytes(bigEndian: UInt32(6)) + Bytes(bigEndian: number)
            + Bytes(repeating: 0, count: 96) + Bytes(repeating: 9, count: 132)
    }

    static func log(_ burn: Bytes) -> ContractLog {
        let padding = Bytes(repeating: 0, count: (32 - burn.count % 32) % 32)
        return ContractLog(
            address: transmitter, topics: [CCTPV1.messageSent.topic],
            data: U256(32).bytes + U256(UInt64(burn.count)).bytes + burn + padding)
    }

    static func complete(_ number: UInt64) -> (path: String, answer: JSON) {
        (
            CCTPV1.path(burn(number)),
            ["status": "complete", "attestation": .string("0x" + String(repeating: "ab", count: 65))]
        )
    }

    static func worker(_ service: FakeService, _ clock: Clock, spacing: UInt64 = 0) -> TokenDataWorker {
        var settings = settings
        settings.intervalMilliseconds = spacing
        let source = TokenDataSource(onRamp: onRamp) { transaction in
            // The transaction's hash names the message in this model.
            transaction == .zero ? nil : [log(burn(transaction.word.asUInt64 ?? 0))]
        }
        return TokenDataWorker(
            settings: settings, service: service, sources: [Self.source: source], pacer: SharedPacer(settings),
            logger: quiet, now: { clock.now })
    }

    static func isReady(_ worker: TokenDataWorker, _ number: UInt64) -> Bool {
        if case .ready = worker.data(of: message(number), transaction: Hash32(U256(number)))[0] { true } else { false }
    }

    @Test("an attestation that comes later is asked for every five seconds, and then kept")
    func pending() async throws {
        let (service, clock) = (FakeService(), Clock())
        let worker = Self.worker(service, clock)
        #expect(!Self.isReady(worker, 1))
        await worker.work()
        #expect(!Self.isReady(worker, 1))
        let (path, answer) = Self.complete(1)
        service.shared.withLock { $0.attestations[path] = answer }
        clock.pass(4_999)
        await worker.work()
        #expect(!Self.isReady(worker, 1) && service.shared.withLock { $0.asked.count } == 1)
        clock.pass(1)
        await worker.work()
        #expect(Self.isReady(worker, 1))
        let data = worker.data(of: Self.message(1), transaction: Hash32(U256(1)))
        guard case .ready(let bytes) = data[0] else { return }
        #expect(try USDC.OffchainTokenData(encoded: bytes).message == Self.burn(1))
        // Forgotten by the service afterwards: what is here stays.
        service.shared.withLock { $0.attestations = [:] }
        clock.pass(600_000)
        await worker.work()
        #expect(Self.isReady(worker, 1) && service.shared.withLock { $0.asked.count } == 3)
    }

    @Test("whatever the service does, every message gets its own attestation in the end", arguments: 0..<10 as Range<UInt64>)
    func faults(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let (service, clock) = (FakeService(), Clock())
        let worker = Self.worker(service, clock)
        var order = Array(1...12 as ClosedRange<UInt64>)
        for index in order.indices { order.swapAt(index, random.below(order.count)) }
        for round in 0..<60 {
            for number in order { _ = worker.data(of: Self.message(number), transaction: Hash32(U256(number))) }
            if round < order.count {
                let (path, answer) = Self.complete(order[round])
                service.shared.withLock { $0.attestations[path] = answer }
            }
            if round < 20 {
                let faults: [FakeService.Fault] = [.lost, .status(500), .throttled(nil), .throttled(3), .garbage, .delayed]
                service.shared.withLock { state in
                    state.faults = (0..<random.below(4)).map { _ in faults[random.below(faults.count)] }
                }
            }
            await worker.work()
            clock.pass(30_000)
        }
        for number in order {
            guard case .ready(let bytes) = worker.data(of: Self.message(number), transaction: Hash32(U256(number)))[0] else {
                Issue.record("message \(number) has no data, seed \(seed)")
                continue
            }
            #expect(try USDC.OffchainTokenData(encoded: bytes).message == Self.burn(number))
        }
    }

    @Test("after 'too many requests' nobody is asked anything until the pause is over")
    func coolDown() async {
        let (service, clock) = (FakeService(), Clock())
        let worker = Self.worker(service, clock)
        for number in 1...5 as ClosedRange<UInt64> {
            let (path, answer) = Self.complete(number)
            service.shared.withLock { $0.attestations[path] = answer }
        }
        service.shared.withLock { $0.faults = [.throttled(60)] }
        #expect(!Self.isReady(worker, 1))
        await worker.work()
        for number in 2...5 as ClosedRange<UInt64> { _ = Self.isReady(worker, number) }
        clock.pass(59_000)
        await worker.work()
        #expect(service.shared.withLock { $0.asked.count } == 1 && worker.statistics.throttled == 1)
        clock.pass(6_000)
        await worker.work()
        for number in 1...5 as ClosedRange<UInt64> { #expect(Self.isReady(worker, number)) }
    }

    @Test("without the transaction, with an unknown form or an ordinary token nothing is asked")
    func nothingToAsk() async {
        let (service, clock) = (FakeService(), Clock())
        let worker = Self.worker(service, clock)
        guard case .notReady = worker.data(of: Self.message(1), transaction: nil)[0] else { return #expect(Bool(false)) }
        var strange = Self.message(2)
        strange.tokenAmounts[0].extraData = [1]
        guard case .notReady = worker.data(of: strange, transaction: Hash32(U256(2)))[0] else { return #expect(Bool(false)) }
        var ordinary = Self.message(3)
        ordinary.tokenAmounts[0].sourcePool = Address(truncating: 0x901).abiWord
        #expect(worker.data(of: ordinary, transaction: Hash32(U256(3))) == [.none])
        await worker.work()
        #expect(service.shared.withLock { $0.asked.isEmpty } && worker.statistics.waiting == 0)
        // No receipt: said, and asked for again.
        _ = worker.data(of: Self.message(4), transaction: .zero)
        await worker.work()
        guard case .notReady(let why) = worker.data(of: Self.message(4), transaction: .zero)[0] else {
            return #expect(Bool(false))
        }
        #expect(why.contains("receipt") && service.shared.withLock { $0.asked.isEmpty })
    }
}
