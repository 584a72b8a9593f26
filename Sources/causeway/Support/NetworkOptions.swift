// Which local network a command means, and which of its chains. For every command that talks to a running network.

import ArgumentParser
import CCIP
import Ethereum
import Localnet

struct NetworkOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The network: its data directory or localnet.json. Else CAUSEWAY_NETWORK, else the one started last.",
            valueName: "path"))
    var network: String?

    /// The network, running. Throws `networkMissing` with what to do.
    func running() throws -> NetworkDocument { try NetworkDocument.findRunning(network) }

    /// The network, whether it runs or not.
    func known() throws -> NetworkDocument { try NetworkDocument.find(network) }
}

/// Chain names without a network: profile name, public name, chain id or selector.
enum ChainNames {
    /// Known chains, and those of the profiles that lie in chains/profiles.
    static func registry() -> ChainRegistry {
        var registry = ChainRegistry()
        for name in ProjectFiles.profileNames() {
            guard let profile = try? LocalProfile.load(name), registry.chain(selector: profile.selector) == nil else {
                continue
            }
            registry.add(
                KnownChain(
                    name: profile.name, registryName: profile.name, chainID: profile.chainID, selector: profile.selector))
        }
        return registry
    }

    /// Throws `unknownChain` with the nearest name.
    static func resolve(_ text: String) throws -> KnownChain { try registry().chain(named: text) }
}
