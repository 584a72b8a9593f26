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
        for var section in try root.sections("tokens", required: true) {
            tokens.append(try Self.token(&section, chains.map(\.name)))
        }
        var cluster = try root.section("cluster")
        let faulty = try cluster.integer("faulty", in: 1...10, default: 1)
        var oracles: [DeploymentRequest.Oracle] = []
        for var section in try cluster.sections("relayers", required: true) {
            oracles.append(try Self.oracle(&section, chains.map(\.name)))
        }
        try cluster.finish()
        let blessing = try Self.blessing(&root)
        request = DeploymentRequest(
            chains: chains, tokens: tokens, oracles: oracles, faulty: faulty,
            transmitterFunding: try root.value("transmitterFundingWei", expected: "an amount in wei", default: "0") {
                try? U256(text: $0)
            },
            manualExecutionSeconds: try root.value("manualExecutionSeconds", expected: "seconds below 2^32", default: "3600") {
                UInt32($0)
            },
            receivers: try root.bool("receivers", default: false), blessing: blessing,
            attesters: try Self.attesters(&root))
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
        var domain: UInt32?
        if section.has("cctpDomain") {
            let number: UInt32 = try section.value("cctpDomain", expected: "a CCTP domain below 2^32") { UInt32($0) }
            domain = number
        }
        guard native.bitWidth <= 160 else { throw section.refused("nativePriceUSD", "\(native)", "a price below 10^30") }
        return DeploymentRequest.Chain(
            name: try section.string("name"), chainID: chainID, selector: ChainSelector(selector), deployer: .zero,
            nativePriceUSD18: native, gasPriceUSD18: (gasWei * native).quotientAndRemainder(dividingBy: unit).quotient,
            cctpDomain: domain)
    }

    private static func token(
        _ section: inout ConfigurationSection, _ chains: [String]
    ) throws(ConfigurationError) -> DeploymentRequest.Token {
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
        var decimalsOn: [String: UInt8] = [:]
        var pools: [String: DeploymentRequest.PoolKind] = [:]
        var other = try section.section("decimalsOn")
        for chain in chains where other.has(chain) { decimalsOn[chain] = UInt8(try other.integer(chain, in: 0...36)) }
        try other.finish()
        var kinds = try section.section("pools")
        for chain in chains where kinds.has(chain) { pools[chain] = try kind(&kinds, chain) }
        try kinds.finish()
        let token = DeploymentRequest.Token(
            name: try section.string("name", default: symbol), symbol: symbol, decimals: UInt8(decimals), priceUSD18: price,
            isLink: try section.bool("link", default: false), lockedOn: Set(try section.strings("lockedOn")),
            rateLimit: limit, pool: try kind(&section, "pool", default: .burnMint), pools: pools, decimalsOn: decimalsOn)
        try section.finish()
        return token
    }

    private static func kind(
        _ section: inout ConfigurationSection, _ key: String, default builtIn: DeploymentRequest.PoolKind? = nil
    ) throws(ConfigurationError) -> DeploymentRequest.PoolKind {
        try section.value(
            key, expected: "one of \(DeploymentRequest.PoolKind.names)", default: builtIn?.name
        ) { DeploymentRequest.PoolKind(name: $0) }
    }

    /// Nil when the section is missing.
    private static func attesters(
        _ root: inout ConfigurationSection
    ) throws(ConfigurationError) -> DeploymentRequest.Attesters? {
        guard root.has("attestation") else { return nil }
        var section = try root.section("attestation")
        var addresses: [Address] = []
        for text in try section.strings("attesters", required: true) {
            guard let address = try? Address(hex: text) else {
                throw section.refused("attesters", text, "addresses of attesters")
            }
            addresses.append(address)
        }
        let threshold = try section.integer(
            "threshold", in: 1...DeploymentRequest.attestersMaximum, default: max(1, addresses.count))
        try section.finish()
        return DeploymentRequest.Attesters(addresses: addresses, threshold: threshold)
    }

    private static func power(_ exponent: Int) -> U256 {
        (0..<exponent).reduce(U256.one) { value, _ in value * 10 }
    }

    /// `rmn`: who signs roots, and which lanes need it.
    private static func blessing(
        _ root: inout ConfigurationSection
    ) throws(ConfigurationError) -> DeploymentRequest.Blessing? {
        guard root.has("rmn") else { return nil }
        var section = try root.section("rmn")
        var signers: [DeploymentRequest.Blessing.Signer] = []
        for (position, var entry) in try section.sections("signers", required: true).enumerated() {
            let account: Address = try entry.value("account", expected: "an address") { try? Address(hex: $0) }
            let index: UInt64 = try entry.value(
                "nodeIndex", expected: "a whole number below 2^64", default: "\(position)"
            ) { UInt64($0) }
            signers.append(.init(account: account, nodeIndex: index))
            try entry.finish()
        }
        let most = DeploymentRequest.Blessing.faulty(of: signers.count)
        let faulty = try section.integer("faulty", in: 0...max(0, most), default: most)
        var lanes = LaneSelection.all
        if section.has("lanes") {
            // One word or a list.
            let texts = section.isSingle("lanes") ? [try section.string("lanes")] : try section.strings("lanes")
            do { lanes = try LaneSelection(texts) } catch {
                throw section.refused("lanes", texts.joined(separator: ", "), "all, or a list of lanes as [\"ethereum:jovay\"]")
            }
        }
        try section.finish()
        return DeploymentRequest.Blessing(signers: signers, faulty: faulty, lanes: lanes)
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
