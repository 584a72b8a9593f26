// A fault rule as causeway_setFaults takes it and causeway_getFaults shows it. Unknown words are refused with the
// nearest known one.

import Configuration
import Ethereum
import JSONRPC

extension FaultRule {
    private enum Name {
        static let shared = ["method", "kind", "every", "probability", "seed", "count", "calls"]
        static let members: [(kind: String, members: [String])] = [
            ("delay", ["milliseconds"]), ("drop", ["close"]), ("error", ["code", "message"]),
            ("http429", ["retryAfterSeconds"]), ("http500", []), ("staleHead", ["blocks"]),
            ("missingLogs", ["nth", "block"]), ("wrongBlockNumber", ["offset"]), ("lyingFinalized", ["blocks"]),
        ]
    }

    /// - Parameter place: where it stands, for messages.
    init(_ json: JSON, _ place: String) throws(JSONRPCError) {
        let members = try Members(json, place)
        guard let name = members["kind"]?.asString else { throw .invalidParams("\(place).kind: missing: what happens") }
        guard let known = Name.members.first(where: { $0.kind == name }) else {
            throw .invalidParams(
                "\(place).kind: \(Parameters.shown(name)) is none\(Self.hint(name, Name.members.map(\.kind)))")
        }
        let allowed = Name.shared + known.members
        for name in members.object.names where !allowed.contains(name) {
            throw .invalidParams(
                "\(place): \(Parameters.shown(name)) is no member of \(known.kind)\(Self.hint(name, allowed))")
        }
        self.init(
            try Self.methods(members), try Self.kind(name, members), try Self.chance(members),
            count: try members.number("count", in: 1...(.max)), calls: try members.number("calls", in: 1...(.max)))
    }

    private static func hint(_ word: String, _ known: [String]) -> String {
        Nearest.of(word, among: known).map { "; did you mean '\($0)'?" }
            ?? "; there are \(known.joined(separator: ", "))"
    }

    private static func methods(_ members: Members) throws(JSONRPCError) -> String {
        guard let value = members["method"] else { return "*" }
        let place = members.path("method")
        guard let name = value.asString, !name.isEmpty else { throw .invalidParams("\(place): expected a method or *") }
        if name.hasSuffix("*") {
            guard name.dropLast().allSatisfy({ $0 != "*" }) else {
                throw .invalidParams("\(place): a star stands at the end, once")
            }
            return name
        }
        guard !isAdministration(name) else { throw .invalidParams("\(place): \(name) is never faulted") }
        guard Method.byName[name] != nil || name == pushName else {
            throw .invalidParams(
                "\(place): \(Parameters.shown(name)) is no method"
                    + (Nearest.of(name, among: Array(Method.byName.keys)).map { "; did you mean '\($0)'?" } ?? ""))
        }
        return name
    }

    private static func kind(_ name: String, _ members: Members) throws(JSONRPCError) -> Kind {
        switch name {
        case "delay":
            let milliseconds = try members.number("milliseconds", in: 0...Limits.faultDelayMillisecondsMaximum)
            return .delay(milliseconds: try members.needed(milliseconds, "milliseconds"))
        case "drop":
            guard let closes = members["close"] else { return .drop(closes: true) }
            guard let flag = closes.asBool else { throw .invalidParams("\(members.path("close")): true or false") }
            return .drop(closes: flag)
        case "error":
            let code = members["code"].map(\.asInt) ?? -32000
            guard let code else { throw .invalidParams("\(members.path("code")): expected a whole number") }
            let message = members["message"].map(\.asString) ?? "a fault that was asked for"
            guard let message else { throw .invalidParams("\(members.path("message")): expected text") }
            return .error(code: code, message: String(message.prefix(Limits.faultMessageCharactersMaximum)))
        case "http429":
            return .tooManyRequests(
                retryAfterSeconds: try members.number("retryAfterSeconds", in: 0...3_600) ?? 1)
        case "http500": return .serverError
        case "staleHead":
            let blocks = try members.number("blocks", in: 1...Limits.faultBlocksMaximum)
            return .staleHead(blocks: try members.needed(blocks, "blocks"))
        case "lyingFinalized":
            let blocks = try members.number("blocks", in: 1...Limits.faultBlocksMaximum)
            return .lyingFinality(blocks: try members.needed(blocks, "blocks"))
        case "missingLogs":
            if let block = try members.uint64("block") {
                guard members["nth"] == nil else { throw .invalidParams("\(members.place): nth or block, not both") }
                return .missingLogsOfBlock(block)
            }
            return .missingLogs(every: try members.number("nth", in: 1...(.max)) ?? 1)
        default:
            guard let offset = members["offset"]?.asInt, offset.magnitude <= Limits.faultBlocksMaximum else {
                throw .invalidParams(
                    "\(members.path("offset")): expected blocks from -\(Limits.faultBlocksMaximum) to "
                        + "\(Limits.faultBlocksMaximum)")
            }
            return .wrongBlockNumber(offset: Int64(offset))
        }
    }

