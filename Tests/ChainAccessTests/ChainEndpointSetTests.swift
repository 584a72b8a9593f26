// Endpoints that are down, slow, wrong, lagging or lying, and what the set makes of them.

import CCIP
import Ethereum
import Testing
import Transactions

@testable import ChainAccess

@Suite("Chain endpoints")
struct ChainEndpointSetTests {
    private let chain = FakeChain()

    private func grow(_ count: Int = 10, finalized: UInt64 = 8) {
        for number in 1...count { chain.mine([event(UInt64(number))]) }
        chain.finalize(finalized)
    }

    // MARK: One endpoint

    @Test("reads come typed")
    func reads() async throws {
        grow()
        let set = try makeSet([FakeEndpoint("a", chain)])
        let heads = try await set.heads()
        #expect(heads.latest.number == 10 && heads.safe.number == 8 && heads.finalized.number == 8)
        #expect(try await set.block(.number(3))?.hash == chain.with { $0.blocks[3].header.hash })
        #expect(try await set.block(.number(99)) == nil)
        #expect(numbers(try await set.logs(LogFilter(addresses: [ramp]), 2...4)) == [2, 3, 4])
        #expect(try await set.balance(ramp) == 1_000_000_000_000_000_000)
        #expect(try await set.nonce(ramp, at: .pending) == 0)
        #expect(try await set.code(ramp) == [0x60, 0])
        #expect(try await set.estimateGas(CallTarget(to: ramp, data: [])) == 21_000)
        #expect(try await set.fees() == FeeSuggestion(baseFee: 7, tip: 1, gasPrice: 8))
        #expect(try await set.receipt(.zero) == nil)
    }

    @Test("a revert comes with its data and is not passed on to other endpoints")
    func revert() async throws {
        chain.with { _ = $0.reverting.insert(ramp) }
        let second = FakeEndpoint("b", chain)
        let set = try makeSet([FakeEndpoint("a", chain), second])
        do {
            _ = try await set.call(to: ramp, data: [])
            Issue.record("no error")
        } catch {
            #expect(error.code == .reverted && error.revertData == [0x0a, 0x8d, 0x6e, 0x8c])
        }
        #expect(second.asked.isEmpty)
        let results = try await set.calls([CallTarget(to: ramp, data: []), CallTarget(to: .zero, data: [])])
        #expect((try? results[0].get()) == nil && (try? results[1].get()) != nil)
    }

    @Test("an endpoint that serves another chain is refused for good and aloud")
    func wrongChain() async throws {
        let alarms = Alarms()
        let wrong = FakeEndpoint("wrong", chain, .init(chainID: 1))
        let set = try makeSet([wrong, FakeEndpoint("right", chain)], quorum: 1, alarms: alarms)
        let states = await set.verify()
        #expect(states.map(\.state) == [.refused, .ready])
        #expect(alarms.all.count == 1 && alarms.all[0].contains("wrong serves chain 1"))
        let before = wrong.asked.count
        wrong.fail { $0.chainID = nil }
        _ = try await set.heads()
        #expect(wrong.asked.count == before)
    }

