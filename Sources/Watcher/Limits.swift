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
    /// Bytes of a key file, a password file.
    package static let keyFileBytesMaximum = 16 << 10
    package static let passwordBytesMaximum = 4 << 10
    /// Events that wait for the guard's loop; more means that it is stuck, and requests are made again.
    package static let mailboxMaximum = 4_096
    /// Between two looks at what has waited too long.
    package static let tickMilliseconds = 1_000
    /// Letters of a reason that goes over the wire.
    package static let reasonLettersMaximum = 200
    /// Alarms that /status shows, the newest.
    package static let alarmsShown = 50
}
