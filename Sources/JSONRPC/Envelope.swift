// The JSON-RPC 2.0 wire format, both directions: requests in and out, answers in and out. Pure.
// No method is known here, and no socket.

import Ethereum

/// One call as it came in.
struct IncomingCall: Equatable, Sendable {
    /// As sent; nil makes it a notification, which is never answered.
    let id: JSON?
    let method: String
    /// An array or an object.
    let parameters: JSON

    /// Methods after whose answer the first notification must come (`eth_subscribe` and its kin).
    var isSubscribing: Bool { method.hasSuffix("_subscribe") }
}

/// One element of a request: a call, or what is wrong with it.
enum IncomingEntry: Equatable, Sendable {
    case call(IncomingCall)
    case malformed(id: JSON, JSONRPCError)

    var isSubscribing: Bool { if case .call(let call) = self { call.isSubscribing } else { false } }
}

/// One request body or WebSocket message.
enum IncomingMessage: Equatable, Sendable {
    case single(IncomingEntry)
    case batch([IncomingEntry])
    /// Refused as a whole, answered with id null.
    case refused(JSONRPCError)

    var isSubscribing: Bool {
        switch self {
        case .single(let entry): entry.isSubscribing
        case .batch(let entries): entries.contains(where: \.isSubscribing)
        case .refused: false
        }
    }

    /// The methods that it calls, in their order.
    var methods: [String] {
        switch self {
        case .single(.call(let call)): [call.method]
        case .batch(let entries): entries.compactMap { if case .call(let call) = $0 { call.method } else { nil } }
        case .single(.malformed), .refused: []
        }
    }

    /// A batch whose calls carry the id of the call after them, the last one that of the first.
    var withMixedIDs: IncomingMessage {
        guard case .batch(let entries) = self else { return self }
        let ids = entries.compactMap { if case .call(let call) = $0 { call.id } else { nil } }
        guard ids.count > 1 else { return self }
        var next = 1
        return .batch(
            entries.map { entry in
                guard case .call(let call) = entry, call.id != nil else { return entry }
                let id = ids[next % ids.count]
                next += 1
                return .call(IncomingCall(id: id, method: call.method, parameters: call.parameters))
            })
    }

    /// Reads a message; never fails, what is wrong with it is in the result.
    static func read(_ bytes: [UInt8], batchCallsMaximum: Int) -> IncomingMessage {
        let value: JSON
        do { value = try JSON.parse(bytes) } catch { return .refused(.parseError(error.message)) }
        guard case .array(let elements) = value else { return .single(entry(value)) }
        guard !elements.isEmpty else { return .refused(.invalidRequest("an empty batch")) }
        guard elements.count <= batchCallsMaximum else {
            return .refused(.limitExceeded("a batch of \(elements.count) calls; at most \(batchCallsMaximum)"))
        }
        return .batch(elements.map(entry))
    }

    private static func entry(_ value: JSON) -> IncomingEntry {
        guard case .object(let object) = value else {
            return .malformed(id: .null, .invalidRequest("a call must be an object"))
        }
        var version: JSON?
        var id: JSON?
        var method: JSON?
        var parameters: JSON?
        for member in object.members {
            switch member.name {
            case "jsonrpc": version = member.value
            case "id": id = member.value
            case "method": method = member.value
            case "params": parameters = member.value
            default: break
            }
        }
        switch id {
        case .array, .object: return .malformed(id: .null, .invalidRequest("the id must be a number, text or null"))
        default: break
        }
        guard version?.asString == "2.0" else {
            return .malformed(id: id ?? .null, .invalidRequest("\"jsonrpc\" must be \"2.0\""))
        }
        guard let method = method?.asString, !method.isEmpty else {
            return .malformed(id: id ?? .null, .invalidRequest("\"method\" must be text"))
        }
        switch parameters {
        case nil, .null: return .call(IncomingCall(id: id, method: method, parameters: .array([])))
        case .some(let given):
            switch given {
            case .array, .object: return .call(IncomingCall(id: id, method: method, parameters: given))
            default: return .malformed(id: id ?? .null, .invalidRequest("\"params\" must be an array or an object"))
            }
        }
    }
}

/// Finished text of answers, calls and notifications.
enum WireText {
    static func append(_ result: Result<JSON, JSONRPCError>, id: JSON, to out: inout [UInt8]) {
        out += #"{"jsonrpc":"2.0","id":"#.utf8
        out += id.bytes
        switch result {
        case .success(let value):
            out += #","result":"#.utf8
            out += value.bytes
        case .failure(let error):
            out += #","error":"#.utf8
            out += error.json.bytes
        }
        out.append(UInt8(ascii: "}"))
    }

    static func notification(_ method: String, _ parameters: JSON) -> [UInt8] {
        var out = Array(#"{"jsonrpc":"2.0","method":"#.utf8)
        out += JSON.string(method).bytes
        out += #","params":"#.utf8
        out += parameters.bytes
        out.append(UInt8(ascii: "}"))
        return out
    }

    static func appendCall(id: UInt64, _ method: String, _ parameters: [JSON], to out: inout [UInt8]) {
        out += #"{"jsonrpc":"2.0","id":"#.utf8
        out += String(id).utf8
        out += #","method":"#.utf8
        out += JSON.string(method).bytes
        out += #","params":"#.utf8
        out += JSON.array(parameters).bytes
        out.append(UInt8(ascii: "}"))
    }
}

/// One element of an answer, as a client reads it.
struct IncomingAnswer: Sendable {
    /// Nil when the server answered with id null or with an id that is not ours.
    let id: UInt64?
    let result: Result<JSON, JSONRPCError>

    /// Reads an answer object; nil when it is none.
    static func read(_ value: JSON) -> IncomingAnswer? {
        guard case .object(let object) = value, object["method"] == nil else { return nil }
        var id: UInt64?
        if case .number(let text) = object["id"] { id = UInt64(text) }
        if let error = object["error"], !error.isNull {
            guard let code = error["code"]?.asInt else { return nil }
            let message = error["message"]?.asString ?? ""
            return IncomingAnswer(
                id: id, result: .failure(JSONRPCError(code: code, message: message, data: error["data"])))
        }
        guard let result = object["result"] else { return nil }
        return IncomingAnswer(id: id, result: .success(result))
    }
}
