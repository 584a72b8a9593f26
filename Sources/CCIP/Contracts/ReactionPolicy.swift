// From the reason of a revert to what a relayer does about it (4.11, 6.6 of the off-chain specification). A table, no
// more: who performs it is elsewhere.

import Ethereum

/// One thing to do after a call or a transaction reverted.
package enum Reaction: String, Sendable, CaseIterable {
    /// Send nothing for this instance until the installed configuration is seen to change.
    case haltInstance
    /// The deployment stands on another chain than its contracts were made for: stop the chain, for good.
    case stopChain
    /// A person must look.
    case alarm
    /// Never send these bytes again.
    case discard
    /// Look at the chain again, then decide anew.
    case retryLater
    /// A higher gas limit.
    case raiseGas
}

extension RevertReason {
    /// In the order in which they should happen; empty where another report won and nothing is to be done.
    package var reactions: [Reaction] {
        if isUnderGassed { return reaction == .simulation ? [.raiseGas] : [.alarm, .discard] }
        switch reaction {
        case .configuration:
            // A digest, a key or a signer of ours that the contract does not know concerns all that we send. The other
            // errors of this class name one lane.
            let isOurs = ["ConfigDigestMismatch", "UnauthorizedTransmitter", "UnauthorizedSigner"].contains(name ?? "")
            return isOurs ? [.haltInstance, .alarm] : [.alarm, .retryLater]
        case .bug, .rmn: return [.alarm, .discard]
        case .fatal: return [.stopChain, .alarm]
        case .benign, .manual: return [.discard]
        case .inner: return [.discard]
        case .wait, .reorganisation, .unknown: return [.retryLater]
        case .simulation: return [.raiseGas]
        case .underGassed: return [.alarm, .discard]
        }
    }

    /// Whether a call that executes one message reverted because of that message. What the state of the chain causes
    /// (a curse, a root that this endpoint does not have yet, a configuration that changed) says nothing about it.
    package var isAboutMessage: Bool {
        switch reaction {
        case .bug, .inner, .underGassed, .unknown: true
        case .configuration, .fatal, .benign, .wait, .reorganisation, .simulation, .manual, .rmn: false
        }
    }
}
