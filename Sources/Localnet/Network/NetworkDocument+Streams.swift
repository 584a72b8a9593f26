// The price streams of a network in localnet.json.

import Ethereum

extension NetworkDocument {
    package struct Streams: Sendable, Equatable {
        /// One oracle or gateway process.
        package struct Process: Sendable, Equatable {
            package var name: String
            package var config: String
            package var log: String
            /// Where it tells how it is.
            package var http: Int
            /// Nil while it is not running.
            package var pid: Int?
        }

        package struct Gateway: Sendable, Equatable {
            package var process: Process
            package var feed: String
            package var requests: String
            package var api: String
        }

        /// streams.yaml.
        package var config: String
        /// The verifier contracts of each chain.
        package var verifiers: String
        /// A key for the API; nil where none was made.
        package var apiKey: String?
        package var oracles: [Process]
        package var gateways: [Gateway]

        /// All of them, oracles first.
        package var processes: [(role: String, process: Process)] {
            oracles.map { ("stream oracle", $0) } + gateways.map { ("stream gateway", $0.process) }
        }

        mutating func setPID(_ pid: Int?, of name: String) {
            for index in oracles.indices where oracles[index].name == name { oracles[index].pid = pid }
            for index in gateways.indices where gateways[index].process.name == name { gateways[index].process.pid = pid }
        }
    }
}

// MARK: - JSON

extension NetworkDocument.Streams {
    var json: JSON {
        [
            "config": .string(config), "verifiers": .string(verifiers), "apiKey": apiKey.map { .string($0) } ?? .null,
            "oracles": .array(oracles.map { .object($0.members) }), "gateways": .array(gateways.map(\.json)),
        ]
    }

    init?(json: JSON) {
        guard let config = json["config"]?.asString, let verifiers = json["verifiers"]?.asString,
            let oracles = json["oracles"]?.asArray, let gateways = json["gateways"]?.asArray
        else { return nil }
        self.init(
            config: config, verifiers: verifiers, apiKey: json["apiKey"]?.asString,
            oracles: oracles.compactMap { Process(json: $0) }, gateways: gateways.compactMap { Gateway(json: $0) })
    }
}

extension NetworkDocument.Streams.Process {
    var members: JSONObject {
        JSONObject([
            ("name", .string(name)), ("config", .string(config)), ("log", .string(log)), ("http", .integer(http)),
            ("pid", pid.map { .integer($0) } ?? .null),
        ])
    }

    init?(json: JSON) {
        guard let name = json["name"]?.asString, let config = json["config"]?.asString, let http = json["http"]?.asInt
        else { return nil }
        self.init(name: name, config: config, log: json["log"]?.asString ?? "", http: http, pid: json["pid"]?.asInt)
    }
}

extension NetworkDocument.Streams.Gateway {
    var json: JSON {
        var object = process.members
        object["feed"] = .string(feed)
        object["requests"] = .string(requests)
        object["api"] = .string(api)
        return .object(object)
    }

    init?(json: JSON) {
        guard let process = NetworkDocument.Streams.Process(json: json), let feed = json["feed"]?.asString,
            let requests = json["requests"]?.asString, let api = json["api"]?.asString
        else { return nil }
        self.init(process: process, feed: feed, requests: requests, api: api)
    }
}
