// What an OffRamp says in its logs, read by the guard's own words: accepted roots and executed messages (annex B).

import CCIP
import Ethereum

package enum DestinationLogs {
    private static let root = "(uint64,bytes,uint64,uint64,bytes32)[]"
    package static let commitAccepted = keccak256(
        text: "CommitReportAccepted(\(root),\(root),((address,uint224)[],(uint64,uint224)[]))")
    package static let executionChanged = keccak256(
        text: "ExecutionStateChanged(uint64,uint64,bytes32,bytes32,uint8,bytes,uint256)")

    /// Blessed roots first. Throws `foreignLog` for another event, `malformedLog`.
    package static func accepted(
        _ log: Log, on destination: ChainSelector, block: UInt64
    ) throws(GuardError) -> [AcceptedRoot] {
        guard log.topics == [commitAccepted] else { throw foreign(log) }
        let view = try WordView(log.data, "CommitReportAccepted")
        let roots = try roots(view, 0) + roots(view, 32)
        return roots.map { AcceptedRoot(destination: destination, root: $0, block: block) }
    }

    private static func roots(_ view: WordView, _ place: Int) throws(GuardError) -> [MerkleRoot] {
        let list = try view.target(place, from: 0)
        var roots: [MerkleRoot] = []
        for position in 0..<(try view.length(list)) {
            let start = try view.target(list + 32 + 32 * position, from: list + 32)
            roots.append(
                MerkleRoot(
                    source: ChainSelector(try view.number(start)), onRamp: try view.string(start + 32, from: start),
                    first: SequenceNumber(try view.number(start + 64)), last: SequenceNumber(try view.number(start + 96)),
                    root: Hash32(try view.word(start + 128))))
        }
        return roots
    }

    package static func executed(
        _ log: Log, on destination: ChainSelector, block: UInt64, logIndex: UInt64
    ) throws(GuardError) -> ExecutedMessage {
        guard log.topics.count == 4, log.topics[0] == executionChanged else { throw foreign(log) }
        let view = try WordView(log.data, "ExecutionStateChanged")
        guard let source = log.topics[1].word.asUInt64, let number = log.topics[2].word.asUInt64,
            let raw = UInt8(exactly: try view.number(32)), let state = MessageExecutionState(rawValue: raw)
        else { throw view.malformed("source, number or state are none") }
        return ExecutedMessage(
            lane: GuardLane(source: ChainSelector(source), destination: destination), number: number,
            messageID: log.topics[3], leaf: Hash32(try view.word(0)), state: state, block: block, logIndex: logIndex)
    }

    private static func foreign(_ log: Log) -> GuardError {
        GuardError(.foreignLog, "a log of \(log.address)", hint: "it is none of the events that are read")
    }
}
