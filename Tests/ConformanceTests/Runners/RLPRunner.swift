// RLP: what encodes to what, and what must not decode.

import Ethereum

struct RLPRunner: FixtureRunner {
    func run(_ file: FixtureFile, _ tally: inout Tally) throws {
        for (name, test) in try file.cases() {
            tally.check("\(file.path) \(name)") {
                let input = try test.need("in")
                let bytes = try test.bytes("out")
                switch input {
                case "INVALID":
                    if let item = try? RLP.decode(bytes) { throw Mismatch("decoded to \(item)") }
                case "VALID": try match("encoded again", try RLP.decode(bytes).encoded, bytes)
                default:
                    let value = try value(input)
                    try match("encoded", value.encoded, bytes)
                    try match("decoded", try RLP.decode(bytes), value)
                }
            }
        }
    }

    /// The value of a fixture: text, `#`-decimal, number or list.
    private func value(_ json: JSON) throws -> RLP {
        switch json {
        case .string(let text) where text.hasPrefix("#"): return .bytes(try decimal(text.dropFirst()))
        case .string(let text): return .bytes(Bytes(text.utf8))
        case .number(let text): return .uint(try U256(text: text))
        case .array(let items): return .list(try items.map(value))
        default: throw Mismatch("no RLP fixture: \(json)")
        }
    }

    /// The big-endian bytes of a decimal of any length: one fixture is past 256 bits.
    private func decimal(_ text: some StringProtocol) throws -> Bytes {
        var bytes = Bytes()
        for digit in text {
            guard var carry = digit.wholeNumberValue else { throw Mismatch("no decimal: \(text)") }
            for index in bytes.indices.reversed() {
                carry += Int(bytes[index]) * 10
                bytes[index] = UInt8(carry & 255)
                carry >>= 8
            }
            if carry > 0 { bytes.insert(UInt8(carry), at: 0) }
        }
        return bytes
    }
}
