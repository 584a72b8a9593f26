// From the text of an adoption file to its values. Every refusal names file, line and key, and what to write instead.

import CCIP
import Configuration
import Ethereum

extension AdoptionFile {
    /// YAML or JSON. Paths of key files are relative to `folder`. `more` is a second file whose keys stand beside those of
    /// the first: addresses are public, keys are not. Throws `ConfigurationError`.
    package init(
        text: String, file: String, folder: String, more: (text: String, file: String)? = nil
    ) throws(ConfigurationError) {
        self.file = file
        var root = try LenientValue(text: text, file: file).section()
        if let more { try root.merge(try LenientValue(text: more.text, file: more.file).section()) }
        if let value = root.optional("version") { _ = try value.value(Int.self, "1") { $0 == "1" ? 1 : nil } }
        if let value = root.optional("name") { name = try value.value(String.self, "letters, digits and -") { Self.plainName($0) } }
        if let value = root.optional("faulty", "f") { faulty = try value.value(Int.self, "F of the cluster, from 1 to 10") { Self.small($0) } }
        let chains = try root.required("chains", as: "a list of {name, rpc, contracts: {offRamp, onRamp, router}}")
        for (name, section) in try chains.named() { self.chains.append(try Self.chain(name, section)) }
        guard self.chains.count >= 2 else { throw chains.refused("at least two chains") }
        try Self.distinct(self.chains.map { ($0.name, $0.place) }, "chain name")
        if let value = root.optional("lanes") { lanes = try value.items.map { item throws(ConfigurationError) in try lane(item) } }
        let relayers = try root.required("relayers", "oracles", "nodes", as: "a list of {name, signer, transmitter}")
        for (index, (name, section)) in try relayers.named().enumerated() {
            self.relayers.append(try relayer(name ?? "relayer-\(index)", section, folder))
        }
        try Self.distinct(self.relayers.map { ($0.name, $0.place) }, "relayer name")
        try Self.distinct(self.relayers.map { ($0.signer.address.checksummed, $0.place) }, "signer")
        if let value = root.optional("guards", "rmnNodes") {
            for (index, (name, section)) in try value.named().enumerated() {
                guards.append(try guardNode(name ?? "guard-\(index)", section, folder))
            }
            try Self.distinct(guards.map { ($0.name, $0.place) } + self.relayers.map { ($0.name, $0.place) }, "name")
        }
        if let value = root.optional("prices") { try prices(value) }
        if let value = root.optional("timing") { timing = try Self.timing(value) }
        if let value = root.optional("ports") { try ports(value) }
        if let value = root.optional("pollMilliseconds") {
            pollMilliseconds = try value.value(Int.self, "milliseconds from 50 to 60000") { Int($0).flatMap { (50...60_000).contains($0) ? $0 : nil } }
        }
        if let value = root.optional("logLevel") {
            let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
            logLevel = try value.value(String.self, levels.joined(separator: ", ")) { levels.contains($0) ? $0 : nil }
        }
        if let value = root.optional("accounts") {
            accounts = try value.items.map { item throws(ConfigurationError) in try AdoptionKey.read(item, folder: folder) }
        }
        try root.finish()
    }

    // MARK: Chains

