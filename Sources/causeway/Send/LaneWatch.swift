// Reads the two chains of a lane until the followed messages have come to their end, or the time is up.

import CCIP
import ChainAccess
import Ethereum
import Localnet

struct LaneWatch: Sendable {
    let source: BridgeChain
    let destination: BridgeChain
    /// When each message's transaction was submitted, in the order of the messages.
    let submittedAt: [ContinuousClock.Instant]
    /// The destination's head before the first was submitted.
    let startBlock: UInt64
    let deadline: ContinuousClock.Instant

    /// Feeds `follower` until it is done. Endpoints that fail are asked again.
    func follow(_ follower: inout MessageFollower, tell: (StageEvent) -> Void) async throws {
        var next = startBlock
        var finalized: UInt64?
        var complained = false
        while true {
            do {
                if finalized.map({ block in follower.messages.contains { $0.place.block > block } }) ?? true {
                    let head = try await source.endpoints.heads().finalized.number
                    follower.sawFinalized(head, now: now()).forEach(tell)
                    finalized = head
                }
                let latest = try await destination.endpoints.heads().latest.number
                if latest >= next {
                    for log in try await logs(next...latest) {
                        guard let meaning = try? OffRampEvents.decode(log.contractLog) else { continue }
                        let place = ChainPlace(transaction: log.transactionHash, block: log.blockNumber)
                        follower.saw(meaning, at: place, now: now()).forEach(tell)
                    }
                    next = latest + 1
                }
                if follower.isDone {
                    let lost = try await contradicted(follower)
                    if lost.isEmpty { return }
                    follower.forget(lost)
                    next = startBlock
                }
                complained = false
            } catch {
                if Task.isCancelled { throw error }
                // Two failures in a row are one to tell, when the time is up.
                if ContinuousClock.now >= deadline && complained { throw error }
                complained = true
            }
            guard ContinuousClock.now < deadline else { return }
            try await Task.sleep(for: .milliseconds(CommandLimits.pollMilliseconds))
        }
    }

    private func now() -> [Int] { submittedAt.map { $0.millisecondsAgo } }

    private func logs(_ range: ClosedRange<UInt64>) async throws(ChainAccessError) -> [ChainLog] {
        let topics = [OffRampEvents.commitReportAccepted.topic, OffRampEvents.executionStateChanged.topic]
        return try await destination.endpoints.logs(
            LogFilter(addresses: [destination.contracts.offRamp], topics: [topics]), range)
    }

    /// Those whose state at the OffRamp is not what the logs said.
    private func contradicted(_ follower: MessageFollower) async throws(ChainAccessError) -> Set<SequenceNumber> {
        let calls = follower.messages.map {
            (OffRampCalls.executionState(source.selector, $0.sequenceNumber), destination.contracts.offRamp)
        }
        var lost: Set<SequenceNumber> = []
        for (message, state) in zip(follower.messages, try await destination.reader.readAll(calls)) {
            // A failure may have become a success meanwhile, by hand; that is no contradiction.
            if try !state.get().isTouched { lost.insert(message.sequenceNumber) }
        }
        return lost
    }
}

extension ContinuousClock.Instant {
    var millisecondsAgo: Int {
        let (seconds, fraction) = (ContinuousClock.now - self).components
        return Int(seconds) * 1000 + Int(fraction / 1_000_000_000_000_000)
    }
}

extension ChainLog {
    var contractLog: ContractLog { ContractLog(address: log.address, topics: log.topics, data: log.data) }
}
