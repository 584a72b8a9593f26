// From the logs of both ends of every lane to the accounts of Guarding: which pool event belongs to which message. Pure.

import CCIP
import ChainAccess
import Ethereum
import Guarding
import Localnet

/// Events by which pools say what they took and gave, of 1.6.1 and 1.5.1. The amount is the last word of the data.
enum PoolEvents {
    static let lockedOrBurned = keccak256(text: "LockedOrBurned(uint64,address,address,uint256)")
    static let releasedOrMinted = keccak256(text: "ReleasedOrMinted(uint64,address,address,address,uint256)")
    static let taken = [
        lockedOrBurned, keccak256(text: "Locked(address,uint256)"), keccak256(text: "Burned(address,uint256)"),
    ]
    static let given = [
        releasedOrMinted, keccak256(text: "Released(address,address,uint256)"),
        keccak256(text: "Minted(address,address,uint256)"),
    ]

    static func amount(_ log: Log) -> U256? {
        log.data.count >= 32 ? U256(bigEndianBytes: log.data.suffix(32)) : nil
    }
}

/// The two ends of one token on one lane.
struct TokenPair: Sendable {
    let key: SupplyKey
    let source: TokenEnd
    let destination: TokenEnd

    /// Every pair of a network whose registries know both ends.
    static func all(_ tokens: [TokenEnd]) -> [TokenPair] {
        tokens.flatMap { end in
            end.remotes.compactMap { remote in
                TokensCommand.other(remote, tokens).map { other in
                    TokenPair(
                        key: SupplyKey(
                            lane: GuardLane(source: end.chain.selector, destination: remote.selector), sourcePool: end.pool),
                        source: end, destination: other)
                }
            }
        }
    }
}

struct SupplyLedger: Sendable {
    let pairs: [TokenPair]
    private(set) var book = SupplyBook()
    /// By pool: what it took and gave in blocks up to the one at which its balance is read.
    private(set) var holdings: [Address: (taken: U256, given: U256)] = [:]
    /// The same by pool and remote chain, for pools with silos.
    private var silos: [SiloKey: (taken: U256, given: U256)] = [:]

    private struct SiloKey: Hashable {
        let pool: Address
        let remote: ChainSelector
    }

    init(pairs: [TokenPair]) {
        self.pairs = pairs
        for pair in pairs {
            book.know(
                pair.key,
                SupplyDecimals(
                    source: UInt8(clamping: pair.source.decimals), destination: UInt8(clamping: pair.destination.decimals)))
        }
    }

    /// Logs of the OnRamp and the pools of one chain, in their order. `balanceBlock`: see `holdings`.
    mutating func departures(_ logs: [ChainLog], of chain: BridgeChain, balanceBlock: UInt64) throws {
        // Walked from the end: a pool's event belongs to the message that follows it in its transaction.
        var message: (transaction: Hash32, lane: GuardLane)?
        for item in logs.reversed() {
            if item.log.address == chain.contracts.onRamp, item.log.topics.first == DerivedMessage.topic {
                // Messages to chains without a token of ours carry nothing that is counted here.
                guard item.log.topics.count > 1, let remote = item.log.topics[1].word.asUInt64,
                    pairs.contains(where: {
                        $0.key.lane == GuardLane(source: chain.selector, destination: ChainSelector(remote))
                    })
                else {
                    message = nil
                    continue
                }
                let derived = try DerivedMessage(
                    log: item.log, block: item.blockNumber, onRamp: chain.contracts.onRamp, source: chain.selector)
                message = (item.transactionHash, derived.lane)
                for amount in derived.amounts {
                    book.sent(
                        SupplyTransfer(
                            key: SupplyKey(lane: derived.lane, sourcePool: amount.pool), number: derived.number,
                            amount: amount.amount))
                }
                continue
            }
            guard let topic = item.log.topics.first, PoolEvents.taken.contains(topic), let amount = PoolEvents.amount(item.log)
            else { continue }
            var lane = message?.transaction == item.transactionHash ? message?.lane : nil
            if topic == PoolEvents.lockedOrBurned, item.log.topics.count > 1, let remote = item.log.topics[1].word.asUInt64 {
                lane = GuardLane(source: chain.selector, destination: ChainSelector(remote))
            }
            hold(item, amount, remote: lane?.destination, isTaken: true, balanceBlock)
            if let lane { book.taken(SupplyKey(lane: lane, sourcePool: item.log.address), amount) }
        }
    }

    /// Logs of the OffRamp and the pools of one chain, in their order, after the departures of every chain.
    mutating func arrivals(_ logs: [ChainLog], of chain: BridgeChain, balanceBlock: UInt64) throws {
        var executed: (transaction: Hash32, message: ExecutedMessage)?
        for item in logs.reversed() {
            if item.log.address == chain.contracts.offRamp, item.log.topics.first == DestinationLogs.executionChanged {
                let message = try DestinationLogs.executed(
                    item.log, on: chain.selector, block: item.blockNumber, logIndex: item.logIndex)
                executed = (item.transactionHash, message)
                if message.state == .success { book.arrived(message.lane, message.number) }
                continue
            }
            guard let topic = item.log.topics.first, PoolEvents.given.contains(topic), let amount = PoolEvents.amount(item.log)
            else { continue }
            let isOurs = executed?.transaction == item.transactionHash
            hold(item, amount, remote: isOurs ? executed?.message.lane.source : nil, isTaken: false, balanceBlock)
            guard let executed, isOurs else { continue }
            give(item.log.address, amount, executed.message, chain)
        }
    }

    /// To the token of the message whose other end this pool is.
    private mutating func give(_ pool: Address, _ amount: U256, _ message: ExecutedMessage, _ chain: BridgeChain) {
        let here = pairs.filter { $0.key.lane == message.lane && $0.destination.pool == pool }.map(\.key)
        let carried = book.carries(message.lane, message.number).map(\.key)
        if let key = carried.first(where: here.contains) ?? carried.first {
            book.given(key, amount)
        } else if let key = here.first {
            book.given(key, amount)
            book.stranger(key, message.number)
        }
    }

    private mutating func hold(
        _ item: ChainLog, _ amount: U256, remote: ChainSelector?, isTaken: Bool, _ balanceBlock: UInt64
    ) {
        guard item.blockNumber <= balanceBlock else { return }
        func add(_ holding: inout (taken: U256, given: U256)) {
            if isTaken { holding.taken = holding.taken &+ amount } else { holding.given = holding.given &+ amount }
        }
        add(&holdings[item.log.address, default: (.zero, .zero)])
        if let remote { add(&silos[SiloKey(pool: item.log.address, remote: remote), default: (.zero, .zero)]) }
    }

    /// What a locking pool must hold at `balanceBlock`; liquidity from outside may make it more.
    func mustHold(_ pool: Address) -> U256 { Self.rest(holdings[pool]) }

    /// What the silo of one chain must hold.
    func mustHold(_ pool: Address, for remote: ChainSelector) -> U256 {
        Self.rest(silos[SiloKey(pool: pool, remote: remote)])
    }

    private static func rest(_ holding: (taken: U256, given: U256)?) -> U256 {
        guard let holding, holding.taken > holding.given else { return .zero }
        return holding.taken &- holding.given
    }
}
