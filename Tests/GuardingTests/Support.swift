// A small world for a guard: lanes, messages made by the CCIP room, facts of a destination. Messages are encoded by the
// relayers' code on purpose: the guard must read them by its own.

import CCIP
import Ethereum
import TestSupport

@testable import CCIP
@testable import Guarding

struct World {
    static let source: ChainSelector = 16_015_286_601_757_825_753
    static let destination: ChainSelector = 945_045_181_441_419_236
    static let lane = GuardLane(source: source, destination: destination)
    static let onRamp = Address(truncating: U256(0xa1 as UInt64))
    static let offRamp = Address(truncating: U256(0xb2 as UInt64))
    static let remote = Address(truncating: U256(0xc3 as UInt64))
    static let pool = Address(truncating: U256(0xd4 as UInt64))
    static let signer = Address(truncating: U256(0xe5 as UInt64))
    static let chainID: UInt64 = 2_019_775

    static func configuration(
        limits: [GuardConfiguration.ValueLimit] = [], pools: [PoolAllowance] = [], curses: Bool = false
    ) throws -> GuardConfiguration {
        try GuardConfiguration(
            sources: [.init(selector: source, onRamp: onRamp)],
            destinations: [.init(selector: destination, chainID: chainID, offRamp: offRamp)], lanes: [lane],
            signer: signer, relayerCount: 4, limits: limits, pools: pools, graceMilliseconds: 1_000, cursesOnAnomaly: curses)
    }

    /// A message as an OnRamp emits it, with its id.
    static func message(_ number: UInt64, data: Bytes = [], amount: U256? = nil) -> EVM2AnyRampMessage {
        let tokens = amount.map { amount in
            [
                EVM2AnyTokenTransfer(
                    sourcePool: pool, destinationToken: signer.abiWord, extraData: U256(18 as UInt64).bytes,
                    amount: amount, destinationExecData: U256(90_000 as UInt64).bytes)
            ]
        }
        var message = EVM2AnyRampMessage(
            header: RampMessageHeader(
                messageID: MessageID(.zero), source: source, destination: destination,
                sequenceNumber: SequenceNumber(number), nonce: number), sender: signer, data: data,
            receiver: remote.abiWord,
            extraArgs: ExtraArgs.evmV2(gasLimit: U256(200_000 as UInt64), allowOutOfOrderExecution: false).encoded,
            feeToken: pool, feeTokenAmount: U256(7 as UInt64), feeValueJuels: U256(8 as UInt64),
            tokenAmounts: tokens ?? [])
        message.header.messageID = message.computedID(onRamp: onRamp)
        return message
    }

    static func log(_ message: EVM2AnyRampMessage) -> Log {
        Log(
            address: onRamp,
            topics: [
                MessageSentEvent.event.topic, Hash32(U256(message.header.destination.rawValue)),
                Hash32(U256(message.header.sequenceNumber.rawValue)),
            ],
            data: ABICodec.encode([message.abi], as: [EVM2AnyRampMessage.type]))
    }

    static func logs(_ messages: [EVM2AnyRampMessage]) -> [SourceLog] {
        messages.map { SourceLog(log: log($0), block: 10 + $0.header.sequenceNumber.rawValue) }
    }

    /// The relayers' leaf and root.
    static func leaf(_ message: EVM2AnyRampMessage) throws -> Hash32 {
        let lane = MessageLane(source: source, destination: destination, onRamp: onRamp)
        return try MessageValidation.leaf(of: message, lane: lane).leaf
    }

    static func root(_ messages: [EVM2AnyRampMessage]) throws -> MerkleRoot {
        MerkleRoot(
            source: source, onRamp: onRamp.abiWord, first: messages[0].header.sequenceNumber,
            last: messages[messages.count - 1].header.sequenceNumber,
            root: try MerkleTree(leaves: messages.map { try leaf($0) }).root)
    }

    static func facts(
        next: UInt64 = 1, cursed: [Bytes] = [], requiresBlessing: Bool = true, version: UInt32 = 1
    ) -> DestinationFacts {
        DestinationFacts(
            destination: destination, block: 50, rmnRemote: remote, homeDigest: Hash32(U256.one), configVersion: version,
            signers: [signer], cursedSubjects: cursed,
            sources: [
                source: .init(
                    isEnabled: true, requiresBlessing: requiresBlessing, nextNumber: next, onRamp: onRamp.abiWord)
            ])
    }

    static func request(_ roots: [MerkleRoot], id: Bytes = [1]) -> SignatureRequest {
        SignatureRequest(
            id: id, chainID: chainID, destination: destination, offRamp: offRamp, rmnRemote: remote,
            homeDigest: Hash32(U256.one), configVersion: 1, updates: roots)
    }

    static func executed(
        _ message: EVM2AnyRampMessage, state: MessageExecutionState = .success, block: UInt64 = 60, leaf: Hash32? = nil
    ) throws -> ExecutedMessage {
        ExecutedMessage(
            lane: lane, number: message.header.sequenceNumber.rawValue, messageID: message.header.messageID.hash,
            leaf: try leaf ?? Self.leaf(message), state: state, block: block, logIndex: 0)
    }

    /// A guard that has read these messages up to the finalized head.
    static func watching(_ messages: [EVM2AnyRampMessage], _ configuration: GuardConfiguration? = nil) throws -> Guard {
        var watcher = Guard(configuration: try configuration ?? Self.configuration())
        _ = watcher.handle(.head(source, finalized: 100, now: 1))
        let actions = watcher.handle(.sourceLogs(source, logs(messages), through: 100, now: 1))
        precondition(actions.allSatisfy { if case .keep = $0 { true } else { false } }, "\(actions)")
        return watcher
    }
}

extension [GuardAction] {
    var signatures: [RMNReportDigest] {
        compactMap { if case .sign(_, _, let digest) = $0 { digest } else { nil } }
    }
    var answers: [GuardAnswer] { compactMap { if case .answer(_, _, let answer) = $0 { answer } else { nil } } }
    var anomalies: [AnomalyKind] { compactMap { if case .alarm(let anomaly) = $0 { anomaly.kind } else { nil } } }
    var stops: [GuardStop] { compactMap { if case .raiseStop(let stop) = $0 { stop } else { nil } } }
    var refusalCodes: [RefusalCode] {
        answers.flatMap { answer -> [RefusalCode] in
            switch answer {
            case .refused(let lanes): lanes.map(\.code)
            case .refusedAll(let code, _): [code]
            case .waits: []
            }
        }
    }
}

extension Guard {
    /// A request, and the destination read right after it.
    mutating func ask(
        _ request: SignatureRequest, facts: DestinationFacts = World.facts(), from relayer: Int = 0, now: GuardTime = 10_000
    ) -> [GuardAction] {
        var actions = handle(.request(request, from: relayer, now: now))
        if actions == [.read(request.destination)] { actions = handle(.destination(facts, now: now)) }
        return actions
    }
}
