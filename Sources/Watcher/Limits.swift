// Every bound of this room, each with its reason.

package enum Limits {
    /// Bytes of a request or an answer: 16 roots take about 3 kB.
    package static let frameBytesMaximum = 8 << 10
    /// Endpoints of one chain: each is asked whenever a quorum is read.
    package static let endpointsMaximum = 16
    /// Guards of a cluster, with the relayers below what a mesh takes.
    package static let guardsMaximum = 32
    /// Value limits of one guard.
    package static let valueLimitsMaximum = 256
    /// Allowances of pools: two calls each in one reading.
    package static let poolsMaximum = 64
    /// Between two looks at the limiters of pools: blocks take about as long, and what passes is counted besides.
    package static let poolReadMilliseconds = 5_000
    /// Events that wait for the guard's loop; more means that it is stuck, and requests are made again.
    package static let mailboxMaximum = 4_096
    /// Between two looks at what has waited too long.
    package static let tickMilliseconds = 1_000
    /// Letters of a reason that goes over the wire.
    package static let reasonLettersMaximum = 200
    /// Alarms that /status shows, the newest.
    package static let alarmsShown = 50
}
