// causeway chain: one simulated chain, until it is told to end.

import ArgumentParser
import Configuration
import DevChain
import Ethereum
import Foundation
import Localnet
import Logging

struct ChainCommand: CausewayCommand {
    static let configuration = CommandConfiguration(
        commandName: "chain",
        abstract: "Run one simulated chain.",
        discussion: """
            HTTP and WebSocket on one port, real blocks, receipts and state roots, ten funded accounts. Methods: eth_*, net_*,
            web3_*, and the usual ones for development (evm_mine, evm_snapshot, evm_revert, evm_increaseTime, anvil_setBalance ...).

            Examples:
              causeway chain                               any EVM chain, id 31337, blocks on demand
              causeway chain --profile jovay               as the Jovay L2; ethereum, pharos and base are there too
              causeway chain --profile ./mine.yaml --port 9000 --block-time 1000
            """)

    @Option(name: .long, help: "A name under chains/profiles, or a path to a profile.")
    var profile = "any"

    @Option(name: .long, help: "Address to listen on. Only loopback is safe: the accounts' keys are public.")
    var host = "127.0.0.1"

    @Option(name: .long, help: "Port; the profile's, or the next free one, when not given. 0 takes any.")
    var port: Int?

    @Option(name: .long, help: ArgumentHelp("Milliseconds between blocks.", valueName: "ms"))
    var blockTime: Int?

    @Flag(name: .long, help: "At the pace of the local network, as the profile says under 'localnet'.")
    var localnet = false

    @Option(
        name: .long,
        help: ArgumentHelp("A folder that keeps the chain over restarts; made when it is not there.", valueName: "dir"))
    var dataDir: String?

    @Option(
        name: .long, help: ArgumentHelp("Memory that the process should stay below; with --data-dir.", valueName: "MiB")
    )
    var memory: Int?

    @Option(name: .long, help: "How many funded accounts.")
    var accounts = 10

    @OptionGroup var log: LogOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let port, !(0...65_535).contains(port) { throw ValidationError("--port is from 0 to 65535") }
        if let memory {
            guard dataDir != nil else {
                throw ValidationError("--memory needs --data-dir: what is let go is read again there")
            }
            guard (128...1 << 20).contains(memory) else { throw ValidationError("--memory is from 128 MiB to 1 TiB") }
        }
        if let blockTime, !(1...3_600_000).contains(blockTime) {
            throw ValidationError("--block-time is from 1 ms to an hour")
        }
    }

    func perform(_ out: CommandOutput) async throws -> ExitStatus {
        let (text, path) = try ProjectFiles.profile(profile)
        var chain = try ChainProfile(
            yaml: text, file: path, localnet: localnet, artifact: ProjectFiles.deployedCode)
        if let blockTime {
            chain.cadence.intervalMilliseconds = blockTime
            chain.cadence.heartbeatMilliseconds = blockTime
            chain.cadence.onDemand = false
        }
        var options = DevChainOptions()
        options.host = host
        options.port = port
        options.triesNextPorts = port == nil
        options.accountCount = accounts
        if let dataDir {
            try FileManager.default.createDirectory(atPath: dataDir, withIntermediateDirectories: true)
            options.dataDirectory = dataDir
        }
        options.memoryBudget = memory.map { $0 << 20 }
        let node = try DevChainNode(profile: chain, options: options, logger: log.bootstrap())
        let signals = Signals()
        let bound = try await node.start()
        out.data(json(chain, node, bound)) { banner(chain, node, bound) }
        let number = await signals.first()
        out.talk("\(Signals.name(number)): ending")
        await node.stop()
        return .done
    }

    private func json(_ chain: ChainProfile, _ node: DevChainNode, _ port: Int) -> JSON {
        [
            "name": .string(chain.name),
            "displayName": .string(chain.displayName),
            "chainId": .integer(chain.chainID),
            "selector": .string(String(chain.selector)),
            "rpc": .string("http://\(host):\(port)"),
            "ws": .string("ws://\(host):\(port)"),
            "accounts": .array(
                node.accounts.enumerated().map { index, key in
                    [
                        "index": .integer(index), "address": .string(key.address.checksummed),
                        "privateKey": .string(Hex.encode(key.secret.bytes)),
                    ]
                }),
        ]
    }

    private func banner(_ chain: ChainProfile, _ node: DevChainNode, _ port: Int) -> String {
        var head = Table(indent: 2)
        head.add("chain id", "\(chain.chainID)")
        head.add("selector", "\(chain.selector)")
        head.add("RPC", "http://\(host):\(port)")
        head.add("WebSocket", "ws://\(host):\(port)")
        var accounts = Table(indent: 2)
        for (index, key) in node.accounts.enumerated() {
            accounts.add("(\(index))", key.address.checksummed, Hex.encode(key.secret.bytes))
        }
        return Terminal.data.paint(chain.displayName, .bold) + "\n" + head.text()
            + "\n" + Banner.heading("Accounts") + accounts.text()
            + "\nlistening on \(host):\(port)\n"
    }
}
