// Frames to messages: what is put together, what is refused and with which close code.

import NIOCore
import NIOEmbedded
import NIOWebSocket
import TestSupport
import Testing

@testable import JSONRPC

struct MessageAssemblerTests {
    private static let key: WebSocketMaskingKey = [1, 2, 3, 4]

    private static func frame(
        _ opcode: WebSocketOpcode, _ payload: [UInt8], fin: Bool = true, masked: Bool = true,
        rsv1: Bool = false, rsv2: Bool = false, rsv3: Bool = false
    ) -> WebSocketFrame {
        var bytes = payload
        if masked { for at in bytes.indices { bytes[at] ^= UInt8(at % 4 + 1) } }
        return WebSocketFrame(
            fin: fin, rsv1: rsv1, rsv2: rsv2, rsv3: rsv3, opcode: opcode, maskKey: masked ? key : nil,
            data: ByteBuffer(bytes: bytes))
    }

    private static func last(_ frames: [WebSocketFrame], role: MessageAssembler.Role = .server) -> MessageAssembler.Event {
        var assembler = MessageAssembler(role: role, messageBytesMaximum: 10)
        var event = MessageAssembler.Event.nothing
        for frame in frames {
            if case .violation = event { Issue.record("refused too early: \(event)") }
            event = assembler.handle(frame)
        }
        return event
    }

    @Test("whole and fragmented messages arrive, with pings in between") func messages() {
        #expect(Self.last([Self.frame(.text, [65, 66, 67, 68, 69])]) == .message([65, 66, 67, 68, 69], isText: true))
        #expect(Self.last([Self.frame(.binary, [])]) == .message([], isText: false))
        let fragments = [
            Self.frame(.text, [1, 2], fin: false), Self.frame(.continuation, [], fin: false), Self.frame(.ping, [9]),
            Self.frame(.continuation, [3], fin: false), Self.frame(.continuation, [4]),
        ]
        #expect(Self.last(fragments) == .message([1, 2, 3, 4], isText: true))
        #expect(Self.last(Array(fragments.prefix(3))) == .ping([9]))
        #expect(Self.last(fragments + [Self.frame(.text, [5])]) == .message([5], isText: true))
        #expect(Self.last([Self.frame(.pong, [])]) == .pong)
        #expect(Self.last([Self.frame(.text, [7], masked: false)], role: .client) == .message([7], isText: true))
    }

    static let violations: [(name: String, code: UInt16, frames: @Sendable () -> [WebSocketFrame])] = [
        ("not masked", 1002, { [frame(.text, [1], masked: false)] }),
        ("reserved bit 1", 1002, { [frame(.text, [1], rsv1: true)] }),
        ("reserved bit 2", 1002, { [frame(.text, [1], rsv2: true)] }),
        ("reserved bit 3", 1002, { [frame(.text, [1], rsv3: true)] }),
        ("continuation of nothing", 1002, { [frame(.continuation, [1])] }),
        ("message inside a message", 1002, { [frame(.text, [1], fin: false), frame(.binary, [1])] }),
        ("unknown opcode", 1002, { [frame(WebSocketOpcode(encodedWebSocketOpcode: 3) ?? .text, [1])] }),
        ("fragmented ping", 1002, { [frame(.ping, [1], fin: false)] }),
        ("long ping", 1002, { [frame(.ping, Array(repeating: 1, count: 126))] }),
        ("half a close code", 1002, { [frame(.connectionClose, [3])] }),
        ("close code 1005", 1002, { [frame(.connectionClose, [3, 0xed])] }),
        ("close code 999", 1002, { [frame(.connectionClose, [3, 0xe7])] }),
        ("close reason no UTF-8", 1007, { [frame(.connectionClose, [3, 0xe8, 0xff])] }),
        ("message too large", 1009, { [frame(.text, Array(repeating: 1, count: 11))] }),
        ("fragments too large", 1009, { [frame(.text, Array(repeating: 1, count: 6), fin: false), frame(.continuation, Array(repeating: 1, count: 5))] }),
        ("too many fragments", 1008, {
            [frame(.text, [], fin: false)] + (0..<Limits.messageFragmentsMaximum).map { _ in frame(.continuation, [], fin: false) }
        }),
        ("too many pings", 1008, { (0...Limits.controlFramesMaximum).map { _ in frame(.ping, []) } }),
    ]

    @Test("what the protocol forbids ends with its close code", arguments: 0..<17)
    func violation(_ row: Int) {
        let (name, code, frames) = Self.violations[row]
        guard case .violation(let given, _) = Self.last(frames()) else {
            Issue.record("\(name) was taken")
            return
        }
        #expect(given == code, "\(name)")
    }

    @Test("the table of violations is complete") func count() { #expect(Self.violations.count == 17) }

    @Test("a client refuses masked frames") func clientRole() {
        guard case .violation(1002, _) = Self.last([Self.frame(.text, [1])], role: .client) else {
            Issue.record("taken")
            return
        }
    }

    @Test("closing is answered with the same code, or 1000") func closing() {
        #expect(Self.last([Self.frame(.connectionClose, [])]) == .close(1000))
        #expect(Self.last([Self.frame(.connectionClose, [0x0f, 0xa0, 65])]) == .close(4000))
    }

    @Test("what FrameWriter writes, NIO's decoder and the assembler read") func roundTrip() throws {
        var generator = SplitMix64.forTest()
        let seed = generator.seed
        for length in [0, 1, 7, 8, 9, 125, 126, 127, 1_000, 65_535, 65_536, 70_001] {
            let payload = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            var wire = ByteBuffer()
            FrameWriter.append(payload, .binary, mask: UInt32.random(in: .min ... .max, using: &generator), to: &wire)
            let channel = EmbeddedChannel(
                handler: ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 1 << 20)))
            try channel.writeInbound(wire)
            var assembler = MessageAssembler(role: .server, messageBytesMaximum: 1 << 20)
            let frame = try #require(try channel.readInbound(as: WebSocketFrame.self), "seed \(seed)")
            #expect(assembler.handle(frame) == .message(payload, isText: false), "seed \(seed), length \(length)")
        }
    }
}
