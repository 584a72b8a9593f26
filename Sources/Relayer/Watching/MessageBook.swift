// What one process knows of the messages of its lanes: sent, committed, executed. A value; who reads the chains and who
// stores it are elsewhere.

import CCIP
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

/// Messages by lane and number, roots by destination, execution states by lane and number. What finalized blocks say
/// stays; what newer blocks say is kept apart and goes with them.
package struct MessageBook: Sendable {
    package struct Lane: Sendable {
        package fileprivate(set) var messages: [UInt64: SentMessage] = [:]
        /// Highest number seen in a finalized block of the source; 0 before the first message.
        package fileprivate(set) var lastSent: UInt64 = 0
        /// Highest number under a root that was retired.
        package fileprivate(set) var lastRetired: UInt64 = 0
        package fileprivate(set) var executions: [UInt64: ExecutionEntry] = [:]
        package fileprivate(set) var tentative: [ExecutionEntry] = []
        package fileprivate(set) var roots: [RootEntry] = []
        package fileprivate(set) var tentativeRoots: [RootEntry] = []

        /// The newest word on a message.
        package func execution(_ number: UInt64) -> ExecutionEntry? {
            tentative.last { $0.number == number } ?? executions[number]
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
        guard var lane = lanes[key], lane.messages[number] == nil else { return false }
        lane.messages[number] = SentMessage(message: message, place: place)
        lane.lastSent = max(lane.lastSent, number)
        lanes[key] = lane
        remember(message.header.messageID, key, number)
        return true
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
        } else {
            lane.tentative.append(entry)
        }
        lanes[key] = lane
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
            lane.tentativeRoots.removeAll { $0.place.block > ancestor }
        }
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

    /// What the store held when the process started.
    package mutating func restore(lastSent: UInt64, lastRetired: UInt64, of key: LaneKey) {
        guard var lane = lanes[key] else { return }
        lane.lastRetired = lastRetired
        lane.lastSent = max(lastSent, lane.lastSent)
        lanes[key] = lane
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
