// The parameters of one call, read by position. Whatever is wrong answers -32602 and names the position and what would
// be right.

import EVM
import Ethereum
import JSONRPC

struct Parameters: Sendable {
    private let items: [JSON]

    init(_ json: JSON) throws(JSONRPCError) {
        switch json {
        case .array(let items): self.items = items
        case .null: items = []
        default: throw .invalidParams("expected an array")
        }
    }

    var count: Int { items.count }

    /// The value at a position; nil when it is missing or null.
    subscript(position: Int) -> JSON? {
        guard items.indices.contains(position), !items[position].isNull else { return nil }
        return items[position]
    }

    func required(_ position: Int, _ what: String) throws(JSONRPCError) -> JSON {
        guard let value = self[position] else {
            throw .invalidParams("missing value for required argument \(position): \(what)")
        }
        return value
    }

    // MARK: Single values

    func address(_ position: Int) throws(JSONRPCError) -> Address {
        try Self.address(required(position, "an address"), "argument \(position)")
    }

    func hash(_ position: Int) throws(JSONRPCError) -> Hash32 {
        try Self.hash(required(position, "a hash"), "argument \(position)")
    }

    func data(_ position: Int) throws(JSONRPCError) -> Bytes {
        try Self.data(required(position, "data"), "argument \(position)")
    }

    func quantity(_ position: Int) throws(JSONRPCError) -> U256 {
        try Self.quantity(required(position, "a quantity"), "argument \(position)")
    }

    func uint64(_ position: Int) throws(JSONRPCError) -> UInt64 {
        try Self.uint64(required(position, "a quantity"), "argument \(position)")
    }

    func uint64(_ position: Int, default value: UInt64) throws(JSONRPCError) -> UInt64 {
        self[position] == nil ? value : try uint64(position)
    }

    func bool(_ position: Int, default value: Bool? = nil) throws(JSONRPCError) -> Bool {
        if self[position] == nil, let value { return value }
        guard let flag = try required(position, "true or false").asBool else {
            throw .invalidParams("argument \(position): expected true or false")
        }
        return flag
    }

    /// A slot of a storage: hexadecimal of up to 32 bytes, in full or as a quantity.
    func slot(_ position: Int) throws(JSONRPCError) -> U256 {
        try Self.slot(required(position, "a storage slot"), "argument \(position)")
    }

    /// A tag, a number, a hash of 32 bytes, or `{blockHash | blockNumber}` (EIP-1898); `latest` when it is missing.
    func block(_ position: Int) throws(JSONRPCError) -> BlockSelector {
        guard let value = self[position] else { return .latest }
        return try Self.block(value, "argument \(position)")
    }

    // MARK: From any JSON value

    static func block(_ value: JSON, _ place: String) throws(JSONRPCError) -> BlockSelector {
        if case .object(let object) = value {
            if let hash = object["blockHash"], !hash.isNull {
                guard object["blockNumber"]?.isNull ?? true else {
                    throw .invalidParams("\(place): blockHash and blockNumber exclude each other")
                }
                return .hash(try Self.hash(hash, "\(place).blockHash"))
            }
            guard let number = object["blockNumber"], !number.isNull else {
                throw .invalidParams("\(place): expected blockHash or blockNumber")
            }
            return try block(number.asString.map { .string($0) } ?? number, "\(place).blockNumber")
        }
        if case .number = value { return .number(try uint64(value, place)) }
        guard case .string(let text) = value else {
            throw .invalidParams("\(place): expected a block tag, number or hash")
        }
        switch text {
        case "latest": return .latest
        case "pending": return .pending
        case "earliest": return .earliest
        case "safe": return .safe
        case "finalized": return .finalized
        default: break
        }
        if text.utf8.count == 66 { return .hash(try hash(value, place)) }
        guard text.hasPrefix("0x"), let number = value.asUInt64 else {
            throw .invalidParams(
                "\(place): expected latest, pending, earliest, safe, finalized or a hexadecimal block number, got "
                    + shown(text))
        }
        return .number(number)
    }

    /// 20 bytes of hexadecimal; the case of letters says nothing here, as in Ethereum's nodes.
    static func address(_ value: JSON, _ place: String) throws(JSONRPCError) -> Address {
        guard let address = Address(bytes: try data(value, place, "an address of 20 bytes")) else {
            throw .invalidParams("\(place): expected an address of 20 bytes in hexadecimal")
        }
        return address
    }

