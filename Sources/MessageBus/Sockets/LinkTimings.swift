// The intervals of a link, all in milliseconds. Defaults are those of specification 2.16.

package struct LinkTimings: Equatable, Sendable {
    /// Between two pings of an idle connection.
    package var heartbeatIntervalMilliseconds = 5_000
    /// Silence after which a connection is given up; also told to the other side as the time to live.
    package var heartbeatTimeoutMilliseconds = 15_000
    /// The first pause before a broken connection is tried again.
    package var reconnectIntervalMilliseconds = 200
    /// The longest such pause; in between it doubles.
    package var reconnectIntervalMaximumMilliseconds = 10_000
    /// How long a handshake may take before the connection is cut: what a silent stranger can hold.
    package var handshakeTimeoutMilliseconds = 10_000
    /// A connection that neither came up nor tried for this long is dialled afresh. libzmq gives up for good on one
    /// that was denied or that met something which does not speak its protocol; the peer may be put right later.
    package var redialAfterMilliseconds = 30_000

    package init() {}

    func validate() throws(MessageBusError) {
        let named = [
            ("heartbeatInterval", heartbeatIntervalMilliseconds), ("heartbeatTimeout", heartbeatTimeoutMilliseconds),
            ("reconnectInterval", reconnectIntervalMilliseconds),
            ("reconnectIntervalMaximum", reconnectIntervalMaximumMilliseconds),
            ("handshakeTimeout", handshakeTimeoutMilliseconds), ("redialAfter", redialAfterMilliseconds),
        ]
        for (name, value) in named where !(1...Limits.intervalMillisecondsMaximum).contains(value) {
            throw .configuration("\(name) is \(value) ms; it must be between 1 ms and an hour")
        }
        guard heartbeatTimeoutMilliseconds >= heartbeatIntervalMilliseconds else {
            throw .configuration("heartbeatTimeout is shorter than heartbeatInterval: every link would flap")
        }
    }
}
