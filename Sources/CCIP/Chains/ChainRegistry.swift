// The chains that CCIP knows by name (section 26 of the on-chain specification). Data only; a deployment may add its own.

import Ethereum

/// One chain: how people, nodes and contracts name it.
package struct KnownChain: Hashable, Sendable {
    /// The short name of this project's commands.
    package let name: String
    /// The name in the public registry of selectors.
    package let registryName: String
    package let chainID: UInt64
    package let selector: ChainSelector
    package let isTestNetwork: Bool
    /// Other short names that people use.
    package let aliases: [String]

    package init(
        name: String, registryName: String, chainID: UInt64, selector: ChainSelector, isTestNetwork: Bool = true,
        aliases: [String] = []
    ) {
        self.name = name
        self.registryName = registryName
        self.chainID = chainID
        self.selector = selector
        self.isTestNetwork = isTestNetwork
        self.aliases = aliases
    }
}

extension KnownChain {
    /// All names, the preferred one first.
    package var names: [String] { [name] + (registryName == name ? [] : [registryName]) + aliases }
}

/// Finds chains by name, chain id or selector. Names, ids and selectors are unique in it.
package struct ChainRegistry: Sendable {
    package private(set) var chains: [KnownChain]

    package init(_ chains: [KnownChain] = ChainRegistry.known) { self.chains = chains }

    /// Adds a chain, or replaces those that share its name, id or selector.
    package mutating func add(_ chain: KnownChain) {
        chains.removeAll {
            $0.name == chain.name || $0.registryName == chain.registryName || $0.chainID == chain.chainID
                || $0.selector == chain.selector
        }
        chains.append(chain)
    }

    package func chain(selector: ChainSelector) -> KnownChain? { chains.first { $0.selector == selector } }
    package func chain(chainID: UInt64) -> KnownChain? { chains.first { $0.chainID == chainID } }

    /// The short name of a selector, or its digits.
    package func name(of selector: ChainSelector) -> String { chain(selector: selector)?.name ?? "\(selector)" }

    /// A chain by short name, registry name, chain id or selector (decimal, or hexadecimal with `0x`).
    /// Throws `unknownChain`, with the nearest name as the hint.
    package func chain(named text: String) throws(CCIPError) -> KnownChain {
        let wanted = text.lowercased()
        if let chain = chains.first(where: { $0.names.contains(wanted) }) { return chain }
        if let number = (try? U256(text: text))?.asUInt64 {
            if let chain = chain(chainID: number) ?? chain(selector: ChainSelector(number)) { return chain }
        }
        throw CCIPError(.unknownChain, "no chain is called '\(text.prefix(80))'", hint: suggestion(for: wanted))
    }

    private func suggestion(for wanted: String) -> String {
        let names = chains.flatMap(\.names)
        let numbers = chains.flatMap { [String($0.chainID), $0.selector.description] }
        let isNumber = !wanted.isEmpty && wanted.allSatisfy(\.isNumber)
        let candidates = isNumber ? numbers : names
        let scored = candidates.map { (EditDistance.between(wanted, $0), $0) }
        guard let best = scored.min(by: { ($0.0, $0.1) < ($1.0, $1.1) }), best.0 <= max(2, wanted.count / 2) else {
            return "known: " + chains.map(\.name).joined(separator: ", ")
        }
        return "did you mean '\(best.1)'?"
    }
}

/// Levenshtein distance, for suggestions to people.
enum EditDistance {
    /// Longer texts are cut: nobody mistypes a name of more than 64 characters by a little.
    static func between(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8.prefix(64))
        let b = Array(b.utf8.prefix(64))
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[b.count]
    }
}
