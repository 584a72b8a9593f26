// The YAML file of `causeway deploy`: chains by address, tokens, the cluster's public keys. docs/reference/deployment-file.md
// explains every key; this file only reads and checks.

import CCIP
import Configuration
import Ethereum

package struct DeploymentFile: Sendable, Equatable {
    /// Where the deployer's key is.
    package struct Key: Sendable, Equatable {
        /// A Web3 Secret Storage file; nil when the key comes from the environment.
        package var file: String?
        package var passwordFile: String?
    }

    package var key: Key
    package var request: DeploymentRequest
    /// RPC addresses by chain name.
    package var endpoints: [String: String]

    /// Paths in the file are relative to its folder. The deployer's address is put into the request by `setDeployer`.
    /// Throws `ConfigurationError` that names file, line and key.
    package init(
        yaml text: String, file: String, environment: [String: String] = [:]
    ) throws(ConfigurationError) {
        let reader = try ConfigurationReader(text: text, file: file, environment: environment)
        var root = reader.root
        _ = try root.integer("version", in: 1...1, default: 1)
        var deployer = try root.section("deployer")
        key = Key(file: try deployer.optional("keyFile"), passwordFile: try deployer.optional("passwordFile"))
        try deployer.finish()
        var chains: [DeploymentRequest.Chain] = []
        endpoints = [:]
        for var section in try root.sections("chains", required: true) {
            let chain = try Self.chain(&section)
            endpoints[chain.name] = try section.string("rpc")
            chains.append(chain)
            try section.finish()
        }
        var tokens: [DeploymentRequest.Token] = []
        for var section in try root.sections("tokens", required: true) { tokens.append(try Self.token(&section)) }
        var cluster = try root.section("cluster")
        let faulty = try cluster.integer("faulty", in: 1...10, default: 1)
        var oracles: [DeploymentRequest.Oracle] = []
        for var section in try cluster.sections("relayers", required: true) {
            oracles.append(try Self.oracle(&section, chains.map(\.name)))
        }
        try cluster.finish()
        request = DeploymentRequest(
            chains: chains, tokens: tokens, oracles: oracles, faulty: faulty,
            transmitterFunding: try root.value("transmitterFundingWei", expected: "an amount in wei", default: "0") {
                try? U256(text: $0)
            },
            manualExecutionSeconds: try root.value("manualExecutionSeconds", expected: "seconds below 2^32", default: "3600") {
                UInt32($0)
            },
            receivers: try root.bool("receivers", default: false))
        try root.finish()
        try reader.finish()
    }

    package mutating func setDeployer(_ address: Address) {
        for index in request.chains.indices { request.chains[index].deployer = address }
    }

    private static func chain(_ section: inout ConfigurationSection) throws(ConfigurationError) -> DeploymentRequest.Chain {
        let native: U256 = try section.value("nativePriceUSD", expected: "US dollars, as 2999.95") {
            DecimalText.parse($0, decimals: 18)
        }
        let gasWei: U256 = try section.value("gasPriceWei", expected: "an amount in wei", default: "1000000000") {
            (try? U256(text: $0)).flatMap { $0.bitWidth <= 64 ? $0 : nil }
        }
        let unit = U256(1_000_000_000_000_000_000)
        let chainID: UInt64 = try section.value("chainId", expected: "a chain id") { UInt64($0).flatMap { $0 > 0 ? $0 : nil } }
        let selector: UInt64 = try section.value("selector", expected: "a CCIP chain selector") {
            UInt64($0).flatMap { $0 > 0 ? $0 : nil }
        }
        guard native.bitWidth <= 160 else { throw section.refused("nativePriceUSD", "\(native)", "a price below 10^30") }
        return DeploymentRequest.Chain(
            name: try section.string("name"), chainID: chainID, selector: ChainSelector(selector), deployer: .zero,
            nativePriceUSD18: native, gasPriceUSD18: (gasWei * native).quotientAndRemainder(dividingBy: unit).quotient)
    }

    private static func token(_ section: inout ConfigurationSection) throws(ConfigurationError) -> DeploymentRequest.Token {
        let symbol = try section.string("symbol")
        let decimals = try section.integer("decimals", in: 0...36, default: 18)
        // 1e18 of the smallest unit is 10^(18 - decimals) tokens (15.1).
        let price: U256 = try section.value("priceUSD", expected: "US dollars, as 15 or 0.9998") { text in
            guard decimals <= 18 else {
                return DecimalText.parse(text, decimals: 18).map {
                    $0.quotientAndRemainder(dividingBy: power(decimals - 18)).quotient
                }
            }
            return DecimalText.parse(text, decimals: 18 + 18 - decimals)
        }
        var limit: DeploymentRequest.RateLimit?
        if section.has("rateLimit") {
            var bucket = try section.section("rateLimit")
            limit = DeploymentRequest.RateLimit(
                capacity: try bucket.value("capacity", expected: "an amount in the smallest unit") { try? U256(text: $0) },
                rate: try bucket.value("ratePerSecond", expected: "an amount in the smallest unit") { try? U256(text: $0) })
            try bucket.finish()
        }
        let token = DeploymentRequest.Token(
            name: try section.string("name", default: symbol), symbol: symbol, decimals: UInt8(decimals), priceUSD18: price,
            isLink: try section.bool("link", default: false), lockedOn: Set(try section.strings("lockedOn")),
            rateLimit: limit)
        try section.finish()
        return token
    }

    private static func power(_ exponent: Int) -> U256 {
        (0..<exponent).reduce(U256.one) { value, _ in value * 10 }
    }

    private static func oracle(
        _ section: inout ConfigurationSection, _ chains: [String]
    ) throws(ConfigurationError) -> DeploymentRequest.Oracle {
        let peerID: Bytes = try section.value("peerId", expected: "32 bytes of hexadecimal") {
            try? Hex.decode($0, count: 32)
        }
        let signer: Address = try section.value("reportSigner", expected: "an address") { try? Address(hex: $0) }
        var transmitters = try section.section("transmitters")
        var committing: [String: Address] = [:]
        var executing: [String: Address] = [:]
        for chain in chains {
            var pair = try transmitters.section(chain)
            committing[chain] = try pair.value("committing", expected: "an address") { try? Address(hex: $0) }
            executing[chain] = try pair.value("executing", expected: "an address") { try? Address(hex: $0) }
            try pair.finish()
        }
        try transmitters.finish()
        try section.finish()
        return DeploymentRequest.Oracle(peerID: peerID, signer: signer, committing: committing, executing: executing)
    }
}