    static func hash(_ value: JSON, _ place: String) throws(JSONRPCError) -> Hash32 {
        guard let hash = Hash32(bytes: try data(value, place, "32 bytes")) else {
            throw .invalidParams("\(place): expected 32 bytes in hexadecimal")
        }
        return hash
    }

    static func data(_ value: JSON, _ place: String, _ what: String = "data") throws(JSONRPCError) -> Bytes {
        guard let text = value.asString, text.hasPrefix("0x"), let bytes = try? Hex.decode(text) else {
            throw .invalidParams("\(place): expected \(what) as an even number of hexadecimal digits after 0x")
        }
        return bytes
    }

    static func quantity(_ value: JSON, _ place: String) throws(JSONRPCError) -> U256 {
        if case .string(let text) = value, text == "0x" { return .zero }
        guard let number = value.asUInt256 else {
            throw .invalidParams("\(place): expected a whole number below 2^256, hexadecimal after 0x or decimal")
        }
        return number
    }

    static func uint64(_ value: JSON, _ place: String) throws(JSONRPCError) -> UInt64 {
        guard let number = try quantity(value, place).asUInt64 else {
            throw .invalidParams("\(place): expected a whole number below 2^64")
        }
        return number
    }

    static func slot(_ value: JSON, _ place: String) throws(JSONRPCError) -> U256 {
        if let text = value.asString, value != "0x", value.asUInt256 == nil || text.utf8.count > 66 {
            throw .invalidParams("\(place): unable to decode storage key: expected at most 32 bytes in hexadecimal")
        }
        return try quantity(value, place)
    }

    static func shown(_ text: String) -> String { "'\(text.prefix(80))'" }
}

/// The members of an object parameter, read by name.
struct Members {
    let object: JSONObject
    let place: String

    init(_ value: JSON, _ place: String) throws(JSONRPCError) {
        guard case .object(let object) = value else { throw .invalidParams("\(place): expected an object") }
        self.object = object
        self.place = place
    }

    /// The value of a member; nil when it is missing or null.
    subscript(name: String) -> JSON? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    func path(_ name: String) -> String { "\(place).\(name)" }

    /// The member `name`, or the one that has another name for the same.
    func read<Value>(
        _ name: String, or other: String? = nil, _ convert: (JSON, String) throws(JSONRPCError) -> Value
    ) throws(JSONRPCError) -> Value? {
        if let value = self[name] { return try convert(value, path(name)) }
        guard let other, let value = self[other] else { return nil }
        return try convert(value, path(other))
    }

    func address(_ name: String, or other: String? = nil) throws(JSONRPCError) -> Address? {
        try read(name, or: other) { value, place throws(JSONRPCError) in try Parameters.address(value, place) }
    }

    func quantity(_ name: String, or other: String? = nil) throws(JSONRPCError) -> U256? {
        try read(name, or: other) { value, place throws(JSONRPCError) in try Parameters.quantity(value, place) }
    }

    func uint64(_ name: String, or other: String? = nil) throws(JSONRPCError) -> UInt64? {
        try read(name, or: other) { value, place throws(JSONRPCError) in try Parameters.uint64(value, place) }
    }

    func data(_ name: String, or other: String? = nil) throws(JSONRPCError) -> Bytes? {
        try read(name, or: other) { value, place throws(JSONRPCError) in try Parameters.data(value, place) }
    }

    func hash(_ name: String, or other: String? = nil) throws(JSONRPCError) -> Hash32? {
        try read(name, or: other) { value, place throws(JSONRPCError) in try Parameters.hash(value, place) }
    }

    /// False when it is missing.
    func flag(_ name: String) throws(JSONRPCError) -> Bool {
        guard let value = self[name] else { return false }
        guard let flag = value.asBool else { throw .invalidParams("\(path(name)): expected true or false") }
        return flag
    }

    func list(_ name: String, atMost limit: Int) throws(JSONRPCError) -> [JSON]? {
        guard let value = self[name] else { return nil }
        guard let items = value.asArray else { throw .invalidParams("\(path(name)): expected an array") }
        guard items.count <= limit else { throw .limitExceeded("\(path(name)): at most \(limit) entries") }
        return items
    }
}
