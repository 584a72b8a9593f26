// Why a message is where it is: named reasons that `causeway show` explains. Every message that is not executed has
// exactly one of them. Nothing decides here; see LocalView and ReportBuilder.

import CCIP
import Ethereum

/// The stage of one message at its destination, as one relayer sees it.
package enum ExecutionStanding: Hashable, Sendable {
    // Done.
    case executed
    /// Recorded as failed: relayers have had their one attempt. Manual execution only, never retried by the cluster.
    case failedOnChain(returnData: Bytes)

    // On the way.
    /// All checks pass here: the next round takes it.
    case ready
    /// In a report of an agreed outcome; not reported again before this time (milliseconds of this process).
    case inFlight(untilMilliseconds: UInt64)
    /// Ready, but the last report was full.
    case waitsForRoom

    // Waiting for a chain, an endpoint or other oracles.
    case notCommitted
    case stateUnread
    case messageUnread
    case nonceUnread
    case curseUnread
    /// The cluster has too few equal votes for what the verdict names.
    case notAgreed(ClusterVerdict)
    case executing

    // Waiting for something outside the relayers.
    /// Ordered sender: the message with this nonce comes first.
    case waitsForPredecessor(nonce: UInt64)
    case tokenDataNotReady(token: Int, reason: String)
    case sourceCursed
    case destinationCursed
    case sourceDisabled
    /// The receiver reverts in simulation; delivered nevertheless after this time, because failing is a delivery.
    case receiverFails(untilMilliseconds: UInt64)
    case wrongInstance
    /// Transactions of this relayer with it came to nothing more than once in a row, or a batch with it did.
    case attemptFailed(untilMilliseconds: UInt64)
    /// It makes the whole transaction revert; simulated again every few blocks.
    case simulationReverts(String)

    // Never by the cluster.
    case tooMuchGas
    case tooLarge
    case beyondHorizon
    case nonceAlreadyUsed(next: UInt64)
    /// Executing it with any gas limit allowed would spend its attempt.
    case shortOfGas
    /// The messages read do not lead to the accepted root: an alarm, never executed.
    case rootMismatch
    case onRampChanged
}

extension ExecutionStanding {
    package enum Class: String, Sendable { case done, moving, waiting, stuck, alarm }

    /// A stable name for JSON, metrics and documentation.
    package var code: String {
        switch self {
        case .executed: "executed"
        case .failedOnChain: "failed_on_chain"
        case .ready: "ready"
        case .inFlight: "in_flight"
        case .waitsForRoom: "waits_for_room"
        case .notCommitted: "not_committed"
        case .stateUnread: "state_unread"
        case .messageUnread: "message_unread"
        case .nonceUnread: "nonce_unread"
        case .curseUnread: "curse_unread"
        case .notAgreed: "not_agreed"
        case .executing: "executing"
        case .waitsForPredecessor: "waits_for_predecessor"
        case .tokenDataNotReady: "token_data_not_ready"
        case .sourceCursed: "source_cursed"
        case .destinationCursed: "destination_cursed"
        case .sourceDisabled: "source_disabled"
        case .receiverFails: "receiver_fails"
        case .wrongInstance: "wrong_instance"
        case .attemptFailed: "attempt_failed"
        case .tooMuchGas: "too_much_gas"
        case .tooLarge: "too_large"
        case .beyondHorizon: "beyond_horizon"
        case .nonceAlreadyUsed: "nonce_already_used"
        case .shortOfGas: "short_of_gas"
        case .simulationReverts: "simulation_reverts"
        case .rootMismatch: "root_mismatch"
        case .onRampChanged: "on_ramp_changed"
        }
    }

    package var standingClass: Class {
        switch self {
        case .executed: .done
        case .ready, .inFlight, .waitsForRoom, .executing: .moving
        case .notCommitted, .stateUnread, .messageUnread, .nonceUnread, .curseUnread, .notAgreed,
            .waitsForPredecessor, .tokenDataNotReady, .sourceCursed, .destinationCursed, .sourceDisabled,
            .receiverFails, .wrongInstance, .attemptFailed, .simulationReverts:
            .waiting
        case .failedOnChain, .tooMuchGas, .tooLarge, .beyondHorizon, .nonceAlreadyUsed, .shortOfGas,
            .onRampChanged:
            .stuck
        case .rootMismatch: .alarm
        }
    }

    /// Whether only `causeway exec` (or anybody's `manuallyExecute`) delivers the message now.
    package var needsManualExecution: Bool {
        switch self {
        case .failedOnChain, .tooMuchGas, .tooLarge, .beyondHorizon, .shortOfGas: true
        default: false
        }
    }

