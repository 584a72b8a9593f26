// Follows messages of one lane through their stages: what is seen of the chains goes in, what happened comes out. Pure;
// the loop that reads the chains stands in LaneWatch.swift.

import CCIP
import Ethereum

/// Where a message is. `failed`: executed without success, ready for manual execution.
enum MessageStage: String, Sendable, Comparable, CaseIterable {
    case sent
    case finalized
    case committed
    case failed
    case executed

    static func < (a: MessageStage, b: MessageStage) -> Bool {
        (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
    }

    var isEnd: Bool { self == .failed || self == .executed }
}

/// Where in a chain something was seen.
struct ChainPlace: Sendable, Equatable {
    let transaction: Hash32
    let block: UInt64
}

/// One message under way.
struct FollowedMessage: Sendable, Equatable {
    struct Execution: Sendable, Equatable {
        let place: ChainPlace
        let isSuccess: Bool
        let gasUsed: U256
        /// Revert data of a failure, read; nil after success.
        let explanation: RevertExplanation?

        var reason: String? { explanation?.text }
    }

    let id: MessageID
    let sequenceNumber: SequenceNumber
    let nonce: UInt64
    let place: ChainPlace
    /// Milliseconds since the submission of its transaction.
    var sentMilliseconds: Int
    var finalizedMilliseconds: Int?
    var committedMilliseconds: Int?
    var executedMilliseconds: Int?
    var commit: ChainPlace?
    var root: Hash32?
    var execution: Execution?

    init(
        id: MessageID, sequenceNumber: SequenceNumber, nonce: UInt64, place: ChainPlace, sentMilliseconds: Int
    ) {
        self.id = id
        self.sequenceNumber = sequenceNumber
        self.nonce = nonce
        self.place = place
        self.sentMilliseconds = sentMilliseconds
    }

    var stage: MessageStage {
        if let execution { return execution.isSuccess ? .executed : .failed }
        if commit != nil { return .committed }
        return finalizedMilliseconds == nil ? .sent : .finalized
    }

    var json: JSON {
        func number(_ value: Int?) -> JSON { value.map { .integer($0) } ?? .null }
        return [
            "messageId": .string(id.description), "sequenceNumber": .integer(sequenceNumber.rawValue),
            "nonce": .integer(nonce), "transaction": .hash(place.transaction), "block": .integer(place.block),
            "stage": .string(stage.rawValue),
            "milliseconds": [
                "sent": .integer(sentMilliseconds), "finalized": number(finalizedMilliseconds),
                "committed": number(committedMilliseconds), "executed": number(executedMilliseconds),
            ],
            "commit": commit.map { commit in
                [
                    "transaction": .hash(commit.transaction), "block": .integer(commit.block),
                    "root": root.map { .hash($0) } ?? .null,
                ]
            } ?? .null,
            "execution": execution.map { execution in
                [
                    "transaction": .hash(execution.place.transaction), "block": .integer(execution.place.block),
                    "state": .string(execution.isSuccess ? "success" : "failure"),
                    "gasUsed": .string(execution.gasUsed.decimal),
                    "reason": execution.reason.map { .string($0) } ?? .null,
                    "errors": .array((execution.explanation?.errors ?? []).map { .string($0) }),
                    "hint": execution.explanation?.hint ?? .null,
                ]
            } ?? .null,
        ]
    }
}

/// One step of one message, for people.
struct StageEvent: Sendable, Equatable {
    let id: MessageID
    let stage: MessageStage
    let milliseconds: Int
    let place: ChainPlace
    /// Of a failure; nil otherwise.
    let explanation: RevertExplanation?
}

struct MessageFollower: Sendable {
    let source: ChainSelector
    private(set) var messages: [FollowedMessage]

    init(source: ChainSelector, messages: [FollowedMessage]) {
        self.source = source
        self.messages = messages
    }

    var isDone: Bool { messages.allSatisfy { $0.stage.isEnd } }

    /// The least stage of all; failed when one failed and none is under way.
    var stage: MessageStage {
        let open = messages.map(\.stage).filter { !$0.isEnd }
        if let least = open.min() { return least }
        return messages.contains { $0.stage == .failed } ? .failed : .executed
    }

    /// The source chain has finalized its blocks up to `block`; `now[i]` are the milliseconds of message i.
    mutating func sawFinalized(_ block: UInt64, now: [Int]) -> [StageEvent] {
        var events: [StageEvent] = []
        for index in messages.indices
        where messages[index].finalizedMilliseconds == nil && messages[index].place.block <= block {
            messages[index].finalizedMilliseconds = now[index]
            events.append(event(index, .finalized, now[index], messages[index].place))
        }
        return events
    }

    /// A log of the destination's OffRamp. A message may be seen executed before it is seen committed.
    mutating func saw(_ log: OffRampLog, at place: ChainPlace, now: [Int]) -> [StageEvent] {
        switch log {
        case .commitReportAccepted(let report):
            return report.roots.filter { $0.source == source }.flatMap { sawRoot($0, place, now) }
        case .executionStateChanged(let change) where change.source == source:
            return sawExecution(change, place, now)
        default: return []
        }
    }

    private mutating func sawRoot(_ root: MerkleRoot, _ place: ChainPlace, _ now: [Int]) -> [StageEvent] {
        var events: [StageEvent] = []
        for index in messages.indices
        where messages[index].commit == nil && root.first <= messages[index].sequenceNumber
            && messages[index].sequenceNumber <= root.last
        {
            // A committed message is final on its source, whether that was seen or not.
            if messages[index].finalizedMilliseconds == nil {
                messages[index].finalizedMilliseconds = now[index]
                events.append(event(index, .finalized, now[index], messages[index].place))
            }
            messages[index].commit = place
            messages[index].root = root.root
            messages[index].committedMilliseconds = now[index]
            events.append(event(index, .committed, now[index], place))
        }
        return events
    }

    private mutating func sawExecution(
        _ change: ExecutionStateChange, _ place: ChainPlace, _ now: [Int]
    ) -> [StageEvent] {
        guard change.state == .success || change.state == .failure,
            let index = messages.firstIndex(where: {
                $0.sequenceNumber == change.sequenceNumber && $0.id == change.messageID
            }), messages[index].execution?.isSuccess != true
        else { return [] }
        let isSuccess = change.state == .success
        let explanation = isSuccess ? nil : RevertExplanation(change.returnData)
        messages[index].execution = FollowedMessage.Execution(
            place: place, isSuccess: isSuccess, gasUsed: change.gasUsed, explanation: explanation)
        messages[index].executedMilliseconds = now[index]
        return [event(index, isSuccess ? .executed : .failed, now[index], place, explanation)]
    }

    private func event(
        _ index: Int, _ stage: MessageStage, _ milliseconds: Int, _ place: ChainPlace,
        _ explanation: RevertExplanation? = nil
    ) -> StageEvent {
        StageEvent(
            id: messages[index].id, stage: stage, milliseconds: milliseconds, place: place, explanation: explanation)
    }

    /// The chain does not say what its logs said: a block went away. What was seen of these messages is forgotten.
    mutating func forget(_ numbers: Set<SequenceNumber>) {
        for index in messages.indices where numbers.contains(messages[index].sequenceNumber) {
            messages[index].commit = nil
            messages[index].root = nil
            messages[index].committedMilliseconds = nil
            messages[index].execution = nil
            messages[index].executedMilliseconds = nil
        }
    }
}
