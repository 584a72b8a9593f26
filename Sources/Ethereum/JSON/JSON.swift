// JSON as a value. Numbers keep their text, so that no integer loses digits; objects keep their order.

/// One JSON value.
package indirect enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The text of a number, as it stood.
    case number(String)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

/// Members in the order in which they stood; no name twice.
package struct JSONObject: Hashable, Sendable {
    package private(set) var members: [(name: String, value: JSON)] = []
    /// Positions by name, kept only once an object is large enough for it to pay.
    private var index: [String: Int] = [:]

    package init() {}

    package init(_ members: [(String, JSON)]) {
        for (name, value) in members { self[name] = value }
    }

    package subscript(name: String) -> JSON? {
        get { position(of: name).map { members[$0].value } }
        set {
            if let at = position(of: name) {
                if let newValue { members[at].value = newValue } else { remove(at: at) }
            } else if let newValue {
                members.append((name, newValue))
                if members.count == 9 { reindex() } else if members.count > 9 { index[name] = members.count - 1 }
            }
        }
    }

    package var names: [String] { members.map(\.name) }
    package var isEmpty: Bool { members.isEmpty }

    private func position(of name: String) -> Int? {
        members.count > 8 ? index[name] : members.firstIndex { $0.name == name }
    }

    private mutating func remove(at position: Int) {
        members.remove(at: position)
        reindex()
    }

    private mutating func reindex() {
        index = [:]
        guard members.count > 8 else { return }
        for (at, member) in members.enumerated() { index[member.name] = at }
    }

    package static func == (a: JSONObject, b: JSONObject) -> Bool {
        a.members.count == b.members.count && a.members.allSatisfy { b[$0.name] == $0.value }
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(members.count) }
}

// MARK: - Building

extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .number(String(value)) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) { self = .object(JSONObject(elements)) }
    package init(nilLiteral: ()) { self = .null }

    package static func integer(_ value: some BinaryInteger) -> JSON { .number(String(value)) }
    /// A JSON-RPC quantity: minimal hexadecimal.
    package static func quantity(_ value: UInt64) -> JSON { .string(U256(value).hex) }
    package static func quantity(_ value: U256) -> JSON { .string(value.hex) }
    /// JSON-RPC data: `0x` and two digits a byte.
    package static func data(_ value: some Collection<UInt8>) -> JSON { .string(Hex.encode(value)) }
    package static func hash(_ value: Hash32) -> JSON { .string(value.hex) }
    package static func address(_ value: Address) -> JSON { .string(value.hex) }
}

// MARK: - Reading

extension JSON {
    package subscript(name: String) -> JSON? { if case .object(let object) = self { object[name] } else { nil } }
    package subscript(position: Int) -> JSON? {
        if case .array(let items) = self, items.indices.contains(position) { items[position] } else { nil }
    }
    package var asString: String? { if case .string(let text) = self { text } else { nil } }
    package var asBool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    package var asArray: [JSON]? { if case .array(let items) = self { items } else { nil } }
    package var asObject: JSONObject? { if case .object(let object) = self { object } else { nil } }
    package var asInt: Int? { if case .number(let text) = self { Int(text) } else { nil } }
    package var isNull: Bool { self == .null }
    /// A number that stands as a JSON integer, or as decimal or hexadecimal text.
    package var asUInt256: U256? {
        switch self {
        case .number(let text), .string(let text): try? U256(text: text)
        default: nil
        }
    }
    package var asUInt64: UInt64? { asUInt256?.asUInt64 }
}