    /// Whom or what the message waits for.
    package var waitsFor: String {
        switch self {
        case .executed: "nothing: it is executed"
        case .failedOnChain(let data):
            "a manual execution: the destination recorded a failure"
                + (data.isEmpty ? "" : " (\(RevertReason(data)))")
        case .ready: "the next round of the cluster"
        case .inFlight: "the transaction that carries it"
        case .waitsForRoom: "room in the next execution report"
        case .notCommitted: "a commit report that covers it"
        case .stateUnread: "the destination endpoint: its execution state is not read yet"
        case .messageUnread: "the source endpoint: not all messages of its root are read yet"
        case .nonceUnread: "the destination endpoint: the sender's nonce is not read yet"
        case .curseUnread: "the destination endpoint: the curse state cannot be read"
        case .notAgreed(let verdict): "other oracles: \(verdict.lack)"
        case .executing: "the end of its execution"
        case .waitsForPredecessor(let nonce): "the sender's message with nonce \(nonce)"
        case .tokenDataNotReady(let token, let reason): "data for token \(token): \(reason)"
        case .sourceCursed: "the curse of the source chain to be lifted"
        case .destinationCursed: "the curse of this chain, or the global one, to be lifted"
        case .sourceDisabled: "the source chain to be enabled at the OffRamp"
        case .receiverFails: "a while, because its receiver reverts in simulation and there is one attempt"
        case .wrongInstance: "the instance whose configuration digest the OffRamp has installed"
        case .attemptFailed: "a pause, because transactions with it came to nothing"
        case .tooMuchGas: "a manual execution: it asks for more gas than a batch may have"
        case .tooLarge: "a manual execution: it is larger than a report may be"
        case .beyondHorizon: "a manual execution: its root is older than the relayers look back"
        case .nonceAlreadyUsed(let next): "nothing: the sender's next nonce is \(next), beyond its own"
        case .shortOfGas: "a manual execution: no gas limit that relayers may use is enough"
        case .simulationReverts(let name): "a change on chain: it reverts the whole transaction with \(name); tried again every few blocks"
        case .rootMismatch: "a person: the messages read do not lead to the accepted root"
        case .onRampChanged: "a person: the OffRamp has another OnRamp than when the root was accepted"
        }
    }

    /// What somebody can do about it; empty where waiting is right.
    package var advice: String {
        switch self {
        case .executed, .ready, .waitsForRoom, .executing, .notCommitted, .notAgreed: ""
        case .inFlight: "if this lasts, look at the transmitter's balance and its pending transactions"
        case .failedOnChain: "read the reason, then `causeway exec ID`, with --gas-limit if it ran out of gas"
        case .stateUnread, .nonceUnread, .curseUnread, .messageUnread:
            "look at the endpoints of that chain: `causeway check`"
        case .waitsForPredecessor: "`causeway show` the predecessor; if it is stuck, execute it by hand"
        case .tokenDataNotReady: "look at the attestation service and the token's configuration"
        case .sourceCursed, .destinationCursed: "ask who runs the RMN contracts of this chain"
        case .sourceDisabled: "ask the owner of the OffRamp"
        case .receiverFails: "fix the receiver before the attempt is spent"
        case .attemptFailed: "look at the relayer's log for the reason, and at the transmitter's balance"
        case .wrongInstance: "start the relayers with the installed configuration, or install theirs"
        case .tooMuchGas, .tooLarge, .beyondHorizon, .shortOfGas:
            "`causeway exec ID` once the permissionless threshold has passed"
        case .nonceAlreadyUsed: "compare the NonceManager's previous ramps with the lane's history"
        case .simulationReverts: "look at the token pool and its off-chain data"
        case .rootMismatch: "stop, and compare the source chain with the root: a wrong endpoint or a false root"
        case .onRampChanged: "restore the OnRamp of that root at the OffRamp, then the message can be executed"
        }
    }
}

extension ClusterVerdict {
    var lack: String {
        switch self {
        case .notObserved: "too few report the message in full"
        case .tokenDataNotAgreed: "too few report the same token data"
        case .nonceNotAgreed: "too few report the sender's nonce"
        default: "verdict \(rawValue)"
        }
    }
}

/// One message with its standing, for people.
package struct MessageStanding: Hashable, Sendable {
    package let key: MessageKey
    /// Nil while the message itself is unread.
    package let messageID: MessageID?
    package let standing: ExecutionStanding
    /// Destination block time, seconds, of the root's acceptance; nil before.
    package let committedAt: UInt64?
    /// Milliseconds of this process at which this standing was first seen here; nil when `settle` has not seen it.
    package let sinceMilliseconds: UInt64?
}
