// What a guard tells about itself: /health, /ready, /metrics, /status, and causeway_status over JSON-RPC. Nothing can be
// asked of it here that it does not tell anybody.

import CCIP
import ChainAccess
import Configuration
import Ethereum
import Guarding
import JSONRPC
import Logging
import MessageBus
import Storage

struct GuardService: JSONRPCService {
    let process: GuardProcess

    static func server(for process: GuardProcess, logger: Logger) -> RPCServer {
        let metrics = MetricsRegistry()
        var configuration = RPCServer.Configuration(
            host: process.settings.http.host, port: process.settings.http.port, metrics: metrics)
        configuration.label = "guard"
        let service = GuardService(process: process)
        configuration.routes = [
            "/health": { .text("ok\n") },
            "/ready": {
                let obstacles = await process.obstacles()
                return obstacles.isEmpty
                    ? .text("ready\n") : .text(obstacles.map { $0 + "\n" }.joined(), status: 503)
            },
            "/status": { .json(await service.status().pretty) },
            "/metrics": {
                await service.refresh(metrics)
                return .metrics(metrics)
            },
        ]
        return RPCServer(configuration: configuration, service: service, logger: logger)
    }

    func connectionClosed(_ connection: JSONRPCConnection) {}

    func answer(
        _ method: String, _ parameters: JSON, on connection: JSONRPCConnection?
    ) async throws(JSONRPCError) -> JSON {
        guard method == "causeway_status" else { throw .methodNotFound(method) }
        return await status()
    }

    // MARK: Status

    func status() async -> JSON {
        let condition = await process.node.condition()
        var chains: [JSON] = []
        for eye in process.eyes {
            let heads = await eye.heads.current
            chains.append([
                "name": .string(eye.chain.name), "finality": .string(eye.chain.finality.description),
                "latest": heads.map { .integer($0.latest.number) } ?? .null,
                "finalized": heads.map { .integer($0.finalized.number) } ?? .null,
                "departuresThrough": (await eye.departures?.position).map { .integer($0.number) } ?? .null,
                "arrivalsThrough": (await eye.arrivals?.position).map { .integer($0.number) } ?? .null,
            ])
        }
        let tallies = condition.tallies
        return [
            "guard": .string(process.settings.name), "signer": .string(process.settings.own.signer.checksummed),
            "obstacles": .array(await process.obstacles().map { .string($0) }),
            "relayersConnected": .integer(process.connectedRelayers), "chains": .array(chains),
            "lanes": .array(condition.lanes.map { lane(of: $0.lane, $0.finalizedThrough, $0.stop) }),
            "stops": .array(
                condition.stops.map { stop in
                    [
                        "scope": .string(stop.scope), "kind": .string(stop.kind), "reason": .string(stop.reason),
                        "raisedAt": .integer(stop.raisedAt),
                    ]
                }),
            "alarms": .array(
                condition.alarms.map { alarm in
                    [
                        "kind": .string(alarm.anomaly.kind.rawValue), "detail": .string(alarm.anomaly.detail),
                        "lane": alarm.anomaly.lane.map { .string("\($0)") } ?? .null, "at": .integer(alarm.at / 1_000),
                    ]
                }),
            "pools": .array(condition.pools.map(pool)), "poolFlows": .integer(tallies.flows),
            "signed": .integer(tallies.signed), "requests": .integer(tallies.requests),
            "rootsVerified": .integer(tallies.rootsVerified), "executionsVerified": .integer(tallies.executionsVerified),
            "unverified": .integer(condition.unverified),
        ]
    }

    private func pool(_ view: (allowance: PoolAllowance, limiter: LimiterState?, left: U256)) -> JSON {
        let gate = view.allowance.gate
        return [
            "chain": name(gate.chain), "pool": .string(gate.pool.checksummed), "remote": name(gate.remote),
            "direction": .string(gate.direction.rawValue), "capacity": .string(view.allowance.capacity.decimal),
            "rate": .string(view.allowance.rate.decimal), "left": .string(view.left.decimal),
            "limiter": view.limiter.map { limiter -> JSON in
                [
                    "enabled": .bool(limiter.isEnabled), "capacity": .string(limiter.capacity.decimal),
                    "rate": .string(limiter.rate.decimal),
                ]
            } ?? .null,
        ]
    }

