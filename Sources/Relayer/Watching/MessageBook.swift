// What one process knows of the messages of its lanes: sent, committed, executed. A value; who reads the chains and who
// stores it are elsewhere.

import CCIP
import ChainAccess
import Ethereum
import Storage

/// Direction in which messages go.
package struct LaneKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let source: ChainSelector
    package let destination: ChainSelector

    package init(source: ChainSelector, destination: ChainSelector) {
        self.source = source
        self.destination = destination
    }

    package static func < (a: LaneKey, b: LaneKey) -> Bool { (a.source, a.destination) < (b.source, b.destination) }
    package var description: String { "\(source) -> \(destination)" }
}

package struct SentMessage: Sendable, Equatable {
    package var message: EVM2AnyRampMessage
    package var place: Place
}

package struct RootEntry: Sendable, Equatable {
    package var root: MerkleRoot
    package var place: Place
    package var isFinal: Bool
}

package struct ExecutionEntry: Sendable, Equatable {
    package var source: ChainSelector
    package var number: UInt64
    package var messageID: MessageID
    package var state: MessageExecutionState
    /// Raw revert data of a failure.
    package var returnData: Bytes
    package var place: Place
    package var isFinal: Bool
}

extension ExecutionEntry {
    init(_ change: ExecutionStateChange, at place: Place, isFinal: Bool) {
        self.init(
            source: change.source, number: change.sequenceNumber.rawValue, messageID: change.messageID,
            state: change.state, returnData: change.returnData, place: place, isFinal: isFinal)
    }

    init?(_ row: ExecutionRow) {
        guard let state = MessageExecutionState(rawValue: row.state) else { return nil }
        self.init(
            source: ChainSelector(row.source), number: row.sequence, messageID: MessageID(row.messageID), state: state,
            returnData: row.returnData, place: row.place, isFinal: row.finalized)
    }
}

extension MessageBook {
    /// Something that the contracts passed over in an execution report.
    package struct Skip: Sendable, Equatable {
        package enum Kind: Sendable, Equatable {
            /// The NonceManager expected another nonce of this sender (its 32 bytes).
            case incorrectNonce(UInt64, Bytes)
            case alreadyExecuted(UInt64)
            case alreadyAttempted(UInt64)
            /// A whole report, because its source is cursed.
            case cursedReport

            package var name: String {
                switch self {
                case .incorrectNonce: "incorrect_nonce"
                case .alreadyExecuted: "already_executed"
                case .alreadyAttempted: "already_attempted"
                case .cursedReport: "cursed_report"
                }
            }
        }

        package var kind: Kind
        package var place: Place
    }
}