    private static func chance(_ members: Members) throws(JSONRPCError) -> Chance {
        if let every = try members.number("every", in: 1...(.max)) {
            guard members["probability"] == nil else {
                throw .invalidParams("\(members.place): every or probability, not both")
            }
            return .every(every)
        }
        guard let share = members["probability"] else { return .always }
        guard case .number(let text) = share, let value = Double(text), (0...1).contains(value) else {
            throw .invalidParams("\(members.path("probability")): expected a number from 0 to 1")
        }
        return .probability(millionths: UInt64((value * 1_000_000).rounded()), seed: try members.uint64("seed") ?? 0)
    }

    var json: JSON {
        var object = JSONObject([("method", .string(methods))])
        switch kind {
        case .delay(let milliseconds):
            object["kind"] = "delay"
            object["milliseconds"] = .integer(milliseconds)
        case .drop(let closes):
            object["kind"] = "drop"
            object["close"] = .bool(closes)
        case .error(let code, let message):
            object["kind"] = "error"
            object["code"] = .integer(code)
            object["message"] = .string(message)
        case .tooManyRequests(let seconds):
            object["kind"] = "http429"
            object["retryAfterSeconds"] = .integer(seconds)
        case .serverError: object["kind"] = "http500"
        case .staleHead(let blocks):
            object["kind"] = "staleHead"
            object["blocks"] = .integer(blocks)
        case .missingLogs(let every):
            object["kind"] = "missingLogs"
            object["nth"] = .integer(every)
        case .missingLogsOfBlock(let number):
            object["kind"] = "missingLogs"
            object["block"] = .integer(number)
        case .wrongBlockNumber(let offset):
            object["kind"] = "wrongBlockNumber"
            object["offset"] = .integer(offset)
        case .lyingFinality(let blocks):
            object["kind"] = "lyingFinalized"
            object["blocks"] = .integer(blocks)
        }
        switch chance {
        case .always: break
        case .every(let n): object["every"] = .integer(n)
        case .probability(let millionths, let seed):
            object["probability"] = .number("\(Double(millionths) / 1_000_000)")
            object["seed"] = .integer(seed)
        }
        if let count { object["count"] = .integer(count) }
        if let calls { object["calls"] = .integer(calls) }
        return .object(object)
    }
}

extension FaultPlan.Armed {
    /// The rule with its counts.
    var json: JSON {
        guard case .object(var object) = rule.json else { return .null }
        object["seen"] = .integer(seen)
        object["struck"] = .integer(struck)
        object["spent"] = .bool(isSpent)
        return .object(object)
    }
}

extension Members {
    /// A whole number in a range; nil when it is missing.
    fileprivate func number(_ name: String, in range: ClosedRange<UInt64>) throws(JSONRPCError) -> UInt64? {
        guard let value = try uint64(name) else { return nil }
        guard range.contains(value) else {
            throw .invalidParams("\(path(name)): expected a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    fileprivate func needed(_ value: UInt64?, _ name: String) throws(JSONRPCError) -> UInt64 {
        guard let value else { throw .invalidParams("\(path(name)): missing") }
        return value
    }
}