    private func name(_ selector: ChainSelector) -> JSON {
        .string(process.settings.cluster.chain(selector)?.name ?? "\(selector)")
    }

    private func lane(of lane: GuardLane, _ through: UInt64, _ stop: GuardStop?) -> JSON {
        [
            "from": name(lane.source), "to": name(lane.destination), "finalizedThrough": .integer(through),
            "stopped": stop.map { .string("\($0.kind.rawValue): \($0.reason)") } ?? .null,
        ]
    }

    // MARK: Metrics

    /// Every series is there from the start, at zero.
    func refresh(_ registry: MetricsRegistry) async {
        let condition = await process.node.condition()
        let tallies = condition.tallies
        func set(_ name: String, _ help: String, _ labels: [String: String] = [:], _ value: Double) {
            registry.gauge(name, help: help, labels: labels).set(value)
        }
        set("causeway_guard_ready", "1 when the guard is of use; look at /ready when it is 0", [:],
            await process.obstacles().isEmpty ? 1 : 0)
        for eye in process.eyes {
            let chain = ["chain": eye.chain.name]
            let heads = await eye.heads.current
            set("causeway_guard_latest_block", "newest block seen; a flat line is a dead endpoint", chain,
                Double(heads?.latest.number ?? 0))
            set("causeway_guard_finalized_block", "newest finalized block; nothing above it is signed", chain,
                Double(heads?.finalized.number ?? 0))
            set("causeway_guard_departures_block", "finalized block up to which messages are read", chain,
                Double((await eye.departures?.position)?.number ?? 0))
            set("causeway_guard_arrivals_block", "finalized block up to which roots and executions are read", chain,
                Double((await eye.arrivals?.position)?.number ?? 0))
        }
        for pool in process.pools {
            set("causeway_guard_pools_read_block", "block at which limiters of pools were last read",
                ["chain": pool.eye.chain.name], Double(pool.readBlock))
            set("causeway_guard_pool_flows_block", "finalized block up to which what passes pools is counted",
                ["chain": pool.eye.chain.name], Double((await pool.flows.position)?.number ?? 0))
        }
        set("causeway_guard_pool_flows_total", "times that tokens passed a watched pool", [:], Double(tallies.flows))
        set("causeway_guard_relayers_connected", "relayers whose link is up", [:], Double(process.connectedRelayers))
        set("causeway_guard_requests_total", "requests for signatures", [:], Double(tallies.requests))
        set("causeway_guard_signed_total", "signatures given", [:], Double(tallies.signed))
        set("causeway_guard_waits_total", "requests that came before the messages were final here", [:],
            Double(tallies.waits))
        for code in [RefusalCode.rootMismatch, .cursed, .stopped, .interval, .unknownLane, .config] {
            set("causeway_guard_refused_total", "refusals by code; root_mismatch must stay 0", ["code": code.rawValue],
                Double(tallies.refused[code] ?? 0))
        }
        set("causeway_guard_dropped_requests_total", "requests that were not read", ["reason": "rate"],
            Double(tallies.throttled))
        set("causeway_guard_dropped_requests_total", "requests that were not read", ["reason": "malformed"],
            Double(condition.malformedRequests))
        for kind in AnomalyKind.all {
            set("causeway_guard_anomalies_total", "what should never be seen, by kind; each one wants a person",
                ["kind": kind.rawValue], Double(tallies.anomalies[kind] ?? 0))
        }
        set("causeway_guard_stops", "stops that stand", [:], Double(condition.stops.count))
        set("causeway_guard_roots_verified_total", "committed roots found right", [:], Double(tallies.rootsVerified))
        set("causeway_guard_executions_verified_total", "executions found right", [:],
            Double(tallies.executionsVerified))
        set("causeway_guard_unverified", "roots and executions that wait for their messages", [:],
            Double(condition.unverified))
        set("causeway_guard_unverifiable_total", "claims about messages older than what is kept", [:],
            Double(tallies.unverifiable))
    }
}
