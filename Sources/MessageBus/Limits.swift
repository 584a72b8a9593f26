// The named bounds of this room, each with its reason. No behaviour.
// Anything that a peer can make larger by sending more has its ceiling here.

package enum Limits {
    /// Members of one mesh. Agreement is quadratic in members; 31 is the most that the protocol is used with.
    package static let meshMembersMaximum = 64
    /// Letters of a member's name: it is a metrics label and a log field.
    package static let nameBytesMaximum = 64
    /// Bytes of a channel id: configuration digest (32), plugin and kind, with room to grow.
    package static let channelBytesMaximum = 64
    /// Payload a link carries unless configured otherwise: an outcome or report (5 MiB) and its framing.
    package static let payloadBytesDefault = 6 << 20
    /// The most that a link may be configured to carry: the proposal of 31 oracles with 1 MiB observations each.
    package static let payloadBytesMaximum = 64 << 20
    /// What a frame may exceed the payload bound by before libzmq cuts the connection: below it we drop and count.
    package static let frameSlackBytes = 4096
    /// The bound for sockets that expect only keep-alives and subscriptions; a CURVE handshake needs about 300.
    package static let controlFrameBytesMaximum = 1024

    /// Messages queued for one peer and channel before the oldest goes (specification 2.14: 10 out).
    package static let queuedPerChannelDefault = 10
    /// Messages queued for one peer over all channels.
    package static let queuedPerPeerDefault = 256
    /// Bytes queued for one peer over all channels.
    package static let queuedBytesPerPeerDefault = 32 << 20
    /// Messages to oneself that wait for the bus thread (specification 2.14: 20 for self).
    package static let queuedForSelfDefault = 20
    /// Messages of a pair link that wait for the other side; then the caller is told `queueFull`.
    package static let queuedPerPairDefault = 1024
    /// Events waiting for the publisher's thread; it never waits for a subscriber, so this is a burst.
    package static let queuedEventsDefault = 8192

    /// Messages inside libzmq towards one peer. Small on purpose: what is there can be neither displaced nor counted.
    package static let sendHighWaterMark: Int32 = 2
    /// Messages inside libzmq from one connection before TCP pushes back (specification 2.14: 10 in).
    package static let receiveHighWaterMark: Int32 = 10
    /// Messages inside libzmq on each side of a pair link, which carries a stream and not a vote.
    package static let pairHighWaterMark: Int32 = 64
    /// Events inside libzmq towards one subscriber; a slower one loses events and sees the gap.
    package static let feedHighWaterMark: Int32 = 4096
    /// Frames inside libzmq towards one subscriber of a fan-out: 8 MB at the size of a price report.
    package static let fanOutHighWaterMark: Int32 = 10_000
    /// Items that wait for a fan-out's thread: two seconds of the highest rate.
    package static let fanOutQueuedItemsMaximum = 65_536
    /// Room for items that an empty queue keeps.
    package static let fanOutItemsKept = 8_192
    /// A frame, and a request, of a fan-out.
    package static let fanOutFrameBytesMaximum = 65_536
    /// Prefixes one subscriber of a fan-out asks for.
    package static let fanOutTopicsMaximum = 4_096
    /// Frames handed to a sink at once.
    package static let fanOutBatchMaximum = 1_024
    /// Requests answered in one wake-up: an answer has up to a thousand frames, and publishing comes first.
    package static let fanOutRequestsPerTurnMaximum = 8
    /// Clients whose request rates are remembered.
    package static let fanOutClientsMaximum = 8_192
    /// Between two looks of a sink at the time.
    package static let fanOutTickMilliseconds = 200
    /// Connections that may wait to be accepted.
    package static let acceptBacklog: Int32 = 1_024

    /// Messages handed out at once: bounds how long one wake-up keeps the thread from its other sockets.
    package static let batchMessagesMaximum = 256
    /// Messages put into one peer's socket in one wake-up, so that no peer keeps the thread from the others.
    package static let sendsPerTurnMaximum = 64
    /// Bytes handed out at once.
    package static let batchBytesMaximum = 16 << 20
    /// Admission questions answered in one wake-up, so that a flood of strangers cannot starve the members.
    package static let admissionsPerTurnMaximum = 64
    /// Socket events read in one wake-up, for the same reason.
    package static let monitorEventsPerTurnMaximum = 256

    /// Denied keys counted one by one; further ones are counted together.
    package static let deniedKeysMaximum = 64
    /// Letters of an endpoint in a configuration file.
    package static let endpointBytesMaximum = 300
    /// Bytes of a topic; a subscriber's prefix is as long at most.
    package static let topicBytesMaximum = 128
    /// Prefixes one subscriber of ours asks for.
    package static let subscriptionsMaximum = 64

    /// The longest time any interval of a link may be set to (an hour): more is a typing mistake.
    package static let intervalMillisecondsMaximum = 3_600_000
    /// How long `stop` waits for the bus thread unless told otherwise.
    package static let stopMillisecondsDefault = 5_000
    /// How long a closed socket may still send what is inside libzmq. Nothing for the mesh, where loss is normal.
    package static let meshLingerMilliseconds: Int32 = 0
    /// The same for pair links and feeds: enough to hand over the last messages on a healthy link.
    package static let linkLingerMilliseconds: Int32 = 200
    /// The pause before a pair link asks again for a peer that is not there.
    package static let absentPeerRetryMilliseconds = 50
    /// How long a pair link's listening side looks closely after some connection was lost.
    package static let suspectMilliseconds = 500
    /// How often links are looked after while one of them is not up.
    package static let unsettledTurnMilliseconds = 200
    /// How often links are looked after while all is well.
    package static let settledTurnMilliseconds = 1_000
}