    private static func chain(_ key: String?, _ given: LenientSection) throws(ConfigurationError) -> Chain {
        var section = given
        let name: String
        if let value = section.optional("name") {
            name = try value.value(String.self, "a lower-case name of letters, digits and -") { plainName($0) }
        } else {
            guard let key else { throw section.missing("name", "a short name, as alpha; lanes and transmitters use it") }
            guard let plain = plainName(key) else { throw section.value.refused("a key of letters, digits and -") }
            name = plain
        }
        let rpc = try section.required("rpc", "rpcUrl", "rpcUrls", "urls", "url", "endpoint", "endpoints", as: "\"http://HOST:PORT\", or a list")
        var chain = Chain(name: name, place: section.place, rpc: try urls(rpc))
        if let value = section.optional("chainId") { chain.chainID = try value.value(UInt64.self, "a chain id, as 1337") { number($0) } }
        if let value = section.optional("selector", "chainSelector") {
            chain.selector = try value.value(ChainSelector.self, "a CCIP chain selector") { number($0).flatMap { $0 > 0 ? ChainSelector($0) : nil } }
        }
        if let value = section.optional("finality", "finalityDepth") { chain.finality = try finality(value) }
        if let value = section.optional("startBlock", "fromBlock") { chain.startBlock = try value.value(UInt64.self, "a block number") { number($0) } }
        if let value = section.optional("contracts", "addresses") { try contracts(try value.entries(), &chain, isTop: false) }
        if let value = section.optional("tokens") {
            var list = value.items.map { (name: "token", value: $0) }
            if value.isMapping { list = try value.entries() }
            for (name, item) in list { chain.tokens.append(try token(name, item)) }
        }
        if let value = section.optional("access") { chain.access = try access(value) }
        if let value = section.optional("logBlocksMaximum", "logRange") { chain.access.logBlocksMaximum = try value.value(UInt64.self, "blocks") { number($0) } }
        if let value = section.optional("fees") {
            var fees = try value.section()
            if let most = fees.optional("maxFeePerGasWei", "maxFeePerGas") { chain.maxFeePerGas = try most.value(U256.self, "wei") { word($0) } }
            if let price = fees.optional("gasPriceWei", "gasPrice") { chain.fees.gasPriceWei = try price.value(U256.self, "wei") { word($0) } }
            if let kind = fees.optional("kind") {
                chain.fees.kind = try kind.value(String.self, "auto, legacy or dynamic") { ["auto", "legacy", "dynamic"].contains($0) ? $0 : nil }
            }
            try fees.finish()
        }
        let gas = "gas, as 16000000"
        if let value = section.optional("transactionGasMaximum") { chain.transactionGasMaximum = try value.value(UInt64.self, gas) { number($0) } }
        if let value = section.optional("batchGasLimit") { chain.batchGasLimit = try value.value(UInt64.self, gas) { number($0) } }
        // Addresses beside the other keys, as short files have them.
        for role in ContractRole.allCases {
            for name in [role.rawValue] + role.aliases {
                guard let value = section.optional(name) else { continue }
                try contracts([(name, value)], &chain, isTop: true)
            }
        }
        try section.finish()
        guard [.offRamp, .onRamp, .router].contains(where: { chain.contracts[$0] != nil }) else {
            throw section.missing("contracts", "{offRamp: \"0x...\", onRamp: \"0x...\", router: \"0x...\"}, at least one of them")
        }
        return chain
    }

    private static func contracts(
        _ entries: [(name: String, value: LenientValue)], _ chain: inout Chain, isTop: Bool
    ) throws(ConfigurationError) {
        for (name, value) in entries where !value.isEmpty {
            let plain = LenientSection.plain(name)
            let role = ContractRole.allCases.first { role in
                ([role.rawValue] + role.aliases).contains { LenientSection.plain($0) == plain }
            }
            guard let role else {
                // Receivers, modules and what else was deployed there.
                if let address = value.scalar.flatMap({ try? Address(hex: $0) }) {
                    chain.others.append(Named(name: name, address: address, place: value.place))
                }
                continue
            }
            let named = Named(name: role.rawValue, address: try address(value), place: value.place)
            guard chain.contracts.updateValue(named, forKey: role) == nil else {
                throw value.refused("one address for \(role.rawValue), which stands twice")
            }
        }
    }

    /// An address by itself, or `{address, pool, symbol, decimals}` of which only the address counts.
    private static func token(_ name: String, _ value: LenientValue) throws(ConfigurationError) -> Named {
        guard value.isMapping else { return Named(name: name, address: try address(value), place: value.place) }
        var section = try value.section()
        let token = try address(try section.required("address", "token", as: "\"0x...\", the token's address"))
        var label = name
        if let symbol = section.optional("symbol", "name") { label = try symbol.string() }
        _ = section.rest()
        return Named(name: label, address: token, place: value.place)
    }

