// Values of the contract ABI, and their encoding.

/// One ABI value. Signed integers are held in two's complement; fixed and dynamic byte strings both are `.bytes`.
package indirect enum ABIValue: Hashable, Sendable {
    case uint(U256)
    case int(U256)
    case address(Address)
    case bool(Bool)
    case bytes(Bytes)
    case string(String)
    case array([ABIValue])
    case tuple([ABIValue])

    package static func uint(_ value: UInt64) -> ABIValue { .uint(U256(value)) }
    package static func hash(_ value: Hash32) -> ABIValue { .bytes(value.bytes) }
}

package enum ABI {
    /// `abi.encode` of the values as a parameter list; throws `malformedABI` when a value does not fit its type.
    package static func encode(_ values: [ABIValue], as types: [ABIType]) throws(EthereumError) -> Bytes {
        guard values.count == types.count else {
            throw EthereumError(.malformedABI, "\(values.count) values for \(types.count) types")
        }
        let headSize = types.reduce(0) { $0 + $1.headSize }
        var head = Bytes()
        head.reserveCapacity(headSize)
        var tail = Bytes()
        for (value, type) in zip(values, types) {
            if type.isDynamic {
                head += U256(headSize + tail.count).bytes
                tail += try encode(value, as: type)
            } else {
                head += try encode(value, as: type)
            }
        }
        return head + tail
    }

    /// One value in place, without the offset that a container puts before a dynamic one.
    private static func encode(_ value: ABIValue, as type: ABIType) throws(EthereumError) -> Bytes {
        switch (type, value) {
        case (.uint(let bits), .uint(let word)) where word.bitWidth <= bits: return word.bytes
        case (.int(let bits), .int(let word)) where signFits(word, bits: bits): return word.bytes
        case (.address, .address(let address)): return address.abiWord
        case (.bool, .bool(let flag)): return U256(flag ? 1 : 0 as UInt64).bytes
        case (.fixedBytes(let count), .bytes(let bytes)) where bytes.count == count: return bytes.rightPaddedToWord()
        case (.bytes, .bytes(let bytes)): return U256(bytes.count).bytes + bytes.rightPaddedToWord()
        case (.string, .string(let text)):
            let bytes = Bytes(text.utf8)
            return U256(bytes.count).bytes + bytes.rightPaddedToWord()
        case (.array(let element), .array(let items)):
            return try U256(items.count).bytes + encode(items, as: Array(repeating: element, count: items.count))
        case (.fixedArray(let element, let count), .array(let items)) where items.count == count:
            return try encode(items, as: Array(repeating: element, count: count))
        case (.tuple(let members), .tuple(let items)): return try encode(items, as: members)
        default: throw EthereumError(.malformedABI, "a value does not fit the type \(type.canonical)")
        }
    }

    /// True when bits `bits-1`...255 of a two's complement word are all equal.
    static func signFits(_ word: U256, bits: Int) -> Bool {
        if bits >= 256 { return true }
        let upper = word >> (bits - 1)
        return upper.isZero || upper == (U256.max >> (bits - 1))
    }
}

// MARK: - Typed access to decoded values

extension ABIValue {
    package var asUInt256: U256? { if case .uint(let value) = self { value } else { nil } }
    package var asUInt64: UInt64? { asUInt256?.asUInt64 }
    package var asAddress: Address? { if case .address(let value) = self { value } else { nil } }
    package var asBool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var asBytes: Bytes? { if case .bytes(let value) = self { value } else { nil } }
    package var asHash32: Hash32? { asBytes.flatMap { Hash32(bytes: $0) } }
    package var asString: String? { if case .string(let value) = self { value } else { nil } }
    /// The members of an array or tuple.
    package var asList: [ABIValue]? {
        switch self {
        case .array(let items), .tuple(let items): items
        default: nil
        }
    }
}
