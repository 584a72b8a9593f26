// What a node tells about itself: /health, /ready, /metrics, and the JSON-RPC methods causeway_status and
// causeway_message behind `causeway status` and `causeway show`.

import Agreement
import CCIP
import ChainAccess
import Committing
import Configuration
import Ethereum
import Executing
import JSONRPC
import Logging
import MessageBus
import Storage

struct NodeService: JSONRPCService {
    let node: RelayerNode

    static func server(for node: RelayerNode, address: ListenAddress, logger: Logger) -> RPCServer {
        let metrics = NodeMetrics(node)
        var configuration = RPCServer.Configuration(host: address.host, port: address.port, metrics: metrics.registry)
        configuration.label = "relayer"
        configuration.routes = [
            "/health": { .text("ok\n") },
            "/ready": {
                let obstacles = await node.obstacles()
                return obstacles.isEmpty
                    ? .text("ready\n") : .text(obstacles.map { $0 + "\n" }.joined(), status: 503)
            },
            "/metrics": {
                await metrics.refresh()
                return .metrics(metrics.registry)
            },
        ]
        return RPCServer(configuration: configuration, service: NodeService(node: node), logger: logger)
    }

    func connectionClosed(_ connection: JSONRPCConnection) {}

    func answer(
        _ method: String, _ parameters: JSON, on connection: JSONRPCConnection?
    ) async throws(JSONRPCError) -> JSON {
        switch method {
        case "causeway_status": return await status()
        case "causeway_message":
            guard case .array(let items) = parameters, let text = items.first?.asString,
                let id = try? MessageID(hex: text)
            else { throw .invalidParams("expected [messageId], 32 bytes as hex") }
            return await message(id)
        default: throw .methodNotFound(method)
        }
    }

    private func status() async -> JSON {
        let runners = node.committers.map { ($0.destination.name, $0.runner.status) }
            + node.executors.map { ($0.destination.name, $0.runner.status) }
        var chains: [JSON] = []
        for watch in node.watches {
            let heads = await watch.heads.current
            chains.append([
                "name": .string(watch.settings.name), "latest": heads.map { .integer($0.latest.number) } ?? .null,
                "finalized": heads.map { .integer($0.finalized.number) } ?? .null,
                "logsThrough": (await watch.poller.position).map { .integer($0.number) } ?? .null,
            ])
        }
        return [
            "relayer": .string(node.settings.relayer), "role": .string(node.role.rawValue),
            "obstacles": .array(await node.obstacles().map { .string($0) }),
            "peersConnected": .integer(node.connectedRelayers), "guardsConnected": .integer(node.connectedGuards),
            "pairConnected": .bool(node.pair.statistics.isConnected), "chains": .array(chains),
            "instances": .array(runners.map { name, status in
                [
                    "destination": .string(name), "epoch": .integer(status.epoch), "leader": .integer(status.leader),
                    "sequenceNumber": .integer(status.committedSequenceNumber), "alarms": .integer(status.alarms),
                    "refused": .integer(status.refused),
                ]
            }),
            "lanes": .array(node.committers.flatMap(Self.lanes)),
        ]
    }

    /// Lanes on which messages wait to be committed, each with its reason.
    private static func lanes(_ committer: RelayerNode.Committer) -> [JSON] {
        committer.edge.lanes.map { source, explanation in
            let fields: [(String, JSON)] = [
                ("source", .string("\(source.rawValue)")),
                ("destination", .string("\(committer.destination.selector.rawValue)")),
            ]
            return .object(JSONObject(fields + members(explanation)))
        }
    }

    private static func members(_ explanation: CommitEdge.Explanation) -> [(String, JSON)] {
        let standing = explanation.standing
        let words = explanation.guards.isEmpty ? "" : " (\(explanation.guards.joined(separator: "; ")))"
        return [
            ("side", .string("commit")), ("standing", .string(standing.code)),
            ("class", .string(standing.standingClass.rawValue)), ("waitsFor", .string(standing.waitsFor + words)),
            ("advice", .string(standing.advice)),
            ("sinceMilliseconds", explanation.sinceMilliseconds.map { .integer($0) } ?? .null),
        ]
    }

    /// Null when this node has not seen the message.
    private func message(_ id: MessageID) async -> JSON {
        guard let (lane, number) = node.keeper.read({ $0.find(id) }) else { return .null }
        var answer: [(String, JSON)] = [
            ("relayer", .string(node.settings.relayer)), ("role", .string(node.role.rawValue)),
            ("source", .string("\(lane.source.rawValue)")), ("destination", .string("\(lane.destination.rawValue)")),
            ("sequenceNumber", .integer(number)),
        ]
        if let committer = node.committers.first(where: { $0.destination.selector == lane.destination }),
            let explanation = try? await committer.edge.explanation(of: number, from: lane.source)
        {
            answer += Self.members(explanation)
        }
        if let skip = node.keeper.read({ $0.lane(lane).skip(number) }) {
            answer.append((
                "skipped",
                [
                    "kind": .string(skip.kind.name), "transaction": .hash(skip.place.transaction),
                    "block": .integer(skip.place.block),
                ]
            ))
        }
        if let executor = node.executors.first(where: { $0.destination.selector == lane.destination }),
            let standing = try? await executor.edge.standing(
                of: MessageKey(source: lane.source, sequenceNumber: SequenceNumber(number)))
        {
            let now = InstanceRunner.now()
            answer += [
                ("side", .string("execute")), ("class", .string(standing.standing.standingClass.rawValue)),
                ("standing", .string(standing.standing.code)),
                ("waitsFor", .string(standing.standing.waitsFor)), ("advice", .string(standing.standing.advice)),
                ("sinceMilliseconds", standing.sinceMilliseconds.map { .integer(now - min(now, $0)) } ?? .null),
            ]
        }
        return .object(JSONObject(answer))
    }
}