    private static func finality(_ value: LenientValue) throws(ConfigurationError) -> Finality {
        let expected = "{depth: N} or {tag: finalized, offset: N}"
        if let text = value.scalar {
            if text == "finalized" { return .tag(offset: 0) }
            if let depth = number(text), depth <= 10_000 { return .depth(depth) }
            throw value.refused(expected)
        }
        var section = try value.section()
        let depth = section.optional("depth", "blocks")
        let tag = section.optional("tag")
        let offset = section.optional("offset")
        try section.finish()
        if let depth {
            guard tag == nil else { throw value.refused("either a depth or a tag") }
            if let offset { throw offset.refused("no offset beside a depth: add it to the depth") }
            return .depth(try depth.value(UInt64.self, "blocks below the head, at most 10000") { number($0).flatMap { $0 <= 10_000 ? $0 : nil } })
        }
        guard let tag else { throw value.refused(expected) }
        _ = try tag.value(Bool.self, "finalized") { $0 == "finalized" ? true : nil }
        return .tag(offset: try offset.map { value throws(ConfigurationError) in try value.value(UInt64.self, "blocks") { number($0) } } ?? 0)
    }

    private static func access(_ value: LenientValue) throws(ConfigurationError) -> Access {
        var section = try value.section()
        var access = Access()
        if let blocks = section.optional("logBlocksMaximum", "logRange") {
            access.logBlocksMaximum = try blocks.value(UInt64.self, "blocks of one eth_getLogs, at least 1") { number($0).flatMap { $0 > 0 ? $0 : nil } }
        }
        if let timeout = section.optional("requestTimeoutMilliseconds") {
            access.requestTimeoutMilliseconds = try timeout.value(UInt64.self, "milliseconds") { number($0) }
        }
        if let batch = section.optional("batch", "batches") {
            access.batch = try batch.value(String.self, "auto, on or off") { ["auto", "on", "off"].contains($0) ? $0 : nil }
        }
        try section.finish()
        return access
    }

    // MARK: Lanes

    /// `{from: alpha, to: beta}`, `[alpha, beta]` or `alpha -> beta`.
    private func lane(_ value: LenientValue) throws(ConfigurationError) -> Lane {
        let expected = "{from: CHAIN, to: CHAIN}"
        var ends: [LenientValue] = []
        if value.isMapping {
            var section = try value.section()
            ends = [
                try section.required("from", "source", as: "the name of a chain"),
                try section.required("to", "destination", "dest", as: "the name of a chain"),
            ]
            try section.finish()
        } else if value.isList {
            ends = value.items
        } else if let text = value.scalar {
            let names = text.replacing("->", with: " ").split(separator: " ").map(String.init)
            guard names.count == 2, chain(names[0]) != nil, chain(names[1]) != nil, names[0] != names[1] else {
                throw value.refused("\(expected) with two of: \(chains.map(\.name).joined(separator: ", "))")
            }
            return Lane(from: names[0], to: names[1])
        }
        guard ends.count == 2 else { throw value.refused(expected) }
        let names = try ends.map { end throws(ConfigurationError) in try chainName(end) }
        guard names[0] != names[1] else { throw value.refused("two different chains") }
        return Lane(from: names[0], to: names[1])
    }

    /// A chain by its name or selector.
    private func chainName(_ value: LenientValue) throws(ConfigurationError) -> String {
        try value.value(String.self, "one of the chains \(chains.map(\.name).joined(separator: ", "))") { resolve($0) }
    }

    private func resolve(_ text: String) -> String? {
        chains.first { $0.name == text || $0.selector.map { "\($0)" } == text }?.name
    }

    // MARK: Relayers and guards

