// The guards of a network in localnet.json, and which lanes need them.

import CCIP
import Ethereum

extension NetworkDocument {
    package struct Guard: Sendable, Equatable {
        package var index: Int
        package var name: String
        package var config: String
        /// Nil while it is not running.
        package var pid: Int?
        package var ports: GuardPorts
        package var log: String
        package var signer: Address

        package init(
            index: Int, name: String, config: String, pid: Int? = nil, ports: GuardPorts, log: String, signer: Address
        ) {
            self.index = index
            self.name = name
            self.config = config
            self.pid = pid
            self.ports = ports
            self.log = log
            self.signer = signer
        }
    }

    /// What the contracts want of guards.
    package struct Blessing: Sendable, Equatable {
        /// fSign of every RMNRemote: so many signatures and one more are needed.
        package var faulty: Int
        package var lanes: [AdoptionFile.Lane]

        package init(faulty: Int, lanes: [AdoptionFile.Lane]) {
            self.faulty = faulty
            self.lanes = lanes
        }
    }
}

// MARK: - JSON

extension NetworkDocument.Guard {
    var json: JSON {
        [
            "index": .integer(index), "name": .string(name), "config": .string(config),
            "pid": pid.map { .integer($0) } ?? .null,
            "ports": ["mesh": .integer(ports.mesh), "http": .integer(ports.http)], "log": .string(log),
            "signer": .string(signer.checksummed),
        ]
    }

    init?(json: JSON) {
        guard let index = json["index"]?.asInt, let name = json["name"]?.asString, let config = json["config"]?.asString,
            let mesh = json["ports"]?["mesh"]?.asInt, let http = json["ports"]?["http"]?.asInt,
            let signer = json["signer"]?.asString.flatMap({ try? Address(hex: $0) })
        else { return nil }
        self.init(
            index: index, name: name, config: config, pid: json["pid"]?.asInt, ports: GuardPorts(mesh: mesh, http: http),
            log: json["log"]?.asString ?? "", signer: signer)
    }
}

extension NetworkDocument.Blessing {
    var json: JSON {
        [
            "faulty": .integer(faulty),
            "lanes": .array(lanes.map { ["from": .string($0.from), "to": .string($0.to)] }),
        ]
    }

    init?(json: JSON) {
        guard let faulty = json["faulty"]?.asInt, let lanes = json["lanes"]?.asArray else { return nil }
        self.init(
            faulty: faulty,
            lanes: lanes.compactMap { lane in
                guard let from = lane["from"]?.asString, let to = lane["to"]?.asString else { return nil }
                return AdoptionFile.Lane(from: from, to: to)
            })
    }
}
