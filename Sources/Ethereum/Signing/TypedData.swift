// EIP-712: digests of structured data, from the JSON of eth_signTypedData_v4. The encoding of values is in
// TypedData+Encoding.swift.

/// A typed-data document: struct types, a domain, and one message.
package struct TypedData: Sendable {
    struct Member: Hashable, Sendable {
        let name: String
        let type: FieldType
    }

    /// The type of a field.
    indirect enum FieldType: Hashable, Sendable {
        case uint(bits: Int)
        case int(bits: Int)
        case bool
        case address
        case fixedBytes(Int)
        case bytes
        case string
        /// A nil count is an array of any length.
        case array(FieldType, count: Int?)
        case structure(String)

        /// The struct under all arrays.
        var structureName: String? {
            var type = self
            while case .array(let element, _) = type { type = element }
            if case .structure(let name) = type { return name }
            return nil
        }

        var text: String {
            switch self {
            case .uint(let bits): "uint\(bits)"
            case .int(let bits): "int\(bits)"
            case .bool: "bool"
            case .address: "address"
            case .fixedBytes(let count): "bytes\(count)"
            case .bytes: "bytes"
            case .string: "string"
            case .array(let element, let count): element.text + "[" + (count.map(String.init) ?? "") + "]"
            case .structure(let name): name
            }
        }
    }

    let types: [String: [Member]]
    package let primaryType: String
    let domain: JSON
    let message: JSON

    /// Reads the document `{types, primaryType, domain, message}`; throws `malformedJSON` or `limitExceeded`.
    package init(json: JSON) throws(EthereumError) {
        guard let declared = json["types"]?.asObject else { throw Self.malformed("there is no object 'types'") }
        guard declared.members.count <= Limits.typedDataTypesMaximum else {
            throw EthereumError(.limitExceeded, "typed data has at most \(Limits.typedDataTypesMaximum) types")
        }
        guard let primary = json["primaryType"]?.asString, declared[primary] != nil else {
            throw Self.malformed("'primaryType' is none of the types")
        }
        guard declared["EIP712Domain"] != nil else { throw Self.malformed("'types' has no EIP712Domain") }
        guard let domain = json["domain"], domain.asObject != nil else {
            throw Self.malformed("there is no object 'domain'")
        }
        var types: [String: [Member]] = [:]
        let names = Set(declared.names)
        for (name, value) in declared.members { types[name] = try Self.members(of: name, value, names) }
        self.types = types
        self.primaryType = primary
        self.domain = domain
        self.message = json["message"] ?? .object(JSONObject())
    }

    /// keccak(0x1901 || domain separator || hash of the message): what is signed.
    package var digest: Hash32 {
        get throws(EthereumError) {
            var bytes: Bytes = [0x19, 0x01] + (try domainSeparator).bytes
            if primaryType != "EIP712Domain" { bytes += try messageHash.bytes }
            return keccak256(bytes)
        }
    }

    package var domainSeparator: Hash32 {
        get throws(EthereumError) { try hashStruct("EIP712Domain", domain, depth: 0) }
    }

    package var messageHash: Hash32 {
        get throws(EthereumError) { try hashStruct(primaryType, message, depth: 0) }
    }

    /// `Mail(Person from,Person to,string contents)Person(string name,address wallet)`: the struct, then those that it
    /// uses, sorted.
    package func encodeType(_ name: String) -> String {
        var seen: Set<String> = [name]
        var open = [name]
        while let next = open.popLast() {
            for used in types[next, default: []].compactMap(\.type.structureName) where seen.insert(used).inserted {
                open.append(used)
            }
        }
        seen.remove(name)
        return ([name] + seen.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }).map { name in
            name + "(" + types[name, default: []].map { "\($0.type.text) \($0.name)" }.joined(separator: ",") + ")"
        }.joined()
    }

    static func malformed(_ why: String) -> EthereumError {
        EthereumError(.malformedJSON, "no EIP-712 typed data: \(why)")
    }
}

// MARK: - Types

extension TypedData {
    private static func members(
        of name: String, _ json: JSON, _ names: Set<String>
    ) throws(EthereumError) -> [Member] {
        guard isName(name) else { throw malformed("'\(name.prefix(60))' is no name of a type") }
        guard let items = json.asArray else { throw malformed("type '\(name)' is no array of fields") }
        var members: [Member] = []
        var seen: Set<String> = []
        for item in items {
            guard let field = item["name"]?.asString, let text = item["type"]?.asString, isName(field) else {
                throw malformed("a field of '\(name)' has no name and type")
            }
            guard seen.insert(field).inserted else { throw malformed("'\(name)' has the field '\(field)' twice") }
            guard let type = fieldType(text, names) else {
                throw malformed("field '\(field)' of '\(name)' has an unknown type '\(text.prefix(60))'")
            }
            members.append(Member(name: field, type: type))
        }
        return members
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 256
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"), UInt8(ascii: "$"): true
                default: false
                }
            }
    }

    /// The type of a text like `Person[2][]`; nil when it is none.
    private static func fieldType(_ text: String, _ names: Set<String>) -> FieldType? {
        let base = text.prefix { $0 != "[" }
        guard var type = names.contains(String(base)) ? .structure(String(base)) : elementary(String(base)) else {
            return nil
        }
        var rest = text[base.endIndex...]
        var depth = 0
        while !rest.isEmpty {
            guard rest.first == "[", let close = rest.firstIndex(of: "]"), depth < Limits.typedDataDepthMaximum else {
                return nil
            }
            let digits = rest[rest.index(after: rest.startIndex)..<close]
            if digits.isEmpty {
                type = .array(type, count: nil)
            } else {
                guard digits.first != "0", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                    let count = Int(digits)
                else { return nil }
                type = .array(type, count: count)
            }
            rest = rest[rest.index(after: close)...]
            depth += 1
        }
        return type
    }

    private static func elementary(_ text: String) -> FieldType? {
        switch text {
        case "bool": return .bool
        case "address": return .address
        case "string": return .string
        case "bytes": return .bytes
        default: break
        }
        func size(_ prefix: String) -> Int? {
            guard text.hasPrefix(prefix) else { return nil }
            let digits = text.dropFirst(prefix.count)
            guard digits.first != "0", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return Int(digits)
        }
        if let bits = size("uint"), (8...256).contains(bits), bits % 8 == 0 { return .uint(bits: bits) }
        if let bits = size("int"), (8...256).contains(bits), bits % 8 == 0 { return .int(bits: bits) }
        if let count = size("bytes"), (1...32).contains(count) { return .fixedBytes(count) }
        return nil
    }
}