    private func relayer(
        _ key: String, _ given: LenientSection, _ folder: String
    ) throws(ConfigurationError) -> Relayer {
        var section = given
        let name = try name(&section, key)
        let signer = try AdoptionKey.read(
            try section.required("signer", "reportSigner", "signerKey", "signingKey", "onchainSigner", as: AdoptionKey.expected),
            folder: folder)
        let one = section.optional("transmitter", "transmitterKey")
        let table = section.optional("transmitters", "transmitterKeys")
        var transmitters: [String: Transmitters] = [:]
        if let one {
            let pair = try pair(one, folder)
            for chain in chains { transmitters[chain.name] = pair }
        }
        if let table { try read(table, &transmitters, folder) }
        guard one != nil || table != nil else {
            throw section.missing("transmitter", "\(AdoptionKey.expected); or transmitters: {CHAIN: {committing: KEY, executing: KEY}}")
        }
        let endpoints = try endpoints(&section)
        try section.finish()
        return Relayer(name: name, place: section.place, signer: signer, transmitters: transmitters, endpoints: endpoints)
    }

    /// By chain, or one pair for all chains.
    private func read(
        _ value: LenientValue, _ transmitters: inout [String: Transmitters], _ folder: String
    ) throws(ConfigurationError) {
        let entries = try value.entries()
        let plain = entries.map { LenientSection.plain($0.name) }
        if plain.contains(where: Self.rolesOfPair.contains) || plain.contains("key") || plain.contains("keyfile") {
            let pair = try pair(value, folder)
            for chain in chains { transmitters[chain.name] = pair }
            return
        }
        for (name, entry) in entries {
            guard let chain = resolve(name) else {
                throw entry.refused(
                    "a key that is one of the chains \(chains.map(\.name).joined(separator: ", "))", secret: true)
            }
            transmitters[chain] = try pair(entry, folder)
        }
    }

    private static let rolesOfPair: Set<String> = ["committing", "commit", "executing", "execute", "exec", "execution"]

    /// One key for both plugins, or one each.
    private func pair(_ value: LenientValue, _ folder: String) throws(ConfigurationError) -> Transmitters {
        if value.isMapping, try value.entries().contains(where: { Self.rolesOfPair.contains(LenientSection.plain($0.name)) }) {
            var section = try value.section()
            let commit = try section.required("committing", "commit", as: AdoptionKey.expected)
            let execute = try section.required("executing", "execute", "exec", "execution", as: AdoptionKey.expected)
            try section.finish()
            return Transmitters(
                committing: try AdoptionKey.read(commit, folder: folder), executing: try AdoptionKey.read(execute, folder: folder))
        }
        let key = try AdoptionKey.read(value, folder: folder)
        return Transmitters(committing: key, executing: key)
    }

    private func guardNode(_ key: String, _ given: LenientSection, _ folder: String) throws(ConfigurationError) -> Guard {
        var section = given
        let name = try name(&section, key)
        let signer = try AdoptionKey.read(
            try section.required("key", "signer", "privateKey", as: AdoptionKey.expected), folder: folder)
        let endpoints = try endpoints(&section)
        try section.finish()
        return Guard(name: name, place: section.place, signer: signer, endpoints: endpoints)
    }

    private func name(_ section: inout LenientSection, _ key: String) throws(ConfigurationError) -> String {
        guard let value = section.optional("name") else {
            guard let plain = Self.plainName(key) else { throw section.value.refused("a key of letters, digits and -") }
            return plain
        }
        return try value.value(String.self, "a lower-case name of letters, digits and -") { Self.plainName($0) }
    }

    private func endpoints(_ section: inout LenientSection) throws(ConfigurationError) -> [String: [String]] {
        guard let table = section.optional("endpoints", "rpc") else { return [:] }
        var result: [String: [String]] = [:]
        for (name, value) in try table.entries() {
            guard let chain = resolve(name) else {
                throw value.refused("a key that is one of the chains \(chains.map(\.name).joined(separator: ", "))")
            }
            result[chain] = try Self.urls(value)
        }
        return result
    }

    // MARK: The rest

