// Every bound of this room, each with its reason.

package enum Limits {
    /// Requests that wait for a nonce: the reference's `MaxQueued`. More means that the chain takes nothing.
    package static let queuedMaximum = 250
    /// Transactions of one sender between broadcast and block: the reference's `MaxInFlight`; geth keeps 64 a sender.
    package static let inFlightMaximum = 16
    /// Attempts for one nonce: after that the last one goes out again unchanged. 20 % a step is a factor of five.
    package static let attemptsMaximum = 10
    /// Attempts for one nonce, those after an eviction included: what is signed is never forgotten while the nonce is open.
    package static let attemptsWithEvictionsMaximum = 40
    /// Heads in a row that must show a nonce as used, with none of our attempts known, before a stranger is blamed.
    package static let foreignNonceHeads = 5
    /// Finished requests remembered, so that a repeated submission is answered and not sent again.
    package static let finishedMaximum = 4096
    /// Largest call data of a request: geth refuses transactions above 128 kB.
    package static let dataBytesMaximum = 128 * 1024
}
