// How commands reach a gateway's API, and the verifier contracts of a local network.

import Ethereum
import Foundation
import JSONRPC
import Localnet
import Logging
import PriceStreams
import StreamsNode

/// A gateway with a key for it.
struct StreamsAPIAccess {
    let base: String
    let key: String
    let secret: Secret

    /// The key from the environment, or that of the local network.
    init(streams: StreamsOptions, settings: StreamsSettings) throws {
        guard let access = settings.gateways.compactMap(\.access).first else {
            throw CommandFailure(
                "gatewayMissing", "no gateway of \(settings.name) tells where its API is",
                hint: "streams.yaml has it under gateways[].access.api")
        }
        base = access.api
        if let key = Files.environment("CAUSEWAY_STREAMS_KEY"), let secret = Files.environment("CAUSEWAY_STREAMS_SECRET") {
            self.key = key
            self.secret = Secret(Bytes(secret.utf8))
            return
        }
        let path = (try streams.path() as NSString).deletingLastPathComponent + "/api-key.json"
        guard let data = FileManager.default.contents(atPath: path), let json = try? JSON.parse(Bytes(data)),
            let key = json["key"]?.asString, let secret = json["secret"]?.asString
        else {
            throw CommandFailure(
                "keyMissing", "no key for the API",
                hint: "set CAUSEWAY_STREAMS_KEY and CAUSEWAY_STREAMS_SECRET; causeway streams keys create makes them")
        }
        self.key = key
        self.secret = Secret(Bytes(secret.utf8))
    }

    /// The body of a 200; anything else is a failure with the gateway's own words.
    func get(_ target: String) async throws -> Bytes {
        let request = SignedRequest(
            method: "GET", target: target, key: key, timestamp: "\(UInt64(Date().timeIntervalSince1970 * 1_000))")
        let url = try EndpointURL.parse(base + target)
        let fetch = HTTPFetch(timeoutMilliseconds: StreamsLimits.waitSeconds * 1_000, logger: Logger(label: "causeway"))
        let headers = [
            (SignedRequest.keyHeader, request.key), (SignedRequest.timestampHeader, request.timestamp),
            (SignedRequest.signatureHeader, request.signature(secret: secret)),
        ]
        let answer = try await fetch.send(HTTPFetch.Request(headers: headers.map { .init($0.0, $0.1) }), to: url)
        guard answer.status == 200 || answer.status == 206 else {
            let words = (try? JSON.parse(answer.body))?["message"]?.asString
            throw CommandFailure(
                "apiRefused", "the gateway answers \(answer.status)\(words.map { ": \($0)" } ?? "")",
                hint: answer.status == 401 ? "check the key; causeway streams keys list" : nil)
        }
        return answer.body
    }
}

/// The VerifierProxy of one chain of a local network.
struct OnChainVerifier {
    let streams: StreamsOptions
    let chain: String

    /// Calls `verifyView` and compares what it gives back.
    /// - Returns: the proxy's address.
    func verify(_ full: Bytes) async throws -> String {
        let document = try streams.network.running()
        guard let found = document.chains.first(where: { $0.name == chain }) else {
            throw CommandFailure(
                "unknownChain", "the network has no chain '\(chain)'",
                hint: "one of \(document.chains.map(\.name).joined(separator: ", "))")
        }
        let path = "\(document.dataDirectory)/streams/verifiers.json"
        guard let data = FileManager.default.contents(atPath: path), let json = try? JSON.parse(Bytes(data)),
            let text = json[chain]?["verifierProxy"]?.asString, let proxy = try? Address(hex: text)
        else {
            throw CommandFailure(
                "verifierMissing", "no VerifierProxy is known on \(chain)", hint: "\(path) lists those of a local network")
        }
        let function = try ABIFunction("verifyView(bytes)", returns: "(bytes)")
        let client = RPCClient(try EndpointURL.parse(found.rpc), logger: Logger(label: "causeway"))
        let callData = Hex.encode(try function.encodeCall([.bytes(full)]))
        let result: JSON
        do throws(RPCClientError) {
            result = try await client.call("eth_call", [["to": .string(proxy.checksummed), "data": .string(callData)], "latest"])
        } catch {
            throw CommandFailure(
                "notVerified", "the VerifierProxy of \(chain) refuses the report: \(error.message)",
                hint: "causeway streams verify without --chain says what is wrong with it", status: .checkFailed)
        }
        guard let bytes = result.asString.flatMap({ try? Hex.decode($0) }),
            let values = try? function.decodeOutput(bytes),
            values.first?.asBytes == (try FullReport(encoded: full)).blob
        else {
            throw CommandFailure(
                "notVerified", "the VerifierProxy of \(chain) gave back something else", status: .checkFailed)
        }
        return proxy.checksummed
    }
}
