// Which pool event belongs to which message, for pools of both versions, and what the report says of it.

import CCIP
import ChainAccess
import Ethereum
import Guarding
import JSONRPC
import Localnet
import Testing

@testable import CCIP
@testable import causeway

@Suite("supply from logs")
struct SupplyLedgerTests {
    static func account(_ number: UInt64) -> Address { Address(truncating: U256(number)) }
    static let (onRamp, offRamp) = (account(1), account(2))
    static let (sourcePool, destinationPool) = (account(3), account(4))
    let source: BridgeChain
    let destination: BridgeChain
    let pair: TokenPair

    init() throws {
        func chain(_ name: String, _ selector: ChainSelector) throws -> BridgeChain {
            var contracts = ChainContracts()
            contracts.onRamp = Self.onRamp
            contracts.offRamp = Self.offRamp
            return try BridgeChain(
                name: name, displayName: name, chainID: selector.rawValue, selector: selector,
                urls: [try EndpointURL.parse("http://127.0.0.1:1")], contracts: contracts, tokens: [], startBlock: 0)
        }
        source = try chain("a", 11)
        destination = try chain("b", 22)
        func end(_ chain: BridgeChain, _ pool: Address, _ type: String, _ decimals: Int) -> TokenEnd {
            TokenEnd(
                chain: chain, token: Self.account(9), symbol: "T", decimals: decimals, pool: pool, poolType: type,
                administrator: .zero, remotes: [])
        }
        pair = TokenPair(
            key: SupplyKey(lane: GuardLane(source: 11, destination: 22), sourcePool: Self.sourcePool),
            source: end(source, Self.sourcePool, "LockReleaseTokenPool 1.6.1", 18),
            destination: end(destination, Self.destinationPool, "BurnMintTokenPool 1.5.1", 6))
    }

    private func item(_ log: Log, _ transaction: UInt64, _ index: UInt64) -> ChainLog {
        ChainLog(
            log: log, blockNumber: transaction, blockHash: .zero, transactionHash: Hash32(U256(transaction)),
            transactionIndex: 0, logIndex: index)
    }

    private func pool(_ address: Address, _ topic: Hash32, _ indexed: [U256], _ amount: U256) -> Log {
        Log(address: address, topics: [topic] + indexed.map { Hash32($0) }, data: Bytes(repeating: 0, count: 64) + amount.bytes)
    }

    private func sent(_ number: UInt64, _ amount: U256) -> Log {
        var message = EVM2AnyRampMessage(
            header: RampMessageHeader(
                messageID: MessageID(.zero), source: 11, destination: 22, sequenceNumber: SequenceNumber(number), nonce: 0),
            sender: Self.account(5), data: [], receiver: Self.account(6).abiWord,
            extraArgs: ExtraArgs.evmV2(gasLimit: .one, allowOutOfOrderExecution: true).encoded, feeToken: Self.account(7),
            feeTokenAmount: .one, feeValueJuels: .one,
            tokenAmounts: [
                EVM2AnyTokenTransfer(
                    sourcePool: Self.sourcePool, destinationToken: Self.account(9).abiWord, extraData: [], amount: amount,
                    destinationExecData: U256(90_000 as UInt64).bytes)
            ])
        message.header.messageID = message.computedID(onRamp: Self.onRamp)
        return Log(
            address: Self.onRamp,
            topics: [MessageSentEvent.event.topic, Hash32(U256(22 as UInt64)), Hash32(U256(number))],
            data: ABICodec.encode([message.abi], as: [EVM2AnyRampMessage.type]))
    }

    private func executed(_ number: UInt64, _ state: MessageExecutionState) -> Log {
        Log(
            address: Self.offRamp,
            topics: [
                OffRampEvents.executionStateChanged.topic, Hash32(U256(11 as UInt64)), Hash32(U256(number)), Hash32(.one),
            ],
            data: ABICodec.encode(
                [.hash(.zero), .uint(UInt64(state.rawValue)), .bytes([]), .uint(1 as UInt64)],
                as: [.fixedBytes(32), .uint(8), .bytes, .uint(256)]))
    }

