// Puts WebSocket frames together to messages and refuses what the protocol forbids. Pure: no socket, no clock.

import NIOCore
import NIOWebSocket

/// The receiving half of one WebSocket (RFC 6455 sections 5.1, 5.4, 5.5 and 7.4.1).
struct MessageAssembler {
    enum Role { case server, client }

    enum Event: Equatable {
        case nothing
        case message([UInt8], isText: Bool)
        case ping([UInt8])
        case pong
        /// The peer closes; the code to answer with.
        case close(UInt16)
        /// The peer broke a rule: close with this code.
        case violation(UInt16, String)
    }

    static let normalClosure: UInt16 = 1000
    static let goingAway: UInt16 = 1001
    static let protocolError: UInt16 = 1002
    static let invalidPayload: UInt16 = 1007
    static let policyViolation: UInt16 = 1008
    static let messageTooBig: UInt16 = 1009

    private let role: Role
    private let messageBytesMaximum: Int
    private var parts: [UInt8] = []
    /// The kind of the message whose fragments are being collected; nil between messages.
    private var isCollectingText: Bool?
    private var fragments = 0
    private var controlFrames = 0

    init(role: Role, messageBytesMaximum: Int) {
        self.role = role
        self.messageBytesMaximum = messageBytesMaximum
    }

    /// Some time has passed: control frames are counted anew. Pings of years are no flood.
    mutating func forgetControlFrames() { controlFrames = 0 }

    mutating func handle(_ frame: WebSocketFrame) -> Event {
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
            return .violation(Self.protocolError, "a reserved bit is set")
        }
        guard (frame.maskKey != nil) == (role == .server) else {
            return .violation(Self.protocolError, role == .server ? "a frame is not masked" : "a frame is masked")
        }
        switch frame.opcode {
        case .text, .binary: return begin(frame)
        case .continuation: return resume(frame)
        case .ping, .pong, .connectionClose: return control(frame)
        default: return .violation(Self.protocolError, "an unknown opcode")
        }
    }

    private mutating func begin(_ frame: WebSocketFrame) -> Event {
        guard isCollectingText == nil else {
            return .violation(Self.protocolError, "a message begins inside a message")
        }
        guard frame.length <= messageBytesMaximum else { return tooBig }
        controlFrames = 0
        let isText = frame.opcode == .text
        if frame.fin { return .message(Self.payload(of: frame), isText: isText) }
        parts = Self.payload(of: frame)
        isCollectingText = isText
        fragments = 1
        return .nothing
    }

    private mutating func resume(_ frame: WebSocketFrame) -> Event {
        guard let isText = isCollectingText else {
            return .violation(Self.protocolError, "a continuation of nothing")
        }
        fragments += 1
        guard parts.count + frame.length <= messageBytesMaximum else { return tooBig }
        guard fragments <= Limits.messageFragmentsMaximum else {
            return .violation(Self.policyViolation, "a message of more than \(Limits.messageFragmentsMaximum) frames")
        }
        parts += Self.payload(of: frame)
        guard frame.fin else { return .nothing }
        isCollectingText = nil
        controlFrames = 0
        defer { parts = [] }
        return .message(parts, isText: isText)
    }

    private mutating func control(_ frame: WebSocketFrame) -> Event {
        guard frame.fin, frame.length <= 125 else {
            return .violation(Self.protocolError, "a control frame is fragmented or too long")
        }
        controlFrames += 1
        guard controlFrames <= Limits.controlFramesMaximum else {
            return .violation(Self.policyViolation, "too many control frames")
        }
        let payload = Self.payload(of: frame)
        switch frame.opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong
        default: return closing(payload)
        }
    }

    private func closing(_ payload: [UInt8]) -> Event {
        if payload.isEmpty { return .close(Self.normalClosure) }
        guard payload.count >= 2 else { return .violation(Self.protocolError, "half a close code") }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard (1000...1003).contains(code) || (1007...1014).contains(code) || (3000...4999).contains(code) else {
            return .violation(Self.protocolError, "a close code that may not be sent")
        }
        guard String(validating: payload[2...], as: UTF8.self) != nil else {
            return .violation(Self.invalidPayload, "a close reason that is no UTF-8")
        }
        return .close(code)
    }

    private var tooBig: Event {
        .violation(Self.messageTooBig, "a message of more than \(messageBytesMaximum) bytes")
    }

    private static func payload(of frame: WebSocketFrame) -> [UInt8] {
        let data = frame.data
        guard let key = frame.maskKey else { return Array(data.readableBytesView) }
        let mask = UInt32(key[0]) << 24 | UInt32(key[1]) << 16 | UInt32(key[2]) << 8 | UInt32(key[3])
        return data.withUnsafeReadableBytes { source in
            [UInt8](unsafeUninitializedCapacity: source.count) { target, count in
                FrameWriter.applyMask(mask, source, UnsafeMutableRawBufferPointer(target))
                count = source.count
            }
        }
    }
}
