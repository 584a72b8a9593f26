// The door to a chain: JSON-RPC calls in, answers in the same order out, in one request where the node takes several, and
// asked again where it fails. What is asked is Deployer's and ChainDiscovery's business.

import Ethereum
import JSONRPC
import Logging

package struct DeploymentCall: Sendable, Hashable {
    package let method: String
    package let parameters: [JSON]

    package init(_ method: String, _ parameters: [JSON] = []) {
        self.method = method
        self.parameters = parameters
    }

    /// A repetition changes nothing on the chain that the first one did not.
    var isBroadcast: Bool { method == "eth_sendRawTransaction" }
}

package enum DeploymentAnswer: Sendable, Equatable {
    case result(JSON)
    case error(code: Int, message: String, data: JSON?)
}

package protocol DeploymentEndpoint: Sendable {
    /// For messages; holds no secret.
    var label: String { get }
    /// Throws `chainUnreachable` when the calls got no answer at all.
    func send(_ calls: [DeploymentCall]) async throws(LocalnetError) -> [DeploymentAnswer]
}

extension DeploymentEndpoint {
    /// The results of all calls; an error answer throws `chainUnreachable` with the node's own words.
    func results(_ calls: [DeploymentCall]) async throws(LocalnetError) -> [JSON] {
        let answers = try await send(calls)
        guard answers.count == calls.count else {
            throw LocalnetError(.chainUnreachable, "\(label) gave \(answers.count) answers to \(calls.count) calls")
        }
        var results: [JSON] = []
        for (call, answer) in zip(calls, answers) {
            switch answer {
            case .result(let json): results.append(json)
            case .error(let code, let message, _):
                throw LocalnetError(.chainUnreachable, "\(label) refused \(call.method): \(message) (\(code))")
            }
        }
        return results
    }
}