    @Test("when every endpoint serves another chain, reads are refused and not retried")
    func onlyWrong() async throws {
        let set = try makeSet([FakeEndpoint("wrong", chain, .init(chainID: 1))])
        do {
            _ = try await set.heads()
            Issue.record("no error")
        } catch { #expect(error.code == .wrongChainID && error.retry == .never) }
        do {
            _ = try await set.heads()
            Issue.record("no error")
        } catch { #expect(error.code == .noEndpoint) }
        guard case .refused = await set.agreedBlock(0) else { return fail("must be refused") }
    }

    @Test("the chain id is asked again after the connection was lost")
    func identityIsCheckedAgain() async throws {
        let endpoint = FakeEndpoint("a", chain)
        let set = try makeSet([endpoint])
        _ = try await set.heads()
        endpoint.fail { $0.isDown = true }
        _ = try? await set.heads()
        endpoint.fail { $0 = .init(chainID: 5) }
        _ = try? await set.heads()
        #expect(set.statuses[0].state == .refused)
    }

    static let faults: [(String, FakeEndpoint.Faults, ChainAccessError.Code)] = [
        ("down", .init(isDown: true), .unreachable), ("slow", .init(hangs: true), .timeout),
        ("garbage", .init(garbage: true), .malformedAnswer),
        ("no array", .init(overrides: ["eth_getLogs": .result("x")]), .malformedAnswer),
        (
            "rate limit", .init(overrides: ["eth_getLogs": .error(code: -32_005, message: "slow down", data: nil)]),
            .rateLimited
        ),
    ]

    @Test("a failing endpoint is named, rests, and another one answers", arguments: faults.indices)
    func failOver(index: Int) async throws {
        let (_, faults, code) = Self.faults[index]
        grow()
        let bad = FakeEndpoint("bad", chain, faults)
        let alone = try makeSet([bad], timeout: .milliseconds(30))
        do {
            _ = try await alone.logs(LogFilter(addresses: [ramp]), 1...2)
            Issue.record("no error")
        } catch { #expect(error.code == code && error.context["endpoint"] == "bad" && error.retry == .later) }
        let set = try makeSet([bad, FakeEndpoint("good", chain)], quorum: 1, timeout: .milliseconds(30))
        #expect(numbers(try await set.logs(LogFilter(addresses: [ramp]), 1...2)) == [1, 2])
        let before = bad.asked.count
        #expect(numbers(try await set.logs(LogFilter(addresses: [ramp]), 1...2)) == [1, 2])
        #expect(bad.asked.count == before, "it rests after a failure")
        #expect(set.statuses[0].penalty > 0 && set.statuses[0].lastError != nil && set.statuses[0].state == .failing)
    }

    @Test("answers of the wrong shape are named")
    func shapes() async throws {
        grow()
        let block = FakeEndpoint.json(chain.with { $0.blocks[3] })
        func member(_ name: String, _ value: JSON) -> RPCAnswer {
            guard case .object(var object) = block else { return .result(.null) }
            object[name] = value
            return .result(.object(object))
        }
        let answers: [RPCAnswer] = [
            member("number", 3), member("number", "3"), member("hash", "0x12"), member("timestamp", "0xzz"),
            member("number", "0x10000000000000000"), .result([]), .result("0x1"),
        ]
        for answer in answers {
            let set = try makeSet([FakeEndpoint("a", chain, .init(overrides: ["eth_getBlockByNumber": answer]))])
            do {
                _ = try await set.block(.latest)
                Issue.record("no error for \(answer)")
            } catch { #expect(error.code == .malformedAnswer) }
        }
    }

    @Test("logs that were not asked for are not believed")
    func strangeLogs() async throws {
        grow()
        let block = chain.with { $0.blocks[3].header }
        let strange: [JSON] = [
            [FakeEndpoint.json(event(1, at: .zero), block, 0)], [FakeEndpoint.json(event(1), chain.heads.latest, 0)],
            [FakeEndpoint.json(event(1), block, 0), FakeEndpoint.json(event(2), block, 0)],
        ]
        for logs in strange {
            let set = try makeSet([FakeEndpoint("a", chain, .init(overrides: ["eth_getLogs": .result(logs)]))])
            do {
                _ = try await set.logs(LogFilter(addresses: [ramp]), 1...4)
                Issue.record("no error")
            } catch { #expect(error.code == .malformedAnswer) }
        }
        // The same log twice is one log.
        let log = FakeEndpoint.json(event(1), block, 0)
        let set = try makeSet([FakeEndpoint("a", chain, .init(overrides: ["eth_getLogs": .result([log, log])]))])
        #expect(try await set.logs(LogFilter(addresses: [ramp]), 1...4).count == 1)
    }

    @Test(
        "log windows shrink until the endpoint takes them, and nothing is left out",
        arguments: [1, 2, 3, 7, 100] as [UInt64])
    func windows(rangeMaximum: UInt64) async throws {
        grow(60, finalized: 60)
        let endpoint = FakeEndpoint("a", chain, .init(rangeMaximum: rangeMaximum))
        let set = try makeSet([endpoint], window: 50)
        #expect(numbers(try await set.logs(LogFilter(addresses: [ramp]), 1...60)) == Array(1...60))
        #expect(numbers(try await set.logs(LogFilter(addresses: [ramp]), 60...60)) == [60])
    }

    @Test("a range that reaches the end of all numbers ends")
    func endlessRange() async throws {
        grow(3, finalized: 3)
        let set = try makeSet([FakeEndpoint("a", chain)], window: .max)
        #expect(numbers(try await set.logs(LogFilter(addresses: [ramp]), 2...UInt64(Int.max))) == [2, 3])
    }

    // MARK: Finality

    @Test(
        "finality follows the rule that was configured",
        arguments: [
            (FinalityRule.tag(offset: 0), 8), (.tag(offset: 3), 5), (.depth(4, offset: 0), 6),
            (.depth(4, offset: 1), 5),
            (.depth(400, offset: 0), 0),
        ] as [(FinalityRule, UInt64)])
    func finality(rule: FinalityRule, expected: UInt64) async throws {
        grow()
        let heads = try await makeSet([FakeEndpoint("a", chain)], finality: rule).heads()
        #expect(heads.finalized.number == expected && heads.latest.number == 10)
        #expect(heads.finalized.number <= heads.safe.number && heads.safe.number <= heads.latest.number)
    }

    @Test("an endpoint that is behind what was read is not read when another is not")
    func repeatableReads() async throws {
        grow(10, finalized: 10)
        let first = FakeEndpoint("a", chain)
        let set = try makeSet([first, FakeEndpoint("b", chain)], quorum: 1)
        #expect(try await set.heads().finalized.number == 10)
        first.fail { $0.lag = 4 }
        #expect(try await set.heads().finalized.number == 10)
        first.fail { $0.lag = 9 }
        _ = try await set.heads()
        #expect(set.statuses[0].state == .behind && set.statuses[1].state == .ready)
    }

    @Test("a bad set-up is refused")
    func setUp() {
        #expect(throws: ChainAccessError.self) { try makeSet([]) }
        #expect(throws: ChainAccessError.self) { try makeSet([FakeEndpoint("a", chain)], quorum: 2) }
        #expect(throws: ChainAccessError.self) { try makeSet([FakeEndpoint("a", chain)], quorum: 0) }
        #expect(throws: ChainAccessError.self) {
            try makeSet([FakeEndpoint("a", chain)], finality: .depth(20_000, offset: 0))
        }
    }

    // MARK: Quorum

    @Test("the default quorum is one of one and two of several")
    func defaultQuorum() throws {
        #expect(try makeSet([FakeEndpoint("a", chain)]).quorum == 1)
        #expect(try makeSet([FakeEndpoint("a", chain), FakeEndpoint("b", chain)]).quorum == 2)
        #expect(
            try makeSet([FakeEndpoint("a", chain), FakeEndpoint("b", chain), FakeEndpoint("c", chain)]).quorum == 2)
    }

    @Test("two endpoints that agree make a pinned read ready")
    func agreement() async throws {
        grow()
        let set = try makeSet([FakeEndpoint("a", chain), FakeEndpoint("b", chain)])
        let heads = try await set.agreedHeads().get()
        #expect(heads.finalized.number == 8)
        #expect(
            numbers(try await set.agreedLogs(LogFilter(addresses: [ramp]), 1...8, at: heads.finalized).get())
                == Array(1...8))
        #expect(try await set.agreedNonce(ramp, at: heads.finalized).get() == 0)
        let results = try await set.agreedCalls([CallTarget(to: ramp, data: [])], at: heads.finalized).get()
        #expect(results == [.returned(heads.finalized.hash.bytes)])
    }

    @Test("a revert is something that endpoints can agree about")
    func agreedRevert() async throws {
        grow()
        chain.with { _ = $0.reverting.insert(ramp) }
        let set = try makeSet([FakeEndpoint("a", chain), FakeEndpoint("b", chain)])
        let block = try await set.agreedHeads().get().finalized
        #expect(
            try await set.agreedCalls([CallTarget(to: ramp, data: [])], at: block).get() == [
                .reverted([0x0a, 0x8d, 0x6e, 0x8c])
            ])
    }

    @Test("an endpoint that leaves out logs makes the read not yet, raises an alarm, and is outvoted the next time")
    func omission() async throws {
        grow()
        let alarms = Alarms()
        let liar = FakeEndpoint("liar", chain, .init(omitsLogs: true))
        let set = try makeSet(
            [liar, FakeEndpoint("b", chain), FakeEndpoint("c", chain)], alarms: alarms)
        let block = try await set.agreedHeads().get().finalized
        guard case .notYet = await set.agreedLogs(LogFilter(addresses: [ramp]), 1...8, at: block) else {
            return fail("two answers differ: it cannot be ready")
        }
        #expect(alarms.all.count == 1 && alarms.all[0].contains("liar against 2 others"))
        #expect(numbers(try await set.agreedLogs(LogFilter(addresses: [ramp]), 1...8, at: block).get()) == Array(1...8))
        #expect(alarms.all.count == 1)
    }

    @Test("two of two that differ stay not yet, however often they are asked")
    func standoff() async throws {
        grow()
        let set = try makeSet([FakeEndpoint("liar", chain, .init(omitsLogs: true)), FakeEndpoint("b", chain)])
        let block = try await set.agreedHeads().get().finalized
        for _ in 0..<4 {
            guard case .notYet = await set.agreedLogs(LogFilter(addresses: [ramp]), 1...8, at: block) else {
                return fail("must not be ready")
            }
        }
    }

    @Test("with one of two endpoints down nothing is ready, and with one of three everything is")
    func partialOutage() async throws {
        grow()
        let down = FakeEndpoint("down", chain, .init(isDown: true))
        let two = try makeSet([down, FakeEndpoint("b", chain)])
        guard case .notYet(let why) = await two.agreedBlock(3) else { return fail("must wait") }
        #expect(why.contains("1 of 2"))
        let three = try makeSet([down, FakeEndpoint("b", chain), FakeEndpoint("c", chain)])
        #expect(try await three.agreedBlock(3).get().number == 3)
        #expect(try await three.agreedHeads().get().finalized.number == 8)
    }

    @Test("agreed heads stop at the height that a quorum has reached")
    func laggingQuorum() async throws {
        grow(10, finalized: 10)
        let set = try makeSet([FakeEndpoint("a", chain), FakeEndpoint("b", chain, .init(lag: 3))])
        let heads = try await set.agreedHeads().get()
        #expect(heads.finalized.number == 7 && heads.latest.number == 10)
    }

    @Test("endpoints on different branches never agree about a block")
    func branches() async throws {
        let other = FakeChain()
        grow()
        for number in 1...10 { other.mine([event(UInt64(number))]) }
        other.finalize(8)
        other.reorganise(to: 3)
        for number in 4...10 { other.mine([event(UInt64(number))]) }
        let set = try makeSet([FakeEndpoint("a", chain), FakeEndpoint("b", other)])
        guard case .notYet = await set.agreedHeads() else { return fail("must not be ready") }
        #expect(try await set.agreedBlock(3).get().number == 3)
        guard case .notYet = await set.agreedBlock(5) else { return fail("must not be ready") }
    }

    @Test("a pinned read of a block that is another one now is not yet")
    func movedPin() async throws {
        grow()
        let set = try makeSet([FakeEndpoint("a", chain)])
        let pin = try await set.agreedBlock(9).get()
        chain.reorganise(to: 8)
        chain.mine([event(90)])
        guard case .notYet = await set.agreedLogs(LogFilter(addresses: [ramp]), 9...9, at: pin) else {
            return fail("must not be ready")
        }
        guard case .notYet = await set.agreedCalls([CallTarget(to: ramp, data: [])], at: pin) else {
            return fail("must not be ready")
        }
    }

    // MARK: Contracts

    @Test("contract reads decode in one batch, alone and by a quorum, and name what they called")
    func contracts() async throws {
        grow()
        let word = RPCAnswer.result(.data(U256(42).bytes))
        let endpoint = FakeEndpoint("a", chain, .init(overrides: ["eth_call": word]))
        let set = try makeSet([endpoint])
        let reader = ContractReader(set)
        let call = OffRampCalls.latestPriceSequenceNumber()
        #expect(try await reader.read(call, from: ramp) == 42)
        let pair = try await reader.together(
            BoundCall(call, from: ramp), BoundCall(OffRampCalls.merkleRoot(1, .zero), from: ramp))
        #expect(pair.0 == 42 && pair.1 == 42)
        #expect(try await reader.readAll([(call, ramp), (call, ramp)]).map { try $0.get() } == [42, 42])
        #expect(try await reader.agreed(call, from: ramp, at: chain.heads.finalized).get() == 42)
        endpoint.fail { $0.overrides = ["eth_call": .result("0x")] }
        do {
            _ = try await reader.read(call, from: ramp)
            Issue.record("no error")
        } catch {
            #expect(
                error.code == .malformedAnswer
                    && error.context["call"]?.contains("getLatestPriceSequenceNumber") == true)
        }
    }
}