    private mutating func prices(_ value: LenientValue) throws(ConfigurationError) {
        var section = try value.section()
        if let gas = section.optional("gas") {
            reportsGasPrices = try gas.value(Bool?.self, "auto, on or off") { text -> Bool?? in
                switch text {
                case "auto": .some(nil)
                case "on", "true": true
                case "off", "false": false
                default: nil
                }
            }
        }
        if let tokens = section.optional("tokens") {
            for item in tokens.items {
                var entry = try item.section()
                let chain = try chainName(try entry.required("chain", as: "the name of a chain"))
                let token = try Self.address(try entry.required("token", "address", as: "the token's address"))
                let usd = try entry.required("usd", "usdPerToken", as: "US dollars with 18 decimals for 10^18 smallest units")
                tokenPrices.append(
                    TokenPrice(
                        chain: chain, token: token,
                        usd: try usd.value(U256.self, "US dollars with 18 decimals for 10^18 smallest units") { Self.word($0) }))
                try entry.finish()
            }
        }
        try section.finish()
    }

    package static let timingKeys = [
        "deltaProgress", "deltaResend", "deltaInitial", "deltaRound", "deltaIdle", "deltaGrace",
        "deltaCertifiedCommitRequest", "deltaStage", "rMax",
    ]

    private static func timing(_ value: LenientValue) throws(ConfigurationError) -> [String: UInt64] {
        var section = try value.section()
        var timing: [String: UInt64] = [:]
        for key in timingKeys {
            guard let value = section.optional(key) else { continue }
            timing[key] = try value.value(UInt64.self, "a whole number above 0") { number($0).flatMap { $0 > 0 ? $0 : nil } }
        }
        try section.finish()
        return timing
    }

    private mutating func ports(_ value: LenientValue) throws(ConfigurationError) {
        var section = try value.section()
        if let first = section.optional("from", "first") {
            firstPort = try first.value(Int.self, "a port from 1024 to 60000") { Int($0).flatMap { (1024...60_000).contains($0) ? $0 : nil } }
        }
        if let host = section.optional("host") { self.host = try host.string() }
        try section.finish()
    }

    private static func urls(_ value: LenientValue) throws(ConfigurationError) -> [String] {
        let urls = try value.items.map { item throws(ConfigurationError) -> String in
            // A mapping {http, ws} or {url} is how other tools write it.
            var item = item
            if item.isMapping, let first = try item.entries().first?.value { item = first }
            return try item.value(String.self, "an address as http://HOST:PORT, https://, ws:// or wss://") { text in
                ["http://", "https://", "ws://", "wss://"].contains { text.hasPrefix($0) } ? text : nil
            }
        }
        guard !urls.isEmpty else { throw value.refused("at least one address as http://HOST:PORT") }
        return urls
    }

    static func address(_ value: LenientValue) throws(ConfigurationError) -> Address {
        try value.value(Address.self, "an address (0x and 40 hex digits)") { try? Address(hex: $0) }
    }

    /// Decimal, or hexadecimal behind 0x.
    static func number(_ text: String) -> UInt64? { word(text)?.asUInt64 }
    static func word(_ text: String) -> U256? { try? U256(text: text.filter { $0 != "_" }) }
    private static func small(_ text: String) -> Int? { Int(text).flatMap { (1...10).contains($0) ? $0 : nil } }

    /// Names become folders and YAML keys.
    private static func plainName(_ text: String) -> String? {
        let name = text.lowercased().replacing(" ", with: "-")
        let isPlain = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
        return isPlain && !name.isEmpty && name.utf8.count <= 40 && !name.hasPrefix("-") ? name : nil
    }

    private static func distinct(_ entries: [(String, String)], _ what: String) throws(ConfigurationError) {
        var seen: Set<String> = []
        for (text, place) in entries where !seen.insert(text).inserted {
            throw ConfigurationError(.invalidValue, "\(place): the \(what) \(text) stands twice", hint: "give each entry its own")
        }
    }
}
