// causeway deploy: contracts and lanes onto chains that are reached by RPC.

import ArgumentParser
import CCIP
import Ethereum
import Localnet

struct DeployCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Deploy the contracts and wire all lanes onto chains reached by RPC.",
        discussion: """
            FILE names chains with their RPC addresses, tokens, and the public keys of the cluster's relayers. Every chain is
            wired to every other one. What was sent is kept in the state file before it is sent: when something breaks off,
            the same command goes on from there, after it has compared the file with the chains. FILE.addresses.json, or the
            file that --write names, then lists all addresses in the format that `causeway adopt` takes.

              version: 1
              deployer: {keyFile: deployer.json, passwordFile: password}   # or CAUSEWAY_DEPLOYER_KEY
              chains:
                - {name: ethereum, chainId: 11155111, selector: "16015286601757825753", rpc: "http://127.0.0.1:8545",
                   nativePriceUSD: "3000", gasPriceWei: "1000000000"}
                - {name: jovay, chainId: 2019775, selector: "945045181441419236", rpc: "http://127.0.0.1:8546",
                   nativePriceUSD: "3000", gasPriceWei: "1000000"}
              tokens:
                - {symbol: LINK, priceUSD: "15", link: true}
              cluster:
                faulty: 1
                relayers:                        # N = 3F + 1 of them
                  - peerId: 0x...                # 32 bytes
                    reportSigner: 0x...
                    transmitters:
                      ethereum: {committing: 0x..., executing: 0x...}
                      jovay: {committing: 0x..., executing: 0x...}
              rmn:                               # only where guards are to sign roots
                signers: [{account: 0x...}, {account: 0x...}, {account: 0x...}]
                lanes: ["ethereum:jovay"]        # or all

            Examples:
              causeway deploy deployment.yaml
              causeway deploy deployment.yaml --state ./state.json --json
              causeway deploy deployment.yaml --write ./addresses.json
            """)

    @Argument(help: "The deployment file.")
    var file: String

    @Option(name: .long, help: "Where the state is kept; FILE.state.json when not given.")
    var state: String?

    @Option(name: .long, help: ArgumentHelp("Where the addresses go; FILE.addresses.json when not given.", valueName: "path"))
    var write: String?

    @Option(name: .long, help: ArgumentHelp("Give up waiting for blocks after so long.", valueName: "seconds"))
    var timeout = 600

    @Option(name: .long, help: ArgumentHelp("Distance between two looks at a chain.", valueName: "ms"))
    var poll = 1000

    @OptionGroup var log: LogOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...86_400).contains(timeout), (5...60_000).contains(poll) else {
            throw ValidationError("--timeout is from 1 to 86400 s, --poll from 5 to 60000 ms")
        }
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        guard let bytes = Files.read(file, maximum: 1 << 20) else {
            throw CommandFailure("fileMissing", "no readable file \(file)", hint: "causeway deploy --help shows one")
        }
        var deployment = try DeploymentFile(yaml: String(decoding: bytes, as: UTF8.self), file: file)
        let path = Files.absolute(file)
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let key = try deployment.openKey(folder: folder)
        deployment.setDeployer(key.address)
        let logger = log.bootstrap()
        var targets: [String: DeploymentTarget] = [:]
        for (chain, url) in deployment.endpoints {
            targets[chain] = DeploymentTarget(endpoint: try RPCDeploymentEndpoint(url: url, logger: logger), key: key)
        }
        var policy = DeploymentPolicy()
        policy.deadlineSeconds = timeout
        policy.pollMilliseconds = poll
        let statePath = state ?? file + ".state.json"
        let deployer = Deployer(
            artifacts: try ProjectFiles.artifacts(), policy: policy, statePath: statePath, progress: { out.talk($0) })
        let plan = try await deployer.deploy(deployment.request, to: targets)
        // RPC addresses may carry keys.
        let addresses = write ?? file + ".addresses.json"
        try Files.write(AddressesDocument.json(plan, endpoints: deployment.endpoints).pretty, to: addresses, mode: 0o600)
        out.talk("addresses in \(addresses); a cluster for them: causeway adopt --deployment \(addresses) --keys KEYS.yaml")
        out.data(json(plan, statePath, addresses)) { text(plan) }
        return .done
    }

    private func json(_ plan: DeploymentPlan, _ statePath: String, _ addresses: String) -> JSON {
        [
            "state": .string(statePath),
            "addresses": .string(addresses),
            "chains": .array(
                plan.chains.map { chain in
                    [
                        "name": .string(chain.chain.name),
                        "chainId": .integer(chain.chain.chainID),
                        "selector": .string(chain.chain.selector.description),
                        "contracts": chain.contracts.json,
                        "digests": ["commit": .hash(chain.commitDigest), "execute": .hash(chain.executeDigest)],
                        "tokens": .array(
                            chain.contracts.tokens.map { token in
                                [
                                    "symbol": .string(token.symbol), "address": .string(token.token.checksummed),
                                    "pool": .string(token.pool.checksummed),
                                ]
                            }),
                    ]
                }),
        ]
    }

    private func text(_ plan: DeploymentPlan) -> String {
        var result = ""
        for chain in plan.chains {
            var table = Table(indent: 2)
            for (name, address) in chain.contracts.named { table.add(name, address.checksummed) }
            for token in chain.contracts.tokens {
                table.add(token.symbol, "\(token.token.checksummed)  pool \(token.pool.checksummed)")
            }
            table.add("commit digest", chain.commitDigest.hex)
            table.add("execute digest", chain.executeDigest.hex)
            result += Banner.heading("\(chain.chain.name) (\(chain.chain.chainID))") + table.text() + "\n"
        }
        return result
    }
}
