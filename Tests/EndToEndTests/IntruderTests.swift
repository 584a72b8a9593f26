// Those who must not get in: a stranger with a valid CURVE key, and a relayer that signs reports with a wrong key.

import Ethereum
import Foundation
import MessageBus
import Relayer
import TestSupport
import Testing

@Suite("Intruders, end to end", .serialized)
struct IntruderTests {
    @Test("a stranger with a valid CURVE key that is not in the list does not get into the mesh", .timeLimit(.minutes(3)))
    func stranger() throws {
        let network = try RunningNetwork()
        defer { network.stop() }
        let cluster = try Self.cluster(network)
        let keys = try CurveKeyPair.generate()
        // The stranger knows everything public, and puts itself in the place of relayer-0.
        var peers = try cluster.relayers.map {
            PeerMeshConfiguration.Peer(
                name: $0.name, endpoint: try Endpoint($0.committing.mesh),
                publicKey: try CurvePublicKey(z85: $0.committing.curvePublicKey))
        }
        peers[0].publicKey = keys.publicKey
        var configuration = PeerMeshConfiguration(peers: peers, ownIndex: 0, keyPair: keys)
        configuration.bindEndpoint = try Endpoint("tcp://127.0.0.1:0")
        let mesh = try PeerMesh(configuration: configuration)
        defer { mesh.stop() }
        try mesh.start { _ in }
        for relayer in 1..<4 {
            let deadline = Date(timeIntervalSinceNow: 20)
            var refused = 0.0
            while refused == 0, Date() < deadline {
                #expect(mesh.statistics.connectedPeers == 0)
                refused = try Self.metric(
                    network, relayer: relayer, "causeway_mesh_dropped_messages_total", "unauthenticated")
            }
            #expect(refused > 0, "relayer-\(relayer) refused it, and counted that")
        }
        #expect(mesh.statistics.connectedPeers == 0)
        // The control: the same means with a listed key do connect, or the network would not be ready.
        #expect(try Self.metric(network, relayer: 1, "causeway_mesh_peers_connected", "committing") == 3)
    }

    @Test("a relayer with a wrong report key makes no report pass, and the others go on without it", .timeLimit(.minutes(3)))
    func wrongReportKey() throws {
        let network = try RunningNetwork()
        defer { network.stop() }
        let config = try Self.forge(network, relayer: 3)
        try network.kill9(3, "committing")
        try network.restart(3, "committing", config: config)
        _ = try network.json(["send", "ethereum", "jovay", "--text", "warm up", "--wait"])
        let deadline = Date(timeIntervalSinceNow: 30)
        var refused = 0.0
        while refused == 0, Date() < deadline {
            _ = try network.json(["send", "ethereum", "jovay", "--text", "with a forger", "--wait"])
            refused = try Self.metric(network, relayer: 1, "causeway_instance_refused_inputs_total", "jovay")
        }
        #expect(refused > 0, "the wrong signature was refused by name")
        let found = try network.executions(on: "jovay")
        #expect(found.count >= 2 && found.allSatisfy { $0.state == 2 })
        #expect(Set(found.map(\.sequence)).count == found.count)
    }

    /// relayer-3's files with another report key, and a cluster file that lists it, so that it starts.
    private static func forge(_ network: RunningNetwork, relayer: Int) throws -> String {
        let manager = FileManager.default
        let config = network.directory.appendingPathComponent("relayer-config")
        let forged = network.directory.appendingPathComponent("forged-config")
        try manager.copyItem(at: config, to: forged)
        let original = network.directory.appendingPathComponent("relayer-\(relayer)/keys")
        let keys = network.directory.appendingPathComponent("forged-keys")
        try manager.copyItem(at: original, to: keys)
        let password = try String(contentsOf: keys.appendingPathComponent("password"), encoding: .utf8)
        let key = PrivateKey.random()
        let trimmed = password.hasSuffix("\n") ? String(password.dropLast()) : password
        let file = try KeyFile.sealed(key, password: Secret(Bytes(trimmed.utf8)), work: .light)
        try Data(file.encoded).write(to: keys.appendingPathComponent("report-signer.json"))
        let path = keys.appendingPathComponent("report-signer.json").path
        try manager.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        let settings = try cluster(network)
        let clusterFile = forged.appendingPathComponent("cluster.yaml")
        let text = try String(contentsOf: clusterFile, encoding: .utf8)
        let changed = text.replacingOccurrences(
            of: settings.relayers[relayer].reportSigner.checksummed, with: key.address.checksummed)
        guard changed != text else { throw Failure("the cluster file does not name the signer as expected") }
        try changed.write(to: clusterFile, atomically: true, encoding: .utf8)
        let own = forged.appendingPathComponent("relayer-\(relayer).yaml")
        let ownText = try String(contentsOf: own, encoding: .utf8)
        try ownText.replacingOccurrences(of: "../relayer-\(relayer)/keys", with: "../forged-keys")
            .write(to: own, atomically: true, encoding: .utf8)
        return own.path
    }

    private static func cluster(_ network: RunningNetwork) throws -> ClusterSettings {
        let path = network.directory.appendingPathComponent("relayer-config/cluster.yaml").path
        return try ClusterSettings(yaml: try String(contentsOfFile: path, encoding: .utf8), file: path)
    }

    /// The sum of a committing process's metric over the lines that hold `label`.
    private static func metric(
        _ network: RunningNetwork, relayer: Int, _ name: String, _ label: String
    ) throws -> Double {
        let document = try network.document()
        guard let port = document["relayers"]?.asArray?[relayer]["ports"]?["committingHTTP"]?.asInt else {
            throw Failure("relayer \(relayer) has no HTTP port")
        }
        let got = try Command.run(
            Command.python,
            ["-c", "import sys,urllib.request as u;sys.stdout.write(u.urlopen(sys.argv[1],timeout=10).read().decode())",
             "http://127.0.0.1:\(port)/metrics"])
        guard got.status == 0 else { throw Failure(got.errors) }
        let lines = got.output.split(separator: "\n").filter { $0.hasPrefix(name) && $0.contains(label) }
        return lines.compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }
}
