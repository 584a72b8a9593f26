// The named bounds of this room, each with its reason. No behaviour.
// Anything that a peer can make larger by sending more has its ceiling here.

package enum Limits {
    /// Letters of a peer's text that may stand in a message or log line of ours.
    package static let shownTextCharacters = 80

    // MARK: Server

    /// Bytes of one request body or WebSocket message: a state dump or a large batch, far above any transaction.
    package static let requestBytesDefault = 32 << 20
    /// Calls in one batch (what public nodes allow).
    package static let batchCallsDefault = 1_000
    /// Bytes of the answers of one batch; further calls of it are answered with -32005.
    package static let batchAnswerBytesDefault = 64 << 20
    /// Connections at once: a browser opens six, a test suite hundreds; each costs a file descriptor.
    package static let connectionsDefault = 1_024
    /// Requests of one HTTP connection that wait for their turn before we stop reading from it.
    package static let pipelinedRequestsMaximum = 64
    /// Messages of one WebSocket that wait for their turn before we stop reading from it.
    package static let queuedMessagesMaximum = 4_096
    /// Bytes of messages that wait, for the same purpose.
    package static let queuedMessageBytesMaximum = 64 << 20
    /// Bytes of a request head: NIO's parser refuses more by itself as well.
    package static let headBytesMaximum = 32 << 10
    /// Header fields of a request.
    package static let headerFieldsMaximum = 128
    /// Letters of a request target.
    package static let targetBytesMaximum = 8 << 10
    /// Frames one message may be cut into; a message of empty fragments must end somewhere.
    package static let messageFragmentsMaximum = 4_096
    /// Control frames (pings) between two data frames that are answered; a flood of pings is cut off.
    package static let controlFramesMaximum = 1_000

    /// How long a connection may stay without a complete request head.
    package static let idleMillisecondsDefault = 75_000
    /// How long a request may take from its head to its last byte.
    package static let requestMillisecondsDefault = 60_000
    /// How often a silent WebSocket is asked whether it lives; twice this without a sign, and it is closed.
    package static let pingMillisecondsDefault = 30_000
    /// How long a client may take nothing of what waits for it.
    package static let stalledWriteMillisecondsDefault = 30_000
    /// Bytes that may wait for a slow WebSocket client before a notification cuts it off.
    package static let outboundBytesDefault = 16 << 20
    /// Bytes that may wait for a client before its next call must wait too.
    package static let outboundPauseBytes = 1 << 20
    /// Bytes given to a socket in one piece, so that progress can be seen.
    package static let writePieceBytes = 256 << 10
    /// How long a refused peer may go on sending before the connection is cut: a reset would destroy our last words.
    package static let lingerMilliseconds: Int64 = 1_000
    /// Connections that may wait to be accepted.
    package static let acceptBacklog: Int32 = 256
    /// How long `stop` waits for connections to end by themselves before it cuts them.
    package static let stopMillisecondsDefault = 2_000

    // MARK: Pushing

    /// Bytes on their way to one client: what follows is still the newest when its turn comes, and a pong passes it.
    package static let pushWindowBytes = 128 << 10
    /// Bytes given to a socket in one piece.
    package static let pushPieceBytes = 32 << 10
    /// Bytes of a client that only listens: it may send control frames, and small messages that nobody reads.
    package static let pushInboundBytesMaximum = 64 << 10
    /// After so long control frames are counted anew.
    package static let controlFrameSeconds: Int64 = 10

    // MARK: Client

    /// Bytes of one answer: eth_getLogs of a wide range, a trace of a heavy transaction.
    package static let answerBytesDefault = 64 << 20
    /// How long one call may take, connecting included.
    package static let callMillisecondsDefault = 10_000
    /// Kept-alive connections to one endpoint.
    package static let clientConnectionsDefault = 4
    /// Calls that may wait for a connection; beyond it the caller learns that it asks too much.
    package static let waitingCallsMaximum = 10_000
    /// How long an unused connection is kept; below the idle timeouts that servers and proxies have.
    package static let pooledIdleMilliseconds = 30_000
    /// Notifications of one subscription that wait for their reader; beyond it the subscription ends.
    package static let subscriptionBufferMaximum = 8_192
    /// Subscriptions of one client at once.
    package static let subscriptionsMaximum = 256
    /// Calls in one array to a node: public endpoints refuse more than 100 to 1,000.
    package static let clientBatchCalls = 100
    /// Arrays in a row that a node which took some before may refuse before it gets single calls only.
    package static let batchRefusalsMaximum = 3
    /// Calls on their way at once to a node that takes no arrays: a development node answers one at a time anyway.
    package static let singleCallsAtOnce = 8
    /// How often one of many reads is asked before all are given up, and the pause between.
    package static let singleCallAttempts = 3
    package static let singleCallPauseMilliseconds = 50
    /// The longest `Retry-After` that is heeded: beyond a minute we would rather find out ourselves.
    package static let retryAfterMillisecondsMaximum = 60_000
    /// How often a silent WebSocket to a node is asked whether it lives.
    package static let clientPingMilliseconds = 15_000
    /// Pushed messages that wait for their reader; the oldest give way, as only the newest are of use.
    package static let feedBufferMaximum = 1_024
    /// Letters of an endpoint in a configuration file.
    package static let endpointBytesMaximum = 2_048

    // MARK: Metrics

    /// Series of one metric; further label values are counted together, so that no peer can fill the memory.
    package static let seriesMaximum = 1_000
}
