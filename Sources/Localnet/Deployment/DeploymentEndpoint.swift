// The door to a chain: a batch of JSON-RPC calls in, answers in the same order out. What is asked is Deployer's business.

import Ethereum
import JSONRPC
import Logging

package struct DeploymentCall: Sendable, Equatable {
    package let method: String
    package let parameters: [JSON]

    package init(_ method: String, _ parameters: [JSON] = []) {
        self.method = method
        self.parameters = parameters
    }
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
package struct RPCDeploymentEndpoint: DeploymentEndpoint {
    private let client: RPCClient
    package let label: String

    /// Throws `invalidRequest` for a text that is no http, https, ws or wss address.
    package init(url: String, timeoutMilliseconds: Int = 30_000, logger: Logger) throws(LocalnetError) {
        let endpoint: EndpointURL
        do { endpoint = try EndpointURL.parse(url) } catch {
            throw LocalnetError(
                .invalidRequest, "'\(url.prefix(120))' is no RPC address: \(error)",
                hint: "write it as http://HOST:PORT or ws://HOST:PORT")
        }
        client = RPCClient(endpoint, timeoutMilliseconds: timeoutMilliseconds, logger: logger)
        label = "\(endpoint)"
    }

    package func send(_ calls: [DeploymentCall]) async throws(LocalnetError) -> [DeploymentAnswer] {
        do {
            return try await client.batch(calls.map { (method: $0.method, parameters: $0.parameters) }).map { answer in
                switch answer {
                case .success(let json): .result(json)
                case .failure(let error): .error(code: error.code, message: error.message, data: error.data)
                }
            }
        } catch {
            throw LocalnetError(
                .chainUnreachable, "no answer from \(label): \(error.message)", hint: "is the chain running?")
        }
    }

    package func close() async { await client.close() }
}
