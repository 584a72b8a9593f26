// A recorded conversation with a node, as Ethereum's execution-apis keep them: requests, answers, and whether an answer
// is to be compared or only checked against the schema.

import Ethereum
import Foundation
import TestSupport

struct RPCConversation {
    struct Exchange {
        let method: String
        let parameters: JSON
        let answer: JSON
    }

    let name: String
    /// Only the schema says what an answer must be.
    let isSpecificationOnly: Bool
    let exchanges: [Exchange]

    init(_ url: URL) throws {
        name = "\(url.deletingLastPathComponent().lastPathComponent)/\(url.lastPathComponent)"
        let text = try String(contentsOf: url, encoding: .utf8)
        isSpecificationOnly = text.contains("// speconly:")
        var exchanges: [Exchange] = []
        var asked: JSON?
        for line in text.split(separator: "\n") {
            if line.hasPrefix(">> ") {
                asked = try JSON.parse(String(line.dropFirst(3)))
            } else if line.hasPrefix("<< "), let request = asked {
                exchanges.append(
                    Exchange(
                        method: request["method"]?.asString ?? "", parameters: request["params"] ?? [],
                        answer: try JSON.parse(String(line.dropFirst(3)))))
                asked = nil
            }
        }
        self.exchanges = exchanges
    }
}

enum JSONDifference {
    private static func sorted(_ value: JSON) -> JSON {
        value.asArray.map { .array($0.sorted { $0.text < $1.text }) } ?? value
    }

    /// The first place where `found` is not `expected`; nil where they agree. Members that `found` has beyond are
    /// differences unless `allowed` names them.
    static func first(_ expected: JSON, _ found: JSON, allowing allowed: Set<String>, at place: String = "result") -> String?
    {
        switch (expected, found) {
        case (.object(let a), .object(let b)):
            for (name, value) in a.members {
                guard var other = b[name] else { return "\(place).\(name) is missing" }
                var value = value
                // go-ethereum lists the keys of an account in the order of a map, which is another one each time.
                if name == "storageKeys" { (value, other) = (sorted(value), sorted(other)) }
                if let difference = first(value, other, allowing: allowed, at: "\(place).\(name)") { return difference }
            }
            let extra = b.names.first { a[$0] == nil && !allowed.contains($0) }
            return extra.map { "\(place).\($0) is too much" }
        case (.array(let a), .array(let b)):
            guard a.count == b.count else { return "\(place) has \(b.count) items, not \(a.count)" }
            for (index, pair) in zip(a, b).enumerated() {
                if let difference = first(pair.0, pair.1, allowing: allowed, at: "\(place)[\(index)]") {
                    return difference
                }
            }
            return nil
        default:
            return expected == found
                ? nil : "\(place) is \(found.text.prefix(100)), expected \(expected.text.prefix(100))"
        }
    }
}
