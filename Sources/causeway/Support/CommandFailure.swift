// Why a command failed, for people and for programs: a code, what happened, what to do. Every room's error becomes one.

import CCIP
import ChainAccess
import Configuration
import DevChain
import Ethereum
import Executing
import Guarding
import JSONRPC
import Localnet
import MessageBus
import PriceStreams
import Relayer
import Storage
import StreamsNode
import Watcher

struct CommandFailure: Error, Sendable, CustomStringConvertible {
    /// A stable name, as the room that failed calls it.
    let code: String
    let message: String
    let hint: String?
    /// Further facts by name, for programs; empty mostly.
    let context: [(name: String, value: JSON)]
    let status: ExitStatus

    init(
        _ code: String, _ message: String, hint: String? = nil, context: [(name: String, value: JSON)] = [],
        status: ExitStatus = .error
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.context = context
        self.status = status
    }

    /// The failure behind any error that a room throws.
    init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as LocalnetError: self.init(error.code.rawValue, error.message, hint: error.hint)
        case let error as ConfigurationError: self.init(error.code.rawValue, error.message, hint: error.hint)
        case let error as CCIPError: self.init(error.code.rawValue, error.message, hint: error.hint)
        case let error as EthereumError: self.init(error.code.rawValue, error.message)
        case let error as DevChainError: self.init(error.code.rawValue, error.message)
        case let error as RPCServerError: self.init(error.code.rawValue, error.message, hint: error.hint)
        case let error as RPCClientError: self.init("rpc", "\(error.endpoint): \(error.message)")
        case let error as ChainAccessError: self.init(error)
        case let error as ExecutingError:
            self =
                error.contractError.map {
                    Refusal.beforehand(error.code.rawValue, error.message, wouldBe: $0, hint: error.hint)
                } ?? CommandFailure(error.code.rawValue, error.message, hint: error.hint)
        case let error as RelayerError: self.init(error.code.rawValue, error.message, hint: error.hint)
        case let error as WatcherError: self.init(error.code.rawValue, error.message, hint: error.hint)
        case let error as StreamsNodeError: self.init(error.code.rawValue, error.message, hint: error.hint)
        case let error as PriceStreamsError: self.init(error.code.rawValue, error.message, hint: error.hint)
        case let error as GuardError: self.init(error.code.rawValue, error.message, hint: error.hint)
        case let error as StorageError: self.init("storage", error.message, hint: error.hint)
        case let error as MessageBusError: self.init("messageBus", "\(error)")
        case let error as EndpointURL.Malformed: self.init("malformedURL", "\(error)")
        case is CancellationError: self.init("cancelled", "broken off")
        default: self.init("error", "\(error)")
        }
    }

    /// With the reason behind a revert, and the chain and endpoint it came from.
    private init(_ error: ChainAccessError) {
        let place = error.context.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        let reason = error.revertData.map { ": \(RevertReason($0))" } ?? ""
        self.init(
            error.code.rawValue, error.message + reason + (place.isEmpty ? "" : " (\(place))"),
            hint: error.hint.isEmpty ? nil : error.hint)
    }

    /// Whether a contract refused with this error.
    func names(_ error: String) -> Bool { context.contains { $0.name == "error" && $0.value.asString == error } }

    var description: String { hint.map { "\(message)\n  hint: \($0)" } ?? message }

    var json: JSON {
        var object = JSONObject()
        object["code"] = .string(code)
        object["message"] = .string(message)
        object["hint"] = hint.map { .string($0) } ?? .null
        for (name, value) in context { object[name] = value }
        return .object(object)
    }
}
