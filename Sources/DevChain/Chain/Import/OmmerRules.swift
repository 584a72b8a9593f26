// Which ommers a block of proof of work may name (Yellow Paper 11.1). A decision without effects.

import EVM
import Ethereum

/// One of the blocks below the block that is looked at.
struct Ancestor {
    let header: BlockHeader
    let ommers: [BlockHeader]
}

enum OmmerRules {
    /// Most ommers of a block.
    static let countMaximum = 2
    /// Blocks below a block that are looked through; an ommer's parent is among them.
    static let depth = 7

    /// Throws `invalidOmmer` for the first ommer that may not be there.
    /// - Parameters:
    ///   - ancestors: the block's parent first, at most `depth`.
    ///   - rules: of a header, for the fork that held at its number.
    static func check(
        _ ommers: [BlockHeader], of block: BlockHeader, ancestors: [Ancestor], rules: (BlockHeader) -> HeaderRules
    ) throws(DevChainError) {
        guard ommers.count <= countMaximum else {
            throw DevChainError(.invalidOmmer, "\(ommers.count) ommers, at most \(countMaximum)")
        }
        var taken = Set(ancestors.flatMap { $0.ommers.map(\.hash) })
        let below = ancestors.map { (hash: $0.header.hash, header: $0.header) }
        for ommer in ommers {
            let hash = ommer.hash
            guard taken.insert(hash).inserted else { throw refused(hash, "was named before") }
            guard !below.contains(where: { $0.hash == hash }) else { throw refused(hash, "is an ancestor") }
            guard ommer.parentHash != block.parentHash,
                let parent = below.first(where: { $0.hash == ommer.parentHash })?.header
            else { throw refused(hash, "does not branch off from the latest blocks") }
            do throws(DevChainError) { try rules(ommer).check(ommer, parent: parent) } catch {
                throw refused(hash, "is no valid header: \(error.message)")
            }
        }
    }

    private static func refused(_ hash: Hash32, _ why: String) -> DevChainError {
        DevChainError(.invalidOmmer, "the ommer \(hash) \(why)")
    }
}
