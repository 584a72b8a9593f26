// The tree over the messages of one root (section 9 of the on-chain specification): construction and multi-proofs.
// Verification, as the OffRamp does it, stands in MultiProof.swift.

import Ethereum

/// All layers of a tree of 1 to 256 leaves. Odd layers are padded with 32 bytes of 0xff.
package struct MerkleTree: Equatable, Sendable {
    /// From the leaves, with padding, up to the root.
    package let layers: [[Hash32]]
    package let leafCount: Int

    /// Throws `emptyTree` or `treeTooLarge`.
    package init(leaves: [Hash32]) throws(CCIPError) {
        guard !leaves.isEmpty else {
            throw CCIPError(.emptyTree, "a tree without leaves", hint: "a root covers at least one message")
        }
        guard leaves.count <= Limits.treeLeavesMaximum else {
            throw CCIPError(
                .treeTooLarge, "\(leaves.count) leaves", hint: "at most \(Limits.treeLeavesMaximum) under one root")
        }
        leafCount = leaves.count
        var layers: [[Hash32]] = []
        var layer = leaves
        while layer.count > 1 {
            if layer.count % 2 == 1 { layer.append(HashDomain.padding) }
            layers.append(layer)
            layer = stride(from: 0, to: layer.count, by: 2).map { Self.node(layer[$0], layer[$0 + 1]) }
        }
        layers.append(layer)
        self.layers = layers
    }

    package var root: Hash32 { layers[layers.count - 1][0] }

    /// Hash of two neighbours, in order of their value.
    package static func node(_ a: Hash32, _ b: Hash32) -> Hash32 {
        keccak256(HashDomain.node.bytes + min(a, b).bytes + max(a, b).bytes)
    }

    /// The proof for the leaves at `indices`, which must ascend strictly. Throws `badLeafIndex`.
    package func proof(indices: [Int]) throws(CCIPError) -> MultiProof {
        guard let last = indices.last, let first = indices.first, first >= 0, last < leafCount,
            zip(indices, indices.dropFirst()).allSatisfy({ $0 < $1 })
        else {
            throw CCIPError(
                .badLeafIndex, "indices \(indices.prefix(8)) of \(leafCount) leaves",
                hint: "name at least one leaf, in ascending order, each once")
        }
        var hashes: [Hash32] = []
        var flags = U256.zero
        var flagCount = 0
        var wanted = indices
        for layer in layers.dropLast() {
            var parents: [Int] = []
            var position = 0
            while position < wanted.count {
                let index = wanted[position]
                parents.append(index / 2)
                if position + 1 < wanted.count, wanted[position + 1] == index ^ 1 {
                    flags = flags | (U256.one << flagCount)
                    position += 1
                } else {
                    hashes.append(layer[index ^ 1])
                }
                flagCount += 1
                position += 1
            }
            wanted = parents
        }
        assert(flagCount == indices.count + hashes.count - 1, "one flag for each hash of the verifier")
        return MultiProof(hashes: hashes, flagBits: flags)
    }
}
