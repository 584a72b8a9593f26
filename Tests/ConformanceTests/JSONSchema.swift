// As much of JSON Schema as the OpenRPC document of Ethereum's execution-apis uses. A keyword that is not known stops the
// check, so that nothing passes unread.

import Ethereum

struct JSONSchema {
    struct Mismatch: Error, CustomStringConvertible {
        let description: String
    }

    let schema: JSON

    /// Throws where the value breaks the schema, with the place.
    func check(_ value: JSON, at place: String = "result") throws {
        switch schema {
        case .bool(true): return
        case .bool(false): throw Mismatch(description: "\(place): nothing may stand here")
        default: break
        }
        for (keyword, rule) in schema.asObject?.members ?? [] {
            try check(keyword, rule, value, place)
        }
    }

    private func check(_ keyword: String, _ rule: JSON, _ value: JSON, _ place: String) throws {
        switch keyword {
        case "title", "description", "examples": return
        case "type": try checkType(rule, value, place)
        case "pattern":
            guard let text = value.asString, let pattern = rule.asString else { return }
            guard text.contains(try Regex(pattern)) else {
                throw Mismatch(description: "\(place): '\(text.prefix(80))' does not match \(pattern)")
            }
        case "enum":
            guard rule.asArray?.contains(value) ?? false else {
                throw Mismatch(description: "\(place): \(value.text.prefix(80)) is none of \(rule.text)")
            }
        case "const":
            guard rule == value else {
                throw Mismatch(description: "\(place): \(value.text.prefix(80)) is not \(rule.text)")
            }
        case "minimum", "maximum":
            guard case .number(let text) = value, let number = Double(text), case .number(let bound) = rule,
                let limit = Double(bound)
            else { return }
            guard keyword == "minimum" ? number >= limit : number <= limit else {
                throw Mismatch(description: "\(place): \(text) is past the \(keyword) \(bound)")
            }
        case "required":
            guard let object = value.asObject else { return }
            for name in rule.asArray ?? [] where object[name.asString ?? ""] == nil {
                throw Mismatch(description: "\(place): the member \(name.text) is missing")
            }
        case "properties":
            guard let object = value.asObject else { return }
            for (name, part) in rule.asObject?.members ?? [] {
                if let member = object[name] { try JSONSchema(schema: part).check(member, at: "\(place).\(name)") }
            }
        case "additionalProperties": try checkAdditional(rule, value, place)
        case "items":
            for (index, item) in (value.asArray ?? []).enumerated() {
                try JSONSchema(schema: rule).check(item, at: "\(place)[\(index)]")
            }
        case "oneOf": try checkChoices(rule, value, place, exactlyOne: true)
        case "anyOf": try checkChoices(rule, value, place, exactlyOne: false)
        default: throw Mismatch(description: "\(place): the schema's keyword '\(keyword)' is not known here")
        }
    }

    private func checkType(_ rule: JSON, _ value: JSON, _ place: String) throws {
        let allowed = rule.asArray?.compactMap(\.asString) ?? [rule.asString ?? ""]
        let isType = allowed.contains { type in
            switch (type, value) {
            case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array), ("object", .object),
                ("number", .number):
                true
            case ("integer", .number(let text)): Double(text)?.rounded() == Double(text)
            default: false
            }
        }
        guard isType else {
            throw Mismatch(description: "\(place): \(value.text.prefix(80)) is no \(allowed.joined(separator: " or "))")
        }
    }

    private func checkAdditional(_ rule: JSON, _ value: JSON, _ place: String) throws {
        guard let object = value.asObject else { return }
        let known = schema["properties"]?.asObject
        for (name, member) in object.members where known?[name] == nil {
            try JSONSchema(schema: rule).check(member, at: "\(place).\(name)")
        }
    }

    private func checkChoices(_ rule: JSON, _ value: JSON, _ place: String, exactlyOne: Bool) throws {
        var reasons: [String] = []
        var count = 0
        for choice in rule.asArray ?? [] {
            do {
                try JSONSchema(schema: choice).check(value, at: place)
                count += 1
            } catch let mismatch as Mismatch {
                reasons.append(mismatch.description)
            }
        }
        guard count == 1 || (count > 1 && !exactlyOne) else {
            throw Mismatch(description: "\(place): fits \(count) choices: \(reasons.joined(separator: "; "))")
        }
    }
}
