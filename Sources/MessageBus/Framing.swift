// The frames of mesh and pair links: [channel][payload], or one empty frame as a sign of life.
// Both directions of that one rule live here; feeds have their own in FeedFrames.

/// The bounds of what a link carries, checked on both ends.
struct LinkFraming: Sendable {
    enum Verdict: Equatable {
        case message(channel: [UInt8], payload: [UInt8])
        case keepAlive
        case refused(DropReason)
    }

    static let keepAlive: [[UInt8]] = [[]]
    let payloadBytesMaximum: Int

    /// Bound given to libzmq: above it the connection is cut, between the two bounds we drop and count.
    var frameBytesMaximum: Int { payloadBytesMaximum + Limits.frameSlackBytes }

    static func validate(payloadBytesMaximum: Int) throws(MessageBusError) {
        guard (1...Limits.payloadBytesMaximum).contains(payloadBytesMaximum) else {
            throw .configuration("a payload bound of \(payloadBytesMaximum) is not in 1...\(Limits.payloadBytesMaximum)")
        }
    }

    /// Why a message may not be sent; nil when it may.
    func refusal(channel: [UInt8], payload: [UInt8]) -> DropReason? {
        guard (1...Limits.channelBytesMaximum).contains(channel.count) else { return .malformed }
        return payload.count > payloadBytesMaximum ? .tooLarge : nil
    }

    func frames(of message: OutboundMessage) -> [[UInt8]] { [message.channel, message.payload] }

    /// Judges what came in, without the routing frame.
    func judge(_ frames: ArraySlice<[UInt8]>, of parts: ReceivedParts) -> Verdict {
        if parts.hasOversizeFrame { return .refused(.tooLarge) }
        if parts.hasExcessFrames { return .refused(.malformed) }
        if frames.count == 1, frames.first?.isEmpty == true { return .keepAlive }
        guard frames.count == 2, let channel = frames.first, let payload = frames.last else { return .refused(.malformed) }
        if let reason = refusal(channel: channel, payload: payload) { return .refused(reason) }
        return .message(channel: channel, payload: payload)
    }
}
