// attester.yaml: which transmitters are watched, and where questions are answered. docs/operate/attester.md explains it.

import Configuration
import Ethereum

package struct AttesterSettings: Sendable, Equatable {
    package struct Chain: Sendable, Equatable {
        package var name: String
        package var rpc: String
        package var domain: UInt32
        package var startBlock: UInt64
        package var transmitters: [Address]

        package init(name: String, rpc: String, domain: UInt32, startBlock: UInt64 = 0, transmitters: [Address]) {
            self.name = name
            self.rpc = rpc
            self.domain = domain
            self.startBlock = startBlock
            self.transmitters = transmitters
        }
    }

    package var host: String
    package var port: Int
    /// Keys of the development mnemonic, and how many of them sign.
    package var attesters: Int
    package var threshold: Int
    package var pollMilliseconds: Int
    package var chains: [Chain]
    package var faults: AttesterFaults

    package init(
        host: String = "127.0.0.1", port: Int, attesters: Int, threshold: Int, pollMilliseconds: Int = 100,
        chains: [Chain], faults: AttesterFaults = AttesterFaults()
    ) {
        self.host = host
        self.port = port
        self.attesters = attesters
        self.threshold = threshold
        self.pollMilliseconds = pollMilliseconds
        self.chains = chains
        self.faults = faults
    }

    /// Throws `ConfigurationError` that names file, line and key.
    package init(yaml text: String, file: String, environment: [String: String] = [:]) throws(ConfigurationError) {
        let reader = try ConfigurationReader(text: text, file: file, environment: environment)
        var root = reader.root
        _ = try root.integer("version", in: 1...1, default: 1)
        (host, port) = try root.value("http", expected: "HOST:PORT") { Self.address($0) }
        attesters = try root.integer("attesters", in: 1...DeploymentRequest.attestersMaximum)
        threshold = try root.integer("threshold", in: 1...attesters, default: attesters)
        pollMilliseconds = try root.integer("pollMilliseconds", in: 10...60_000, default: 1_000)
        chains = []
        for var section in try root.sections("chains", required: true) {
            let chain = try Self.chain(&section)
            guard !chains.contains(where: { $0.domain == chain.domain || $0.name == chain.name }) else {
                throw section.refused("domain", "\(chain.domain)", "each chain and each domain once")
            }
            chains.append(chain)
        }
        guard !chains.isEmpty else { throw root.refused("chains", "empty", "at least one chain") }
        var section = try root.section("faults")
        faults = try AttesterFaults(&section)
        try section.finish()
        try root.finish()
        try reader.finish()
    }

    private static func address(_ text: String) -> (String, Int)? {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex, let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        return (String(text[..<colon]), port)
    }

    private static func chain(_ section: inout ConfigurationSection) throws(ConfigurationError) -> Chain {
        var transmitters: [Address] = []
        for text in try section.strings("transmitters", required: true) {
            guard let address = try? Address(hex: text) else {
                throw section.refused("transmitters", text, "addresses of MessageTransmitters")
            }
            transmitters.append(address)
        }
        guard !transmitters.isEmpty else { throw section.refused("transmitters", "empty", "at least one address") }
        let chain = Chain(
            name: try section.string("name"), rpc: try section.string("rpc"),
            domain: try section.value("domain", expected: "a CCTP domain below 2^32") { UInt32($0) },
            startBlock: UInt64(try section.integer("startBlock", default: 0)), transmitters: transmitters)
        try section.finish()
        return chain
    }

    /// The file that `init(yaml:)` reads.
    package var text: String {
        var text = """
            # The attestation service that `causeway up` started. Written on each start. Its keys are public.
            version: 1
            http: "\(host):\(port)"
            attesters: \(attesters)
            threshold: \(threshold)
            pollMilliseconds: \(pollMilliseconds)
            chains:

            """
        for chain in chains {
            let transmitters = chain.transmitters.map { "\"\($0.checksummed)\"" }.joined(separator: ", ")
            text += "  - {name: \(chain.name), rpc: \"\(chain.rpc)\", domain: \(chain.domain), "
            text += "startBlock: \(chain.startBlock), transmitters: [\(transmitters)]}\n"
        }
        return text
    }
}
