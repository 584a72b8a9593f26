// Finished WebSocket frames (RFC 6455 section 5.2), written straight into the buffer that goes to the socket.
// No reading here, no state.

import NIOCore
import NIOWebSocket

enum FrameWriter {
    /// Appends one unfragmented frame.
    /// - Parameter mask: a fresh random number on the client's side, nil on the server's (section 5.1).
    static func append(_ payload: [UInt8], _ opcode: WebSocketOpcode, mask: UInt32?, to out: inout ByteBuffer) {
        out.reserveCapacity(minimumWritableBytes: payload.count + 14)
        out.writeInteger(0x80 | UInt8(webSocketOpcode: opcode))
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ...125: out.writeInteger(maskBit | UInt8(payload.count))
        case ...0xffff:
            out.writeInteger(maskBit | 126)
            out.writeInteger(UInt16(payload.count))
        default:
            out.writeInteger(maskBit | 127)
            out.writeInteger(UInt64(payload.count))
        }
        guard let mask else {
            out.writeBytes(payload)
            return
        }
        out.writeInteger(mask)
        out.writeWithUnsafeMutableBytes(minimumWritableBytes: payload.count) { target in
            payload.withUnsafeBytes { source in applyMask(mask, source, target) }
            return payload.count
        }
    }

    /// - Parameter reason: at most 123 bytes, for whoever reads logs at the other end.
    static func appendClose(_ code: UInt16, reason: String = "", mask: UInt32?, to out: inout ByteBuffer) {
        assert(reason.utf8.count <= 123, "a control frame has at most 125 bytes")
        append([UInt8(code >> 8), UInt8(code & 0xff)] + reason.utf8, .connectionClose, mask: mask, to: &out)
    }

    /// Copies `source` to `target`, masked (or unmasked: it is the same).
    static func applyMask(_ mask: UInt32, _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) {
        precondition(target.count >= source.count)
        let wide = UInt64(mask.bigEndian) << 32 | UInt64(mask.bigEndian)
        var at = 0
        while at + 8 <= source.count {
            let word = source.loadUnaligned(fromByteOffset: at, as: UInt64.self) ^ wide
            target.storeBytes(of: word, toByteOffset: at, as: UInt64.self)
            at += 8
        }
        while at < source.count {
            target[at] = source[at] ^ UInt8(truncatingIfNeeded: wide >> UInt64(8 * (at & 7)))
            at += 1
        }
    }
}
