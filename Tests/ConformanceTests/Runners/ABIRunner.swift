// The contract ABI: arguments of the types that the suite uses, both ways.

import Ethereum

struct ABIRunner: FixtureRunner {
    func run(_ file: FixtureFile, _ tally: inout Tally) throws {
        for (name, test) in try file.cases() {
            tally.check("\(file.path) \(name)") {
                let types = try (try test.need("types").asArray ?? []).map { try ABIType($0.asString ?? "") }
                let arguments = try test.need("args").asArray ?? []
                try match("count of arguments", arguments.count, types.count)
                let values = try zip(types, arguments).map { try value($0.1, $0.0) }
                let bytes = try test.bytes("result")
                try match("encoding", try ABI.encode(values, as: types), bytes)
                try match("decoding", try ABI.decode(bytes, as: types), values)
            }
        }
    }

    /// Numbers stand as numbers, addresses as hex, fixed and dynamic bytes as text, arrays as arrays.
    private func value(_ json: JSON, _ type: ABIType) throws -> ABIValue {
        switch type {
        case .uint:
            guard let word = json.asUInt256 else { throw Mismatch("no number: \(json)") }
            return .uint(word)
        case .address: return .address(try Address(hex: json.asString ?? ""))
        case .bool: return .bool(json == true)
        case .string: return .string(json.asString ?? "")
        case .bytes, .fixedBytes: return .bytes(try bytes(json))
        case .array(let element): return .array(try items(json).map { try value($0, element) })
        case .fixedArray(let element, _): return .array(try items(json).map { try value($0, element) })
        default: throw Mismatch("the type \(type.canonical) is not in this suite")
        }
    }

    private func items(_ json: JSON) throws -> [JSON] {
        guard let items = json.asArray else { throw Mismatch("no list: \(json)") }
        return items
    }

    private func bytes(_ json: JSON) throws -> Bytes {
        let text = json.asString ?? ""
        return text.hasPrefix("0x") ? try Hex.decode(text) : Bytes(text.utf8)
    }
}
