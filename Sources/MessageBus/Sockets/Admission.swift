// Who may connect: the ZAP handler (ZeroMQ RFC 27) of one context. It answers with the member's id, which libzmq
// then attaches to each message as "User-Id"; that, and never a routing id, says who sent it.

import CZeroMQ

/// A key that asked to come in and was not admitted.
package struct DeniedKey: Equatable, Sendable {
    package let publicKey: CurvePublicKey
    package var count: UInt64
    /// IP address of the last attempt.
    package var lastAddress: String
}

/// What the handler has counted; the list of keys is bounded by `Limits.deniedKeysMaximum`.
package struct AdmissionStatistics: Equatable, Sendable {
    package var admitted: UInt64 = 0
    package var denied: UInt64 = 0
    /// Denials by key, in the order of their first attempt.
    package var deniedKeys: [DeniedKey] = []

    package init() {}
}

final class AdmissionHandler {
    enum Policy {
        /// Exactly these keys, each with the user id that its messages will carry.
        case listed([CurvePublicKey: String])
        /// Any key: the link is encrypted and its server proven, its clients are not.
        case anyKey
    }

    static let endpoint = "inproc://zeromq.zap.01"
    private let domain: String
    private let policy: Policy
    let socket: ZeroMQSocket
    private(set) var statistics = AdmissionStatistics()

    /// Must be made before the first socket of the context is bound.
    init(context: ZeroMQContext, domain: String, policy: Policy) throws(MessageBusError) {
        self.domain = domain
        self.policy = policy
        socket = try context.socket(ZMQ_REP)
        try socket.bind(Self.endpoint)
    }

    /// Answers what is waiting. Returns the keys denied for the first time, to be logged once each.
    func serve() throws(MessageBusError) -> [DeniedKey] {
        var fresh: [DeniedKey] = []
        for _ in 0..<Limits.admissionsPerTurnMaximum {
            guard let parts = try socket.receive(framesMaximum: 8, frameBytesMaximum: 256) else { break }
            let frames = parts.frames
            let requestID = frames.count > 1 ? frames[1] : []
            let userID = decide(parts, newlyDenied: &fresh)
            let version = Array("1.0".utf8)
            let reply: [[UInt8]] =
                userID.map { [version, requestID, Array("200".utf8), Array("OK".utf8), Array($0.utf8), []] }
                ?? [version, requestID, Array("400".utf8), Array("not admitted".utf8), [], []]
            _ = try socket.send(reply)
        }
        return fresh
    }

    /// The user id of an admitted client, nil for a denied one.
    private func decide(_ parts: ReceivedParts, newlyDenied: inout [DeniedKey]) -> String? {
        // version, request id, domain, address, routing id, mechanism, credentials
        let frames = parts.frames
        guard frames.count == 7, !parts.hasExcessFrames, !parts.hasOversizeFrame, frames[0] == Array("1.0".utf8),
            frames[2] == Array(domain.utf8), frames[5] == Array("CURVE".utf8),
            let key = try? CurvePublicKey(bytes: frames[6])
        else {
            statistics.denied += 1
            return nil
        }
        let userID: String? =
            switch policy {
            case .listed(let members): members[key]
            case .anyKey: "any"
            }
        if let userID {
            statistics.admitted += 1
            return userID
        }
        statistics.denied += 1
        let address = String(decoding: frames[3].prefix(64), as: UTF8.self)
        if let known = statistics.deniedKeys.firstIndex(where: { $0.publicKey == key }) {
            statistics.deniedKeys[known].count += 1
            statistics.deniedKeys[known].lastAddress = address
        } else if statistics.deniedKeys.count < Limits.deniedKeysMaximum {
            let denied = DeniedKey(publicKey: key, count: 1, lastAddress: address)
            statistics.deniedKeys.append(denied)
            newlyDenied.append(denied)
        }
        return nil
    }
}
