// The blocks above the finalized one as we last saw them, linked by parent hash: decides what is new and what was
// re-organised (5.5). A value: no wire, no clock.

import Ethereum

struct ChainTail: Sendable, Equatable {
    /// The finalized block under the tail.
    private(set) var anchor: BlockReference
    /// Ascending, each the parent of the next, the first the child of the anchor, or of what was dropped as too old.
    private(set) var blocks: [BlockReference] = []

    init(anchor: BlockReference) { self.anchor = anchor }

    var tip: BlockReference { blocks.last ?? anchor }

    func contains(_ block: BlockReference) -> Bool {
        if block.number == anchor.number { return block.hash == anchor.hash }
        return blocks.contains { $0.number == block.number && $0.hash == block.hash }
    }

    /// Appends the child of the tip; false when it is not.
    mutating func append(_ block: BlockReference) -> Bool {
        let startsAnew = blocks.isEmpty && block.number > anchor.number + 1
        guard startsAnew || (block.number == tip.number + 1 && block.parentHash == tip.hash) else { return false }
        blocks.append(block)
        if blocks.count > Limits.tailBlocksMaximum { blocks.removeFirst() }
        return true
    }

    /// The highest of our blocks that is among `seen`, the chain as it is now; the anchor when none is above it.
    /// Nil when even the anchor is not there: what was final has changed.
    func lastCommon(with seen: [BlockReference]) -> BlockReference? {
        let now = Dictionary(seen.map { ($0.number, $0.hash) }, uniquingKeysWith: { a, _ in a })
        if let block = blocks.last(where: { now[$0.number] == $0.hash }) { return block }
        return now[anchor.number] == anchor.hash ? anchor : nil
    }

    mutating func truncate(to ancestor: BlockReference) {
        blocks.removeAll { $0.number > ancestor.number }
    }

    /// Whether nothing of the tail can tell how this finalized block is related to it: it is above all of it, and no
    /// child of the tip. Whether the tip is still there must then be asked.
    func isPassed(by block: BlockReference) -> Bool {
        guard let last = blocks.last else { return false }
        return block.number > last.number && block.parentHash != last.hash
    }

    /// Moves the anchor up. Returns the old anchor when blocks above it are of another branch than the finalized one:
    /// nothing of the tail is then known any more.
    /// - Parameter isTipThere: the chain that the finalized block ends has our tip; only asked for where `isPassed`.
    mutating func finalize(_ block: BlockReference, isTipThere: Bool) -> BlockReference? {
        guard block.number > anchor.number else { return nil }
        let before = anchor
        anchor = block
        guard let first = blocks.first, let last = blocks.last else { return nil }
        if let at = blocks.firstIndex(where: { $0.number == block.number && $0.hash == block.hash }) {
            blocks.removeFirst(at + 1)
            return nil
        }
        // Still below what we follow, and under it as far as can be told.
        if block.number + 1 < first.number || first.parentHash == block.hash { return nil }
        blocks = []
        return last.hash == block.parentHash || (block.number > last.number && isTipThere) ? nil : before
    }
}
