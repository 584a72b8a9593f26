// The forks of Ethereum's execution layer by name, in their order.

/// A fork, or a set of blob figures that follows one (EIP-7892).
package enum Fork: UInt8, Sendable, CaseIterable, Comparable {
    case frontier, homestead
    /// EIP-150.
    case tangerineWhistle
    /// EIP-155, EIP-160, EIP-161, EIP-170.
    case spuriousDragon
    case byzantium, constantinople, petersburg, istanbul
    /// Moves the difficulty bomb only, as the two glaciers after London do.
    case muirGlacier
    case berlin, london, arrowGlacier, grayGlacier
    /// The merge (EIP-3675).
    case paris
    case shanghai, cancun, prague, osaka
    /// Blob figures only.
    case bpo1, bpo2, bpo3, bpo4

    package static func < (a: Fork, b: Fork) -> Bool { a.rawValue < b.rawValue }

    /// As genesis files and answers write it.
    package var name: String { String(describing: self) }

    /// The fork of a name as genesis files write it.
    package init?(name: String) {
        guard let fork = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = fork
    }

    /// The forks that a chain of proof of stake can be in.
    package static let sinceTheMerge = allCases.filter { $0 >= .paris }
}
