// How traces look in JSON, member for member as go-ethereum writes them.

import EVM
import Ethereum
import JSONRPC

enum TraceAnswers {
    // MARK: Opcodes

    static func opcodes(_ tracer: OpcodeLogger, _ result: ExecutionResult) -> JSON {
        let returned: Bytes
        if case .halt = result.status { returned = [] } else { returned = result.output }
        return [
            "gas": .integer(result.gasUsed), "failed": .bool(!result.succeeded), "returnValue": .data(returned),
            "structLogs": .array(tracer.entries.map(entry)),
        ]
    }

    private static func entry(_ entry: OpcodeLogger.Entry) -> JSON {
        var object = JSONObject([
            ("pc", .integer(entry.programCounter)), ("op", .string(OpcodeFacts.name(entry.opcode))),
            ("gas", .integer(entry.gas)), ("gasCost", .integer(entry.gasCost)), ("depth", .integer(entry.depth)),
        ])
        if let error = entry.error { object["error"] = .string(error) }
        if let stack = entry.stack { object["stack"] = .array(stack.map { .quantity($0) }) }
        if !entry.returnData.isEmpty { object["returnData"] = .data(entry.returnData) }
        if !entry.memory.isEmpty {
            object["memory"] = .array(
                stride(from: 0, to: entry.memory.count, by: 32).map { .data(entry.memory[$0..<$0 + 32]) })
        }
        if !entry.storage.isEmpty { object["storage"] = slots(entry.storage) }
        if entry.refund > 0 { object["refund"] = .integer(entry.refund) }
        return .object(object)
    }

    private static func slots(_ slots: [U256: U256]) -> JSON {
        .object(
            JSONObject(
                slots.sorted { $0.key < $1.key }.map { (Hash32($0.key).hex, .hash(Hash32($0.value))) }))
    }

    // MARK: Calls

    /// The list of calls as a tree.
    static func calls(_ calls: [CallTracer.Call], gasLimit: UInt64, gasUsed: UInt64) -> JSON {
        let isFailed = failures(calls)
        // From the last call to the first each one's children are complete before it is placed under its parent.
        var children: [[JSON]] = [[]]
        var root: JSON = .null
        for (index, call) in calls.enumerated().reversed() {
            while children.count <= call.depth + 1 { children.append([]) }
            var object = members(call)
            if index == 0 {
                object["gas"] = .quantity(gasLimit)
                object["gasUsed"] = .quantity(gasUsed)
            }
            let inner = children[call.depth + 1]
            children[call.depth + 1] = []
            if !inner.isEmpty { object["calls"] = .array(inner.reversed()) }
            if !call.logs.isEmpty, !isFailed[index] { object["logs"] = .array(call.logs.map(log)) }
            object["value"] = call.kind == .staticCall ? nil : .quantity(call.value)
            object["type"] = .string(call.kind.rawValue)
            if index == 0 { root = .object(object) } else { children[call.depth].append(.object(object)) }
        }
        return root
    }

    /// Which calls failed themselves or inside one that did: their logs are gone.
    private static func failures(_ calls: [CallTracer.Call]) -> [Bool] {
        var result: [Bool] = []
        // For each depth whether the call that is open there failed, or one above it.
        var above: [Bool] = []
        for call in calls {
            above.removeLast(max(above.count - call.depth, 0))
            let isFailed = call.status != .success || above.last ?? false
            above.append(isFailed)
            result.append(isFailed)
        }
        return result
    }

    private static func members(_ call: CallTracer.Call) -> JSONObject {
        var object = JSONObject([
            ("from", .address(call.from)), ("gas", .quantity(UInt64(max(call.gas, 0)))),
            ("gasUsed", .quantity(UInt64(max(call.gasUsed, 0)))),
        ])
        let isCreation = call.kind == .create || call.kind == .create2
        if !(isCreation && call.status != .success) { object["to"] = .address(call.to) }
        object["input"] = .data(call.input)
        switch call.status {
        case .success: if !call.output.isEmpty { object["output"] = .data(call.output) }
        case .revert:
            if !call.output.isEmpty { object["output"] = .data(call.output) }
            object["error"] = "execution reverted"
            if let reason = RevertText.unpacked(call.output) { object["revertReason"] = .string(reason) }
        case .halt(let reason): object["error"] = .string(RevertText.words(reason, opcode: call.faultyOpcode))
        }
        return object
    }

    private static func log(_ entry: CallTracer.CallLog) -> JSON {
        [
            "address": .address(entry.log.address), "topics": .array(entry.log.topics.map { .hash($0) }),
            "data": .data(entry.log.data), "index": .quantity(UInt64(entry.index)),
            "position": .quantity(UInt64(entry.position)),
        ]
    }

    // MARK: Prestate

    static func prestate(_ tracer: PrestateTracer, difference: Bool) -> JSON {
        let before = accounts(tracer.before)
        return difference ? ["post": accounts(tracer.after), "pre": before] : before
    }

    private static func accounts(_ accounts: [Address: PrestateTracer.Account]) -> JSON {
        .object(
            JSONObject(accounts.sorted { $0.key < $1.key }.map { ($0.key.hex, account($0.value)) }))
    }

    private static func account(_ account: PrestateTracer.Account) -> JSON {
        var object = JSONObject()
        if let balance = account.balance { object["balance"] = .quantity(balance) }
        if !account.code.isEmpty {
            object["code"] = .data(account.code)
            object["codeHash"] = .hash(keccak256(account.code))
        }
        if account.nonce > 0 { object["nonce"] = .integer(account.nonce) }
        if !account.storage.isEmpty { object["storage"] = slots(account.storage) }
        return .object(object)
    }

    // MARK: Selectors

    /// How often each selector was called, with the size of its arguments.
    static func selectors(_ calls: [CallTracer.Call], _ precompiles: PrecompileSet) -> JSON {
        var counts: [String: Int] = [:]
        for call in calls where call.input.count >= 4 {
            switch call.kind {
            case .create, .create2, .selfDestruct: continue
            default: break
            }
            if call.depth > 0, precompiles.contains(call.to) { continue }
            counts["\(Hex.encode(call.input[..<4]))-\(call.input.count - 4)", default: 0] += 1
        }
        return .object(JSONObject(counts.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) }))
    }
}
