// Why an instance sends nothing although it could: the OffRamp does not know its digest, its keys or its signers.

import CCIP
import Synchronization

/// Raised by a revert of that class (`Reaction.haltInstance`), taken down when the installed configuration is seen to have
/// changed (4.11, 6.6). Votes and signatures go on meanwhile.
final class TransmissionHalt: Sendable {
    private struct State {
        var reason: String?
        var installed: OCRConfigDetails?
    }

    private let shared = Mutex(State())

    var reason: String? { shared.withLock { $0.reason } }

    /// What a read of the configuration found.
    func saw(_ installed: OCRConfigDetails) {
        shared.withLock { state in
            if state.installed != installed { state.reason = nil }
            state.installed = installed
        }
    }

    func raise(_ reason: String) { shared.withLock { $0.reason = reason } }
}
