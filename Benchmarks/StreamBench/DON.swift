// A DON in a folder: keys, the shared file, and one file for each process, with as many feeds as are asked for.

import Configuration
import Ethereum
import Foundation
import Glibc
import MessageBus

struct DON {
    static let oracles = 4

    let folder: String
    let feeds: Int
    let signers: [PrivateKey]
    var gatewayFile: String { "\(folder)/gateway.yaml" }
    func oracleFile(_ index: Int) -> String { "\(folder)/oracle-\(index).yaml" }

    /// - Parameter cadence: rounds a second.
    init(folder: String, feeds: Int, cadence: Int) throws {
        self.folder = folder
        self.feeds = feeds
        signers = (0..<Self.oracles).map { _ in PrivateKey.random() }
        let password = "benchmark"
        try Self.write("\(folder)/password", Bytes(password.utf8))
        let secret = Secret(Bytes(password.utf8))
        func seal(_ place: String, _ name: String, _ key: Secret) throws {
            try SettingsFile.makeDirectory("\(folder)/\(place)-keys")
            try Self.write(
                "\(folder)/\(place)-keys/\(name)", KeyFile.sealed(key, password: secret, work: .light).encoded)
        }
        var oracles = ""
        for index in 0..<Self.oracles {
            let offchain = randomBytes(32)
            let curve = try CurveKeyPair.generate()
            let place = "oracle-\(index)"
            try seal(place, "report-signer.json", signers[index].secret)
            try seal(place, "offchain.json", Secret(offchain))
            try seal(place, "curve-streams.json", Secret(curve.secretKey.exposedBytes()))
            oracles += """
                  - name: \(place)
                    signer: "\(signers[index].address)"
                    offchainPublicKey: "\(Hex.encode(try Ed25519PrivateKey(bytes: offchain).publicKey))"
                    curvePublicKey: '\(curve.publicKey.z85)'
                    endpoint: tcp://127.0.0.1:\(try Self.freePort())

                """
            try Self.write(
                oracleFile(index),
                Bytes(
                    (Self.process("oracle", place) + """
                        sources:
                          - kind: simulator

                        """).utf8))
        }
        let curve = try CurveKeyPair.generate()
        try seal("gateway", "curve-streams.json", Secret(curve.secretKey.exposedBytes()))
        try Self.write(
            gatewayFile,
            Bytes(
                (Self.process("gateway", "gateway") + """
                    feed: tcp://127.0.0.1:\(try Self.freePort())
                    requests: tcp://127.0.0.1:\(try Self.freePort())
                    plaintext: true

                    """).utf8))
        var streams = ""
        var list = ""
        for index in 0..<feeds {
            streams += """
                  - name: F\(index)
                    id: \(index + 10)
                    kind: quote
                    class: crypto
                    sources: 1

                """
            list += """
                  - symbol: "BENCH-\(index)"
                    schema: v3
                    resolution: ms
                    channel: \(index + 1)
                    streams:
                      quote: F\(index)

                """
        }
        let round = 1_000 / cadence
        try Self.write(
            "\(folder)/streams.yaml",
            Bytes(
                """
                version: 1
                name: benchmark
                don:
                  id: 7
                  faulty: 1
                  configurator:
                    chainId: 1
                    address: "0x00000000000000000000000000000000000000c0"
                  minimumReportIntervalMilliseconds: \(max(1, round / 2))
                timing:
                  deltaRound: \(round)
                  deltaGrace: \(min(15, round / 5))
                oracles:
                \(oracles)gateways:
                  - name: gateway
                    curvePublicKey: '\(curve.publicKey.z85)'
                    ingress: tcp://127.0.0.1:\(try Self.freePort())
                streams:
                  - name: native
                    id: 1
                    kind: decimal
                    class: crypto
                    sources: 1
                  - name: link
                    id: 2
                    kind: decimal
                    class: crypto
                    sources: 1
                \(streams)fees:
                  native: native
                  link: link
                feeds:
                \(list)
                """.utf8))
    }

    private static func process(_ kind: String, _ name: String) -> String {
        """
        version: 1
        streams: streams.yaml
        \(kind): \(name)
        dataDirectory: \(name)-data
        keys:
          directory: \(name)-keys
          passwordFile: password
        http: 127.0.0.1:1
        logLevel: error

        """
    }

    private static func write(_ path: String, _ bytes: Bytes) throws {
        guard
            FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
        else { throw BenchError("\(path) cannot be written") }
    }

    /// One that nobody has at this moment.
    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard isBound else { throw BenchError("no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
