// Base64 as the Authorization header needs it (RFC 4648 section 4). Encoding only.

enum Base64 {
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let chunk = bytes[at..<min(at + 3, bytes.count)]
            var word: UInt32 = 0
            for offset in 0..<3 { word = word << 8 | (at + offset < bytes.count ? UInt32(bytes[at + offset]) : 0) }
            for digit in 0..<4 {
                let letter = letters[Int(word >> UInt32(18 - 6 * digit) & 0x3f)]
                out.append(digit <= chunk.count ? letter : UInt8(ascii: "="))
            }
            at += 3
        }
        return String(decoding: out, as: UTF8.self)
    }
}
