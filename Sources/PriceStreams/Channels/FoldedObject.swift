// JSON objects as Go reads them: names without regard to case, but each once and none that is unknown.

import Ethereum

struct FoldedObject {
    private let members: [String: JSON]
    private let code: PriceStreamsError.Code

    /// `known` in lower case.
    init(_ value: JSON, known: [String], _ code: PriceStreamsError.Code) throws(PriceStreamsError) {
        guard let object = value.asObject else {
            throw PriceStreamsError(code, "no object", hint: "write { ... } here")
        }
        var members: [String: JSON] = [:]
        for (name, value) in object.members {
            let folded = name.lowercased()
            guard known.contains(folded) else {
                throw PriceStreamsError(code, "unknown name '\(name.prefix(60))'", hint: "known: \(known)")
            }
            guard members.updateValue(value, forKey: folded) == nil else {
                throw PriceStreamsError(code, "'\(name)' stands twice", hint: "names do not differ by case")
            }
        }
        self.members = members
        self.code = code
    }

    /// Nil for null too.
    subscript(name: String) -> JSON? {
        // JSON is nil-literal expressible: `nil` alone could become JSON's null here.
        guard let value = members[name], !value.isNull else { return Optional<JSON>.none }
        return value
    }

    func wrong(_ name: String, _ hint: String) -> PriceStreamsError {
        let found = members[name].map { String($0.text.prefix(80)) } ?? "nothing"
        return PriceStreamsError(code, "\(name): \(found)", hint: hint)
    }

    func unsigned(_ name: String, maximum: UInt64) throws(PriceStreamsError) -> UInt64? {
        guard let value = self[name] else { return nil }
        guard case .number(let text) = value, let number = UInt64(text), number <= maximum else {
            throw wrong(name, "a whole number, at most \(maximum)")
        }
        return number
    }

    func flag(_ name: String) throws(PriceStreamsError) -> Bool {
        guard let value = self[name] else { return false }
        guard let flag = value.asBool else { throw wrong(name, "true or false") }
        return flag
    }
}

extension JSON {
    /// The same value with the members of every object in the order of their names' bytes.
    var sortedByName: JSON {
        switch self {
        case .array(let items): .array(items.map(\.sortedByName))
        case .object(let object):
            .object(
                JSONObject(
                    object.members.map { ($0.name, $0.value.sortedByName) }
                        .sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }))
        default: self
        }
    }
}
