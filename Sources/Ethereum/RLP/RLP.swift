// Recursive Length Prefix, both ways. Decoding is strict (only the one canonical form), bounded in depth, and does not
// recurse on outside data.

/// One RLP item: a byte string, or a list of items.
package indirect enum RLP: Equatable, Sendable {
    case bytes(Bytes)
    case list([RLP])

    package static func uint(_ value: U256) -> RLP { .bytes(value.minimalBytes) }
    package static func uint(_ value: UInt64) -> RLP { .bytes(U256(value).minimalBytes) }

    /// The canonical encoding.
    package var encoded: Bytes {
        var out = Bytes()
        append(to: &out)
        return out
    }

    private func append(to out: inout Bytes) {
        switch self {
        case .bytes(let bytes): RLP.append(bytes, to: &out)
        case .list(let items):
            var body = Bytes()
            for item in items { item.append(to: &body) }
            RLP.appendHeader(length: body.count, base: 0xc0, to: &out)
            out += body
        }
    }

    /// Appends one byte string.
    package static func append(_ bytes: some Collection<UInt8>, to out: inout Bytes) {
        if bytes.count == 1, let only = bytes.first, only < 0x80 {
            out.append(only)
        } else {
            appendHeader(length: bytes.count, base: 0x80, to: &out)
            out += bytes
        }
    }

    /// Appends the header of a string (`base` 0x80) or a list (`base` 0xc0) whose payload has `length` bytes.
    package static func appendHeader(length: Int, base: UInt8, to out: inout Bytes) {
        if length < 56 {
            out.append(base + UInt8(length))
        } else {
            let size = U256(length).minimalBytes
            out.append(base + 55 + UInt8(size.count))
            out += size
        }
    }
}

// MARK: - Decoding

extension RLP {
    /// Decodes exactly one item that fills `bytes`; throws `malformedRLP` for anything not canonical.
    package static func decode(_ bytes: Bytes) throws(EthereumError) -> RLP {
        var open: [(items: [RLP], end: Int)] = []
        var at = 0
        var end = bytes.count
        while true {
            var finished: RLP
            let header = try RLP.header(bytes, at: at, end: end)
            at = header.start
            if header.isList {
                guard open.count < Limits.rlpDepthMaximum else {
                    throw EthereumError(.limitExceeded, "RLP nested deeper than \(Limits.rlpDepthMaximum) lists")
                }
                open.append(([], end))
                end = at + header.length
                if header.length > 0 { continue }
                let (items, outer) = open.removeLast()
                finished = .list(items)
                end = outer
            } else {
                finished = .bytes(Bytes(bytes[at..<at + header.length]))
                at += header.length
            }
            // Close every list that ends here.
            while true {
                guard let last = open.indices.last else {
                    guard at == bytes.count else {
                        throw EthereumError(.malformedRLP, "\(bytes.count - at) bytes after the item")
                    }
                    return finished
                }
                open[last].items.append(finished)
                if at < end { break }
                let (items, outer) = open.removeLast()
                finished = .list(items)
                end = outer
            }
        }
    }

    /// Cuts items that stand one behind the other apart, without decoding what is in them; throws `malformedRLP`.
    package static func sequence(_ bytes: Bytes) throws(EthereumError) -> [Bytes] {
        var items: [Bytes] = []
        var at = 0
        while at < bytes.count {
            let header = try RLP.header(bytes, at: at, end: bytes.count)
            let end = header.start + header.length
            items.append(Bytes(bytes[at..<end]))
            at = end
        }
        return items
    }

    private static func header(
        _ bytes: Bytes, at: Int, end: Int
    ) throws(EthereumError) -> (isList: Bool, start: Int, length: Int) {
        guard at < end else { throw EthereumError(.malformedRLP, "the input ends at offset \(at) before an item") }
        let first = bytes[at]
        if first < 0x80 { return (false, at, 1) }
        let isList = first >= 0xc0
        let short = Int(first) - (isList ? 0xc0 : 0x80)
        var start = at + 1
        var length = short
        if short > 55 {
            let sizeBytes = short - 55
            guard sizeBytes <= end - start else {
                throw EthereumError(.malformedRLP, "length of the item at offset \(at) is cut off")
            }
            let field = bytes[start..<start + sizeBytes]
            guard field.first != 0, let size = UInt64(bigEndianBytes: field), let value = Int(exactly: size), value > 55
            else { throw EthereumError(.malformedRLP, "length of the item at offset \(at) is not canonical") }
            start += sizeBytes
            length = value
        }
        guard length <= end - start else {
            throw EthereumError(.malformedRLP, "item at offset \(at) claims \(length) bytes, \(end - start) are there")
        }
        if !isList, length == 1, bytes[start] < 0x80 {
            throw EthereumError(.malformedRLP, "single byte at offset \(at) has a needless header")
        }
        return (isList, start, length)
    }
}

// MARK: - Typed access

extension RLP {
    package func asList(_ what: String) throws(EthereumError) -> [RLP] {
        guard case .list(let items) = self else { throw EthereumError(.malformedRLP, "\(what): expected a list") }
        return items
    }

    package func asBytes(_ what: String) throws(EthereumError) -> Bytes {
        guard case .bytes(let bytes) = self else { throw EthereumError(.malformedRLP, "\(what): expected bytes") }
        return bytes
    }

    /// A canonical integer: no leading zero byte, at most 32 bytes.
    package func asUInt256(_ what: String) throws(EthereumError) -> U256 {
        let bytes = try asBytes(what)
        guard bytes.first != 0 else { throw EthereumError(.malformedRLP, "\(what): leading zero in an integer") }
        guard let value = U256(bigEndianBytes: bytes) else {
            throw EthereumError(.malformedRLP, "\(what): \(bytes.count) bytes do not fit 256 bits")
        }
        return value
    }

    package func asUInt64(_ what: String) throws(EthereumError) -> UInt64 {
        guard let value = try asUInt256(what).asUInt64 else {
            throw EthereumError(.malformedRLP, "\(what): the number does not fit 64 bits")
        }
        return value
    }

    package func asAddress(_ what: String) throws(EthereumError) -> Address {
        guard let address = Address(bytes: try asBytes(what)) else {
            throw EthereumError(.malformedRLP, "\(what): expected an address of 20 bytes")
        }
        return address
    }

    package func asHash32(_ what: String) throws(EthereumError) -> Hash32 {
        guard let hash = Hash32(bytes: try asBytes(what)) else {
            throw EthereumError(.malformedRLP, "\(what): expected 32 bytes")
        }
        return hash
    }
}