    private let unit = U256(1_000_000_000_000 as UInt64)

    private func ledger(_ arrivals: [ChainLog]) throws -> SupplyLedger {
        var ledger = SupplyLedger(pairs: [pair])
        // Two messages in one transaction, of a pool that names the chain and of one that does not; one that waits.
        let departures = [
            item(pool(Self.sourcePool, PoolEvents.lockedOrBurned, [U256(22 as UInt64)], unit * U256(5 as UInt64)), 1, 0),
            item(sent(1, unit * U256(5 as UInt64)), 1, 1),
            item(pool(Self.sourcePool, PoolEvents.taken[1], [Self.onRamp.word], unit * U256(7 as UInt64)), 1, 2),
            item(sent(2, unit * U256(7 as UInt64)), 1, 3),
            item(pool(Self.sourcePool, PoolEvents.taken[2], [Self.onRamp.word], unit), 2, 0), item(sent(3, unit), 2, 1),
        ]
        try ledger.departures(departures, of: source, balanceBlock: 1)
        try ledger.arrivals(arrivals, of: destination, balanceBlock: 9)
        return ledger
    }

    private func given(_ amount: UInt64, _ transaction: UInt64, _ index: UInt64, old: Bool) -> ChainLog {
        let indexed = old ? [Self.offRamp.word, Self.account(6).word] : [U256(11 as UInt64)]
        return item(pool(Self.destinationPool, PoolEvents.given[old ? 2 : 0], indexed, U256(amount)), transaction, index)
    }

    @Test("events of both pool versions find their message, in the decimals of each end")
    func balanced() throws {
        let ledger = try ledger([
            given(5, 5, 0, old: false), item(executed(1, .success), 5, 1), given(7, 5, 2, old: true),
            item(executed(2, .success), 5, 3), item(executed(3, .failure), 6, 0),
        ])
        let line = try #require(ledger.book.all.first?.line)
        #expect(ledger.book.all.count == 1 && line.verdict == .balanced)
        #expect(line.taken == unit * U256(13 as UInt64) && line.given == U256(12 as UInt64))
        #expect(line.inFlight == unit && line.messagesInFlight == 1)
        // Block 2 is above the block of the balance.
        #expect(ledger.mustHold(Self.sourcePool) == unit * U256(12 as UInt64))
        #expect(ledger.mustHold(Self.destinationPool) == .zero)
    }

    @Test("one unit too many, and a message that was never sent, are seen")
    func imbalances() throws {
        let excess = try ledger([given(6, 5, 0, old: false), item(executed(1, .success), 5, 1)])
        #expect(excess.book.all.first?.line.verdict == .excess(.one))
        let stranger = try ledger([given(5, 5, 0, old: true), item(executed(99, .success), 5, 1)])
        #expect(stranger.book.all.first?.line.verdict == .unknownMessage(99))
        let line = SupplyReport.Line(pair: pair, key: pair.key, line: try #require(excess.book.all.first?.line))
        let report = SupplyReport(lines: [line], pools: [], blocks: [])
        #expect(!report.isBalanced && report.text.contains("EXCESS: 0.000001") && report.text.contains("NOT BALANCED: 1"))
    }

    @Test("a silo must hold what is away on its chain, and nothing of another one's")
    func silos() throws {
        let ledger = try ledger([given(5, 5, 0, old: false), item(executed(1, .success), 5, 1)])
        #expect(ledger.mustHold(Self.sourcePool, for: 22) == unit * U256(12 as UInt64))
        #expect(ledger.mustHold(Self.sourcePool, for: 23) == .zero)
        #expect(ledger.mustHold(Self.destinationPool, for: 11) == .zero, "it gave, and took nothing")
    }
}
