// What a debug_trace call asks for: the tracer and its options, by the names that go-ethereum gave them, and the run
// under that tracer.

import EVM
import Ethereum
import JSONRPC

struct TraceRequest: Sendable {
    enum Kind: Sendable {
        case opcodes(OpcodeLogger.Options)
        case calls(onlyTop: Bool, logs: Bool)
        case prestate(PrestateTracer.Options)
        case selectors
        case nothing
    }

    let kind: Kind

    init(_ json: JSON?, place: String) throws(JSONRPCError) {
        guard let json else {
            kind = .opcodes(OpcodeLogger.Options())
            return
        }
        let members = try Members(json, place)
        guard let name = members["tracer"], name != "" else {
            kind = .opcodes(try Self.opcodes(members))
            return
        }
        let options = members["tracerConfig"] ?? [:]
        let config = try Members(options, members.path("tracerConfig"))
        switch name.asString {
        case "callTracer":
            kind = .calls(onlyTop: try config.flag("onlyTopCall"), logs: try config.flag("withLog"))
        case "prestateTracer":
            var options = PrestateTracer.Options()
            options.difference = try config.flag("diffMode")
            options.code = try !config.flag("disableCode")
            options.storage = try !config.flag("disableStorage")
            options.emptyAccounts = try config.flag("includeEmpty")
            guard !(options.difference && options.emptyAccounts) else {
                throw .invalidParams("\(config.place): cannot use diffMode with includeEmpty")
            }
            kind = .prestate(options)
        case "4byteTracer": kind = .selectors
        case "noopTracer": kind = .nothing
        default:
            throw .invalidParams(
                "\(members.path("tracer")): \(Parameters.shown(name.asString ?? name.text)) is not offered; "
                    + "callTracer, prestateTracer, 4byteTracer and noopTracer are, and opcodes without a name")
        }
    }

    private static func opcodes(_ members: Members) throws(JSONRPCError) -> OpcodeLogger.Options {
        var options = OpcodeLogger.Options()
        options.memory = try members.flag("enableMemory")
        options.stack = try !members.flag("disableStack")
        options.storage = try !members.flag("disableStorage")
        options.returnData = try members.flag("enableReturnData")
        let limit = try members.uint64("limit") ?? 0
        options.limit = limit == 0 ? nil : Int(clamping: limit)
        return options
    }

    /// Runs under the tracer; what it saw.
    func answer(_ run: TracedRun) throws(DevChainError) -> JSON {
        switch kind {
        case .opcodes(let options):
            var tracer = OpcodeLogger(
                options, journal: run.journal, rules: run.executor.rules,
                precompiles: run.executor.warmPrecompiles)
            let result = try run(&tracer)
            guard !tracer.isCut else { throw Self.tooLarge("ask for less: limit, disableStack, disableStorage") }
            return TraceAnswers.opcodes(tracer, result)
        case .calls(let onlyTop, let logs):
            var tracer = CallTracer(onlyTop: onlyTop, keepsLogs: logs, firstLogIndex: run.firstLogIndex)
            let result = try run(&tracer)
            guard tracer.omitted == 0 else { throw Self.tooLarge("ask for onlyTopCall") }
            return TraceAnswers.calls(
                tracer.calls, gasLimit: run.transaction.gasLimit, gasUsed: result.gasUsed)
        case .prestate(let options):
            var tracer = PrestateTracer(
                options, journal: run.journal, transaction: run.transaction, sender: run.sender,
                coinbase: run.environment.coinbase)
            _ = try run(&tracer)
            guard !tracer.isCut else { throw Self.tooLarge("ask for disableStorage") }
            return TraceAnswers.prestate(tracer, difference: options.difference)
        case .selectors:
            var tracer = CallTracer()
            _ = try run(&tracer)
            guard tracer.omitted == 0 else { throw Self.tooLarge("there are too many calls") }
            return TraceAnswers.selectors(tracer.calls, run.executor.precompiles)
        case .nothing:
            var tracer = NoTracer()
            _ = try run(&tracer)
            return [:]
        }
    }

    private static func tooLarge(_ hint: String) -> DevChainError {
        DevChainError(.limitExceeded, "the trace is larger than this node keeps; \(hint)")
    }
}
