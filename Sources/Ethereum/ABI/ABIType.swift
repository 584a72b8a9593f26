// The types of the contract ABI (Solidity ABI specification, "Formal specification of the encoding") and their text.

/// One ABI type.
package indirect enum ABIType: Hashable, Sendable {
    case uint(Int)
    case int(Int)
    case address
    case bool
    case fixedBytes(Int)
    case bytes
    case string
    case array(ABIType)
    case fixedArray(ABIType, Int)
    case tuple([ABIType])

    /// Reads canonical text such as `(uint64,bytes)[2][]`; throws `malformedABI` naming the text.
    package init(_ text: String) throws(EthereumError) {
        var parser = ABITypeParser(text)
        self = try parser.parseWhole()
    }

    /// The canonical text, as it stands in signatures.
    package var canonical: String {
        switch self {
        case .uint(let bits): "uint\(bits)"
        case .int(let bits): "int\(bits)"
        case .address: "address"
        case .bool: "bool"
        case .fixedBytes(let count): "bytes\(count)"
        case .bytes: "bytes"
        case .string: "string"
        case .array(let element): element.canonical + "[]"
        case .fixedArray(let element, let count): element.canonical + "[\(count)]"
        case .tuple(let members): "(" + members.map(\.canonical).joined(separator: ",") + ")"
        }
    }

    /// True when the value stands behind an offset.
    package var isDynamic: Bool {
        switch self {
        case .bytes, .string, .array: true
        case .fixedArray(let element, _): element.isDynamic
        case .tuple(let members): members.contains(where: \.isDynamic)
        default: false
        }
    }

    /// Bytes that the type takes in the head of its container.
    package var headSize: Int {
        if isDynamic { return 32 }
        switch self {
        case .fixedArray(let element, let count): return element.headSize * count
        case .tuple(let members): return members.reduce(0) { $0 + $1.headSize }
        default: return 32
        }
    }
}

/// Recursive descent over type text; its depth is bounded by `Limits.abiDepthMaximum`.
struct ABITypeParser {
    private let text: String
    private let characters: [Character]
    private var at = 0

    init(_ text: String) {
        self.text = text
        characters = Array(text)
    }

    mutating func parseWhole() throws(EthereumError) -> ABIType {
        let type = try parse(depth: 0)
        guard at == characters.count else { throw malformed("unexpected '\(characters[at])'") }
        return type
    }

    private mutating func parse(depth: Int) throws(EthereumError) -> ABIType {
        guard depth < Limits.abiDepthMaximum else { throw malformed("nested deeper than \(Limits.abiDepthMaximum)") }
        var type: ABIType
        if at < characters.count, characters[at] == "(" {
            type = .tuple(try members(depth: depth))
        } else {
            type = try elementary()
        }
        var suffixes = 0
        while at < characters.count, characters[at] == "[" {
            suffixes += 1
            guard suffixes < Limits.abiDepthMaximum else { throw malformed("too many array suffixes") }
            type = try arraySuffix(of: type)
        }
        return type
    }

    private mutating func members(depth: Int) throws(EthereumError) -> [ABIType] {
        at += 1
        var result: [ABIType] = []
        if at < characters.count, characters[at] == ")" {
            at += 1
            return result
        }
        while true {
            result.append(try parse(depth: depth + 1))
            guard at < characters.count else { throw malformed("missing ')'") }
            at += 1
            if characters[at - 1] == ")" { return result }
            guard characters[at - 1] == "," else { throw malformed("expected ',' or ')'") }
        }
    }

    private mutating func arraySuffix(of element: ABIType) throws(EthereumError) -> ABIType {
        at += 1
        var digits = ""
        while at < characters.count, characters[at] != "]" {
            digits.append(characters[at])
            at += 1
        }
        guard at < characters.count else { throw malformed("missing ']'") }
        at += 1
        if digits.isEmpty { return .array(element) }
        guard let count = Int(digits), count > 0, count <= Limits.abiElementsMaximum else {
            throw malformed("array length '\(digits)'")
        }
        // Arrays of arrays multiply: without this bound the size of one could not even be counted.
        guard element.headSize <= 32 * Limits.abiElementsMaximum / count else {
            throw EthereumError(.limitExceeded, "an ABI type of more than \(Limits.abiElementsMaximum) words in place")
        }
        return .fixedArray(element, count)
    }

    private mutating func elementary() throws(EthereumError) -> ABIType {
        var name = ""
        while at < characters.count, characters[at].isLetter || characters[at].isNumber {
            name.append(characters[at])
            at += 1
        }
        switch name {
        case "address": return .address
        case "bool": return .bool
        case "bytes": return .bytes
        case "string": return .string
        case "uint": return .uint(256)
        case "int": return .int(256)
        default: break
        }
        if name.hasPrefix("uint"), let bits = Self.bits(name.dropFirst(4)) { return .uint(bits) }
        if name.hasPrefix("int"), let bits = Self.bits(name.dropFirst(3)) { return .int(bits) }
        if name.hasPrefix("bytes"), let count = Int(name.dropFirst(5)), (1...32).contains(count) {
            return .fixedBytes(count)
        }
        throw malformed("'\(name)' is no ABI type")
    }

    private static func bits(_ digits: Substring) -> Int? {
        guard let bits = Int(digits), bits > 0, bits <= 256, bits % 8 == 0 else { return nil }
        return bits
    }

    private func malformed(_ why: String) -> EthereumError {
        EthereumError(.malformedABI, "type '\(text.prefix(120))': \(why)")
    }
}
