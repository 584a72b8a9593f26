// Hexadecimal text, strict: an odd digit count or a foreign character is an error that says where.

package enum Hex {
    private static let digits: [UInt8] = Array("0123456789abcdef".utf8)

    /// Lower-case digits with a leading `0x`.
    package static func encode(_ bytes: some Collection<UInt8>) -> String { "0x" + encodeBare(bytes) }

    /// Lower-case digits without a prefix.
    package static func encodeBare(_ bytes: some Collection<UInt8>) -> String {
        let digits = Self.digits
        return String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            var at = 0
            for byte in bytes {
                buffer[at] = digits[Int(byte >> 4)]
                buffer[at + 1] = digits[Int(byte & 15)]
                at += 2
            }
            return at
        }
    }

    /// Bytes of hexadecimal text, with or without `0x`; throws `malformedHex` on an odd count or a foreign character.
    package static func decode(_ text: some StringProtocol) throws(EthereumError) -> Bytes {
        var utf8 = Array(text.utf8)[...]
        if utf8.starts(with: [0x30, 0x78]) || utf8.starts(with: [0x30, 0x58]) { utf8 = utf8.dropFirst(2) }
        guard utf8.count % 2 == 0 else {
            throw EthereumError(.malformedHex, "odd number of hexadecimal digits (\(utf8.count))")
        }
        var bytes = Bytes()
        bytes.reserveCapacity(utf8.count / 2)
        var index = utf8.startIndex
        while index < utf8.endIndex {
            guard let high = value(utf8[index]), let low = value(utf8[index + 1]) else {
                throw EthereumError(.malformedHex, "character at offset \(index) is no hexadecimal digit")
            }
            bytes.append(high << 4 | low)
            index += 2
        }
        return bytes
    }

    /// As `decode`, but exactly `count` bytes.
    package static func decode(_ text: some StringProtocol, count: Int) throws(EthereumError) -> Bytes {
        let bytes = try decode(text)
        guard bytes.count == count else {
            throw EthereumError(.malformedHex, "expected \(count) bytes of hexadecimal, got \(bytes.count)")
        }
        return bytes
    }

    /// The value of one hexadecimal digit; nil for any other character.
    @inlinable package static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x61...0x66: character - 0x57
        case 0x41...0x46: character - 0x37
        default: nil
        }
    }
}