// MARK: - The deployer's key

extension DeploymentFile {
    /// The environment variable that may hold the key as hexadecimal text.
    package static let keyVariable = "CAUSEWAY_DEPLOYER_KEY"

    /// Opens the deployer's key; `folder` is that of the file. Throws `invalidRequest` or `fileFailed`.
    package func openKey(folder: String) throws(LocalnetError) -> PrivateKey {
        if let text = Files.environment(Self.keyVariable) {
            do { return try PrivateKey(hex: text) } catch {
                throw LocalnetError(.invalidRequest, "\(Self.keyVariable): \(error.message)")
            }
        }
        guard let file = key.file else {
            throw LocalnetError(
                .invalidRequest, "there is no deployer's key",
                hint: "name one under deployer.keyFile, or set \(Self.keyVariable)")
        }
        let path = Self.resolve(file, folder)
        guard let bytes = Files.read(path, maximum: Limits.stateBytesMaximum) else {
            throw LocalnetError(.fileFailed, "no readable key file \(path)")
        }
        guard Files.isPrivate(path) else {
            throw LocalnetError(
                .fileFailed, "the key file \(path) can be read by others", hint: "chmod 600 \(path)")
        }
        let password = try password(folder)
        do { return try KeyFile.decode(bytes).openPrivateKey(password: password) } catch {
            throw LocalnetError(.invalidRequest, "\(path): \(error.message)")
        }
    }

    private func password(_ folder: String) throws(LocalnetError) -> Secret {
        if let text = Files.environment("CAUSEWAY_KEYS_PASSWORD") { return Secret(Bytes(text.utf8)) }
        guard let file = key.passwordFile else {
            throw LocalnetError(
                .invalidRequest, "there is no password for the deployer's key file",
                hint: "name one under deployer.passwordFile, or set CAUSEWAY_KEYS_PASSWORD")
        }
        let path = Self.resolve(file, folder)
        guard let bytes = Files.read(path, maximum: 4096) else {
            throw LocalnetError(.fileFailed, "no readable password file \(path)")
        }
        return Secret(Bytes(bytes.prefix { $0 != 0x0a && $0 != 0x0d }))
    }

    private static func resolve(_ path: String, _ folder: String) -> String {
        path.hasPrefix("/") ? path : folder + "/" + path
    }
}
