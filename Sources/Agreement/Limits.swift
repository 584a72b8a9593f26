// The bounds of running an agreement instance, each with its reason.

import OffchainReporting

package enum Limits {
    /// Messages of peers that wait for an instance's loop: more means that it is stuck, and old ones are worthless.
    package static let mailboxMessagesMaximum = 8_192
    /// How long an observation is tried again, as a part of deltaProgress: late enough to matter, early enough to
    /// count.
    package static let observationShare = 0.4
    /// Between two tries of a question that the world did not answer.
    package static let questionPauseMilliseconds: UInt64 = 200
    /// Between two tries of the last check before a transmission.
    package static let transmissionPauseMilliseconds: UInt64 = 1_000
}