/// A chain over HTTP or WebSocket.
package final class RPCDeploymentEndpoint: DeploymentEndpoint {
    private let client: RPCClient
    package let label: String

    /// Throws `invalidRequest` for a text that is no http, https, ws or wss address.
    package convenience init(url: String, timeoutMilliseconds: Int = 30_000, logger: Logger) throws(LocalnetError) {
        let endpoint: EndpointURL
        do { endpoint = try EndpointURL.parse(url) } catch {
            throw LocalnetError(
                .invalidRequest, "'\(url.prefix(120))' is no RPC address: \(error)",
                hint: "write it as http://HOST:PORT or ws://HOST:PORT")
        }
        self.init(endpoint, timeoutMilliseconds: timeoutMilliseconds, logger: logger)
    }

    package convenience init(_ endpoint: EndpointURL, timeoutMilliseconds: Int, logger: Logger) {
        self.init(client: RPCClient(endpoint, timeoutMilliseconds: timeoutMilliseconds, logger: logger))
    }

    package init(client: RPCClient) {
        self.client = client
        label = "\(client.endpoint)"
    }

    /// False once a list of calls was refused.
    package var takesBatches: Bool { client.takesBatches }

    /// As one list where the node takes lists; what fails in it, and everything where it takes none, is asked by itself.
    package func send(_ calls: [DeploymentCall]) async throws(LocalnetError) -> [DeploymentAnswer] {
        guard calls.count > 1, client.takesBatches else { return try await each(calls, isUncertain: false) }
        let list = calls.map { (method: $0.method, parameters: $0.parameters) }
        let answers: [DeploymentAnswer]
        do throws(RPCClientError) {
            answers = try await client.callAll(list, inOrder: calls.contains(where: \.isBroadcast)).map(Self.answer)
        } catch {
            if Self.isFinal(error) { throw unreachable(error) }
            return try await each(calls, isUncertain: true)
        }
        return try await repeated(calls, answers)
    }

    package func close() async { await client.close() }

    /// Calls of a list whose own answers do not stand are asked again by themselves.
    private func repeated(
        _ calls: [DeploymentCall], _ answers: [DeploymentAnswer]
    ) async throws(LocalnetError) -> [DeploymentAnswer] {
        var result = answers
        var open: [Int] = []
        for (index, call) in calls.enumerated() {
            guard case .error(let code, let message, let data) = answers[index], Self.mayPass(call, code, message, data)
            else { continue }
            let text = message.lowercased()
            if call.isBroadcast, Self.refusals.contains(where: { text.contains($0) }) { continue }
            open.append(index)
        }
        guard !open.isEmpty else { return result }
        for (index, answer) in zip(open, try await each(open.map { calls[$0] }, isUncertain: true)) { result[index] = answer }
        return result
    }

    /// One by one, several at once; transactions in their order.
    private func each(
        _ calls: [DeploymentCall], isUncertain: Bool
    ) async throws(LocalnetError) -> [DeploymentAnswer] {
        if calls.count <= 1 || calls.contains(where: \.isBroadcast) {
            var answers: [DeploymentAnswer] = []
            for call in calls { answers.append(try await one(call, isUncertain: isUncertain)) }
            return answers
        }
        let outcomes = await withTaskGroup(of: (Int, Result<DeploymentAnswer, LocalnetError>).self) { group in
            var found = [Result<DeploymentAnswer, LocalnetError>?](repeating: nil, count: calls.count)
            var next = 0
            for position in calls.indices.prefix(Limits.callsAtOnce) {
                group.addTask { (position, await self.outcome(calls[position])) }
                next = position + 1
            }
            while let (position, outcome) = await group.next() {
                found[position] = outcome
                // Who cannot be reached will not be reached by the rest either.
                if case .failure = outcome { next = calls.count }
                guard next < calls.count else { continue }
                let following = next
                group.addTask { (following, await self.outcome(calls[following])) }
                next += 1
            }
            return found
        }
        var answers: [DeploymentAnswer] = []
        for case .failure(let error)? in outcomes { throw error }
        for case .success(let answer)? in outcomes { answers.append(answer) }
        return answers
    }

    private func outcome(_ call: DeploymentCall) async -> Result<DeploymentAnswer, LocalnetError> {
        do throws(LocalnetError) { return .success(try await one(call)) } catch { return .failure(error) }
    }

    /// One call, repeated while the node fails.
    /// - Parameter isUncertain: an earlier try may have been taken.
    private func one(
        _ call: DeploymentCall, isUncertain wasUncertain: Bool = false
    ) async throws(LocalnetError) -> DeploymentAnswer {
        var isUncertain = wasUncertain
        var last: DeploymentAnswer?
        for attempt in 0..<Limits.requestAttempts {
            do {
                return .result(try await client.call(call.method, call.parameters))
            } catch {
                if let remote = error.remote {
                    let text = remote.message.lowercased()
                    // The first try was taken though its answer was lost.
                    if call.isBroadcast, isUncertain, text.contains("nonce too low") || text.contains("already") {
                        return .result(.null)
                    }
                    last = Self.answer(.failure(remote))
                    guard Self.mayPass(call, remote.code, remote.message, remote.data) else { break }
                    if call.isBroadcast, Self.refusals.contains(where: { text.contains($0) }) { break }
                }
                isUncertain = true
                try await pause(attempt, error)
            }
        }
        if let last { return last }
        throw LocalnetError(.chainUnreachable, "no answer from \(label) to \(call.method)", hint: "is the chain running?")
    }

    /// Waits before the next try; throws after the last one, and at once when nobody can answer.
    private func pause(_ attempt: Int, _ error: RPCClientError) async throws(LocalnetError) {
        let isLast = attempt + 1 >= (error.code == .refused ? Limits.connectAttempts : Limits.requestAttempts)
        if Self.isFinal(error) || (isLast && error.remote == nil) { throw unreachable(error) }
        if isLast { return }
        do { try await Task.sleep(for: .milliseconds(min(50 << attempt, 1_000))) } catch {
            throw LocalnetError(.chainUnreachable, "broken off while waiting for \(label)")
        }
    }

    private static func isFinal(_ error: RPCClientError) -> Bool {
        error.code == .stopped || error.code == .cancelled || error.code == .encryption
    }

    private func unreachable(_ error: RPCClientError) -> LocalnetError {
        LocalnetError(.chainUnreachable, "no answer from \(label): \(error.message)", hint: "is the chain running?")
    }

    /// What a node says of a transaction that it will not take the next time either.
    private static let refusals = ["nonce too low", "already", "known transaction", "insufficient", "underpriced", "intrinsic"]

    /// How nodes refuse a block that they do not have, or a tag that they do not know.
    private static let unknownBlocks = ["unknown block", "block not found", "header not found", "unknown tag", "invalid block"]

    /// Everything but what asking again cannot change.
    private static func mayPass(_ call: DeploymentCall, _ code: Int, _ message: String, _ data: JSON?) -> Bool {
        let text = message.lowercased()
        if call.method == "eth_getBlockByNumber", code == -39_001 || unknownBlocks.contains(where: text.contains) { return false }
        let isFinal = code == 3 || text.contains("revert") || [-32_600, -32_601, -32_602].contains(code)
            || (data?.asString?.hasPrefix("0x") ?? false)
        return !isFinal
    }

    private static func answer(_ result: Result<JSON, JSONRPCError>) -> DeploymentAnswer {
        switch result {
        case .success(let json): .result(json)
        case .failure(let error): .error(code: error.code, message: error.message, data: error.data)
        }
    }
}
