// encodeData of EIP-712: each value of a struct as one 32-byte word.

extension TypedData {
    /// keccak(type hash || encoded fields).
    func hashStruct(_ name: String, _ value: JSON, depth: Int) throws(EthereumError) -> Hash32 {
        guard let object = value.asObject else { throw Self.malformed("a value of type '\(name)' is no object") }
        var bytes = keccak256(text: encodeType(name)).bytes
        for member in types[name, default: []] {
            guard let field = object[member.name] else {
                throw Self.malformed("a value of type '\(name)' has no '\(member.name)'")
            }
            bytes += try word(member.type, field, "\(name).\(member.name)", depth: depth + 1)
        }
        return keccak256(bytes)
    }

    /// The 32 bytes of one value. Depth is bounded, since types may refer to themselves.
    private func word(_ type: FieldType, _ value: JSON, _ path: String, depth: Int) throws(EthereumError) -> Bytes {
        guard depth <= Limits.typedDataDepthMaximum else {
            throw EthereumError(.limitExceeded, "typed data nested deeper than \(Limits.typedDataDepthMaximum)")
        }
        switch type {
        case .uint(let bits): return try unsigned(value, bits, path).bytes
        case .int(let bits): return try signed(value, bits, path).bytes
        case .bool:
            guard let flag = value.asBool else { throw Self.malformed("'\(path)' is neither true nor false") }
            return U256(flag ? 1 : 0 as UInt64).bytes
        case .address:
            guard let text = value.asString else { throw Self.malformed("'\(path)' is no address") }
            do { return try Address(hex: text).abiWord } catch { throw Self.malformed("'\(path)': \(error.message)") }
        case .fixedBytes(let count):
            let bytes = try data(value, path)
            guard bytes.count == count else { throw Self.malformed("'\(path)' has \(bytes.count) bytes, not \(count)") }
            return bytes.rightPaddedToWord()
        case .bytes: return keccak256(try data(value, path)).bytes
        case .string:
            guard let text = value.asString else { throw Self.malformed("'\(path)' is no text") }
            return keccak256(text: text).bytes
        case .array(let element, let count):
            guard let items = value.asArray else { throw Self.malformed("'\(path)' is no array") }
            guard count == nil || count == items.count else {
                throw Self.malformed("'\(path)' has \(items.count) elements, not \(count ?? 0)")
            }
            var bytes = Bytes()
            for item in items { bytes += try word(element, item, path, depth: depth + 1) }
            return keccak256(bytes).bytes
        case .structure(let name):
            // Version 4 of the method: a null struct is a zero word.
            return value.isNull ? Hash32.zero.bytes : try hashStruct(name, value, depth: depth).bytes
        }
    }

    private func data(_ value: JSON, _ path: String) throws(EthereumError) -> Bytes {
        guard let text = value.asString, text.hasPrefix("0x") else {
            throw Self.malformed("'\(path)' is no text that begins with 0x")
        }
        do { return try Hex.decode(text) } catch { throw Self.malformed("'\(path)': \(error.message)") }
    }

    private func unsigned(_ value: JSON, _ bits: Int, _ path: String) throws(EthereumError) -> U256 {
        guard let number = value.asUInt256, number.bitWidth <= bits else {
            throw Self.malformed("'\(path)' is no uint\(bits)")
        }
        return number
    }

    /// Two's complement over 256 bits of a number in -2^(bits-1) ..< 2^(bits-1).
    private func signed(_ value: JSON, _ bits: Int, _ path: String) throws(EthereumError) -> U256 {
        let text: String
        switch value {
        case .number(let digits), .string(let digits): text = digits
        default: throw Self.malformed("'\(path)' is no int\(bits)")
        }
        let negative = text.hasPrefix("-")
        guard let magnitude = try? U256(text: negative ? String(text.dropFirst()) : text) else {
            throw Self.malformed("'\(path)' is no int\(bits)")
        }
        let half = U256.one << (bits - 1)
        guard negative ? magnitude <= half : magnitude < half else {
            throw Self.malformed("'\(path)' does not fit int\(bits)")
        }
        return negative ? magnitude.negated : magnitude
    }
}
