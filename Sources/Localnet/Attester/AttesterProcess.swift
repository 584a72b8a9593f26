// An attestation service as a process: watches chains, answers over HTTP, takes faults while it runs. What it answers is
// decided in Attester.swift.

import Ethereum
import JSONRPC
import Logging
import Synchronization

package final class AttesterProcess: Sendable {
    package let settings: AttesterSettings
    private let keys: AttesterKeys
    private let state: Mutex<Attester>
    /// Chains that answered nothing lately, by name.
    private let silent = Mutex<[String: String]>([:])
    private let logger: Logger
    private let start = ContinuousClock.now

    /// Throws `invalidRequest` for an RPC address that is none.
    package init(settings: AttesterSettings, logger: Logger) throws(LocalnetError) {
        self.settings = settings
        self.logger = logger
        keys = try AttesterKeys(development: settings.attesters)
        var attester = Attester(keys: keys, threshold: settings.threshold)
        attester.faults = settings.faults
        state = Mutex(attester)
        // Nothing is ready before every chain has answered once.
        silent.withLock { list in for chain in settings.chains { list[chain.name] = "not read yet" } }
    }

    package var addresses: [Address] { keys.addresses }

    private var now: UInt64 {
        let parts = (ContinuousClock.now - start).components
        return UInt64(max(0, parts.seconds)) * 1_000 + UInt64(max(0, parts.attoseconds)) / 1_000_000_000_000_000
    }

    /// Answers until the task is cancelled; `listening` gets the port.
    package func run(listening: @Sendable (Int) -> Void) async throws {
        var configuration = RPCServer.Configuration(host: settings.host, port: settings.port)
        configuration.label = "attester"
        configuration.requestBytesMaximum = Limits.attesterRequestBytes
        // Faults are set by a POST: no page of a browser may send one in its user's name.
        configuration.allowedOrigin = nil
        configuration.handler = { [self] in answer($0) }
        configuration.routes = [
            "/health": { .text("ok\n") },
            "/ready": { [self] in
                let obstacles = silent.withLock { $0 }
                return obstacles.isEmpty
                    ? .text("ready\n")
                    : .text(obstacles.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\n" }.joined(), status: 503)
            },
        ]
        let server = RPCServer(configuration: configuration, service: nil, logger: logger)
        listening(try await server.start())
        await withTaskGroup(of: Void.self) { group in
            for chain in settings.chains { group.addTask { [self] in await watch(chain) } }
        }
        await server.stop()
    }

    private func watch(_ chain: AttesterSettings.Chain) async {
        let endpoint: RPCDeploymentEndpoint
        do { endpoint = try RPCDeploymentEndpoint(url: chain.rpc, timeoutMilliseconds: 5_000, logger: logger) } catch {
            return silent.withLock { $0[chain.name] = error.message }
        }
        var watch = AttesterWatch(chain, endpoint: endpoint)
        while !Task.isCancelled {
            var isComplete = true
            do throws(LocalnetError) {
                let news = try await watch.read()
                let time = now
                state.withLock { attester in
                    attester.sawHead(news.latest, of: chain.domain)
                    for (message, place) in news.messages { attester.saw(message, at: place, now: time) }
                }
                for (message, place) in news.messages {
                    logger.info(
                        "message final",
                        metadata: [
                            "chain": "\(chain.name)", "version": "\(message.version.rawValue)",
                            "transaction": "\(place.transaction)",
                        ])
                }
                isComplete = news.isComplete
                silent.withLock { $0[chain.name] = nil }
            } catch {
                logger.warning("chain not read", metadata: ["chain": "\(chain.name)", "error": "\(error.message)"])
                silent.withLock { $0[chain.name] = error.message }
            }
            if isComplete { try? await Task.sleep(for: .milliseconds(settings.pollMilliseconds)) }
        }
        await endpoint.close()
    }

    // MARK: Questions

    func answer(_ question: HTTPQuestion) -> HTTPAnswer {
        let parts = question.path.split(separator: "/").map(String.init)
        switch (question.method, parts.count, parts.first, parts.dropFirst().first) {
        case ("GET", 3, "v1", "attestations"):
            guard let hash = try? Hash32(hex: parts[2]) else { return Self.refusal("'\(parts[2].prefix(80))' is no hash") }
            return reply { $0.answer(.v1(hash), now: $1) }
        case ("GET", 3, "v2", "messages"):
            guard let domain = UInt32(parts[2]) else { return Self.refusal("'\(parts[2].prefix(80))' is no domain") }
            guard let transaction = question.query("transactionHash").flatMap({ try? Hash32(hex: $0) }) else {
                return Self.refusal("transactionHash is missing or no hash")
            }
            return reply { $0.answer(.v2(domain: domain, transaction: transaction), now: $1) }
        case ("POST", 3, "v2", "reattest"):
            guard let nonce = try? Hash32(hex: parts[2]) else { return Self.refusal("'\(parts[2].prefix(80))' is no nonce") }
            return reply { attester, _ in attester.reattest(nonce) }
        case ("GET", 2, "v2", "publicKeys"):
            let list = keys.keys.flatMap { key in
                CCTPVersion.allCases.map { version -> JSON in
                    ["publicKey": .data([4] + key.publicKey), "cctpVersion": .integer(version.rawValue)]
                }
            }
            return .json(JSON.object(JSONObject([("publicKeys", .array(list))])).text)
        case ("GET", 1, "faults", _): return status()
        case ("POST", 1, "faults", _): return setFaults(question.body)
        default: return .json(JSON.object(JSONObject([("error", "nothing stands at this path")])).text, status: 404)
        }
    }

    private func reply(_ question: (inout Attester, UInt64) -> Attester.Answer) -> HTTPAnswer {
        let time = now
        let answer = state.withLock { question(&$0, time) }
        var reply = HTTPAnswer.json(answer.json.text, status: answer.status)
        reply.retryAfterSeconds = answer.retryAfterSeconds
        return reply
    }

    private static func refusal(_ why: String) -> HTTPAnswer {
        .json(JSON.object(JSONObject([("code", 400), ("error", .string(why))])).text, status: 400)
    }

    private func status() -> HTTPAnswer {
        let (faults, messages, attested, questions) = state.withLock {
            ($0.faults, $0.messages, $0.attested, $0.questions)
        }
        let json: JSON = [
            "faults": faults.json, "messages": .integer(messages), "attested": .integer(attested),
            "questions": .integer(questions), "attesters": .array(addresses.map { .string($0.checksummed) }),
            "threshold": .integer(settings.threshold),
        ]
        return .json(json.text)
    }

    private func setFaults(_ body: [UInt8]) -> HTTPAnswer {
        guard let json = try? JSON.parse(body) else { return Self.refusal("the faults are no JSON") }
        do {
            let faults = try AttesterFaults(json: json)
            state.withLock { $0.faults = faults }
            logger.notice("faults set", metadata: ["faults": "\(faults.json.text)"])
            return status()
        } catch { return Self.refusal(error.hint.map { "\(error.message); \($0)" } ?? error.message) }
    }
}
