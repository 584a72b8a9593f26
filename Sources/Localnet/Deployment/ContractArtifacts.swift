// Compiled contracts: ABI and init code, as chains/artifacts holds them. Nothing is compiled here.

import Ethereum

/// One compiled contract.
package struct ContractArtifact: Sendable, Equatable {
    /// The file's name without `.json`, as `off_ramp`.
    package let name: String
    package let abi: JSON
    /// Init code; constructor arguments follow it.
    package let bytecode: Bytes

    /// Reads `{"abi": [...], "bytecode": "0x..."}`; throws `malformedArtifact`.
    package init(name: String, json: JSON) throws(LocalnetError) {
        guard let abi = json["abi"], abi.asArray != nil else {
            throw LocalnetError(.malformedArtifact, "\(name): there is no list 'abi'", hint: "run: make contracts")
        }
        guard let text = json["bytecode"]?.asString, let code = try? Hex.decode(text), !code.isEmpty else {
            throw LocalnetError(
                .malformedArtifact, "\(name): 'bytecode' is no hexadecimal text", hint: "run: make contracts")
        }
        self.init(name: name, abi: abi, bytecode: code)
    }

    package init(name: String, abi: JSON, bytecode: Bytes) {
        self.name = name
        self.abi = abi
        self.bytecode = bytecode
    }
}

/// The contracts that a deployment needs, by name.
package struct ContractArtifacts: Sendable {
    /// Every contract of a CCIP 1.6 deployment, those of price streams, and the examples.
    package static let names = [
        "arm_proxy", "burn_from_mint_token_pool", "burn_mint_erc20", "burn_mint_token_pool", "burn_to_address_token_pool",
        "burn_with_from_mint_token_pool", "cctp_message_transmitter", "cctp_message_transmitter_proxy",
        "cctp_message_transmitter_v2", "cctp_token_messenger", "cctp_token_messenger_v2", "configurator", "fee_quoter",
        "lock_release_token_pool", "nonce_manager", "off_ramp", "on_ramp", "registry_module_owner_custom",
        "reverting_receiver", "rmn_remote", "router", "siloed_lock_release_token_pool", "storing_receiver",
        "stream_price_feed", "token_admin_registry", "usdc_token_pool", "usdc_token_pool_cctp_v2", "verifier",
        "verifier_proxy", "weth9",
    ]

    private let byName: [String: ContractArtifact]

    package init(_ artifacts: [ContractArtifact]) {
        byName = Dictionary(artifacts.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    }

    /// Reads all of `names` from `directory`; throws `artifactMissing` or `malformedArtifact`.
    package init(directory: String) throws(LocalnetError) {
        var artifacts: [ContractArtifact] = []
        for name in Self.names {
            let path = directory + "/" + name + ".json"
            guard let bytes = Files.read(path, maximum: Limits.artifactBytesMaximum) else {
                throw LocalnetError(
                    .artifactMissing, "no readable file \(path)", hint: "run: make contracts")
            }
            let json: JSON
            do { json = try JSON.parse(bytes) } catch {
                throw LocalnetError(.malformedArtifact, "\(path): \(error.message)", hint: "run: make contracts")
            }
            artifacts.append(try ContractArtifact(name: name, json: json))
        }
        self.init(artifacts)
    }

    package func artifact(_ name: String) throws(LocalnetError) -> ContractArtifact {
        guard let artifact = byName[name] else {
            throw LocalnetError(.artifactMissing, "no artifact '\(name)'", hint: "run: make contracts")
        }
        return artifact
    }
}