/// Messages by lane and number, roots by destination, execution states by lane and number. What finalized blocks say
/// stays; what newer blocks say is kept apart and goes with them.
///
/// Of messages that no root covers only the first `Limits.messagesPerLaneMaximum` are held: a destination that stands
/// still must not fill the memory. The others are left in the store, and paged in as roots move on.
package struct MessageBook: Sendable {
    package struct Lane: Sendable {
        package fileprivate(set) var messages: [UInt64: SentMessage] = [:]
        /// Highest number seen in a finalized block of the source; 0 before the first message.
        package fileprivate(set) var lastSent: UInt64 = 0
        /// Highest number under a root that was retired.
        package fileprivate(set) var lastRetired: UInt64 = 0
        /// The first number whose message may be in the store only; nil when all that were seen are held.
        package fileprivate(set) var storedFrom: UInt64?
        /// Numbers whose log is not what it must be, with the reason: no root can go past them.
        package fileprivate(set) var refused: [UInt64: String] = [:]
        package fileprivate(set) var executions: [UInt64: ExecutionEntry] = [:]
        /// What the OffRamp said when asked, of messages whose logs are further back than what is followed, or missing.
        package fileprivate(set) var learned: [UInt64: ExecutionEntry] = [:]
        package fileprivate(set) var tentative: [ExecutionEntry] = []
        package fileprivate(set) var roots: [RootEntry] = []
        package fileprivate(set) var tentativeRoots: [RootEntry] = []
        /// The newest of each kind and message, oldest first.
        package fileprivate(set) var skips: [Skip] = []

        /// The newest word on a message.
        package func execution(_ number: UInt64) -> ExecutionEntry? {
            tentative.last { $0.number == number } ?? executions[number] ?? learned[number]
        }

        /// The newest time that the contracts passed over a message.
        package func skip(_ number: UInt64) -> Skip? {
            let sent = messages[number]?.message
            return skips.last { skip in
                switch skip.kind {
                case .incorrectNonce(let nonce, let sender):
                    sent?.header.nonce == nonce && sent?.sender.abiWord == sender
                case .alreadyExecuted(let other), .alreadyAttempted(let other): other == number
                case .cursedReport: root(covering: number).map { $0.place.block <= skip.place.block } ?? false
                }
            }
        }

        /// Highest number that a root covers.
        package var frontier: UInt64 {
            max(lastRetired, roots.map(\.root.last.rawValue).max() ?? 0, tentativeRoots.map(\.root.last.rawValue).max() ?? 0)
        }

        /// The last number that is held of those that wait for a root.
        fileprivate var windowEnd: UInt64 {
            let (end, overflow) = frontier.addingReportingOverflow(UInt64(Limits.messagesPerLaneMaximum))
            return overflow ? .max : end
        }

        /// Held, or left in the store; what a root covers is held.
        package func isSeen(_ number: UInt64) -> Bool {
            if messages[number] != nil { return true }
            guard let storedFrom, storedFrom <= number, number <= lastSent else { return false }
            return number > frontier
        }

        package func root(covering number: UInt64) -> RootEntry? {
            (roots + tentativeRoots).first { $0.root.covers(number) }
        }

        /// Roots with a message that no finalized block calls touched.
        package var openRoots: [RootEntry] { roots + tentativeRoots }
    }

    package private(set) var lanes: [LaneKey: Lane] = [:]
    private var numbers: [MessageID: (lane: LaneKey, number: UInt64)] = [:]
    private var numbersOrder: [MessageID] = []

    package init(lanes keys: [LaneKey]) {
        for key in keys { lanes[key] = Lane() }
    }

    package func lane(_ key: LaneKey) -> Lane { lanes[key] ?? Lane() }

    package func find(_ id: MessageID) -> (lane: LaneKey, number: UInt64)? { numbers[id] }

    // MARK: Source

    /// A message of a finalized block. False when it was known.
    @discardableResult
    package mutating func sent(_ message: EVM2AnyRampMessage, at place: Place) -> Bool {
        let key = LaneKey(source: message.header.source, destination: message.header.destination)
        let number = message.header.sequenceNumber.rawValue
        guard let lane = lanes[key], !lane.isSeen(number) else { return false }
        // In place from here on: a second reference to the lane would copy its messages.
        lanes[key]?.refused[number] = nil
        lanes[key]?.lastSent = max(lane.lastSent, number)
        remember(message.header.messageID, key, number)
        let stored = lane.storedFrom ?? .max
        if number <= lane.frontier {
            let isOver = number <= lane.lastRetired && lane.root(covering: number) == nil
            if !isOver { hold(message, at: place, key) }
        } else if number > lane.windowEnd || number >= stored {
            lanes[key]?.storedFrom = min(stored, number)
        } else {
            hold(message, at: place, key)
        }
        return true
    }

    private mutating func hold(_ message: EVM2AnyRampMessage, at place: Place, _ key: LaneKey) {
        lanes[key]?.messages[message.header.sequenceNumber.rawValue] = SentMessage(message: message, place: place)
    }

    // MARK: Paging

    /// Numbers under a root that are not held; nil when all are, or when the root is none that a contract would take.
    package func absent(under root: MerkleRoot, of key: LaneKey) -> ClosedRange<UInt64>? {
        guard let lane = lanes[key], root.allNumbers({ _ in true }),
            !root.allNumbers({ lane.messages[$0] != nil })
        else { return nil }
        return root.first.rawValue...root.last.rawValue
    }

    /// Numbers that should come from the store now. Nil while at least half of the window is filled, or nothing is
    /// left there.
    package func wanted(of key: LaneKey) -> ClosedRange<UInt64>? {
        guard let lane = lanes[key], let stored = lane.storedFrom else { return nil }
        let end = min(lane.windowEnd, lane.lastSent)
        guard stored <= end, end == lane.lastSent || stored - 1 <= lane.windowEnd - UInt64(Limits.messagesPerLaneMaximum / 2)
        else { return nil }
        let first = max(stored, lane.frontier + 1)
        return first <= end ? first...end : nil
    }

    /// Rows of the store for `wanted`, or for `absent` (`through` nil).
    package mutating func paged(
        _ rows: [(message: EVM2AnyRampMessage, place: Place)], through end: UInt64?, of key: LaneKey
    ) {
        for row in rows {
            hold(row.message, at: row.place, key)
            remember(row.message.header.messageID, key, row.message.header.sequenceNumber.rawValue)
        }
        guard let end, let lane = lanes[key] else { return }
        lanes[key]?.storedFrom = end < lane.lastSent ? end + 1 : nil
    }

    /// A log of this number that cannot be believed.
    package mutating func refused(_ number: UInt64, _ reason: String, of key: LaneKey) {
        guard var lane = lanes[key], lane.messages[number] == nil, lane.refused.count < Limits.messagesPerLaneMaximum
        else { return }
        lane.refused[number] = reason
        lanes[key] = lane
    }

    // MARK: Destination

    /// Returns the roots that were not known as final before.
    @discardableResult
    package mutating func committed(
        _ root: MerkleRoot, on destination: ChainSelector, at place: Place, isFinal: Bool
    ) -> Bool {
        let key = LaneKey(source: root.source, destination: destination)
        guard var lane = lanes[key] else { return false }
        let entry = RootEntry(root: root, place: place, isFinal: isFinal)
        defer { lanes[key] = lane }
        guard !lane.roots.contains(where: { $0.root == root }) else { return false }
        if isFinal {
            lane.tentativeRoots.removeAll { $0.root == root }
            lane.roots.append(entry)
            return true
        }
        guard !lane.tentativeRoots.contains(where: { $0.root == root }) else { return false }
        lane.tentativeRoots.append(entry)
        return true
    }

    package mutating func executed(_ entry: ExecutionEntry, on destination: ChainSelector) {
        let key = LaneKey(source: entry.source, destination: destination)
        guard var lane = lanes[key] else { return }
        if entry.isFinal {
            lane.executions[entry.number] = entry
            lane.learned[entry.number] = nil
        } else {
            lane.tentative.append(entry)
        }
        lanes[key] = lane
    }

    /// False when it was known, or belongs to no lane of ours. The same log comes unfinalized and finalized.
    @discardableResult
    package mutating func skipped(_ skip: Skip, _ key: LaneKey) -> Bool {
        guard var lane = lanes[key], !lane.skips.contains(skip) else { return false }
        lane.skips.removeAll { $0.kind == skip.kind }
        lane.skips.append(skip)
        if lane.skips.count > Limits.skipsMaximum { lane.skips.removeFirst() }
        lanes[key] = lane
        return true
    }

    /// Finalized up to here: what was tentative at or below is either confirmed by now or gone.
    package mutating func finalized(_ destination: ChainSelector, through block: UInt64) {
        edit(destination) { lane in
            lane.tentative.removeAll { $0.place.block <= block }
            lane.tentativeRoots.removeAll { $0.place.block <= block }
        }
    }

    /// Blocks above `ancestor` are gone.
    package mutating func reorganised(_ destination: ChainSelector, above ancestor: UInt64) {
        edit(destination) { lane in
            lane.tentative.removeAll { $0.place.block > ancestor }
            lane.skips.removeAll { $0.place.block > ancestor }
            lane.tentativeRoots.removeAll { $0.place.block > ancestor }
            lane.learned = lane.learned.filter { $0.value.place.block <= ancestor }
        }
    }

    /// States that were asked for at `block`; an untouched one takes back what was learned before.
    package mutating func learned(
        _ states: [UInt64: MessageExecutionState], of key: LaneKey, at block: BlockReference
    ) {
        guard var lane = lanes[key] else { return }
        for (number, state) in states {
            guard state.isTouched, lane.executions[number] == nil,
                let id = lane.messages[number]?.message.header.messageID
            else {
                lane.learned[number] = nil
                continue
            }
            // The first block at which it was seen: its log cannot be above that one.
            guard lane.learned[number]?.state != state else { continue }
            let place = Place(
                block: block.number, blockHash: block.hash, transaction: .zero, logIndex: 0, timestamp: block.timestamp)
            lane.learned[number] = ExecutionEntry(
                source: key.source, number: number, messageID: id, state: state, returnData: [], place: place,
                isFinal: false)
        }
        lanes[key] = lane
    }

    private mutating func edit(_ destination: ChainSelector, _ change: (inout Lane) -> Void) {
        for key in lanes.keys.sorted() where key.destination == destination {
            guard var lane = lanes[key] else { continue }
            change(&lane)
            lanes[key] = lane
        }
    }

    // MARK: Forgetting

    /// Takes out final roots of which every message is finally touched, with their messages. Returns them.
    package mutating func retireFinished(_ destination: ChainSelector) -> [RootEntry] {
        var finished: [RootEntry] = []
        edit(destination) { lane in
            let (done, open) = lane.roots.partitioned { entry in
                entry.root.allNumbers { lane.executions[$0]?.state == .success }
            }
            lane.roots = open
            for entry in done {
                lane.lastRetired = max(lane.lastRetired, entry.root.last.rawValue)
                for number in entry.root.first.rawValue...entry.root.last.rawValue {
                    lane.messages[number] = nil
                    lane.executions[number] = nil
                    lane.learned[number] = nil
                }
            }
            finished += done
        }
        return finished
    }

    private mutating func remember(_ id: MessageID, _ lane: LaneKey, _ number: UInt64) {
        guard numbers.updateValue((lane, number), forKey: id) == nil else { return }
        numbersOrder.append(id)
        guard numbersOrder.count > Limits.storiesMaximum else { return }
        numbers[numbersOrder.removeFirst()] = nil
    }

    // MARK: Restoring

    /// What the store held when the process started: messages stay there until `wanted` asks for them.
    package mutating func restore(lastSent: UInt64, lastRetired: UInt64, of key: LaneKey) {
        guard let lane = lanes[key] else { return }
        lanes[key]?.lastRetired = lastRetired
        lanes[key]?.lastSent = max(lastSent, lane.lastSent)
        if lastSent > lastRetired { lanes[key]?.storedFrom = lastRetired + 1 }
    }
}

extension MerkleRoot {
    func covers(_ number: UInt64) -> Bool { first.rawValue <= number && number <= last.rawValue }

    func allNumbers(_ holds: (UInt64) -> Bool) -> Bool {
        first <= last && last.rawValue - first.rawValue < 256 && (first.rawValue...last.rawValue).allSatisfy(holds)
    }
}

extension Array {
    /// Those that satisfy first, the others second, each in order.
    func partitioned(_ satisfies: (Element) -> Bool) -> (yes: [Element], no: [Element]) {
        var yes: [Element] = []
        var no: [Element] = []
        for element in self {
            if satisfies(element) { yes.append(element) } else { no.append(element) }
        }
        return (yes, no)
    }
}
