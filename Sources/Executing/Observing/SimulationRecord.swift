// What the simulations of one message said, and when to ask again: no verdict is for ever, because what made the
// message revert may change on chain (a pool, a rate limit, a token).

import CCIP
import Ethereum

/// What a simulation of one message alone said (`ExecuteObserver.singleReport`).
package enum SimulationVerdict: Hashable, Sendable {
    case delivers
    /// The message would be recorded as failed: still to be delivered, 4.9. `since`: milliseconds of this process.
    case fails(returnData: Bytes, since: UInt64)
    /// `InsufficientGasToCompleteTx` at the largest gas limit allowed, by an endpoint that took the whole limit:
    /// executing it would spend its only attempt.
    case shortOfGas
    /// The whole transaction reverts because of this message; it would take the others with it.
    case reverts(String)

    /// Whether the message is left out of reports while this stands.
    var holdsBack: Bool {
        switch self {
        case .shortOfGas, .reverts: true
        case .delivers, .fails: false
        }
    }
}

package struct SimulationRecord: Hashable, Sendable {
    package let verdict: SimulationVerdict
    /// Destination block at or after which it was simulated last.
    package let block: UInt64
    /// Milliseconds of this process: of the first simulation in the row that said so, and of the last.
    package let since: UInt64
    package let last: UInt64
    /// Simulations in a row that held the message back.
    package let attempts: Int

    package init(_ verdict: SimulationVerdict, block: UInt64 = 0, at now: UInt64 = 0, after former: SimulationRecord? = nil) {
        self.verdict = verdict
        self.block = block
        last = now
        let goesOn = former.map { $0.verdict.holdsBack && verdict.holdsBack } ?? false
        since = goesOn ? former?.since ?? now : now
        attempts = goesOn ? (former?.attempts ?? 0) + 1 : 1
    }

    /// Destination blocks until the message is simulated again: 1, 2, 4 ... 64.
    package var pauseBlocks: UInt64 { 1 << UInt64(min(max(attempts, 1) - 1, Limits.simulationPauseDoublings)) }

    /// Whether to simulate again. Chains with a block for each transaction are held to the clock as well.
    package func isDue(block now: UInt64, at milliseconds: UInt64) -> Bool {
        guard verdict.holdsBack else { return false }
        return now >= block &+ pauseBlocks && milliseconds >= last &+ Limits.simulationPauseMilliseconds
    }
}
