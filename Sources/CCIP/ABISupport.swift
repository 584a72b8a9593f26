// Bridges between this room's structs and the ABI codec: constants that cannot fail, a reader over decoded values.
// No struct of CCIP is known here.

import Ethereum

extension ABIType {
    /// A type that stands in our own source. A mistake in it shows in the first test that touches it.
    init(constant text: String) {
        do { try self.init(text) } catch { preconditionFailure("constant ABI type '\(text)': \(error)") }
    }
}

extension ABIFunction {
    /// A signature that stands in our own source; `returns` is the parenthesised list of what comes back.
    init(constant signature: String, returns: String = "()") {
        do { try self.init(signature, returns: returns) } catch {
            preconditionFailure("constant signature '\(signature)': \(error)")
        }
    }
}

extension ABIEvent {
    init(constant signature: String, indexed: Set<Int> = []) {
        do { try self.init(signature, indexed: indexed) } catch {
            preconditionFailure("constant event '\(signature)': \(error)")
        }
    }
}

enum ABICodec {
    /// Encodes values whose Swift types already guarantee that they fit.
    static func encode(_ values: [ABIValue], as types: [ABIType]) -> Bytes {
        do { return try ABI.encode(values, as: types) } catch {
            preconditionFailure("values do not fit \(types.map(\.canonical)): \(error)")
        }
    }

    /// Decodes strictly, within the size bound of this room.
    static func decode(
        _ data: Bytes, as types: [ABIType], _ code: CCIPError.Code, _ what: String,
        _ strictness: ABI.Strictness = .canonical
    ) throws(CCIPError) -> ABICursor {
        guard data.count <= Limits.encodedBytesMaximum else {
            throw CCIPError(
                code, "\(what) of \(data.count) bytes", hint: "at most \(Limits.encodedBytesMaximum) are read")
        }
        do { return ABICursor(try ABI.decode(data, as: types, strictness), code, what) } catch {
            throw CCIPError(code, "\(what): \(error.message)", hint: "only canonical ABI encoding is accepted")
        }
    }
}

/// Takes decoded values one after the other, with the kind that the caller expects.
struct ABICursor {
    private var rest: ArraySlice<ABIValue>
    private let code: CCIPError.Code
    private let what: String

    init(_ values: [ABIValue], _ code: CCIPError.Code, _ what: String) {
        rest = values[...]
        self.code = code
        self.what = what
    }

    private mutating func take<Value>(_ kind: String, _ read: (ABIValue) -> Value?) throws(CCIPError) -> Value {
        guard let next = rest.popFirst(), let value = read(next) else {
            throw CCIPError(code, "\(what): expected \(kind)", hint: "the layout differs from CCIP 1.6")
        }
        return value
    }

    mutating func uint256() throws(CCIPError) -> U256 { try take("a number") { $0.asUInt256 } }
    /// In two's complement.
    mutating func signed() throws(CCIPError) -> U256 {
        try take("a signed number") { if case .int(let word) = $0 { word } else { nil } }
    }
    mutating func uint64() throws(CCIPError) -> UInt64 { try take("a uint64") { $0.asUInt64 } }
    mutating func uint32() throws(CCIPError) -> UInt32 {
        try take("a uint32") { $0.asUInt64.flatMap { UInt32(exactly: $0) } }
    }
    mutating func uint16() throws(CCIPError) -> UInt16 {
        try take("a uint16") { $0.asUInt64.flatMap { UInt16(exactly: $0) } }
    }
    mutating func uint8() throws(CCIPError) -> UInt8 {
        try take("a uint8") { $0.asUInt64.flatMap { UInt8(exactly: $0) } }
    }
    mutating func uint224() throws(CCIPError) -> UInt224 {
        try take("a uint224") { $0.asUInt256.flatMap { UInt224($0) } }
    }
    mutating func selector() throws(CCIPError) -> ChainSelector { ChainSelector(try uint64()) }
    mutating func sequenceNumber() throws(CCIPError) -> SequenceNumber { SequenceNumber(try uint64()) }
    mutating func address() throws(CCIPError) -> Address { try take("an address") { $0.asAddress } }
    mutating func bool() throws(CCIPError) -> Bool { try take("a bool") { $0.asBool } }
    mutating func bytes() throws(CCIPError) -> Bytes { try take("bytes") { $0.asBytes } }
    mutating func hash() throws(CCIPError) -> Hash32 { try take("32 bytes") { $0.asHash32 } }
    mutating func string() throws(CCIPError) -> String { try take("text") { $0.asString } }
    mutating func list() throws(CCIPError) -> [ABIValue] { try take("a list") { $0.asList } }

    /// A cursor over the members of the next tuple.
    mutating func tuple() throws(CCIPError) -> ABICursor { ABICursor(try list(), code, what) }

    /// The next array, each element read by `read`.
    mutating func array<Element>(
        _ read: (inout ABICursor) throws(CCIPError) -> Element
    ) throws(CCIPError) -> [Element] {
        var elements: [Element] = []
        for item in try list() {
            var cursor = ABICursor([item], code, what)
            elements.append(try read(&cursor))
        }
        return elements
    }
}
