// Decoding of the contract ABI. Strict where Solidity reverts: dirty bits, offsets or lengths out of bounds.
// The work is bounded by the size of the input, so that shared offsets cannot blow it up.

extension ABI {
    /// How much deviation from the one canonical encoding is let through.
    package enum Strictness: Sendable {
        /// As Solidity's decoder: odd offsets, trailing bytes and unclean padding behind byte strings pass.
        case solidity
        /// Only bytes that `encode` would give back.
        case canonical
    }

    /// Decodes a parameter list; throws `malformedABI` that says what and where.
    package static func decode(
        _ data: Bytes, as types: [ABIType], _ strictness: Strictness = .canonical
    ) throws(EthereumError) -> [ABIValue] {
        var decoder = ABIDecoder(data: data)
        let values = try decoder.list(types, base: 0)
        if strictness == .canonical, try encode(values, as: types) != data {
            throw EthereumError(.malformedABI, "\(data.count) bytes are not the canonical encoding of their value")
        }
        return values
    }
}

private struct ABIDecoder {
    let data: Bytes
    /// Words that may still be decoded; canonical data needs one per 32 bytes.
    var budget: Int

    init(data: Bytes) {
        self.data = data
        budget = 64 + data.count / 4
    }

    mutating func list(_ types: [ABIType], base: Int) throws(EthereumError) -> [ABIValue] {
        var values: [ABIValue] = []
        values.reserveCapacity(min(types.count, 1024))
        var head = base
        for type in types {
            values.append(try value(type, head: head, base: base))
            head += type.headSize
        }
        return values
    }

    private mutating func repeated(_ type: ABIType, count: Int, base: Int) throws(EthereumError) -> [ABIValue] {
        guard count <= Limits.abiElementsMaximum, type.headSize > 0 || count == 0,
            count == 0 || count <= (data.count - min(base, data.count)) / type.headSize
        else { throw malformed("array of \(count) elements does not fit", at: base) }
        var values: [ABIValue] = []
        values.reserveCapacity(count)
        for index in 0..<count { values.append(try value(type, head: base + index * type.headSize, base: base)) }
        return values
    }

    private mutating func value(_ type: ABIType, head: Int, base: Int) throws(EthereumError) -> ABIValue {
        budget -= 1
        guard budget >= 0 else { throw EthereumError(.limitExceeded, "ABI data refers to the same bytes too often") }
        guard type.isDynamic else { return try inPlace(type, at: head) }
        let offset = try length(at: head)
        guard offset <= data.count - base else { throw malformed("offset \(offset) points past the end", at: head) }
        return try inPlace(type, at: base + offset)
    }

    private mutating func inPlace(_ type: ABIType, at: Int) throws(EthereumError) -> ABIValue {
        switch type {
        case .uint(let bits):
            let word = try word(at: at)
            guard word.bitWidth <= bits else { throw malformed("dirty bits above uint\(bits)", at: at) }
            return .uint(word)
        case .int(let bits):
            let word = try word(at: at)
            guard ABI.signFits(word, bits: bits) else { throw malformed("dirty bits above int\(bits)", at: at) }
            return .int(word)
        case .address:
            let word = try word(at: at)
            guard word.bitWidth <= 160 else { throw malformed("dirty bits above an address", at: at) }
            return .address(Address(truncating: word))
        case .bool:
            let word = try word(at: at)
            guard word <= U256.one else { throw malformed("a bool is neither 0 nor 1", at: at) }
            return .bool(word == .one)
        case .fixedBytes(let count):
            let bytes = try slice(at: at, count: 32)
            guard bytes.dropFirst(count).allSatisfy({ $0 == 0 }) else {
                throw malformed("dirty bytes behind bytes\(count)", at: at)
            }
            return .bytes(Bytes(bytes.prefix(count)))
        case .bytes: return .bytes(Bytes(try slice(at: at + 32, count: length(at: at))))
        case .string:
            let bytes = try slice(at: at + 32, count: length(at: at))
            guard let text = String(validating: bytes, as: UTF8.self) else { throw malformed("string is no UTF-8", at: at) }
            return .string(text)
        case .array(let element): return .array(try repeated(element, count: length(at: at), base: at + 32))
        case .fixedArray(let element, let count): return .array(try repeated(element, count: count, base: at))
        case .tuple(let members): return .tuple(try list(members, base: at))
        }
    }

    private func length(at: Int) throws(EthereumError) -> Int {
        guard let value = try word(at: at).asInt, value <= data.count else {
            throw malformed("offset or length is larger than the data", at: at)
        }
        return value
    }

    private func word(at: Int) throws(EthereumError) -> U256 {
        U256(bigEndianBytes: try slice(at: at, count: 32)) ?? .zero
    }

    private func slice(at: Int, count: Int) throws(EthereumError) -> ArraySlice<UInt8> {
        guard at <= data.count, count <= data.count - at else { throw malformed("data ends early", at: at) }
        return data[at..<at + count]
    }

    private func malformed(_ why: String, at offset: Int) -> EthereumError {
        EthereumError(.malformedABI, "ABI data of \(data.count) bytes, offset \(offset): \(why)")
    }
}
